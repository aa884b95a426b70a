// The sample account as the emulator's source keeps it: what a file says, and the colour of a point of a picture.
import { readFileSync } from 'node:fs';

const SAMPLE = new URL('../../box-emulator/sample/', import.meta.url);

const { files } = JSON.parse(readFileSync(new URL('manifest.json', SAMPLE), 'utf8'));

/** What the manifest says about a file: `probe` of a picture, `pages`, `says` and `cover` of a PDF. */
export function about(path) {
  if (!files[path]) {
    throw new Error(`the sample account has no ${path}`);
  }
  return files[path];
}

/** A file's text. */
export function text(path) {
  const address = path.split('/').map(encodeURIComponent).join('/');
  return readFileSync(new URL(`account/${address}`, SAMPLE), 'utf8');
}
