// Pages that are not Keyhole's own: beside it on its site, and what becomes of those that nobody listed.
import { APP, AUTH } from '../support/places.mjs';
import * as sample from '../support/sample.mjs';
import { expect, test } from '../support/test.mjs';

const STYLE = '<style>html, body, box-preview { height: 100%; margin: 0 }</style>';

const twoLines = (file) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>A host page</title>${STYLE}
<script type="module" src="${AUTH}/keyhole.js"></script>
<box-preview file="${file}"></box-preview>`;

test('the two lines of the README, on a page of the same site', async ({ atKeyhole, page, wire }) => {
  await atKeyhole.enter('Garden');
  const file = await atKeyhole.idOf('Bees.txt');
  wire.serve(`${APP}/`, twoLines(file));
  await page.goto(`${APP}/`);
  await expect(atKeyhole.preview).toHaveAttribute('data-keyhole', 'ready');
  await expect(atKeyhole.content.locator('.bp-text code')).toContainText(sample.text('Garden/Bees.txt').trim().slice(0, 30));
});
