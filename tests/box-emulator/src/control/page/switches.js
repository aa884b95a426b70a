/** Switches: how this Box behaves. */
import { get, post } from './api.js';
import { byId, element } from './dom.js';
import { onSubmit } from './form.js';
import { say } from './say.js';

export class Switches {
  isLive = true;
  #switches = new Map();

  constructor() {
    onSubmit(byId('switch-form'), () => this.#save());
  }

  async refresh() {
    const { switches } = await get('settings');
    this.#show(switches);
  }

  /** A field that somebody has changed and not saved stays as it is. */
  #show(switches) {
    if (this.#switches.size !== switches.length) {
      this.#switches.clear();
      byId('switch-list').replaceChildren(...switches.map((one) => this.#row(one)));
    }
    for (const { name, value } of switches) {
      const row = this.#switches.get(name);
      if (row && JSON.stringify(row.read()) === JSON.stringify(row.saved)) {
        row.write(value);
        row.saved = row.read();
      }
    }
  }

  #row({ name, value, values, about, source }) {
    const id = `switch-${name}`;
    const field = values
      ? element('select', { id }, ...values.map((one) => element('option', { value: JSON.stringify(one) }, String(one))))
      : element('input', { id, type: typeof value === 'string' ? 'text' : 'number', autocomplete: 'off', placeholder: 'null' });
    const write = (value) => (field.value = values ? JSON.stringify(value) : (value ?? ''));
    const read = () => {
      if (values || field.value === '') {
        return values ? JSON.parse(field.value) : null;
      }
      return field.type === 'number' ? Number(field.value) : field.value;
    };
    write(value);
    field.setAttribute('aria-describedby', `${id}-about`);
    this.#switches.set(name, { read, write, saved: read() });
    return element('div', { class: 'switch' },
      element('div', {}, element('label', { for: id }, element('code', {}, name)),
        element('p', { id: `${id}-about` }, ...withCode(about), element('small', {}, source ?? ''))),
      field);
  }

  async #save() {
    const changed = [...this.#switches].filter(([, { read, saved }]) => JSON.stringify(read()) !== JSON.stringify(saved));
    if (changed.length === 0) {
      say('No switch was changed.');
      return;
    }
    await post('settings', Object.fromEntries(changed.map(([name, { read }]) => [name, read()])));
    changed.forEach(([, row]) => (row.saved = row.read()));
    await this.refresh();
    say(changed.length === 1 ? `Saved ${changed[0][0]}.` : `Saved ${changed.length} switches.`);
  }
}

/** What stands between backticks is code. */
const withCode = (text) => text.split('`').map((part, index) => (index % 2 ? element('code', {}, part) : part));
