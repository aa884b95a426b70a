// Box's own ContentPreview and ContentExplorer with Keyhole's token function, unchanged, from their prebuilt files.
import * as box from '../../support/box.mjs';
import { KEYHOLE } from '../../support/box.mjs';
import { CDN, EXPLORER, serve } from '../../support/elements.mjs';
import * as sample from '../../support/sample.mjs';
import { expect, test } from '../../support/test.mjs';

/** The scopes of an explorer that previews. */
const EXPLORING = "(items) => keyhole.token(items, { scopes: ['base_explorer', 'item_preview'] })";

/** The ids of the files, or the folder, at these paths of one folder. */
async function idsOf(robin, folders, ...names) {
  await robin.enter(...folders);
  return Promise.all(names.map((name) => robin.idOf(name)));
}

/** What Box was asked by a component, or by the library in it, and not by the page before. */
const askedOfBox = (wire, client) =>
  wire.exchanges.filter(({ url, method }) => url.startsWith(box.BOX) && method === 'GET')
    .filter((exchange) => exchange.sent('x-box-client-name') === client);

const itemsAsked = (wire) => wire.to('/api/tokens').map(({ askedBody }) => JSON.parse(askedBody).items);

/**
 * The text is there in the end. Box refuses what bears no token without CORS headers, so that a component sees a broken
 * network and asks four times, with pauses of up to five seconds: they pass at once. Before the page, install its clock.
 */
async function endsIn(page, locator, text) {
  await expect(async () => {
    await page.clock.fastForward(5000);
    await expect(locator).toContainText(text, { timeout: 500 });
  }).toPass();
}

/** What pages of this context ask of Box's CDN from now on. */
function watchCdn(context) {
  const asked = [];
  context.on('request', (request) => request.url().startsWith(CDN) && asked.push(request.url().slice(CDN.length)));
  return asked;
}

test.describe('ContentPreview', () => {
  test('shows a text with the token function as it is', async ({ inside, page, context, wire }) => {
    const [file] = await idsOf(inside, ['Garden'], 'Bees.txt');
    const asked = watchCdn(context);
    const before = wire.exchanges.length;
    serve(wire, KEYHOLE, { component: 'ContentPreview', id: file });
    await page.goto('/app');
    await expect(page.locator('.bcpr .bp-text code')).toContainText(sample.text('Garden/Bees.txt').trim().slice(0, 30));
    await expect.poll(() => page.evaluate(() => window.loaded)).toEqual(['Bees.txt']);
    expect(await page.evaluate(() => window.asked[0]), 'one typed id, as it is asked for').toBe(`file_${file}`);

    const known = askedOfBox(wire, 'ContentPreview');
    expect(known.map(({ path, status }) => [path, status]), 'the component asks for the file, the library need not').toEqual([[`/2.0/files/${file}`, 200]]);
    expect(askedOfBox(wire, 'box-content-preview')).toEqual([]);
    const [preflight] = wire.exchanges.slice(before).filter(({ method, path }) => method === 'OPTIONS' && path === `/2.0/files/${file}`);
    expect(preflight.sent('access-control-request-headers')).toBe('authorization,x-box-client-name,x-box-client-version,x-rep-hints');
    expect(wire.exchanges.slice(before).filter(({ url }) => url.includes('access_token')).map(({ url }) => url)).toEqual([]);
    expect(asked.filter((path) => !path.startsWith('/fonts/')), "nothing but fonts is asked of Box's CDN").toEqual([]);
  });

  test('shows a PDF', async ({ inside, page, wire }) => {
    const [file] = await idsOf(inside, ['Letters'], 'Letter to Aunt Edda.pdf');
    serve(wire, KEYHOLE, { component: 'ContentPreview', id: file, options: { hasHeader: true } });
    await page.goto('/app');
    await expect(page.locator('.bcpr .bp-doc .page canvas').first()).toBeVisible();
    await expect(page.locator('.bcpr-PreviewHeader')).toContainText('Letter to Aunt Edda.pdf');
  });

  test('goes through a collection, and asks for the next files at once', async ({ inside, page, wire }) => {
    const names = ['Bees.txt', 'Seeds.csv', 'What grows in salt.md'];
    const ids = await idsOf(inside, ['Garden'], ...names);
    serve(wire, KEYHOLE, { component: 'ContentPreview', id: ids[0], options: { collection: ids } });
    const before = itemsAsked(wire).length;
    await page.goto('/app');
    // ContentPreview fetches the next files ahead, and a click meanwhile is lost in it: `getFileAPI` ends what is under way.
    await expect.poll(() => askedOfBox(wire, 'ContentPreview').map(({ status }) => status)).toEqual([200, 200, 200]);
    for (const name of names.slice(0, -1)) {
      await expect.poll(() => page.evaluate(() => window.loaded.at(-1))).toBe(name);
      await page.locator('.bcpr-navigate-right').click();
    }
    await expect.poll(() => page.evaluate(() => window.loaded)).toEqual(names);
    await expect(page.locator('.bcpr .bp-container'), 'one frame is on the page').toHaveCount(1);
    await expect(page.locator('.bcpr-navigate-right')).toBeHidden();
    const [first, second, third] = ids.map((id) => `file_${id}`);
    expect(itemsAsked(wire).slice(before)).toEqual([[first], [second, third]]);
  });

  test("without a version it loads a library that writes tokens into addresses", async ({ page, wire }) => {
    const loading = wire.next('/platform/preview/3.0.0/en-US/preview.js');
    serve(wire, KEYHOLE, { component: 'ContentPreview', id: '1', options: { previewLibraryVersion: undefined, staticHost: box.BOX, staticPath: undefined } });
    await page.goto('/app');
    await loading;
  });

  test('signed out it is told null, and says that the preview did not load', async ({ inside, page, context, wire }) => {
    const [file] = await idsOf(inside, ['Garden'], 'Bees.txt');
    await context.clearCookies({ domain: 'localhost' });
    serve(wire, KEYHOLE, { component: 'ContentPreview', id: file });
    await page.clock.install();
    await page.goto('/app');
    await endsIn(page, page.locator('.bcpr-PreviewError-message'), 'This preview didn’t load.');
    expect(new Set(await page.evaluate(() => window.given))).toEqual(new Set(['null']));
    expect(await page.evaluate(() => window.loaded)).toEqual([]);
    const refused = askedOfBox(wire, 'ContentPreview');
    expect(refused.map((exchange) => [exchange.status, exchange.sent('authorization')])).toEqual(Array(4).fill([401, null]));
  });
});

test('scopes that Keyhole does not give bring null, and options that are none change nothing', async ({ inside, page, wire }) => {
  const [file] = await idsOf(inside, ['Garden'], 'Bees.txt');
  wire.serve(`${KEYHOLE}/app`, '<!doctype html><title>A page</title>');
  await page.goto('/app');
  const given = await page.evaluate(async (file) => {
    const { Keyhole } = await import('/keyhole.js');
    const keyhole = new Keyhole();
    const options = [undefined, null, 7, {}, { scopes: [] }, { scopes: 'item_preview' }, { scopes: ['item_download'] }, { scopes: {} }];
    return Promise.all(options.map(async (options) => typeof ((await keyhole.token(file, options)) ?? undefined)));
  }, `file_${file}`);
  expect(given).toEqual([...Array(6).fill('string'), 'undefined', 'undefined']);
});

test.describe('ContentExplorer', () => {
  const item = (page, name) => page.locator('.bce').getByRole('rowheader').getByText(name, { exact: true });

  test('lists a folder, opens one in it, and previews a file from there', async ({ robin, page, context, wire }) => {
    await robin.signIn(EXPLORER);
    const [accounts] = await idsOf(robin, [], 'Accounts');
    const [shop] = await idsOf(robin, ['Accounts'], 'Shop');
    const [tags] = await idsOf(robin, ['Shop'], 'price-tags.py');
    const asked = watchCdn(context);
    const before = itemsAsked(wire).length;
    serve(wire, EXPLORER, { component: 'ContentExplorer', id: accounts, token: EXPLORING });
    await page.goto(`${EXPLORER}/app`);
    await expect(page.locator('.bce')).toContainText('Ledger 2026.csv');
    await item(page, 'Shop').click();
    await expect(page.locator('.bce')).toContainText('Stock.csv');
    await expect.poll(() => itemsAsked(wire).flat(), { message: 'a token for each file of a list' }).toContain(`file_${tags}`);
    await item(page, 'price-tags.py').click();
    await expect(page.locator('.bcpr .bp-text code')).toContainText(sample.text('Accounts/Shop/price-tags.py').trim().slice(0, 30));

    const listed = askedOfBox(wire, 'ContentExplorer');
    expect(listed.map(({ path, status }) => [path, status])).toEqual([[`/2.0/folders/${accounts}`, 200], [`/2.0/folders/${shop}`, 200]]);
    expect(new URL(listed[0].url).searchParams.get('limit')).toBe('50');
    const bodies = wire.to('/api/tokens').slice(before).map(({ askedBody }) => JSON.parse(askedBody));
    expect(bodies.every(({ scopes }) => scopes.join(' ') === 'base_explorer item_preview')).toBe(true);
    const items = bodies.flatMap(({ items }) => items);
    expect(items.filter((item) => item.startsWith('folder_')), 'one token lists all below its folder').toEqual([`folder_${accounts}`]);
    expect(asked.filter((path) => !path.startsWith('/fonts/'))).toEqual([]);
  });

  test('previews a picture of the list', async ({ robin, page, wire }) => {
    await robin.signIn(EXPLORER);
    const [cards] = await idsOf(robin, [], 'Post cards');
    serve(wire, EXPLORER, { component: 'ContentExplorer', id: cards, token: EXPLORING });
    await page.goto(`${EXPLORER}/app`);
    await item(page, 'Stamp.png').click();
    await expect(page.locator('.bcpr .bp-image img')).toBeVisible();
  });

  test("with a preview's scopes it may not list, and of the root there is no token at all", async ({ robin, page, wire }) => {
    await robin.signIn(EXPLORER);
    const [garden] = await idsOf(robin, [], 'Garden');
    await page.clock.install();
    for (const { id, token, status } of [{ id: garden, token: 'keyhole.token', status: 403 }, { id: '0', token: EXPLORING, status: 401 }]) {
      const before = askedOfBox(wire, 'ContentExplorer').length;
      serve(wire, EXPLORER, { component: 'ContentExplorer', id, token });
      await page.goto(`${EXPLORER}/app`);
      await endsIn(page, page.locator('.bce'), 'A network error has occurred while trying to load.');
      const refused = askedOfBox(wire, 'ContentExplorer').slice(before);
      expect(new Set(refused.map((exchange) => exchange.status))).toEqual(new Set([status]));
    }
  });
});
