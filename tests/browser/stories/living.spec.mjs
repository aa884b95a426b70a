// Previews that live: what happens to a file that is open while its token, or the session, comes to an end.
import * as box from '../support/box.mjs';
import { KEYHOLE } from '../support/box.mjs';
import { expect, test } from '../support/test.mjs';

const HANDBOOK = "Lighthouse/Keeper's Handbook.pdf";

/** A page of somebody's making that shows `file` in small ranges. */
const inRanges = (file) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title>
<style>html, body, box-preview { height: 100%; margin: 0 }</style>
<box-preview file="${file}"></box-preview>
<script type="module">
  import "${KEYHOLE}/keyhole.js";
  document.querySelector("box-preview").options = {
    viewers: { Document: { rangeMinSize: 0, rangeChunkSize: 1024, disableStream: true } },
  };
</script>`;

/** The id of the file at this path. */
async function idOf(inside, path) {
  const folders = path.split('/');
  const name = folders.pop();
  await inside.enter(...folders);
  return (await inside.row(name).getAttribute('href')).split('/').at(-1);
}

/** Makes each range of the file take a while, and tells when so many have been asked for. */
async function slowly(page, count) {
  let asked = 0;
  let tell;
  const reached = new Promise((resolve) => (tell = resolve));
  await page.route(`${box.CONTENT}/**`, async (route) => {
    if (route.request().headers().range) {
      asked += 1;
      if (asked === count) tell();
      await new Promise((resolve) => setTimeout(resolve, 150));
    }
    await route.continue();
  });
  return reached;
}

const bearer = (exchange) => exchange.sent('authorization')?.slice('Bearer '.length);

test('a document whose token dies half way goes on loading', async ({ inside, page, wire }) => {
  const file = await idOf(inside, HANDBOOK);
  wire.serve(`${KEYHOLE}/app`, inRanges(file));
  const halfWay = slowly(page, 4);
  await page.goto('/app');
  await halfWay;
  const first = wire.exchanges.filter((exchange) => exchange.sent('range')).map(bearer)[0];
  await box.revoke(first);
  const last = inside.content.locator('.bp-doc .page').last();
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  await last.scrollIntoViewIfNeeded();
  await expect(last.locator('canvas')).toBeVisible();
  await expect(last).toContainText(/\w/);
  const inRange = () => wire.exchanges.filter((exchange) => exchange.sent('range'));
  await expect.poll(() => inRange().every(({ status }) => status > 0), { message: 'each range is answered' }).toBe(true);
  const ranges = inRange();
  const refused = ranges.filter(({ status }) => status === 401);
  expect(refused.length, 'Box did refuse the dead one').toBeGreaterThan(0);
  expect(new Set(refused.map(bearer)), 'and no other').toEqual(new Set([first]));
  expect(bearer(ranges.at(-1))).not.toBe(first);
  expect(ranges.at(-1).status).toBe(206);
});

test('what is replaced on the wire is undone when the last preview leaves, and touches nobody else', async ({ inside, page, wire }) => {
  const file = await idOf(inside, HANDBOOK);
  wire.serve(`${KEYHOLE}/app`, inRanges(file));
  await page.addInitScript(() => (window.firstFetch = window.fetch));
  await page.goto('/app');
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  expect(await page.evaluate(() => window.fetch === window.firstFetch), 'while a preview is there').toBe(false);

  await page.evaluate(async (api) => {
    const ask = (url, token) => fetch(url, { headers: { Authorization: `Bearer ${token}` } }).catch(() => {});
    await ask(`${api}/2.0/users/me`, 'somebody-else');
    await ask(new URL(`${api}/2.0/users/me`), 'somebody-else');
    await ask({ toString: () => `${api}/2.0/users/me` }, 'somebody-else');
  }, box.BOX);
  const asked = wire.to('/2.0/users/me').filter(({ method }) => method === 'GET');
  expect(asked.map(bearer), "another's token goes out as it is").toEqual(Array(3).fill('somebody-else'));

  await page.evaluate(() => document.querySelector('box-preview').remove());
  await expect.poll(() => page.evaluate(() => window.fetch === window.firstFetch)).toBe(true);
});

test('a session that ends leaves the file where it is, and a sign-in beside it goes on', async ({ inside, page, context }) => {
  await inside.openPath(HANDBOOK);
  const at = `${KEYHOLE}/app`;
  const file = await inside.openId();
  await page.goto('about:blank');
  await page.route(at, (route) => route.fulfill({ contentType: 'text/html', body: inRanges(file) }));
  await page.goto(at);
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  const pages = inside.content.locator('.bp-doc .page');
  await pages.nth(1).scrollIntoViewIfNeeded();
  const before = await inside.content.locator('.bp-doc').evaluate((doc) => doc.scrollTop);

  // The session ends as it does where nobody did it on purpose.
  await context.clearCookies({ domain: 'localhost' });
  await page.evaluate(() => document.querySelector('box-preview').keyhole.session());
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'paused');
  await expect(inside.message).toContainText('Your sign-in has ended');
  await expect(pages.first(), 'the file is still there').toBeAttached();

  const opened = page.waitForEvent('popup');
  await inside.message.getByRole('button', { name: 'Sign in with Box' }).click();
  const popup = await opened;
  await popup.getByRole('button', { name: 'Grant access to Box' }).click();
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  await expect.poll(() => popup.isClosed()).toBe(true);
  expect(page.url(), 'the page was not left').toBe(at);
  expect(await inside.content.locator('.bp-doc').evaluate((doc) => doc.scrollTop)).toBe(before);
});

test('a window that is blocked is no dead end: the page itself goes, and comes back to the very place', async ({ inside, page, context, wire }) => {
  const file = await idOf(inside, 'Garden/Bees.txt');
  await context.clearCookies({ domain: 'localhost' });
  wire.serve(`${KEYHOLE}/app?place=here`, `<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title><script type="module" src="${KEYHOLE}/keyhole.js"></script><box-preview file="${file}"></box-preview>`);
  await page.addInitScript(() => (window.open = () => null));
  await page.goto('/app?place=here');
  await inside.goToBox();
  await inside.decide('Grant access to Box');
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  expect(page.url()).toBe(`${KEYHOLE}/app?place=here`);
});

test('a sign-out in one tab is seen by the others at once, and so is a sign-in', async ({ inside, page, context }) => {
  await inside.openPath('Garden/Bees.txt');
  const file = await inside.openId();
  const at = `${KEYHOLE}/app`;
  const body = `<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title><style>html, body, box-preview { height: 100%; margin: 0 }</style><script type="module" src="${KEYHOLE}/keyhole.js"></script><box-preview file="${file}"></box-preview>`;
  await context.route(at, (route) => route.fulfill({ contentType: 'text/html', body }));
  const other = await inside.inAnotherTab();
  await other.page.goto(at);
  await expect(other.preview).toHaveAttribute('data-keyhole', 'ready');
  const heard = other.page.evaluate(() => new Promise((resolve) => document.querySelector('box-preview').keyhole.addEventListener('ended', ({ detail }) => resolve(detail.reason))));
  await page.bringToFront();
  await page.keyboard.press('Escape');
  await inside.signOut();
  expect(await heard).toBe('signed_out');
  await expect(other.preview).toHaveAttribute('data-keyhole', 'message');
  await expect(other.message).toContainText('Sign in to see this file');

  await inside.goToBox();
  await inside.decide('Grant access to Box');
  await inside.isIn();
  await expect(other.preview).toHaveAttribute('data-keyhole', 'ready');
});
