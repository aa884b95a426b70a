/** What films have in common, however they come: the element, its keys, and what becomes of a token that has ended. */

import { element } from '../dom.js';
import { PreviewError } from '../errors.js';
import { BaseViewer } from './viewer.js';

/** So often in a row the page is asked for another token. */
const REFUSALS_MAX = 3;
const SKIP_SECONDS = 5;

export class MediaViewer extends BaseViewer {
  media = element('video', { class: 'bp-media-content', controls: '', controlslist: 'nodownload', playsinline: '', preload: 'auto' });
  #gone = new AbortController();
  #refusals = 0;

  /** Ends what is on its way for this viewer. */
  get ends() {
    return AbortSignal.any([this.signal, this.#gone.signal]);
  }

  /** Settles when the first picture can be shown. */
  async show(address) {
    this.media.setAttribute('aria-label', this.file.name);
    const known = new Promise((settle, fail) => {
      this.media.addEventListener('loadeddata', settle, { once: true });
      this.media.addEventListener('error', () => fail(this.#failure()), { once: true });
    });
    this.media.src = address;
    this.stage.append(element('div', { class: 'bp-media' }, element('div', { class: 'bp-media-container' }, this.media)));
    await known;
    this.media.addEventListener('error', () => this.trouble(this.#failure()), { signal: this.ends });
  }

  #failure() {
    const { code, message } = this.media.error ?? {};
    return new PreviewError('error_load_media', { details: { error_code: code, error_message: message } });
  }

  /** Box took what this token was brought for. */
  accepted() {
    this.#refusals = 0;
  }

  /**
   * Box refused the token: the page's token function is asked for another, three times in a row at most.
   *
   * @throws {PreviewError} a silent one, as in Box's library: it is an event, and nothing is said on the screen
   */
  async renewToken() {
    try {
      if (this.#refusals >= REFUSALS_MAX) {
        throw new Error('Reached the limit of tokens that were refused.');
      }
      this.#refusals += 1;
      this.token = await this.refreshToken();
    } catch (cause) {
      throw new PreviewError('error_token_function_not_valid', { details: { silent: true }, cause });
    }
  }

  key(key) {
    const skip = (seconds) => (this.media.currentTime += seconds);
    const act = {
      ' ': () => this.#toggle(),
      k: () => this.#toggle(),
      ArrowLeft: () => skip(-SKIP_SECONDS),
      ArrowRight: () => skip(SKIP_SECONDS),
      0: () => (this.media.currentTime = 0),
      m: () => (this.media.muted = !this.media.muted),
    }[key];
    // While it has the focus the element itself does something with most of these.
    const isTaken = act && !this.media.matches(':focus');
    if (isTaken) {
      act();
    }
    return Boolean(isTaken);
  }

  destroy() {
    this.#gone.abort();
    URL.revokeObjectURL(this.media.src);
    this.media.removeAttribute('src');
    this.media.load();
    super.destroy();
  }

  #toggle() {
    if (this.media.paused) {
      this.media.play().catch((failure) => failure.name === 'AbortError' || this.trouble(PreviewError.from(failure)));
    } else {
      this.media.pause();
    }
  }
}
