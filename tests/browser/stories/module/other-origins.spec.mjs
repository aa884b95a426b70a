// Pages that are not Keyhole's own: beside it on its site, elsewhere, and those that nobody listed.
import https from 'node:https';
import * as box from '../../support/box.mjs';
import { makeCertificate } from '../../support/certificate.mjs';
import { APP, AUTH, ELSEWHERE, UNLISTED, twoLines } from '../../support/places.mjs';
import * as sample from '../../support/sample.mjs';
import { expect, test } from '../../support/test.mjs';

const SESSION = '__Host-Http-keyhole';
const BEES = sample.text('Garden/Bees.txt').trim().slice(0, 30);

/** Of the Worker's own answers alone. */
const asked = (wire, path) => wire.to(path).filter(({ url }) => url.startsWith(AUTH));

const idOfBees = async (journey) => {
  await journey.enter('Garden');
  return journey.idOf('Bees.txt');
};

/** The passes that this browser was handed, or those of them that are in some state at Box. */
const passes = async (wire, wanted) => {
  const answers = asked(wire, '/api/tokens').filter(({ status, method }) => status === 200 && method === 'POST');
  const handed = new Set(answers.flatMap((answer) => Object.values(answer.json().tokens)).map(({ access_token }) => access_token));
  const { children } = await box.issued();
  return children.filter(({ value, state }) => handed.has(value) && (!wanted || state === wanted)).map(({ value }) => value);
};

/** Keeps every message that this page gets from a window. */
const listen = (page) =>
  page.addInitScript(() => {
    window.heard = [];
    addEventListener('message', ({ origin, data }) => window.heard.push({ origin, data }));
  });

const plain = (title) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>`;

test.describe('beside Keyhole, on its site', () => {
  test('the two lines of the README show a text and a PDF', async ({ atKeyhole, page, wire }) => {
    await atKeyhole.enter('Garden');
    const [bees, walk] = [await atKeyhole.idOf('Bees.txt'), await atKeyhole.idOf('A walk round the garden.pdf')];
    wire.serve(`${APP}/`, twoLines(bees));
    await page.goto(`${APP}/`);
    await expect(atKeyhole.content.locator('.bp-text code')).toContainText(BEES);

    await page.evaluate((file) => (document.querySelector('box-preview').file = file), walk);
    const sheet = atKeyhole.content.locator('.bp-doc .page').first();
    await expect(sheet.locator('canvas')).toBeVisible();
    await expect(sheet).toContainText(sample.about('Garden/A walk round the garden.pdf').says['1']);
  });

  test('the session comes along as a Strict cookie, over HTTPS only and out of reach of scripts', async ({ atKeyhole, page, context, wire }) => {
    wire.serve(`${APP}/`, twoLines(await idOfBees(atKeyhole)));
    await page.goto(`${APP}/`);
    await expect(atKeyhole.preview).toHaveAttribute('data-keyhole', 'ready');
    const [cookie] = (await context.cookies(AUTH)).filter(({ name }) => name === SESSION);
    expect(cookie).toMatchObject({ domain: 'auth.example.test', path: '/', secure: true, httpOnly: true, sameSite: 'Strict' });
    const fromApp = asked(wire, '/api/*').filter((exchange) => exchange.sent('origin') === APP && exchange.method !== 'OPTIONS');
    expect(fromApp.map(({ path }) => path)).toEqual(['/api/session', '/api/tokens']);
    for (const exchange of fromApp) {
      expect(exchange.sent('cookie')).toContain(`${SESSION}=`);
      expect(exchange.got('access-control-allow-origin')).toBe(APP);
      expect(exchange.got('access-control-allow-credentials')).toBe('true');
      expect(exchange.got('vary')).toContain('Origin');
    }
    expect(await page.evaluate(() => document.cookie), 'nothing of it is the host page’s').toBe('');
  });

  test('signed out, a window beside the page signs in, and the file shows without leaving', async ({ atKeyhole, page, context, wire }) => {
    const bees = await idOfBees(atKeyhole);
    await context.clearCookies({ domain: 'auth.example.test' });
    wire.serve(`${APP}/here?a=1`, twoLines(bees));
    await listen(page);
    await page.goto(`${APP}/here?a=1#b`);
    await expect(atKeyhole.message).toContainText('Sign in to see this file');
    const opened = page.waitForEvent('popup');
    await page.getByRole('button', { name: 'Sign in with Box' }).click();
    const popup = await opened;
    await popup.getByRole('button', { name: 'Grant access to Box' }).click();
    await expect(atKeyhole.content.locator('.bp-text code')).toContainText(BEES);
    await expect.poll(() => popup.isClosed()).toBe(true);
    expect(page.url(), 'the page was not left').toBe(`${APP}/here?a=1#b`);

    const heard = await page.evaluate(() => window.heard);
    expect(heard.length, 'the window said something').toBeGreaterThan(0);
    for (const { origin, data } of heard) {
      expect(origin).toBe(AUTH);
      expect(Object.keys(data), 'one word, and nothing with it').toEqual(['type']);
    }
  });

  test('a host page that cuts windows off signs in all the same: it looks at the session itself', async ({ atKeyhole, page, context, wire }) => {
    const bees = await idOfBees(atKeyhole);
    await context.clearCookies({ domain: 'auth.example.test' });
    wire.serve(`${APP}/`, twoLines(bees), { 'cross-origin-opener-policy': 'same-origin' });
    await listen(page);
    await page.goto(`${APP}/`);
    const opened = context.waitForEvent('page');
    await page.getByRole('button', { name: 'Sign in with Box' }).click();
    const popup = await opened;
    await popup.getByRole('button', { name: 'Grant access to Box' }).click();
    await expect(atKeyhole.content.locator('.bp-text code')).toContainText(BEES);
    expect(await popup.evaluate(() => window.opener), 'it was cut off').toBeNull();
    await expect(popup.getByRole('heading', { name: 'You are signed in' })).toBeVisible();
    expect(await page.evaluate(() => window.heard)).toEqual([]);
  });

  test('what the window says is for the origin that it was opened for: whoever has come in its place hears nothing', async ({ atKeyhole, page, context, wire, witness }) => {
    wire.serve(`${APP}/`, twoLines(await idOfBees(atKeyhole)));
    await context.clearCookies({ domain: 'auth.example.test' });
    await listen(page);
    await page.goto(`${APP}/`);
    const opened = page.waitForEvent('popup');
    await page.getByRole('button', { name: 'Sign in with Box' }).click();
    const popup = await opened;
    await popup.getByRole('button', { name: 'Grant access to Box' }).waitFor();

    const stranger = UNLISTED['a sibling'];
    wire.serve(`${stranger}/`, plain('In its place'));
    await page.goto(`${stranger}/`);
    const session = wire.next('/api/session');
    await popup.getByRole('button', { name: 'Grant access to Box' }).click();
    expect((await session).json().session, 'the sign-in itself went well').not.toBeNull();
    const undelivered = () => witness.console.filter((text) => text.includes("does not match the recipient window's origin"));
    await expect.poll(() => undelivered().length, { message: 'the browser kept what was posted' }).toBeGreaterThan(0);
    expect(await page.evaluate(() => window.heard)).toEqual([]);
  });

  test('a sign-out from there ends the session, also at Box', async ({ atKeyhole, page, context, wire }) => {
    wire.serve(`${APP}/`, twoLines(await idOfBees(atKeyhole)));
    await page.goto(`${APP}/`);
    await expect(atKeyhole.preview).toHaveAttribute('data-keyhole', 'ready');
    await page.evaluate(() => document.querySelector('box-preview').keyhole.signOut());
    await expect(atKeyhole.message).toContainText('Sign in to see this file');
    expect(await page.evaluate(() => document.querySelector('box-preview').keyhole.session())).toBeNull();
    expect((await context.cookies(AUTH)).filter(({ name }) => name === SESSION)).toEqual([]);
    await expect.poll(() => passes(wire, 'live'), { message: 'each pass is dead at Box' }).toEqual([]);
    expect(await passes(wire)).toHaveLength(1);
  });

  test('tabs of two origins on the same file cost Box one pass, and a sign-out in one ends the other', async ({ atKeyhole, page, wire }) => {
    await atKeyhole.openPath('Garden/Bees.txt');
    wire.serve(`${APP}/`, twoLines(await atKeyhole.openId()));
    const other = await atKeyhole.inAnotherTab();
    await other.page.goto(`${APP}/`);
    await expect(other.content.locator('.bp-text code')).toContainText(BEES);
    expect(await passes(wire)).toHaveLength(1);

    await page.bringToFront();
    await page.keyboard.press('Escape');
    await atKeyhole.signOut();
    await atKeyhole.isOut();
    // Between origins nothing is told: the next question brings it to light.
    await other.page.evaluate(() => document.querySelector('box-preview').keyhole.session());
    await expect(other.message).toContainText(/Sign in|sign-in has ended/);
  });
});

/** Runs in a page: asks Keyhole for all there is to ask, and tells what the page's script can read of each answer. */
async function askForEverything({ auth, file }) {
  const given = { credentials: 'include', headers: { 'Keyhole-Request': '1', 'Content-Type': 'application/json' } };
  const wish = { method: 'POST', body: JSON.stringify({ items: [`file_${file}`] }) };
  const simple = { credentials: 'include', mode: 'no-cors' };
  const questions = {
    'the session': ['/api/session', given],
    'a folder': ['/api/folders/0/items', given],
    'a token': ['/api/tokens', { ...given, ...wish }],
    'the session, as a form would': ['/api/session', simple],
    'a token, as a form would': ['/api/tokens', { ...simple, ...wish }],
    'the end, as a form would': ['/auth/logout', { ...simple, method: 'POST' }],
    'the end': ['/auth/logout', { ...given, method: 'POST' }],
  };
  const read = {};
  for (const [what, [path, init]] of Object.entries(questions)) {
    read[what] = await fetch(auth + path, init).then(async (answer) => (answer.type === 'opaque' ? 'nothing' : answer.status), () => 'nothing');
  }
  return read;
}

const NOTHING = {
  'the session': 'nothing',
  'a folder': 'nothing',
  'a token': 'nothing',
  'the session, as a form would': 'nothing',
  'a token, as a form would': 'nothing',
  'the end, as a form would': 'nothing',
  'the end': 'nothing',
};

test.describe('who may ask', () => {
  test('a listed origin of the same site reads every answer that it asks for as agreed', async ({ atKeyhole, page, wire }) => {
    const file = await idOfBees(atKeyhole);
    wire.serve(`${APP}/`, plain('A host page'));
    await page.goto(`${APP}/`);
    expect(await page.evaluate(askForEverything, { auth: AUTH, file })).toEqual({
      ...NOTHING, 'the session': 200, 'a folder': 200, 'a token': 200, 'the end': 204,
    });
  });

  test('a listed origin of another site reads answers too, but to nobody: the cookie is never sent there', async ({ atKeyhole, page, context, wire }) => {
    const file = await idOfBees(atKeyhole);
    wire.serve(`${ELSEWHERE}/`, `${plain('A host page elsewhere')}<a href="${AUTH}/">Keyhole</a>`);
    await page.goto(`${ELSEWHERE}/`);
    const before = asked(wire, '*').length;
    expect(await page.evaluate(askForEverything, { auth: AUTH, file })).toMatchObject({ 'a token': 401, 'a folder': 401 });
    const since = asked(wire, '*').slice(before);
    expect(since.length).toBeGreaterThan(0);
    expect(since.filter((exchange) => exchange.sent('cookie')), 'questions with a cookie').toEqual([]);
    expect(await passes(wire)).toEqual([]);

    // A link would bring any cookie along that is less than Strict: one is put there to see it.
    await context.addCookies([{ name: 'lax', value: '1', domain: new URL(AUTH).hostname, path: '/', secure: true, sameSite: 'Lax' }]);
    await page.getByRole('link', { name: 'Keyhole' }).click();
    await atKeyhole.isIn();
    expect(asked(wire, '/').at(-1).sent('cookie')).toBe('lax=1');
  });

  test('s27 nobody else reads anything, gets a token or ends the session: origins are compared letter by letter', async ({ atKeyhole, page, wire }) => {
    const file = await idOfBees(atKeyhole);
    const getsNothing = async (who, asker) => {
      const before = asked(wire, '*').length;
      expect(await asker.evaluate(askForEverything, { auth: AUTH, file }), `what ${who} reads`).toEqual(NOTHING);
      const since = asked(wire, '*').slice(before);
      expect(since.length, `${who} did ask`).toBeGreaterThan(0);
      expect(since.filter(({ status }) => status < 400).map(({ path }) => path), `what ${who} was answered`).toEqual([]);
      expect(since.map((exchange) => exchange.got('access-control-allow-origin')).filter(Boolean), 'nobody is named').toEqual([]);
    };
    for (const [who, origin] of Object.entries(UNLISTED)) {
      wire.serve(`${origin}/`, twoLines(file));
      await page.goto(`${origin}/`);
      await expect(atKeyhole.message, `what the element says to ${who}`).toContainText('Keyhole does not answer');
      await expect(atKeyhole.content).toHaveCount(0);
      await getsNothing(`${who} (${origin})`, page);
    }
    wire.serve(`${APP}/`, `${plain('A host page')}<iframe sandbox="allow-scripts" srcdoc="<p>A widget</p>"></iframe>`);
    await page.goto(`${APP}/`);
    const frame = page.frames().find((one) => one !== page.mainFrame());
    await frame.locator('p').waitFor();
    expect(await frame.evaluate(() => self.origin)).toBe('null');
    await getsNothing('a sandboxed frame of a listed page', frame);

    expect(await passes(wire)).toEqual([]);
    await page.goto(`${AUTH}/`);
    await atKeyhole.isIn();
  });
});

test.describe('who may frame the page', () => {
  const around = (inner) => `${plain('Around')}<iframe title="framed" style="width: 100%; height: 80vh" ${inner}></iframe>`;
  const keyhole = `src="${AUTH}/"`;

  test('a listed page of the site shows it, with the session', async ({ atKeyhole, page, wire }) => {
    await atKeyhole.isIn();
    wire.serve(`${APP}/`, around(keyhole));
    await page.goto(`${APP}/`);
    await expect(page.frameLocator('iframe').locator('#who')).toContainText(box.ROBIN.name);
  });

  const REFUSED = {
    'a listed caller that is no listed ancestor': [ELSEWHERE, () => around(keyhole)],
    'a sibling': [UNLISTED['a sibling'], () => around(keyhole)],
    'a listed page inside of another': [UNLISTED['a stranger'], (wire) => {
      wire.serve(`${APP}/inner`, around(keyhole));
      return around(`src="${APP}/inner"`);
    }],
    'a sandboxed page, whose origin is `null`': [APP, () => around(`sandbox="allow-scripts" srcdoc='<iframe ${keyhole}></iframe>'`)],
  };

  test('nobody else does: no listed caller, no sibling, no page around a listed one, no sandboxed one', async ({ page, wire, witness }) => {
    const refusals = () => witness.console.filter((text) => text.includes('frame-ancestors'));
    for (const [who, [origin, html]] of Object.entries(REFUSED)) {
      witness.console = [];
      wire.serve(`${origin}/around`, html(wire));
      await page.goto(`${origin}/around`);
      await expect.poll(() => refusals().length, { message: who }).toBeGreaterThan(0);
      expect(page.frames().filter((frame) => frame.url().startsWith(AUTH)), who).toEqual([]);
    }
    // That was the point: they are no violations of this story's.
    witness.console = [];
  });
});

test('the browser of these stories believes their own certificate, and no other', async ({ page }) => {
  const stranger = https.createServer(makeCertificate(), (_, response) => response.end('A stranger'));
  await new Promise((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  const refused = page.goto(`https://localhost:${stranger.address().port}/`).then(() => 'shown', String);
  expect(await refused).toContain('ERR_CERT_AUTHORITY_INVALID');
  stranger.closeAllConnections();
  stranger.close();
});
