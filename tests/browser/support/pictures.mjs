// The colours that a person sees.
import { expect } from '@playwright/test';

/**
 * The colour painted on the screen at a point of an element: x and y are fractions of its width and height.
 * A picture of the screen is taken and read in a page without any policy.
 */
export async function paintedAt(locator, x, y) {
  const picture = await locator.screenshot({ animations: 'disabled' });
  const reader = await locator.page().context().newPage();
  const colour = await reader.evaluate(async ({ data, x, y }) => {
    const bytes = Uint8Array.from(atob(data), (sign) => sign.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const drawing = canvas.getContext('2d');
    drawing.drawImage(bitmap, 0, 0);
    return [...drawing.getImageData(Math.floor(x * bitmap.width), Math.floor(y * bitmap.height), 1, 1).data.slice(0, 3)];
  }, { data: picture.toString('base64'), x, y });
  await reader.close();
  return colour;
}

/** Each channel within `tolerance`: JPEG and scaling move colours a little. */
export function expectColour(seen, wanted, tolerance = 10) {
  const off = seen.map((channel, index) => Math.abs(channel - wanted[index]));
  expect(Math.max(...off), `rgb(${seen}) for rgb(${wanted})`).toBeLessThanOrEqual(tolerance);
}

/** The colour of a point of the picture that a film shows now. */
export function colourOfFilm(film, x, y) {
  return film.evaluate((film, { x, y }) => {
    const canvas = new OffscreenCanvas(film.videoWidth, film.videoHeight);
    const drawing = canvas.getContext('2d');
    drawing.drawImage(film, 0, 0);
    return [...drawing.getImageData(x, y, 1, 1).data.slice(0, 3)];
  }, { x, y });
}

/** The colour of a point on a page that is drawn on a canvas, by fractions of its width and height. */
export function colourOfPage(sheet, x, y) {
  return sheet.locator('canvas').evaluate((canvas, { x, y }) => {
    const drawing = canvas.getContext('2d');
    return [...drawing.getImageData(Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data.slice(0, 3)];
  }, { x, y });
}
