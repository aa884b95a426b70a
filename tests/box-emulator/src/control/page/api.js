/** The emulator's JSON API, on the origin of this page. */

/** What the emulator refused, in its words; `status` 0: it did not answer. */
export class Refusal extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

export const get = (path) => ask('GET', path);
export const post = (path, body = {}) => ask('POST', path, JSON.stringify(body), 'application/json');
export const patch = (path, body) => ask('PATCH', path, JSON.stringify(body), 'application/json');
export const remove = (path) => ask('DELETE', path);
/** A file's bytes as they are. */
export const upload = (path, file) => ask('POST', path, file, 'application/octet-stream');

/** `?name=value&…` of what is given. */
export function query(values) {
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== null);
  return `?${new URLSearchParams(given)}`;
}

async function ask(method, path, body, type) {
  let answer;
  try {
    answer = await fetch(`/emulator/${path}`, { method, body, headers: type ? { 'content-type': type } : {}, cache: 'no-store' });
  } catch {
    throw new Refusal(0, 'The emulator does not answer. Is it still running?');
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) {
    throw new Refusal(answer.status, told.error ?? `The emulator answered ${answer.status}.`);
  }
  return told;
}
