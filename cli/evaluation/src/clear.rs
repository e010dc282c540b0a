//! The CLEAR measures: misses, false positives, identity switches, fragments, and MOTA over them (Bernardin and
//! Stiefelhagen, "Evaluating Multiple Object Tracking Performance", 2008), as `MOTChallenge` counts them.

use crate::sequence::{Frame, ROUNDING, Sequence};

/// Least overlap of a hit.
const LEAST_OVERLAP: f64 = 0.5;
/// What keeping the pair of the frame before is worth, against an overlap of at most 1.
const KEEP: f64 = 1000.0;

/// Counts; those of several sequences add up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Clear {
    /// True boxes that were found.
    pub hits: u64,
    /// True boxes that were not.
    pub misses: u64,
    /// Found boxes that are none.
    pub false_positives: u64,
    /// How often a true track went on under another id.
    pub id_switches: u64,
    /// How often a true track was found again after frames in which it was not.
    pub fragments: u64,
    /// True tracks found in more than 80 % of their frames.
    pub mostly_tracked: u64,
    /// True tracks found in less than 20 % of their frames.
    pub mostly_lost: u64,
}

impl Clear {
    /// Measures a sequence.
    #[must_use]
    pub fn of(sequence: &Sequence) -> Self {
        let mut walk = Walk::new(sequence.truth_lengths.len());
        for frame in &sequence.frames {
            walk.step(frame);
        }
        walk.end(sequence)
    }

    /// The counts of both.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        Self {
            hits: self.hits + other.hits,
            misses: self.misses + other.misses,
            false_positives: self.false_positives + other.false_positives,
            id_switches: self.id_switches + other.id_switches,
            fragments: self.fragments + other.fragments,
            mostly_tracked: self.mostly_tracked + other.mostly_tracked,
            mostly_lost: self.mostly_lost + other.mostly_lost,
        }
    }

    /// MOTA: 1 less misses, false positives and switches by true boxes; negative where there are more of them.
    #[must_use]
    pub fn mota(&self) -> f64 {
        let wrong = (self.false_positives + self.id_switches) as f64;
        (self.hits as f64 - wrong) / ((self.hits + self.misses) as f64).max(1.0)
    }
}

/// The state between frames.
struct Walk {
    counts: Clear,
    /// The id under which each true track was found last.
    last_id: Vec<Option<usize>>,
    /// The same, if it was in the frame before.
    current_id: Vec<Option<usize>>,
    /// How often each true track was found after it was not.
    beginnings: Vec<u64>,
    frames_found: Vec<u64>,
}

impl Walk {
    fn new(tracks: usize) -> Self {
        Self {
            counts: Clear::default(),
            last_id: vec![None; tracks],
            current_id: vec![None; tracks],
            beginnings: vec![0; tracks],
            frames_found: vec![0; tracks],
        }
    }

    fn step(&mut self, frame: &Frame) {
        // As the reference does, frames without truth or without results leave the state as it is.
        if frame.truth.is_empty() || frame.found.is_empty() {
            self.counts.misses += frame.truth.len() as u64;
            self.counts.false_positives += frame.found.len() as u64;
            return;
        }
        let pairs = frame.best_pairs(|t, f| {
            let overlap = frame.overlap(t, f);
            if overlap < LEAST_OVERLAP - ROUNDING {
                return 0.0;
            }
            let is_kept = self.current_id[frame.truth[t]] == Some(frame.found[f]);
            if is_kept { KEEP + overlap } else { overlap }
        });
        let before = std::mem::replace(&mut self.current_id, vec![None; self.last_id.len()]);
        for &(t, f) in &pairs {
            let (truth, found) = (frame.truth[t], frame.found[f]);
            let last = self.last_id[truth].replace(found);
            self.counts.id_switches += u64::from(last.is_some_and(|id| id != found));
            self.beginnings[truth] += u64::from(before[truth].is_none());
            self.current_id[truth] = Some(found);
            self.frames_found[truth] += 1;
        }
        self.counts.hits += pairs.len() as u64;
        self.counts.misses += (frame.truth.len() - pairs.len()) as u64;
        self.counts.false_positives += (frame.found.len() - pairs.len()) as u64;
    }

    fn end(self, sequence: &Sequence) -> Clear {
        let shares =
            self.frames_found.iter().zip(&sequence.truth_lengths).map(|(&f, &all)| f as f64 / all as f64);
        let (mut mostly_tracked, mut mostly_lost) = (0, 0);
        for share in shares {
            mostly_tracked += u64::from(share > 0.8);
            mostly_lost += u64::from(share < 0.2);
        }
        let fragments = self.beginnings.iter().map(|count| count.saturating_sub(1)).sum();
        Clear { fragments, mostly_tracked, mostly_lost, ..self.counts }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::testing::sequence;

    #[test]
    fn each_kind_of_mistake_is_counted_once() {
        let clear = Clear::of(&sequence(&[
            (&[(1, 0.0), (2, 50.0)], &[(7, 0.0), (8, 50.0)]),
            // 2 is missed, and there is a box where nobody is.
            (&[(1, 0.0), (2, 50.0)], &[(7, 0.0), (9, 90.0)]),
            // 2 is found again (a fragment), under another id (a switch).
            (&[(1, 0.0), (2, 50.0)], &[(7, 0.0), (9, 50.0)]),
        ]));
        assert_eq!((clear.hits, clear.misses, clear.false_positives), (5, 1, 1));
        assert_eq!((clear.id_switches, clear.fragments), (1, 1));
        assert_eq!((clear.mostly_tracked, clear.mostly_lost), (1, 0));
        assert!((clear.mota() - (5.0 - 2.0) / 6.0).abs() < 1e-9);
    }

    #[test]
    fn a_pair_of_the_frame_before_is_kept_although_another_overlaps_more() {
        let clear = Clear::of(&sequence(&[(&[(1, 0.0)], &[(7, 0.0)]), (&[(1, 0.0)], &[(8, 0.0), (7, 3.0)])]));
        assert_eq!((clear.id_switches, clear.false_positives), (0, 1));
    }

    #[test]
    fn an_overlap_below_half_is_a_miss_and_a_false_positive() {
        let clear = Clear::of(&sequence(&[(&[(1, 0.0)], &[(7, 4.0)])]));
        assert_eq!((clear.hits, clear.misses, clear.false_positives), (0, 1, 1));
        assert!((clear.mota() + 1.0).abs() < 1e-9);
    }
}
