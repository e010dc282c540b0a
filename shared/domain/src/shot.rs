//! Shots, and how they are looked for: frames made tiny, how much two of them differ, where a shot may begin.
//!
//! Shots are found in two steps. While a video is decoded, [`CandidateRule`] decides from the frames seen just before
//! whether a frame may be the first of a shot; such a frame is analysed at once, as later its pixels are gone. When all
//! frames of the video are known, the final decision chooses among the candidates. So the rule here is generous, and
//! the final decision may only be stricter.

mod candidate;
mod change;
mod filler;
mod thumbnail;

use serde::{Deserialize, Serialize};

pub use self::candidate::{CandidateRule, Step};
pub use self::change::change;
pub use self::filler::{enough_samples, is_filler};
pub use self::thumbnail::{Statistics, Thumbnail, ThumbnailError};
use crate::ids::ShotIndex;
use crate::time::Pts;

/// How a shot begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShotStart {
    /// The video begins.
    Start,
    /// From one frame to the next.
    Cut,
    /// Out of black (or another plain colour).
    Fade,
    /// One picture dissolves into the next.
    Dissolve,
}

/// A stretch of video from one camera, half open: up to the next shot's first frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shot {
    /// Place in the episode, from 0.
    pub index: ShotIndex,
    /// How it begins.
    pub start: ShotStart,
    /// Timestamp of the first frame that was decoded in it.
    pub first_pts: Pts,
    /// Timestamp of the last frame that was decoded in it.
    pub last_pts: Pts,
}
