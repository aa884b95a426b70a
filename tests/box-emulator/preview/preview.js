/**
 * A stand-in for Box's preview library, for tests and for machines without the internet.
 *
 * It keeps the library's outside: the global `Box.Preview`, the arguments of `show`, what is asked of
 * the page's token function and when, the requests that go to Box, the retries, and the events. What
 * it draws is its own. README.md says what it leaves out on purpose.
 *
 * This file is a classic script, as the library's is; the modules beside it arrive by `import()`.
 */
(() => {
  /** Everything else lies where this script lies: `{base}{version}/{locale}/preview.js`. */
  const script = document.currentScript ?? document.querySelector('script[src*="/preview.js"]');
  const [, base, version, locale] = /^(.*\/)([^/]+)\/([^/]+)\/preview\.js(?:[?#]|$)/.exec(script?.src ?? '') ?? [];
  if (!base) {
    throw new Error('preview.js must be served as /{version}/{locale}/preview.js');
  }
  const place = Object.freeze({ base, version, locale });
  const modules = Promise.all([import(`${base}${version}/${locale}/frame.js`), import(`${base}${version}/${locale}/visit.js`)]);

  class Preview {
    /** No part of Box's own library has this: tests and pages can tell which one is loaded. */
    static isStandIn = true;

    #listeners = [];
    #options = {};
    #token = null;
    #container = null;
    #frame = null;
    /** The file on the screen: `{ given, id, file, viewer, ends }`, null between files. */
    #visit = null;
    /** Files that the page knows already, by id. */
    #known = new Map();

    /**
     * Shows a file in `options.container`.
     *
     * @param {string|number|object} fileIdOrFile an id, or a file as the API describes it
     * @param {string|Function|null} token a token, or a function from typed ids to a promise of a token,
     *   null, or a map of tokens by id
     */
    show(fileIdOrFile, token, options = {}) {
      if (token && typeof token !== 'string' && typeof token !== 'function') {
        throw new Error('Bad access token!');
      }
      this.#token = token;
      this.#options = { ...options, collection: (options.collection ?? []).map(idOf) };
      this.#container = containerOf(options.container);
      this.#open(fileIdOrFile);
    }

    /** Loads the current file again: with a new token, or (`skipServerUpdate`) only draws it again. */
    reload(skipServerUpdate = false) {
      if (this.#visit) {
        const { file, given } = this.#visit;
        this.#open(skipServerUpdate && file ? file : given, skipServerUpdate);
      }
    }

    /** What answers from now on when a token is needed. */
    updateToken(token, reload = true) {
      this.#token = token;
      if (reload) {
        this.reload(false);
      }
    }

    updateCollection(collection) {
      this.#options.collection = collection.map(idOf);
      this.#frame?.offerNeighbours(this.#neighbours());
    }

    /** Files as the API describes them: with `skipServerUpdate` they need not be asked for. */
    updateFileCache(files = []) {
      [files].flat().forEach((file) => this.#known.set(idOf(file), file));
    }

    /** Ends what is being shown and leaves the frame. */
    destroy() {
      this.#visit?.ends.abort();
      this.#visit?.viewer?.destroy();
      this.#visit = null;
    }

    /** Ends what is being shown and takes everything from the page. */
    hide() {
      this.destroy();
      this.#frame?.remove();
      this.#frame = null;
    }

    navigateLeft() {
      this.#goTo(this.#neighbours().left);
    }

    navigateRight() {
      this.#goTo(this.#neighbours().right);
    }

    /** Saves the file through a hidden frame, when the page offers it and Box allows it. */
    async download() {
      const [, { download }] = await modules;
      return this.#visit && download(this.#visit);
    }

    /** Can what is shown be printed, and may it? */
    canPrint() {
      return this.#visit?.mayPrint?.() ?? false;
    }

    /** Opens the print dialog, for the file fetched anew where it is a document. */
    async print() {
      const [, { print }] = await modules;
      return this.#visit && print(this.#visit);
    }

    resize() {
      this.#visit?.viewer?.resize();
    }

    getCurrentFile() {
      return this.#visit?.file ?? null;
    }

    getCurrentViewer() {
      return this.#visit?.viewer ?? null;
    }

    getCurrentCollection() {
      return this.#options.collection ?? [];
    }

    on(event, listener) {
      this.#listeners.push({ event, listener });
      return this;
    }

    addListener(event, listener) {
      return this.on(event, listener);
    }

    once(event, listener) {
      this.#listeners.push({ event, listener, once: true });
      return this;
    }

    removeListener(event, listener) {
      const at = this.#listeners.findLastIndex((one) => one.event === event && one.listener === listener);
      this.#listeners = this.#listeners.filter((_, index) => index !== at);
      return this;
    }

    removeAllListeners(event) {
      this.#listeners = event === undefined ? [] : this.#listeners.filter((one) => one.event !== event);
      return this;
    }

    emit(event, ...details) {
      const called = this.#listeners.filter((one) => one.event === event);
      this.#listeners = this.#listeners.filter((one) => !(one.once && called.includes(one)));
      called.forEach(({ listener }) => listener.apply(this, details));
      return called.length > 0;
    }

    async #open(wanted, skipServerUpdate = this.#options.skipServerUpdate === true) {
      this.destroy();
      const given = (skipServerUpdate && this.#known.get(idOf(wanted))) || wanted;
      const visit = { given, id: idOf(given), file: null, viewer: null, ends: new AbortController() };
      this.#visit = visit;
      const [{ Frame }, { start, mayPrint }] = await modules;
      if (visit.ends.signal.aborted) {
        return;
      }
      if (!this.#frame?.isIn(this.#container)) {
        this.#frame?.remove();
        this.#frame = new Frame(this.#container, this);
      }
      this.#frame.begin(this.#options, this.#neighbours());
      await start(Object.assign(visit, {
        place,
        options: { ...this.#options, skipServerUpdate },
        frame: this.#frame,
        mayPrint: () => mayPrint(visit),
        tokenSource: () => this.#token,
        emit: (event, detail) => this.emit(event, detail),
      }));
    }

    #neighbours() {
      const { collection = [] } = this.#options;
      const at = collection.indexOf(this.#visit?.id);
      return { left: at > 0 ? collection[at - 1] : null, right: (at >= 0 && collection[at + 1]) || null };
    }

    #goTo(id) {
      if (id) {
        this.#open(id);
        this.emit('navigate', id);
      }
    }
  }

  const idOf = (fileOrId) => String(fileOrId?.id ?? fileOrId);

  const containerOf = (container = document.body) =>
    typeof container === 'string' ? document.querySelector(container) : container;

  window.Box = Object.assign(window.Box ?? {}, { Preview });
})();
