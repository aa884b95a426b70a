// Looking for secrets in bytes, whatever they are wrapped in.
import * as box from './box.mjs';

/** What must be in nothing that a browser sees, each with every form it could take. */
export class Needle {
  constructor(name, value) {
    this.name = name;
    this.value = value;
    this.forms = formsOf(value);
  }
}

/** The ways a text may be written: as it is, in an address, in JSON, in base64 at any alignment, in hex. */
export function formsOf(value) {
  const bytes = Buffer.from(value);
  const percent = (upper) => [...bytes].map((byte) => `%${upper ? hex(byte).toUpperCase() : hex(byte)}`).join('');
  const forms = {
    'as it is': value,
    'URL-encoded': encodeURIComponent(value),
    'form-encoded': new URLSearchParams({ v: value }).toString().slice(2),
    'percent-encoded': percent(true),
    'percent-encoded, small': percent(false),
    'in JSON': JSON.stringify(value).slice(1, -1),
    'in JSON, escaped': [...value].map((sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
    'in HTML': value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;'),
    'in hex': bytes.toString('hex'),
  };
  for (const offset of [0, 1, 2]) {
    forms[`in base64 at ${offset}`] = inBase64(bytes, offset);
    forms[`in base64url at ${offset}`] = inBase64(bytes, offset).replaceAll('+', '-').replaceAll('/', '_');
  }
  return forms;
}

const hex = (byte) => byte.toString(16).padStart(2, '0');

/** What of the bytes is readable in base64 when they begin `offset` bytes after a group of three. */
function inBase64(bytes, offset) {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64').replace(/=+$/, '');
  // Sextets that mix with neighbours say nothing certain.
  const first = Math.ceil((offset * 8) / 6);
  const last = Math.floor(((offset + bytes.length) * 8) / 6);
  return text.slice(first, last);
}

/** Which needles, in which form, are in which of these `{ place: bytes }`. */
export function found(needles, places) {
  const finds = [];
  for (const [place, bytes] of Object.entries(places)) {
    for (const { name, forms } of needles) {
      const form = Object.keys(forms).find((form) => bytes.includes(forms[form]));
      if (form) {
        finds.push(`${name}, ${form}, in ${place}`);
      }
    }
  }
  return finds;
}

/** The secrets of the deployment. A sealing key is looked for as written and as its bytes. */
export function deployed() {
  const settings = box.workerSettings();
  const keys = settings.SEAL_KEYS.split(',').map((entry) => entry.split(':')[1]);
  if (!settings.BOX_CLIENT_SECRET || keys.some((key) => !key)) {
    throw new Error('the settings under test hold no secrets to look for');
  }
  return [
    new Needle('the client secret', settings.BOX_CLIENT_SECRET),
    ...keys.flatMap((key) => [new Needle('a sealing key', key), bytesOf(key)]),
  ];
}

/** The 32 bytes of a key themselves: raw, in hex, in either base64. */
function bytesOf(key) {
  const bytes = Buffer.from(key, 'base64url');
  const needle = new Needle('the bytes of a sealing key', '');
  needle.forms = {
    'as they are': bytes,
    'in hex': bytes.toString('hex'),
    'in base64 at 0': inBase64(bytes, 0),
    'in base64 at 1': inBase64(bytes, 1),
    'in base64 at 2': inBase64(bytes, 2),
  };
  return needle;
}

/**
 * What Box issued and a browser must not see at all (`grants`: refresh tokens, and access tokens that were not
 * narrowed) or may hold in memory only (`children`): all of it, or what came of these codes.
 */
export async function issuedFor(codes = null) {
  const { tokens } = await box.ledger();
  const family = new Set(codes ?? tokens.map(({ value }) => value));
  // Oldest first: parents come before what was made of them.
  const ours = tokens.filter(({ value, parent }) => (family.has(value) || family.has(parent)) && family.add(value));
  const needles = (name, wanted) => ours.filter(({ kind }) => kind === wanted).map(({ value }) => new Needle(name, value));
  return {
    grants: [...needles('a refresh token', 'refresh'), ...needles('an access token that is not narrowed', 'access')],
    children: needles('a pass', 'child'),
  };
}
