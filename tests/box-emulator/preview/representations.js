/** Which representation of a file a viewer shows, and waiting until Box has made it. */

import { fromRepresentation, PreviewError } from './errors.js';
import { pause } from './retry.js';

const POLL_MILLISECONDS = 2000;

const words = (list) => list.split(' ');
const FILMS = words('mp4 m4v mov avi mkv mpg mpeg wmv 3gp flv');
const TEXT = words('txt log json js mjs ts py css scss yaml yml toml ini conf sh rb rs go c h cpp java php pl sql tex properties diff');

/** The first rule that fits a file and finds its representation decides. */
const RULES = [
  { viewer: 'markdown', extensions: ['md', 'markdown'], representation: 'text' },
  { viewer: 'table', extensions: ['csv', 'tsv'], representation: 'text' },
  { viewer: 'text', extensions: words('html htm xml xsl xsd xhtml'), representation: 'ORIGINAL' },
  { viewer: 'text', extensions: TEXT, representation: 'text' },
  { viewer: 'image', extensions: ['svg', 'gif'], representation: 'ORIGINAL' },
  { viewer: 'image', extensions: ['jpg', 'jpeg'], representation: 'jpg', asset: '1.jpg' },
  { viewer: 'image', extensions: words('png webp bmp heic psd ico'), representation: 'png', asset: '1.png' },
  { viewer: 'dash', extensions: FILMS, representation: 'dash', asset: 'manifest.mpd' },
  { viewer: 'mp4', extensions: FILMS, representation: 'mp4' },
  { viewer: 'document', extensions: ['pdf'], representation: 'pdf', onlyWhenReady: true },
  { viewer: 'document', extensions: ['pdf'], representation: 'ORIGINAL' },
  { viewer: 'document', representation: 'pdf' },
];

/** The viewer for a file, and from what: `{ viewer, asset, entry }`. */
export function choose(file) {
  for (const rule of RULES) {
    const fits = !rule.extensions || rule.extensions.includes(file.extension);
    const entry = fits && file.representations.entries.find((one) => suits(one, rule));
    if (entry) {
      return { viewer: rule.viewer, asset: rule.asset ?? '', entry };
    }
  }
  throw new PreviewError('error_unsupported_file_type', { details: { extension: file.extension } });
}

function suits(entry, { representation, asset, onlyWhenReady }) {
  const isPaged = entry.properties?.paged !== 'false';
  return entry.representation === representation && (!asset || isPaged) && (!onlyWhenReady || isReady(entry));
}

/** Asks Box about a representation until it can be fetched: at once when nobody asked for it yet. */
export async function untilReady(entry, { requests, token, signal }) {
  for (let current = entry; !isReady(current); ) {
    const state = stateOf(current);
    if (state === 'error') {
      throw fromRepresentation(current.status.code);
    }
    if (state !== 'none') {
      await pause(POLL_MILLISECONDS, signal);
    }
    const url = requests.contentUrl(entry.info.url);
    const { data } = await requests.send({ url, headers: requests.apiHeaders(token) });
    // Asked for once, it is being made, whatever the answer calls it.
    current = stateOf(data) === 'none' ? { status: { state: 'pending' } } : data;
  }
}

const stateOf = (entry) => entry.temp_status?.state ?? entry.status.state;
const isReady = (entry) => ['success', 'viewable'].includes(stateOf(entry));

/** Where a representation's content lies. */
export const contentUrl = ({ entry, asset }, requests) =>
  requests.contentUrl(entry.content.url_template.replace('{+asset_path}', asset));
