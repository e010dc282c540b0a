//! Frames that fill short shots.
//!
//! Half a second between two cuts holds two samples or three: too few to tell a face from a false alarm. Such a shot is
//! looked at twice as often. As with candidates, a worker that decodes a part of the video is generous: it looks at the
//! fillers of all that may be a short shot, and the final decision keeps those of shots that are one.

use crate::settings::TrackSettings;
use crate::time::Pts;

/// Shots of so many samples are never short, however many observations a track needs.
const NEVER_SHORT: u32 = 4;

/// Samples that a shot needs so that it is not filled.
#[must_use]
pub fn enough_samples(settings: &TrackSettings) -> u32 {
    settings.min_observations.min(NEVER_SHORT)
}

/// Whether the decoded frame at `at` fills the gap between the samples around it: it is the first in the second half.
///
/// `sampled` holds the timestamps of samples, ascending, and `before` that of the decoded frame before. Nothing fills what
/// lies before the first sample or after the last.
#[must_use]
pub fn is_filler(sampled: &[Pts], before: Option<Pts>, at: Pts) -> bool {
    let Err(next) = sampled.binary_search(&at) else { return false };
    let (Some(from), Some(to)) = (next.checked_sub(1).map(|last| sampled[last]), sampled.get(next)) else {
        return false;
    };
    let is_late = |pts: Pts| i128::from(pts.0) * 2 >= i128::from(from.0) + i128::from(to.0);
    is_late(at) && !before.is_some_and(|before| before > from && is_late(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fillers among `decoded` frames.
    fn fillers(sampled: &[i64], decoded: &[i64]) -> Vec<i64> {
        let sampled: Vec<Pts> = sampled.iter().copied().map(Pts).collect();
        let before = [None].into_iter().chain(decoded.iter().map(|pts| Some(Pts(*pts))));
        let fills = |(at, before): &(&i64, Option<Pts>)| is_filler(&sampled, *before, Pts(**at));
        decoded.iter().zip(before).filter(fills).map(|(at, _)| *at).collect()
    }

    #[test]
    fn one_frame_fills_each_gap_the_first_of_its_second_half() {
        let all: Vec<i64> = (0..19).collect();
        assert_eq!(fillers(&[0, 6, 12, 18], &all), [3, 9, 15]);
        assert_eq!(fillers(&[0, 6, 12, 18], &[0, 2, 4, 5, 6, 8, 12, 17, 18]), [4, 17]);
        assert!(fillers(&[0, 1, 2], &[0, 1, 2]).is_empty());
    }

    #[test]
    fn nothing_fills_what_lies_outside_of_the_samples() {
        let all: Vec<i64> = (0..19).collect();
        assert_eq!(fillers(&[6, 12], &all), [9]);
        assert!(fillers(&[], &all).is_empty());
    }

    #[test]
    fn tracks_that_need_many_observations_do_not_make_long_shots_short() {
        let asked = |min_observations| TrackSettings { min_observations, ..TrackSettings::default() };
        assert_eq!([1, 3, 100].map(|n| enough_samples(&asked(n))), [1, 3, 4]);
    }
}
