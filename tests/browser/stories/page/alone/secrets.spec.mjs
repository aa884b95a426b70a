// One long day in one browser, everything that it saw kept; then all of it is searched for every secret there is:
// those of this deployment, and all that Box ever issued to anybody.
import * as box from '../../../support/box.mjs';
import * as secrets from '../../../support/secrets.mjs';
import { expect, test } from '../../../support/test.mjs';

test.setTimeout(90_000);

test('s01 s12 s30 after a long day no secret was seen, and passes were in memory only', async ({ robin, page, context, wire, witness }) => {
  await page.goto('/');
  await robin.goToBox();
  await robin.enterBox();
  await robin.decide('Deny access to Box');
  await robin.isOut();
  await robin.goToBox();
  await robin.decide('Grant access to Box');
  await robin.isIn();
  for (const path of ['Garden/Bees.txt', 'Lighthouse/Skerryholm Light.png', 'Lighthouse/Plans/Tower section.svg', "Lighthouse/Keeper's Handbook.pdf", 'Weather/Rain by month.csv', 'Welcome.md']) {
    await robin.openPath(path);
    await witness.glimpse();
    await page.goto('/#folder/0');
    await page.reload();
    await robin.isIn();
  }
  await robin.enter('Watch log');
  await page.getByRole('button', { name: 'Show more' }).click();
  await expect(robin.rows).toHaveCount(72);

  await box.expire('access');
  await robin.open('2026-09-01.txt');
  const other = await robin.inAnotherTab();
  await other.page.goto(page.url());
  await other.sees('2026-09-01.txt');
  await box.order({ method: 'POST', path: '/oauth2/token', grant_type: 'token-exchange', status: 500, body: { error: 'server_error' }, count: 5 });
  await robin.row('2026-09-02.txt').click();
  await expect(robin.preview).toHaveAttribute('data-keyhole', 'message');
  await box.forgetFaults();
  await other.page.goto('/auth/callback?code=stolen&state=strange');
  await expect(other.page.getByRole('heading', { level: 1 })).toBeVisible();
  await witness.glimpse();

  // Before signing out: what the browser keeps of a session.
  const kept = (await context.cookies(box.KEYHOLE)).filter(({ name }) => !name.startsWith('box_emulator'));
  expect(kept.map(({ name, httpOnly, secure, sameSite, path }) => ({ name, httpOnly, secure, sameSite, path }))).toEqual([
    { name: '__Host-Http-keyhole', httpOnly: true, secure: true, sameSite: 'Strict', path: '/' },
  ]);
  await robin.signOut();
  await robin.isOut();
  await robin.goToBox();
  await robin.decide('Grant access to Box');
  await robin.isIn();
  await robin.open('Welcome.md');
  await box.expire('access');
  await box.expire('refresh');
  await robin.row("Robin's to-do list.md").click();
  await robin.isOut();

  const testimony = await witness.testimony();
  const { grants, children } = await secrets.issuedFor();
  const all = [...secrets.deployed(), ...grants];
  // The search looks for what it should, in what it should.
  const rotated = (await box.ledger()).tokens.filter(({ kind, state }) => kind === 'refresh' && state !== 'live');
  expect(rotated.length, 'a pair was rotated').toBeGreaterThan(0);
  expect(all.length).toBeGreaterThan(8);
  expect(children.length).toBeGreaterThan(8);
  const wired = Buffer.concat(wire.exchanges.map(({ seen }) => seen));
  expect(wired.length).toBeGreaterThan(1_000_000);
  expect(testimony['the document'].length).toBeGreaterThan(50_000);

  expect(secrets.found(all, { ...testimony, 'an answer': wired })).toEqual([]);

  const sent = wire.exchanges.filter(({ url }) => url.startsWith(box.KEYHOLE)).map(({ asked, askedBody }) => `${asked.join('\n')}\n${askedBody}`);
  expect(secrets.found(all, { 'what was sent to Keyhole': Buffer.from(sent.join('\n')) })).toEqual([]);

  const addresses = Buffer.from(wire.exchanges.map(({ url, answered }) => [url, ...answered].join('\n')).join('\n'));
  const elsewhere = Buffer.concat(wire.exchanges.filter(({ path }) => path !== '/api/tokens').map(({ seen }) => seen));
  expect(secrets.found(children, { ...testimony, 'an address or header': addresses, 'another answer': elsewhere })).toEqual([]);
  const handedOut = wire.to('/api/tokens').filter(({ body }) => body.includes('"access_token"'));
  expect(handedOut.length, 'there they are').toBeGreaterThan(8);
  handedOut.forEach(({ body }) => expect(secrets.found(children, { body })).not.toEqual([]));
  expect((await box.calls()).log.filter(({ has_query_token }) => has_query_token)).toEqual([]);

  // Keyhole itself writes nothing anywhere; Box's own library may keep settings of its own.
  expect(witness.did('indexedDB', 'cache', 'cookie', 'serviceWorker')).toEqual([]);
  // It tells other tabs that a session began or ended, and why: nothing else.
  const words = /^message: \{"type":"(signed_in|ended)"(,"reason":"(signed_out|idle|expired|revoked|superseded|rotation_lost|replaced)")?\}$/;
  expect(witness.did('message').filter((told) => !words.test(told))).toEqual([]);
  if (!box.REAL_LIBRARY) {
    expect(witness.did('storage')).toEqual([]);
    const storages = witness.glimpses.map(({ storage }) => storage).filter((storage) => storage.local);
    expect(storages.filter(({ local, session, cookie }) => Object.keys({ ...local, ...session }).length > 0 || cookie)).toEqual([]);
  }
});
