/** Pictures: PNG and JPEG as Box converts them, SVG and GIF as they are. */

import { element, iconButton } from '../dom.js';
import { PreviewError } from '../errors.js';
import { printNode } from '../print.js';
import { BaseViewer } from './viewer.js';

const ZOOM_STEP = 1.25;
const ZOOM_MAX = 8;

export class Viewer extends BaseViewer {
  name = 'Image';
  /** 1 fits the picture into the stage. */
  #zoom = 1;
  #image = element('img', { class: 'bp-image-content', draggable: 'false' });
  #holder = element('div', { class: 'bp-image' }, this.#image);
  #address;

  async load() {
    const { data } = await this.content({ responseType: 'blob', code: 'error_load_asset' });
    // The host may call an SVG anything; only by its right name a browser draws it.
    const isSvg = this.file.extension === 'svg';
    this.#address = URL.createObjectURL(isSvg ? new Blob([data], { type: 'image/svg+xml' }) : data);
    this.#image.alt = this.file.name;
    this.#image.src = this.#address;
    await this.#image.decode().catch((cause) => {
      throw new PreviewError('error_load_asset', { cause });
    });
    this.#holder.classList.toggle('bp-image-scalable', isSvg);
    this.stage.append(this.scrolling(this.#holder), this.#controls());
  }

  key(key) {
    const act = { '+': () => this.#zoomBy(ZOOM_STEP), '-': () => this.#zoomBy(1 / ZOOM_STEP), 0: () => this.#zoomBy(0) }[key];
    act?.();
    return Boolean(act);
  }

  print() {
    return printNode(this.#image);
  }

  destroy() {
    URL.revokeObjectURL(this.#address);
    super.destroy();
  }

  #controls() {
    return element(
      'div', { class: 'bp-controls', role: 'toolbar', 'aria-label': 'Picture' },
      iconButton('minus', 'Zoom out', () => this.#zoomBy(1 / ZOOM_STEP)),
      iconButton('fit', 'Fit to the window', () => this.#zoomBy(0)),
      iconButton('plus', 'Zoom in', () => this.#zoomBy(ZOOM_STEP)),
    );
  }

  /** By 0: back to fitting. */
  #zoomBy(factor) {
    this.#zoom = Math.min(ZOOM_MAX, Math.max(1, factor === 0 ? 1 : this.#zoom * factor));
    this.#holder.classList.toggle('bp-is-zoomed', this.#zoom > 1);
    this.#image.style.width = this.#zoom > 1 ? `${this.#zoom * 100}%` : '';
  }
}
