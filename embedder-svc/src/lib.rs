//! Aligns and embeds chosen faces and judges whether a tracklet shows one person.
//!
//! ```text
//! EmbedJob -> chips of one batch -> quality gates -> vectors -> appearance gate -> prototypes
//!          -> work/embeddings -> ExportJob (last part)
//! ```
//!
//! A batch holds whole tracklets, so everything about a tracklet is decided in one place, from one vector per face.
//! Deliberately absent: anything that compares tracklets with each other.

mod embedders;
mod faces;
pub mod gate;
pub mod prototype;
pub mod quality_gates;
mod service;
mod stage;
#[cfg(test)]
mod staged;

pub use embedders::{Embedders, record as embedder_record};
pub use faces::aligned_face;
pub use service::EmbedderService;
pub use stage::EmbedStage;
