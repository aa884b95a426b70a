// The emulator's console: what a developer does there who wants a Box to try things with.
import { createPrivateKey, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { BOX, CONTENT, ledger, status } from '../../support/box.mjs';
import { expect, test, unique } from '../../support/console.mjs';
import { faultsOf, picture } from '../../support/looks.mjs';

test('an app is made, and what was refused stands in the form with all that was typed', async ({ robin, page }) => {
  const name = unique('Harbour');
  await robin.open('Apps');
  await page.getByRole('button', { name: 'New app' }).click();
  const form = robin.dialog('New app');
  await form.getByRole('textbox', { name: 'Name' }).fill(name);
  await form.getByLabel('Redirect URIs').fill('http://harbour.example/back');
  await form.getByRole('button', { name: 'Make app' }).click();
  await expect(form.getByRole('alert')).toContainText('http://harbour.example/back is no redirect URI');
  await expect(form.getByRole('textbox', { name: 'Name' })).toHaveValue(name);
  await form.getByLabel('Redirect URIs').fill('http://localhost:3000/back\nhttps://harbour.example/back\n');
  await form.getByLabel('root_readonly').check();
  await form.getByRole('button', { name: 'Make app' }).click();
  await expect(form).toBeHidden();
  const card = robin.app(name);
  await expect(robin.fact(card, 'Redirect URIs')).toHaveText('http://localhost:3000/backhttps://harbour.example/back');
  await expect(robin.fact(card, 'Scopes')).toHaveText('root_readonlyroot_readwrite');
  await expect(card.getByRole('button', { name: `Change ${name}` })).toBeFocused();
});

test('what has to stay offers no way to remove it', async ({ robin, page }) => {
  await robin.open('Apps');
  await expect(page.getByRole('button', { name: 'Remove Keyhole with JWT', exact: true })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Remove Keyhole', exact: true })).toHaveCount(0);
  await robin.open('People');
  await expect(page.getByRole('button', { name: 'Remove Alex App User', exact: true })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Remove Robin Sample', exact: true })).toHaveCount(0);
});

test('an app is changed and removed, after a question', async ({ robin, page }) => {
  const { name } = await robin.makeApp({ redirect_uris: ['https://harbour.example/back'] });
  await robin.open('Apps');
  const card = robin.app(name);
  await card.getByRole('button', { name: 'Change' }).click();
  const form = robin.dialog(`Change ${name}`);
  await expect(form.getByLabel('Redirect URIs')).toHaveValue('https://harbour.example/back');
  await expect(form.getByLabel('A server signs with its key')).toBeDisabled();
  await form.getByLabel('Web pages that may call').fill('https://*.harbour.example');
  await form.getByRole('button', { name: 'Save app' }).click();
  await expect(robin.fact(card, 'CORS origins')).toHaveText('https://*.harbour.example');
  await card.getByRole('button', { name: 'Remove' }).click();
  await robin.dialog(`Remove ${name}?`).getByRole('button', { name: 'Cancel' }).click();
  await expect(card).toBeVisible();
  await card.getByRole('button', { name: 'Remove' }).click();
  await robin.dialog(`Remove ${name}?`).getByRole('button', { name: 'Remove app' }).click();
  await expect(card).toHaveCount(0);
  await expect(robin.title('Apps')).toBeFocused();
});

test('the downloaded settings file signs assertions that are accepted', async ({ robin, page }) => {
  const { name } = await robin.makeApp({ auth: 'jwt' });
  await robin.open('Apps');
  const card = robin.app(name);
  await expect(robin.fact(card, 'Public keys')).toContainText('None');
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    card.getByRole('button', { name: 'Make a key and download settings' }).click(),
  ]);
  const settings = JSON.parse(readFileSync(await download.path(), 'utf8'));
  const { clientID, clientSecret, appAuth } = settings.boxAppSettings;
  expect(download.suggestedFilename()).toBe(`${settings.enterpriseID}_${appAuth.publicKeyID}_config.json`);
  await expect(robin.fact(card, 'Public keys')).toContainText(appAuth.publicKeyID);

  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { iss: clientID, sub: settings.enterpriseID, box_sub_type: 'enterprise', aud: 'https://api.box.com/oauth2/token', jti: randomUUID(), exp: Math.floor(Date.now() / 1000) + 30 };
  const signed = `${part({ alg: 'RS256', typ: 'JWT', kid: appAuth.publicKeyID })}.${part(claims)}`;
  const key = createPrivateKey({ key: appAuth.privateKey, passphrase: appAuth.passphrase });
  const assertion = `${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`;
  const ask = () => fetch(`${BOX}/oauth2/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', client_id: clientID, client_secret: clientSecret, assertion }) });
  expect((await ask()).status).toBe(200);

  await card.getByRole('button', { name: `Remove the key ${appAuth.publicKeyID}` }).click();
  await robin.dialog(/Remove the key/).getByRole('button', { name: 'Remove key' }).click();
  await expect(robin.fact(card, 'Public keys')).toContainText('None');
});

test('an uploaded file is there, once', async ({ robin, page }) => {
  const { name, id } = await robin.makeUser();
  await robin.open('Files');
  await page.getByLabel('Whose').selectOption(name);
  await expect(page.getByText('This folder is empty.')).toBeVisible();
  const file = { name: 'Tide & time.txt', mimeType: 'text/plain', buffer: Buffer.from('wait for nobody') };
  const choose = page.getByLabel('Files for this folder');
  await choose.setInputFiles(file);
  await page.getByRole('button', { name: 'Upload' }).click();
  const row = robin.row('Tide & time.txt', '15 bytes');
  await expect(row).toBeVisible();
  await expect(robin.said).toHaveText('Uploaded Tide & time.txt.');

  await choose.setInputFiles([{ ...file, name: 'Other.txt' }, file]);
  await page.getByRole('button', { name: 'Upload' }).click();
  await expect(robin.main.getByRole('alert')).toContainText('Tide & time.txt: there is something named');
  await expect(robin.main.getByRole('alert')).toContainText('1 of 2 went in');
  await expect(robin.row('Other.txt')).toBeVisible();

  await row.getByRole('button', { name: 'Delete Tide & time.txt' }).click();
  await robin.dialog('Delete Tide & time.txt?').getByRole('button', { name: 'Delete' }).click();
  await expect(row).toHaveCount(0);
  await expect(page.getByRole('button', { name: 'Delete Other.txt' })).toBeFocused();
  const { entries } = await (await fetch(`${BOX}/emulator/items?user=${id}`)).json();
  expect(entries.map((entry) => entry.name)).toEqual(['Other.txt']);
});

test('files are dropped into a new folder', async ({ robin, page }) => {
  const { name } = await robin.makeUser();
  await robin.open('Files');
  await page.getByLabel('Whose').selectOption(name);
  await page.getByRole('textbox', { name: 'Name' }).fill('Wrecks');
  await page.getByRole('button', { name: 'Make folder' }).click();
  await page.getByRole('button', { name: 'Open the folder Wrecks' }).click();
  await expect(page.getByRole('navigation', { name: 'Folder' })).toContainText('Wrecks');
  const dropped = await page.evaluateHandle(() => {
    const data = new DataTransfer();
    ['Anna.txt', 'Bertha.txt'].forEach((file) => data.items.add(new File([file], file)));
    return data;
  });
  await page.locator('#upload').dispatchEvent('drop', { dataTransfer: dropped });
  await expect(robin.row('Anna.txt')).toBeVisible();
  await expect(robin.row('Bertha.txt')).toBeVisible();
  await page.getByRole('button', { name: 'All Files' }).click();
  await expect(robin.row('Wrecks', '18 bytes')).toBeVisible();
});

test('a developer token is in the list, and its call in the log without the token', async ({ robin, page }) => {
  const user = await robin.makeUser();
  await robin.open('Tokens');
  await page.getByRole('combobox', { name: 'App' }).selectOption('Keyhole');
  await page.getByRole('combobox', { name: 'For' }).selectOption(user.name);
  await page.getByRole('textbox', { name: 'Scopes' }).fill('base_explorer gcm');
  await page.getByRole('button', { name: 'Issue token' }).click();
  await expect(robin.main.getByRole('alert')).toContainText('scopes are unknown');
  await page.getByRole('textbox', { name: 'Scopes' }).fill('root_readonly');
  await page.getByRole('button', { name: 'Issue token' }).click();
  const token = await page.locator('#issued-token').textContent();
  const row = robin.row('Access token', user.login);
  await expect(row).toContainText('root_readonly');
  await expect(row).toContainText(`${token.slice(0, 4)}…`);

  const asked = `/2.0/folders/0?fields=name&x=${token}`;
  expect((await fetch(`${BOX}${asked}`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
  await page.getByRole('link', { name: 'Log' }).click();
  await page.getByLabel('Show only lines with').fill(user.login);
  const line = robin.row(user.login, '200');
  await expect(line).toContainText(`GET /2.0/folders/0?fields=name&x=${token.slice(0, 4)}…`);
  expect(await page.locator('#log').innerHTML()).not.toContain(token);

  await page.getByRole('link', { name: 'Tokens' }).click();
  await row.getByRole('button', { name: /^Revoke access token/ }).click();
  await robin.dialog(/^Revoke access token/).getByRole('button', { name: 'Revoke' }).click();
  await expect(row).toHaveCount(0);
  expect((await fetch(`${BOX}${asked}`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(401);
  await page.getByLabel('Also those that ended').check();
  await expect(row).toContainText('revoked');
});

test('the lists renew themselves and leave the focus where it is; a pause stops the log', async ({ robin, page }) => {
  const app = await robin.makeApp({ auth: 'client_credentials' });
  const ask = () => fetch(`${BOX}/oauth2/token`, { method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials', client_id: app.client_id, client_secret: app.client_secret, box_subject_type: 'enterprise', box_subject_id: app.enterprise_id }) });
  await ask();
  await robin.open('Tokens');
  const rows = robin.row('Access token', app.name);
  await expect(rows).toHaveCount(1);
  const copy = rows.getByRole('button', { name: /^Copy/ });
  await copy.focus();
  await ask();
  await expect(rows).toHaveCount(2);
  await expect(rows.last().getByRole('button', { name: /^Copy/ })).toBeFocused();

  await robin.open('Log');
  await page.getByLabel('Show only lines with').fill(app.client_id);
  await expect(robin.row(app.client_id)).toHaveCount(2);
  await ask();
  await expect(robin.row(app.client_id)).toHaveCount(3);
  await page.getByRole('button', { name: 'Pause' }).click();
  await ask();
  await page.waitForTimeout(3000);
  await expect(robin.row(app.client_id)).toHaveCount(3);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expect(robin.row(app.client_id)).toHaveCount(4);
});

test('a fault is ordered, waits, and strikes', async ({ robin, page }) => {
  const path = `/2.0/nowhere-${Math.floor(Math.random() * 1e9)}`;
  await robin.open('Faults');
  await page.getByRole('textbox', { name: 'Path' }).fill(path);
  await page.getByRole('spinbutton', { name: 'Status' }).fill('503');
  await page.getByLabel('Retry-After').fill('7');
  await page.getByRole('button', { name: 'Order fault' }).click();
  await expect(robin.row(path)).toContainText('503, Retry-After 7');
  const answer = await fetch(`${BOX}${path}`);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '7']);
  await expect(robin.row(path)).toHaveCount(0);
  await page.getByLabel('What goes wrong').selectOption('done, then connection dropped');
  await expect(page.getByRole('spinbutton', { name: 'Status' })).toBeHidden();
  await page.getByRole('textbox', { name: 'Path' }).fill(path);
  await page.getByRole('button', { name: 'Order fault' }).click();
  await expect(robin.row(path)).toContainText('dropped after it is done');
  await expect(fetch(`${BOX}${path}`)).rejects.toThrow();
});

test('a switch is saved, and what is refused is said beside the switches', async ({ robin, page }) => {
  const set = async () => (await status()).settings.refresh_token_seconds;
  await robin.open('Switches');
  const life = page.getByLabel('refresh_token_seconds');
  await expect(life).toHaveValue('5184000');
  await life.fill('');
  await page.getByRole('button', { name: 'Save switches' }).click();
  await expect(robin.main.getByRole('alert')).toContainText('null');
  expect(await set()).toBe(5184000);
  await life.fill('5184001');
  await page.waitForTimeout(2500);
  await expect(life, 'what is not saved yet stays').toHaveValue('5184001');
  await page.getByRole('button', { name: 'Save switches' }).click();
  await expect(robin.said).toHaveText('Saved refresh_token_seconds.');
  expect(await set()).toBe(5184001);
  await life.fill('5184000');
  await life.press('Enter');
  await expect.poll(set).toBe(5184000);
});

test('while the emulator does not answer the page says so', async ({ robin, page }) => {
  await robin.open('Log');
  await page.route('**/emulator/**', (route) => route.abort());
  await expect(page.getByRole('alert')).toContainText('The emulator does not answer.');
  await page.unroute('**/emulator/**');
  await expect(page.getByRole('alert')).toBeHidden();
});

test('everything is done by keyboard', async ({ robin, page }) => {
  const name = unique('Keys');
  await page.goto(`${BOX}/console`);
  await expect(robin.title('Apps')).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to the content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(robin.main).toBeFocused();
  await tabTo(page, page.getByRole('button', { name: 'New app' }));
  await page.keyboard.press('Enter');
  const form = robin.dialog('New app');
  await expect(form.getByRole('textbox', { name: 'Name' })).toBeFocused();
  await page.keyboard.type(name);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('button', { name: 'New app' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(form.getByRole('textbox', { name: 'Name' }), 'nothing typed is lost').toHaveValue(name);
  await tabTo(page, form.getByLabel('People sign in'));
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await expect(form.getByLabel('A server signs with its key')).toBeChecked();
  await tabTo(page, form.getByRole('button', { name: 'Make app' }));
  await page.keyboard.press('Enter');
  const card = robin.app(name);
  await expect(card.getByRole('button', { name: `Change ${name}` })).toBeFocused();
  await tabTo(page, card.getByRole('button', { name: `Remove ${name}` }));
  await page.keyboard.press('Enter');
  const question = robin.dialog(`Remove ${name}?`);
  await expect(question.getByRole('button', { name: 'Cancel' }), 'what does no harm comes first').toBeFocused();
  await page.keyboard.press('Escape');
  await expect(card.getByRole('button', { name: `Remove ${name}` })).toBeFocused();
  await page.keyboard.press('Enter');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(card).toHaveCount(0);
  await expect(robin.title('Apps')).toBeFocused();
  await tabTo(page, page.getByRole('link', { name: 'People' }), 'Shift+Tab');
  await page.keyboard.press('Enter');
  await expect(robin.title('People')).toBeFocused();
  for (const target of [page.getByRole('button', { name: 'Copy the enterprise id' }), page.getByRole('button', { name: 'New user' })]) {
    await tabTo(page, target, 'Tab', 'Shift+Tab');
    expect(await target.evaluate((node) => getComputedStyle(node).outlineStyle), 'what has the focus can be seen').not.toBe('none');
  }
});

test('no other page drives it, not even one of the content host', async ({ page }) => {
  const { tokens } = await ledger();
  await page.goto(`${CONTENT}/d/1/none/download`);
  const outcome = await page.evaluate(async (box) => {
    const attempt = (path, options) => fetch(`${box}/emulator/${path}`, options).then((answer) => `${answer.type} ${answer.status}`, () => 'refused');
    return [
      await attempt('ledger'),
      await attempt('reset', { method: 'POST', mode: 'no-cors' }),
      await attempt('reset', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' }),
    ];
  }, BOX);
  expect(outcome).toEqual(['refused', 'opaque 0', 'refused']);
  expect((await ledger()).tokens.length).toBeGreaterThanOrEqual(tokens.length);
});

/** Each section and each dialog, with something in it. */
async function walk(robin, page, look) {
  const user = await robin.makeUser();
  await robin.makeApp({ auth: 'jwt' });
  await robin.open('Apps');
  await look('apps');
  await page.getByRole('button', { name: 'New app' }).click();
  await page.getByText('more scopes').click();
  await look('new app');
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: /^Remove / }).first().click();
  await look('question');
  await page.keyboard.press('Escape');
  await robin.open('People');
  await expect(robin.row(user.login)).toBeVisible();
  await look('people');
  await page.getByRole('button', { name: 'New user' }).click();
  await look('new user');
  await page.keyboard.press('Escape');
  await robin.open('Files');
  await expect(robin.row('Welcome.md')).toBeVisible();
  await look('files');
  await page.getByLabel('Whose').selectOption(user.name);
  await expect(page.getByText('This folder is empty.')).toBeVisible();
  await look('no files');
  await robin.open('Tokens');
  await page.getByRole('textbox', { name: 'Scopes' }).fill('gcm');
  await page.getByRole('button', { name: 'Issue token' }).click();
  await expect(robin.main.getByRole('alert')).toBeVisible();
  await page.getByRole('textbox', { name: 'Scopes' }).fill('');
  await page.getByRole('button', { name: 'Issue token' }).click();
  await expect(page.locator('#issued')).toBeVisible();
  await look('tokens');
  await fetch(`${BOX}/2.0/users/me`);
  await robin.open('Log');
  await expect(robin.row('/2.0/users/me').first()).toBeVisible();
  await look('log');
  await robin.open('Switches');
  await expect(page.getByLabel('rotation', { exact: true })).toBeVisible();
  await look('switches');
  await robin.open('Faults');
  await look('faults');
}

/** The rows of a table are alike, and other stories make many. */
const ALIKE = ['tbody tr:nth-child(n + 5)', '.card:nth-child(n + 4)'];

test.describe(() => {
  // axe itself tries to write a style into the page.
  test.use({ means: { violations: true } });
  test.setTimeout(180_000);

  test('every section is accessible, by day and by night', async ({ robin, page }) => {
    const wrong = [];
    await walk(robin, page, async (state) => {
      wrong.push(...(await faultsOf(page, `console ${state}`, ALIKE)));
    });
    expect(wrong).toEqual([]);
  });
});

test.describe(() => {
  test.use({ viewport: { width: 390, height: 740 }, hasTouch: true, isMobile: true });
  test.setTimeout(180_000);

  test('every section fits a phone, a small one too', async ({ robin, page }) => {
    const wrong = [];
    await walk(robin, page, async (state) => {
      for (const width of [320, 390]) {
        await page.setViewportSize({ width, height: 740 });
        await picture(page, `console ${state}`, `phone-${width}`);
        wrong.push(...(await misfits(page)).map((fault) => `${state}, ${width}: ${fault}`));
      }
    });
    expect(wrong).toEqual([]);
  });
});

/** What reaches beyond the screen, and what a finger has to hit and is less than 40 pixels high. */
function misfits(page) {
  return page.evaluate(() => {
    const { clientWidth, scrollWidth } = document.documentElement;
    const shown = [...document.querySelectorAll('body *')].filter((node) => node.checkVisibility({ visibilityProperty: true }));
    const beyond = shown.filter((node) => node.getBoundingClientRect().right > clientWidth + 1 && !node.closest('caption, .unseen, thead'));
    const small = shown.filter((node) => node.matches('button, select, summary, nav a, input:not([type=checkbox], [type=radio])') && node.getBoundingClientRect().height < 40);
    return [
      ...(scrollWidth > clientWidth ? [`${scrollWidth} wide`] : []),
      ...beyond.map((node) => `${node.nodeName} ${node.id || node.className} ends at ${node.getBoundingClientRect().right}`),
      ...small.map((node) => `${node.textContent.trim() || node.id} is ${node.getBoundingClientRect().height} high`),
    ];
  });
}

/** `back`: the key for when the other leads to the end without finding it. */
async function tabTo(page, target, key = 'Tab', back = key) {
  await target.waitFor();
  const isThere = () => target.evaluate((node) => node === document.activeElement);
  for (const [pressed, stops] of [[key, 60], [back, 120]]) {
    for (let stop = 0; stop < stops && !(await isThere()); stop += 1) {
      await page.keyboard.press(pressed);
    }
  }
  await expect(target).toBeFocused();
}
