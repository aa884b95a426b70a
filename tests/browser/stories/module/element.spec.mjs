// `<box-preview>` on a page of somebody's own: every face that it shows, for those who hear it, by day and by night, on a
// phone, and in the clothes of the page.
import { KEYHOLE } from '../../support/box.mjs';
import { held } from '../../support/held.mjs';
import { faultsOf, picture } from '../../support/looks.mjs';
import { expect, test } from '../../support/test.mjs';

const FULL = '<style>html, body { height: 100%; margin: 0 } main { height: 100%; display: grid; grid-template-rows: auto 1fr } h1 { font: 1rem sans-serif } :root { color-scheme: light dark }</style>';

/** A page at Keyhole's own origin that is not Keyhole's page. */
const serve = (wire, html) =>
  wire.serve(
    `${KEYHOLE}/app`,
    `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
     <title>A page</title>${FULL}<main><h1>Somebody’s page</h1>${html}</main><script type="module" src="${KEYHOLE}/keyhole.js"></script></html>`,
  );

/** Signed in, with a file of the sample to show. */
async function withAFile(inside) {
  await inside.enter('Garden');
  return (await inside.row('Bees.txt').getAttribute('href')).split('/').at(-1);
}

/** The Worker's answers for one file, as `src/core/problem.rs` writes them, and the words that a person reads. */
const ITEM_FAULTS = [
  ['item_not_found', 404, 'This file is not here'],
  ['scope_not_allowed', 403, 'This page asks for more than it may'],
  ['rate_limited', 429, 'Too many files at once'],
  ['box_unavailable', 503, 'Box is not available right now'],
  ['locked', 503, 'Your sign-in cannot be opened right now'],
];

/** Each face in an order that one person can walk: reach it, then look at it. */
async function walk({ inside, page, wire, context }, look) {
  const element = page.locator('box-preview');
  const message = inside.message;
  const file = await withAFile(inside);
  serve(wire, `<box-preview file="${file}"></box-preview>`);

  const tokens = await held(page, '**/api/tokens');
  await page.goto('/app');
  await expect(element.locator('[part=loading-text]')).toBeVisible();
  await look('loading');
  await tokens.release();
  await expect(element).toHaveAttribute('data-keyhole', 'ready');
  await look('ready');

  for (const [code, status, words] of ITEM_FAULTS) {
    const problem = { status, code, title: 'In the Worker\'s words.' };
    await page.route('**/api/tokens', (route) => route.fulfill({ json: { tokens: { [`file_${file}`]: { error: problem } } } }));
    await page.reload();
    await expect(message).toContainText(words);
    await message.getByText('Details', { exact: true }).click();
    await expect(message.locator('code')).toContainText(code);
    await look(code);
    await page.unroute('**/api/tokens');
  }

  const unlisted = { status: 403, headers: { 'access-control-allow-origin': '*' }, json: { code: 'cors_origin_not_whitelisted' } };
  for (const [state, address, answer, words] of [
    ['worker silent', '**/api/session', (route) => route.abort(), 'Keyhole does not answer'],
    ['library blocked', '**/preview.js', (route) => route.abort(), 'Box’s viewer did not load'],
    ['cors', '**/2.0/files/*?*', (route) => route.fulfill(unlisted), 'Box does not answer this page'],
  ]) {
    await page.route(address, answer);
    await page.reload();
    await expect(message).toContainText(words);
    await look(state);
    await page.unroute(address);
  }

  await page.reload();
  await expect(element).toHaveAttribute('data-keyhole', 'ready');
  await context.clearCookies({ domain: 'localhost' });
  await element.evaluate((preview) => preview.keyhole.session());
  await expect(element).toHaveAttribute('data-keyhole', 'paused');
  await look('paused');
  await page.reload();
  await expect(message).toContainText('Sign in to see this file');
  await look('signed out');
}

test.describe(() => {
  // axe itself tries to write a style into the page; an answer that is aborted fails in the console.
  test.use({ means: { violations: true, errors: true } });
  test.setTimeout(120_000);

  test('every face of the element is accessible by day and by night, and fits a phone', async ({ inside, page, wire, context }) => {
    const wrong = [];
    await walk({ inside, page, wire, context }, async (state) => {
      wrong.push(...(await faultsOf(page, `element ${state}`)));
      for (const width of [320, 390]) {
        await page.setViewportSize({ width, height: 640 });
        await picture(page, `element ${state}`, `phone-${width}`);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        const low = await page.evaluate(() => [...document.querySelector('box-preview').shadowRoot.querySelectorAll('button')].filter((button) => button.getBoundingClientRect().height < 40).length);
        if (wide > 0 || low > 0) wrong.push(`${state}, ${width}: ${wide} too wide, ${low} buttons too low`);
      }
      await page.setViewportSize({ width: 1280, height: 860 });
    });
    expect(wrong).toEqual([]);
  });
});

test('a page puts its own words into the slots, and its own button signs in', async ({ inside, page, wire, context }) => {
  const file = await withAFile(inside);
  await context.clearCookies({ domain: 'localhost' });
  serve(
    wire,
    `<box-preview file="${file}">
       <p slot="loading">Fetching the plans…</p>
       <div slot="sign-in"><p>Members only</p><button id="own">Let me in</button></div>
       <p slot="error" role="alert">Ask Edda for the file</p>
     </box-preview>
     <script type="module">
       const preview = document.querySelector('box-preview');
       document.querySelector('#own').onclick = () => preview.keyhole.signIn({ popup: true });
     </script>`,
  );
  await page.goto('/app');
  await expect(page.getByText('Members only')).toBeVisible();
  await expect(page.getByText('Sign in to see this file')).toBeHidden();
  await expect(page.getByText('Ask Edda for the file')).toBeHidden();

  const tokens = [];
  await page.route('**/api/tokens', (route) => void tokens.push(route));
  const opened = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Let me in' }).click();
  await (await opened).getByRole('button', { name: 'Grant access to Box' }).click();
  await expect(page.getByText('Fetching the plans…')).toBeVisible();
  await expect(page.getByText('Loading the preview')).toBeHidden();
  await expect(page.getByText('Members only')).toBeHidden();
  await Promise.all(tokens.map((route) => route.abort()));
  await expect(page.getByText('Ask Edda for the file')).toBeVisible();
  await expect(page.getByText('Keyhole does not answer')).toBeHidden();

  await page.unroute('**/api/tokens');
  await page.locator('box-preview').evaluate((preview) => preview.reload());
  await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  await expect(page.getByText('Ask Edda for the file')).toBeHidden();
});

test('a page dresses the parts', async ({ inside, page, wire }) => {
  await inside.isIn();
  serve(
    wire,
    `<style>
       box-preview { --keyhole-accent: rgb(200, 10, 20); --keyhole-surface: rgb(1, 2, 3); --keyhole-ink: rgb(250, 251, 252) }
       box-preview::part(title) { text-transform: uppercase } box-preview::part(button) { border-radius: 0 }
       box-preview::part(details) { display: none }
     </style>
     <box-preview file="99999999999"></box-preview>`,
  );
  await page.route('**/api/tokens', (route) => route.abort());
  await page.goto('/app');
  await expect(inside.preview.locator('[part=title]')).toHaveCSS('text-transform', 'uppercase');
  await expect(inside.preview.locator('[part=details]')).toBeHidden();
  await expect(inside.preview.locator('[part=button]')).toHaveCSS('border-radius', '0px');
  await expect(inside.preview.locator('[part=button]')).toHaveCSS('background-color', 'rgb(200, 10, 20)');
  await expect(inside.preview.locator('[part=message]')).toHaveCSS('background-color', 'rgb(1, 2, 3)');
});

test('attributes and properties say the same, and an element that leaves cleans up', async ({ inside, page, wire }) => {
  const file = await withAFile(inside);
  const other = (await inside.row('Seeds.csv').getAttribute('href')).split('/').at(-1);
  serve(wire, '<box-preview></box-preview>');
  await page.goto('/app');
  const reflected = await inside.preview.evaluate((preview) =>
    [
      ['file', '12', 'file', '12', null],
      ['scopes', 'item_preview', 'scopes', 'item_preview', null],
      ['header', 'dark', 'header', 'dark', null],
      ['locale', 'de-DE', 'locale', 'de-DE', null],
      ['showDownload', true, 'show-download', '', false],
      ['collection', ['1', '2'], 'collection', '1 2', []],
    ].map(([property, value, attribute, written, absent]) => {
      preview[property] = value;
      const seen = [property, preview.getAttribute(attribute), preview[property]];
      preview.removeAttribute(attribute);
      return { seen: [...seen, preview[property]], wanted: [property, written, value, absent] };
    }),
  );
  for (const { seen, wanted } of reflected) {
    expect(seen).toEqual(wanted);
  }

  const native = await page.evaluate(() => window.fetch.toString());
  for (const [id, shown] of [[file, '.bp-text'], [other, '.bp-table, .bp-csv, table']]) {
    await inside.preview.evaluate((preview, id) => (preview.file = id), id);
    await expect(inside.preview.locator(shown).first()).toBeVisible();
    await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  }
  await page.evaluate(() => {
    window.gone = document.querySelector('box-preview');
    window.gone.remove();
  });
  await expect.poll(() => page.evaluate(() => window.gone.childElementCount)).toBe(0);
  expect(await page.evaluate(() => window.fetch.toString())).toBe(native);
});
