//! What the plan stage leaves: segments and the frames to analyse.

use facereel_domain::geometry::Size;
use facereel_domain::ids::SegmentIndex;
use facereel_domain::time::{Pts, PtsRange, Timeline};
use serde::{Deserialize, Serialize};

use super::MIB;
use crate::Format;

/// How an episode is cut into segments and which of its frames are analysed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The video.
    pub video: VideoFacts,
    /// In order of time; together they hold every frame once.
    pub segments: Vec<PlannedSegment>,
    /// What the scan found odd, for people.
    pub warnings: Vec<String>,
}

/// What a video is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VideoFacts {
    /// FFmpeg's name of the container format.
    pub container: String,
    /// FFmpeg's name of the codec.
    pub codec: String,
    /// FFmpeg's name of the pixel format.
    pub pixel_format: String,
    /// Bits a sample.
    pub bit_depth: u8,
    /// Frame size as displayed.
    pub size: Size,
    /// Clockwise turn for display: 0, 90, 180 or 270.
    pub rotation_deg: u16,
    /// Ticks to seconds and frame numbers.
    pub timeline: Timeline,
    /// Whether the container's timestamps are used, or frames are counted because it has none that can be trusted.
    pub timestamps: Timestamps,
    /// HEVC's temporal sub-layers; 1 elsewhere.
    pub temporal_layers: u8,
    /// Frames in the container.
    pub frames: u64,
    /// First to last frame, plus one frame, seconds.
    pub duration_sec: f64,
}

/// Where a video's timestamps come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timestamps {
    /// From the container.
    Container,
    /// The n-th decoded frame has timestamp n.
    Counted,
}

/// A segment of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedSegment {
    /// Place in the plan.
    pub index: SegmentIndex,
    /// The frames that belong to it.
    pub range: PtsRange,
    /// Frames in it.
    pub frames: u32,
    /// Timestamps of the frames to analyse, ascending.
    pub sampled: Vec<Pts>,
    /// Those of `sampled` that come first after a keyframe: they are always looked at afresh, so that what is reused
    /// for unchanged frames does not depend on where segments begin.
    pub fresh: Vec<Pts>,
}

impl Plan {
    /// Timestamps of a segment's samples and of the one just before and the one just after it, ascending.
    #[must_use]
    pub fn samples_around(&self, segment: SegmentIndex) -> Vec<Pts> {
        samples_around(&self.segments, segment)
    }
}

fn samples_around(segments: &[PlannedSegment], segment: SegmentIndex) -> Vec<Pts> {
    let (before, rest) = segments.split_at(segment.index().min(segments.len()));
    let (own, after) = rest.split_at(rest.len().min(1));
    let last = before.iter().rev().find_map(|segment| segment.sampled.last());
    let own = own.iter().flat_map(|segment| &segment.sampled);
    let first = after.iter().find_map(|segment| segment.sampled.first());
    last.into_iter().chain(own).chain(first).copied().collect()
}

impl Format for Plan {
    const NAME: &'static str = "facereel.plan";
    const VERSION: u16 = 1;
    const MAX_BYTES: usize = 64 * MIB;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_samples_around_a_segment_may_lie_beyond_its_neighbours() {
        let segment = |number: u32, sampled: &[i64]| PlannedSegment {
            index: SegmentIndex(number),
            range: PtsRange { start: None, end: None },
            frames: 12,
            sampled: sampled.iter().copied().map(Pts).collect(),
            fresh: Vec::new(),
        };
        let segments = [segment(0, &[0, 6]), segment(1, &[]), segment(2, &[24, 30]), segment(3, &[36])];
        let around =
            |number| samples_around(&segments, SegmentIndex(number)).iter().map(|pts| pts.0).collect();
        let found: [Vec<i64>; 4] = [0, 1, 2, 3].map(around);
        assert_eq!(found, [vec![0, 6, 24], vec![6, 24], vec![6, 24, 30, 36], vec![30, 36]]);
    }
}
