/** People: users who sign in, users of apps, service accounts. */
import { get, post, remove } from './api.js';
import { copyButton } from './copy.js';
import { button, byId, element } from './dom.js';
import { afterAsking, closable, forgive, offer, onSubmit } from './form.js';
import { say } from './say.js';
import { Table } from './table.js';
import { bytes, KINDS } from './words.js';

export class People {
  #apps = [];
  #dialog = byId('user-dialog');
  #form = byId('user-form');
  #table = new Table(byId('user-table'), {
    caption: 'Users and service accounts',
    key: ({ id }) => id,
    columns: [
      { name: 'Name', is: 'head', show: ({ name, login }) => both(name, login) },
      { name: 'Kind', show: (user) => both(KINDS[user.kind], user.client_id ? `of ${this.#nameOf(user.client_id)}` : ''), changes: (user) => [user.kind, this.#nameOf(user.client_id)] },
      { name: 'Password', labelled: true, show: ({ password }) => (password === null ? '' : element('code', {}, password)) },
      { name: 'Id', labelled: true, className: 'number', show: ({ id }) => element('code', {}, id) },
      { name: 'Space used', labelled: true, className: 'number', show: ({ space_used: used }) => bytes(used) },
      { name: 'Actions', unseen: true, className: 'acts', changes: ({ name, stays }) => [name, stays], show: (_, now) => this.#acts(now) },
    ],
  });

  constructor() {
    closable(this.#dialog);
    byId('new-user').addEventListener('click', () => this.#open());
    this.#form.addEventListener('change', () => this.#fit());
    onSubmit(this.#form, (values) => this.#add(values));
  }

  async refresh() {
    const [{ enterprise_id: enterprise, users }, { apps }] = await Promise.all([get('users'), get('apps')]);
    this.#apps = apps;
    if (byId('enterprise-id').textContent !== enterprise) {
      byId('enterprise-id').textContent = enterprise;
      byId('copy-enterprise').replaceChildren(copyButton('enterprise id', () => enterprise));
    }
    this.#table.show(users);
    byId('users-empty').hidden = users.length > 0;
  }

  #nameOf(clientId) {
    return this.#apps.find((app) => app.client_id === clientId)?.name ?? clientId;
  }

  #acts(now) {
    const { name, stays } = now();
    const row = document.createDocumentFragment();
    row.append(copyButton(`id of ${name}`, () => now().id, 'Copy id'));
    if (!stays) {
      row.append(button('Remove', (pressed) => this.#remove(now(), pressed), { label: `Remove ${name}`, kind: 'remove' }));
    }
    return row;
  }

  #remove(user, pressed) {
    const question = { title: `Remove ${user.name}?`, text: 'The account goes with all of its files, and its tokens end.', yes: 'Remove user' };
    return afterAsking(question, pressed.parentElement, pressed, async () => {
      await remove(`users/${user.id}`);
      this.#table.leave(user, 'remove', byId('people-title'));
      await this.refresh();
      say(`Removed ${user.name}.`);
    });
  }

  #open() {
    const options = this.#apps.filter(({ auth }) => auth !== 'oauth2').map(({ client_id: value, name: words }) => ({ value, words }));
    offer(byId('user-app'), options);
    forgive(this.#form);
    this.#fit();
    this.#dialog.showModal();
    byId('user-name').focus();
  }

  #fit() {
    const kind = this.#form.elements.kind.value;
    for (const part of this.#form.querySelectorAll('[data-kind]')) {
      part.hidden = part.dataset.kind !== kind;
      part.querySelectorAll('input, select').forEach((field) => (field.required = !part.hidden));
    }
  }

  async #add({ kind, name, login, password, client_id: clientId }) {
    const user = kind === 'managed' ? { kind, name, login, password } : { kind, name, client_id: clientId };
    const { name: added } = await post('users', user);
    this.#form.reset();
    this.#dialog.close();
    await this.refresh();
    say(`Added ${added}.`);
  }
}

function both(first, second) {
  const shown = document.createDocumentFragment();
  shown.append(first, second ? element('small', {}, second) : '');
  return shown;
}
