// A developer's app: an example of ours with our package from npm, built and served by what developers use.
import { spawn } from 'node:child_process';
import { cp, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setting } from './box.mjs';

const EXAMPLES = new URL('../../../www/examples/', import.meta.url);

/** An example's file, with a Worker and a file of one's own in place of `YOUR-WORKER` and `YOUR-FILE`. */
export async function example(path, { worker, file }) {
  const text = await readFile(new URL(path, EXAMPLES), 'utf8');
  return text.replaceAll('https://YOUR-WORKER', worker).replaceAll('YOUR-FILE', file);
}

export class App {
  #servers = [];

  constructor(directory) {
    this.directory = directory;
  }

  /** The example in a directory of its own, beside the `node_modules` that `npm install` made of our package. */
  static async of(name, own, directory) {
    const app = new App(directory);
    await cp(setting('KEYHOLE_NPM_APP'), directory, { recursive: true });
    const files = await readdir(new URL(`${name}/`, EXAMPLES));
    for (const file of files.filter((file) => !file.startsWith('package'))) {
      await app.write(file, await example(`${name}/${file}`, own));
    }
    return app;
  }

  write(file, text) {
    return writeFile(join(this.directory, file), text);
  }

  copy(from, to) {
    return cp(join(this.directory, from), join(this.directory, to));
  }

  /** Runs a program to its end. */
  async run(program, ...given) {
    const { ended, output } = this.#start(program, given);
    const code = await ended;
    if (code !== 0) {
      throw new Error(`${program} ${given.join(' ')} ended with ${code}:\n${output()}`);
    }
  }

  /** Starts a server, which is told its port in `given(port)`; its address. */
  async serve(program, given) {
    const port = await freePort();
    const server = this.#start(program, given(port));
    this.#servers.push(server);
    const address = `http://localhost:${port}`;
    while (!(await answers(address))) {
      if (server.child.exitCode !== null) {
        throw new Error(`${program} ended:\n${server.output()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return address;
  }

  async close() {
    for (const { child, ended } of this.#servers) {
      child.kill();
      await ended;
    }
  }

  #start(program, given) {
    const child = spawn(program, given, { cwd: this.directory, stdio: ['pipe', 'pipe', 'pipe'] });
    const lines = [];
    child.stdout.on('data', (text) => lines.push(text));
    child.stderr.on('data', (text) => lines.push(text));
    return { child, output: () => lines.join(''), ended: new Promise((resolve) => child.on('close', resolve)) };
  }
}

const answers = (address) => fetch(address).then((answer) => answer.ok, () => false);

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, 'localhost', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
