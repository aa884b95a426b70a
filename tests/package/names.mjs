// Every public name of the module. The compiler holds these lists to the types, and tests hold them to the module: what
// the types promise is there, and what is there has a type.

/**
 * @template Type
 * @template {object} [Known={}]
 * @typedef {Record<Exclude<keyof Type, keyof Known>, true>} Names
 */

/** @type {Names<typeof import('keyhole-client')>} */
export const OF_THE_MODULE = { Keyhole: true, configure: true };

/** @type {Names<import('keyhole-client').Keyhole, EventTarget>} */
export const OF_KEYHOLE = {
  session: true,
  ended: true,
  signIn: true,
  signOut: true,
  token: true,
  tokenFor: true,
  refused: true,
  requestInterceptor: true,
  items: true,
  held: true,
};

/** @type {Names<import('keyhole-client').BoxPreviewElement, HTMLElement>} */
export const OF_BOX_PREVIEW = {
  file: true,
  collection: true,
  scopes: true,
  header: true,
  showDownload: true,
  locale: true,
  options: true,
  keyhole: true,
  reload: true,
};

/**
 * What an object has of its own and of its class, sorted, without what the platform calls. It must be self-contained:
 * it runs in pages, too.
 * @param {object} of
 */
export const namesOf = (of) => {
  const platform = ['constructor', 'connectedCallback', 'disconnectedCallback', 'attributeChangedCallback'];
  const names = [of, Object.getPrototypeOf(of)].flatMap((object) => Object.getOwnPropertyNames(object));
  return names.filter((name) => !platform.includes(name)).sort();
};
