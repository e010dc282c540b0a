//! All figures about the tracks of a sequence, or of several.

use serde::Serialize;

use crate::clear::Clear;
use crate::hota::Hota;
use crate::identity::Identity;
use crate::judged::Comparison;
use crate::people::{Found, Mixing};

/// Counts of all measures; those of several sequences add up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    hota: Hota,
    clear: Clear,
    identity: Identity,
    frames: u64,
    truth_tracks: u64,
    found_tracks: u64,
    extras: u64,
    excused: u64,
    found: Found,
}

impl Tally {
    /// Measures a comparison.
    #[must_use]
    pub fn of(comparison: &Comparison) -> Self {
        let sequence = &comparison.sequence;
        Self {
            hota: Hota::of(sequence),
            clear: Clear::of(sequence),
            identity: Identity::of(sequence),
            frames: sequence.frames.len() as u64,
            truth_tracks: sequence.truth_lengths.len() as u64,
            found_tracks: sequence.found_lengths.len() as u64,
            extras: comparison.extras,
            excused: comparison.excused,
            found: Found {
                found: comparison.outcomes.iter().filter(|o| o.found.is_some()).count() as u64,
                faces: comparison.outcomes.len() as u64,
            },
        }
    }

    /// The counts of both.
    #[must_use]
    pub fn plus(self, other: &Self) -> Self {
        Self {
            hota: self.hota.plus(&other.hota),
            clear: self.clear.plus(&other.clear),
            identity: self.identity.plus(&other.identity),
            frames: self.frames + other.frames,
            truth_tracks: self.truth_tracks + other.truth_tracks,
            found_tracks: self.found_tracks + other.found_tracks,
            extras: self.extras + other.extras,
            excused: self.excused + other.excused,
            found: Found {
                found: self.found.found + other.found.found,
                faces: self.found.faces + other.found.faces,
            },
        }
    }

    /// The figures.
    #[must_use]
    pub fn figures(&self) -> Figures {
        let percent = |share: f64| 100.0 * share;
        let on_faces = self.found.found as f64;
        Figures {
            hota: percent(self.hota.hota()),
            deta: percent(self.hota.detection_accuracy()),
            assa: percent(self.hota.association_accuracy()),
            loca: percent(self.hota.localisation_accuracy()),
            mota: percent(self.clear.mota()),
            idf1: percent(self.identity.f1()),
            recall: percent(self.found.recall()),
            precision: percent(on_faces / (on_faces + self.extras as f64).max(1.0)),
            id_switches: self.clear.id_switches,
            fragments: self.clear.fragments,
            misses: self.clear.misses,
            false_positives: self.clear.false_positives,
            mostly_tracked: self.clear.mostly_tracked,
            mostly_lost: self.clear.mostly_lost,
            frames: self.frames,
            truth_faces: self.identity.truth,
            truth_tracks: self.truth_tracks,
            found_tracks: self.found_tracks,
            excused_boxes: self.excused,
        }
    }
}

/// The figures of a table; shares in percent.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figures {
    /// HOTA.
    pub hota: f64,
    /// Detection accuracy.
    pub deta: f64,
    /// Association accuracy.
    pub assa: f64,
    /// Localisation accuracy.
    pub loca: f64,
    /// MOTA.
    pub mota: f64,
    /// IDF1.
    pub idf1: f64,
    /// Faces that have a box with a track, of those that were asked for.
    pub recall: f64,
    /// Boxes on faces, of all that are judged.
    pub precision: f64,
    /// True tracks that went on under another id.
    pub id_switches: u64,
    /// True tracks that were found again.
    pub fragments: u64,
    /// Faces that were not found.
    pub misses: u64,
    /// Boxes that are none.
    pub false_positives: u64,
    /// True tracks found in more than 80 % of their frames.
    pub mostly_tracked: u64,
    /// True tracks found in less than 20 % of their frames.
    pub mostly_lost: u64,
    /// Frames that were judged.
    pub frames: u64,
    /// Faces that were asked for.
    pub truth_faces: u64,
    /// True tracks that were asked for.
    pub truth_tracks: u64,
    /// Found tracks with boxes that are judged.
    pub found_tracks: u64,
    /// Boxes on faces that nobody asked for.
    pub excused_boxes: u64,
}

/// Everything about one sequence.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SequenceReport {
    /// Its name.
    pub name: String,
    /// The figures.
    #[serde(flatten)]
    pub figures: Figures,
    /// How tracks mix.
    pub mixing: Mixing,
    /// Recall by size.
    pub recall_by_size: Vec<crate::people::SizeClass>,
    /// Recall by true shot; empty where shots are unknown.
    pub recall_by_shot: Vec<crate::people::ShotRecall>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::{ByFrame, TrueFace};
    use crate::judged::{Demands, compare};
    use crate::sequence::testing::boxes;

    #[test]
    fn figures_of_two_sequences_come_from_their_counts_and_not_from_their_shares() {
        let all = Demands { min_px: 0.0, min_visibility: 0.0 };
        let faces: Vec<TrueFace> = boxes(&[(1, 0.0), (2, 50.0), (3, 90.0)])
            .iter()
            .map(|b| TrueFace { seen: *b, visibility: 1.0 })
            .collect();
        let truth = ByFrame::from([(0, faces)]);
        let good =
            compare(&truth, &ByFrame::from([(0, boxes(&[(7, 0.0), (8, 50.0), (9, 90.0)]))]), (&[0], &all));
        let poor = compare(&truth, &ByFrame::from([(0, boxes(&[(7, 0.0)]))]), (&[0], &all));
        let sum = Tally::of(&good).plus(&Tally::of(&poor)).figures();
        assert!((sum.recall - 100.0 * 4.0 / 6.0).abs() < 1e-9);
        assert!((sum.idf1 - 80.0).abs() < 1e-9);
        assert_eq!((sum.truth_tracks, sum.found_tracks, sum.misses), (6, 4, 2));
    }
}
