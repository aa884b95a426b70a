// Someone picks a file and sees it: what is in it is compared, not only that something is there.
import { expectColour, paintedAt } from '../support/pictures.mjs';
import * as sample from '../support/sample.mjs';
import { expect, test } from '../support/test.mjs';

const PICTURES = ['Lighthouse/Skerryholm Light.png', 'Post cards/Sunset from the gallery.jpg', 'Lighthouse/Plans/Tower section.svg'];

test('a text shows its words, letter for letter', async ({ inside }) => {
  await inside.openPath('Letters/Grüße von der Küste.txt');
  await expect(inside.content.locator('.bp-text code')).toHaveText(sample.text('Letters/Grüße von der Küste.txt'));
});

for (const path of PICTURES) {
  test(`a picture shows its colours: ${path.split('.').at(-1)}`, async ({ inside }) => {
    const { x, y, width, height, rgb } = sample.about(path).probe;
    await inside.openPath(path);
    expectColour(await paintedAt(inside.content.locator('img'), x / width, y / height), rgb);
  });
}
