//! Which frames are analysed: a function of the packets' timestamps alone, never of segments or workers.

use facereel_domain::settings::DetectSettings;
use facereel_domain::time::{Pts, Timeline};
use facereel_video_decode::ScannedFrame;

/// How densely frames are sampled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Density {
    /// One frame in so many.
    Stride(u64),
    /// So many frames a second of video.
    PerSecond(f64),
}

impl Density {
    /// What the settings ask for.
    #[must_use]
    pub fn from_settings(settings: &DetectSettings) -> Self {
        if settings.analyzed_fps > 0.0 {
            Self::PerSecond(settings.analyzed_fps)
        } else {
            Self::Stride(u64::from(settings.stride.max(1)))
        }
    }

    /// The cell of the sampling grid that a frame lies in. The first frame of each cell is wanted, so that variable
    /// frame rates and dropped frames never leave a cell with frames unseen.
    fn cell(self, timeline: &Timeline, pts: Pts) -> u64 {
        match self {
            Self::Stride(stride) => timeline.frame_idx(pts) / stride,
            // A thousandth of a cell keeps rounded timestamps on the side they belong to.
            Self::PerSecond(fps) => (timeline.seconds(pts) * fps + 1e-3).max(0.0) as u64,
        }
    }
}

/// Timestamps of the sampled frames, ascending. `frames` are in order of presentation.
///
/// `snap` lets a sampled frame move by up to so many frames to one that other frames refer to, which is decoded anyway:
/// the nearest such frame, the earlier of two. A frame that is known to be referred to, or whose role is unknown, stays.
#[must_use]
pub fn sampled(frames: &[ScannedFrame], timeline: &Timeline, density: Density, snap: u32) -> Vec<Pts> {
    let mut cell = None;
    let mut chosen = Vec::new();
    for (place, frame) in frames.iter().enumerate() {
        let own_cell = density.cell(timeline, frame.pts);
        if cell == Some(own_cell) {
            continue;
        }
        cell = Some(own_cell);
        chosen.push(snapped(frames, place, snap as usize));
    }
    chosen.dedup();
    chosen.into_iter().map(|place| frames[place].pts).collect()
}

/// The place of the frame to take for the sampled one at `place`.
fn snapped(frames: &[ScannedFrame], place: usize, snap: usize) -> usize {
    if frames[place].is_reference != Some(false) {
        return place;
    }
    let is_reference = |&at: &usize| frames.get(at).is_some_and(|f| f.is_reference == Some(true));
    (1..=snap)
        .flat_map(|distance| [place.checked_sub(distance), Some(place + distance)])
        .flatten()
        .find(is_reference)
        .unwrap_or(place)
}

/// Those of the sampled timestamps that come first at or after a keyframe.
#[must_use]
pub fn first_after_keyframes(frames: &[ScannedFrame], sampled: &[Pts]) -> Vec<Pts> {
    let mut fresh: Vec<Pts> = frames
        .iter()
        .filter(|frame| frame.is_key)
        .filter_map(|key| sampled.get(sampled.partition_point(|pts| *pts < key.pts)).copied())
        .collect();
    fresh.dedup();
    fresh
}

#[cfg(test)]
mod tests {
    use super::*;
    use facereel_domain::time::Rational;
    use proptest::prelude::*;

    fn timeline(fps: i64) -> Timeline {
        Timeline {
            time_base: Rational::new(1, 12_000).unwrap(),
            first_pts: Pts(0),
            fps: Rational::new(fps, 1).unwrap(),
        }
    }

    /// Frames at a constant rate with I-b-P-b-P… references and a keyframe every `gop`.
    fn frames(count: i64, fps: i64, gop: i64) -> Vec<ScannedFrame> {
        (0..count)
            .map(|i| ScannedFrame {
                pts: Pts(i * 12_000 / fps),
                is_key: i % gop == 0,
                is_seek_point: i % gop == 0,
                is_reference: Some(i % 2 == 0),
            })
            .collect()
    }

    fn indices(pts: &[Pts], fps: i64) -> Vec<u64> {
        pts.iter().map(|p| timeline(fps).frame_idx(*p)).collect()
    }

    #[test]
    fn a_40_minute_episode_at_stride_6_has_9600_analysed_frames() {
        let all = frames(57_600, 24, 250);
        assert_eq!(sampled(&all, &timeline(24), Density::Stride(6), 0).len(), 9_600);
    }

    #[test]
    fn equal_rates_in_seconds_give_equal_times_at_every_frame_rate() {
        for fps in [24, 25, 30, 60] {
            let all = frames(fps * 10, fps, 50);
            assert_eq!(sampled(&all, &timeline(fps), Density::PerSecond(4.0), 0).len(), 40, "{fps} fps");
        }
    }

    #[test]
    fn samples_move_to_reference_frames_only_within_the_tolerance() {
        let all = frames(20, 24, 250);
        assert_eq!(indices(&sampled(&all, &timeline(24), Density::Stride(5), 0), 24), [0, 5, 10, 15]);
        assert_eq!(indices(&sampled(&all, &timeline(24), Density::Stride(5), 1), 24), [0, 4, 10, 14]);
    }

    #[test]
    fn frames_of_unknown_role_stay_where_they_are() {
        let mut all = frames(20, 24, 250);
        for frame in &mut all {
            frame.is_reference = None;
        }
        assert_eq!(indices(&sampled(&all, &timeline(24), Density::Stride(5), 2), 24), [0, 5, 10, 15]);
    }

    #[test]
    fn a_gap_in_the_video_costs_no_sample_after_it() {
        let all: Vec<_> =
            frames(48, 24, 250).into_iter().filter(|f| !(3000..6900).contains(&f.pts.0)).collect();
        assert_eq!(
            indices(&sampled(&all, &timeline(24), Density::Stride(6), 0), 24),
            [0, 14, 18, 24, 30, 36, 42]
        );
    }

    #[test]
    fn the_first_sample_after_each_keyframe_is_fresh() {
        let all = frames(30, 24, 10);
        let chosen = sampled(&all, &timeline(24), Density::Stride(6), 0);
        assert_eq!(indices(&first_after_keyframes(&all, &chosen), 24), [0, 12, 24]);
    }

    proptest! {
        #[test]
        fn samples_ascend_and_exist(stride in 1_u64..20, snap in 0_u32..4, count in 1_i64..200) {
            let all = frames(count, 24, 12);
            let chosen = sampled(&all, &timeline(24), Density::Stride(stride), snap);
            prop_assert!(!chosen.is_empty());
            prop_assert!(chosen.windows(2).all(|w| w[0] < w[1]));
            prop_assert!(chosen.iter().all(|p| all.iter().any(|f| f.pts == *p)));
        }
    }
}
