//! The `fields` parameter: which fields of an item an answer holds.

use serde_json::{Map, Value};

use crate::emulator::Emulator;
use crate::refusals::{self, ApiRefusal};
use crate::request::Call;

/// In every answer about an item.
const BASE: [&str; 3] = ["type", "id", "etag"];

/// The names asked for, or `None` when the caller left it to Box.
pub(crate) fn asked(call: &Call) -> Option<Vec<String>> {
    let list = call.query.value("fields")?;
    Some(list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// The base fields and those `asked`, or the `standard` ones.
///
/// <https://developer.box.com/guides/api-calls/request-extra-fields/>
///
/// # Errors
/// 400 for a name that `field` does not know, if the settings are so strict; otherwise it is left out.
pub(crate) fn select(
    emulator: &Emulator,
    asked: Option<&[String]>,
    standard: &[&str],
    field: impl Fn(&str) -> Option<Value>,
) -> Result<Value, ApiRefusal> {
    let mut selected = Map::new();
    let names: Vec<&str> = match asked {
        Some(asked) => {
            if emulator.settings.unknown_fields_refused && asked.iter().any(|name| field(name).is_none()) {
                return Err(refusals::bad_parameter("fields"));
            }
            BASE.into_iter().chain(asked.iter().map(String::as_str)).collect()
        }
        None => standard.to_vec(),
    };
    for name in names {
        if let Some(value) = field(name) {
            selected.insert(name.to_owned(), value);
        }
    }
    Ok(Value::Object(selected))
}
