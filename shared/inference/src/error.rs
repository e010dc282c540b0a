//! What can go wrong with ONNX Runtime and its models.

use std::path::PathBuf;

/// What can go wrong between a model file and a result.
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
    /// The library was built without CUDA.
    #[error(
        "the ONNX Runtime at {} has no CUDA provider: set models.onnxruntime to its GPU build, or detect.provider and \
         embed.provider to cpu",
        library.display()
    )]
    NoCuda {
        /// The library in use.
        library: PathBuf,
    },
    /// CUDA is in the library, and does not work here or not any more.
    #[error(
        "model {model} can't be used on CUDA: {reason}; look at the card, its driver, CUDA and cuDNN, or set \
         detect.provider and embed.provider to cpu"
    )]
    Cuda {
        /// The model's name.
        model: String,
        /// ONNX Runtime's words.
        reason: String,
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

impl InferenceError {
    /// Whether it fails again wherever it is tried. What lacks a card here may find one on another machine.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        !matches!(self, Self::NoCuda { .. } | Self::Cuda { .. })
    }
}
