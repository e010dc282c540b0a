//! HOTA, the geometric mean of detection and association accuracy over thresholds of overlap (Luiten et al., "HOTA: A
//! Higher Order Metric for Evaluating Multi-Object Tracking", IJCV 2021).

use std::collections::BTreeMap;

use crate::sequence::{Frame, ROUNDING, Sequence, TrackPair};

/// How many thresholds of overlap: 0.05, 0.10 … 0.95.
const THRESHOLDS: usize = 19;

/// Counts from which the shares follow; those of several sequences add up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hota {
    thresholds: [AtThreshold; THRESHOLDS],
}

/// Counts at one threshold.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct AtThreshold {
    hits: f64,
    misses: f64,
    extras: f64,
    /// Sum over hits of how well the two tracks that they belong to agree.
    association: f64,
    /// Sum of the hits' overlaps.
    overlap: f64,
}

impl AtThreshold {
    fn detection_accuracy(&self) -> f64 {
        self.hits / (self.hits + self.misses + self.extras).max(1.0)
    }

    fn association_accuracy(&self) -> f64 {
        self.association / self.hits.max(1.0)
    }
}

impl Hota {
    /// Measures a sequence.
    #[must_use]
    pub fn of(sequence: &Sequence) -> Self {
        let alignment = Alignment::of(sequence);
        let mut thresholds = [AtThreshold::default(); THRESHOLDS];
        let mut matches: [BTreeMap<TrackPair, f64>; THRESHOLDS] = Default::default();
        for frame in &sequence.frames {
            let score = |t, f| alignment.score((frame.truth[t], frame.found[f])) * frame.overlap(t, f);
            let pairs = frame.best_pairs(score);
            for (place, counts) in thresholds.iter_mut().enumerate() {
                let least = 0.05 * (place + 1) as f64 - ROUNDING;
                let mut hits = 0.0;
                for &(t, f) in pairs.iter().filter(|&&(t, f)| frame.overlap(t, f) >= least) {
                    hits += 1.0;
                    counts.overlap += frame.overlap(t, f);
                    *matches[place].entry((frame.truth[t], frame.found[f])).or_default() += 1.0;
                }
                counts.hits += hits;
                counts.misses += frame.truth.len() as f64 - hits;
                counts.extras += frame.found.len() as f64 - hits;
            }
        }
        for (counts, matches) in thresholds.iter_mut().zip(&matches) {
            counts.association = matches
                .iter()
                .fold(0.0, |sum, (pair, count)| sum + count * count / union(sequence, *pair, *count));
        }
        Self { thresholds }
    }

    /// The counts of both.
    #[must_use]
    pub fn plus(mut self, other: &Self) -> Self {
        for (sum, more) in self.thresholds.iter_mut().zip(&other.thresholds) {
            sum.hits += more.hits;
            sum.misses += more.misses;
            sum.extras += more.extras;
            sum.association += more.association;
            sum.overlap += more.overlap;
        }
        self
    }

    /// HOTA, 0 to 1.
    #[must_use]
    pub fn hota(&self) -> f64 {
        self.mean(|at| (at.detection_accuracy() * at.association_accuracy()).sqrt())
    }

    /// Detection accuracy (`DetA`), 0 to 1.
    #[must_use]
    pub fn detection_accuracy(&self) -> f64 {
        self.mean(AtThreshold::detection_accuracy)
    }

    /// Association accuracy (`AssA`), 0 to 1.
    #[must_use]
    pub fn association_accuracy(&self) -> f64 {
        self.mean(AtThreshold::association_accuracy)
    }

    /// Localisation accuracy (`LocA`): mean overlap of the hits, 0 to 1.
    #[must_use]
    pub fn localisation_accuracy(&self) -> f64 {
        self.mean(|at| at.overlap.max(1e-10) / at.hits.max(1e-10))
    }

    fn mean(&self, figure: impl Fn(&AtThreshold) -> f64) -> f64 {
        self.thresholds.iter().map(figure).sum::<f64>() / THRESHOLDS as f64
    }
}

/// Frames in which one of two tracks is, or both.
fn union(sequence: &Sequence, (truth, found): TrackPair, both: f64) -> f64 {
    (sequence.truth_lengths[truth] + sequence.found_lengths[found]) as f64 - both
}

/// How well true and found tracks agree over the whole sequence, before any pair is chosen: a Jaccard index over soft
/// matches. So a frame's pairs follow the tracks and not the frame's chance overlaps.
struct Alignment(BTreeMap<TrackPair, f64>);

impl Alignment {
    fn of(sequence: &Sequence) -> Self {
        let mut soft: BTreeMap<TrackPair, f64> = BTreeMap::new();
        for frame in &sequence.frames {
            for (pair, share) in shares(frame) {
                *soft.entry(pair).or_default() += share;
            }
        }
        for (pair, sum) in &mut soft {
            *sum /= union(sequence, *pair, *sum);
        }
        Self(soft)
    }

    fn score(&self, pair: TrackPair) -> f64 {
        self.0.get(&pair).copied().unwrap_or(0.0)
    }
}

/// Each overlapping pair's overlap against all overlaps that either of the two has in the frame.
fn shares(frame: &Frame) -> Vec<(TrackPair, f64)> {
    let (rows, columns) = (frame.truth.len(), frame.found.len());
    let of_truth: Vec<f64> = (0..rows).map(|t| (0..columns).map(|f| frame.overlap(t, f)).sum()).collect();
    let of_found: Vec<f64> = (0..columns).map(|f| (0..rows).map(|t| frame.overlap(t, f)).sum()).collect();
    let pairs = (0..rows).flat_map(|t| (0..columns).map(move |f| (t, f)));
    pairs
        .filter(|&(t, f)| frame.overlap(t, f) > 0.0)
        .map(|(t, f)| {
            let overlap = frame.overlap(t, f);
            ((frame.truth[t], frame.found[f]), overlap / (of_truth[t] + of_found[f] - overlap))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sequence::testing::sequence;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn a_perfect_result_has_hota_one() {
        let hota = Hota::of(&sequence(&[(&[(1, 0.0)], &[(7, 0.0)]), (&[(1, 5.0)], &[(7, 5.0)])]));
        assert!(near(hota.hota(), 1.0) && near(hota.localisation_accuracy(), 1.0));
    }

    #[test]
    fn a_track_cut_in_half_keeps_its_detections_and_half_of_its_association() {
        let frames: Vec<_> = [7, 7, 8, 8].into_iter().map(|id| [(id, 0.0)]).collect();
        let frames: Vec<_> = frames.iter().map(|found| (&[(1, 0.0)][..], &found[..])).collect();
        let hota = Hota::of(&sequence(&frames));
        assert!(near(hota.detection_accuracy(), 1.0));
        // Each of the four hits: 2 frames together, 4 + 2 - 2 in either.
        assert!(near(hota.association_accuracy(), 0.5));
        assert!(near(hota.hota(), 0.5_f64.sqrt()));
    }

    #[test]
    fn a_box_that_is_off_counts_up_to_its_overlap() {
        // Shifted by half its width: IoU 1/3, reached by 0.05 … 0.30, six of nineteen thresholds.
        let hota = Hota::of(&sequence(&[(&[(1, 0.0)], &[(7, 5.0)])]));
        assert!(near(hota.hota(), 6.0 / 19.0));
    }

    #[test]
    fn sequences_weigh_by_their_hits() {
        let good = Hota::of(&sequence(&[(&[(1, 0.0)], &[(7, 0.0)])]));
        let nothing = Hota::of(&sequence(&[(&[(1, 0.0)], &[]), (&[], &[(7, 0.0)])]));
        let both = good.plus(&nothing);
        assert!(near(both.detection_accuracy(), 1.0 / 3.0));
        assert!(near(both.association_accuracy(), 1.0));
        assert!(near(nothing.hota(), 0.0));
    }
}
