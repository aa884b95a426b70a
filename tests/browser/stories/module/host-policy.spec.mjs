// A host page under exactly the policy that the README gives: enough, and nothing too much. The README is read, so that
// what it says and what is tested are the same.
import { readFileSync } from 'node:fs';
import { BOX, CONTENT, REAL_LIBRARY } from '../../support/box.mjs';
import { APP, AUTH, CDN } from '../../support/places.mjs';
import * as sample from '../../support/sample.mjs';
import { expect, test } from '../../support/test.mjs';

const README = readFileSync(new URL('../../../../README.md', import.meta.url), 'utf8');

/** The names of the README, and who stands for them here. */
const HERE = {
  'https://YOUR-WORKER': AUTH,
  'https://api.box.com': BOX,
  'https://*.boxcloud.com': CONTENT,
  'https://cdn01.boxcdn.net': new URL(REAL_LIBRARY ?? CDN).origin,
};

/** Directives in the README's words: `{ 'script-src': ['https://YOUR-WORKER', …] }`. */
const POLICY = Object.fromEntries(
  /```http\nContent-Security-Policy: ([^`]+)```/.exec(README)[1].split(';').map((directive) => {
    const [name, ...sources] = directive.trim().split(/\s+/);
    return [name, sources];
  }),
);

/** The README's table: what is seen where a source is left out of a directive. */
const ROWS = [...README.matchAll(/^\| `([^`]+)` of `([a-z]+-src)` \| (.+) \|$/gm)].map(([, source, directive, seen]) => ({ source, directive, seen }));
const said = (row) => /“(.+)”/.exec(row.seen)[1];
const row = (directive, source) => ROWS.find((row) => row.directive === directive && row.source === source);

/** What the stand-in for Box's library never does. The README names the kinds of files that need them. */
const FOR_BOXS_OWN_LIBRARY = [
  'img-src data:', 'img-src https://cdn01.boxcdn.net', 'font-src data:', 'font-src https://cdn01.boxcdn.net',
  'connect-src blob:', 'frame-src blob:',
];

/** The policy as a header; without a source of it, or with another in its place. */
function header(left = {}, instead) {
  const sources = (name) =>
    POLICY[name].flatMap((source) => (name === left.directive && source === left.source ? (instead ?? []) : [HERE[source] ?? source]));
  return { 'content-security-policy': Object.keys(POLICY).map((name) => `${name} ${sources(name).join(' ') || "'none'"}`).join('; ') };
}

const WORDS = 'Here would be a file.';
const host = (file, { tag = '', more = '' } = {}) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>A strict host page</title>
<script ${tag} type="module" src="${AUTH}/keyhole.js"></script>
<box-preview file="${file}" ${more}><p>${WORDS}</p></box-preview>`;

let visits = 0;
/** Opens a host page, each at an address of its own. */
async function open({ page, wire }, html, headers) {
  visits += 1;
  wire.serve(`${APP}/${visits}`, html, headers);
  await page.goto(`${APP}/${visits}`);
}

const seesBees = (journey) => expect(journey.content.locator('.bp-text code')).toContainText(sample.text('Garden/Bees.txt').trim().slice(0, 30));

async function seesWalk(journey) {
  const sheet = journey.content.locator('.bp-doc .page').first();
  await expect(sheet.locator('canvas')).toBeVisible();
  await expect(sheet).toContainText(sample.about('Garden/A walk round the garden.pdf').says['1']);
}

/** A PDF that names its Chinese signs by a map that every reader is expected to have, and brings no font for them. */
function chinesePdf() {
  const text = 'BT /F 40 Tf 60 700 Td <4F60597D> Tj ET';
  const objects = [
    '<</Type/Catalog/Pages 2 0 R>>',
    '<</Type/Pages/Kids[3 0 R]/Count 1>>',
    '<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>',
    `<</Length ${text.length}>>stream\n${text}\nendstream`,
    '<</Type/Font/Subtype/Type0/BaseFont/STSong-Light/Encoding/UniGB-UCS2-H/DescendantFonts[6 0 R]>>',
    '<</Type/Font/Subtype/CIDFontType0/BaseFont/STSong-Light/FontDescriptor 7 0 R/CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>>>',
    '<</Type/FontDescriptor/FontName/STSong-Light/Flags 6/FontBBox[0 -200 1000 900]/ItalicAngle 0/Ascent 900/Descent -200/CapHeight 700/StemV 80>>',
  ];
  let pdf = '%PDF-1.4\n';
  const places = objects.map((object, index) => {
    const place = pdf.length;
    pdf += `${index + 1} 0 obj${object}endobj\n`;
    return `${String(place).padStart(10, '0')} 00000 n \n`;
  });
  const start = pdf.length;
  return Buffer.from(`${pdf}xref\n0 8\n0000000000 65535 f \n${places.join('')}trailer<</Size 8/Root 1 0 R>>\nstartxref\n${start}\n%%EOF`);
}

const SIGNS = '你好';

test('the README gives a policy, and says of each source in it what it is for', () => {
  const sources = Object.entries(POLICY).flatMap(([directive, list]) => list.map((source) => `${directive} ${source}`));
  const told = ROWS.map(({ directive, source }) => `${directive} ${source}`);
  expect([...told, ...FOR_BOXS_OWN_LIBRARY, "default-src 'none'"].sort()).toEqual(sources.sort());
  expect(sources.filter((source) => source.includes("'unsafe-"))).toEqual([]);
});

test('a text, a picture, a film and a PDF show under it without one violation', async ({ atKeyhole, page, wire }) => {
  await atKeyhole.enter('Garden');
  const ids = [];
  for (const name of ['Bees.txt', 'Plate 1, sea kale.png', 'A walk round the garden.pdf']) {
    ids.push(await atKeyhole.idOf(name));
  }
  await page.goBack();
  await atKeyhole.enter('Lighthouse');
  const film = await atKeyhole.idOf('One turn of the light.mp4');
  await open({ page, wire }, host(ids[0]), header());
  await seesBees(atKeyhole);
  await expect(page.getByText(WORDS)).toBeHidden();
  await open({ page, wire }, host(ids[1]), header());
  await expect.poll(() => atKeyhole.content.locator('.bp-image img').evaluate((image) => image.naturalWidth)).toBeGreaterThan(0);
  await open({ page, wire }, host(ids[2]), header());
  await seesWalk(atKeyhole);
  await open({ page, wire }, host(film), header());
  await expect.poll(() => atKeyhole.content.locator('video').evaluate((video) => video.videoWidth)).toBeGreaterThan(0);
});

test('a nonce on the script tag does in place of the Worker’s address', async ({ atKeyhole, page, wire }) => {
  await atKeyhole.enter('Garden');
  const file = await atKeyhole.idOf('Bees.txt');
  const worker = { directive: 'script-src', source: 'https://YOUR-WORKER' };
  await open({ page, wire }, host(file, { tag: 'nonce="once-and-only"' }), header(worker, ["'nonce-once-and-only'"]));
  await seesBees(atKeyhole);
});

test.describe('what is left out is seen', () => {
  test.use({ means: { violations: true, errors: true } });

  // Box's library tries again after pauses by chance: here there are none.
  test.beforeEach(({ page }) => page.addInitScript(() => (Math.random = () => 0)));

  /** That it was this directive, and nothing else. */
  async function isViolated(witness, { directive }) {
    const told = () => witness.did('violation').map((text) => text.split(' ')[1].replace(/-(elem|attr)$/, ''));
    await expect.poll(() => [...new Set(told())], { message: directive }).toEqual([directive]);
    witness.forget();
  }

  const without = async ({ page, wire, witness }, left, file, more) => {
    expect(left, 'a row of the README').toBeDefined();
    witness.forget();
    await open({ page, wire }, host(file, { more }), header(left));
  };

  test('before anybody signs in: Keyhole itself', async ({ robin, page, wire, witness }) => {
    const unheard = row('script-src', 'https://YOUR-WORKER');
    await without({ page, wire, witness }, unheard, '1');
    await isViolated(witness, unheard);
    await expect(page.getByText(WORDS)).toBeVisible();
    for (const left of [row('script-src', "'wasm-unsafe-eval'"), row('connect-src', 'https://YOUR-WORKER')]) {
      await without({ page, wire, witness }, left, '1');
      await expect(robin.preview.getByRole('alert')).toContainText(said(left));
      await isViolated(witness, left);
    }
  });

  test('of a text: what Box’s library comes with, and where it asks', async ({ atKeyhole, page, wire, witness }) => {
    await atKeyhole.enter('Garden');
    const file = await atKeyhole.idOf('Bees.txt');
    for (const left of [
      row('script-src', 'https://cdn01.boxcdn.net'), row('style-src', 'https://cdn01.boxcdn.net'),
      row('connect-src', 'https://api.box.com'), row('connect-src', 'https://*.boxcloud.com'),
    ]) {
      await without({ page, wire, witness }, left, file);
      await expect(atKeyhole.message).toContainText(said(left));
      await isViolated(witness, left);
    }
  });

  test('of a PDF with Chinese signs: the map of them', async ({ atKeyhole, page, wire, witness }) => {
    await atKeyhole.enter('Garden');
    const file = await atKeyhole.idOf('A walk round the garden.pdf');
    await page.route(`${CONTENT}/**`, (route) =>
      route.request().method() === 'GET' ? route.fulfill({ contentType: 'application/pdf', headers: { 'access-control-allow-origin': '*' }, body: chinesePdf() }) : route.continue());
    const sheet = atKeyhole.content.locator('.bp-doc .page').first();
    const maps = row('connect-src', 'https://cdn01.boxcdn.net');
    await without({ page, wire, witness }, maps, file);
    await expect(atKeyhole.preview).toHaveAttribute('data-keyhole', 'ready');
    await expect(sheet.locator('canvas')).toBeVisible();
    await isViolated(witness, maps);
    await expect(sheet).not.toContainText(SIGNS);
    await open({ page, wire }, host(file), header());
    await expect(sheet).toContainText(SIGNS);
  });

  test('of a picture, a PDF, a film and a download: what the browser makes of them', async ({ atKeyhole, page, wire, witness }) => {
    await atKeyhole.enter('Garden');
    const [picture, walk] = [await atKeyhole.idOf('Plate 1, sea kale.png'), await atKeyhole.idOf('A walk round the garden.pdf')];
    await page.goBack();
    await atKeyhole.enter('Lighthouse');
    const film = await atKeyhole.idOf('One turn of the light.mp4');
    const image = row('img-src', 'blob:');
    await without({ page, wire, witness }, image, picture);
    await expect(atKeyhole.message).toContainText(said(image));
    await isViolated(witness, image);

    const worker = row('worker-src', 'blob:');
    await without({ page, wire, witness }, worker, walk);
    await seesWalk(atKeyhole);
    await isViolated(witness, worker);

    const media = row('media-src', 'blob:');
    await without({ page, wire, witness }, media, film);
    await expect(atKeyhole.message).toContainText(said(media));
    await isViolated(witness, media);

    const frame = row('frame-src', 'https://*.boxcloud.com');
    const button = page.getByRole('button', { name: 'Download' });
    const sought = () => wire.exchanges.filter(({ url }) => url.startsWith(CONTENT) && url.includes('/download'));
    await without({ page, wire, witness }, frame, picture, 'scopes="item_preview item_download" show-download');
    await button.click();
    await isViolated(witness, frame);
    expect(sought()).toEqual([]);
    await open({ page, wire }, host(picture, { more: 'scopes="item_preview item_download" show-download' }), header());
    await button.click();
    await expect.poll(() => sought().length).toBe(1);
  });
});
