// Box's own components on pages of somebody's making: the prebuilt files of npm's `box-ui-elements`, where
// `cargo xtask test browser` installed them, served from the page's origin.
import { readFileSync } from 'node:fs';
import * as box from './box.mjs';

const FILES = box.setting('KEYHOLE_ELEMENTS_DIR');
export const REACT = box.setting('KEYHOLE_REACT_DIR');
/** A Worker that gives tokens for folders, with the scopes of an explorer. */
export const EXPLORER = box.setting('KEYHOLE_EXPLORER_WORKER_URL');

const { version } = JSON.parse(readFileSync(`${FILES}/../package.json`, 'utf8'));
/** Where Box serves the same files from. */
export const CDN = 'https://cdn01.boxcdn.net';
/** The folder of the files, below Box's CDN and here below the page's origin. */
export const FOLDER = `/platform/elements/${version}/en-US`;
/** What makes the components take the emulator for Box, and load the stand-in, or the library that was asked for. */
export const HOSTS = { apiHost: box.BOX, ...librarysPlace(box.REAL_LIBRARY ?? `${box.BOX}/platform/preview/3.81.0/en-US/preview.js`) };

function librarysPlace(url) {
  const [, staticHost, staticPath, previewLibraryVersion] = /^(https?:\/\/[^/]+)\/(.+)\/([^/]+)\/[^/]+\/preview\.js$/.exec(url);
  return { staticHost, staticPath, previewLibraryVersion };
}

/** Puts the files of a component, `preview` or `explorer`, at the page's origin. */
export function provide(wire, origin, name) {
  wire.serve(`${origin}${FOLDER}/${name}.js`, readFileSync(`${FILES}/${name}.js`), { 'content-type': 'text/javascript; charset=utf-8' });
  wire.serve(`${origin}${FOLDER}/${name}.css`, readFileSync(`${FILES}/${name}.css`), { 'content-type': 'text/css; charset=utf-8' });
}

/**
 * Serves `origin`/app, which shows `id` in one of Box's components. Every call of the token function and what it
 * resolved to is kept in the page: `asked` and `given`.
 */
export function serve(wire, origin, { component, id, token = 'keyhole.token', options = {} }) {
  const name = component === 'ContentPreview' ? 'preview' : 'explorer';
  provide(wire, origin, name);
  wire.serve(`${origin}/app`, `<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title>
<style>html, body, #place { height: 100%; margin: 0 }</style>
<link rel="stylesheet" href="${FOLDER}/${name}.css"><script src="${FOLDER}/${name}.js"></script>
<div id="place"></div>
<script type="module">
  import { Keyhole } from '/keyhole.js';
  const keyhole = new Keyhole();
  const wanted = ${token};
  Object.assign(window, { asked: [], given: [], loaded: [] });
  const token = async (items) => {
    window.asked.push(items);
    const token = await wanted(items);
    window.given.push(token === null ? 'null' : typeof token);
    return token;
  };
  const onLoad = ({ file }) => window.loaded.push(file.name);
  new Box.${component}().show('${id}', token, { container: '#place', onLoad, ...${JSON.stringify({ ...HOSTS, ...options })} });
</script>`);
}
