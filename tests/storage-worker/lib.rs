//! A Worker that is built on Keyhole's storages as anybody's might be: one object, its SQLite, KV, and a holder over
//! both. `tests/edge` drives it over HTTP.
//!
//! | | answers |
//! | --- | --- |
//! | `/in_order/STORAGE/NAME` | what the contract finds there: `kept`, or the rule that is broken |
//! | `/at_once/STORAGE/NAME` | the same of two who write at once |
//! | `/claim/NAME/AFTER/WORD` | `won`, if WORD was the first to come after this generation, or `lost` |
//! | `/held/NAME` | the generation and the word that is held |
//! | `/sign_in/NAME/CODE` | redeems a code; `ok` |
//! | `/retrieve/NAME` | an access token that is good |
//! | `/forget/NAME` | signs out; `ok` |
//!
//! STORAGE is `object`, `kv` or `object_with_kv`. A fault is answered with 500 and its words.

mod bench;
