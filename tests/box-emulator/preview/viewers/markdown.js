/** Markdown, drawn as nodes: no markup of the file's ever becomes markup of the page. */

import { element } from '../dom.js';
import { blocks } from './markdown-blocks.js';
import { cutNote } from './text.js';
import { BaseViewer } from './viewer.js';

export class Viewer extends BaseViewer {
  name = 'Markdown';

  async load() {
    const { text, isCut } = await this.text();
    this.scrolling(this.stage).append(element('article', { class: 'bp-markdown' }, ...blocks(text)));
    if (isCut) {
      this.stage.append(cutNote());
    }
  }
}
