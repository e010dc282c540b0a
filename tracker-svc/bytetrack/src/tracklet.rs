//! What comes out: tracklets and the sightings they are made of.

use facereel_domain::geometry::BBox;

/// How a sighting came to its track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Via {
    /// It started the track; sightings before it were found going back in time.
    Birth,
    /// Its box overlaps the predicted one.
    Overlap,
    /// Its box lies within reach of the predicted one, without overlapping it enough.
    Reach,
    /// As `Overlap`, with a low score.
    LowScore,
}

/// A detection as part of a track.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Observation {
    /// Which call of [`crate::Tracker::update`], from 0.
    pub frame: usize,
    /// Position in that call's detections.
    pub detection: usize,
    /// Time of that call in seconds.
    pub ts_sec: f64,
    /// The detection's box, not the filter's.
    pub bbox: BBox,
    /// The detection's score.
    pub confidence: f32,
    /// How it was recognised.
    pub via: Via,
}

/// One face through one shot.
#[derive(Debug, Clone, PartialEq)]
pub struct Tracklet {
    /// Number of cuts before it.
    pub shot: usize,
    /// At least one, in order of time; at most one of a frame.
    pub observations: Vec<Observation>,
}

impl Tracklet {
    /// Longest time between two sightings that follow each other, in seconds.
    #[must_use]
    pub fn longest_gap_sec(&self) -> f64 {
        self.observations.windows(2).map(|pair| pair[1].ts_sec - pair[0].ts_sec).fold(0.0, f64::max)
    }
}
