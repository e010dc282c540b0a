//! IDF1: how many boxes carry the right id when true and found tracks are paired one to one over the whole sequence
//! (Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera Tracking", 2016).

use std::collections::BTreeMap;

use crate::assignment::best_pairs;
use crate::sequence::{ROUNDING, Sequence, TrackPair};

/// Least overlap at which two boxes are of the same face.
const LEAST_OVERLAP: f64 = 0.5;

/// Counts; those of several sequences add up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Identity {
    /// Boxes whose tracks are paired.
    pub hits: u64,
    /// True boxes.
    pub truth: u64,
    /// Found boxes.
    pub found: u64,
}

impl Identity {
    /// Measures a sequence.
    #[must_use]
    pub fn of(sequence: &Sequence) -> Self {
        let mut together: BTreeMap<TrackPair, u64> = BTreeMap::new();
        for frame in &sequence.frames {
            for (t, truth) in frame.truth.iter().enumerate() {
                for (f, found) in frame.found.iter().enumerate() {
                    if frame.overlap(t, f) >= LEAST_OVERLAP - ROUNDING {
                        *together.entry((*truth, *found)).or_default() += 1;
                    }
                }
            }
        }
        // Leaving a pair apart costs a miss and a false positive for each box that they have together, so the least
        // mistakes and the most boxes together are the same assignment.
        let count = |t, f| together.get(&(t, f)).copied().unwrap_or(0);
        let size = (sequence.truth_lengths.len(), sequence.found_lengths.len());
        let pairs = best_pairs(size, |t, f| count(t, f) as f64);
        let hits = pairs.into_iter().map(|(t, f)| count(t, f)).sum();
        Self { hits, truth: sequence.truth_boxes(), found: sequence.found_boxes() }
    }

    /// The counts of both.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        Self {
            hits: self.hits + other.hits,
            truth: self.truth + other.truth,
            found: self.found + other.found,
        }
    }

    /// IDF1, 0 to 1.
    #[must_use]
    pub fn f1(&self) -> f64 {
        2.0 * self.hits as f64 / ((self.truth + self.found) as f64).max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::testing::sequence;

    #[test]
    fn only_the_longest_part_of_a_cut_track_counts() {
        let found = [[(7, 0.0)], [(7, 0.0)], [(7, 0.0)], [(8, 0.0)]];
        let frames: Vec<_> = found.iter().map(|f| (&[(1, 0.0)][..], &f[..])).collect();
        let identity = Identity::of(&sequence(&frames));
        assert_eq!((identity.hits, identity.truth, identity.found), (3, 4, 4));
        assert!((identity.f1() - 0.75).abs() < 1e-9);
    }

    #[test]
    fn a_track_that_mixes_two_people_is_paired_with_one_of_them() {
        let truth = [[(1, 0.0)], [(1, 0.0)], [(2, 0.0)]];
        let frames: Vec<_> = truth.iter().map(|t| (&t[..], &[(7, 0.0)][..])).collect();
        assert_eq!(Identity::of(&sequence(&frames)).hits, 2);
    }

    #[test]
    fn nothing_at_all_is_no_success() {
        assert!(Identity::of(&Sequence::default()).f1().abs() < 1e-9);
    }
}
