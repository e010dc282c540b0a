//! What users notice: people who are missed, split into many tracks, or given the face of another.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::judged::{Comparison, Outcome};

/// Sizes at which recall is reported, pixels of the shorter side: each class begins at one and ends at the next.
const SIZES: [u32; 6] = [0, 32, 48, 80, 160, 320];

/// How many of some faces were found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Faces in a track.
    pub found: u64,
    /// All faces that were asked for.
    pub faces: u64,
}

impl Found {
    /// Share that was found; nothing to find is found.
    #[must_use]
    pub fn recall(&self) -> f64 {
        if self.faces == 0 { 1.0 } else { self.found as f64 / self.faces as f64 }
    }

    fn add(&mut self, outcome: &Outcome) {
        self.faces += 1;
        self.found += u64::from(outcome.found.is_some());
    }
}

/// Recall of faces of a size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct SizeClass {
    /// Shorter side from so many pixels.
    pub from_px: u32,
    /// To below so many; null = no limit.
    pub below_px: Option<u32>,
    /// How many were found.
    #[serde(flatten)]
    pub found: Found,
}

/// Recall in a shot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ShotRecall {
    /// Place among the true shots, from 0.
    pub shot: usize,
    /// Its first frame, from 0.
    pub first_frame: u64,
    /// How many were found.
    #[serde(flatten)]
    pub found: Found,
}

/// How found tracks and true ones mix.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Mixing {
    /// Found tracks on any face.
    pub tracks: u64,
    /// Found tracks on more than one true track.
    pub mixed_tracks: u64,
    /// Faces whose track is mostly on another true track.
    pub strayed_faces: u64,
    /// Faces whose track is mostly on another person (0 where identities are unknown).
    pub wrong_person_faces: u64,
    /// True tracks in more than one found track.
    pub split_truth_tracks: u64,
    /// Found tracks with faces in more than one true shot (0 where shots are unknown).
    pub cut_crossing_tracks: u64,
}

/// Recall by size; classes without faces are left out.
#[must_use]
pub fn recall_by_size(outcomes: &[Outcome]) -> Vec<SizeClass> {
    let mut classes = SIZES.map(|from_px| SizeClass {
        from_px,
        below_px: SIZES.into_iter().find(|size| *size > from_px),
        found: Found::default(),
    });
    for outcome in outcomes {
        let side = outcome.bbox.short_side();
        let class = classes.iter_mut().rev().find(|class| side >= class.from_px as f32);
        if let Some(class) = class {
            class.found.add(outcome);
        }
    }
    classes.into_iter().filter(|class| class.found.faces > 0).collect()
}

/// Recall by true shot, from the shots' first frames; shots without faces are left out.
#[must_use]
pub fn recall_by_shot(outcomes: &[Outcome], starts: &[u64]) -> Vec<ShotRecall> {
    let mut shots: BTreeMap<usize, Found> = BTreeMap::new();
    for outcome in outcomes {
        shots.entry(shot_of(starts, outcome.frame)).or_default().add(outcome);
    }
    let first = |shot: usize| starts.get(shot).copied().unwrap_or(0);
    shots.into_iter().map(|(shot, found)| ShotRecall { shot, first_frame: first(shot), found }).collect()
}

fn shot_of(starts: &[u64], frame: u64) -> usize {
    starts.partition_point(|start| *start <= frame).saturating_sub(1)
}

/// How tracks mix, with the names of the people and the shots' first frames where they are known.
#[must_use]
pub fn mixing(comparison: &Comparison, people: &BTreeMap<u32, String>, starts: &[u64]) -> Mixing {
    let pairs = comparison.outcomes.iter().filter_map(|o| Some((o.found?, o)));
    let mut truths_of: BTreeMap<u32, BTreeMap<u32, u64>> = BTreeMap::new();
    let mut founds_of: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
    let mut shots_of: BTreeMap<u32, BTreeSet<usize>> = BTreeMap::new();
    for (found, outcome) in pairs {
        *truths_of.entry(found).or_default().entry(outcome.truth).or_default() += 1;
        founds_of.entry(outcome.truth).or_default().insert(found);
        shots_of.entry(found).or_default().insert(shot_of(starts, outcome.frame));
    }
    let more_than_one = |count: usize| u64::from(count > 1);
    Mixing {
        tracks: truths_of.len() as u64,
        mixed_tracks: truths_of.values().map(|truths| more_than_one(truths.len())).sum(),
        strayed_faces: truths_of.values().map(|truths| outnumbered(truths.values())).sum(),
        wrong_person_faces: truths_of.values().map(|truths| wrong_person(truths, people)).sum(),
        split_truth_tracks: founds_of.values().map(|founds| more_than_one(founds.len())).sum(),
        cut_crossing_tracks: shots_of.values().map(|shots| more_than_one(shots.len())).sum(),
    }
}

/// All but the greatest count.
fn outnumbered<'a>(counts: impl Iterator<Item = &'a u64> + Clone) -> u64 {
    counts.clone().sum::<u64>() - counts.max().copied().unwrap_or(0)
}

fn wrong_person(truths: &BTreeMap<u32, u64>, people: &BTreeMap<u32, String>) -> u64 {
    let mut faces: BTreeMap<&str, u64> = BTreeMap::new();
    for (track, count) in truths {
        if let Some(person) = people.get(track) {
            *faces.entry(person).or_default() += count;
        }
    }
    outnumbered(faces.values())
}

#[cfg(test)]
mod tests {
    use super::*;
    use facereel_domain::geometry::BBox;

    fn outcome(frame: u64, truth: u32, found: Option<u32>) -> Outcome {
        Outcome { frame, truth, bbox: BBox::from_xyxy([0.0, 0.0, 40.0, 50.0]).unwrap(), found }
    }

    #[test]
    fn recall_is_told_by_size_and_by_shot() {
        let large = BBox::from_xyxy([0.0, 0.0, 400.0, 500.0]).unwrap();
        let outcomes =
            [outcome(0, 1, Some(7)), outcome(6, 1, None), Outcome { bbox: large, ..outcome(12, 2, Some(8)) }];
        let sizes = recall_by_size(&outcomes);
        assert_eq!((sizes[0].from_px, sizes[0].below_px), (32, Some(48)));
        assert_eq!((sizes[0].found, sizes[1].below_px), (Found { found: 1, faces: 2 }, None));
        let shots = recall_by_shot(&outcomes, &[0, 10]);
        assert_eq!((shots[1].shot, shots[1].first_frame, shots[1].found.recall()), (1, 10, 1.0));
    }

    #[test]
    fn a_track_over_two_people_is_mixed_and_the_fewer_faces_are_wrong() {
        let outcomes = vec![
            outcome(0, 1, Some(7)),
            outcome(6, 1, Some(7)),
            outcome(12, 2, Some(7)),
            outcome(18, 2, Some(9)),
        ];
        let comparison = Comparison { outcomes, ..Comparison::default() };
        let name = |track, name: &str| (track, name.to_owned());
        let two = mixing(&comparison, &BTreeMap::from([name(1, "ada"), name(2, "grace")]), &[0, 12]);
        let expected = Mixing {
            tracks: 2,
            mixed_tracks: 1,
            strayed_faces: 1,
            wrong_person_faces: 1,
            split_truth_tracks: 1,
            cut_crossing_tracks: 1,
        };
        assert_eq!(two, expected);
        let one = mixing(&comparison, &BTreeMap::from([name(1, "ada"), name(2, "ada")]), &[0]);
        assert_eq!((one.wrong_person_faces, one.strayed_faces, one.cut_crossing_tracks), (0, 1, 0));
    }
}
