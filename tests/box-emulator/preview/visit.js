/** One file from `show` to the screen: token, file, representation, viewer, and what is told to whom. */

import { download } from './download.js';
import { PreviewError } from './errors.js';
import { fetchFile, isComplete, refuseWhatMayNotBeShown, withOriginal } from './file-info.js';
import { prefetchAfter } from './prefetch.js';
import { mayPrint, print } from './print.js';
import { choose, contentUrl, untilReady } from './representations.js';
import { Requests } from './requests.js';
import { withRetries } from './retry.js';
import { askForTokens } from './tokens.js';
import { logPreviewEvent } from './usage.js';

export { download, mayPrint, print };

/** Each viewer's module is fetched when it is first needed. */
const VIEWERS = {
  dash: () => import('./viewers/dash.js'),
  document: () => import('./viewers/document.js'),
  image: () => import('./viewers/image.js'),
  markdown: () => import('./viewers/markdown.js'),
  mp4: () => import('./viewers/mp4.js'),
  table: () => import('./viewers/table.js'),
  text: () => import('./viewers/text.js'),
};

const VIEWER_MILLISECONDS_MAX = 180_000;

/** Shows the visit's file. Every failure ends in events and a message; nothing is thrown. */
export async function start(visit) {
  const { frame, emit, ends } = visit;
  const began = performance.now();
  visit.requests = new Requests(visit);
  try {
    await open(visit);
    if (ends.signal.aborted) {
      return;
    }
  } catch (failure) {
    if (!ends.signal.aborted) {
      fail(visit, PreviewError.from(failure));
    }
    return;
  }
  const total = Math.round(performance.now() - began);
  const metrics = { time: { conversion: 0, rendering: total, total } };
  visit.viewer.loaded();
  frame.loaded(visit.file, visit.mayPrint() && (() => print(visit)));
  emit('load', { viewer: visit.viewer, file: visit.file, metrics });
  emit('preview_metric', { event_name: 'load', value: total, file_id: visit.id, viewer: visit.viewer.name });
  logPreviewEvent(visit);
  prefetchAfter(visit);
}

async function open(visit) {
  const { file, token } = await fileAndToken(visit);
  visit.file = file;
  visit.currentToken = token;
  refuseWhatMayNotBeShown(file);
  visit.frame.name(file, () => download(visit));
  const chosen = choose(file);
  const { requests, options, place, frame } = visit;
  const { signal } = visit.ends;
  await untilReady(chosen.entry, { requests, token, signal });
  const { Viewer } = await VIEWERS[chosen.viewer]();
  signal.throwIfAborted();
  visit.viewer = new Viewer({
    file, token, requests, options, place, signal, stage: frame.stage(chosen.viewer, file), url: contentUrl(chosen, requests),
    refreshToken: () => refreshToken(visit),
    trouble: (failure) => fail(visit, failure),
  });
  visit.emit('viewer', visit.viewer);
  await Promise.race([visit.viewer.load(), tooLate(signal)]);
}

/** What is asked first. Any failure asks again, the page's token function included. */
async function fileAndToken(visit) {
  const { id, given, options, requests } = visit;
  const attempt = async () => {
    const { [id]: token } = await askForTokens([id], visit.tokenSource());
    const known = options.skipServerUpdate && isComplete(given);
    const file = known ? withOriginal(given) : await fetchFile(requests, id, token);
    return { file, token };
  };
  try {
    const isFinal = (failure) => failure instanceof PreviewError;
    return await withRetries(attempt, { signal: visit.ends.signal, isFinal });
  } catch (failure) {
    const code = failure.status === 429 ? 'error_rate_limit' : 'error_exceeded_retry_limit';
    throw PreviewError.from(failure, code);
  }
}

/** Another token for what is open: only a token function has one. */
async function refreshToken({ id, tokenSource }) {
  if (typeof tokenSource() !== 'function') {
    throw new Error('Token is not a function and cannot be refreshed.');
  }
  return (await askForTokens([id], tokenSource()))[id];
}

function tooLate(signal) {
  return new Promise((_, fail) => {
    const timer = setTimeout(() => fail(new PreviewError('error_viewer_load_timeout')), VIEWER_MILLISECONDS_MAX);
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  });
}

/** As in Box's library, a failure is told twice, as an error and as the end of loading; a silent one only once. */
function fail(visit, error) {
  const { code, displayMessage, message, details } = error;
  visit.emit('preview_error', { error: { code, displayMessage, message, details } });
  if (details.silent) {
    return;
  }
  visit.viewer?.destroy();
  visit.viewer = null;
  visit.frame.failed(error);
  visit.emit('load', { error: displayMessage, file: visit.file ?? undefined });
}
