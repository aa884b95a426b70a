// What happens inside of the browser, beside what goes over the wire: the console, addresses, the document, storage,
// cookies, messages, and every violation of a page's policy.

/**
 * Runs in each page before its own scripts: tells `tell(kind, text)` of what is written, posted or refused.
 * It must be self-contained.
 */
function watchPage() {
  const tell = (kind, ...values) => {
    const text = values.map((value) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value)))).join(' ');
    globalThis.__witness(kind, text);
  };
  const around = (owner, name, kind) => {
    const original = owner?.[name];
    if (original) {
      owner[name] = function (...values) {
        tell(kind, ...values);
        return original.apply(this, values);
      };
    }
  };
  document.addEventListener('securitypolicyviolation', (event) =>
    tell('violation', `${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile ?? ''}:${event.lineNumber}`));
  around(Storage.prototype, 'setItem', 'storage');
  around(IDBFactory.prototype, 'open', 'indexedDB');
  around(IDBObjectStore.prototype, 'put', 'indexedDB');
  around(IDBObjectStore.prototype, 'add', 'indexedDB');
  around(globalThis.Cache?.prototype, 'put', 'cache');
  around(globalThis.Cache?.prototype, 'add', 'cache');
  around(globalThis.CacheStorage?.prototype, 'open', 'cache');
  around(BroadcastChannel.prototype, 'postMessage', 'message');
  around(window, 'postMessage', 'message');
  around(globalThis.ServiceWorkerContainer?.prototype, 'register', 'serviceWorker');
  const cookie = Object.getOwnPropertyDescriptor(Document.prototype, 'cookie');
  Object.defineProperty(Document.prototype, 'cookie', {
    ...cookie,
    set(value) {
      tell('cookie', value);
      cookie.set.call(this, value);
    },
  });
}

/** Runs in a page: all that it holds in the document and in storage, as text. */
async function look() {
  const seen = { document: '', storage: {}, databases: {}, caches: {} };
  const trees = (root) => [root, ...[...root.querySelectorAll('*')].flatMap((node) => (node.shadowRoot ? trees(node.shadowRoot) : []))];
  seen.document = trees(document).map((root) => root.documentElement?.outerHTML ?? root.innerHTML).join('\n');
  seen.fields = [...document.querySelectorAll('input, textarea')].map((field) => field.value);
  seen.address = [location.href, document.referrer, document.title, window.name, JSON.stringify(history.state)];
  seen.fetched = performance.getEntries().map((entry) => entry.name);
  try {
    seen.storage = { local: { ...localStorage }, session: { ...sessionStorage }, cookie: document.cookie };
  } catch {
    return seen; // A document without an origin has none of this.
  }
  for (const { name } of await indexedDB.databases()) {
    const database = await asked(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      const records = database.transaction(store).objectStore(store);
      seen.databases[`${name}/${store}`] = [await asked(records.getAllKeys()), await asked(database.transaction(store).objectStore(store).getAll())];
    }
    database.close();
  }
  for (const name of (await globalThis.caches?.keys()) ?? []) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      seen.caches[`${name} ${request.url}`] = await (await cache.match(request)).text();
    }
  }
  return seen;

  function asked(request) {
    return new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  }
}

export class Witness {
  /** What pages wrote, posted or were refused: `{ kind, text }`. */
  acts = [];
  console = [];
  errors = [];
  addresses = [];
  glimpses = [];
  #context;

  static async of(context) {
    const witness = new Witness();
    witness.#context = context;
    await context.exposeBinding('__witness', (_, kind, text) => void witness.acts.push({ kind, text }));
    await context.addInitScript(watchPage);
    context.on('console', (message) => witness.console.push(message.text()));
    context.on('weberror', (error) => witness.errors.push(String(error.error())));
    context.on('page', (page) => page.on('framenavigated', (frame) => witness.addresses.push(frame.url())));
    return witness;
  }

  /** From here on. */
  forget() {
    for (const seen of [this.acts, this.console, this.errors, this.addresses, this.glimpses]) {
      seen.length = 0;
    }
  }

  /** What pages did of this kind. */
  did(...kinds) {
    return this.acts.filter(({ kind }) => kinds.includes(kind)).map(({ kind, text }) => `${kind}: ${text}`);
  }

  /** Every refusal by a policy, as events tell it and as the console does. */
  get violations() {
    return [...this.did('violation'), ...this.console.filter((text) => /content.security.policy/i.test(text))];
  }

  /** Keeps what all pages hold right now. */
  async glimpse() {
    for (const page of this.#context.pages()) {
      for (const frame of page.frames()) {
        const seen = await frame.evaluate(look).catch(() => null);
        if (seen) {
          this.glimpses.push({ url: frame.url(), ...seen });
        }
      }
    }
  }

  /** The addresses in a page's history. */
  async history(page) {
    const entries = async () => {
      const session = await this.#context.newCDPSession(page);
      const { entries } = await session.send('Page.getNavigationHistory');
      await session.detach();
      return entries;
    };
    // While Chromium puts an error page of its own in the place of a page, for an instant there is none to ask.
    const isBetween = (error) => String(error).includes('Not attached to an active page');
    const known = await entries().catch((error) => (isBetween(error) ? null : Promise.reject(error)));
    const settled = known ?? (await page.waitForTimeout(250).then(entries));
    return settled.flatMap(({ url, userTypedURL, title }) => [url, userTypedURL, title]);
  }

  /** All of it by name, as bytes to be searched. */
  async testimony() {
    await this.glimpse();
    const histories = await Promise.all(this.#context.pages().map((page) => this.history(page)));
    const parts = {
      'the console': this.console.concat(this.errors),
      'an address': this.addresses.concat(histories.flat(), this.glimpses.flatMap(({ url, address }) => [url, ...(address ?? [])])),
      'a request that a page saw': this.glimpses.flatMap(({ fetched }) => fetched ?? []),
      'the document': this.glimpses.flatMap(({ document, fields }) => [document, ...(fields ?? [])]),
      'storage': this.glimpses.map(({ storage, databases, caches }) => ({ storage, databases, caches })).concat(this.did('storage', 'indexedDB', 'cache', 'cookie', 'serviceWorker')),
      'a message': this.did('message'),
      'a cookie': await this.#context.cookies(),
    };
    const bytes = (values) => Buffer.from(values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value))).join('\n'));
    return Object.fromEntries(Object.entries(parts).map(([name, values]) => [name, bytes(values)]));
  }
}
