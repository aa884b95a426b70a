// What developers write, as the README shows it, and what the compiler must not let them write. Never run.
import { configure, Keyhole } from "keyhole-client";
import type {
  BoxPreviewElement, EndReason, FolderEntry, FolderPage, Holding, ItemId, KeyholeError, Session,
} from "keyhole-client";

/** Compiles where the type of `value` is exactly `Wanted`. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
function is<Wanted>() {
  return <Found>(_value: Found, _same: Same<Found, Wanted>) => {};
}

configure({ origin: "https://auth.example.com" });
configure({ origin: new URL("https://auth.example.com") });
// @ts-expect-error: where it is must be said.
configure({});
// @ts-expect-error: as a member, so that it can be read.
configure("https://auth.example.com");

const keyhole = new Keyhole();
new Keyhole({ origin: "https://auth.example.com" });
// @ts-expect-error: a number is no origin.
new Keyhole({ origin: 8787 });

export async function sessions() {
  const session = await keyhole.session();
  is<Session | null>()(session, true);
  // @ts-expect-error: nobody may be signed in.
  session.user;
  is<number | undefined>()(session?.expires_at, true);
  is<string | undefined>()(session?.user?.name, true);

  is<Session | null>()(await keyhole.signIn({ popup: true }), true);
  is<Session | null>()(await keyhole.signIn({ popup: true, returnTo: "/here" }), true);
  is<Session | null>()(await keyhole.signIn({ popup: true, items: ["file_1", "2"] }), true);
  is<void>()(await keyhole.signIn(), true);
  is<void>()(await keyhole.signIn({ returnTo: "/here" }), true);
  // @ts-expect-error: who leaves the page brings no session.
  (await keyhole.signIn())?.user;
  // @ts-expect-error: only a window brings tokens.
  await keyhole.signIn({ items: "1" });
  // @ts-expect-error: an address is a text.
  await keyhole.signIn({ returnTo: 1 });
  is<void>()(await keyhole.signOut(), true);
  is<EndReason | null>()(keyhole.ended, true);
  // @ts-expect-error: only Keyhole ends it.
  keyhole.ended = "expired";
}

export async function tokens() {
  is<string | null>()(await keyhole.token("123"), true);
  is<string | null>()(await keyhole.token("file_123"), true);
  const map = await keyhole.token(["file_1", "file_2"]);
  is<Record<string, string | null> | null>()(map, true);
  is<string | null | undefined>()(map?.["file_1"], true);
  // @ts-expect-error: a map is no token.
  const one: string | null = await keyhole.token(["file_1"]);
  // @ts-expect-error: ids are texts; as numbers Box's long ones would lose digits.
  await keyhole.token(123);
  is<string | null>()(await keyhole.token("folder_1", { scopes: ["base_explorer", "item_preview"] }), true);
  // @ts-expect-error: scopes are given by name.
  await keyhole.token("folder_1", ["base_explorer"]);

  is<string>()(await keyhole.tokenFor("123"), true);
  await keyhole.tokenFor("123", { scopes: "item_preview" });
  await keyhole.tokenFor("123", { scopes: ["base_preview", "item_preview"] });
  // @ts-expect-error: for one item.
  await keyhole.tokenFor(["123"]);
  is<void>()(await keyhole.refused("a token"), true);
  return one;
}

/** As Box's own components declare what they take. */
type TokenFunction = (ids: string | string[]) => Promise<string | null | Record<string, string | null>>;
declare const preview: { show(id: string, token: (id: string) => Promise<string | null>, options?: object): void };
preview.show("123", keyhole.token, { requestInterceptor: keyhole.requestInterceptor });
export const one: (id: ItemId) => Promise<string | null> = keyhole.token;
// @ts-expect-error: whoever asks for one or for many must look at what came.
export const blind: (ids: string | string[]) => Promise<string> = keyhole.token;
export const both: TokenFunction = keyhole.token;

const request = keyhole.requestInterceptor({ url: "https://api.box.com", headers: {} });
is<{ url: string; headers: {} } | Promise<{ url: string; headers: {} }>>()(request, true);

export async function folders() {
  const page = await keyhole.items();
  is<FolderPage>()(page, true);
  const names = page.entries.map((entry: FolderEntry) => `${entry.type} ${entry.name}`);
  await keyhole.items("42", { offset: 100, limit: 10 });
  // @ts-expect-error: by its id.
  await keyhole.items(42);
  // @ts-expect-error: pages begin at a number.
  await keyhole.items("0", { offset: "100" });
  is<Holding[]>()(keyhole.held(), true);
  // @ts-expect-error: what is held is told without the token.
  keyhole.held()[0]?.token;
  return names;
}

export async function errors() {
  try {
    await keyhole.tokenFor("123");
  } catch (error) {
    const { code, status, rule, reason, retryAfterSeconds } = error as KeyholeError;
    is<string>()(code, true);
    return `${code} ${status} ${rule} ${reason} ${retryAfterSeconds}`;
  }
}

keyhole.addEventListener("ended", (event) => {
  is<EndReason | undefined>()(event.detail.reason, true);
  // @ts-expect-error: there is no such end.
  event.detail.reason === "bored";
});
keyhole.addEventListener("change", function () {
  is<Keyhole>()(this, true);
}, { once: true });
const listener = (event: CustomEvent<{ reason?: EndReason }>) => event.detail.reason;
keyhole.addEventListener("ended", listener);
keyhole.removeEventListener("ended", listener);
// @ts-expect-error: what listens to an end is given one.
keyhole.addEventListener("ended", (event: CustomEvent<number>) => event.detail);

const element = document.createElement("box-preview");
is<BoxPreviewElement>()(element, true);
document.body.append(element);
element.file = "123";
element.file = null;
element.collection = ["123", "124"];
element.scopes = "item_preview";
element.header = "none";
element.locale = "de-DE";
element.showDownload = true;
element.options = { viewers: { Document: { rangeMinSize: 0 } } };
element.keyhole = keyhole;
is<void>()(element.reload(), true);
// @ts-expect-error: an id is a text.
element.file = 123;
// @ts-expect-error: several are a list.
element.collection = "123, 124";
// @ts-expect-error: on or off.
element.showDownload = "yes";
// @ts-expect-error: there is nothing of that name.
element.folder = "0";
is<BoxPreviewElement | null>()(document.querySelector("box-preview"), true);

element.addEventListener("keyhole-load", ({ detail }) => is<string | undefined>()(detail.name, true));
element.addEventListener("keyhole-error", ({ detail }) => is<string>()(detail.code, true));
element.addEventListener("keyhole-signin", (event) => event.preventDefault());
// They bubble.
document.addEventListener("keyhole-error", ({ detail }) => is<string>()(detail.message, true));
// @ts-expect-error: nothing is loaded without being named.
element.addEventListener("keyhole-load", ({ detail }) => detail.size);
