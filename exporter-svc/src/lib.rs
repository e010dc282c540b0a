//! Writes crops, manifests, metrics and the commit of a run, and verifies runs.
//!
//! ```text
//! ExportJob -> assemble tracks -> crops -> manifests, vectors, metrics -> manifest.json -> current.json, work/ deleted
//! ```
//!
//! What is written is a function of the objects that the stages before left: no clock, no host, no order of arrival.
//! `manifest.json` comes last and is never overwritten: whoever sees it sees a complete run.

pub mod assemble;
mod commit;
pub mod crops;
pub mod erase;
pub mod manifests;
mod merge;
pub mod metrics;
pub mod npy;
mod outputs;
mod rejoin;
mod service;
mod stage;
pub mod verify;

pub use commit::{Artifact, CurrentRun, Manifest, ManifestCounts, Program, WorkObjects, after_commit};
pub use service::ExporterService;
pub use stage::ExportStage;
