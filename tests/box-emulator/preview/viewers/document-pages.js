/** The pages of a document, one below the other, drawn as they come into sight. */

import { element, iconButton } from '../dom.js';

/** CSS pixels in a PDF's point, at 100 %. */
const POINT = 96 / 72;
const FIT_SCALE_MAX = 1.25 * POINT;
const SCALE_LIMITS = [0.25 * POINT, 5 * POINT];
const ZOOM_STEP = 1.2;
const MARGIN_PIXELS = 32;

export class Pages {
  #pdfjs;
  #document;
  #signal;
  #scroller;
  #holder;
  #sheets = [];
  #scale = 0;
  #isFitted = true;
  #current = 1;
  #counter = element('input', { class: 'bp-page-number', inputmode: 'numeric' });
  #watch = new IntersectionObserver((entries) => entries.forEach((entry) => entry.isIntersecting && this.#draw(entry.target)), {
    rootMargin: '50% 0px',
  });
  #sizes = new ResizeObserver(() => this.fit());

  constructor(pdfjs, document, stage, signal) {
    this.#pdfjs = pdfjs;
    this.#document = document;
    this.#signal = signal;
    this.#scroller = stage.querySelector('.bp-doc');
    this.#holder = stage.querySelector('.pdfViewer');
    stage.append(this.#controls());
    this.#scroller.addEventListener('scroll', () => this.#see(), { passive: true });
  }

  /** All sheets, in the size of the first one until each is known, and the first one drawn. */
  async lay() {
    const first = await this.#document.getPage(1);
    const { width, height } = first.getViewport({ scale: 1 });
    this.#sheets = Array.from({ length: this.#document.numPages }, (_, index) => {
      const node = element('div', { class: 'page', 'data-page-number': index + 1, role: 'group', 'aria-label': `Page ${index + 1}` });
      return { node, number: index + 1, width, height, drawn: 0, task: null };
    });
    this.#holder.append(...this.#sheets.map(({ node }) => node));
    this.#scaleTo(this.#fitted());
    this.#sheets.forEach(({ node }) => this.#watch.observe(node));
    this.#sizes.observe(this.#scroller);
    this.#see();
    await this.#draw(this.#sheets[0].node);
  }

  end() {
    this.#watch.disconnect();
    this.#sizes.disconnect();
    this.#sheets.forEach(({ task }) => task?.cancel());
  }

  fit() {
    if (this.#isFitted && this.#sheets.length > 0 && Math.abs(this.#fitted() - this.#scale) > 0.01) {
      this.#scaleTo(this.#fitted());
    }
  }

  key(key) {
    const act = {
      ArrowLeft: () => this.#goTo(this.#current - 1),
      ArrowRight: () => this.#goTo(this.#current + 1),
      '[': () => this.#goTo(this.#current - 1),
      ']': () => this.#goTo(this.#current + 1),
      PageUp: () => this.#goTo(this.#current - 1),
      PageDown: () => this.#goTo(this.#current + 1),
      Home: () => this.#goTo(1),
      End: () => this.#goTo(this.#sheets.length),
      '+': () => this.#zoom(ZOOM_STEP),
      '-': () => this.#zoom(1 / ZOOM_STEP),
      0: () => this.#zoom(0),
    }[key];
    act?.();
    return Boolean(act);
  }

  #controls() {
    this.#counter.setAttribute('aria-label', `Page, of ${this.#document.numPages}`);
    this.#counter.addEventListener('change', () => this.#goTo(Number.parseInt(this.#counter.value, 10) || this.#current));
    return element(
      'div', { class: 'bp-controls', role: 'toolbar', 'aria-label': 'Document' },
      iconButton('left', 'Previous page', () => this.#goTo(this.#current - 1), 'bp-previous-page'),
      this.#counter,
      element('span', { class: 'bp-page-count' }, `of ${this.#document.numPages}`),
      iconButton('right', 'Next page', () => this.#goTo(this.#current + 1), 'bp-next-page'),
      iconButton('minus', 'Zoom out', () => this.#zoom(1 / ZOOM_STEP)),
      iconButton('fit', 'Fit to the width', () => this.#zoom(0)),
      iconButton('plus', 'Zoom in', () => this.#zoom(ZOOM_STEP)),
    );
  }

  #goTo(number) {
    const sheet = this.#sheets[Math.min(this.#sheets.length, Math.max(1, number)) - 1];
    if (sheet) {
      this.#scroller.scrollTop = sheet.node.offsetTop - MARGIN_PIXELS / 2;
      this.#show(sheet.number);
    }
  }

  /** The page that crosses the upper third of the window is the current one; at the end the last. */
  #see() {
    const { scrollTop, clientHeight, scrollHeight } = this.#scroller;
    const line = scrollTop + clientHeight / 3;
    const isAtEnd = scrollTop > 0 && scrollTop + clientHeight >= scrollHeight - 2;
    const seen = isAtEnd ? this.#sheets.at(-1) : this.#sheets.findLast(({ node }) => node.offsetTop <= line);
    this.#show(seen?.number ?? 1);
  }

  #show(number) {
    this.#current = number;
    if (document.activeElement !== this.#counter) {
      this.#counter.value = number;
    }
  }

  #fitted() {
    const [{ width }] = this.#sheets;
    return Math.min(FIT_SCALE_MAX, Math.max(SCALE_LIMITS[0], (this.#scroller.clientWidth - MARGIN_PIXELS) / width));
  }

  /** By 0: back to fitting the width. */
  #zoom(factor) {
    this.#isFitted = factor === 0;
    const [least, most] = SCALE_LIMITS;
    this.#scaleTo(this.#isFitted ? this.#fitted() : Math.min(most, Math.max(least, this.#scale * factor)));
  }

  /** New sizes at once, the place in the document kept; then what is in sight is drawn anew. */
  #scaleTo(scale) {
    const place = this.#scroller.scrollTop / Math.max(1, this.#scroller.scrollHeight);
    this.#scale = scale;
    this.#sheets.forEach((sheet) => this.#size(sheet));
    this.#scroller.scrollTop = place * this.#scroller.scrollHeight;
    this.#sheets.filter(({ drawn }) => drawn > 0).forEach(({ node }) => {
      this.#watch.unobserve(node);
      this.#watch.observe(node);
    });
  }

  #size({ node, width, height }) {
    node.style.width = `${Math.floor(width * this.#scale)}px`;
    node.style.height = `${Math.floor(height * this.#scale)}px`;
    node.style.setProperty('--scale-factor', this.#scale);
  }

  async #draw(node) {
    const sheet = this.#sheets[Number(node.dataset.pageNumber) - 1];
    const scale = this.#scale;
    if (sheet.drawn === scale) {
      return;
    }
    sheet.drawn = scale;
    sheet.task?.cancel();
    try {
      const page = await this.#document.getPage(sheet.number);
      Object.assign(sheet, sizeOf(page));
      this.#size(sheet);
      await this.#paint(sheet, page, scale);
    } catch (failure) {
      const isExpected = this.#signal.aborted || failure?.name === 'RenderingCancelledException';
      node.classList.toggle('bp-page-failed', !isExpected);
    }
  }

  async #paint(sheet, page, scale) {
    const viewport = page.getViewport({ scale });
    const density = Math.min(2, window.devicePixelRatio || 1);
    const canvas = element('canvas', { width: Math.floor(viewport.width * density), height: Math.floor(viewport.height * density) });
    const text = element('div', { class: 'textLayer' });
    sheet.task = page.render({ canvasContext: canvas.getContext('2d'), viewport, transform: [density, 0, 0, density, 0, 0] });
    await sheet.task.promise;
    await new this.#pdfjs.TextLayer({ textContentSource: page.streamTextContent(), container: text, viewport }).render();
    if (sheet.drawn === scale) {
      sheet.node.replaceChildren(canvas, text);
      sheet.node.dataset.loaded = 'true';
    }
  }
}

function sizeOf(page) {
  const { width, height } = page.getViewport({ scale: 1 });
  return { width, height };
}
