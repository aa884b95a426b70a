// What does not work is said in words, with a way on where there is one.
import { BOX } from '../../support/box.mjs';
import { expect, test } from '../../support/test.mjs';

const problem = (status, code, more = {}) => ({
  status,
  contentType: 'application/problem+json',
  body: JSON.stringify({ title: 'A title', status, code, ...more }),
});

test('a Keyhole that does not answer is said, and tried again', async ({ robin, page }) => {
  await page.route('**/api/session', (route) => route.abort());
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'Keyhole does not answer' })).toBeFocused();
  await page.unroute('**/api/session');
  await page.getByRole('button', { name: 'Try again' }).click();
  await robin.isOut();
});

test('a Keyhole without its settings says whom to ask', async ({ page }) => {
  await page.route('**/api/session', (route) => route.fulfill(problem(503, 'not_configured')));
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'This Keyhole is not set up yet' })).toBeVisible();
});

test('a sign-in whose key is not at hand can wait, or sign in anew', async ({ page }) => {
  await page.route('**/api/session', (route) => route.fulfill(problem(503, 'locked')));
  await page.goto('/');
  await expect(page.getByRole('heading', { name: 'Your sign-in cannot be opened right now' })).toBeVisible();
  await page.unroute('**/api/session');
  await page.getByRole('button', { name: 'Sign in anew' }).click();
  await expect(page).toHaveURL(/\/api\/oauth2\/authorize/);
});

test('a folder that does not come is said in its place, and comes when asked again', async ({ inside, page }) => {
  await page.route('**/api/folders/**', (route) => route.fulfill(problem(503, 'box_unavailable')));
  await inside.row('Garden').click();
  const trouble = page.locator('#folder-trouble');
  await expect(trouble).toContainText('Box does not answer right now');
  await page.unroute('**/api/folders/**');
  await trouble.getByRole('button', { name: 'Try again' }).click();
  await expect(inside.rows.first()).toBeFocused();
  await expect(inside.row('Bees.txt')).toBeVisible();
  await expect(trouble).toBeHidden();
});

test('too many files at once: a pause is asked for', async ({ inside, page }) => {
  await inside.enter('Garden');
  await page.route('**/api/tokens', (route) => route.fulfill(problem(429, 'rate_limited', { retry_after_seconds: 20 })));
  await inside.row('Bees.txt').click();
  await expect(inside.message).toContainText('Too many files at once');
  await page.unroute('**/api/tokens');
  await inside.message.getByRole('button', { name: 'Try again' }).click();
  await inside.sees('Bees.txt');
});

test("Box's library that is blocked is said, and comes when it may", async ({ inside, page }) => {
  await page.route('**/preview.js', (route) => route.abort());
  await inside.enter('Garden');
  await inside.row('Bees.txt').click();
  await expect(inside.message).toContainText('Box’s viewer did not load');
  await page.unroute('**/preview.js');
  await inside.message.getByRole('button', { name: 'Try again' }).click();
  await inside.sees('Bees.txt');
});

test('who is offline is told so, and sees the file when online again', async ({ inside, context }) => {
  await inside.enter('Garden');
  await context.setOffline(true);
  await inside.row('Bees.txt').click();
  await expect(inside.message).toContainText('You are offline');
  await context.setOffline(false);
  await inside.message.getByRole('button', { name: 'Try again' }).click();
  await inside.sees('Bees.txt');
});

test('a Box that answers this page with a refusal of its origin is named as the cause', async ({ inside, page }) => {
  await inside.enter('Garden');
  const refusal = { status: 403, contentType: 'application/json', headers: { 'access-control-allow-origin': '*' }, body: '{"code":"cors_origin_not_whitelisted"}' };
  await page.route(`${BOX}/2.0/files/**`, (route) => route.fulfill(refusal));
  await inside.row('Bees.txt').click();
  await expect(inside.message).toContainText('Box does not answer this page');
  await expect(inside.message).toContainText('CORS domains');
});
