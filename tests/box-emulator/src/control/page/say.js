/** What was done, for those who see it and those who hear it. */
import { byId } from './dom.js';

const SHOWN_MS = 6000;
let hiding = 0;

export function say(words) {
  clearTimeout(hiding);
  byId('said').textContent = words;
  hiding = setTimeout(() => byId('said').replaceChildren(), SHOWN_MS);
}
