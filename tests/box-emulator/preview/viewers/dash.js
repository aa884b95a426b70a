/**
 * A film in pieces (MPEG-DASH, ISO/IEC 23009-1), which the browser's own media source puts together.
 *
 * In Box's library this is shaka-player's work. It fetches by `fetch`, with the header of the viewer's token: no
 * interceptor sees it.
 */

import { PreviewError } from '../errors.js';
import { pause } from '../retry.js';
import { MediaViewer } from './media.js';

/** So far ahead of the picture is fetched. */
const AHEAD_SECONDS_MAX = 60;
/** A piece that does not come is tried again, each time after twice the wait, half of it by chance. */
const TRIES_MAX = 100;
const FIRST_WAIT_MILLISECONDS = 500;

/** Taken when this module comes, as shaka-player takes it: whoever replaces `fetch` later is not asked. */
const { fetch } = window;

export class Viewer extends MediaViewer {
  name = 'Dash';
  #source = new MediaSource();
  #buffer;

  async load() {
    const film = readManifest(await (await this.#get(this.url)).text(), this.url);
    const isOpen = new Promise((settle) => this.#source.addEventListener('sourceopen', settle, { once: true }));
    const shown = this.show(URL.createObjectURL(this.#source));
    // Where the page's policy keeps it out, it never opens, and only the element tells.
    await Promise.race([isOpen, shown]);
    this.#buffer = this.#source.addSourceBuffer(film.type);
    this.#source.duration = film.seconds;
    const all = this.#fill(film);
    // What fails before there is a picture is the end of loading; after it, trouble.
    await Promise.race([shown, all.then(() => shown)]);
    all.catch((failure) => this.ends.aborted || this.trouble(PreviewError.from(failure, 'error_shaka')));
  }

  /** From the first piece to the last. A jump waits until the pieces in between have come. */
  async #fill({ address, start, pieces }) {
    for (const range of [start, ...pieces]) {
      await this.#untilNeeded();
      const answer = await this.#get(address, { Range: `bytes=${range}` });
      await this.#append(await answer.arrayBuffer());
    }
    this.#source.endOfStream();
  }

  async #get(address, headers = {}) {
    for (let tries = 1; ; tries += 1) {
      const asked = { headers: { ...this.requests.contentHeaders(this.token), ...headers }, signal: this.ends };
      const answer = await fetch(this.requests.contentUrl(address), asked).catch((failure) => ({ failure }));
      this.ends.throwIfAborted();
      if (answer.ok) {
        this.accepted();
        return answer;
      }
      if (answer.status === 401) {
        await this.renewToken();
      } else if (answer.status === 403 || tries === TRIES_MAX) {
        throw new PreviewError('error_shaka', { details: { status: answer.status }, cause: answer.failure });
      } else {
        await pause(FIRST_WAIT_MILLISECONDS * 2 ** (tries - 1) * (0.5 + Math.random()), this.ends);
      }
    }
  }

  #append(bytes) {
    return new Promise((settle, fail) => {
      this.#buffer.addEventListener('updateend', settle, { once: true });
      this.#buffer.addEventListener('error', () => fail(new PreviewError('error_load_media')), { once: true });
      this.#buffer.appendBuffer(bytes);
    });
  }

  async #untilNeeded() {
    const ahead = () => (this.#buffer.buffered.length ? this.#buffer.buffered.end(0) - this.media.currentTime : 0);
    while (ahead() >= AHEAD_SECONDS_MAX) {
      await new Promise((settle) => this.media.addEventListener('timeupdate', settle, { once: true, signal: this.ends }));
    }
  }
}

/** Of a manifest what one track in one period needs: where its pieces are, as ranges of one address. */
function readManifest(text, place) {
  const manifest = new DOMParser().parseFromString(text, 'application/xml');
  const first = (name) => manifest.querySelector(name);
  const seconds = /^PT([\d.]+)S$/.exec(first('MPD')?.getAttribute('mediaPresentationDuration'));
  const pieces = [...manifest.querySelectorAll('SegmentURL')].map((piece) => piece.getAttribute('mediaRange'));
  const start = first('Initialization')?.getAttribute('range');
  if (!seconds || !start || pieces.length === 0) {
    throw new PreviewError('error_shaka', { details: { manifest: 'unreadable' } });
  }
  return {
    type: `${first('AdaptationSet').getAttribute('mimeType')}; codecs="${first('Representation').getAttribute('codecs')}"`,
    seconds: Number(seconds[1]),
    address: new URL(first('BaseURL').textContent, place).href,
    start,
    pieces,
  };
}
