// In a window that a page of a listed origin opened, because the session's cookie is not sent from another site. It
// serves that origin alone: `target` was parsed and is listed, and the browser delivers to no other.
const { target, login, outcome, purpose } = document.currentScript.dataset;
const page = window.opener;

const tell = (type, more) => page?.postMessage({ type: `keyhole:${type}`, ...more }, target);

const say = (title, text) => {
  document.title = `${title} · Keyhole`;
  document.querySelector('main').ariaLive = 'polite';
  document.querySelector('h1').textContent = title;
  document.querySelector('h1 + p').textContent = text;
};

const ask = (method, path, body) => {
  const headers = { 'Keyhole-Request': '1', 'Content-Type': 'application/json' };
  return fetch(path, { method, headers, body: body && JSON.stringify(body) });
};

const read = async (answer) => (answer.status === 204 ? {} : answer.json());

/** What the page may ask for: tokens of files, and the end. Each answer bears the number of its question. */
const answer = ({ type, items, scopes, refused }) => {
  if (type === 'keyhole:ask') return ask('POST', '/api/tokens', { items, scopes, refused });
  if (type === 'keyhole:sign_out') return ask('POST', '/auth/logout');
};

/** A page that asks, asks at once. */
const QUESTION_MS_MAX = 15_000;

const serve = () => {
  const unasked = setTimeout(
    () => say('Nothing was asked for', 'You can close this window. In the page that opened it, press the button once more.'),
    QUESTION_MS_MAX,
  );
  addEventListener('message', async ({ source, origin, data }) => {
    if (source !== page || origin !== target || !data) return;
    const answering = answer(data);
    if (!answering) return;
    clearTimeout(unasked);
    tell('answer', { id: data.id, answer: await answering.then(read).catch(() => null) });
  });
  tell('ready');
};

const start = async () => {
  if (outcome) return tell('failed');
  tell('opened');
  if (purpose === 'sign_out') return serve();
  // Only an answer says that nobody is signed in: a Worker that cannot say so is no reason to sign in again.
  const known = await ask('GET', '/api/session');
  if (!known.ok) throw new Error('the session is not known');
  const { session } = await known.json();
  if (session && page) return serve();
  if (session) {
    return say(
      'You are signed in',
      'Close this window. If the page that opened it does not go on by itself, press its button once more. If that does not help, it is cut off from this window, and whoever runs it has to find another way.',
    );
  }
  if (purpose !== 'go_on') return location.replace(login);
  tell('failed');
  say('The sign-in did not work', 'This browser did not keep the sign-in. It may block cookies.');
};

start().catch(() => {
  tell('silent');
  say('Keyhole does not answer', 'Nothing is lost. Close this window and try again in a moment.');
});
