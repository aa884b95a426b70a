/** A film that comes whole: no token can end while it plays. */

import { MediaViewer } from './media.js';

export class Viewer extends MediaViewer {
  name = 'MP4';

  async load() {
    const { data } = await this.content({ responseType: 'blob', code: 'error_load_asset' });
    await this.show(URL.createObjectURL(data));
  }
}
