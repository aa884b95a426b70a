// Folders, files, the browser's own buttons, other tabs: where someone is stays clear, and comes back.
import * as sample from '../../support/sample.mjs';
import { expect, test } from '../../support/test.mjs';

test('folders lead down, and crumbs lead up', async ({ inside, page }) => {
  await inside.enter('Lighthouse', 'Plans', 'Lantern room');
  await expect(inside.crumbs).toHaveText(['All files', 'Lighthouse', 'Plans']);
  await expect(page.locator('#folder-count')).toHaveText('2 items');
  await expect(page).toHaveTitle('Lantern room – Keyhole');
  await inside.crumbs.getByText('Lighthouse').click();
  await inside.seesListOf('Lighthouse');
  await expect(inside.row('Plans'), 'the folder just left has the focus').toBeFocused();
  await inside.crumbs.getByText('All files').click();
  await inside.seesListOf('All files');
  await expect(inside.crumbs).toHaveCount(0);
});

test('a long folder comes page by page', async ({ inside, page, wire }) => {
  await inside.enter('Watch log');
  await expect(inside.rows).toHaveCount(50);
  await expect(page.locator('#more-count')).toHaveText('50 of 72');
  await page.getByRole('button', { name: 'Show more' }).click();
  await expect(inside.rows).toHaveCount(72);
  await expect(inside.rows.nth(50)).toBeFocused();
  await expect(page.getByRole('button', { name: 'Show more' })).toBeHidden();
  const names = await inside.rows.locator('.name').allTextContents();
  expect(new Set(names).size, 'each once').toBe(72);
  expect(wire.to('/api/folders/*').at(-1).url).toContain('offset=50');
});

test('an empty folder says that it is empty', async ({ inside, page }) => {
  await inside.enter('Letters', 'Unanswered');
  await expect(page.locator('#folder-empty')).toContainText('Nothing in here');
  await expect(page.locator('#folder-count')).toHaveText('no items');
});

test('names are shown as they are', async ({ inside }) => {
  await inside.enter('Letters');
  for (const name of ['Salt &amp; pepper.txt', 'Fish & chips.md', 'To Mme Øster, Åland – thanks.txt']) {
    await expect(inside.row(name)).toBeVisible();
  }
});

test('one file after the other, each in place of the last', async ({ inside, wire }) => {
  await inside.enter('Garden');
  for (const name of ['Bees.txt', 'Seeds.csv', 'Plate 1, sea kale.png', 'Bees.txt']) {
    await inside.open(name);
    await expect(inside.content).toHaveCount(1);
  }
  await expect(inside.content.locator('.bp-text code')).toContainText(sample.text('Garden/Bees.txt').slice(0, 40).trim());
  expect(wire.to('/api/tokens'), 'the pass for the first file was still good').toHaveLength(3);
});

test('who changes their mind quickly sees the file chosen last', async ({ inside }) => {
  await inside.enter('Garden');
  for (const name of ['A walk round the garden.pdf', 'Plate 2, thrift.jpg', 'Seeds.csv', 'Bees.txt']) {
    await inside.row(name).click();
  }
  await inside.sees('Bees.txt');
  await expect(inside.content.locator('.bp-text code')).toContainText(sample.text('Garden/Bees.txt').slice(0, 40).trim());
  await expect(inside.content).toHaveCount(1);
});

test("the browser's back and forward go through folders and files", async ({ inside, page }) => {
  await inside.openPath('Garden/Bees.txt');
  await page.goBack();
  await inside.seesListOf('Garden');
  await expect(page.locator('#pane-file')).toBeHidden();
  await expect(inside.row('Bees.txt')).toBeFocused();
  await page.goBack();
  await inside.seesListOf('All files');
  await page.goForward();
  await page.goForward();
  await inside.sees('Bees.txt');
  await expect(page).toHaveTitle('Bees.txt – Keyhole');
  await expect(inside.crumbs).toHaveText(['All files']);
});

test('closing a file leads back to its row, by button and by Escape', async ({ inside, page }) => {
  await inside.openPath('Garden/Bees.txt');
  await page.getByRole('button', { name: 'Close the file' }).click();
  await expect(inside.row('Bees.txt')).toBeFocused();
  await expect(page.getByText('Pick a file to look at')).toBeVisible();
  await inside.open('Seeds.csv');
  await page.keyboard.press('Escape');
  await expect(inside.row('Seeds.csv')).toBeFocused();
  await expect(inside.preview).toHaveCount(0);
});

test('a reload keeps the place, the file and the session', async ({ inside, page, wire }) => {
  await inside.openPath('Lighthouse/Plans/Lantern room/Lens maintenance.csv');
  const logins = wire.to('/auth/login').length;
  await page.reload();
  await inside.isIn();
  await inside.sees('Lens maintenance.csv');
  await expect(inside.crumbs).toHaveText(['All files', 'Lighthouse', 'Plans']);
  expect(wire.to('/auth/login')).toHaveLength(logins);
});

test('an address opens its file in another tab, without another sign-in', async ({ inside, page, wire }) => {
  await inside.openPath('Garden/Bees.txt');
  const other = await inside.inAnotherTab();
  await other.page.goto(page.url());
  await other.sees('Bees.txt');
  await expect(other.content.locator('.bp-text code')).toContainText(sample.text('Garden/Bees.txt').slice(0, 40).trim());
  expect(wire.to('/auth/login')).toHaveLength(1);
});

test('an address that means nothing leads to all files', async ({ inside, page }) => {
  await page.goto('/#file/../../etc/passwd');
  await page.reload();
  await inside.seesListOf('All files');
  await expect(page.locator('#pane-file')).toBeHidden();
});
