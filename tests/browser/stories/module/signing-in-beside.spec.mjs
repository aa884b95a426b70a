// The window beside the page, on a page that gets the cookie: closed, lost behind others, and what became of the session
// meanwhile. And a browser that lends a page no storage.
import { KEYHOLE } from '../../support/box.mjs';
import { expect, test } from '../../support/test.mjs';

const AT = `${KEYHOLE}/app`;

const host = (body) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title>
<style>html, body, box-preview { height: 100%; margin: 0 }</style>
<script type="module" src="${KEYHOLE}/keyhole.js"></script>${body}`;

/** The ids of these files of the garden, by somebody who is signed in. */
async function garden(inside, ...names) {
  await inside.enter('Garden');
  return Promise.all(names.map((name) => inside.idOf(name)));
}

const button = (robin) => robin.message.getByRole('button', { name: 'Sign in with Box' });

test.describe('a window beside the page', () => {
  test.beforeEach(async ({ inside, page, wire, context }) => {
    const [file] = await garden(inside, 'Bees.txt');
    await context.clearCookies({ domain: 'localhost' });
    wire.serve(AT, host(`<box-preview file="${file}"></box-preview>`));
    await page.goto(AT);
    await expect(inside.message).toContainText('Sign in to see this file');
  });

  test('that was closed opens again at the next press', async ({ inside, page }) => {
    const first = page.waitForEvent('popup');
    await button(inside).click();
    await (await first).close();
    const second = page.waitForEvent('popup');
    await button(inside).click();
    await (await second).getByRole('button', { name: 'Grant access to Box' }).click();
    await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  });

  test('that is still out is not opened twice', async ({ inside, page, context }) => {
    const first = page.waitForEvent('popup');
    await button(inside).click();
    const popup = await first;
    await expect(popup.getByRole('button', { name: 'Grant access to Box' })).toBeVisible();
    const before = context.pages().length;
    await button(inside).click();
    await popup.getByRole('button', { name: 'Grant access to Box' }).click();
    await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
    expect(before).toBe(2);
    expect(context.pages().length, 'and it has closed').toBe(1);
  });
});

test('somebody else who signed in elsewhere in this browser does not find what was open', async ({ inside, page, wire }) => {
  const [file] = await garden(inside, 'Bees.txt');
  wire.serve(AT, host(`<box-preview file="${file}"></box-preview>`));
  await page.goto(AT);
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  const ended = page.evaluate(() => new Promise((resolve) => document.querySelector('box-preview').keyhole.addEventListener('ended', ({ detail }) => resolve(detail.reason))));
  await page.route('**/api/session', async (route) => {
    const answer = await route.fetch();
    const known = await answer.json();
    await route.fulfill({ json: { ...known, session: { ...known.session, user: { name: 'Edda', login: 'edda@example.com' } } } });
  });
  const asked = wire.to('/api/tokens').length;
  await page.evaluate(() => document.querySelector('box-preview').keyhole.session());
  expect(await ended).toBe('replaced');
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  expect(wire.to('/api/tokens').length, 'the file is asked for anew, in the name of whoever is there now').toBeGreaterThan(asked);
});

test.describe('a collection', () => {
  test('one of whose files does not come leaves its arrows', async ({ inside, page, wire }) => {
    const [first, second] = await garden(inside, 'Bees.txt', 'Seeds.csv');
    wire.serve(AT, host(`<box-preview collection="${first} ${second}"></box-preview>`));
    await page.route(`**/2.0/files/${first}?*`, (route) => route.fulfill({ status: 404, json: { type: 'error', status: 404, code: 'not_found' } }));
    await page.goto(AT);
    await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
    await inside.preview.getByRole('button', { name: 'Next file' }).click();
    await expect(inside.content).toContainText('kale');
  });

  test('that is told to show a file which is not there says so', async ({ inside, page, wire }) => {
    const ids = await garden(inside, 'Bees.txt', 'Seeds.csv');
    wire.serve(AT, host(`<box-preview collection="${ids.join(' ')}"></box-preview>`));
    await page.goto(AT);
    await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
    await inside.preview.evaluate((preview) => (preview.file = '99999999999'));
    await expect(inside.message).toContainText('This file is not here');
    await inside.preview.evaluate((preview, id) => (preview.file = id), ids[1]);
    await expect(inside.content).toContainText('kale');
  });
});

test('a browser that lends a page no storage shows the file all the same', async ({ inside, page, wire, context }) => {
  const [file] = await garden(inside, 'Bees.txt');
  wire.serve(AT, host(`<box-preview file="${file}"></box-preview>`));
  const other = await context.newPage();
  await other.addInitScript(() => {
    const refuse = () => {
      throw new DOMException('Access is denied for this document.', 'SecurityError');
    };
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches']) {
      Object.defineProperty(window, name, { get: refuse });
    }
    window.BroadcastChannel = refuse;
  });
  await other.goto(AT);
  await expect(other.locator('box-preview')).toHaveAttribute('data-keyhole', 'ready');
  expect(await other.evaluate(() => document.querySelector('box-preview').keyhole.session().then(({ user }) => user.name))).toBe('Robin Sample');
  await other.close();
});
