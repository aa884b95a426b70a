// Everything that goes between the browser and the servers, byte for byte: an HTTP proxy that the browser is made to
// use for loopback addresses, too. It changes one thing: nothing is compressed, so that it can be searched. For the
// names of `places.mjs` it is the server itself, with their certificate.
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { Transform } from 'node:stream';
import { certificate } from './certificate.mjs';
import { ANSWERED_BY, HOSTS } from './places.mjs';

/** One question of the browser's and its answer. */
class Exchange {
  constructor(request, url) {
    this.method = request.method;
    this.url = url;
    this.asked = request.rawHeaders;
    this.askedBody = Buffer.alloc(0);
    this.status = 0;
    this.answered = [];
    this.body = Buffer.alloc(0);
  }

  get path() {
    return new URL(this.url).pathname;
  }

  /** The value of a header that the browser sent. */
  sent(name) {
    return valueOf(this.asked, name);
  }

  /** The value of a header of the answer. */
  got(name) {
    return valueOf(this.answered, name);
  }

  json() {
    return JSON.parse(this.body.toString());
  }

  /** All that reached the browser: the address, the headers, the body. */
  get seen() {
    return Buffer.concat([Buffer.from([this.url, ...this.answered, ''].join('\n')), this.body]);
  }
}

function valueOf(raw, name) {
  const at = raw.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name.toLowerCase());
  return at < 0 ? null : raw[at + 1];
}

/** Headers that speak of one connection only, and the wish for compression. */
const NOT_HANDED_ON = ['proxy-connection', 'connection', 'keep-alive', 'accept-encoding', 'transfer-encoding'];

const handedOn = (raw, stripped = []) =>
  raw.filter((_, index) => ![...NOT_HANDED_ON, ...stripped].includes(raw[index - (index % 2)].toLowerCase()));

/** As a front that ends TLS hands on: to this host, and that it came by HTTPS. */
const behindTls = (host, raw) =>
  raw.map((text, index) => (index % 2 && raw[index - 1].toLowerCase() === 'host' ? host : text)).concat('X-Forwarded-Proto', 'https');

export class Wire {
  exchanges = [];
  #server = http.createServer((request, response) => this.#answer(request, response, request.url));
  #secure = https.createServer(certificate, (request, response) =>
    this.#answer(request, response, `https://${request.headers.host}${request.url}`));
  #agent = new http.Agent({ keepAlive: true });
  #sockets = new Set();
  #waiting = new Set();
  #pages = new Map();
  #tampered = [];
  #added = [];
  #stripped = [];
  #led = new Map();

  static async open() {
    const wire = new Wire();
    wire.#server.on('connection', (socket) => wire.#keep(socket));
    wire.#server.on('connect', (request, socket, head) => wire.#connect(request, socket, head));
    await new Promise((resolve) => wire.#server.listen(0, '127.0.0.1', resolve));
    wire.address = `http://127.0.0.1:${wire.#server.address().port}`;
    return wire;
  }

  async close() {
    this.#sockets.forEach((socket) => socket.destroy());
    this.#agent.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** What was asked of a path, which may end in `*`. */
  to(path) {
    return this.exchanges.filter((exchange) => matches(exchange, path));
  }

  /** Answers an address itself, as if there were such a page, with whatever headers it is to have. */
  serve(url, html, headers = {}) {
    this.#pages.set(url, { html, headers: { 'content-type': 'text/html; charset=utf-8', ...headers } });
  }

  /** Has a name of `places.mjs` answered by a server of the story's own. */
  lead(origin, url) {
    this.#led.set(origin, { url, host: new URL(url).host });
  }

  /** From now on one bit is another in what is answered to a path. */
  tamper(path) {
    this.#tampered.push(path);
  }

  /** From now on the answers to a path lack this header. */
  strips(path, name) {
    this.#stripped.push({ path, name });
  }

  /** From now on the answers to a path bear this header as well. */
  adds(path, name, value) {
    this.#added.push({ path, header: [name, value] });
  }

  /** The next finished exchange with a path. To be called before what causes it, and awaited after. */
  next(path) {
    return new Promise((resolve) => this.#waiting.add({ path, resolve }));
  }

  #keep(socket) {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  }

  #answer(request, response, url) {
    const { origin, protocol } = new URL(url);
    const page = this.#pages.get(url);
    if (page) {
      response.writeHead(200, page.headers).end(page.html);
    } else if (protocol === 'https:' && !this.#answeredBy(origin)) {
      response.writeHead(404).end();
    } else {
      this.#handOn(request, response, url);
    }
  }

  #answeredBy(origin) {
    return this.#led.get(origin) ?? ANSWERED_BY[origin];
  }

  #handOn(request, response, url) {
    const exchange = new Exchange(request, url);
    this.exchanges.push(exchange);
    const { origin, pathname, search } = new URL(url);
    const by = this.#answeredBy(origin);
    const { hostname, port } = new URL(by?.url ?? origin);
    const headers = handedOn(by ? behindTls(by.host, request.rawHeaders) : request.rawHeaders);
    const onward = http.request({
      hostname, port: port || 80, path: pathname + search, method: request.method, headers, agent: this.#agent,
    });
    collect(request, (body) => (exchange.askedBody = body));
    onward.on('response', (answer) => {
      exchange.status = answer.statusCode;
      exchange.answered = answer.rawHeaders;
      const added = this.#added.filter(({ path }) => matches(exchange, path)).flatMap(({ header }) => header);
      const stripped = this.#stripped.filter(({ path }) => matches(exchange, path)).map(({ name }) => name);
      response.writeHead(answer.statusCode, [...handedOn(answer.rawHeaders, stripped), ...added]);
      collect(answer, (body) => {
        exchange.body = body;
        this.#tell(exchange);
      });
      const isTampered = this.#tampered.some((path) => matches(exchange, path));
      (isTampered ? answer.pipe(flippingOneBit()) : answer).pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  }

  #tell(exchange) {
    for (const waiting of this.#waiting) {
      if (matches(exchange, waiting.path)) {
        this.#waiting.delete(waiting);
        waiting.resolve(exchange);
      }
    }
  }

  /** TLS to anybody else passes unread: with a preview library from the internet, its own files. */
  #connect(request, socket, head) {
    const [host, port] = request.url.split(':');
    if (HOSTS.includes(host)) {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.unshift(head);
      this.#secure.emit('connection', socket);
      return;
    }
    const onward = net.connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    this.#keep(onward);
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  }
}

/** `*` stands for anything. */
function matches({ path }, wanted) {
  const [head, ...tails] = wanted.split('*');
  return tails.length === 0 ? path === wanted : path.startsWith(head) && path.endsWith(tails.at(-1));
}

function flippingOneBit() {
  let isDone = false;
  return new Transform({
    transform(chunk, _, done) {
      if (!isDone) {
        chunk = Buffer.from(chunk);
        chunk[chunk.length - 1] ^= 1;
        isDone = true;
      }
      done(null, chunk);
    },
  });
}

/** All of a stream's bytes; also of one that ends early. */
function collect(stream, done) {
  const chunks = [];
  stream.on('data', (chunk) => chunks.push(chunk));
  stream.on('close', () => done(Buffer.concat(chunks)));
}
