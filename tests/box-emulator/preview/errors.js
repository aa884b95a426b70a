/** What can go wrong, under the codes of Box's library, each with a person's words. */

const WORDS = {
  error_content_download: 'The content of this file did not arrive.',
  error_conversion_failed: 'Box could not make a preview of this file.',
  error_deleted_reps: 'The preview of this file is no longer there. Try again in a while.',
  error_exceeded_retry_limit: 'The preview did not load, even after several tries.',
  error_file_not_downloadable: 'This file may not be opened here.',
  error_image_sizing: 'The size of this picture could not be read.',
  error_load_asset: 'A part of this preview did not arrive.',
  error_load_csv: 'The table did not arrive.',
  error_load_document: 'This document could not be read.',
  error_load_media: 'This film could not be played.',
  error_load_viewer: 'Something went wrong while showing this file.',
  error_password_protected: 'This document is locked by a password.',
  error_permissions_preview: 'You may not preview this file.',
  error_prefetch_file: 'The next file could not be fetched ahead.',
  error_rate_limit: 'Too many requests at once. Try again in a minute.',
  error_shaka: 'A part of this film did not arrive.',
  error_token_function_not_valid: 'Box refuses the tokens of this page.',
  error_try_again_later: 'The preview is not ready yet. Try again in a while.',
  error_unsupported_file_type: 'There is no preview for files of this kind.',
  error_viewer_load_timeout: 'This preview takes too long to load.',
};

const FINAL = ['error_file_not_downloadable', 'error_password_protected', 'error_permissions_preview', 'error_unsupported_file_type'];

export class PreviewError extends Error {
  /** `words` replaces the usual ones; `details` is for developers. Neither may hold a token. */
  constructor(code, { words, details = {}, cause } = {}) {
    const displayMessage = words ?? WORDS[code] ?? 'Something went wrong.';
    super(cause ? `${displayMessage} (${cause.message ?? cause})` : displayMessage);
    this.name = 'PreviewError';
    this.code = code;
    this.displayMessage = displayMessage;
    this.details = details;
  }

  /** Could the same question be answered differently in a minute? */
  get isWorthAnotherTry() {
    return !FINAL.includes(this.code);
  }

  /** Any failure as one of ours. */
  static from(failure, code = 'error_load_viewer') {
    return failure instanceof PreviewError ? failure : new PreviewError(code, { cause: failure });
  }
}

/** The codes with which Box says that a representation failed, in our terms. */
export function fromRepresentation(code) {
  return new PreviewError(code in WORDS ? code : 'error_conversion_failed', { details: { representation: code } });
}
