//! Finds shots and tracks over the detections of an episode and chooses the faces to embed.
//!
//! ```text
//! TrackJob -> join parts -> shots -> tracklets -> chosen faces -> work/tracks.mpk, work/batches -> EmbedJob x batches
//! ```
//!
//! Everything between reading and writing is a pure function of the parts: the same episode gives the same tracks,
//! whoever computes them. Deliberately absent: pixels and models.

pub mod choice;
mod episode;
mod service;
pub mod shots;
mod stage;
#[cfg(test)]
mod staged;
mod thresholds;
mod tracklets;

pub use service::TrackerService;
pub use stage::TrackStage;
