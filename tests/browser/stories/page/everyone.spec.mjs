// Every state of the page for those who hear it, by day and by night, and on a phone.
import { REAL_LIBRARY } from '../../support/box.mjs';
import { held } from '../../support/held.mjs';
import { faultsOf, picture } from '../../support/looks.mjs';
import { expect, test } from '../../support/test.mjs';

/** Each state of the page, in an order that one person can walk: reach it, then look at it. */
async function walk(robin, page, look) {
  const hold = await held(page, '**/api/session');
  await page.goto('/', { waitUntil: 'commit' });
  await expect(page.locator('.view-loading')).toBeVisible();
  await look('loading');
  await hold.release();
  await robin.isOut();
  await look('welcome');
  await page.goto('/?keyhole=denied');
  await expect(robin.notice).not.toBeEmpty();
  await look('welcome after a no');

  await page.route('**/api/session', (route) => route.abort());
  await page.goto('/');
  await expect(page.locator('.view-trouble')).toBeVisible();
  await look('trouble');
  await page.unroute('**/api/session');

  await robin.signIn();
  await expect(robin.row('Welcome.md')).toBeVisible();
  await look('files');
  await robin.enter('Letters', 'Unanswered');
  await look('empty folder');
  await page.goto('/');
  await robin.isIn();
  await page.route('**/api/folders/**', (route) => route.abort());
  await robin.row('Watch log').click();
  await expect(page.locator('#folder-trouble')).toBeVisible();
  await look('folder trouble');
  await page.unroute('**/api/folders/**');
  await page.locator('#folder-retry').click();
  await expect(robin.rows).toHaveCount(50);
  await look('long folder');

  await page.goto('/');
  for (const path of ['Garden/Bees.txt', 'Weather/Rain by month.csv', 'Robin\'s to-do list.md', 'Post cards/Stamp.png', 'Letters/Letter to Aunt Edda.pdf']) {
    await robin.isIn();
    await robin.openPath(path);
    await look(`file ${path.split('.').at(-1)}`);
    await page.goto('/#folder/0');
    await page.reload();
  }
  const tokens = await held(page, '**/api/tokens');
  await robin.row('Welcome.md').click();
  await expect(robin.preview).toHaveAttribute('data-keyhole', 'loading');
  await look('file loading');
  await tokens.release();
  await page.goto('/#file/99999999999');
  await page.reload();
  await expect(robin.message).toContainText('This file is not here');
  await look('file not here');

  await page.goto('/auth/callback?code=stolen&state=strange');
  await expect(page.getByRole('link', { name: 'Sign in again' })).toBeVisible();
  await look('sign-in over');
}

test.describe(() => {
  // axe itself tries to write a style into the page.
  test.use({ means: { violations: true, errors: false } });
  test.setTimeout(120_000);

  test('every state is accessible, by day and by night', async ({ robin, page }) => {
    const wrong = [];
    await walk(robin, page, async (state) => {
      // pdf.js measures text on a canvas of its own; what Box's own library draws is Box's to mend.
      wrong.push(...(await faultsOf(page, state, ['.hiddenCanvasElement', ...(REAL_LIBRARY ? ['[slot=keyhole-stage]'] : [])])));
    });
    expect(wrong).toEqual([]);
  });
});

test.describe(() => {
  test.use({ viewport: { width: 390, height: 740 }, hasTouch: true, isMobile: true });
  test.setTimeout(120_000);

  test('every state fits a phone, a small one too', async ({ robin, page }) => {
    const wrong = [];
    await walk(robin, page, async (state) => {
      for (const width of [320, 390]) {
        await page.setViewportSize({ width, height: 740 });
        await picture(page, state, `phone-${width}`);
        const faults = [...(await tooWide(page)), ...(await tooSmall(page))];
        wrong.push(...faults.map((fault) => `${state}, ${width}: ${fault}`));
      }
    });
    expect(wrong).toEqual([]);
  });
});

test.describe(() => {
  test.use({ viewport: { width: 390, height: 740 }, hasTouch: true, isMobile: true });

  test('on a phone a file takes the whole screen, and closes again', async ({ inside, page }) => {
    await inside.row('Garden').tap();
    await inside.row('Bees.txt').tap();
    await inside.sees('Bees.txt');
    const box = await page.locator('#pane').boundingBox();
    expect(box).toEqual({ x: 0, y: 0, width: 390, height: 740 });
    await expect(page.getByRole('button', { name: 'Sign out' })).toBeHidden();
    await page.getByRole('button', { name: 'Close the file' }).tap();
    await expect(inside.row('Bees.txt')).toBeInViewport();
    await expect(page.getByRole('button', { name: 'Sign out' })).toBeVisible();
  });
});

/** What reaches beyond the screen, outside of what scrolls by itself, and whether the page would be zoomed out. */
function tooWide(page) {
  return page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    const scrolls = (node) => node && (['auto', 'scroll'].includes(getComputedStyle(node).overflowX) || scrolls(node.parentElement));
    const shown = [...document.querySelectorAll('body *')].filter((node) => node.checkVisibility({ visibilityProperty: true }));
    const beyond = shown.filter((node) => node.getBoundingClientRect().right > clientWidth + 1 && !scrolls(node.parentElement) && !node.closest('.unseen, svg, [slot=keyhole-stage]'));
    const wide = beyond.map((node) => `${node.nodeName} ${node.id || node.className} ends at ${node.getBoundingClientRect().right}`);
    return scrollWidth > clientWidth || visualViewport.scale !== 1 ? [`${scrollWidth} wide, scale ${visualViewport.scale}`, ...wide] : wide;
  });
}

/** What a finger has to hit and is less than 40 pixels high; what Box's library draws apart. */
function tooSmall(page) {
  return page.evaluate(() => {
    const targets = [...document.querySelectorAll('button, a.row, a.brand')];
    const shown = targets.filter((node) => node.checkVisibility({ visibilityProperty: true }) && !node.closest('[slot=keyhole-stage]'));
    return shown.filter((node) => node.getBoundingClientRect().height < 40).map((node) => `${node.textContent.trim() || node.id} is ${node.getBoundingClientRect().height} high`);
  });
}
