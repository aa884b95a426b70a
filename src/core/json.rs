//! JSON objects, read member by member.
//!
//! Derived readers would be shorter to write, but each costs some 5 KB of code, and there were thirty: a third of the
//! Worker. Writing stays derived, it is cheap.

use serde_json::{Map, Value};

use crate::time::Timestamp;

/// A JSON object whose members are taken out one by one. A member of another type than asked for is `None`, as a
/// missing one is.
#[derive(Debug)]
pub(crate) struct Object(Map<String, Value>);

impl Object {
    /// Parses an object; any other JSON, or none, is `None`.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        Self::of(serde_json::from_slice(bytes).ok()?)
    }

    /// The object that `value` is.
    pub(crate) fn of(value: Value) -> Option<Self> {
        match value {
            Value::Object(members) => Some(Self(members)),
            _ => None,
        }
    }

    /// Whether the member is there and not `null`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| !value.is_null())
    }

    /// Takes a member out, whatever it is.
    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.0.get_mut(name).map(Value::take)
    }

    /// Takes a string.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        text(self.take(name)?)
    }

    /// A whole number that is not negative.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.as_u64()
    }

    /// A number of 32 bits, such as a count.
    pub(crate) fn count(&self, name: &str) -> Option<u32> {
        self.number(name)?.try_into().ok()
    }

    /// Milliseconds since the Unix epoch.
    pub(crate) fn time(&self, name: &str) -> Option<Timestamp> {
        self.number(name).map(Timestamp::from_millis)
    }

    /// Takes an object.
    pub(crate) fn object(&mut self, name: &str) -> Option<Self> {
        Self::of(self.take(name)?)
    }

    /// Takes an array.
    pub(crate) fn list(&mut self, name: &str) -> Option<Vec<Value>> {
        match self.take(name)? {
            Value::Array(values) => Some(values),
            _ => None,
        }
    }

    /// Takes an array of strings; one member that is none spoils it.
    pub(crate) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        self.list(name)?.into_iter().map(text).collect()
    }

    /// A member that may be missing or `null`: `Some(None)` then, and `None` only if it is there and `read` cannot
    /// read it.
    #[expect(clippy::option_option, reason = "missing and unreadable are two things")]
    pub(crate) fn optional<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Self, &str) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.has(name) { read(self, name).map(Some) } else { Some(None) }
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_is_read_as_what_it_is_or_not_at_all() {
        let mut object =
            Object::parse(br#"{"t":"x","n":7,"l":["a","b"],"m":["a",1],"o":{"n":1},"z":null}"#).unwrap();
        assert_eq!(object.number("n"), Some(7));
        assert_eq!(object.number("t"), None);
        assert_eq!(object.texts("l").unwrap(), ["a", "b"]);
        assert_eq!(object.texts("m"), None);
        assert_eq!(object.object("o").unwrap().count("n"), Some(1));
        assert!(!object.has("z") && object.has("t") && !object.has("missing"));
        assert_eq!(object.optional("z", Object::text), Some(None));
        assert_eq!(object.optional("missing", Object::text), Some(None));
        assert_eq!(object.optional("n", Object::text), None);
        assert_eq!(object.optional("t", Object::text), Some(Some("x".to_owned())));
    }

    #[test]
    fn what_is_no_object_is_none() {
        for wrong in [&b""[..], b"[]", b"1", b"{", b"{\"a\":1} x"] {
            assert!(Object::parse(wrong).is_none(), "{wrong:?}");
        }
    }
}
