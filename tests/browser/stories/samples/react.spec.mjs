// The sample in React 19: built by the command of its own package.json, served as it is, on Keyhole's origin.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { example } from '../../support/app.mjs';
import { KEYHOLE, setting } from '../../support/box.mjs';
import { CDN, FOLDER, HOSTS, REACT, provide } from '../../support/elements.mjs';
import * as sample from '../../support/sample.mjs';
import { expect, test } from '../../support/test.mjs';

const SAMPLE = fileURLToPath(new URL('../../../../www/examples/react/', import.meta.url));
const { scripts } = JSON.parse(readFileSync(`${SAMPLE}package.json`, 'utf8'));

/** React for developers is over a megabyte. */
const BUNDLE_BYTES_MAX = 8_000_000;

/** The sample's bundle, by its own command; without `--minify` it is React for developers. */
function bundle({ forDevelopers }) {
  const [, , ...given] = scripts.build.split(' ');
  const wanted = given.filter((flag) => !flag.startsWith('--outfile') && !(forDevelopers && flag === '--minify'));
  const options = { cwd: SAMPLE, env: { ...process.env, NODE_PATH: REACT }, maxBuffer: BUNDLE_BYTES_MAX };
  const bundled = execFileSync(setting('KEYHOLE_ESBUILD'), [...wanted, '--log-level=error'], { ...options, encoding: 'utf8' });
  return bundled.replaceAll('https://YOUR-WORKER', KEYHOLE);
}

/** Notes each `show` and `hide` of the component. */
const NOTES = `<script>
  window.notes = [];
  for (const name of ['show', 'hide']) {
    const original = Box.ContentPreview.prototype[name];
    Box.ContentPreview.prototype[name] = function (...values) {
      window.notes.push(name);
      return original.apply(this, values);
    };
  }
</script>`;

/** `apiHost` as `data-api-host`, and so on. */
const hosts = Object.entries(HOSTS)
  .map(([name, value]) => `data-${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}="${value}"`)
  .join(' ');

/** Opens the sample with this file. */
async function open({ page, wire }, file, { forDevelopers }) {
  provide(wire, KEYHOLE, 'preview');
  const html = (await example('react/index.html', { worker: KEYHOLE, file }))
    .replaceAll(`${CDN}${FOLDER}`, FOLDER)
    .replace('data-file', `${hosts} data-file`)
    .replace('</script>', `</script>${NOTES}`);
  wire.serve(`${KEYHOLE}/react/`, html);
  wire.serve(`${KEYHOLE}/react/main.js`, bundle({ forDevelopers }), { 'content-type': 'text/javascript; charset=utf-8' });
  await page.addInitScript(() => (window.firstFetch = window.fetch));
  await page.goto('/react/');
}

async function idOfBees(inside) {
  await inside.enter('Garden');
  return inside.idOf('Bees.txt');
}

const words = sample.text('Garden/Bees.txt').trim().slice(0, 30);

async function bothShowIt(page, inside) {
  await expect(inside.content.locator('.bp-text code')).toContainText(words);
  await expect(page.locator('.content-preview .bcpr .bp-text code')).toContainText(words);
  await expect(page.locator('output'), 'the event of the element arrived').toHaveText('Bees.txt');
}

const fetchIsItself = (page) => page.evaluate(() => window.fetch === window.firstFetch);

test('the sample shows a file twice: in the element, and in ContentPreview; closed, both leave nothing behind', async ({ inside, page, wire }) => {
  await open({ page, wire }, await idOfBees(inside), { forDevelopers: false });
  await bothShowIt(page, inside);
  expect(await fetchIsItself(page), 'while the element is there').toBe(false);
  await page.getByRole('button', { name: 'Close' }).click();
  await expect(page.locator('box-preview, .content-preview, .bcpr, .bp-content')).toHaveCount(0);
  await expect.poll(() => fetchIsItself(page)).toBe(true);
  expect(await page.evaluate(() => window.notes.at(-1))).toBe('hide');
  await page.getByRole('button', { name: 'Open' }).click();
  await bothShowIt(page, inside);
});

test('what StrictMode mounts twice is hidden once and there once', async ({ inside, page, wire, witness }) => {
  await open({ page, wire }, await idOfBees(inside), { forDevelopers: true });
  await bothShowIt(page, inside);
  expect((await page.evaluate(() => window.notes)).slice(0, 3), 'mounted, unmounted, mounted').toEqual(['show', 'hide', 'show']);
  await expect(page.locator('.content-preview .bcpr')).toHaveCount(1);
  await expect(page.locator('.content-preview .bp-content')).toHaveCount(1);
  expect(witness.console.filter((text) => /warning|unmount/i.test(text))).toEqual([]);
});
