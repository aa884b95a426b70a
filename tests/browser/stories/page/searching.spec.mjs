// The search for secrets finds what is there: planted in each form, and in each place that a browser has.
import http from 'node:http';
import { formsOf, found, Needle } from '../../support/secrets.mjs';
import { expect, test } from '../../support/test.mjs';

const SECRET = 'pl4nted/secret+with "odd" signs & sense~';
const needle = new Needle('the planted one', SECRET);

/** `text` in base64 behind so many bytes, as something longer would hold it. */
const wrapped = (behind, encoding) => Buffer.from(`${'x'.repeat(behind)}${SECRET}and more`).toString(encoding);

const WRITTEN = {
  'as it is': SECRET,
  'in an address': `/x?v=${encodeURIComponent(SECRET)}`,
  'in a form': new URLSearchParams({ v: SECRET }).toString(),
  'with every byte escaped': [...Buffer.from(SECRET)].map((byte) => `%${byte.toString(16)}`).join(''),
  'in JSON': JSON.stringify({ v: SECRET }),
  'in HTML': SECRET.replaceAll('&', '&amp;').replaceAll('"', '&quot;'),
  'in hex': Buffer.from(SECRET).toString('hex'),
  ...Object.fromEntries([0, 1, 2, 3, 7].flatMap((behind) => ['base64', 'base64url'].map((encoding) => [`in ${encoding} behind ${behind}`, wrapped(behind, encoding)]))),
};

test('s01 a planted secret is found in each form', () => {
  const overlooked = Object.entries(WRITTEN).filter(([, text]) => found([needle], { bytes: Buffer.from(`before ${text} after`) }).length !== 1);
  expect(overlooked).toEqual([]);
});

test('what is not there is not found', () => {
  const other = Buffer.from(Object.values(formsOf(SECRET.replace('4', '5'))).join('\n'));
  expect(found([needle], { bytes: other })).toEqual([]);
});

test('s30 a planted secret is found in each place that a browser has', async ({ page, wire, witness }) => {
  const plain = 'plantedInEveryPlace0123456789';
  const planted = new Needle('the planted one', plain);
  // A site that does everything wrong.
  const site = http.createServer((request, response) => {
    if (request.url !== '/') {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, { 'content-type': 'text/html', 'x-leak': plain, 'set-cookie': `leak=${plain}; HttpOnly` });
    response.end(`<!doctype html><title>Leaks</title><p>${plain}</p>`);
  });
  await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${site.address().port}/`;
  const leaks = {
    'the console': (value) => console.log('here is', value),
    'a request that a page saw': (value) => fetch(`/x?token=${value}`),
    'the document': (value) => {
      const host = document.body.appendChild(document.createElement('div'));
      host.attachShadow({ mode: 'open' }).textContent = value;
    },
    storage: (value) => sessionStorage.setItem('token', value),
    'a message': (value) => new BroadcastChannel('all').postMessage({ token: value }),
    'a cookie': (value) => (document.cookie = `token=${value}`),
    // The last one: a page's history stays.
    'an address': (value) => history.replaceState(null, '', `?token=${value}`),
  };
  for (const [place, leak] of Object.entries(leaks)) {
    // A fresh page each, and nothing of the one before.
    await page.goto(address);
    await page.evaluate(() => (sessionStorage.clear(), document.body.replaceChildren()));
    await page.context().clearCookies();
    witness.forget();
    expect(found([planted], await witness.testimony()), `before: ${place}`).toEqual([]);
    await page.evaluate(leak, plain);
    await expect.poll(async () => found([planted], await witness.testimony()).map((find) => find.split(', in ').at(-1)), place).toContain(place);
  }
  const [answer] = wire.to('/').filter(({ url }) => url === address);
  expect(found([planted], { 'an answer': answer.seen })).toHaveLength(1);
  expect(answer.seen.toString().split(plain), 'body, header and cookie').toHaveLength(4);
  site.close();
});

test('s30 what is written to a lasting store is found there, also when it is gone again', async ({ page, wire, witness }) => {
  wire.serve('http://127.0.0.1:9999/', '<!doctype html><title>Stores</title>');
  await page.goto('http://127.0.0.1:9999/');
  await page.evaluate(async () => {
    localStorage.setItem('a', 'briefly-in-local-storage');
    localStorage.removeItem('a');
    const opening = indexedDB.open('kept', 1);
    await new Promise((resolve) => {
      opening.onupgradeneeded = () => opening.result.createObjectStore('tokens');
      opening.onsuccess = resolve;
    });
    const writing = opening.result.transaction('tokens', 'readwrite');
    writing.objectStore('tokens').put('kept-in-a-database', 'key');
    await new Promise((resolve) => (writing.oncomplete = resolve));
    opening.result.close();
    const cache = await caches.open('kept');
    await cache.put('/token', new Response('kept-in-a-cache'));
  });
  for (const value of ['briefly-in-local-storage', 'kept-in-a-database', 'kept-in-a-cache']) {
    expect(found([new Needle(value, value)], await witness.testimony())).toEqual([`${value}, as it is, in storage`]);
  }
});
