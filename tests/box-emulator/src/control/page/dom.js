/** Building the page node by node: what a name or an address holds is only ever text, never markup. */

/** An element with attributes and children. `false` and `undefined` leave an attribute out, `true` gives it empty. */
export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) {
      node.setAttribute(key, value === true ? '' : value);
    }
  }
  node.append(...children);
  return node;
}

/** A button that acts. `label`, when the words alone do not say on what. */
export function button(words, act, { label, className = 'small', kind } = {}) {
  const node = element('button', { type: 'button', class: className, 'aria-label': label, 'data-act': kind }, words);
  node.addEventListener('click', () => act(node));
  return node;
}

export const byId = (id) => document.getElementById(id);
