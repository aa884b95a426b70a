// What a person does and sees, in the person's words.
import { expect } from '@playwright/test';
import { BOX, ROBIN } from './box.mjs';

export class Journey {
  constructor(page, witness) {
    this.page = page;
    this.witness = witness;
    this.notice = page.locator('#notice');
    this.rows = page.locator('#rows a');
    this.crumbs = page.locator('#crumbs a');
    this.preview = page.locator('box-preview');
    /** What Box's library, or the stand-in, has drawn. */
    this.content = this.preview.locator('.bp-content');
    this.passes = page.locator('#passes .pass');
  }

  /** The same person in another tab of the same browser. */
  async inAnotherTab() {
    return new Journey(await this.page.context().newPage(), this.witness);
  }

  /** Through Box's own pages, and back to the page. Its button is a story of its own. */
  async signIn(origin = '') {
    await this.page.goto(`${origin}/auth/login`);
    await this.enterBox();
    await this.decide('Grant access to Box');
    await this.isIn();
  }

  async goToBox() {
    await this.page.getByRole('button', { name: 'Sign in with Box' }).click();
    await this.page.waitForURL(`${BOX}/**`);
  }

  /** Signs in at Box itself. */
  async enterBox() {
    await this.page.getByLabel('Email address').fill(ROBIN.login);
    await this.page.getByLabel('Password').fill(ROBIN.password);
    await this.page.getByRole('button', { name: 'Sign in', exact: true }).click();
  }

  async decide(button) {
    await this.page.getByRole('button', { name: button }).click();
  }

  async isIn() {
    await expect(this.page.locator('#who')).toContainText(ROBIN.name);
  }

  async isOut() {
    await expect(this.page.getByRole('button', { name: 'Sign in with Box' })).toBeEnabled();
  }

  async signOut() {
    await this.page.getByRole('button', { name: 'Sign out' }).click();
  }

  row(name) {
    return this.rows.filter({ has: this.page.locator('.name').getByText(name, { exact: true }) });
  }

  /** The id of a file of the folder that is listed. */
  async idOf(name) {
    return (await this.row(name).getAttribute('href')).split('/').at(-1);
  }

  /** Into a folder below the one that is listed. */
  async enter(...folders) {
    for (const folder of folders) {
      await this.row(folder).click();
      await expect(this.page.getByRole('heading', { level: 1, name: folder })).toBeVisible();
      await expect(this.page.locator('#rows-loading')).toBeHidden();
    }
  }

  /** Opens a file of the folder that is listed, and waits until it is shown. */
  async open(name) {
    await this.row(name).click();
    await this.sees(name);
  }

  /** A path such as `Garden/Bees.txt`, from the root. */
  async openPath(path) {
    const folders = path.split('/');
    const file = folders.pop();
    await this.enter(...folders);
    await this.open(file);
  }

  /** The file is open and shown. */
  async sees(name) {
    await expect(this.page.locator('#file-name')).toHaveText(name);
    await expect(this.preview).toHaveAttribute('data-keyhole', 'ready');
    await expect(this.content).toBeVisible();
  }

  async seesListOf(folder) {
    await expect(this.page.getByRole('heading', { level: 1, name: folder })).toBeVisible();
  }

  /** What `<box-preview>` says in place of a file. */
  get message() {
    return this.preview.locator('[part=message]');
  }

  /** The id of the file that is open. */
  async openId() {
    return (await this.preview.getAttribute('file')).replace('file_', '');
  }
}
