/** Faults, time, and a new start: what clients meet sooner or later. */
import { get, post, remove } from './api.js';
import { byId } from './dom.js';
import { confirmed, during, onSubmit } from './form.js';
import { say } from './say.js';
import { Table } from './table.js';
import { dayAndClock } from './words.js';

export class Faults {
  isLive = true;
  #table = new Table(byId('fault-table'), {
    caption: 'Faults that wait for a call',
    key: ({ at }) => at,
    columns: [
      { name: 'Waits for', is: 'head', show: waitsFor },
      { name: 'Then', show: goesWrong },
      { name: 'Calls left', labelled: true, className: 'number', show: ({ count }) => String(count) },
    ],
  });

  constructor() {
    onSubmit(byId('fault-form'), (values) => this.#order(values));
    byId('fault-kind').addEventListener('change', () => this.#fit());
    this.#fit();
    byId('forget-faults').addEventListener('click', ({ currentTarget }) => during(byId('fault-form'), currentTarget, () => this.#forget()));
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
        await this.refresh();
        say('Everything is as after the first start.');
      }
    });
  }

  async refresh() {
    const [{ faults }, { now_ms: now }] = await Promise.all([get('faults'), get('status')]);
    byId('clock-now').textContent = dayAndClock(now);
    this.#table.show(faults.map((fault, at) => ({ ...fault, at })));
    byId('forget-faults').hidden = faults.length === 0;
  }

  async #forget() {
    await remove('faults');
    byId('fault-title').focus();
    await this.refresh();
    say('Forgot all faults.');
  }

  /** Only what goes with the chosen fault. */
  #fit() {
    const kind = byId('fault-kind').value;
    byId('fault-form').querySelectorAll('[data-kind]').forEach((part) => (part.hidden = !part.dataset.kind.split(' ').includes(kind)));
  }

  async #order({ method, path, grant_type: grantType, count, kind, status, retry_after: retryAfter, delay_ms: delay }) {
    const fault = { path, count: Number(count), delay_ms: Number(delay) };
    Object.assign(fault, method && { method }, grantType && { grant_type: grantType });
    if (kind === 'status' || kind === 'processed') {
      Object.assign(fault, { status: Number(status), processed: kind === 'processed' }, retryAfter && { retry_after: Number(retryAfter) });
    } else if (kind !== 'late') {
      fault.drop = kind;
    }
    await post('faults', fault);
    await this.refresh();
    say('Ordered. It waits for the next call that fits.');
  }
}

const waitsFor = ({ method, path, grant_type: grantType }) => [method ?? 'any', path, grantType].filter(Boolean).join(' ');

const DROPPED = { before: 'dropped before anything is done', after: 'dropped after it is done' };

function goesWrong({ status, processed, retry_after: retryAfter, drop, delay_ms: delay, rewrite }) {
  const parts = [processed ? `done, but ${status}` : status, retryAfter !== null && `Retry-After ${retryAfter}`, DROPPED[drop], rewrite && 'rewritten', delay > 0 && `${delay} ms late`];
  return parts.filter(Boolean).join(', ');
}
