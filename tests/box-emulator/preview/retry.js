/** Trying again, as often and as patiently as Box's library does. */

/** After the first try. */
export const RETRIES = 4;

/** Milliseconds before the nth retry (from 0): anywhere in [0, 2^n) seconds. */
const delay = (retry) => Math.random() * 2 ** retry * 1000;

/** Calls `attempt` until it succeeds; throws its last failure. A failure that `isFinal` ends it at once. */
export async function withRetries(attempt, { signal, isFinal }) {
  for (let retry = 0; ; retry += 1) {
    try {
      return await attempt();
    } catch (failure) {
      if (retry === RETRIES || signal.aborted || isFinal(failure)) {
        throw failure;
      }
    }
    await pause(delay(retry), signal);
  }
}

/** Waits, or throws when the visit ends meanwhile. */
export function pause(milliseconds, signal) {
  return new Promise((settle, fail) => {
    const timer = setTimeout(settle, milliseconds);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      fail(signal.reason);
    }, { once: true });
  });
}
