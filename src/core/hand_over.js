// In a window that a page of a listed origin opened, because the session's cookie is not sent from another site. It
// serves that origin alone: `target` was parsed and is listed, and the browser delivers to no other.
const { target, login, outcome, purpose } = document.currentScript.dataset;
const page = window.opener;

const tell = (type, more) => page?.postMessage({ type: `keyhole:${type}`, ...more }, target);

const say = (title, text) => {
  document.title = `${title} · Keyhole`;
  document.querySelector('h1').textContent = title;
  document.querySelector('h1 + p').textContent = text;
};

const ask = async (method, path, body) => {
  const headers = { 'Keyhole-Request': '1', 'Content-Type': 'application/json' };
  const response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  return response.status === 204 ? {} : response.json();
};

/** What the page may ask for: tokens of files, and the end. Each answer bears the number of its question. */
const answer = ({ type, items, scopes, refused }) => {
  if (type === 'keyhole:ask') return ask('POST', '/api/tokens', { items, scopes, refused });
  if (type === 'keyhole:sign_out') return ask('POST', '/auth/logout');
};

const serve = () => {
  addEventListener('message', async ({ source, origin, data }) => {
    if (source !== page || origin !== target || !data) return;
    const answering = answer(data);
    if (answering) tell('answer', { id: data.id, answer: await answering.catch(() => null) });
  });
  tell('ready');
};

const start = async () => {
  if (outcome) return tell('failed');
  tell('opened');
  if (purpose === 'sign_out') return serve();
  const { session } = await ask('GET', '/api/session');
  if (!session && purpose !== 'go_on') return location.replace(login);
  if (!session) {
    tell('failed');
    return say('The sign-in did not work', 'This browser did not keep it. It may block cookies.');
  }
  if (page) return serve();
  say(
    'You are signed in',
    'You can close this window. If the page that opened it does not go on, press its button once more. If that does not help, it is cut off from this window, and whoever runs it can use preview tickets instead.',
  );
};

start().catch(() => {
  tell('failed');
  say('Keyhole does not answer', 'Nothing is lost. Close this window and try again in a moment.');
});
