/** What Box knows about a file, and whether it may be shown. */

import { PreviewError } from './errors.js';

const FIELDS = [
  'id', 'permissions', 'shared_link', 'sha1', 'file_version', 'name', 'size', 'extension', 'representations',
  'watermark_info', 'authenticated_download_url', 'is_download_available',
];

const REPRESENTATION_HINTS =
  '[3d][pdf][text][mp3][json][jpg?dimensions=1024x1024&paged=false]' +
  '[jpg?dimensions=2048x2048,png?dimensions=2048x2048][dash,mp4][filmstrip]';

export async function fetchFile(requests, id, token) {
  const { data } = await requests.send({
    url: requests.apiUrl(`files/${id}?fields=${encodeURIComponent(FIELDS.join(','))}`),
    headers: { ...requests.apiHeaders(token), 'X-Rep-Hints': REPRESENTATION_HINTS },
  });
  return withOriginal(data);
}

/** Has `file` all that a preview needs? Then it need not be asked for. */
export const isComplete = (file) => FIELDS.every((field) => file?.[field] !== undefined);

/** @throws {PreviewError} when Box or the file's owner says no. */
export function refuseWhatMayNotBeShown(file) {
  if (file.permissions.can_preview !== true) {
    throw new PreviewError('error_permissions_preview');
  }
  if (file.is_download_available === false) {
    throw new PreviewError('error_file_not_downloadable');
  }
}

/** The file itself as one more representation, for what Box does not convert. */
export function withOriginal(file) {
  const version = file.file_version.id;
  const entries = file.representations.entries.filter(({ representation }) => representation !== 'ORIGINAL');
  if (!file.watermark_info?.is_watermarked) {
    const fresh = Date.now().toString(36);
    entries.push({
      representation: 'ORIGINAL',
      status: { state: 'success' },
      content: { url_template: `${file.authenticated_download_url}?preview=true&_cache_buster=${fresh}&version=${version}` },
    });
  }
  return { ...file, representations: { ...file.representations, entries } };
}
