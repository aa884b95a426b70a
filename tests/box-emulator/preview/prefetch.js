/** Fetching the next files of a collection ahead, so that the browser's cache has them. */

import { PreviewError } from './errors.js';
import { fetchFile } from './file-info.js';
import { choose, contentUrl } from './representations.js';
import { askForTokens } from './tokens.js';

const FILES_AHEAD = 4;

/** One question for the tokens of all of them; then each on its own. */
export async function prefetchAfter(visit) {
  const { id, options, emit, ends } = visit;
  const { collection } = options;
  const next = collection.includes(id) ? collection.slice(collection.indexOf(id) + 1).slice(0, FILES_AHEAD) : [];
  if (next.length === 0) {
    return;
  }
  try {
    const tokens = await askForTokens(next, visit.tokenSource());
    await Promise.all(next.map((one) => fetchAhead(visit.requests, one, tokens[one])));
  } catch (failure) {
    if (!ends.signal.aborted) {
      const { code, displayMessage, message, details } = PreviewError.from(failure, 'error_prefetch_file');
      emit('preview_error', { error: { code, displayMessage, message, details } });
    }
  }
}

async function fetchAhead(requests, id, token) {
  const file = await fetchFile(requests, id, token);
  const url = contentUrl(choose(file), requests);
  await requests.send({ url, headers: requests.contentHeaders(token), responseType: 'blob' });
}
