/** What is around a file: name, download, neighbours, waiting, failure, and whose preview this is. */

import { element, icon, iconButton, styled } from './dom.js';
import { mayDownload } from './download.js';

const BADGE = 'Stand-in for Box Preview';

export class Frame {
  #container;
  #preview;
  #options = {};
  #root;
  #header;
  #name = element('span', { class: 'bp-name' });
  #download = element('span', { class: 'bp-downloads' });
  #body = element('div', { class: 'bp', role: 'region', 'aria-label': 'Preview' });
  #neighbours = element('div', { class: 'bp-neighbours' });
  #news = element('div', { class: 'bp-news', role: 'status', 'aria-live': 'polite' });
  #onKey = (event) => this.#key(event);

  constructor(container, preview) {
    this.#container = container;
    this.#preview = preview;
    styled(new URL('viewers.css', import.meta.url).href);
    const badge = () => element('span', { class: 'bp-badge', title: 'Drawn by the emulator, not by Box' }, BADGE);
    this.#header = element('header', { class: 'bp-header' }, this.#name, badge(), this.#download);
    const footer = element('footer', { class: 'bp-footer' }, badge());
    this.#root = element('div', { class: 'bp-container' }, this.#header, this.#body, this.#neighbours, footer, this.#news);
    this.#root.style.colorScheme = schemeOf(container);
    // Whatever is there goes: it may be the frame of a preview that was only destroyed.
    container.replaceChildren(this.#root);
    document.addEventListener('keydown', this.#onKey);
  }

  isIn(container) {
    return this.#root.parentNode === container;
  }

  remove() {
    document.removeEventListener('keydown', this.#onKey);
    this.#root.remove();
  }

  /** A new file: wait for it. */
  begin(options, neighbours) {
    this.#options = options;
    this.#root.classList.toggle('bp-without-header', options.header === 'none');
    this.#body.className = 'bp bp-loading';
    this.#body.setAttribute('aria-busy', 'true');
    this.#body.replaceChildren(element('div', { class: 'bp-spinner', 'aria-hidden': 'true' }));
    this.#name.textContent = '';
    this.#download.replaceChildren();
    this.offerNeighbours(neighbours);
    this.announce('Loading the preview');
  }

  /** The file is known. */
  name(file, download) {
    this.#name.textContent = file.name;
    this.#name.title = file.name;
    this.#body.setAttribute('aria-label', `Preview of ${file.name}`);
    if (mayDownload(file, this.#options)) {
      this.#download.replaceChildren(iconButton('download', 'Download', download, 'bp-btn-download'));
    }
  }

  /** An empty place for a viewer, beside the spinner until it has loaded. */
  stage(viewer, file) {
    const stage = element('div', { class: `bp-content bp-stage-${viewer}` });
    stage.classList.toggle('bp-is-guarded', !file.permissions.can_download);
    if (!file.permissions.can_download) {
      stage.addEventListener('contextmenu', (event) => event.preventDefault());
    }
    this.#body.append(stage);
    return stage;
  }

  loaded(file, print) {
    this.#settle('bp-loaded');
    if (print) {
      this.#download.append(iconButton('print', 'Print', print, 'bp-btn-print'));
    }
    this.announce(`${file.name} is shown`);
  }

  failed(error) {
    this.#settle('bp-failed');
    const again = element('button', { type: 'button', class: 'bp-btn-again' }, 'Try again');
    again.addEventListener('click', () => this.#preview.reload());
    this.#body.replaceChildren(element(
      'div', { class: 'bp-content bp-error', role: 'alert' },
      icon('warning'), element('h2', {}, error.displayMessage), element('code', {}, error.code),
      ...(error.isWorthAnotherTry ? [again] : []),
    ));
    this.announce('');
  }

  #settle(state) {
    this.#body.className = `bp ${state}`;
    this.#body.removeAttribute('aria-busy');
    this.#body.querySelector('.bp-spinner')?.remove();
  }

  offerNeighbours({ left, right }) {
    const arrow = (side, label, go) => iconButton(side, label, go, `bp-navigate bp-navigate-${side}`);
    this.#neighbours.replaceChildren(
      ...(left ? [arrow('left', 'Previous file', () => this.#preview.navigateLeft())] : []),
      ...(right ? [arrow('right', 'Next file', () => this.#preview.navigateRight())] : []),
    );
  }

  announce(words) {
    this.#news.textContent = words;
  }

  /** Keys belong to the viewer first, then to the collection; never while somebody writes elsewhere. */
  #key(event) {
    const isHere = event.target === document.body || this.#root.contains(event.target);
    const isWriting = event.target.closest?.('input, textarea, select, [contenteditable]');
    if (this.#options.useHotkeys === false || !isHere || isWriting || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (this.#preview.getCurrentViewer()?.key(event.key)) {
      event.preventDefault();
    } else if (event.key === 'ArrowLeft') {
      this.#preview.navigateLeft();
    } else if (event.key === 'ArrowRight') {
      this.#preview.navigateRight();
    }
  }
}

/** Light or dark as the page around says, and as the reader prefers where it says nothing. */
function schemeOf(container) {
  const said = getComputedStyle(container).colorScheme;
  return said && said !== 'normal' ? said : 'light dark';
}
