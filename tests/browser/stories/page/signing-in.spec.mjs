// From a stranger's page through Box's own pages and back, and the ways in which that does not work out.
import { BOX, KEYHOLE, ROBIN } from '../../support/box.mjs';
import { expect, test } from '../../support/test.mjs';

test('someone signs in at Box and comes back to their files', async ({ robin, page, wire }) => {
  await page.goto('/');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('See one file.Keep the key.');
  await robin.goToBox();
  await robin.enterBox();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('use your Box account?');
  await robin.decide('Grant access to Box');
  await robin.isIn();
  await expect(page.locator('#who')).toContainText(ROBIN.login);
  await expect(robin.row('Lighthouse')).toBeVisible();
  await expect(robin.row('Welcome.md')).toBeVisible();
  const [callback] = wire.to('/auth/callback');
  expect(callback.status).toBe(303);
  expect(callback.sent('sec-fetch-site'), 'Box is another site').toBe('cross-site');
  expect(callback.sent('sec-fetch-mode')).toBe('navigate');
});

test('s11 code and state stay in no address, no history and no referrer', async ({ inside, page, wire, witness }) => {
  await inside.openPath('Garden/Bees.txt');
  const [callback] = wire.to('/auth/callback');
  const { searchParams } = new URL(callback.url);
  const [code, state] = [searchParams.get('code'), searchParams.get('state')];
  expect(code.length).toBeGreaterThan(20);
  expect(state.length).toBeGreaterThan(40);

  const { 'an address': addresses, 'the document': document, 'a request that a page saw': fetched } = await witness.testimony();
  const history = await witness.history(page);
  const referrers = wire.exchanges.map((exchange) => exchange.sent('referer') ?? '');
  expect(addresses.includes(KEYHOLE) && history.some((entry) => entry.startsWith(BOX)), 'both sites are in it').toBe(true);
  for (const [place, texts] of Object.entries({ addresses, document, fetched, history: history.join('\n'), referrers: referrers.join('\n') })) {
    expect(texts.includes(code), `the code in ${place}`).toBe(false);
  }
  // Box's own address has to name the state; ours never does.
  const ours = history.filter((entry) => !entry.startsWith(BOX));
  for (const [place, texts] of Object.entries({ history: ours, referrers, document: [document.toString()] })) {
    expect(texts.filter((text) => text.includes(state)), `the state in ${place}`).toEqual([]);
  }
  // Only the callback itself was asked with them.
  expect(wire.exchanges.filter(({ url }) => url.includes(code))).toEqual([callback]);
});

test('who says no at Box is told calmly, once, and may say yes later', async ({ robin, page }) => {
  await page.goto('/');
  await robin.goToBox();
  await robin.enterBox();
  await robin.decide('Deny access to Box');
  await expect(robin.notice).toContainText('You said no at Box, so nothing was opened.');
  await robin.isOut();
  expect(page.url()).toBe(`${KEYHOLE}/`);

  await page.reload();
  await robin.isOut();
  await expect(robin.notice).toBeEmpty();

  await robin.goToBox();
  await robin.decide('Grant access to Box');
  await robin.isIn();
});

test('a notice goes when it is dismissed', async ({ robin, page }) => {
  await page.goto('/?keyhole=denied');
  await robin.notice.getByRole('button', { name: 'Got it' }).click();
  await expect(robin.notice).toBeEmpty();
});

test('a sign-in that was not started here ends in words and a way on', async ({ robin, page, wire }) => {
  await page.goto('/auth/callback?code=stolen&state=strange');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  expect(page.url()).toMatch(/\/auth\/done\?end=[\w-]+$/);
  expect(wire.exchanges.filter(({ url }) => url.startsWith(BOX)), 'nothing was asked of Box').toEqual([]);
  await page.getByRole('link', { name: 'Sign in again' }).click();
  await robin.enterBox();
  await robin.decide('Grant access to Box');
  await robin.isIn();
});

test('the same callback a second time harms nobody', async ({ inside, page, wire }) => {
  const [callback] = wire.to('/auth/callback');
  await page.goto(callback.url);
  await page.goto('/');
  await inside.isIn();
});

test('whoever came for a file sees that file after signing in', async ({ inside, page, context }) => {
  await inside.openPath('Garden/Bees.txt');
  const address = page.url();
  expect(address).toMatch(/\/#file\/\d+$/);
  await context.clearCookies({ domain: 'localhost' });
  await page.goto('about:blank');
  await page.goto(address);
  await inside.goToBox();
  await inside.decide('Grant access to Box');
  await inside.sees('Bees.txt');
  expect(page.url()).toBe(address);
});

test('a popup that signs in tells its opener one word and no more', async ({ robin, page, witness }) => {
  await page.goto('/');
  await robin.isOut();
  const heard = page.evaluate(() => new Promise((resolve) => {
    addEventListener('message', ({ data, origin }) => resolve({ data, origin }), { once: true });
  }));
  const opening = page.waitForEvent('popup');
  await page.evaluate(() => void open(`/auth/login?opener=${encodeURIComponent(location.origin)}`, 'box', 'width=480,height=640'));
  const popup = await opening;
  const there = new robin.constructor(popup, witness);
  await there.enterBox();
  const closed = popup.waitForEvent('close');
  await there.decide('Grant access to Box');
  await closed;
  expect(await heard).toEqual({ data: { type: 'keyhole:signed_in' }, origin: KEYHOLE });
  await page.reload();
  await robin.isIn();
});
