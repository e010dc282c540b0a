//! Multi-object tracking by two-stage association, in seconds; pure and deterministic.
//!
//! `ByteTrack` (Zhang et al., ECCV 2022) matches sure detections with all tracks first and doubtful ones with the tracks
//! left over, so that a face is followed through blur and profile views although doubtful boxes never start a track.
//! It was made for every frame. facereel looks about four times a second, where a face may have moved by its own
//! width and overlap finds nothing; so a third association by distance, in sizes of the face, follows, in the spirit of
//! C-BIoU (Yang et al., WACV 2023). It leaves close calls open: a track that ends early costs a second one, a track
//! that holds two people spoils both. Where all of a shot is at hand, [`track_whole`] also follows each track back in time
//! from its first sure sighting.
//!
//! Promises:
//!
//! 1. A detection is in at most one track; a track has at most one detection a frame.
//! 2. No track crosses a [`Tracker::cut`], and none has a gap longer than [`TrackerParams::max_gap_sec`].
//! 3. The first sighting belongs to the track, and the box reported is the detection's, never the filter's.
//! 4. Time is what the caller says, in seconds. Frame rate and stride change how often the tracker looks, not what
//!    its parameters mean.
//! 5. Equal input gives equal output; the order of a frame's detections does not matter; ids are positions in order of
//!    first appearance.
//!
//! Absent on purpose: dropping short tracks (the caller knows what it needs), likeness (faces are embedded after
//! tracking), camera motion (interview and drama shots move slowly against a face's size), and any clock or counter
//! outside of [`Tracker`].
//!
//! ```
//! use facereel_bytetrack::{TrackInput, Tracker, TrackerParams};
//! use facereel_domain::geometry::BBox;
//!
//! let mut tracker = Tracker::new(TrackerParams::default())?;
//! for look in 0..8_u8 {
//!     let x = 50.0 * f32::from(look);
//!     let face = TrackInput { bbox: BBox::from_xyxy([x, 0.0, x + 80.0, 100.0])?, confidence: 0.9 };
//!     tracker.update(f64::from(look) * 0.25, &[face])?;
//! }
//! let tracklets = tracker.finish();
//! assert_eq!(tracklets.len(), 1);
//! assert_eq!(tracklets[0].observations.len(), 8);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod affinity;
mod assignment;
mod motion;
mod params;
mod tracker;
mod tracklet;
mod whole;

pub use params::{MotionParams, ParamsError, ReachParams, TrackerParams};
pub use tracker::{TimeError, TrackInput, Tracker};
pub use tracklet::{Observation, Tracklet, Via};
pub use whole::{TimedInputs, TrackError, track_forward, track_whole};
