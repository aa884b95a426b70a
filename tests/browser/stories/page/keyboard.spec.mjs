// The whole way without a mouse.
import { BOX, ROBIN } from '../../support/box.mjs';
import * as sample from '../../support/sample.mjs';
import { expect, test } from '../../support/test.mjs';

test('from sign-in to reading a file and back, by keys alone', async ({ robin, page }) => {
  const press = (key) => page.keyboard.press(key);
  await page.goto('/');
  await robin.isOut();
  await tabTo(page, page.getByRole('button', { name: 'Sign in with Box' }));
  await press('Enter');
  await page.waitForURL(`${BOX}/**`);
  await tabTo(page, page.getByLabel('Email address'));
  await page.keyboard.type(ROBIN.login);
  await tabTo(page, page.getByLabel('Password'));
  await page.keyboard.type(ROBIN.password);
  await press('Enter');
  await tabTo(page, page.getByRole('button', { name: 'Grant access to Box' }));
  await press('Enter');
  await robin.isIn();

  await tabTo(page, robin.rows.first());
  await arrowTo(page, robin.row('Garden'));
  await press('Enter');
  await robin.seesListOf('Garden');
  await expect(robin.rows.first()).toBeFocused();
  await press('End');
  await expect(robin.rows.last()).toBeFocused();
  await press('Home');
  await arrowTo(page, robin.row('Bees.txt'));
  await press('Enter');
  await robin.sees('Bees.txt');
  await expect(page.locator('#file-name')).toBeFocused();

  await readByKeys(page, robin, 'Garden/Bees.txt');
  await press('Escape');
  await expect(robin.row('Bees.txt')).toBeFocused();
  await tabTo(page, robin.crumbs.first(), 'Shift+Tab');
  await press('Enter');
  await robin.seesListOf('All files');
  await expect(robin.row('Garden')).toBeFocused();
  await tabTo(page, page.getByRole('button', { name: 'Sign out' }), 'Shift+Tab');
  await press('Enter');
  await robin.isOut();
});

test('the list is one stop of the Tab key', async ({ inside, page }) => {
  await inside.enter('Garden');
  await expect(inside.rows.and(page.locator('[tabindex="0"]'))).toHaveCount(1);
  await inside.rows.nth(2).focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Shift+Tab');
  await expect(inside.rows.nth(2)).toBeFocused();
});

test('the first Tab leads past the bar to the content', async ({ inside, page }) => {
  await page.reload();
  await inside.isIn();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('main')).toBeFocused();
});

test('what has the focus can be seen', async ({ inside, page }) => {
  await page.keyboard.press('Tab');
  for (const target of [page.getByRole('button', { name: 'Sign out' }), inside.rows.first()]) {
    await tabTo(page, target);
    const outline = await target.evaluate((node) => getComputedStyle(node).outlineStyle);
    expect(outline).not.toBe('none');
  }
});

/** The text can be scrolled with the keys, once the focus has gone into it. */
async function readByKeys(page, robin, path) {
  await expect(robin.content).toContainText(sample.text(path).trim().slice(-30).trim());
  const isInside = () => robin.preview.evaluate((node) => node.matches(':focus-within'));
  for (let stops = 0; stops < 8 && !(await isInside()); stops += 1) {
    await page.keyboard.press('Tab');
  }
  expect(await isInside(), 'the focus can go into the preview').toBe(true);
}

async function tabTo(page, target, key = 'Tab') {
  await target.waitFor();
  const isThere = () => target.evaluate((node) => node === document.activeElement);
  for (let stops = 0; stops < 25 && !(await isThere()); stops += 1) {
    await page.keyboard.press(key);
  }
  await expect(target).toBeFocused();
}

async function arrowTo(page, row) {
  await row.waitFor();
  const isThere = () => row.evaluate((node) => node === document.activeElement);
  for (let steps = 0; steps < 60 && !(await isThere()); steps += 1) {
    await page.keyboard.press('ArrowDown');
  }
  await expect(row).toBeFocused();
}
