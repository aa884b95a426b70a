// www/examples as developers copy them, and keyhole-client as npm installs it, each to a visible file.
import { namesOf, OF_BOX_PREVIEW, OF_KEYHOLE, OF_THE_MODULE } from '../../../package/names.mjs';
import { App, example } from '../../support/app.mjs';
import { KEYHOLE, setting } from '../../support/box.mjs';
import { APP, AUTH } from '../../support/places.mjs';
import * as sample from '../../support/sample.mjs';
import { expect, test as base } from '../../support/test.mjs';

const test = base.extend({
  /** A file's id, and its first words. */
  bees: async ({ inside }, use) => {
    await inside.enter('Garden');
    const file = await inside.idOf('Bees.txt');
    await use({ file, says: sample.text('Garden/Bees.txt').trim().slice(0, 30) });
  },

  /** What must be seen, and what must not, in a page that shows this file. */
  seesBees: async ({ inside, bees, page }, use) => {
    await page.addInitScript(() => {
      window.errors = [];
      addEventListener('keyhole-error', ({ detail }) => window.errors.push(detail.code));
    });
    await use(async () => {
      await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
      await expect(inside.content.locator('.bp-text code')).toContainText(bees.says);
      expect(await page.evaluate(() => window.errors)).toEqual([]);
    });
  },

  /** The example for Vite, as an app of its own on another origin of Keyhole's site. */
  app: async ({ bees }, use, testInfo) => {
    const app = await App.of('vite', { worker: AUTH, file: bees.file }, testInfo.outputPath('app'));
    await use(app);
    await app.close();
  },
});

test('plain HTML', async ({ bees, seesBees, page, wire }) => {
  wire.serve(`${KEYHOLE}/mine`, await example('html/index.html', { worker: KEYHOLE, file: bees.file }));
  await page.goto('/mine');
  await seesBees();
});

test('the line that a build prints runs that build under its integrity', async ({ bees, seesBees, page, wire }) => {
  const pin = setting('KEYHOLE_PIN').replace('https://YOUR-WORKER', KEYHOLE);
  wire.serve(`${KEYHOLE}/mine`, `<!doctype html>${pin}<box-preview file="${bees.file}"></box-preview>`);
  await page.goto('/mine');
  await seesBees();
  expect(await page.evaluate(() => document.querySelector('script').integrity)).toMatch(/^sha384-/);
  expect(wire.to('/keyhole.js'), 'asked for by its short name').toHaveLength(1);
});

test.describe('keyhole-client from npm', () => {
  test.use({ baseURL: AUTH });

  const vite = (...given) => [setting('KEYHOLE_VITE'), (port) => [...given, '--port', port, '--strictPort']];

  /** Bundled by esbuild alone, as the package's README says. */
  async function bundled(app) {
    const esbuild = setting('KEYHOLE_ESBUILD');
    await app.run(esbuild, 'main.js', '--bundle', '--format=esm', '--outdir=built', '--log-level=warning');
    await app.copy('index.html', 'built/index.html');
    await app.copy('node_modules/keyhole-client/keyhole_bg.wasm', 'built/keyhole_bg.wasm');
    return app.serve(esbuild, (port) => ['--servedir=built', `--serve=localhost:${port}`]);
  }

  test('with Vite, while it is developed', async ({ app, seesBees, page, wire }) => {
    wire.lead(APP, await app.serve(...vite()));
    await page.goto(APP);
    await seesBees();
  });

  test('with Vite, built', async ({ app, seesBees, page, wire }) => {
    await app.run(setting('KEYHOLE_VITE'), 'build');
    wire.lead(APP, await app.serve(...vite('preview')));
    await page.goto(APP);
    await seesBees();
  });

  test('with esbuild', async ({ app, seesBees, page, wire }) => {
    wire.lead(APP, await bundled(app));
    await page.goto(APP);
    await seesBees();
  });

  test('told late where Keyhole is, an element says what to write, and goes on', async ({ app, inside, page, wire }) => {
    await app.write('main.js', 'import { configure } from "keyhole-client"; window.configure = configure;');
    wire.lead(APP, await bundled(app));
    await page.addInitScript(() => addEventListener('keyhole-error', ({ detail }) => (window.error = detail)));
    await page.goto(APP);
    await expect(inside.preview.getByRole('alert')).toContainText('configure({ origin: "https://YOUR-WORKER" })');
    expect(await page.evaluate(() => window.error.code)).toBe('origin_missing');
    await page.evaluate((origin) => window.configure({ origin }), AUTH);
    await expect(inside.preview).toHaveAttribute('data-keyhole', 'ready');
  });

  test('has what its types name, and nothing else', async ({ app, page, wire }) => {
    await app.write('main.js', 'import * as client from "keyhole-client"; window.client = client;');
    wire.lead(APP, await bundled(app));
    await page.goto(APP);
    const names = await page.evaluate(`(() => {
      const namesOf = ${namesOf};
      const keyhole = new client.Keyhole({ origin: location.origin });
      const element = document.querySelector('box-preview');
      return { module: Object.keys(client), keyhole: namesOf(keyhole), element: namesOf(element) };
    })()`);
    const sorted = (names) => Object.keys(names).sort();
    expect(names.module.sort()).toEqual(sorted(OF_THE_MODULE));
    expect(names.keyhole).toEqual(sorted(OF_KEYHOLE));
    expect(names.element).toEqual(sorted(OF_BOX_PREVIEW));
  });
});
