/** PDF, by pdf.js: found at run time, because it is not part of this stand-in. */

import { element } from '../dom.js';
import { PreviewError } from '../errors.js';
import { printDocument } from '../print.js';
import { Pages } from './document-pages.js';
import { BaseViewer } from './viewer.js';

/** Below 25 MiB a document is fetched in one piece. */
const RANGE_BYTES_MIN = 26_214_400;
const CHUNK_BYTES = { 'en-US': 1_048_576, other: 524_288 };

const HOW_TO_GET_PDFJS =
  'PDFs are drawn by pdf.js, which is not here: npm install fetches pdfjs-dist; ' +
  'start the emulator with --pdfjs node_modules/pdfjs-dist.';

export class Viewer extends BaseViewer {
  name = 'Document';
  #document;
  #pages;
  #printed;

  async load() {
    const pdfjs = await this.#pdfjs();
    this.#document = await this.#open(pdfjs).catch((failure) => {
      // The second and last try, with the same token.
      this.signal.throwIfAborted();
      return isHopeless(failure) ? Promise.reject(failure) : this.#open(pdfjs);
    }).catch((failure) => {
      throw asPreviewError(failure);
    });
    const viewerElement = element('div', { class: 'pdfViewer' });
    this.stage.append(this.scrolling(element('div', { class: 'bp-doc bp-doc-document' }, viewerElement)));
    this.#pages = new Pages(pdfjs, this.#document, this.stage, this.signal);
    await this.#pages.lay();
  }

  key(key) {
    return this.#pages?.key(key) ?? false;
  }

  /** The whole document, fetched for the first print and kept for the next ones. The token is that of the load. */
  async print() {
    if (!this.#printed) {
      const { data } = await this.content({ responseType: 'blob', code: 'error_content_download' });
      this.#printed = URL.createObjectURL(data);
    }
    printDocument(this.#printed);
  }

  resize() {
    this.#pages?.fit();
  }

  destroy() {
    URL.revokeObjectURL(this.#printed);
    this.#pages?.end();
    this.#document?.loadingTask.destroy();
    super.destroy();
  }

  async #pdfjs() {
    const build = `${this.place.base}third-party/pdfjs/build/`;
    try {
      const pdfjs = await import(`${build}pdf.min.mjs`);
      // From another origin pdf.js itself wraps the worker in a Blob that imports it.
      pdfjs.GlobalWorkerOptions.workerSrc = `${build}pdf.worker.min.mjs`;
      return pdfjs;
    } catch (cause) {
      throw new PreviewError('error_load_viewer', { words: HOW_TO_GET_PDFJS, details: { missing: build }, cause });
    }
  }

  /**
   * In ranges when the file is large or the page says so. pdf.js fetches by itself, with the headers it
   * is given here: no interceptor sees it, and a token that ends later is not replaced.
   */
  #open(pdfjs) {
    const { rangeMinSize = RANGE_BYTES_MIN, rangeChunkSize, disableStream = true } = this.options.viewers?.Document ?? {};
    const disableRange = this.file.size < rangeMinSize;
    return pdfjs.getDocument({
      url: this.url,
      httpHeaders: this.requests.contentHeaders(this.token),
      disableRange,
      disableStream: disableRange || disableStream,
      rangeChunkSize: rangeChunkSize ?? CHUNK_BYTES[this.place.locale] ?? CHUNK_BYTES.other,
      cMapUrl: `${this.place.base}third-party/pdfjs/cmaps/`,
      cMapPacked: true,
      isEvalSupported: false,
    }).promise;
  }
}

const CODES = {
  InvalidPDFException: 'error_load_document',
  PasswordException: 'error_password_protected',
};

const isHopeless = (failure) => failure?.name in CODES;

function asPreviewError(failure) {
  const details = { name: failure?.name, status: failure?.status };
  // pdf.js names the whole address in its message; a status says enough.
  return new PreviewError(CODES[failure?.name] ?? 'error_content_download', { details });
}
