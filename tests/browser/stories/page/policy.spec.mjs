// The page's policy: exactly the one of the design, and alive. That no story violates it is looked after at the end of
// each (`support/test.mjs`); here is shown that this would be noticed.
import { BOX, CONTENT, KEYHOLE, workerSettings } from '../../support/box.mjs';
import { expect, test } from '../../support/test.mjs';

const library = new URL(workerSettings().PREVIEW_LIBRARY_URL).origin;

const POLICY = (nonce) => [
  "default-src 'none'",
  `script-src 'nonce-${nonce}' 'wasm-unsafe-eval' ${library}`,
  `style-src 'nonce-${nonce}' ${library}`,
  `img-src blob: data: ${library}`,
  `font-src data: ${library}`,
  `connect-src 'self' ${BOX} ${CONTENT} ${library} blob:`,
  `worker-src blob: ${library}`,
  'media-src blob:',
  `frame-src ${CONTENT} blob:`,
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

test('s40 the page runs under exactly the policy of the design, with a nonce used once', async ({ inside, page, wire }) => {
  await inside.openPath('Garden/Bees.txt');
  for (const _ of [1, 2]) {
    await page.reload();
    await inside.sees('Bees.txt');
  }
  const pages = wire.to('/').filter(({ url }) => url.startsWith(KEYHOLE));
  expect(pages.length).toBeGreaterThanOrEqual(3);
  const nonces = pages.map((answer) => /'nonce-([^']+)'/.exec(answer.got('content-security-policy'))[1]);
  pages.forEach((answer, index) => {
    expect(answer.got('content-security-policy')).toBe(POLICY(nonces[index]));
    expect(answer.got('cross-origin-opener-policy')).toBe('same-origin-allow-popups');
    expect(answer.got('cache-control')).toBe('no-store');
    expect(answer.got('referrer-policy')).toBe('no-referrer');
    expect(answer.body.includes('__NONCE__')).toBe(false);
  });
  expect(new Set(nonces).size).toBe(pages.length);
});

test('the page asks nobody but Keyhole, Box and its library', async ({ inside, wire }) => {
  await inside.openPath("Lighthouse/Keeper's Handbook.pdf");
  const asked = new Set(wire.exchanges.map(({ url }) => new URL(url).origin));
  expect([...asked].filter((origin) => ![KEYHOLE, BOX, CONTENT, library].includes(origin))).toEqual([]);
});

test.describe('what the policy forbids', () => {
  test.use({ means: { violations: true, errors: true } });

  const FORBIDDEN = {
    'a script written into the page': ['script-src-elem', () => {
      const script = document.createElement('script');
      script.textContent = 'window.ran = true';
      document.body.append(script);
    }],
    'a handler in an attribute': ['script-src-attr', () => {
      const image = document.createElement('div');
      image.setAttribute('onclick', 'window.ran = true');
      document.body.append(image);
      image.click();
    }],
    'text run as a program': ['script-src', () => setTimeout('window.ran = true')],
    'a style written into the page': ['style-src-elem', () => {
      const style = document.createElement('style');
      style.textContent = 'body { display: none }';
      document.body.append(style);
    }],
    'a question to a stranger': ['connect-src', () => fetch('http://127.0.0.1:9/').catch(() => {})],
    'a picture from a stranger': ['img-src', () => {
      new Image().src = 'http://127.0.0.1:9/x.png';
    }],
    'a frame': ['frame-src', () => {
      const frame = document.createElement('iframe');
      frame.src = 'http://127.0.0.1:9/';
      document.body.append(frame);
    }],
    'another base': ['base-uri', () => {
      const base = document.createElement('base');
      base.href = 'http://127.0.0.1:9/';
      document.head.append(base);
    }],
  };

  test('s40 does not happen, and is noticed', async ({ robin, page, witness }) => {
    await page.goto('/');
    await robin.isOut();
    expect(witness.violations).toEqual([]);
    for (const [what, [directive, act]] of Object.entries(FORBIDDEN)) {
      const before = witness.did('violation').length;
      await page.evaluate(`(${act})()`);
      await expect.poll(() => witness.did('violation').length, { message: what }).toBeGreaterThan(before);
      expect(witness.did('violation').at(-1), what).toContain(`violation: ${directive} `);
    }
    expect(await page.evaluate(() => window.ran)).toBeUndefined();
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  });
});

test('nobody shows the page in a frame', async ({ page, witness }) => {
  const around = `<!doctype html><iframe src="${KEYHOLE}/" title="framed"></iframe>`;
  await page.route('http://127.0.0.1:9/around', (route) => route.fulfill({ contentType: 'text/html', body: around }));
  await page.goto('http://127.0.0.1:9/around');
  await expect.poll(() => witness.console.filter((text) => text.includes('frame-ancestors')).length).toBeGreaterThan(0);
  await expect(page.frameLocator('iframe').getByText('Keep the key.')).toHaveCount(0);
  // That was the point: it is no violation of this story's.
  witness.console = witness.console.filter((text) => !text.includes('frame-ancestors'));
});
