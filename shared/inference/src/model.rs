//! A model in memory: verified bytes, what they are, and how to talk to them.

use std::sync::Arc;

use facereel_domain::digest::Sha256Digest;
use serde::{Deserialize, Serialize};

/// Which model made a result: recorded in every run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelIdentity {
    /// Name in the catalog, or a custom model's file name.
    pub name: String,
    /// Digest of the file that the session was made from.
    pub sha256: Sha256Digest,
    /// SPDX expression, or `unknown` for custom models that don't say.
    pub license: String,
}

/// A model's bytes with its specification. Clones share the bytes, so that each worker thread can open a session of its
/// own.
#[derive(Debug, Clone)]
pub struct Model<S> {
    /// What it is.
    pub identity: ModelIdentity,
    /// How to talk to it.
    pub spec: S,
    bytes: Arc<[u8]>,
}

impl<S> Model<S> {
    /// A model from bytes in memory, under `name`; its digest is taken here.
    #[must_use]
    pub fn from_bytes(name: &str, license: &str, bytes: Vec<u8>, spec: S) -> Self {
        let sha256 = Sha256Digest::of(&bytes);
        let identity = ModelIdentity { name: name.to_owned(), sha256, license: license.to_owned() };
        Self { identity, spec, bytes: bytes.into() }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
