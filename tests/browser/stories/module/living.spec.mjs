// Previews that live: what happens to a file that is open while its token, or the session, comes to an end.
import * as box from '../../support/box.mjs';
import { DOWNLOADS_KEYHOLE, KEYHOLE } from '../../support/box.mjs';
import { colourOfFilm, expectColour } from '../../support/pictures.mjs';
import * as sample from '../../support/sample.mjs';
import { expect, test } from '../../support/test.mjs';

const HANDBOOK = "Lighthouse/Keeper's Handbook.pdf";
const FILM = 'Lighthouse/One turn of the light.mp4';

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

/** Back to the root, for the next path. */
async function home(inside) {
  await inside.page.goto('/');
  await inside.isIn();
  return inside;
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
/** How often Box was asked about the file: once by each load, and again where something is wrong. */
const asksAbout = (wire, file) => wire.to(`/2.0/files/${file}`).filter(({ method }) => method === 'GET').length;
const inRange = (wire) => wire.exchanges.filter((exchange) => exchange.sent('range'));

test('a document whose token dies half way goes on loading', async ({ inside, page, wire }) => {
  const file = await idOf(inside, HANDBOOK);
  wire.serve(`${KEYHOLE}/app`, inRanges(file));
  const halfWay = slowly(page, 4);
  await page.goto('/app');
  await halfWay;
  const first = bearer(inRange(wire)[0]);
  await box.revoke(first);
  const last = inside.content.locator('.bp-doc .page').last();
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  await last.scrollIntoViewIfNeeded();
  await expect(last.locator('canvas')).toBeVisible();
  await expect(last).toContainText(/\w/);
  await expect.poll(() => inRange(wire).every(({ status }) => status > 0), { message: 'each range is answered' }).toBe(true);
  const ranges = inRange(wire);
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

  const given = bearer(inRange(wire)[0]);
  const elsewhere = [];
  await page.route('http://api.box.com.example.test/**', (route) => {
    elsewhere.push(route.request().headers().authorization);
    return route.fulfill({ headers: { 'access-control-allow-origin': '*' } });
  });
  await page.evaluate(async ({ box, keyhole, given }) => {
    await document.querySelector('box-preview').keyhole.refused(given);
    const headers = { Authorization: `Bearer ${given}`, 'Content-Type': 'application/json' };
    const ask = (url) => fetch(url, { method: 'POST', headers, body: '{"event_type":"preview"}' }).catch(() => {});
    await ask(`${box}/2.0/events`);
    await ask(`${keyhole}/anywhere`);
    await ask('http://api.box.com.example.test/2.0/events');
  }, { box: box.BOX, keyhole: KEYHOLE, given });
  const posted = (path) => wire.to(path).filter(({ askedBody }) => askedBody.toString() === '{"event_type":"preview"}');
  const [atBox] = posted('/2.0/events').map(bearer);
  expect(atBox, 'Box gets the live token').toMatch(/^1!/);
  expect(atBox).not.toBe(given);
  expect(posted('/anywhere').map(bearer), 'nobody else does').toEqual([given]);
  expect(elsewhere, 'nor who is only called like Box').toEqual([`Bearer ${given}`]);

  await page.evaluate(() => document.querySelector('box-preview').remove());
  await expect.poll(() => page.evaluate(() => window.fetch === window.firstFetch)).toBe(true);
});

/** Lets each range of the film come, but the one of this number and those after it, until it is released. */
async function upTo(page, number) {
  const held = [];
  let asked = 0;
  let tell;
  const reached = new Promise((resolve) => (tell = resolve));
  await page.route(`${box.CONTENT}/**/film.mp4?*`, async (route) => {
    asked += route.request().headers().range ? 1 : 0;
    if (asked < number) {
      return route.continue();
    }
    tell();
    await new Promise((resolve) => held.push(resolve));
    await route.continue();
  });
  const release = () => {
    number = Infinity;
    held.splice(0).forEach((resolve) => resolve());
  };
  return { reached, release };
}

/** Plays the film from where it is to its end, four times as fast as it is. */
async function playsToItsEnd(inside) {
  const { seconds, probe } = sample.about(FILM);
  const film = inside.content.locator('video');
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  await film.evaluate((film) => ((film.playbackRate = 4), film.play()));
  await expect.poll(() => film.evaluate((film) => film.ended), { timeout: 2 * seconds * 1000 }).toBe(true);
  expect(await film.evaluate((film) => film.currentTime)).toBeCloseTo(seconds, 0);
  expectColour(await colourOfFilm(film, probe.x, probe.y), probe.rgb);
}

test('a film whose token dies half way plays to its end', async ({ inside, page, wire }) => {
  const file = await idOf(inside, FILM);
  wire.serve(`${KEYHOLE}/app`, inRanges(file));
  const pieces = await upTo(page, 4);
  await page.goto('/app');
  await pieces.reached;
  const first = bearer(inRange(wire)[0]);
  await box.revoke(first);
  pieces.release();
  await playsToItsEnd(inside);
  const ranges = inRange(wire);
  expect(ranges.filter(({ status }) => status === 401).map(bearer), 'Box refused the dead one, once').toEqual([first]);
  expect(asksAbout(wire, file), 'and the library did not notice').toBe(1);
  expect(ranges.at(-1).status).toBe(206);
});

test('a player that took `fetch` from an earlier preview goes on with a later one', async ({ inside, page, wire }) => {
  const file = await idOf(inside, FILM);
  wire.serve(`${KEYHOLE}/app`, inRanges(file));
  await page.goto('/app');
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  await page.evaluate(() => document.querySelector('box-preview').remove());
  const before = inRange(wire).length;

  const pieces = await upTo(page, 4);
  await page.evaluate((file) => document.body.append(Object.assign(document.createElement('box-preview'), { file })), file);
  await pieces.reached;
  const first = bearer(inRange(wire)[before]);
  await box.revoke(first);
  pieces.release();
  await playsToItsEnd(inside);
  expect(bearer(inRange(wire).at(-1))).not.toBe(first);
  expect(asksAbout(wire, file), 'and the library did not notice').toBe(2);
});

test('a film that comes whole needs no token any more', async ({ inside, page, wire }) => {
  const file = await idOf(inside, FILM);
  wire.serve(`${KEYHOLE}/app`, inRanges(file));
  await page.route(`${box.BOX}/2.0/files/${file}?fields=id%2C*`, async (route) => {
    const response = await route.fetch();
    const json = await response.json();
    const inPieces = ({ representation }) => representation === 'dash';
    const whole = json.representations.entries.find(inPieces).content.url_template.replace('/dash/', '/mp4/');
    json.representations.entries = [{ representation: 'mp4', status: { state: 'success' }, content: { url_template: whole } }];
    await route.fulfill({ response, json });
  });
  await page.goto('/app');
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  const [film, ...others] = wire.to('/api/2.0/internal_files/*/content/').filter(({ method }) => method === 'GET');
  expect([film.status, others]).toEqual([200, []]);
  await box.revoke(bearer(film));
  await playsToItsEnd(inside);
});

test('where `fetch` cannot be replaced, the library asks for another token, and the film goes on', async ({ inside, page, wire }) => {
  const file = await idOf(inside, FILM);
  wire.serve(`${KEYHOLE}/app`, inRanges(file));
  await page.addInitScript(() => Object.defineProperty(window, 'fetch', { value: window.fetch, writable: false, configurable: false }));
  const pieces = await upTo(page, 4);
  await page.goto('/app');
  await pieces.reached;
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  const first = bearer(inRange(wire)[0]);
  await box.revoke(first);
  pieces.release();
  await playsToItsEnd(inside);
  expect(inRange(wire).filter(({ status }) => status === 401).map(bearer)).toEqual([first]);
});

test('a film whose every token Box refuses ends in words, and comes back when it may', async ({ inside, page, wire }) => {
  const file = await idOf(inside, FILM);
  wire.serve(`${KEYHOLE}/app`, inRanges(file));
  let ranges = 0;
  let refused = 0;
  const headers = { 'access-control-allow-origin': '*' };
  await page.route(`${box.CONTENT}/**/film.mp4?*`, (route) => {
    ranges += 1;
    refused += ranges > 3 ? 1 : 0;
    return ranges > 3 ? route.fulfill({ status: 401, headers }) : route.continue();
  });
  await page.goto('/app');
  await expect(inside.message).toContainText('Box refuses this page');
  expect(refused, 'two tokens at first, and one more each time that the library asks').toBe(5);
  await page.unrouteAll();
  await inside.message.getByRole('button', { name: 'Try again' }).click();
  await playsToItsEnd(inside);
});

test('a library that asks without an end for a file that is open is answered in words', async ({ inside, page, wire }) => {
  const file = await idOf(inside, 'Garden/Bees.txt');
  wire.serve(`${KEYHOLE}/app`, inRanges(file));
  // The element hands its token function to the library, and this page keeps it.
  await page.addInitScript(() => {
    let library;
    Object.defineProperty(window, 'Box', {
      configurable: true,
      get: () => library,
      set: (given) => {
        const { show } = given.Preview.prototype;
        given.Preview.prototype.show = function (file, token, options) {
          window.askAgain = () => token([`file_${file}`]);
          return show.call(this, file, token, options);
        };
        library = given;
      },
    });
  });
  await page.goto('/app');
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  const ask = () => page.evaluate(async () => (await window.askAgain()) !== null);
  expect([await ask(), await ask(), await ask()]).toEqual([true, true, true]);
  await expect(inside.message).toBeHidden();
  expect(await ask()).toBe(false);
  await expect(inside.message).toContainText('Box refuses this page');
});

test('a laptop that slept for a night wakes to a page that goes on', async ({ inside, page, context, wire }) => {
  const [file, other] = [await idOf(inside, HANDBOOK), await idOf(await home(inside), 'Garden/Bees.txt')];
  wire.serve(`${KEYHOLE}/app`, inRanges(file));
  let isAsleep = false;
  let cut = 0;
  await page.route(`${box.CONTENT}/**`, async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    cut += isAsleep ? 1 : 0;
    return isAsleep ? route.abort('internetdisconnected') : route.continue();
  });
  await page.clock.install();
  await page.goto('/app');
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  const first = bearer(inRange(wire)[0]);

  isAsleep = true;
  await context.setOffline(true);
  await expect.poll(() => cut, { message: 'something was on its way' }).toBeGreaterThan(0);
  await page.clock.fastForward('09:00:00');
  await box.revoke(first);
  isAsleep = false;
  await context.setOffline(false);

  const last = inside.content.locator('.bp-doc .page').last();
  await last.scrollIntoViewIfNeeded();
  await expect(last).toContainText(/\w/);
  await page.evaluate((other) => (document.querySelector('box-preview').file = other), other);
  await expect(inside.content.locator('.bp-text code')).toContainText(sample.text('Garden/Bees.txt').split('\n')[0]);
});

test.describe('where visitors may keep what they see', () => {
  test.use({ baseURL: DOWNLOADS_KEYHOLE });

  const shown = (file, scopes) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title>
<style>html, body, box-preview { height: 100%; margin: 0 }</style>
<script type="module" src="${DOWNLOADS_KEYHOLE}/keyhole.js"></script>
<box-preview file="${file}" show-download scopes="${scopes}"></box-preview>`;
  const printing = (inside) => inside.preview.getByRole('button', { name: 'Print', exact: true });

  for (const [path, drawn] of [['Garden/Bees.txt', 'code'], ['Post cards/Stamp.png', 'img']]) {
    test(`what is drawn is printed as it is, without asking Box: ${path}`, async ({ inside, page, wire }) => {
      const file = await idOf(inside, path);
      wire.serve(`${DOWNLOADS_KEYHOLE}/app`, shown(file, 'base_preview item_preview item_download'));
      await page.addInitScript(() => {
        const isThere = (image) => image.complete && image.naturalWidth > 0;
        window.print = () => (window.top.printed = [...document.images].every(isThere) && document.body.innerHTML);
      });
      await page.goto('/app');
      await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
      const asked = () => wire.exchanges.filter(({ url }) => url.startsWith(box.CONTENT)).length;
      const before = asked();
      await printing(inside).click();
      await expect.poll(() => page.evaluate(() => window.printed ?? '')).toContain(`<${drawn}`);
      expect(asked()).toBe(before);
    });
  }

  test('whose token is for looking only may neither print nor download', async ({ inside, page, wire }) => {
    const file = await idOf(inside, 'Garden/Bees.txt');
    wire.serve(`${DOWNLOADS_KEYHOLE}/app`, shown(file, 'base_preview item_preview'));
    await page.goto('/app');
    await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
    await expect(inside.preview.getByRole('button', { name: /Print|Download/ })).toHaveCount(0);
  });
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
