// A small internet of names that lead nowhere else (RFC 6761, `.test`): Keyhole on a site, host pages beside it and on
// another site, and Box's library. All of it over HTTPS; the wire is who answers.
//
// Box itself stays at `http://127.0.0.1`, which Chromium trusts like HTTPS, so that nothing of it counts as mixed
// content: `BOX_API_URL` is both where the page asks and where the Worker does, and workerd has no table of hosts by
// which it would find a name of ours.
import { BOX, setting } from './box.mjs';

/** Keyhole, as `[origins]` of tests/workers.toml sets it up. */
export const AUTH = 'https://auth.example.test';
/** A listed origin on Keyhole's site: the Strict cookie comes along. */
export const APP = 'https://app.example.test';
/** A listed origin on another site: it never does. */
export const ELSEWHERE = 'https://elsewhere.test';
/** Where Box's preview library comes from. */
export const CDN = 'https://cdn.box.test';

/** Origins that nobody lists, each a little like one that is. */
export const UNLISTED = {
  'a sibling': 'https://other.example.test',
  'a name that only begins like it': 'https://app.example.test.evil.test',
  'another port': 'https://app.example.test:8443',
  'a stranger': 'https://evil.test',
};

/** Who answers for a name, and by which name it goes there. */
export const ANSWERED_BY = {
  [AUTH]: { url: setting('KEYHOLE_ORIGINS_WORKER_URL'), host: new URL(AUTH).host },
  [CDN]: { url: BOX, host: new URL(BOX).host },
};

/** Every name that the certificate is for. */
export const HOSTS = [AUTH, APP, ELSEWHERE, CDN, ...Object.values(UNLISTED)].map((origin) => new URL(origin).hostname);

/** A page of somebody's making with the two lines of the README on it. */
export const twoLines = (file) => `<!doctype html><html lang="en"><meta charset="utf-8"><title>A host page</title>
<style>html, body, box-preview { height: 100%; margin: 0 }</style>
<script type="module" src="${AUTH}/keyhole.js"></script>
<box-preview file="${file}"></box-preview>`;
