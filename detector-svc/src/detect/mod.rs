//! Detect jobs: a segment of video becomes a detections part and a chip pack.

mod chips;
mod detectors;
mod input_size;
mod segment;
mod stage;
mod wide;

pub use detectors::{Detectors, record as detector_record};
pub use input_size::InputSizes;
pub use stage::{DetectStage, selection};
