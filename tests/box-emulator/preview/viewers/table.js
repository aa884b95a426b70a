/** Comma separated values, as a table. */

import { element } from '../dom.js';
import { BaseViewer } from './viewer.js';

/** So many rows a browser draws at once without a pause. */
const ROWS_MAX = 2000;

export class Viewer extends BaseViewer {
  name = 'CSV';

  async load() {
    const { data } = await this.content({ responseType: 'text', tries: 2, code: 'error_load_csv' });
    const [head = [], ...rows] = parse(data, separatorOf(data, this.file.extension));
    const isNumeric = head.map((_, column) => rows.length > 0 && rows.every((row) => /^[-+\d.,: ]*$/.test(row[column] ?? '')));
    const cells = (row, tag) => row.map((text, column) => element(tag, { class: isNumeric[column] ? 'bp-number' : undefined }, text));
    const body = rows.slice(0, ROWS_MAX).map((row) => element('tr', {}, ...cells(row, 'td')));
    this.stage.append(this.scrolling(element(
      'div', { class: 'bp-table' },
      element('table', {}, element('thead', {}, element('tr', {}, ...cells(head, 'th'))), element('tbody', {}, ...body)),
      ...(rows.length > ROWS_MAX ? [element('p', { class: 'bp-note' }, `Only the first ${ROWS_MAX} rows are shown.`)] : []),
    )));
  }
}

/** Whichever of the three is most frequent in the first line. */
function separatorOf(text, extension) {
  const line = text.slice(0, text.indexOf('\n') + 1);
  const count = (separator) => line.split(separator).length;
  return extension === 'tsv' ? '\t' : [',', ';', '\t'].reduce((best, one) => (count(one) > count(best) ? one : best));
}

/** Rows of cells (RFC 4180): a quoted cell may hold separators, line ends and doubled quotes. */
export function parse(text, separator) {
  const rows = [[]];
  let cell = '';
  let isQuoted = false;
  const endCell = () => {
    rows.at(-1).push(cell);
    cell = '';
  };
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at];
    if (isQuoted && sign === '"' && text[at + 1] === '"') {
      cell += '"';
      at += 1;
    } else if (sign === '"' && (isQuoted || cell === '')) {
      isQuoted = !isQuoted;
    } else if (isQuoted || (sign !== separator && sign !== '\n' && sign !== '\r')) {
      cell += sign;
    } else if (sign !== '\r') {
      endCell();
      if (sign === '\n') {
        rows.push([]);
      }
    }
  }
  endCell();
  return rows.filter((row) => row.length > 1 || row[0] !== '');
}
