/** The print button: a document is fetched once more and printed from a window of its own, the rest as it is drawn. */

import { element } from './dom.js';
import { mayDownload } from './download.js';
import { PreviewError } from './errors.js';

export const mayPrint = ({ file, options, viewer }) => mayDownload(file, options) && Boolean(viewer?.print);

export async function print(visit) {
  if (!mayPrint(visit)) {
    return;
  }
  try {
    await visit.viewer.print();
  } catch (failure) {
    const error = PreviewError.from(failure, 'error_content_download');
    visit.frame.announce(`${error.displayMessage} Nothing was printed.`);
  }
}

/** A document, by what the browser itself shows it with. */
export function printDocument(address) {
  const beside = window.open(address);
  if (!beside) {
    throw new PreviewError('error_load_viewer', { words: 'The window for printing was blocked.' });
  }
  beside.addEventListener('load', () => beside.print());
}

/** What is drawn already, on a page of its own. */
export async function printNode(node) {
  document.getElementById('printiframe')?.remove();
  const frame = document.body.appendChild(element('iframe', { id: 'printiframe', hidden: '', title: 'Print' }));
  frame.contentDocument.body.append(frame.contentDocument.importNode(node, true));
  await Promise.all([...frame.contentDocument.images].map((image) => image.decode()));
  frame.contentWindow.focus();
  frame.contentWindow.print();
}
