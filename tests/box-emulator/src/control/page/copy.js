/** Buttons that put a value on the clipboard. */
import { button } from './dom.js';
import { say } from './say.js';

/** `what`: the value's name, as in “client id of Keyhole”. `value` is asked when the button is pressed. */
export function copyButton(what, value, words = 'Copy') {
  return button(words, () => copy(what, value()), { label: `Copy the ${what}`, kind: 'copy' });
}

async function copy(what, value) {
  try {
    await navigator.clipboard.writeText(value);
    say(`Copied the ${what}.`);
  } catch {
    // No permission, or a page that is not on this machine's own address.
    say(`The browser does not let this page copy. The ${what} is ${value}`);
  }
}
