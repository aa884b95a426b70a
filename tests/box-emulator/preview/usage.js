/** Telling Box that a file was previewed, for its access statistics. Nothing waits for the answer. */

import { pause } from './retry.js';

const DELAYS_MILLISECONDS = [500, 1000, 1500];

export async function logPreviewEvent({ id, options, requests, currentToken, ends }) {
  if (options.disableEventLog) {
    return;
  }
  const event = {
    method: 'post',
    url: requests.apiUrl('events'),
    headers: { ...requests.apiHeaders(currentToken), 'Content-Type': 'application/json' },
    data: { event_type: 'preview', source: { type: 'file', id } },
  };
  for (const delay of [0, ...DELAYS_MILLISECONDS]) {
    try {
      await pause(delay, ends.signal);
      await requests.send(event);
      return;
    } catch {
      // The next delay tries again; after the last one the event is lost, which harms nobody.
    }
  }
}
