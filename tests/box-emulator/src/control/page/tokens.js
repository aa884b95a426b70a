/** Tokens: who holds what, made from what, for how long; and tokens for developers. */
import { get, post } from './api.js';
import { copyButton } from './copy.js';
import { button, byId, element } from './dom.js';
import { afterAsking, offer, onSubmit } from './form.js';
import { say } from './say.js';
import { Table } from './table.js';
import { short, span, TOKENS } from './words.js';

/** More rows than anybody reads. */
const SHOWN = 100;

export class Tokens {
  isLive = true;
  #numbers = new Map();
  #table = new Table(byId('token-table'), {
    caption: 'Codes and tokens',
    key: ({ number }) => number,
    rowClass: ({ state }) => (state === 'live' ? '' : 'ended'),
    columns: [
      { name: 'Token', is: 'head', changes: ({ number, kind }) => [number, kind], show: (token) => this.#what(token) },
      { name: 'Of', className: 'who', changes: ({ app, user, actor }) => [app, user, actor], show: ({ app, user, client_id: id, actor }) => both(app ?? id, [user?.login, actor && `for ${actor.name}`].filter(Boolean).join(', ')) },
      { name: 'Scopes', labelled: true, changes: ({ scopes }) => scopes, show: ({ scopes }) => scopes.join(' ') || 'none' },
      { name: 'Reaches', labelled: true, changes: ({ resource }) => resource, show: ({ resource }) => reach(resource) },
      { name: 'Made from', labelled: true, changes: ({ parent }) => this.#numbers.get(parent), show: ({ parent }) => this.#parent(parent) },
      { name: 'Age', labelled: true, className: 'number', changes: ({ age_seconds: age }) => span(age), show: ({ age_seconds: age }) => span(age) },
      { name: 'Left', labelled: true, className: 'number', changes: left, show: left },
      { name: 'Actions', unseen: true, className: 'acts', changes: ({ state }) => state, show: (_, now) => this.#acts(now) },
    ],
  });

  constructor() {
    byId('tokens-all').addEventListener('change', () => this.refresh().catch(() => {}));
    onSubmit(byId('issue'), (values) => this.#issue(values));
  }

  async refresh() {
    const [{ tokens }, { apps }, { users }] = await Promise.all([get('ledger'), get('apps'), get('users')]);
    this.#numbers = new Map(tokens.map(({ value, number }) => [value, number]));
    const wanted = byId('tokens-all').checked ? tokens : tokens.filter(({ state }) => state === 'live');
    this.#table.show(wanted.reverse().slice(0, SHOWN));
    byId('tokens-empty').hidden = wanted.length > 0;
    byId('tokens-more').hidden = wanted.length <= SHOWN;
    byId('tokens-more').textContent = `These are the newest ${SHOWN} of ${wanted.length}.`;
    offer(byId('issue-app'), apps.map(({ client_id: value, name: words }) => ({ value, words })));
    offer(byId('issue-user'), users.map(({ id: value, name: words }) => ({ value, words })));
  }

  async #issue({ client_id: clientId, user, scopes }) {
    const asked = { client_id: clientId, user, scopes: scopes.trim() ? scopes.trim().split(/\s+/) : undefined };
    const { access_token: token, expires_in: seconds } = await post('tokens', asked);
    byId('issued').replaceChildren(element('span', {}, 'Your token is ', element('code', { id: 'issued-token' }, token), `, good for ${span(seconds)}.`),
      copyButton('developer token', () => token));
    byId('issued').hidden = false;
    await this.refresh();
    say('Issued a developer token.');
  }

  #what({ kind, number, value }) {
    return both(`${TOKENS[kind] ?? kind} ${number}`, element('code', {}, short(value)));
  }

  #parent(parent) {
    const number = this.#numbers.get(parent);
    return number === undefined ? '' : `token ${number}`;
  }

  #acts(now) {
    const { kind, number, state } = now();
    const name = `${TOKENS[kind] ?? kind} ${number}`.toLowerCase();
    const acts = document.createDocumentFragment();
    acts.append(copyButton(name, () => now().value));
    if (state === 'live' && kind !== 'code') {
      acts.append(button('Revoke', (pressed) => this.#revoke(now(), name, pressed), { label: `Revoke ${name}`, kind: 'revoke' }));
    }
    return acts;
  }

  #revoke(token, name, pressed) {
    const question = { title: `Revoke ${name}?`, text: 'As at Box, an access token and its refresh token end together.', yes: 'Revoke' };
    return afterAsking(question, pressed.parentElement, pressed, async () => {
      await post('tokens/revoke', { number: token.number });
      this.#table.leave(token, 'revoke', byId('tokens-title'));
      await this.refresh();
      say(`Revoked ${name}.`);
    });
  }
}

function both(first, second) {
  const shown = document.createDocumentFragment();
  shown.append(first, second ? element('small', {}, second) : '');
  return shown;
}

const reach = (resource) => (resource ? resource.replace('_', ' ') : 'everything');

const left = ({ state, expires_in: seconds }) => (state === 'live' ? span(seconds) : state);
