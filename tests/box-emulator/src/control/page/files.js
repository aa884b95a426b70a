/** Files: what lies in an account, and putting more there. */
import { get, post, query, remove, upload } from './api.js';
import { copyButton } from './copy.js';
import { button, byId, element } from './dom.js';
import { afterAsking, during, offer, onSubmit } from './form.js';
import { say } from './say.js';
import { Table } from './table.js';
import { bytes, day } from './words.js';

const ROOT = '0';
/** The emulator reads no more of one body. */
const BYTES_MAX = 50_000_000;

export class Files {
  #user = null;
  #folder = ROOT;
  #table = new Table(byId('item-table'), {
    caption: 'Folders and files',
    key: ({ type, id }) => `${type}_${id}`,
    columns: [
      { name: 'Name', is: 'head', changes: ({ type, name, preview_only: only }) => [type, name, only], show: (_, now) => this.#name(now) },
      { name: 'Size', labelled: true, className: 'number', show: ({ size }) => bytes(size) },
      { name: 'Changed', labelled: true, className: 'number', show: ({ modified_at: moment }) => day(moment) },
      { name: 'Id', labelled: true, className: 'number', show: ({ id }) => element('code', {}, id) },
      { name: 'Actions', unseen: true, className: 'acts', changes: ({ id, name, shared_link: link }) => [id, name, link], show: (_, now) => this.#acts(now) },
    ],
  });

  constructor() {
    byId('files-of').addEventListener('change', (event) => {
      this.#user = event.target.value;
      this.#folder = ROOT;
      this.refresh().catch(() => {});
    });
    const form = byId('upload');
    onSubmit(form, async () => {
      await this.#uploadAll([...byId('upload-files').files]);
      form.reset();
    });
    onSubmit(byId('new-folder'), async ({ name }, form) => {
      await post(`folders${query({ user: this.#user, folder: this.#folder, name })}`);
      form.reset();
      await this.refresh();
      say(`Made the folder ${name}.`);
    });
    this.#catchDrops(form);
  }

  async refresh() {
    const { users } = await get('users');
    offer(byId('files-of'), users.map(({ id: value, name: words }) => ({ value, words })));
    this.#user = byId('files-of').value || null;
    if (!this.#user) {
      this.#table.show([]);
      return;
    }
    const { folder, entries } = await this.#list();
    this.#showPath([...folder.path, folder]);
    this.#table.show(entries);
    byId('items-empty').hidden = entries.length > 0;
  }

  /** The folder may have gone since it was opened; then the account from its root. */
  async #list() {
    const from = (folder) => get(`items${query({ user: this.#user, folder })}`);
    try {
      return await from(this.#folder);
    } catch (fault) {
      if (fault.status !== 404 || this.#folder === ROOT) {
        throw fault;
      }
      this.#folder = ROOT;
      return from(ROOT);
    }
  }

  async #enter(folder) {
    this.#folder = folder;
    await this.refresh();
    byId('crumbs').querySelector('[aria-current]').focus();
  }

  #showPath(folders) {
    const written = JSON.stringify(folders);
    if (byId('crumbs').dataset.written === written) {
      return;
    }
    byId('crumbs').dataset.written = written;
    const crumbs = folders.map(({ id, name }, index) => element('li', {},
      index === folders.length - 1
        ? element('span', { 'aria-current': 'location', tabindex: '-1' }, name)
        : button(name, (pressed) => during(byId('crumbs').parentElement, pressed, () => this.#enter(id)), { className: 'link' })));
    byId('crumbs').replaceChildren(...crumbs);
  }

  #name(now) {
    const { type, name, preview_only: previewOnly } = now();
    const shown = document.createDocumentFragment();
    shown.append(type === 'folder'
      ? button(`${name}/`, (pressed) => during(pressed.parentElement, pressed, () => this.#enter(now().id)), { className: 'link', label: `Open the folder ${name}` })
      : name);
    if (previewOnly) {
      shown.append(element('small', {}, 'May be looked at, not downloaded'));
    }
    return shown;
  }

  #acts(now) {
    const { name, shared_link: link } = now();
    const acts = document.createDocumentFragment();
    if (link) {
      acts.append(copyButton(`shared link of ${name}`, () => now().shared_link, 'Copy link'));
    }
    acts.append(copyButton(`id of ${name}`, () => now().id, 'Copy id'),
      button('Delete', (pressed) => this.#delete(now(), pressed), { label: `Delete ${name}`, kind: 'delete' }));
    return acts;
  }

  #delete(item, pressed) {
    const text = item.type === 'folder' ? 'Everything in it goes with it, for good.' : 'It goes for good.';
    return afterAsking({ title: `Delete ${item.name}?`, text, yes: 'Delete' }, pressed.parentElement, pressed, async () => {
      await remove(`items/${item.type}_${item.id}${query({ user: this.#user })}`);
      this.#table.leave(item, 'delete', byId('files-title'));
      await this.refresh();
      say(`Deleted ${item.name}.`);
    });
  }

  async #uploadAll(files) {
    const [user, folder] = [this.#user, this.#folder];
    let done = 0;
    try {
      for (const file of files) {
        if (file.size > BYTES_MAX) {
          throw new Error('it is larger than 50 MB, the most that Box takes at once.');
        }
        say(`Uploading ${file.name} (${done + 1} of ${files.length}) …`);
        await upload(`items${query({ user, folder, name: file.name })}`, file);
        done += 1;
      }
    } catch (fault) {
      throw new Error(`${files[done].name}: ${fault.message}${done ? ` Before it, ${done} of ${files.length} went in.` : ''}`);
    } finally {
      await this.refresh();
    }
    say(done === 1 ? `Uploaded ${files[0].name}.` : `Uploaded ${done} files.`);
  }

  #catchDrops(form) {
    const over = (isOver) => form.classList.toggle('over', isOver);
    form.addEventListener('dragover', (event) => {
      event.preventDefault();
      over(true);
    });
    form.addEventListener('dragleave', () => over(false));
    form.addEventListener('drop', (event) => {
      event.preventDefault();
      over(false);
      const files = [...event.dataTransfer.files];
      if (files.length > 0) {
        during(form, form.querySelector('[type=submit]'), () => this.#uploadAll(files));
      }
    });
  }
}
