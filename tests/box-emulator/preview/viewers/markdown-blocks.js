/** Blocks of Markdown: headings, paragraphs, lists, quotes, code, tables, rules. HTML stays text. */

import { element } from '../dom.js';
import { inline } from './markdown-inline.js';

const FENCE = /^ {0,3}(`{3,}|~{3,})/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(\s+)(.*)$/;
const QUOTE = /^ {0,3}> ?/;
const RULE = /^ {0,3}([-*_])(\s*\1){2,}\s*$/;
const TABLE_LINE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** Nodes for a text, or for its lines. */
export function blocks(text) {
  const lines = Array.isArray(text) ? text : text.replaceAll('\r\n', '\n').split('\n');
  const nodes = [];
  for (let at = 0; at < lines.length; ) {
    const [node, next] = block(lines, at);
    if (node) {
      nodes.push(node);
    }
    at = next;
  }
  return nodes;
}

/** The block that begins at a line, and where the next one begins. */
function block(lines, at) {
  const line = lines[at];
  if (line.trim() === '') {
    return [null, at + 1];
  }
  if (RULE.test(line)) {
    return [element('hr'), at + 1];
  }
  const heading = HEADING.exec(line);
  if (heading) {
    return [element(`h${heading[1].length}`, {}, ...inline(heading[2])), at + 1];
  }
  if (FENCE.test(line)) {
    return code(lines, at);
  }
  if (QUOTE.test(line)) {
    const end = endOf(lines, at, (one) => QUOTE.test(one));
    const inner = lines.slice(at, end).map((one) => one.replace(QUOTE, ''));
    return [element('blockquote', {}, ...blocks(inner)), end];
  }
  if (ITEM.test(line)) {
    return list(lines, at);
  }
  if (isTable(lines, at)) {
    return table(lines, at);
  }
  return paragraph(lines, at);
}

function endOf(lines, at, belongs) {
  let end = at;
  while (end < lines.length && belongs(lines[end])) {
    end += 1;
  }
  return end;
}

function code(lines, at) {
  const [, fence] = FENCE.exec(lines[at]);
  const end = endOf(lines, at + 1, (one) => !one.trim().startsWith(fence));
  return [element('pre', {}, element('code', {}, lines.slice(at + 1, end).join('\n'))), end + 1];
}

function paragraph(lines, at) {
  const interrupts = (one, index) =>
    one.trim() === '' || (index > at && [HEADING, FENCE, QUOTE, RULE, ITEM].some((start) => start.test(one)));
  let end = at;
  while (end < lines.length && !interrupts(lines[end], end)) {
    end += 1;
  }
  return [element('p', {}, ...inline(lines.slice(at, end).map((one) => one.trimStart()).join('\n').trimEnd())), end];
}

/** Items of one kind; what is indented below an item is its own text. */
function list(lines, at) {
  const isOrdered = /\d/.test(ITEM.exec(lines[at])[2]);
  const items = [];
  let end = at;
  for (;;) {
    const item = ITEM.exec(lines[end] ?? '');
    if (!item || /\d/.test(item[2]) !== isOrdered || RULE.test(lines[end])) {
      break;
    }
    const indent = item[1].length + item[2].length + Math.min(item[3].length, 4);
    const isOwn = (one) => one.trim() === '' || one.startsWith(' '.repeat(indent));
    const next = endOf(lines, end + 1, isOwn);
    items.push(listItem([item[4], ...lines.slice(end + 1, next).map((one) => one.slice(indent))]));
    end = next;
  }
  return [element(isOrdered ? 'ol' : 'ul', {}, ...items), end];
}

function listItem(lines) {
  const task = /^\[([ xX])\]\s+/.exec(lines[0]);
  const nodes = blocks(task ? [lines[0].slice(task[0].length), ...lines.slice(1)] : lines);
  // A lone paragraph needs no space around it.
  const tight = nodes[0]?.tagName === 'P' ? [...nodes[0].childNodes, ...nodes.slice(1)] : nodes;
  if (!task) {
    return element('li', {}, ...tight);
  }
  const box = element('input', { type: 'checkbox', disabled: '', checked: task[1] === ' ' ? undefined : '', 'aria-label': 'done' });
  return element('li', { class: 'bp-task' }, box, ' ', ...tight);
}

const isTable = (lines, at) =>
  lines[at].includes('|') && (lines[at + 1]?.includes('|') ?? false) && TABLE_LINE.test(lines[at + 1]);

function table(lines, at) {
  const end = endOf(lines, at, (one) => one.includes('|'));
  const sides = cells(lines[at + 1]).map((mark) => (mark.endsWith(':') ? (mark.startsWith(':') ? 'center' : 'right') : 'left'));
  const row = (line, tag) => element('tr', {}, ...sides.map((side, column) =>
    element(tag, { class: `bp-align-${side}` }, ...inline(cells(line)[column] ?? ''))));
  const body = lines.slice(at + 2, end).map((line) => row(line, 'td'));
  return [element('table', {}, element('thead', {}, row(lines[at], 'th')), element('tbody', {}, ...body)), end];
}

const cells = (line) => line.trim().replace(/^\||(?<!\\)\|$/g, '').split(/(?<!\\)\|/).map((one) => one.trim().replaceAll('\\|', '|'));
