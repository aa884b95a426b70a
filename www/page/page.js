// The demo page uses keyhole.js as any page does; the rest of it is Rust.
import init, { start } from "./pkg/keyhole_page.js";

try {
  const { Keyhole } = await import("/keyhole.js");
  await init({
    module_or_path: fetch(new URL(__KEYHOLE_WASM__, import.meta.url), {
      integrity: __KEYHOLE_WASM_INTEGRITY__,
    }),
  });
  start(new Keyhole());
} catch (error) {
  document.body.dataset.view = "broken";
  throw error;
}
