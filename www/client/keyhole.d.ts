// The public API of keyhole.js.

/** A file or folder as Box's own components write it. A bare number is a file. */
export type ItemId = `file_${string}` | `folder_${string}` | (string & {});

/** Why a session ended. */
export type EndReason =
  | "signed_out"
  | "idle"
  | "expired"
  | "revoked"
  | "superseded"
  | "rotation_lost"
  | "replaced";

export interface Session {
  /** Who is signed in; `null` when Box did not say. */
  user: { name: string; login: string } | null;
  /** Unix seconds. */
  expires_at: number;
}

/** What this page holds for one item. Never the token itself. */
export interface Holding {
  item: string;
  scopes: string[];
  /** Unix seconds. */
  expires_at: number;
}

export interface TokenOptions {
  /** A list, or names parted by blanks; by default those of a preview. Keyhole gives those it allows. */
  scopes?: string | readonly string[];
}

export interface FolderEntry {
  type: "file" | "folder" | "web_link";
  id: string;
  name: string;
  /** Bytes. */
  size: number | null;
  /** RFC 3339. */
  modified_at: string | null;
}

export interface FolderPage {
  entries: FolderEntry[];
  offset: number;
  limit: number;
  total: number;
}

/** What the promises below reject with. `code` is stable; the sentence in `message` is not. */
export interface KeyholeError extends Error {
  name: "KeyholeError";
  /**
   * The Worker's code (`signed_out`, `item_not_found`, `scope_not_allowed`, `rate_limited`, …), or one of
   * `offline`, `unreachable`, `timed_out`, `unreadable`, `malformed_item`, `module_blocked`,
   * `sign_in_failed`, `sign_in_abandoned`, `sign_in_out_of_sight`, `sign_in_cut_off`, `popup_blocked`, `origin_missing`.
   */
  code: string;
  /** The HTTP status; 0 where no answer came. */
  status: number;
  /** The setting that forbids it. */
  rule?: string;
  /** Why the session is over. */
  reason?: EndReason;
  /** When asking again makes sense. */
  retryAfterSeconds?: number;
}

export interface KeyholeEventMap {
  /** The session is over; every token is gone from memory. */
  ended: CustomEvent<{ reason?: EndReason }>;
  /** What `held()` or `session()` answer has changed. */
  change: CustomEvent<void>;
}

/**
 * Says where your Worker is, for every `new Keyhole()` and `<box-preview>` from here on. The npm package must be told
 * once; the module that a Worker serves knows. Throws a {@link KeyholeError} at what is no http or https address.
 */
export function configure(options: { origin: string | URL }): void;

/**
 * The client of one Keyhole. Tokens live in its memory only: in no storage, attribute, event, URL or log.
 * All functions are bound: they can be handed on as they are.
 */
export class Keyhole extends EventTarget {
  /**
   * `origin` defaults to what {@link configure} was told, or else to the Worker that served this module. Throws a
   * {@link KeyholeError} with `origin_missing` where there is none.
   */
  constructor(options?: { origin?: string | URL });

  /** Who is signed in, asked anew. */
  readonly session: () => Promise<Session | null>;
  /** Why the session before was ended, where that is known. */
  readonly ended: EndReason | null;
  /**
   * Leaves the page for Box's login and comes back to `returnTo`: by default this very place. With `popup` the
   * page stays, and the promise brings the session; call it from a click, or the browser blocks the window,
   * and the page is left after all. Rejects with `sign_in_failed` or `sign_in_abandoned`.
   *
   * A page of another site never sees the session: its promise brings `null`, and the window brings tokens for
   * `items`, for what its elements show and for what it has asked for by itself. When those end, so it goes again;
   * `session()` stays `null`, and `items()` does not work there. It rejects with what the window was told if that
   * brought nothing at all. Such a page cannot do without the window: `popup_blocked`, `sign_in_cut_off` where the
   * window cannot reach the page, `sign_in_out_of_sight` where Box's pages have cut it off, or it was closed.
   */
  readonly signIn: {
    (options: { popup: true; returnTo?: string; items?: ItemId | readonly ItemId[] }): Promise<Session | null>;
    (options?: { popup?: false; returnTo?: string }): Promise<void>;
  };
  /** Ends the session everywhere. A page of another site opens a window for it: call it from a click. */
  readonly signOut: () => Promise<void>;

  /**
   * The token function for `Box.Preview` and `box-ui-elements`. One id in, a token out; an array in, a map
   * out. Never rejects and never hangs: `null` stands for a failure. Other scopes than a preview's are named:
   * `(item) => keyhole.token(item, { scopes: ["base_explorer", "item_preview"] })` is for ContentExplorer.
   */
  readonly token: {
    (item: ItemId, options?: TokenOptions): Promise<string | null>;
    (items: readonly ItemId[], options?: TokenOptions): Promise<Record<string, string | null> | null>;
    (
      items: ItemId | readonly ItemId[],
      options?: TokenOptions,
    ): Promise<string | Record<string, string | null> | null>;
  };
  /** A token for one item, under these scopes if Keyhole allows them. Rejects with a {@link KeyholeError}. */
  readonly tokenFor: (item: ItemId, options?: TokenOptions) => Promise<string>;
  /** Tells that Box rejected this token: the next ask for its item brings another. */
  readonly refused: (token: string) => Promise<void>;
  /** For `Box.Preview`'s option of the same name: requests to Box go out with the item's live token. */
  readonly requestInterceptor: <Config>(config: Config) => Config | Promise<Config>;

  /** A page of a folder's items; the root is `"0"`. */
  readonly items: (folder?: string, page?: { offset?: number; limit?: number }) => Promise<FolderPage>;
  /** What this page holds right now. */
  readonly held: () => Holding[];

  addEventListener<Type extends keyof KeyholeEventMap>(
    type: Type,
    listener: (this: Keyhole, event: KeyholeEventMap[Type]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Type extends keyof KeyholeEventMap>(
    type: Type,
    listener: (this: Keyhole, event: KeyholeEventMap[Type]) => unknown,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
}

/**
 * `<box-preview file="123">`. Slots, for a page that wants its own: `loading`; `sign-in`, in place of the prompt (call
 * `element.keyhole.signIn({ popup: true })` from a button of yours); `error`, in place of the other messages (the event
 * `keyhole-error` says which, `reload()` tries again). Parts for `::part()`: `loading`, `spinner`, `loading-text`,
 * `message`, `emblem`, `title`, `text`, `button`, `details`, `summary`, `code`. Colours: `--keyhole-ink`, `--keyhole-surface`, `--keyhole-accent`,
 * `--keyhole-on-accent`. The attribute `data-keyhole` says what it shows: `idle`, `loading`, `ready`,
 * `message`, `paused` (signed out, the file under it stays).
 */
export interface BoxPreviewElement extends HTMLElement {
  /** The file's id. */
  file: string | null;
  /**
   * Files to go through with the library's arrows, by their ids; as an attribute parted by blanks or commas. Without
   * `file` the first is shown.
   */
  collection: string[];
  /** Scopes to ask for; by default what Keyhole gives. */
  scopes: string | null;
  /** The library's own option: `none`, `light`, `dark`. */
  header: string | null;
  showDownload: boolean;
  /** The library's language, such as `de-DE`. The first element on the page decides. */
  locale: string | null;
  /**
   * Further options of `Box.Preview`'s `show()`, such as `{ viewers: { Document: { rangeMinSize: 0 } } }`. What the
   * element needs for itself wins.
   */
  options: Record<string, unknown> | null;
  /** The client it asks; by default one for all elements of the page. */
  keyhole: Keyhole;
  /** Tries again, as its own button does. */
  reload(): void;
}

/** The events of `<box-preview>`. They bubble, out of shadow trees, too. */
export interface BoxPreviewEventMap {
  "keyhole-load": CustomEvent<{ id?: string; name?: string }>;
  "keyhole-error": CustomEvent<{ code: string; message: string }>;
  /** Someone pressed “Sign in”. Prevent it to sign in your own way. */
  "keyhole-signin": CustomEvent<null>;
}

declare global {
  interface HTMLElementTagNameMap {
    "box-preview": BoxPreviewElement;
  }
  interface GlobalEventHandlersEventMap extends BoxPreviewEventMap {}
}
