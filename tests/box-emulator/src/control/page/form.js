/** Forms: what was refused stands in the form, and what was typed stays. */
import { byId, element } from './dom.js';

/** Runs `act(values, form)` on each submit; what it throws is told in the form. */
export function onSubmit(form, act) {
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    during(form, form.querySelector('[type=submit]'), () => act(Object.fromEntries(new FormData(form)), form));
  });
}

/** Runs `act` once at a time, with `pressed` marked as busy, and tells a refusal in `place`. */
export async function during(place, pressed, act) {
  if (pressed.getAttribute('aria-disabled') === 'true') {
    return;
  }
  pressed.setAttribute('aria-disabled', 'true');
  forgive(place);
  try {
    await act();
  } catch (fault) {
    refuse(place, pressed, fault.message);
  } finally {
    pressed.removeAttribute('aria-disabled');
  }
}

/** Takes back what was told in `place`. */
export function forgive(place) {
  place.querySelectorAll('.error').forEach((told) => told.remove());
}

function refuse(place, pressed, words) {
  const told = element('p', { class: 'error', role: 'alert' }, words);
  const beside = pressed.closest('.fields, .actions, .buttons');
  if (beside && place.contains(beside)) {
    beside.before(told);
  } else {
    place.append(told);
  }
}

/** Asks before something is lost, and then does it as `during` does. */
export async function afterAsking({ title, text, yes }, place, pressed, act) {
  if (await confirmed(title, text, yes)) {
    await during(place, pressed, act);
  }
}

/** Whether a person says yes, which is the words of the button. */
export function confirmed(title, text, yes) {
  const dialog = byId('confirm');
  byId('confirm-title').textContent = title;
  byId('confirm-text').textContent = text;
  byId('confirm-yes').textContent = yes;
  dialog.returnValue = 'no';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

/** Puts `options` of `{ value, words }` into a `select` and keeps what was chosen. */
export function offer(select, options) {
  const written = JSON.stringify(options);
  if (select.dataset.written === written) {
    return;
  }
  const chosen = select.value;
  select.replaceChildren(...options.map(({ value, words }) => element('option', { value }, words)));
  select.dataset.written = written;
  if (options.some(({ value }) => value === chosen)) {
    select.value = chosen;
  }
}

/** The lines of a text area that are not empty. */
export const lines = (text) => text.split('\n').map((line) => line.trim()).filter(Boolean);

/** Dialogs close by their own buttons; the browser gives the focus back. */
export function closable(dialog) {
  dialog.querySelectorAll('[data-close]').forEach((node) => node.addEventListener('click', () => dialog.close()));
}
