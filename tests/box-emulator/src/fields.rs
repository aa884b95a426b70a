//! The `fields` parameter: which fields of an item an answer holds.

use serde_json::{Map, Value};

use crate::request::Call;

/// In every answer about an item.
const BASE: [&str; 3] = ["type", "id", "etag"];

/// The names asked for, or `None` when the caller left it to Box.
pub(crate) fn asked(call: &Call) -> Option<Vec<String>> {
    let list = call.query.value("fields")?;
    Some(list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// The base fields and those `asked`, or the `standard` ones. Names that `field` does not know are left out.
///
/// <https://developer.box.com/guides/api-calls/request-extra-fields/>
pub(crate) fn select(
    asked: Option<&[String]>,
    standard: &[&str],
    field: impl Fn(&str) -> Option<Value>,
) -> Value {
    let mut selected = Map::new();
    let mut add = |name: &str| {
        if let Some(value) = field(name) {
            selected.insert(name.to_owned(), value);
        }
    };
    match asked {
        Some(asked) => BASE.into_iter().chain(asked.iter().map(String::as_str)).for_each(&mut add),
        None => standard.iter().copied().for_each(&mut add),
    }
    Value::Object(selected)
}
