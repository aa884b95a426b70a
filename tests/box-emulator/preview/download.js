/** The download button: Box is asked for an address, which a hidden frame opens. */

import { element } from './dom.js';
import { PreviewError } from './errors.js';

export const mayDownload = (file, options) =>
  Boolean(options.showDownload && file?.permissions?.can_download && file.is_download_available !== false);

export async function download({ id, file, options, requests, currentToken, frame }) {
  if (!mayDownload(file, options)) {
    return;
  }
  try {
    // The token of the load, as in Box's library: it may have ended meanwhile.
    const { data } = await requests.send({
      url: requests.apiUrl(`files/${id}?fields=download_url`),
      headers: requests.apiHeaders(currentToken),
    });
    openHidden(data.download_url);
    frame.announce(`Downloading ${file.name}`);
  } catch (failure) {
    const error = PreviewError.from(failure, 'error_content_download');
    frame.announce(`${error.displayMessage} Nothing was downloaded.`);
  }
}

function openHidden(url) {
  const frame = document.getElementById('downloadiframe')
    ?? document.body.appendChild(element('iframe', { id: 'downloadiframe', hidden: '', title: 'Download' }));
  frame.src = url;
}
