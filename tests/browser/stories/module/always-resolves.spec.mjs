// Box's library waits for ever on a promise that rejects or never settles: the token function does neither, whatever
// comes from the Worker. At random; what fails names the seed.
import { KEYHOLE } from '../../support/box.mjs';
import { expect, test } from '../../support/test.mjs';

const ROUNDS = 250;
/** The token function's own limit, in `keyhole.js`. */
const LIMIT_MS = 20_000;

const STATUSES = [200, 200, 200, 204, 206, 304, 400, 401, 403, 404, 409, 418, 429, 500, 502, 503];
const TYPES = ['application/json', 'application/problem+json', 'text/html', 'application/octet-stream', ''];
const FAILURES = ['failed', 'connectionreset', 'connectionrefused', 'timedout', 'internetdisconnected', 'accessdenied'];

/** A generator of numbers below one (mulberry32's recurrence), so that a failure can be seen again. */
function numbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function answers(seed) {
  const number = numbers(seed);
  const one = (list) => list[Math.floor(number() * list.length)];
  const junk = () => String.fromCharCode(...Array.from({ length: Math.floor(number() * 200) }, () => Math.floor(number() * 256)));
  const value = (depth) =>
    one([
      () => null,
      () => number() * 1e12 - 5e11,
      () => junk(),
      () => number() < 0.5,
      () => (depth > 2 ? [] : [value(depth + 1), value(depth + 1)]),
      () => (depth > 2 ? {} : { access_token: value(depth + 1), expires_in: value(depth + 1), scope: value(depth + 1) }),
      () => (depth > 2 ? {} : { error: value(depth + 1), code: value(depth + 1), status: value(depth + 1) }),
      () => ({ access_token: 'a-token', expires_in: 3600, scope: 'item_preview' }),
    ])();
  const body = () =>
    one([
      () => '',
      () => junk(),
      () => JSON.stringify(value(0)),
      () => JSON.stringify({ tokens: value(0) }),
      () => JSON.stringify({ tokens: { file_1: value(0), file_2: value(0) } }),
      () => JSON.stringify({ type: 'about:blank', code: one(['signed_out', 'rate_limited', junk()]), status: value(0) }),
      () => `{"tokens":{"file_1":${'['.repeat(5000)}`,
    ])();
  return () => (number() < 0.15 ? { abort: one(FAILURES) } : { status: one(STATUSES), contentType: one(TYPES), body: body() });
}

/** What Box's library takes: a token or nothing, for one or for each. */
const isTaken = (given, asked) =>
  given === null ||
  (typeof asked === 'string'
    ? typeof given === 'string'
    : Object.keys(given).every((id) => asked.includes(id) && (given[id] === null || typeof given[id] === 'string')));

test.describe(() => {
  // Refused and broken answers are the browser's to complain about.
  test.use({ means: { violations: true, errors: false } });

  test('whatever the Worker answers, the token function resolves, in time, to what the library takes', async ({ inside, page }) => {
    test.slow();
    const seed = Number(process.env.KEYHOLE_SEED ?? Date.now() % 2 ** 32);
    await expect(inside.row('Garden')).toBeVisible();
    await page.route(`${KEYHOLE}/blank`, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>A page</title>' }));
    await page.goto('/blank');
    await page.evaluate(async (module) => {
      const { Keyhole } = await import(module);
      window.keyhole = new Keyhole();
      await window.keyhole.session();
    }, `${KEYHOLE}/keyhole.js`);
    const next = answers(seed);
    let answer;
    await page.route('**/api/tokens', (route) => (answer.abort ? route.abort(answer.abort) : route.fulfill(answer)));
    for (let round = 0; round < ROUNDS; round += 1) {
      answer = next();
      const asked = [['file_1'], ['file_1', 'file_2'], 'file_1'][round % 3];
      const told = await page.evaluate(
        async ([asked, limit]) => {
          const late = new Promise((resolve) => setTimeout(resolve, limit, { late: true }));
          try {
            return await Promise.race([window.keyhole.token(asked).then((given) => ({ given })), late]);
          } catch (error) {
            return { rejected: String(error) };
          }
        },
        [asked, LIMIT_MS],
      );
      const ground = `KEYHOLE_SEED=${seed}, round ${round}: ${JSON.stringify(answer)} for ${JSON.stringify(asked)}`;
      expect(told, ground).not.toHaveProperty('rejected');
      expect(told, ground).not.toHaveProperty('late');
      expect(isTaken(told.given ?? null, asked), `${ground} brought ${JSON.stringify(told.given)}`).toBe(true);
    }
  });

  test('a Worker that never answers is waited for within the limit', async ({ inside, page }) => {
    await expect(inside.row('Garden')).toBeVisible();
    await page.route(`${KEYHOLE}/blank`, (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>A page</title>' }));
    await page.clock.install();
    await page.goto('/blank');
    await page.evaluate(async (module) => {
      const { Keyhole } = await import(module);
      window.keyhole = new Keyhole();
      await window.keyhole.session();
      window.given = 'nothing yet';
    }, `${KEYHOLE}/keyhole.js`);
    await page.route('**/api/tokens', () => {});
    await page.evaluate(() => void window.keyhole.token(['file_1']).then((given) => (window.given = given)));
    await page.clock.fastForward(LIMIT_MS / 2);
    expect(await page.evaluate(() => window.given)).toBe('nothing yet');
    await page.clock.fastForward(LIMIT_MS / 2);
    await expect.poll(() => page.evaluate(() => window.given)).toBeNull();
  });
});
