//! Frames that fill short shots.
//!
//! Half a second between two cuts holds two samples or three: too few to tell a face from a false alarm. Such a shot is
//! looked at twice as often. As with candidates, a worker that decodes a part of the video is generous: it looks at the
//! fillers of all that may be a short shot, and the final decision keeps those of shots that are one.

use crate::time::Pts;

/// Whether the decoded frame at `at` fills the gap between the samples around it: it is the first in the second half.
///
/// `sampled` holds the timestamps of samples, ascending, and `before` that of the decoded frame before. `None` where
/// `sampled` ends on either side, as at the edges of a segment: it may be a filler.
#[must_use]
pub fn is_filler(sampled: &[Pts], before: Option<Pts>, at: Pts) -> Option<bool> {
    let Err(next) = sampled.binary_search(&at) else { return Some(false) };
    let (from, to) = (sampled.get(next.checked_sub(1)?)?, sampled.get(next)?);
    let is_late = |pts: Pts| i128::from(pts.0) * 2 >= i128::from(from.0) + i128::from(to.0);
    Some(is_late(at) && !before.is_some_and(|before| before > *from && is_late(before)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fillers among `decoded` frames.
    fn fillers(sampled: &[i64], decoded: &[i64]) -> Vec<i64> {
        let sampled: Vec<Pts> = sampled.iter().copied().map(Pts).collect();
        let before = [None].into_iter().chain(decoded.iter().map(|pts| Some(Pts(*pts))));
        let is = |(at, before): &(&i64, Option<Pts>)| is_filler(&sampled, *before, Pts(**at)) == Some(true);
        decoded.iter().zip(before).filter(is).map(|(at, _)| *at).collect()
    }

    #[test]
    fn one_frame_fills_each_gap_the_first_of_its_second_half() {
        let all: Vec<i64> = (0..19).collect();
        assert_eq!(fillers(&[0, 6, 12, 18], &all), [3, 9, 15]);
        assert_eq!(fillers(&[0, 6, 12, 18], &[0, 2, 4, 5, 6, 8, 12, 17, 18]), [4, 17]);
        assert!(fillers(&[0, 1, 2], &[0, 1, 2]).is_empty());
    }

    #[test]
    fn beyond_the_known_samples_nothing_is_known() {
        let sampled = [Pts(6), Pts(12)];
        assert_eq!(is_filler(&sampled, None, Pts(3)), None);
        assert_eq!(is_filler(&sampled, Some(Pts(12)), Pts(15)), None);
        assert_eq!(is_filler(&[], None, Pts(0)), None);
        assert_eq!(is_filler(&sampled, Some(Pts(6)), Pts(12)), Some(false));
    }
}
