// Someone picks a file and sees it: what is in it is compared, not only that something is there.
import { REAL_LIBRARY } from '../../support/box.mjs';
import { colourOfPage, expectColour, paintedAt } from '../../support/pictures.mjs';
import * as sample from '../../support/sample.mjs';
import { expect, test } from '../../support/test.mjs';

/** Line ends and runs of blanks apart. */
const words = (text) => text.replace(/\s+/g, ' ').trim();

for (const path of ['Letters/Grüße von der Küste.txt', 'Letters/Salt &amp; pepper.txt', 'Lighthouse/Light character.json']) {
  test(`a text shows its words, letter for letter: ${path}`, async ({ inside }) => {
    await inside.openPath(path);
    expect(words(await inside.content.locator('.bp-text code').textContent())).toBe(words(sample.text(path)));
  });
}

for (const path of ['Lighthouse/Skerryholm Light.png', 'Post cards/Sunset from the gallery.jpg', 'Lighthouse/Plans/Tower section.svg']) {
  test(`a picture shows its colours: ${path}`, async ({ inside }) => {
    const { x, y, width, height, rgb } = sample.about(path).probe;
    await inside.openPath(path);
    expectColour(await paintedAt(inside.content.locator('img'), x / width, y / height), rgb);
  });
}

test('a Markdown text shows what it says', async ({ inside }) => {
  await inside.openPath('Garden/What grows in salt.md');
  const title = /^# (.*)$/m.exec(sample.text('Garden/What grows in salt.md'))[1];
  await expect(inside.content.getByRole('heading', { level: 1 })).toHaveText(title);
});

test('a table shows its cells', async ({ inside }) => {
  await inside.openPath('Garden/Seeds.csv');
  const cells = sample.text('Garden/Seeds.csv').split('\n')[1].split(',');
  expect(cells.length).toBeGreaterThan(2);
  for (const cell of cells) {
    await expect(inside.content).toContainText(cell);
  }
});

test('a PDF shows its first page and its last', async ({ inside, page }) => {
  const path = "Lighthouse/Keeper's Handbook.pdf";
  const { pages, says, cover } = sample.about(path);
  await inside.openPath(path);
  const sheet = (number) => inside.content.locator(`.bp-doc .page[data-page-number="${number}"]`);
  await expect(inside.content.locator('.bp-doc .page')).toHaveCount(pages);
  await expect(sheet(1).locator('canvas')).toBeVisible();
  expectColour(await colourOfPage(sheet(1), cover.x, cover.y), cover.rgb);

  await sheet(pages).scrollIntoViewIfNeeded();
  await expect(sheet(pages).locator('canvas')).toBeVisible();
  await expect.poll(() => inkOf(sheet(pages)), { message: 'the last page is not blank' }).toBeGreaterThan(20);
  // Box's own library draws no text beside the picture of a page that may not be downloaded.
  if (!REAL_LIBRARY) {
    await expect(sheet(1)).toContainText(says[1]);
    await expect(sheet(pages)).toContainText(says[pages]);
  }
  await expect(page.locator('#file-name')).toHaveText("Keeper's Handbook.pdf");
});

test('the stand-in says that it is one', async ({ inside }) => {
  await inside.openPath('Welcome.md');
  const says = await inside.page.evaluate(() => window.Box.Preview.isStandIn === true);
  expect(says).toBe(!REAL_LIBRARY);
  await expect(inside.preview.getByText('Stand-in for Box Preview').filter({ visible: true })).toHaveCount(REAL_LIBRARY ? 0 : 1);
});

test('a kind of file that has no preview says so', async ({ inside }) => {
  await inside.enter('Lighthouse');
  await inside.row('Foghorn.wav').click();
  await expect(inside.message).toContainText('This kind of file has no preview');
});

test('a file that is not there says so', async ({ inside, page }) => {
  await page.goto('/#file/99999999999');
  await expect(inside.message).toContainText('This file is not here');
  await expect(inside.message.getByRole('button')).toHaveCount(0);
});

test('while a file is open the page says which pass it holds, and for how long', async ({ inside, page }) => {
  await expect(page.locator('#held')).toContainText('No pass.');
  await inside.openPath('Garden/Bees.txt');
  await expect(inside.passes).toHaveCount(1);
  await expect(inside.passes).toContainText('Bees.txt');
  await expect(inside.passes).toContainText('base_preview item_preview');
  const left = page.locator('#pass-left');
  await expect(left).toHaveText(/^(1:)?\d\d:\d\d left$/);
  const before = await left.textContent();
  await expect(left).not.toHaveText(before);
  await inside.open('Seeds.csv');
  await expect(inside.passes).toHaveCount(2);
  await expect(inside.passes.first()).toContainText('Seeds.csv');
});

/** How many points of a sheet's canvas are dark. */
function inkOf(sheet) {
  return sheet.locator('canvas').evaluate((canvas) => {
    const { width, height } = canvas;
    const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
    let dark = 0;
    for (let at = 0; at < data.length; at += 4) {
      dark += data[at] < 128 ? 1 : 0;
    }
    return dark;
  });
}
