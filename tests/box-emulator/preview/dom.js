/** Building the page node by node: a file's content is only ever text, never markup. */

const SVG = 'http://www.w3.org/2000/svg';

/** An element with attributes and children. No `style` attribute: a strict policy forbids those. */
export function element(name, attributes = {}, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function filled(node, attributes, children) {
  Object.entries(attributes).forEach(([key, value]) => value !== undefined && node.setAttribute(key, value));
  node.append(...children);
  return node;
}

const ICONS = {
  close: 'M6 6l12 12M18 6L6 18',
  download: 'M12 4v11m-5-4l5 5 5-5M5 20h14',
  fit: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  left: 'M15 5l-7 7 7 7',
  minus: 'M6 12h12',
  plus: 'M12 6v12M6 12h12',
  print: 'M7 9V4h10v5M7 17H4V9h16v8h-3M7 14h10v6H7z',
  right: 'M9 5l7 7-7 7',
  warning: 'M12 4L2.8 20h18.4zM12 10v5M12 17.6v.2',
};

export function icon(name) {
  const line = filled(document.createElementNS(SVG, 'path'), { d: ICONS[name] }, []);
  const attributes = { viewBox: '0 0 24 24', class: 'bp-icon', 'aria-hidden': 'true' };
  return filled(document.createElementNS(SVG, 'svg'), attributes, [line]);
}

/** A button that shows an icon and says its name. */
export function iconButton(name, label, act, className = '') {
  const button = element('button', { type: 'button', class: `bp-btn ${className}`, title: label, 'aria-label': label }, icon(name));
  button.addEventListener('click', act);
  return button;
}

/** Adds a stylesheet from beside the modules, once. */
export function styled(href) {
  if (![...document.styleSheets].some((sheet) => sheet.href === href) && !document.querySelector(`link[href="${href}"]`)) {
    document.head.append(element('link', { rel: 'stylesheet', href }));
  }
}
