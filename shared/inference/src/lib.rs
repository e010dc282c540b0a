//! ONNX Runtime sessions, face detectors and face embedders.
//!
//! The way of a model: [`catalog`] makes its file ready (fetched, repaired, pinned by digest); [`Model`] names the
//! verified file; [`detector::open`] and [`embedder::open`] make an adapter over a session of its own. A worker thread
//! opens its adapter once and keeps it: adapters are `Send`, not `Sync`, and reuse their buffers.
//!
//! Promises:
//!
//! 1. No file of the catalog is opened unless its SHA-256 digest is the pinned one. A custom model may come without
//!    a digest; the one that its file has is recorded.
//! 2. Nothing here panics over a missing library, a broken model or an unexpected shape: each is an error that says what
//!    to do.
//! 3. The same image and model give the same numbers, whatever ran before and on whichever thread.
//! 4. A session uses the threads it is given and no more; idle threads sleep, they do not spin.
//! 5. A session runs on the provider it was asked for or is not opened: nothing falls back to the CPU.

pub mod catalog;
pub mod detector;
pub mod embedder;
mod error;
mod input;
mod model;
mod nms;
mod runtime;
mod session;
mod spec;

pub use detector::{Candidate, FaceDetector};
pub use embedder::FaceEmbedder;
pub use error::InferenceError;
pub use model::{Model, ModelIdentity};
pub use runtime::Runtime;
pub use spec::{
    AnchorGrid, ChannelOrder, DetectorHead, DetectorSpec, EmbedderSpec, GateThresholds, PixelFormat,
};
