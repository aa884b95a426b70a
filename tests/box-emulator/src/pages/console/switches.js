/** Switches, faults and time: making this Box behave. */
import { get, post, remove } from './api.js';
import { byId, element } from './dom.js';
import { confirmed, onSubmit } from './form.js';
import { say } from './say.js';
import { Table } from './table.js';
import { dayAndClock } from './words.js';

export class Switches {
  isLive = true;
  #switches = new Map();
  #faults = new Table(byId('fault-table'), {
    caption: 'Faults that wait for a call',
    key: ({ at }) => at,
    columns: [
      { name: 'Waits for', is: 'head', show: (fault) => waitsFor(fault) },
      { name: 'Then', show: (fault) => then(fault) },
      { name: 'Calls left', labelled: true, className: 'number', show: ({ count }) => String(count) },
    ],
  });

  constructor() {
    onSubmit(byId('switch-form'), () => this.#save());
    onSubmit(byId('fault-form'), (values) => this.#order(values));
    byId('fault-kind').addEventListener('change', () => this.#fitFault());
    this.#fitFault();
    byId('forget-faults').addEventListener('click', async () => {
      await remove('faults');
      byId('fault-title').tabIndex = -1;
      byId('fault-title').focus();
      await this.refresh();
      say('Forgot all faults.');
    });
    onSubmit(byId('clock-form'), async ({ amount, unit }) => {
      const { now_ms: now } = await post('clock', { advance_seconds: Number(amount) * Number(unit) });
      byId('clock-now').textContent = dayAndClock(now);
      say(`Here it is now ${dayAndClock(now)}.`);
    });
    onSubmit(byId('expire-form'), async ({ kind }, form) => {
      await post('expire', { kind });
      say(`All ${form.elements.kind.selectedOptions[0].textContent} have run out.`);
    });
    onSubmit(byId('reset-form'), async () => {
      if (await confirmed('Forget everything?', 'Every token ends. Apps, users and files are the sample’s again.', 'Forget everything')) {
        await post('reset');
        this.#switches.clear();
        await this.refresh();
        say('Everything is as after the first start.');
      }
    });
  }

  async refresh() {
    const [{ switches }, { faults }, { now_ms: now }] = await Promise.all([get('settings'), get('faults'), get('status')]);
    byId('clock-now').textContent = dayAndClock(now);
    this.#faults.show(faults.map((fault, at) => ({ ...fault, at })));
    byId('forget-faults').hidden = faults.length === 0;
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
      : element('input', { id, type: typeof value === 'string' ? 'text' : 'number', min: '0', autocomplete: 'off', placeholder: 'null', 'aria-describedby': `${id}-about` });
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

  #fitFault() {
    const kind = byId('fault-kind').value;
    byId('fault-form').querySelectorAll('[data-kind]').forEach((part) => (part.hidden = part.dataset.kind !== kind));
  }

  async #order({ method, path, grant_type: grantType, count, kind, status, retry_after: retryAfter, delay_ms: delay }) {
    const fault = { path, count: Number(count), delay_ms: Number(delay) };
    Object.assign(fault, method && { method }, grantType && { grant_type: grantType });
    if (kind === 'status') {
      Object.assign(fault, { status: Number(status) }, retryAfter && { retry_after: Number(retryAfter) });
    } else if (kind !== 'late') {
      fault.drop = kind;
    }
    await post('faults', fault);
    await this.refresh();
    say('Ordered. It waits for the next call that fits.');
  }
}

/** What stands between backticks is code. */
const withCode = (text) => text.split('`').map((part, index) => (index % 2 ? element('code', {}, part) : part));

const waitsFor = ({ method, path, grant_type: grantType }) => [method ?? 'any', path, grantType].filter(Boolean).join(' ');

function then({ status, retry_after: retryAfter, drop, delay_ms: delay }) {
  const what = status ? `${status}${retryAfter === null || retryAfter === undefined ? '' : `, Retry-After ${retryAfter}`}` : '';
  const lost = drop ? `dropped ${drop === 'before' ? 'before anything is done' : 'after it is done'}` : '';
  return [what, lost, delay ? `${delay} ms late` : ''].filter(Boolean).join(', ') || 'rewritten';
}
