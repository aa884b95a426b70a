// What happens to a session when something happens at Box. These stories change Box for everybody, so they run alone.
import * as box from '../../../support/box.mjs';
import { expect, test } from '../../../support/test.mjs';

test.afterEach(async () => {
  await box.forgetFaults();
});

test('an access token that ended is renewed without a word', async ({ inside, page, wire }) => {
  await inside.openPath('Garden/Bees.txt');
  await box.expire('access');
  await box.forgetCalls();
  await inside.open('Seeds.csv');
  await inside.crumbs.getByText('All files').click();
  await inside.enter('Weather');
  await inside.open('Reading the sky.txt');
  const { counts } = await box.calls();
  expect(counts['POST /oauth2/token refresh_token']).toBe(1);
  await expect(inside.notice).toBeEmpty();
  expect(wire.to('/auth/login')).toHaveLength(1);
  const refused = wire.exchanges.filter(({ url, status }) => url.startsWith(`${box.KEYHOLE}/api/`) && status !== 200);
  expect(refused.map(({ url }) => url)).toEqual([]);
  await page.reload();
  await inside.sees('Reading the sky.txt');
});

test('a session that Box ended says so, and the way back leads to the same file', async ({ inside, page, context }) => {
  await inside.openPath('Garden/Bees.txt');
  await box.expire('access');
  await box.expire('refresh');
  await inside.row('Seeds.csv').click();
  await inside.isOut();
  await expect(inside.notice).toContainText('Sign in to go on.');
  await expect(page.getByRole('heading', { level: 1 })).toBeFocused();
  await expect(page.locator('#who')).toBeHidden();
  await page.reload();
  await inside.isOut();
  await inside.goToBox();
  await inside.decide('Grant access to Box');
  await inside.sees('Seeds.csv');
  await expect(inside.notice).toBeEmpty();
  expect((await context.cookies(box.KEYHOLE)).filter(({ name }) => name.includes('keyhole')).map(({ name }) => name)).toEqual(['__Host-Http-keyhole']);
});

test('a pass that Box no longer accepts is replaced without a word', async ({ inside, page, wire }) => {
  await inside.openPath('Garden/Bees.txt');
  await page.keyboard.press('Escape');
  await box.expire('child');
  await inside.open('Bees.txt');
  const asked = wire.to('/api/tokens').map(({ askedBody }) => JSON.parse(askedBody));
  expect(asked.at(-1).refused, 'the dead one is named by its hash').toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
  await expect(inside.message).toBeHidden();
});

test('a Box that does not answer for a while is said, and nothing is lost', async ({ inside, page, wire }) => {
  // The first folder is there before Box fails.
  await expect(inside.row('Garden')).toBeVisible();
  await box.order({ method: 'GET', path: '/2.0/folders/*', status: 503, count: 20 });
  await inside.row('Garden').click();
  await expect(page.locator('#folder-trouble')).toContainText('Box does not answer right now');
  await box.forgetFaults();
  await page.getByRole('button', { name: 'Try again' }).click();
  await inside.open('Bees.txt');
  await box.order({ method: 'POST', path: '/oauth2/token', grant_type: 'token-exchange', status: 503, count: 20 });
  await inside.row('Seeds.csv').click();
  await expect(inside.message).toContainText('Box is not available right now');
  await box.forgetFaults();
  await inside.message.getByRole('button', { name: 'Try again' }).click();
  await inside.sees('Seeds.csv');
  expect(wire.to('/auth/login')).toHaveLength(1);
});

test('a Box that refuses the code ends in words and another try', async ({ robin, page }) => {
  await box.order({ method: 'POST', path: '/oauth2/token', grant_type: 'authorization_code', status: 400, body: { error: 'invalid_grant', error_description: 'strange words of Box' }, count: 1 });
  await page.goto('/');
  await robin.goToBox();
  await robin.enterBox();
  await robin.decide('Grant access to Box');
  await expect(robin.notice).toContainText('Box did not confirm the sign-in.');
  await expect(page.locator('body')).not.toContainText('strange words');
  await robin.goToBox();
  await robin.decide('Grant access to Box');
  await robin.isIn();
});

test('a file that Box forgets while it is listed says so', async ({ inside }) => {
  await inside.enter('Garden');
  await box.order({ method: 'POST', path: '/oauth2/token', grant_type: 'token-exchange', status: 400, body: { error: 'invalid_resource' }, count: 1 });
  await inside.row('Bees.txt').click();
  await expect(inside.message).toContainText('This file is not here');
});
