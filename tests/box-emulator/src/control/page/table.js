/** Tables that are filled again and again: a row stays the same node, so what has the focus keeps it. */
import { element } from './dom.js';

export class Table {
  #rows = new Map();
  #body;
  #whole;

  /**
   * `columns`: `{ name, show(item) → text or node, is: 'head'?, className?, labelled? }`. A node is made again only
   * when `changes(item)`, or the whole item when there is none, is another than before.
   * `place`: emptied and filled; `rowClass(item)`: of a row.
   */
  constructor(place, { caption, columns, key, rowClass = () => '', className = '' }) {
    Object.assign(this, { columns, key, rowClass });
    // The roles stand here because a style that makes cards of rows would take them away.
    const head = columns.map(({ name, unseen }) =>
      element('th', { scope: 'col', role: 'columnheader' }, unseen ? element('span', { class: 'unseen' }, name) : name));
    this.#body = element('tbody', { role: 'rowgroup' });
    const table = element('table', { role: 'table', class: className }, element('caption', {}, caption),
      element('thead', { role: 'rowgroup' }, element('tr', { role: 'row' }, ...head)), this.#body);
    this.#whole = element('div', { class: 'scroll', hidden: true }, table);
    place.replaceChildren(this.#whole);
  }

  /** These items, in this order, and no other. */
  show(items) {
    const wanted = new Set(items.map(this.key));
    for (const [key, row] of this.#rows) {
      if (!wanted.has(key)) {
        row.node.remove();
        this.#rows.delete(key);
      }
    }
    let at = this.#body.firstChild;
    for (const item of items) {
      const row = this.#row(item);
      if (row.node === at) {
        at = at.nextSibling;
      } else {
        this.#body.insertBefore(row.node, at);
      }
    }
    this.#whole.hidden = items.length === 0;
  }

  /** The focus goes to `act` in the row after the one that is about to leave, or before it, or to `otherwise`. */
  leave(item, act, otherwise) {
    const row = this.#rows.get(this.key(item))?.node;
    const beside = row?.nextElementSibling ?? row?.previousElementSibling;
    (beside?.querySelector(`[data-act="${act}"]`) ?? otherwise).focus();
  }

  #row(item) {
    const key = this.key(item);
    const known = this.#rows.get(key);
    if (known) {
      known.item = item;
      this.#fill(known);
      return known;
    }
    const node = element('tr', { role: 'row' });
    const cells = this.columns.map(({ is, className, labelled, name }) => {
      const attributes = { class: [className, labelled && 'labelled'].filter(Boolean).join(' ') || undefined, 'data-label': labelled && name };
      return is === 'head'
        ? element('th', { scope: 'row', role: 'rowheader', ...attributes })
        : element('td', { role: 'cell', ...attributes });
    });
    node.append(...cells);
    const row = { node, item, cells, shown: [] };
    this.#rows.set(key, row);
    this.#fill(row);
    return row;
  }

  #fill(row) {
    row.node.className = this.rowClass(row.item);
    this.columns.forEach(({ show, changes }, index) => {
      const cell = row.cells[index];
      const stamp = JSON.stringify(changes ? changes(row.item) : row.item);
      if (row.shown[index] !== stamp) {
        const made = show(row.item, () => row.item);
        row.shown[index] = stamp;
        if (made instanceof Node || cell.textContent !== made) {
          cell.replaceChildren(made);
        }
      }
    });
  }
}
