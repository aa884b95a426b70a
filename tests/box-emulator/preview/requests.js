/** Requests to Box: headers, addresses, and one way to send them. */

const CLIENT_NAME = 'box-content-preview';

export class RequestError extends Error {
  /** `status` is 0 when nothing came back: no network, or CORS said no. */
  constructor(status, path) {
    super(status ? `${path} answered ${status}` : `${path} did not answer`);
    this.status = status;
  }
}

export class Requests {
  #visit;

  constructor(visit) {
    this.#visit = visit;
  }

  get #client() {
    return { name: CLIENT_NAME, version: this.#visit.place.version };
  }

  /** For content hosts. */
  contentHeaders(token) {
    const { name, version } = this.#client;
    const headers = { 'X-Box-Client-Name': name, 'X-Box-Client-Version': version };
    return token ? { Authorization: `Bearer ${token}`, ...headers } : headers;
  }

  /** For the API, which is also told the shared link. */
  apiHeaders(token) {
    const { sharedLink, sharedLinkPassword } = this.#visit.options;
    const password = sharedLinkPassword ? `&shared_link_password=${encodeURIComponent(sharedLinkPassword)}` : '';
    const link = sharedLink ? { BoxApi: `shared_link=${encodeURIComponent(sharedLink)}${password}` } : {};
    return { ...this.contentHeaders(token), ...link };
  }

  apiUrl(path) {
    const host = (this.#visit.options.apiHost ?? 'https://api.box.com').replace(/\/+$/, '');
    return `${host}/2.0/${path}`;
  }

  /** An address from Box's JSON, with who asks. Never with a token. */
  contentUrl(address) {
    const { name, version } = this.#client;
    const { sharedLink, sharedLinkPassword, queryParams = {} } = this.#visit.options;
    const url = new URL(address);
    const query = {
      box_client_name: name,
      box_client_version: version,
      shared_link: sharedLink,
      shared_link_password: sharedLinkPassword,
      ...queryParams,
    };
    Object.entries(query).forEach(([key, value]) => value && url.searchParams.set(key, value));
    return url.href;
  }

  /**
   * Sends one request, through the page's interceptors, and answers
   * `{ data, status, statusText, headers, config }`. `responseType` is json, text or blob.
   *
   * By XMLHttpRequest, as the library does: a page that wraps `fetch` sees the PDF requests only.
   */
  async send(request) {
    const { requestInterceptor, responseInterceptor, ends } = { ...this.#visit.options, ends: this.#visit.ends };
    const config = { method: 'get', responseType: 'json', ...request };
    const sent = requestInterceptor ? await requestInterceptor(config) : config;
    const response = await overTheWire(sent, ends.signal);
    return responseInterceptor ? responseInterceptor(response) : response;
  }
}

function overTheWire(config, signal) {
  return new Promise((settle, fail) => {
    const xhr = new XMLHttpRequest();
    xhr.open(config.method.toUpperCase(), config.url);
    xhr.responseType = config.responseType === 'blob' ? 'blob' : 'text';
    xhr.setRequestHeader('Accept', 'application/json, text/plain, */*');
    Object.entries(config.headers ?? {}).forEach(([name, value]) => xhr.setRequestHeader(name, value));
    const failed = () => fail(new RequestError(xhr.status, new URL(config.url).pathname));
    xhr.onerror = failed;
    xhr.onabort = failed;
    xhr.onload = () => (xhr.status >= 200 && xhr.status < 300 ? settle(answerOf(xhr, config)) : failed());
    signal.addEventListener('abort', () => xhr.abort(), { once: true });
    xhr.send(config.data === undefined ? null : JSON.stringify(config.data));
  });
}

function answerOf(xhr, config) {
  const lines = xhr.getAllResponseHeaders().trim().split(/\r?\n/).filter(Boolean);
  const headers = Object.fromEntries(lines.map((line) => [
    line.slice(0, line.indexOf(':')).toLowerCase(),
    line.slice(line.indexOf(':') + 1).trim(),
  ]));
  const data = config.responseType === 'json' ? parsed(xhr.response) : xhr.response;
  return { data, status: xhr.status, statusText: xhr.statusText, headers, config };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
