/** The log: what was asked and what was answered, as it happens. */
import { get } from './api.js';
import { byId, element } from './dom.js';
import { Table } from './table.js';
import { clock } from './words.js';

const NONE = 'Nothing was asked yet. Point your app at this Box, or issue a developer token and try: curl -H "Authorization: Bearer TOKEN" ORIGIN/2.0/users/me';

export class Log {
  isLive = true;
  #entries = [];
  #last = 0;
  #table = new Table(byId('log-table'), {
    caption: 'Calls, newest first',
    className: 'log-table',
    key: ({ number }) => number,
    rowClass: (entry) => (isRefused(entry) ? 'refused' : ''),
    columns: [
      { name: 'Time', className: 'number', show: ({ at_ms: moment }) => clock(moment) },
      { name: 'Asked', is: 'head', show: asked },
      { name: 'By', className: 'who', show: by },
      { name: 'Answered', className: 'answer', show: answered },
    ],
  });

  constructor() {
    const pause = byId('log-pause');
    pause.addEventListener('click', () => {
      this.isLive = !this.isLive;
      pause.setAttribute('aria-pressed', String(!this.isLive));
      if (this.isLive) {
        this.refresh().catch(() => {});
      }
    });
    byId('log-text').addEventListener('input', () => this.#show());
    byId('log-refused').addEventListener('change', () => this.#show());
  }

  async refresh() {
    let told = await get(`log?after=${this.#last}`);
    if (told.last < this.#last) {
      // Another run of the program, which counts from the start.
      this.#entries = [];
      told = await get('log');
    }
    this.#entries = [...told.entries.reverse(), ...this.#entries].filter(({ number }) => number >= told.first);
    this.#last = told.last;
    this.#show();
  }

  #show() {
    const text = byId('log-text').value.trim().toLowerCase();
    const refusedOnly = byId('log-refused').checked;
    const fits = (entry) => (!refusedOnly || isRefused(entry)) && Object.values(entry).join(' ').toLowerCase().includes(text);
    const shown = this.#entries.filter(fits);
    this.#table.show(shown);
    byId('log-empty').hidden = shown.length > 0;
    byId('log-empty').textContent = this.#entries.length > 0 ? 'No line fits.' : NONE.replace('ORIGIN', location.origin);
  }
}

const isRefused = ({ status }) => status === 0 || status >= 400;

function asked({ method, path, grant_type: grantType }) {
  const shown = document.createDocumentFragment();
  shown.append(element('code', {}, `${method} ${path}`), grantType ? element('small', {}, grantType) : '');
  return shown;
}

function by({ client_id: app, user }) {
  const shown = document.createDocumentFragment();
  shown.append(app ?? '', user ? element('small', {}, user) : '');
  return shown;
}

function answered({ status, note }) {
  const shown = document.createDocumentFragment();
  shown.append(element('strong', {}, status === 0 ? 'none' : String(status)), ' ', note ?? '');
  return shown;
}
