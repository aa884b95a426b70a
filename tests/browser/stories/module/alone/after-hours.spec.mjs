// A file that stays open for hours, while tokens end at Box by themselves. Here they live for seconds, for everybody,
// so these stories run alone.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import * as box from '../../../support/box.mjs';
import { DOWNLOADS_KEYHOLE } from '../../../support/box.mjs';
import { expect, test } from '../../../support/test.mjs';

const LETTER = 'Letter to Aunt Edda.pdf';
const TOKEN_SECONDS = 4;

const page = (file) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title>
<style>html, body, box-preview { height: 100%; margin: 0 }</style>
<script type="module" src="${DOWNLOADS_KEYHOLE}/keyhole.js"></script>
<box-preview file="${file}" show-download scopes="base_preview item_preview item_download"></box-preview>`;

const bearer = (exchange) => exchange.sent('authorization')?.slice('Bearer '.length);
const digest = (bytes) => createHash('sha1').update(bytes).digest('hex');
const letter = () => readFile(new URL(`../../../../box-emulator/sample/account/Letters/${LETTER}`, import.meta.url));

test.use({ baseURL: DOWNLOADS_KEYHOLE });

test.beforeEach(async ({ inside, page: tab, wire }) => {
  await inside.enter('Letters');
  const file = (await inside.row(LETTER).getAttribute('href')).split('/').at(-1);
  await box.change({ child_token_seconds: TOKEN_SECONDS });
  wire.serve(`${DOWNLOADS_KEYHOLE}/app`, page(file));
  await tab.clock.install();
  await tab.goto('/app');
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  await hoursLater(tab, wire);
});

test.afterEach(() => box.change({ child_token_seconds: null }));

/** Every token that the page holds has ended: Box says so, and the page's clock. */
async function hoursLater(tab, wire) {
  const held = wire.to('/api/tokens').flatMap((exchange) => Object.values(exchange.json().tokens)).map(({ access_token }) => access_token);
  const ended = async () => (await box.issued()).children.filter(({ value, state }) => held.includes(value) && state === 'expired').length;
  expect(held.length).toBeGreaterThan(0);
  await expect.poll(ended).toBe(held.length);
  await tab.clock.fastForward('05:00:00');
}

test('a document that has been open for hours is downloaded', async ({ inside, page, wire }) => {
  const before = wire.exchanges.length;
  const coming = page.waitForEvent('download');
  await inside.preview.getByRole('button', { name: 'Download', exact: true }).click();
  const download = await coming;
  expect(download.suggestedFilename()).toBe(LETTER);
  expect(digest(await readFile(await download.path()))).toBe(digest(await letter()));
  expect(wire.exchanges.slice(before).filter(({ status }) => status === 401)).toEqual([]);
});

test('a document that has been open for hours is printed', async ({ inside, page, context, wire }) => {
  await context.addInitScript(() => (window.print = () => (window.isPrinted = true)));
  const before = wire.exchanges.length;
  const opening = context.waitForEvent('page');
  await inside.preview.getByRole('button', { name: 'Print', exact: true }).click();
  const beside = await opening;
  expect(beside.url()).toMatch(/^blob:/);
  await expect.poll(() => beside.evaluate(() => window.isPrinted)).toBe(true);
  const printed = wire.exchanges.slice(before).filter(({ url, method }) => method === 'GET' && url.startsWith(box.CONTENT));
  expect(printed.map(({ status }) => status)).toEqual([200]);
  expect(digest(printed[0].body)).toBe(digest(await letter()));
});
