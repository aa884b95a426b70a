//! `limit` and `offset`, as every list of Box reads them.
//!
//! <https://developer.box.com/guides/api-calls/pagination/offset-based/>

use crate::refusals::{self, ApiRefusal};
use crate::request::Call;

/// Of most lists: larger limits are lowered to this one, not refused.
pub(crate) const LIMIT_MAX: usize = 1000;
/// Of most lists: what is asked for beyond this is refused.
pub(crate) const OFFSET_MAX: usize = 10_000;

/// One page of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) offset: usize,
}

impl Page {
    /// A limit above `limit_max` is lowered to it, an offset above `offset_max` is refused.
    ///
    /// # Errors
    /// 400 for what is no number.
    pub(crate) fn read(
        call: &Call,
        limit_default: usize,
        limit_max: usize,
        offset_max: usize,
    ) -> Result<Self, ApiRefusal> {
        let limit = number(call, "limit")?.unwrap_or(limit_default).min(limit_max);
        let offset = number(call, "offset")?.unwrap_or(0);
        if offset > offset_max {
            return Err(refusals::bad_parameter("offset"));
        }
        Ok(Self { limit, offset })
    }

    /// What of `all` is on this page.
    pub(crate) fn of<T>(self, all: &[T]) -> impl Iterator<Item = &T> {
        all.iter().skip(self.offset).take(self.limit)
    }
}

fn number(call: &Call, name: &'static str) -> Result<Option<usize>, ApiRefusal> {
    let Some(text) = call.query.value(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| refusals::bad_parameter(name))
}
