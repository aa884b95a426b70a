// The Box emulator from behind: its control API, which tells every secret there is. Tests call it, pages cannot.
import { readFileSync } from 'node:fs';

export const BOX = setting('KEYHOLE_EMULATOR_URL');
export const CONTENT = setting('KEYHOLE_CONTENT_URL');
export const KEYHOLE = setting('KEYHOLE_WORKER_URL');
/** A Worker whose sessions end after seconds. */
export const SHORT_KEYHOLE = setting('KEYHOLE_SHORT_WORKER_URL');
/** A Worker that lets visitors download. */
export const DOWNLOADS_KEYHOLE = setting('KEYHOLE_DOWNLOADS_WORKER_URL');
export const REAL_LIBRARY = process.env.KEYHOLE_PREVIEW_LIBRARY_URL;

export const ROBIN = { name: 'Robin Sample', login: 'robin@example.com', password: 'keyhole' };

/** What `cargo xtask test browser` says by a variable. */
export function setting(name) {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set: run \`cargo xtask test browser\``);
  }
  return value;
}

async function control(method, path, body) {
  const answer = await fetch(`${BOX}/emulator/${path}`, {
    method,
    // Node's fetch says `Sec-Fetch-Mode: cors` and no site: a program, no page.
    headers: { 'content-type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!answer.ok) {
    throw new Error(`${method} /emulator/${path}: ${answer.status} ${await answer.text()}`);
  }
  return answer.json();
}

/** Everything that Box ever issued, oldest first, and the client secret. */
export const ledger = () => control('GET', 'ledger');
export const calls = () => control('GET', 'calls');
export const status = () => control('GET', 'status');

/** For tests that have Box to themselves. */
export const change = (settings) => control('POST', 'settings', settings);
export const order = (fault) => control('POST', 'faults', fault);
export const expire = (kind) => control('POST', 'expire', { kind });
/** Ends one token at Box. */
export const revoke = (value) => control('POST', 'tokens/revoke', { value });
export const forgetCalls = () => control('DELETE', 'calls');
export const forgetFaults = () => control('DELETE', 'faults');

/** Codes, access tokens that are not narrowed, refresh tokens and child tokens, by kind. */
export async function issued() {
  const { tokens } = await ledger();
  const of = (kind) => tokens.filter((token) => token.kind === kind);
  return { codes: of('code'), parents: of('access'), refresh: of('refresh'), children: of('child') };
}

/** The settings and secrets of the Worker under test. */
export function workerSettings() {
  const lines = readFileSync(setting('KEYHOLE_VARS_FILE'), 'utf8').split('\n');
  const pairs = lines.map((line) => /^\s*([A-Z_]+)\s*=\s*(.*?)\s*$/.exec(line)).filter(Boolean);
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value.replace(/^(['"])(.*)\1$/, '$2')]));
}
