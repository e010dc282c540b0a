//! What can go wrong with ONNX Runtime and its models.

use std::path::PathBuf;

/// What can go wrong between a model file and a result. None of these goes away by trying again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InferenceError {
    /// The shared library of ONNX Runtime is missing, damaged or too old.
    #[error(
        "can't load ONNX Runtime from {}: {reason}; run `facereel models fetch`, or set models.onnxruntime to \
         another library (1.24 or later)",
        path.display()
    )]
    Library {
        /// Where it was looked for.
        path: PathBuf,
        /// The loader's words.
        reason: String,
    },
    /// A process can hold one library only.
    #[error("ONNX Runtime is already loaded from {}; it can't be loaded from {} too", loaded.display(), asked.display())]
    LibraryConflict {
        /// The library in use.
        loaded: PathBuf,
        /// The library asked for.
        asked: PathBuf,
    },
    /// ONNX Runtime refuses the model file.
    #[error("model {model} can't be used: {reason}")]
    Model {
        /// The model's name.
        model: String,
        /// Why.
        reason: String,
    },
    /// The model's inputs or outputs are not those of its declared kind.
    #[error("model {model}: {place} should be {expected}, but is {actual}; is the right head configured?")]
    Shape {
        /// The model's name.
        model: String,
        /// Which input or output.
        place: String,
        /// What the head needs.
        expected: String,
        /// What the model has.
        actual: String,
    },
    /// A run failed.
    #[error("model {model} failed to run: {reason}")]
    Run {
        /// The model's name.
        model: String,
        /// ONNX Runtime's words, or what is wrong with the result.
        reason: String,
    },
}
