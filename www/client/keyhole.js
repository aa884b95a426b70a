// The entry of the module: what must be JavaScript, because a custom element and a subclass of EventTarget
// cannot be written in Rust. What is decided is decided in Rust.
import init, { Client, Stage } from "./pkg/keyhole_client.js";

/** The token function answers by then, whatever happens. The Worker is given 15 s of it. */
const TOKEN_MS_MAX = 20_000;
/** What takes longer does not come. */
const LOAD_MS_MAX = 30_000;

const failure = (code, message, cause) =>
  Object.assign(new Error(message, { cause }), { name: "KeyholeError", code, status: 0 });

let loading;
const start = async () =>
  init({
    module_or_path: fetch(new URL(__KEYHOLE_WASM__, import.meta.url), {
      integrity: __KEYHOLE_WASM_INTEGRITY__,
      signal: AbortSignal.timeout(LOAD_MS_MAX),
    }),
  });
const load = () =>
  (loading ??= start().catch((cause) => {
    loading = undefined;
    throw failure("module_blocked", "keyhole.js could not start its WebAssembly module", cause);
  }));

/** Where Keyhole is: the Worker that served this module. The npm package is served by anybody, and must be told. */
let home = __KEYHOLE_FROM_WORKER__ ? new URL(import.meta.url).origin : undefined;
const originOf = (address = home) => {
  if (/^https?:\/\/./.test(address) && URL.canParse(address)) return new URL(address).origin;
  throw failure("origin_missing", 'Keyhole must be told where it is: configure({ origin: "https://YOUR-WORKER" }).');
};

/** Elements that came before anybody said where Keyhole is. */
const lost = new Set();

export const configure = ({ origin }) => {
  home = originOf(origin);
  shared = undefined;
  for (const element of lost) element.keyhole = undefined;
};

/** The way to the Rust client of each Keyhole: known to this file alone. */
const clients = new WeakMap();
const clientOf = (keyhole) => clients.get(keyhole)();

/** Box's library waits for ever on a promise that rejects or never settles: this one does neither. */
const settled = (promise) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, TOKEN_MS_MAX, null);
    promise.then(
      (token) => (clearTimeout(timer), resolve(token)),
      () => (clearTimeout(timer), resolve(null)),
    );
  });

export class Keyhole extends EventTarget {
  #loaded;

  constructor({ origin } = {}) {
    super();
    const tell = (type, detail) => this.dispatchEvent(new CustomEvent(type, { detail }));
    const own = originOf(origin);
    let client;
    // Where the load failed, the next call tries again.
    const reach = () =>
      (client ??= load().then(
        () => (this.#loaded = new Client(own, tell)),
        (error) => {
          client = undefined;
          throw error;
        },
      ));
    clients.set(this, reach);
    // A server that renders pages may name a client, and has no use for it.
    if (globalThis.document) reach().catch(() => {});
  }

  session = async () => (await clientOf(this)).session();
  signIn = async ({ returnTo, popup = false, items = [] } = {}) => {
    const client = await clientOf(this);
    return popup ? client.signInBeside(returnTo, [items].flat().map(String)) : client.signIn(returnTo);
  };
  signOut = async () => (await clientOf(this)).signOut();
  items = async (folder = "0", { offset = 0, limit = 100 } = {}) =>
    (await clientOf(this)).items(String(folder), offset, limit);

  token = (items, options) =>
    settled(clientOf(this).then((client) => client.token(items, [options?.scopes ?? []].flat().join(" "))));
  tokenFor = async (item, { scopes = [] } = {}) =>
    (await clientOf(this)).tokenFor(String(item), [scopes].flat().join(" "));
  refused = async (token) => (await clientOf(this)).refused(token);
  requestInterceptor = (config) => this.#loaded?.intercept(config) ?? config;

  held = () => this.#loaded?.held() ?? [];
  get ended() {
    return this.#loaded?.ended() ?? null;
  }
}

let shared;

class BoxPreview extends (globalThis.HTMLElement ?? Object) {
  static observedAttributes = ["file", "collection", "scopes", "header", "show-download", "locale"];

  #root = this.attachShadow({ mode: "open" });
  #keyhole;
  #options = null;
  #stage;
  #planned = false;
  #onEnded = ({ detail }) => this.#stage?.ended(detail?.reason);

  /** The client it asks: by default one for all elements of the page. */
  get keyhole() {
    return (this.#keyhole ??= shared ??= new Keyhole());
  }
  set keyhole(keyhole) {
    this.#forget();
    this.#keyhole = keyhole;
    this.#plan();
  }

  /** Further options of `Box.Preview`'s `show()`; what the element needs for itself wins. */
  get options() {
    return this.#options;
  }
  set options(options) {
    this.#options = options ?? null;
    this.#plan();
  }

  /** Tries again, as its own button does. */
  reload() {
    this.#plan();
  }

  connectedCallback() {
    // A property set before the element was defined hides the accessor: hand it over.
    for (const name of ["keyhole", "options", "file", "collection", "scopes", "header", "showDownload", "locale"]) {
      if (Object.hasOwn(this, name)) {
        const value = this[name];
        delete this[name];
        this[name] = value;
      }
    }
    this.#plan();
  }
  disconnectedCallback() {
    this.#plan();
  }
  attributeChangedCallback(_name, before, after) {
    if (before !== after) this.#plan();
  }

  /** Many changes in one tick are one change. */
  #plan() {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      if (this.isConnected) this.#show();
      else this.#forget();
    });
  }

  async #show() {
    try {
      const keyhole = this.keyhole;
      const client = await clientOf(keyhole);
      if (!this.isConnected || this.keyhole !== keyhole) return;
      if (!this.#stage) {
        this.#stage = new Stage(client, this, this.#root, keyhole.requestInterceptor);
        keyhole.addEventListener("ended", this.#onEnded);
      }
      this.#stage.refresh();
    } catch (error) {
      this.#blocked(error);
    }
  }

  #forget() {
    lost.delete(this);
    this.#keyhole?.removeEventListener("ended", this.#onEnded);
    this.#stage?.leave();
    this.#stage?.free();
    this.#stage = undefined;
  }

  /** The words of a page that keeps the Rust part away, which holds all other words. */
  #blocked(error) {
    const isLost = error.code === "origin_missing";
    if (isLost) lost.add(this);
    const text = document.createElement("p");
    text.setAttribute("role", "alert");
    text.textContent = isLost
      ? error.message
      : "Keyhole could not start. The page’s security policy may keep its WebAssembly away (script-src 'wasm-unsafe-eval', connect-src), or the network is down.";
    this.#root.replaceChildren(text);
    this.setAttribute("data-keyhole", "message");
    const detail = { code: error.code ?? "module_blocked", message: text.textContent };
    this.dispatchEvent(new CustomEvent("keyhole-error", { detail, bubbles: true, composed: true }));
  }
}

for (const [property, attribute] of [
  ["file", "file"],
  ["scopes", "scopes"],
  ["header", "header"],
  ["locale", "locale"],
]) {
  Object.defineProperty(BoxPreview.prototype, property, {
    configurable: true,
    enumerable: true,
    get() {
      return this.getAttribute(attribute);
    },
    set(value) {
      if (value == null) this.removeAttribute(attribute);
      else this.setAttribute(attribute, value);
    },
  });
}
Object.defineProperty(BoxPreview.prototype, "collection", {
  configurable: true,
  enumerable: true,
  get() {
    return (this.getAttribute("collection") ?? "").split(/[\s,]+/).filter(Boolean);
  },
  set(ids) {
    this.setAttribute("collection", [ids ?? []].flat().join(" "));
  },
});
Object.defineProperty(BoxPreview.prototype, "showDownload", {
  configurable: true,
  enumerable: true,
  get() {
    return this.hasAttribute("show-download");
  },
  set(value) {
    this.toggleAttribute("show-download", Boolean(value));
  },
});

// Where pages are rendered on a server there are no elements, and importing this is no mistake.
const elements = globalThis.customElements;
if (elements && !elements.get("box-preview")) elements.define("box-preview", BoxPreview);
