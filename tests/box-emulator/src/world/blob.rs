//! The bytes of a file: a part of the program, or somebody's upload. A copy costs nothing.

use std::ops::Deref;
use std::sync::Arc;

#[derive(Clone, Debug)]
pub(crate) enum Blob {
    Embedded(&'static [u8]),
    Uploaded(Arc<[u8]>),
}

impl Default for Blob {
    fn default() -> Self {
        Self::Embedded(&[])
    }
}

impl From<Vec<u8>> for Blob {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Uploaded(bytes.into())
    }
}

impl Deref for Blob {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Embedded(bytes) => bytes,
            Self::Uploaded(bytes) => bytes,
        }
    }
}
