//! Detect jobs: a segment of video becomes a detections part and a chip pack.

mod chips;
mod detectors;
mod inputs;
mod segment;
mod stage;
mod wide;

pub use detectors::{Detectors, record as detector_record};
pub use inputs::{InputSizes, Inputs};
pub use stage::{DetectStage, selection};
