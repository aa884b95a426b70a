/** Apps: who may ask for tokens. */
import { get, patch, post, remove } from './api.js';
import { copyButton } from './copy.js';
import { button, byId, element } from './dom.js';
import { afterAsking, closable, during, forgive, lines, onSubmit } from './form.js';
import { say } from './say.js';
import { AUTH, day } from './words.js';

/** Those that most apps ask for; the others are one step further. */
const USUAL_SCOPES = ['root_readwrite', 'root_readonly', 'manage_managed_users', 'manage_app_users'];

export class Apps {
  #form = new AppForm((app) => this.#changed(app));
  #keys = new KeyForm((app) => this.#changed(app));
  #shown = '';

  constructor() {
    byId('new-app').addEventListener('click', () => this.#form.openNew());
  }

  async refresh() {
    const { apps, known_scopes: scopes } = await get('apps');
    this.#form.offerScopes(scopes);
    const written = JSON.stringify(apps);
    byId('apps-empty').hidden = apps.length > 0;
    if (written !== this.#shown) {
      this.#shown = written;
      byId('app-list').replaceChildren(...apps.map((app) => this.#card(app)));
    }
  }

  /** Shows the list again and puts the focus on the app that it is about, or on the title. */
  async #changed(clientId, act = 'change') {
    await this.refresh();
    const card = [...byId('app-list').children].find((card) => card.dataset.client === clientId);
    (card?.querySelector(`[data-act="${act}"]`) ?? byId('apps-title')).focus();
  }

  #card(app) {
    const title = element('h2', { id: `app-${app.client_id}` }, app.name);
    const facts = element('dl', { class: 'facts' });
    const card = element('article', { class: 'card', 'aria-labelledby': title.id, 'data-client': app.client_id },
      title, element('p', { class: 'kind' }, AUTH[app.auth]), facts);
    const fact = (name, ...shown) => facts.append(element('dt', {}, name), element('dd', {}, ...shown));
    const copied = (what, value) => code(value, copyButton(`${what} of ${app.name}`, () => value));
    fact('Client id', copied('client id', app.client_id));
    fact('Client secret', copied('client secret', app.client_secret));
    if (app.auth === 'oauth2') {
      fact('Redirect URIs', list(app.redirect_uris, 'None: nobody can sign in until there is one.'));
    } else {
      fact('Enterprise id', copied('enterprise id', app.enterprise_id));
      fact('Service account', app.service_account ? code(app.service_account.login) : plain('None'));
      fact('Authorized', plain(app.authorized ? 'Yes, by the enterprise’s admin' : 'No: its calls for tokens are refused'));
      fact('Acts as users', plain(app.may_act_as_users ? 'Yes' : 'No'));
      fact('Managed users', plain(app.enterprise_access ? 'May speak for them' : 'Knows only its own app users'));
    }
    fact('CORS origins', list(app.cors_origins, 'None: no web page may call the API with its tokens.'));
    fact('Scopes', list(app.scopes, 'None: its tokens allow nothing.', 'inline-list'));
    if (app.auth === 'jwt') {
      fact('Public keys', this.#keyList(app, card));
    }
    const named = (words) => ({ label: `${words} ${app.name}`, className: '' });
    card.append(element('p', { class: 'buttons' },
      button('Change', () => this.#form.open(app), { ...named('Change'), kind: 'change' }),
      ...(app.auth === 'jwt' ? [
        button('Make a key and download settings', (pressed) => during(card, pressed, () => this.#makeKey(app)), { className: '', kind: 'settings' }),
        button('Add a public key', () => this.#keys.open(app), { className: '', kind: 'key' })] : []),
      ...(app.stays ? [] : [
        button('Remove', (pressed) => this.#remove(app, card, pressed), { label: `Remove ${app.name}`, className: 'danger' })])));
    if (app.stays) {
      fact('Stays', 'It is the app that this program was started with.');
    }
    return card;
  }

  #keyList(app, card) {
    if (app.keys.length === 0) {
      return plain('None: make one, and the settings file for your SDK comes with it.');
    }
    const rows = app.keys.map(({ id, created_at: made }) => element('li', {}, element('code', {}, id), made ? `since ${day(made)}` : '',
      button('Remove', (pressed) => this.#removeKey(app, id, card, pressed), { label: `Remove the key ${id}` })));
    return element('ul', {}, ...rows);
  }

  async #makeKey(app) {
    const settings = await post(`apps/${encodeURIComponent(app.client_id)}/keys`);
    const { publicKeyID } = settings.boxAppSettings.appAuth;
    save(`${settings.enterpriseID}_${publicKeyID}_config.json`, JSON.stringify(settings, null, 2));
    await this.#changed(app.client_id, 'settings');
    say(`Made the key ${publicKeyID}. Its private half is in the downloaded file and nowhere else.`);
  }

  #removeKey(app, id, card, pressed) {
    const question = { title: `Remove the key ${id}?`, text: 'What is signed with it is refused from then on.', yes: 'Remove key' };
    return afterAsking(question, card, pressed, async () => {
      await remove(`apps/${encodeURIComponent(app.client_id)}/keys/${encodeURIComponent(id)}`);
      await this.#changed(app.client_id, 'settings');
      say(`Removed the key ${id}.`);
    });
  }

  #remove(app, card, pressed) {
    const question = { title: `Remove ${app.name}?`, text: 'Its tokens end, and its keys, users and their files go with it.', yes: 'Remove app' };
    return afterAsking(question, card, pressed, async () => {
      await remove(`apps/${encodeURIComponent(app.client_id)}`);
      await this.#changed(null);
      say(`Removed ${app.name}.`);
    });
  }
}

/** The dialog for a new app, and for one that is there. */
class AppForm {
  #form = byId('app-form');
  #dialog = byId('app-dialog');
  #app = null;
  #onDone;

  constructor(onDone) {
    this.#onDone = onDone;
    closable(this.#dialog);
    onSubmit(this.#form, (values) => this.#send(values));
    this.#form.addEventListener('change', () => this.#fit());
  }

  offerScopes(scopes) {
    const place = byId('app-scopes');
    if (place.childElementCount > 0) {
      return;
    }
    const box = ({ name, words }) => {
      const id = `scope-${name}`;
      const input = element('input', { type: 'checkbox', name: 'scopes', value: name, id, checked: name === 'root_readwrite' });
      return element('p', { class: 'check' }, input, element('label', { for: id }, name, element('span', {}, words)));
    };
    const isUsual = ({ name }) => USUAL_SCOPES.includes(name);
    const others = scopes.filter((scope) => !isUsual(scope));
    place.append(...scopes.filter(isUsual).map(box), element('details', {}, element('summary', {}, `${others.length} more scopes`),
      element('div', { class: 'more-scopes' }, ...others.map(box))));
  }

  /** What was typed before and not sent is still there. */
  openNew() {
    if (this.#app) {
      this.#form.reset();
    }
    this.#show(null, 'New app', 'Make app');
  }

  open(app) {
    this.#form.reset();
    const { elements } = this.#form;
    for (const name of ['name', 'client_id', 'client_secret']) {
      elements[name].value = app[name];
    }
    elements.auth.value = app.auth;
    elements.redirect_uris.value = app.redirect_uris.join('\n');
    elements.cors_origins.value = app.cors_origins.join('\n');
    elements.authorized.checked = app.authorized;
    elements.may_act_as_users.checked = app.may_act_as_users;
    elements.enterprise_access.checked = app.enterprise_access;
    elements.scopes.forEach((box) => (box.checked = app.scopes.includes(box.value)));
    this.#show(app, `Change ${app.name}`, 'Save app');
  }

  #show(app, title, button) {
    this.#app = app;
    byId('app-dialog-title').textContent = title;
    this.#form.querySelector('[type=submit]').textContent = button;
    forgive(this.#form);
    // An app keeps both: see the emulator's README.
    this.#form.querySelectorAll('[name=auth], [name=client_id]').forEach((field) => (field.disabled = app !== null));
    this.#fit();
    this.#dialog.showModal();
    this.#form.elements.name.focus();
  }

  /** Only what the chosen kind of app has. */
  #fit() {
    const kind = this.#form.elements.auth.value === 'oauth2' ? 'oauth2' : 'server';
    this.#form.querySelectorAll('[data-auth]').forEach((part) => (part.hidden = part.dataset.auth !== kind));
  }

  async #send(values) {
    const { elements } = this.#form;
    const app = {
      name: values.name,
      auth: elements.auth.value,
      redirect_uris: lines(values.redirect_uris),
      cors_origins: lines(values.cors_origins),
      scopes: [...elements.scopes].filter(({ checked }) => checked).map(({ value }) => value),
      authorized: elements.authorized.checked,
      may_act_as_users: elements.may_act_as_users.checked,
      enterprise_access: elements.enterprise_access.checked,
      client_id: values.client_id || undefined,
      client_secret: values.client_secret || undefined,
    };
    const kept = this.#app ? await patch(`apps/${encodeURIComponent(this.#app.client_id)}`, app) : await post('apps', app);
    say(this.#app ? `Saved ${kept.name}.` : `Made ${kept.name}.`);
    this.#app = null;
    this.#form.reset();
    this.#dialog.close();
    await this.#onDone(kept.client_id);
  }
}

/** The dialog for a public key of one's own. */
class KeyForm {
  #dialog = byId('key-dialog');
  #app = null;

  constructor(onDone) {
    closable(this.#dialog);
    onSubmit(byId('key-form'), async ({ public_key }, form) => {
      const { id } = await post(`apps/${encodeURIComponent(this.#app.client_id)}/keys`, { public_key });
      say(`Added the key ${id}.`);
      form.reset();
      this.#dialog.close();
      await onDone(this.#app.client_id, 'key');
    });
  }

  open(app) {
    this.#app = app;
    byId('key-dialog-title').textContent = `Add a public key to ${app.name}`;
    forgive(byId('key-form'));
    this.#dialog.showModal();
  }
}

const code = (value, ...more) => element('span', { class: 'value' }, element('code', {}, value), ...more);

const plain = (words) => element('span', { class: 'words' }, words);

const list = (values, none, className) =>
  values.length ? element('ul', { class: className }, ...values.map((value) => element('li', {}, element('code', {}, value)))) : plain(none);

/** Gives the person a file, as a download. */
function save(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  element('a', { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
