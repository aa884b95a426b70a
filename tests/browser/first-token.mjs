// How long a page waits before its first preview's token is even asked for: `cargo xtask size` prints it. Each load is
// cold, in a browser context of its own with nothing cached, and signed in.
import { chromium } from '@playwright/test';

const LOADS = 9;
const KEYHOLE = process.env.KEYHOLE_WORKER_URL;

const browser = await chromium.launch({ executablePath: process.env.KEYHOLE_CHROMIUM || undefined, args: ['--no-sandbox', '--disable-gpu'] });
try {
  const robin = await signedIn();
  const loads = [];
  for (let load = 0; load < LOADS; load += 1) {
    loads.push(await coldLoad(robin));
  }
  const median = (name) => Math.round(loads.map((load) => load[name]).sort((a, b) => a - b)[(LOADS - 1) / 2]);
  console.log(
    `${median('start')} ms from the start of loading keyhole.js to the first ask for a token, ${median('loaded')} ms of ` +
      `it after all code was there (Chromium, the median of ${LOADS} cold loads, signed in)`,
  );
} finally {
  await browser.close();
}

/** The cookies of somebody who is signed in, and a file to see. */
async function signedIn() {
  const { user } = await (await fetch(`${process.env.KEYHOLE_EMULATOR_URL}/emulator/status`)).json();
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(KEYHOLE);
  await page.getByRole('button', { name: 'Sign in with Box' }).click();
  await page.getByLabel('Email address').fill(user.login);
  await page.getByLabel('Password').fill(user.password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('button', { name: 'Grant access to Box' }).click();
  const file = page.locator('#rows a').filter({ hasText: 'Welcome.md' });
  const address = await file.getAttribute('href');
  const cookies = await context.cookies();
  await context.close();
  return { cookies, file: address.split('/').at(-1) };
}

/** Milliseconds until the first ask for a token: from the start of loading keyhole.js, and from when all of it was there. */
async function coldLoad({ cookies, file }) {
  const context = await browser.newContext();
  await context.addCookies(cookies);
  const page = await context.newPage();
  await answer(page, `${KEYHOLE}/measured`, `<!doctype html>
    <script type="module" src="/keyhole.js"></script><box-preview file="${file}"></box-preview>`);
  const answered = page.waitForResponse(`${KEYHOLE}/api/tokens`);
  await page.goto(`${KEYHOLE}/measured`);
  if (!(await answered).ok()) {
    throw new Error('what was asked for was refused');
  }
  // The browser notes a request when all of its answer has come.
  await page.waitForFunction(() => performance.getEntriesByType('resource').some(({ name }) => name.endsWith('/api/tokens')));
  const times = await page.evaluate(() => {
    const fetched = performance.getEntriesByType('resource');
    const of = (end) => fetched.filter(({ name }) => new URL(name).pathname.endsWith(end));
    const [[entry], [asked]] = [of('/keyhole.js'), of('/api/tokens')];
    const there = Math.max(...[...of('/keyhole.js'), ...of('.wasm')].map(({ responseEnd }) => responseEnd));
    return { start: asked.startTime - entry.startTime, loaded: asked.startTime - there };
  });
  await context.close();
  return times;
}

/** Answers this one address itself. Playwright's `route` would hold up every other request, too. */
async function answer(page, address, html) {
  const session = await page.context().newCDPSession(page);
  session.on('Fetch.requestPaused', ({ requestId }) =>
    session.send('Fetch.fulfillRequest', {
      requestId,
      responseCode: 200,
      responseHeaders: [{ name: 'content-type', value: 'text/html; charset=utf-8' }],
      body: Buffer.from(html).toString('base64'),
    }));
  await session.send('Fetch.enable', { patterns: [{ urlPattern: address }] });
}
