// The end of a session, seen from the page: signed out here, in another tab, or by the clock.
import { issued, KEYHOLE, SHORT_KEYHOLE } from '../../support/box.mjs';
import { expect, test } from '../../support/test.mjs';

test('who signs out is out, and nothing of the files is left', async ({ inside, page, context, wire }) => {
  await inside.openPath('Garden/Bees.txt');
  await inside.signOut();
  await inside.isOut();
  await expect(inside.notice).toContainText('You are signed out. Every pass is gone from this page.');
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
  expect(page.url()).toBe(`${KEYHOLE}/`);
  expect(wire.to('/auth/logout').map(({ status }) => status)).toEqual([204]);
  const names = (await context.cookies(KEYHOLE)).map(({ name }) => name);
  expect(names.filter((name) => name.includes('keyhole'))).toEqual([]);
  await expect(inside.preview).toHaveCount(0);
  for (const name of ['Bees', 'Seeds.csv', 'Garden', 'Robin']) {
    expect(await page.evaluate(() => document.body.textContent + document.title)).not.toContain(name);
  }
});

test('at Box, too, everything of that session is dead', async ({ inside, wire }) => {
  await inside.openPath('Garden/Bees.txt');
  const children = wire.to('/api/tokens').flatMap((exchange) => Object.values(exchange.json().tokens)).map((token) => token.access_token);
  expect(children).toHaveLength(1);
  const states = async () => {
    const { children: all, parents, refresh } = await issued();
    const child = all.find(({ value }) => value === children[0]);
    const parent = parents.find(({ value }) => value === child.parent);
    const pair = refresh.filter((token) => token.parent === parent.parent);
    return [child, parent, ...pair].map(({ state }) => state);
  };
  expect(await states()).toEqual(['live', 'live', 'live']);
  await inside.signOut();
  await inside.isOut();
  await expect.poll(states).not.toContain('live');
});

test('the back button brings nothing back after signing out', async ({ inside, page }) => {
  await inside.openPath('Garden/Bees.txt');
  await inside.signOut();
  await inside.isOut();
  await page.goBack();
  await inside.isOut();
  await expect(inside.preview).toHaveCount(0);
  await expect(page.locator('#who')).toBeHidden();
});

test('a sign-out in one tab ends the other at once', async ({ inside, page }) => {
  await inside.enter('Garden');
  const other = await inside.inAnotherTab();
  await other.page.goto('/');
  await other.isIn();
  await other.signOut();
  await other.isOut();
  await inside.isOut();
  await expect(inside.notice).not.toBeEmpty();
  await expect(page.locator('#who')).toBeHidden();
});

test('where tabs cannot speak to each other, it ends the other at its next step', async ({ inside, page, context }) => {
  await context.addInitScript(() => delete window.BroadcastChannel);
  await page.reload();
  await inside.enter('Garden');
  const other = await inside.inAnotherTab();
  await other.page.goto('/');
  await other.isIn();
  await other.signOut();
  await other.isOut();
  await expect(inside.row('Bees.txt')).toBeVisible();
  await inside.row('Bees.txt').click();
  await inside.isOut();
  await expect(inside.notice).not.toBeEmpty();
  await expect(page.locator('#who')).toBeHidden();
});

test('a sign-out that does not reach Keyhole says so, and can be tried again', async ({ inside, page }) => {
  await page.route('**/auth/logout', (route) => route.abort());
  await inside.signOut();
  await expect(inside.notice).toContainText('so you are still signed in');
  await page.unroute('**/auth/logout');
  await inside.signOut();
  await inside.isOut();
});

/** `SESSION_IDLE_SECONDS` of the Worker [short], and a little. */
const IDLE_MS = 5_500;

test.describe('with sessions of a few seconds', () => {
  test.use({ baseURL: SHORT_KEYHOLE });

  test('who was away too long is told, and comes back to the same place', async ({ inside, page }) => {
    await inside.enter('Garden');
    const lastSeen = Date.now();
    await expect.poll(() => Date.now() - lastSeen, { message: 'time passes' }).toBeGreaterThan(IDLE_MS);
    await inside.row('Bees.txt').click();
    await inside.isOut();
    await expect(inside.notice).toContainText('You were away for a while, so your sign-in was ended.');
    const place = page.url();
    expect(place).toMatch(/#file\/\d+$/);
    await inside.goToBox();
    await inside.decide('Grant access to Box');
    await inside.sees('Bees.txt');
    expect(page.url()).toBe(place);
  });
});
