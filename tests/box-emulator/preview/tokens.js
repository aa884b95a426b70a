/** Asking the page for tokens. Nothing is kept: each load and each retry asks anew. */

/**
 * Tokens for some files, as `{ id: token or null }`.
 *
 * A string or nothing is for all of them. A function is called with typed ids and answers by a promise
 * of a string, of nothing, or of a map that must name each asked id (typed or plain).
 *
 * As in Box's library, a function whose promise *rejects* leaves this promise open for ever: there
 * is no retry, no event, no message. A page's token function must always resolve.
 */
export function askForTokens(ids, token) {
  if (typeof token !== 'function') {
    return Promise.resolve(each(ids, () => token ?? null));
  }
  return new Promise((settle, fail) => {
    const read = (answer) => {
      try {
        settle(readAnswer(ids, answer));
      } catch (error) {
        fail(error);
      }
    };
    // No second argument, on purpose: see above.
    token(ids.map(typed)).then(read);
  });
}

function readAnswer(ids, answer) {
  if (!answer || typeof answer === 'string') {
    return each(ids, () => answer ?? null);
  }
  return each(ids, (id) => {
    const key = [typed(id), id].find((name) => Object.hasOwn(answer, name));
    if (key === undefined) {
      throw new Error('Bad Auth Token!');
    }
    return answer[key];
  });
}

const typed = (id) => (id.startsWith('file_') ? id : `file_${id}`);
const each = (ids, value) => Object.fromEntries(ids.map((id) => [id, value(id)]));
