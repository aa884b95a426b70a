/** What all viewers share. */

import { PreviewError } from '../errors.js';

export class BaseViewer {
  #isLoaded = false;
  #isDestroyed = false;

  /**
   * `parts`: the `file` and its `token`, the `url` of what to show, `requests` to fetch it with, the
   * page's `options`, the library's `place`, a `stage` to draw on, and a `signal` that ends it all; `refreshToken`
   * promises another token, and `trouble` takes what fails after loading.
   */
  constructor(parts) {
    Object.assign(this, parts);
  }

  /** Settles when the file is on the screen. */
  async load() {}

  /** It has settled well. */
  loaded() {
    this.#isLoaded = true;
  }

  isLoaded() {
    return this.#isLoaded;
  }

  isDestroyed() {
    return this.#isDestroyed;
  }

  /** Whether a page may draw arrows over it. */
  allowNavigationArrows() {
    return true;
  }

  /** Does something with a key; answers whether it did. */
  key() {
    return false;
  }

  /** The same, for a page that has the keys itself (`useHotkeys: false`). */
  onKeydown(key) {
    return this.key(key);
  }

  resize() {}

  destroy() {
    this.#isDestroyed = true;
    this.stage.remove();
  }

  /** Makes a part that scrolls reachable by keyboard, under the file's name. */
  scrolling(node) {
    Object.entries({ tabindex: '0', role: 'group', 'aria-label': this.file.name }).forEach((pair) => node.setAttribute(...pair));
    return node;
  }

  /** The content, in a second try with the same token where `tries` is 2. */
  async content({ responseType, headers = {}, tries = 1, code }) {
    const request = { url: this.url, responseType, headers: { ...this.requests.contentHeaders(this.token), ...headers } };
    for (let left = tries; ; left -= 1) {
      try {
        const response = await this.requests.send(request);
        if (response.status === 202) {
          throw new PreviewError('error_deleted_reps');
        }
        return response;
      } catch (failure) {
        if (left <= 1 || failure instanceof PreviewError) {
          throw PreviewError.from(failure, code);
        }
      }
    }
  }

  /** The content as text: of a long file its beginning, and then `isCut`. */
  async text() {
    const isLong = this.file.size > TEXT_BYTES_MAX;
    const headers = isLong ? { Range: `bytes=0-${TEXT_BYTES_MAX}` } : {};
    const { data } = await this.content({ responseType: 'text', headers, tries: 2, code: 'error_content_download' });
    return { text: data, isCut: isLong };
  }
}

/** 192 KiB: as much text as is fetched of a longer file. */
const TEXT_BYTES_MAX = 196_608;
