// A token for one file is a token for one file: taken from the wire, and tried on everything around it.
import { BOX, CONTENT, issued } from '../../support/box.mjs';
import * as sample from '../../support/sample.mjs';
import { expect, test } from '../../support/test.mjs';

/** What someone with a token could try. Each is `[method, address, body]`. */
const tries = ({ file, other, folder }) => ({
  'downloading the file': ['GET', `${BOX}/2.0/files/${file}/content`],
  'its original from the content host': ['GET', `${CONTENT}/api/2.0/files/${file}/content`],
  'looking at another file': ['GET', `${BOX}/2.0/files/${other}`],
  'downloading another file': ['GET', `${BOX}/2.0/files/${other}/content`],
  'looking at its folder': ['GET', `${BOX}/2.0/folders/${folder}`],
  'listing its folder': ['GET', `${BOX}/2.0/folders/${folder}/items`],
  'listing the root': ['GET', `${BOX}/2.0/folders/0/items`],
});

test('a preview with exactly item_preview on one file, and its token opens nothing else', async ({ inside, page, wire }) => {
  await inside.enter('Garden');
  const folder = page.url().split('/').at(-1);
  await inside.open('Seeds.csv');
  const other = await inside.openId();
  await page.keyboard.press('Escape');
  const file = (await inside.row('Bees.txt').getAttribute('href')).split('/').at(-1);

  const asking = wire.next('/api/tokens');
  await embed(page, { file, scopes: 'item_preview' });
  const preview = page.locator('box-preview[scopes]');
  await expect(preview).toHaveAttribute('data-keyhole', 'ready');
  await expect(preview.locator('.bp-text code')).toContainText(sample.text('Garden/Bees.txt').trim().slice(0, 30));

  const asked = await asking;
  expect(JSON.parse(asked.askedBody)).toEqual({ items: [`file_${file}`], scopes: ['item_preview'] });
  const granted = asked.json().tokens[`file_${file}`];
  expect(granted.scope).toBe('item_preview');
  expect(JSON.stringify(granted.restricted_to)).toContain(file);
  const used = wire.exchanges.filter(({ url }) => url.startsWith(`${BOX}/2.0/files/${file}`)).at(-1);
  expect(used.sent('authorization'), 'this token, and no other, brought the preview').toBe(`Bearer ${granted.access_token}`);

  const child = (await issued()).children.find(({ value }) => value === granted.access_token);
  expect([child.scopes, child.resource]).toEqual([['item_preview'], `file_${file}`]);
  const statuses = async (token) => {
    const all = Object.entries(tries({ file, other, folder }));
    return Object.fromEntries(await Promise.all(all.map(async ([what, [method, address]]) => {
      const answer = await fetch(address, { method, redirect: 'manual', headers: { authorization: `Bearer ${token}` } });
      return [what, answer.status];
    })));
  };
  expect((await askBox(`/2.0/files/${file}`, granted.access_token)).status, 'the file itself it does open').toBe(200);
  for (const [what, status] of Object.entries(await statuses(granted.access_token))) {
    expect([403, 404], `${what}: ${status}`).toContain(status);
  }
  // The same with the token that the Worker keeps: these addresses are right, only that token is not.
  for (const [what, status] of Object.entries(await statuses(child.parent))) {
    expect([200, 302], `${what}, with the token it was made from: ${status}`).toContain(status);
  }

  const widening = await exchange({ subject_token: granted.access_token, scope: 'root_readwrite' });
  expect(widening.status, 'nor does it make a wider one').toBeGreaterThanOrEqual(400);
  const elsewhere = await exchange({ subject_token: granted.access_token, scope: 'item_preview', resource: `${BOX}/2.0/files/${other}` });
  expect(elsewhere.status, 'nor one for another file').toBeGreaterThanOrEqual(400);
});

test('a page that asks for more than the policy allows gets nothing, and the rule by name', async ({ inside, page, wire }) => {
  await inside.enter('Garden');
  const file = (await inside.row('Bees.txt').getAttribute('href')).split('/').at(-1);
  const before = (await issued()).children.length;
  const asking = wire.next('/api/tokens');
  await embed(page, { file, scopes: 'item_preview item_download' });
  const preview = page.locator('box-preview[scopes]');
  await expect(preview.locator('[part=message]')).toContainText('This page asks for more than it may');
  await expect(preview.locator('[part=details]')).toContainText('ALLOWED_SCOPES');
  const asked = await asking;
  expect([asked.status, asked.json().code]).toEqual([403, 'scope_not_allowed']);
  expect(asked.body.includes('access_token')).toBe(false);
  expect(before).toBeGreaterThanOrEqual(0);
});

test('a folder is refused by the name of the rule', async ({ inside, page }) => {
  await inside.enter('Garden');
  const folder = page.url().split('/').at(-1);
  const refused = await page.evaluate(async (folder) => {
    const { Keyhole } = await import('/keyhole.js');
    return new Keyhole().tokenFor(`folder_${folder}`).then(() => 'a token', ({ name, code, rule }) => ({ name, code, rule }));
  }, folder);
  expect(refused).toEqual({ name: 'KeyholeError', code: 'folders_not_allowed', rule: 'ALLOW_FOLDERS' });
});

/** An element in the page as its author would write it. */
function embed(page, attributes) {
  return page.evaluate((attributes) => {
    const preview = document.createElement('box-preview');
    Object.entries(attributes).forEach(([name, value]) => preview.setAttribute(name, value));
    preview.style.cssText = 'position: fixed; inset: 0; z-index: 9';
    document.body.append(preview);
  }, attributes);
}

const askBox = (path, token) => fetch(BOX + path, { headers: { authorization: `Bearer ${token}` } });

function exchange(form) {
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    ...form,
  });
  return fetch(`${BOX}/oauth2/token`, { method: 'POST', body });
}
