/** Markdown inside a line: code, emphasis, links. */

import { element } from '../dom.js';

/** In the order in which they are looked for at each place. */
const MARKS = [
  { pattern: /\\([\\`*_{}[\]()#+\-.!|<>~])/y, node: ([, sign]) => sign },
  { pattern: /(`+)(.+?)(?<!`)\1(?!`)/ys, node: ([, , code]) => element('code', {}, code.replace(/^ (.*) $/s, '$1')) },
  { pattern: /!\[([^\]]*)\]\([^)\s]*\)/y, node: ([, words]) => element('span', { class: 'bp-picture' }, words) },
  { pattern: /\[([^\]]+)\]\(<?([^)\s>]*)>?(?:\s+"[^"]*")?\)/y, node: ([, words, address]) => link(inline(words), address) },
  { pattern: /<((?:https?:\/\/|mailto:)[^\s<>]+)>/y, node: ([, address]) => link([address], address) },
  { pattern: /\*\*\*(?=\S)(.+?)(?<=\S)\*\*\*/ys, node: ([, words]) => element('strong', {}, element('em', {}, ...inline(words))) },
  { pattern: /(\*\*|__)(?=\S)(.+?)(?<=\S)\1/ys, node: ([, , words]) => element('strong', {}, ...inline(words)) },
  { pattern: /\*(?=\S)(.+?)(?<=\S)\*(?!\*)/ys, node: ([, words]) => element('em', {}, ...inline(words)) },
  { pattern: /(?<!\w)_(?=\S)(.+?)(?<=\S)_(?!\w)/ys, node: ([, words]) => element('em', {}, ...inline(words)) },
  { pattern: /~~(?=\S)(.+?)(?<=\S)~~/ys, node: ([, words]) => element('del', {}, ...inline(words)) },
  { pattern: / {2,}\n/y, node: () => element('br') },
];

/** Nodes and strings for a piece of text. */
export function inline(text) {
  const nodes = [];
  let plain = '';
  for (let at = 0; at < text.length; ) {
    const found = markAt(text, at);
    if (found) {
      nodes.push(plain, found.node);
      plain = '';
      at = found.end;
    } else {
      plain += text[at];
      at += 1;
    }
  }
  return [...nodes, plain].filter((node) => node !== '');
}

function markAt(text, at) {
  for (const { pattern, node } of MARKS) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) {
      return { end: at + match[0].length, node: node(match) };
    }
  }
  return null;
}

/** A link to elsewhere; one that leads into the account, or to a script, stays words. */
function link(words, address) {
  return /^(https?:\/\/|mailto:)/i.test(address)
    ? element('a', { href: address, target: '_blank', rel: 'noopener noreferrer' }, ...words)
    : element('span', { class: 'bp-link-inside' }, ...words);
}
