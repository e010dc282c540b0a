//! A model: its verified file, what it is, and how to talk to it.
//!
//! Its bytes are not kept: ONNX Runtime reads the file for itself when a session is opened. That is the file which was
//! verified as long as files of the models folder are only replaced as a whole, as fetching does.

use std::path::{Path, PathBuf};

use facereel_domain::digest::Sha256Digest;

/// Which model made a result: recorded in every run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelIdentity {
    /// Name in the catalog, or a custom model's file name.
    pub name: String,
    /// Digest of the file that the session was made from.
    pub sha256: Sha256Digest,
    /// SPDX expression, or `unknown` for a custom model.
    pub licence: String,
}

/// A model's file with its specification. Each worker thread opens a session of its own from it.
#[derive(Debug, Clone)]
pub struct Model<S> {
    /// What it is.
    pub identity: ModelIdentity,
    /// How to talk to it.
    pub spec: S,
    pub(crate) path: PathBuf,
}

impl<S> Model<S> {
    /// The file that sessions are opened from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}
