// Box's own ContentPreview when tokens live for seconds. That is a switch for everybody, so this story runs alone.
import * as box from '../../../support/box.mjs';
import { KEYHOLE } from '../../../support/box.mjs';
import { serve } from '../../../support/elements.mjs';
import { expect, test } from '../../../support/test.mjs';

const LIFE_S = 10;

test.afterEach(async () => {
  await box.change({ child_token_seconds: null });
});

test('a token that has ended is another one when ContentPreview asks again', async ({ inside, page, wire }) => {
  await inside.enter('Garden');
  const names = ['Bees.txt', 'Seeds.csv'];
  const ids = await Promise.all(names.map((name) => inside.idOf(name)));
  await box.change({ child_token_seconds: LIFE_S });
  serve(wire, KEYHOLE, { component: 'ContentPreview', id: ids[0], options: { collection: ids } });
  await page.goto('/app');
  const contents = (id) => wire.exchanges.filter(({ url, path, method }) => url.startsWith(box.CONTENT) && method === 'GET' && path.includes(`/${id}/`));
  await expect.poll(() => page.evaluate(() => window.loaded)).toEqual([names[0]]);
  const bearer = (exchange) => exchange.sent('authorization').slice('Bearer '.length);
  const first = bearer(contents(ids[0])[0]);
  const state = async () => (await box.ledger()).tokens.find(({ value }) => value === first).state;
  await expect.poll(state, { timeout: 2 * LIFE_S * 1000 }).toBe('expired');

  await page.locator('.bcpr-navigate-right').click();
  await expect.poll(() => page.evaluate(() => window.loaded.at(-1))).toBe(names[1]);
  await page.locator('.bcpr-navigate-left').click();
  await expect.poll(() => page.evaluate(() => window.loaded.at(-1))).toBe(names[0]);
  const shown = contents(ids[0]);
  expect(shown.map(({ status }) => status)).toEqual(Array(shown.length).fill(200));
  expect(bearer(shown.at(-1))).not.toBe(first);
  expect(wire.exchanges.filter(({ status }) => status === 401)).toEqual([]);
});
