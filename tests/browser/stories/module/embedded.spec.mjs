// The two lines of the README on a page of somebody else's making, and the pin that holds them to what was built.
import { createHash } from 'node:crypto';
import { KEYHOLE } from '../../support/box.mjs';
import * as sample from '../../support/sample.mjs';
import { expect, test } from '../../support/test.mjs';

const FULL = '<style>html, body, box-preview { height: 100%; margin: 0 }</style>';

/** A page at Keyhole's own origin that is not Keyhole's page. */
const serve = (wire, html, path = '/app') =>
  wire.serve(KEYHOLE + path, `<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title>${FULL}${html}`);

const TWO_LINES = (file) => `<script type="module" src="${KEYHOLE}/keyhole.js"></script>\n<box-preview file="${file}"></box-preview>`;

test('the two lines of the README: sign in on the spot, and see the file', async ({ inside, page, context, wire }) => {
  await inside.enter('Garden');
  const file = (await inside.row('Bees.txt').getAttribute('href')).split('/').at(-1);
  await context.clearCookies({ domain: 'localhost' });
  serve(wire, TWO_LINES(file));
  await page.goto('/app');
  await expect(inside.message).toContainText('Sign in to see this file');
  const opened = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Sign in with Box' }).click();
  await (await opened).getByRole('button', { name: 'Grant access to Box' }).click();
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  await expect(inside.content.locator('.bp-text code')).toContainText(sample.text('Garden/Bees.txt').trim().slice(0, 30));
  expect(page.url()).toBe(`${KEYHOLE}/app`);
});

test('many previews on one page ask once', async ({ inside, page, wire }) => {
  await inside.enter('Garden');
  const ids = await inside.rows.evaluateAll((rows) => rows.slice(0, 3).map((row) => row.getAttribute('href').split('/').at(-1)));
  const previews = ids.map((id) => `<box-preview file="${id}" style="height: 33%"></box-preview>`).join('');
  serve(wire, `<script type="module" src="${KEYHOLE}/keyhole.js"></script>${previews}`);
  const before = wire.to('/api/tokens').length;
  await page.goto('/app');
  for (const id of ids) {
    await expect(page.locator(`box-preview[file="${id}"]`)).toHaveAttribute('data-keyhole', 'ready');
  }
  const asked = wire.to('/api/tokens').slice(before);
  expect(JSON.parse(asked[0].askedBody).items).toEqual(ids.map((id) => `file_${id}`));
  expect(asked).toHaveLength(1);
});

test.describe('the pin', () => {
  test.use({ means: { violations: false, errors: true } });

  test('the wasm of keyhole.js is what it was built with, or nothing starts and that is said', async ({ page, wire, witness }) => {
    wire.tamper('/k/*.wasm');
    await page.goto('/');
    await expect(page.getByRole('heading', { name: 'This page could not start' })).toBeVisible();
    await expect(page.locator('#trouble-code')).toHaveText('module_blocked');
    expect(witness.console.filter((text) => text.includes("'integrity' attribute"))).not.toEqual([]);
    expect(wire.to('/api/*'), 'nothing was asked').toEqual([]);
  });

  test('an element on any page says the same', async ({ robin, page, wire }) => {
    serve(wire, TWO_LINES('1'));
    wire.tamper('/k/*.wasm');
    await page.goto('/app');
    await expect(robin.preview.getByRole('alert')).toContainText('Keyhole could not start.');
    await expect(robin.preview).toHaveAttribute('data-keyhole', 'message');
  });

  test("so it is with the page's own wasm", async ({ page, wire }) => {
    wire.tamper('/page/*.wasm');
    await page.goto('/');
    await expect(page.getByRole('heading', { name: 'This page could not start' })).toBeVisible();
  });

  test('the hashed file runs under its integrity, and a changed one does not', async ({ robin, page, wire }) => {
    await page.goto('/');
    await robin.isOut();
    const { url, path, body } = wire.to('/k/*/keyhole.js')[0];
    const integrity = `sha384-${createHash('sha384').update(body).digest('base64')}`;
    const pinned = (address) =>
      `<script type="module" src="${address}" integrity="${integrity}" crossorigin></script><box-preview file="1"></box-preview>`;
    serve(wire, pinned(url));
    await page.goto('/app');
    await expect(robin.message).toContainText('Sign in to see this file');

    // Another address of the same file, so that no cache stands in.
    wire.tamper(path);
    serve(wire, pinned(`${url}?anew`), '/changed');
    const refused = page.waitForEvent('console', (message) => message.text().includes("'integrity' attribute"));
    await page.goto('/changed');
    await refused;
    expect(await page.evaluate(() => customElements.get('box-preview') === undefined)).toBe(true);
  });
});

test.describe(() => {
  test.use({ means: { violations: false, errors: true } });

  test('a module that was kept away starts when it is tried again', async ({ robin, page }) => {
    await page.route('**/k/*/*.wasm', (route) => route.abort());
    await page.goto('/');
    await expect(page.getByRole('heading', { name: 'This page could not start' })).toBeVisible();
    await page.unroute('**/k/*/*.wasm');
    await page.getByRole('button', { name: 'Try again' }).click();
    await robin.isOut();
  });
});

test('a collection is gone through with arrows, and its next files are asked for at once', async ({ inside, page, wire }) => {
  await inside.enter('Garden');
  const ids = await inside.rows.evaluateAll((rows) => rows.slice(0, 3).map((row) => row.getAttribute('href').split('/').at(-1)));
  const names = await inside.rows.evaluateAll((rows) => rows.slice(0, 3).map((row) => row.querySelector('.name').textContent));
  serve(wire, `<script type="module" src="${KEYHOLE}/keyhole.js"></script><box-preview collection="${ids.join(', ')}"></box-preview>`);
  const before = wire.to('/api/tokens').length;
  await page.addInitScript(() => {
    window.loaded = [];
    addEventListener('keyhole-load', ({ detail }) => window.loaded.push(detail.name));
  });
  await page.goto('/app');
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  await inside.preview.getByRole('button', { name: 'Next file' }).click();
  await expect.poll(() => page.evaluate(() => window.loaded)).toEqual(names.slice(0, 2));
  await inside.preview.getByRole('button', { name: 'Next file' }).click();
  await expect.poll(() => page.evaluate(() => window.loaded)).toEqual(names);
  const asked = wire.to('/api/tokens').slice(before).map(({ askedBody }) => JSON.parse(askedBody).items);
  expect(asked).toEqual([[`file_${ids[0]}`], [`file_${ids[1]}`, `file_${ids[2]}`]]);
  expect(await inside.preview.evaluate((element) => element.collection)).toEqual(ids);
});
