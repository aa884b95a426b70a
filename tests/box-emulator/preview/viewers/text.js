/** Text and code, as they are. */

import { element } from '../dom.js';
import { printNode } from '../print.js';
import { BaseViewer } from './viewer.js';

const PROSE = ['txt', 'log'];

export class Viewer extends BaseViewer {
  name = 'Text';

  async load() {
    const { text, isCut } = await this.text();
    const kind = PROSE.includes(this.file.extension) ? 'bp-text-prose' : 'bp-text-code';
    this.scrolling(this.stage).append(element('pre', { class: `bp-text ${kind}` }, element('code', {}, text)));
    if (isCut) {
      this.stage.append(cutNote());
    }
  }

  print() {
    return printNode(this.stage.querySelector('.bp-text'));
  }
}

export const cutNote = () => element('p', { class: 'bp-note' }, 'The file goes on; only its beginning is shown.');
