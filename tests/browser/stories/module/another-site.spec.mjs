// A page of another site, to which the session's cookie is never sent: a window of Keyhole's own brings its tokens.
import * as box from '../../support/box.mjs';
import { faultsOf } from '../../support/looks.mjs';
import { APP, AUTH, ELSEWHERE, UNLISTED } from '../../support/places.mjs';
import * as sample from '../../support/sample.mjs';
import { expect, test } from '../../support/test.mjs';

const HERE = `${ELSEWHERE}/plans`;
const STYLE = '<style>html, body { height: 100%; margin: 0 } box-preview { height: 50% } box-preview:only-of-type { height: 100% }</style>';

/** A host page; it keeps every message that reaches it. */
const host = (body) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>A host page</title>${STYLE}
<script>window.heard = []; addEventListener('message', ({ origin, data }) => window.heard.push({ origin, data }))</script>
<script type="module" src="${AUTH}/keyhole.js"></script>
${body}`;

const preview = (file) => `<box-preview file="${file}"></box-preview>`;

/** Presses the button of the prompt, and brings the window that opens. */
async function press(robin, page) {
  const opened = page.waitForEvent('popup');
  await robin.message.first().getByRole('button', { name: 'Sign in with Box' }).click();
  return opened;
}

/** Presses it where somebody is signed in at Keyhole: the window comes and goes. */
async function fetchByHand(robin, page) {
  const popup = await press(robin, page);
  await expect.poll(() => popup.isClosed()).toBe(true);
}

/** A page waits with a file of the garden for somebody to press its button, `nobody` being in. The file's id. */
async function waitsHere(robin, page, wire, { at = HERE, nobody = false } = {}) {
  await robin.enter('Garden');
  const file = await robin.idOf('Bees.txt');
  if (nobody) await page.context().clearCookies({ domain: 'auth.example.test' });
  wire.serve(at, host(preview(file)));
  await page.goto(at);
  await isSignedOut(robin);
  return file;
}

/** The same, pressed: it shows the file. */
async function isShownHere(robin, page, wire) {
  const file = await waitsHere(robin, page, wire);
  await fetchByHand(robin, page);
  await isShown(robin);
  return file;
}

const tokensAsked = (wire) => wire.to('/api/tokens').filter(({ method }) => method === 'POST');
const isSignedOut = (robin) => expect(robin.message).toContainText('Sign in to see this file');
const isShown = (robin) => expect(robin.preview).toHaveAttribute('data-keyhole', 'ready');

test('it shows a file after a sign-in beside it, and hears of nothing but that file', async ({ atKeyhole, page, wire }) => {
  const file = await waitsHere(atKeyhole, page, wire, { nobody: true });
  const popup = await press(atKeyhole, page);
  await popup.getByRole('button', { name: 'Grant access to Box' }).click();
  await isShown(atKeyhole);
  await expect(atKeyhole.content.locator('.bp-text code')).toContainText(sample.text('Garden/Bees.txt').trim().slice(0, 30));
  await expect.poll(() => popup.isClosed()).toBe(true);
  expect(page.url(), 'the page was not left').toBe(HERE);

  const heard = await page.evaluate(() => window.heard);
  expect(heard.map(({ origin }) => origin).filter((origin) => origin !== AUTH)).toEqual([]);
  expect(heard.map(({ data }) => data.type)).toEqual(['keyhole:opened', 'keyhole:opened', 'keyhole:ready', 'keyhole:answer']);
  const { answer, ...envelope } = heard.at(-1).data;
  expect(envelope).toEqual({ type: 'keyhole:answer', id: 1 });
  expect(Object.keys(answer)).toEqual(['tokens']);
  expect(Object.keys(answer.tokens)).toEqual([`file_${file}`]);
  expect((await box.issued()).children.map(({ value }) => value)).toContain(answer.tokens[`file_${file}`].access_token);
  const fromHere = wire.exchanges.filter((exchange) => exchange.url.startsWith(AUTH) && exchange.sent('origin') === ELSEWHERE);
  expect(fromHere.length).toBeGreaterThan(0);
  expect(fromHere.filter((exchange) => exchange.sent('cookie')), 'the cookie was not sent from here').toEqual([]);
});

test('who is signed in sees all that the page wants after one press, by one request', async ({ atKeyhole, page, wire }) => {
  await atKeyhole.enter('Garden');
  const files = await Promise.all(['Bees.txt', 'Seeds.csv', 'What grows in salt.md'].map((name) => atKeyhole.idOf(name)));
  wire.serve(HERE, host(preview(files[0]) + `<box-preview collection="${files.slice(1).join(' ')}"></box-preview>`));
  await page.goto(HERE);
  await expect(atKeyhole.message.first()).toContainText('Sign in to see this file');
  const before = tokensAsked(wire).length;
  const asked = wire.to('/auth/login').length;
  await fetchByHand(atKeyhole, page);
  await expect(page.locator('box-preview[data-keyhole=ready]')).toHaveCount(2);
  await page.getByRole('button', { name: 'Next file' }).click();
  await expect(page.locator('box-preview').last().locator('.bp-content')).toContainText('salt');
  const requests = tokensAsked(wire).slice(before).filter((exchange) => exchange.sent('origin') === AUTH);
  expect(requests.map(({ askedBody }) => JSON.parse(askedBody).items.toSorted())).toEqual([files.map((id) => `file_${id}`).toSorted()]);
  expect(wire.to('/auth/login').length, 'nobody was asked to sign in').toBe(asked);
});

test('when its tokens have ended, a calm prompt brings new ones and the file goes on', async ({ atKeyhole, page, wire }) => {
  await page.clock.install();
  const file = await isShownHere(atKeyhole, page, wire);
  const token = () => page.evaluate((id) => document.querySelector('box-preview').keyhole.token(`file_${id}`), file);
  const first = await token();
  expect(first).toEqual(expect.any(String));

  await page.clock.fastForward('02:00:00');
  expect(await token(), 'there is none any more').toBe(null);
  await expect(atKeyhole.preview).toHaveAttribute('data-keyhole', 'paused');
  await expect(atKeyhole.content.locator('.bp-text code'), 'the file is still there').toBeAttached();
  await fetchByHand(atKeyhole, page);
  await isShown(atKeyhole);
  expect(await token()).toEqual(expect.any(String));
});

test('another file asks for another press, and leaves the one that is open alone', async ({ atKeyhole, page, wire }) => {
  await atKeyhole.enter('Garden');
  const [file, other] = await Promise.all(['Bees.txt', 'Seeds.csv'].map((name) => atKeyhole.idOf(name)));
  wire.serve(HERE, host(preview(file)));
  await page.goto(HERE);
  await isSignedOut(atKeyhole);
  await fetchByHand(atKeyhole, page);
  await isShown(atKeyhole);
  await page.evaluate((id) => document.body.append(Object.assign(document.createElement('box-preview'), { file: id })), other);
  const added = page.locator('box-preview').last();
  await expect(added.locator('[part=message]')).toContainText('Sign in to see this file');
  await expect(page.locator('box-preview').first()).toHaveAttribute('data-keyhole', 'ready');
  const opened = page.waitForEvent('popup');
  await added.getByRole('button', { name: 'Sign in with Box' }).click();
  await opened;
  await expect(added).toHaveAttribute('data-keyhole', 'ready');
});

test('a file that is not theirs is said to be so, and nobody is asked to sign in again for it', async ({ atKeyhole, page, wire }) => {
  await atKeyhole.isIn();
  wire.serve(HERE, host(preview('99999999999')));
  await page.goto(HERE);
  await isSignedOut(atKeyhole);
  await fetchByHand(atKeyhole, page);
  await expect(atKeyhole.message).toContainText('This file is not here');
});

test('a no at Box comes back as such', async ({ robin, page, wire }) => {
  wire.serve(HERE, host(preview('1')));
  await page.goto(HERE);
  await isSignedOut(robin);
  const popup = await press(robin, page);
  const there = new robin.constructor(popup, robin.witness);
  await there.enterBox();
  await there.decide('Deny access to Box');
  await expect(robin.message).toContainText('You are not signed in');
});

test('a client of its own: it names what it wants, gets it, and signs out everywhere', async ({ atKeyhole, page, wire }) => {
  await atKeyhole.enter('Garden');
  const file = await atKeyhole.idOf('Bees.txt');
  wire.serve(HERE, host(`<button id="in">In</button><button id="out">Out</button>
    <script type="module">
      import { Keyhole } from '${AUTH}/keyhole.js';
      window.keyhole = new Keyhole();
      const keep = (promise) => (window.outcome = promise.then((value) => value ?? null, ({ code }) => code));
      document.querySelector('#in').onclick = () => keep(keyhole.signIn({ popup: true, items: 'file_${file}' }));
      document.querySelector('#out').onclick = () => keep(keyhole.signOut());
    </script>`));
  await page.goto(HERE);
  await page.waitForFunction(() => window.keyhole?.session());
  await page.getByRole('button', { name: 'In' }).click();
  expect(await page.evaluate(() => window.outcome), 'whose session it is, is not told').toBe(null);
  const held = () => page.evaluate(() => window.keyhole.held().map(({ item }) => item));
  expect(await held()).toEqual([`file_${file}`]);
  expect(await page.evaluate(() => window.keyhole.session())).toBe(null);
  expect(await held(), 'asking for the session costs nothing').toEqual([`file_${file}`]);

  await page.getByRole('button', { name: 'Out' }).click();
  await expect.poll(() => page.evaluate(() => window.outcome)).toBe(null);
  expect(await held()).toEqual([]);
  await page.goto(`${AUTH}/`);
  await atKeyhole.isOut();
});

test('signing out ends the session from wherever it is asked, whatever this page still holds', async ({ atKeyhole, page, wire, context }) => {
  await atKeyhole.isIn();
  wire.serve(HERE, host(`<button id="out">Out</button>
    <script type="module">
      import { Keyhole } from '${AUTH}/keyhole.js';
      const keyhole = new Keyhole();
      document.querySelector('#out').onclick = () => (window.outcome = keyhole.signOut().then(() => 'out', ({ code }) => code));
    </script>`));
  await page.goto(HERE);
  const opened = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Out' }).click();
  await opened;
  expect(await page.evaluate(() => window.outcome)).toBe('out');
  const [closed] = wire.to('/auth/logout');
  expect(closed.sent('cookie'), 'the window sends what this page cannot').toBeTruthy();
  await page.goto(`${AUTH}/`);
  await atKeyhole.isOut();
});

test('a token that Box rejects is reported through the next window, which brings another', async ({ atKeyhole, page, wire }) => {
  const file = await isShownHere(atKeyhole, page, wire);
  const token = () => page.evaluate((id) => document.querySelector('box-preview').keyhole.token(`file_${id}`), file);
  const first = await token();
  await box.revoke(first);
  await page.evaluate((value) => document.querySelector('box-preview').keyhole.refused(value), first);
  expect(await token()).toBe(null);
  await expect(atKeyhole.preview).toHaveAttribute('data-keyhole', 'paused');
  await fetchByHand(atKeyhole, page);
  await isShown(atKeyhole);
  const second = await token();
  expect(second).toEqual(expect.any(String));
  expect(second).not.toBe(first);
});

test('one file that is refused leaves the others alone, and so does a question that needs the cookie', async ({ atKeyhole, page, wire }) => {
  await atKeyhole.enter('Garden');
  const file = await atKeyhole.idOf('Bees.txt');
  wire.serve(HERE, host(preview(file) + preview('99999999999')));
  await page.goto(HERE);
  const [shown, missing] = [page.locator('box-preview').first(), page.locator('box-preview').last()];
  await expect(shown.locator('[part=message]')).toContainText('Sign in to see this file');
  await fetchByHand(atKeyhole, page);
  await expect(shown).toHaveAttribute('data-keyhole', 'ready');
  await expect(missing.locator('[part=message]')).toContainText('This file is not here');
  const asked = await page.evaluate(async (id) => {
    const { keyhole } = document.querySelector('box-preview');
    document.querySelectorAll('box-preview')[1].reload();
    const items = await keyhole.items('0').then(() => 'items', ({ code }) => code);
    return [items, typeof (await keyhole.token(`file_${id}`))];
  }, file);
  expect(asked).toEqual(['signed_out', 'string']);
  await expect(shown).toHaveAttribute('data-keyhole', 'ready');
  await expect(missing.locator('[part=message]')).toContainText('This file is not here');
});

test('a Worker that cannot say whose session it is sends nobody to Box', async ({ atKeyhole, page, wire, context }) => {
  await waitsHere(atKeyhole, page, wire);
  const logins = wire.to('/auth/login').length;
  await context.route(`${AUTH}/api/session`, (route) => route.fulfill({ status: 503, json: { status: 503, code: 'recovering', title: 'In a moment.' } }));
  await press(atKeyhole, page);
  await expect(atKeyhole.message).toContainText('Keyhole does not answer');
  await context.unroute(`${AUTH}/api/session`);
  expect(wire.to('/auth/login').length).toBe(logins);
  await atKeyhole.message.getByRole('button', { name: 'Try again' }).click();
  await isSignedOut(atKeyhole);
  await fetchByHand(atKeyhole, page);
  await isShown(atKeyhole);
});

test('a window that is closed before it has answered leaves words, and the next one brings the file', async ({ atKeyhole, page, wire, context }) => {
  await waitsHere(atKeyhole, page, wire);
  const asked = [];
  await context.route(`${AUTH}/api/tokens`, (route) => void asked.push(route));
  const popup = await press(atKeyhole, page);
  await expect.poll(() => asked.length).toBe(1);
  await popup.close();
  await expect(atKeyhole.message).toContainText('Keyhole does not answer');
  await context.unroute(`${AUTH}/api/tokens`);
  await atKeyhole.message.getByRole('button', { name: 'Try again' }).click();
  await isSignedOut(atKeyhole);
  await fetchByHand(atKeyhole, page);
  await isShown(atKeyhole);
});

test('over a file that stays, a window that is blocked is said to be blocked', async ({ atKeyhole, page, wire }) => {
  await page.clock.install();
  const file = await isShownHere(atKeyhole, page, wire);
  await page.clock.fastForward('02:00:00');
  await page.evaluate((id) => document.querySelector('box-preview').keyhole.token(`file_${id}`), file);
  await expect(atKeyhole.preview).toHaveAttribute('data-keyhole', 'paused');
  await page.evaluate(() => (window.open = () => null));
  await atKeyhole.message.getByRole('button', { name: 'Sign in with Box' }).click();
  await expect(atKeyhole.message).toContainText('Your browser blocked the window');
  await expect(atKeyhole.preview, 'the file stays').toHaveAttribute('data-keyhole', 'paused');
});

test('a browser that keeps no cookie is said to keep none', async ({ robin, page, wire }) => {
  wire.strips('/auth/callback', 'set-cookie');
  wire.serve(HERE, host(preview('1')));
  await page.goto(HERE);
  await isSignedOut(robin);
  const popup = await press(robin, page);
  const there = new robin.constructor(popup, robin.witness);
  await there.enterBox();
  await there.decide('Grant access to Box');
  await expect(robin.message).toContainText('You are not signed in');
});

test('the window is for its opener alone', async ({ atKeyhole, page, wire, context }) => {
  await atKeyhole.enter('Garden');
  const file = await atKeyhole.idOf('Bees.txt');
  const evil = UNLISTED['a stranger'];
  wire.serve(`${evil}/`, host(''));
  await page.goto(`${evil}/`);
  const before = tokensAsked(wire).length;
  await context.addInitScript(() => {
    const listen = window.addEventListener;
    window.addEventListener = (type, ...rest) => {
      window.listensTo = [...(window.listensTo ?? []), type];
      return listen.call(window, type, ...rest);
    };
  });
  for (const opener of [ELSEWHERE, AUTH]) {
    const opened = page.waitForEvent('popup');
    await page.evaluate((address) => void (window.beside = open(address, '_blank', 'popup')), `${AUTH}/auth/hand-over?opener=${encodeURIComponent(opener)}`);
    const popup = await opened;
    await popup.waitForFunction(() => window.listensTo?.includes('message'));
    await page.evaluate((id) => window.beside.postMessage({ type: 'keyhole:ask', id: 1, items: [`file_${id}`] }, '*'), file);
    await page.evaluate(() => window.beside.postMessage({ type: 'keyhole:sign_out', id: 2 }, '*'));
    // A question that the window did take would be on its way before this one of its own.
    await popup.evaluate(() => fetch('/healthz'));
    await popup.close();
  }
  expect(tokensAsked(wire).length, 'it passes nothing on').toBe(before);
  expect(wire.to('/auth/logout')).toEqual([]);
  expect(await page.evaluate(() => window.heard), 'and says nothing').toEqual([]);

  const opened = page.waitForEvent('popup');
  await page.evaluate((address) => void open(address), `${AUTH}/auth/hand-over?opener=${encodeURIComponent(evil)}`);
  const popup = await opened;
  await expect(popup.getByRole('heading', { level: 1 })).toContainText('an allowed one');
  expect(await page.evaluate(() => window.heard)).toEqual([]);
});

test('where a page cuts its windows off, it says so and names tickets', async ({ robin, page, wire }) => {
  wire.serve(HERE, host(preview('1')), { 'cross-origin-opener-policy': 'same-origin' });
  await page.goto(HERE);
  await isSignedOut(robin);
  await press(robin, page);
  await expect(robin.message).toContainText('The sign-in cannot reach this page');
  await expect(robin.message).toContainText('preview tickets');
  await robin.message.getByText('Details', { exact: true }).click();
  await expect(robin.message.locator('code')).toContainText('sign_in_cut_off');
});

test('a window that the browser blocks is said to be blocked', async ({ robin, page, wire }) => {
  wire.serve(HERE, host(preview('1')));
  await page.addInitScript(() => (window.open = () => null));
  await page.goto(HERE);
  await isSignedOut(robin);
  await robin.message.getByRole('button', { name: 'Sign in with Box' }).click();
  await expect(robin.message).toContainText('Your browser blocked the window');
  expect(page.url(), 'leaving the page would not help it').toBe(HERE);
});

test.describe('where Box cuts the window off', () => {
  test.beforeEach(({ wire }) => wire.adds('/api/oauth2/authorize', 'cross-origin-opener-policy', 'same-origin'));

  /** From the button through Box's pages, in a window that no longer knows who opened it. */
  async function signInCutOff(robin, page) {
    const popup = await press(robin, page);
    await expect(popup.getByRole('button', { name: 'Grant access to Box' })).toBeVisible();
    expect(await popup.evaluate(() => window.opener), 'Box did cut it off').toBe(null);
    return popup;
  }

  test('a page of the same site looks at the session, and goes on by itself', async ({ atKeyhole, page, wire }) => {
    await waitsHere(atKeyhole, page, wire, { at: `${APP}/`, nobody: true });
    const popup = await signInCutOff(atKeyhole, page);
    await popup.getByRole('button', { name: 'Grant access to Box' }).click();
    await isShown(atKeyhole);
  });

  test('a page of another site needs one more press, and its window says so', async ({ atKeyhole, page, wire }) => {
    await waitsHere(atKeyhole, page, wire, { nobody: true });
    const popup = await signInCutOff(atKeyhole, page);
    await expect(atKeyhole.message).toContainText('Sign in there, then press again');
    await popup.getByRole('button', { name: 'Grant access to Box' }).click();
    await expect(popup.getByRole('heading', { name: 'You are signed in' })).toBeVisible();
    await expect(popup.locator('main')).toContainText('press its button once more');
    await popup.close();
    await fetchByHand(atKeyhole, page);
    await isShown(atKeyhole);
  });
});

test.describe('for those who hear it, by day and by night', () => {
  // axe itself tries to write a style into the page; an answer that is aborted fails in the console.
  test.use({ means: { violations: true, errors: true } });
  test.setTimeout(90_000);

  test('every face of the window, and of the element that waits for it', async ({ atKeyhole, page, wire, context }) => {
    const wrong = [];
    const look = async (at, heading, state) => {
      await expect(at.getByRole('heading', { level: 1, name: heading })).toBeVisible();
      wrong.push(...(await faultsOf(at, `window ${state}`)));
    };
    const address = `${AUTH}/auth/hand-over?opener=${encodeURIComponent(ELSEWHERE)}`;
    await page.goto(address);
    await look(page, 'You are signed in', 'signed in');
    await page.goto(`${address}&keyhole=denied`);
    await look(page, 'You did not grant access', 'denied');
    await page.route('**/api/session', (route) => route.abort());
    await page.goto(address);
    await look(page, 'Keyhole does not answer', 'silent');
    await page.unroute('**/api/session');

    wire.serve(HERE, host(`<main><h1>Plans</h1>${preview('1')}</main>`));
    await page.goto(HERE);
    await context.clock.install();
    const opened = page.waitForEvent('popup');
    await page.evaluate((at) => void open(at, '_blank', 'popup'), address);
    const popup = await opened;
    await look(popup, 'One moment', 'waiting');
    await context.clock.fastForward('00:20');
    await look(popup, 'Nothing was asked for', 'unasked');
    await popup.close();

    await page.evaluate(() => (window.open = () => null));
    await atKeyhole.message.getByRole('button', { name: 'Sign in with Box' }).click();
    await expect(atKeyhole.message).toContainText('Your browser blocked the window');
    wrong.push(...(await faultsOf(page, 'element popup_blocked')));

    await context.clearCookies({ domain: 'auth.example.test' });
    await page.goto(`${address}&for=go_on`);
    await look(page, 'The sign-in did not work', 'no cookie');
    expect(wrong).toEqual([]);
  });
});
