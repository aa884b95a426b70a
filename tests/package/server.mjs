// A server that renders pages imports the package as their scripts do: nothing throws, and nothing starts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as client from 'keyhole-client';
import { namesOf, OF_KEYHOLE, OF_THE_MODULE } from './names.mjs';

const { configure, Keyhole } = client;
const isLost = { name: 'KeyholeError', code: 'origin_missing', status: 0, message: /configure\(\{ origin: "https:/ };

test('the module exports what its types say', () => {
  assert.deepEqual(Object.keys(client).sort(), Object.keys(OF_THE_MODULE).sort());
});

test('a client has what its type says', () => {
  const keyhole = new Keyhole({ origin: 'https://auth.example.com' });
  assert.deepEqual(namesOf(keyhole), Object.keys(OF_KEYHOLE).sort());
});

test('a client without a Worker is an error that says what to write', () => {
  assert.throws(() => new Keyhole(), isLost);
});

test('what is no web address is no Worker', () => {
  for (const origin of ['auth.example.com', 'localhost:8787', '', undefined]) {
    assert.throws(() => configure({ origin }), isLost, String(origin));
  }
});

test('a client on a server answers like one that cannot be reached', async () => {
  const keyhole = new Keyhole({ origin: 'https://auth.example.com' });
  assert.equal(await keyhole.token('123'), null);
  assert.deepEqual(keyhole.held(), []);
  await assert.rejects(keyhole.session(), { name: 'KeyholeError', code: 'module_blocked' });
});

test('whoever was told once knows it for all clients', () => {
  configure({ origin: 'https://auth.example.com/some/path' });
  assert.ok(new Keyhole());
});
