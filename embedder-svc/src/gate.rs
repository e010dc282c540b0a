//! The appearance gate: does a tracklet still show the person it began with?
//!
//! It walks the embedded faces of one tracklet in time and compares each with a prototype that follows slowly. The
//! tracklet is split where
//!
//! - one face is less similar than the *hard* threshold,
//! - a face is less similar than the *soft* threshold right after the box jumped or the face parted from another, or
//! - *streak* faces in a row are, and they resemble each other more than the prototype (a head that turns away gives a
//!   row of dissimilar faces too, but these differ among themselves).
//!
//! Only faces with a vector count: a rejected face neither feeds nor breaks a streak. Thresholds belong to the embedder
//! and are recorded with it; they were found on tracks with ground truth. A split too many does little harm: export joins
//! the pieces of one person again.

use facereel_domain::embedding::Embedding;
use facereel_domain::ids::FaceId;
use facereel_messages::objects::{GateSplit, SplitReason};

/// The gate's rules, ready to use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GateRules {
    /// One similarity below this splits.
    pub hard: f32,
    /// Similarities below this count.
    pub soft: f32,
    /// So many in a row split.
    pub streak: usize,
    /// Share of the prototype that stays when a vector is added.
    pub momentum: f32,
}

/// A face with its vector, as the gate sees it.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    /// The face.
    pub face: FaceId,
    /// Its vector.
    pub embedding: &'a Embedding,
    /// The box jumped on the way from the face before, or the face parted from another.
    pub jumped: bool,
}

/// What the gate found in one tracklet.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GateFindings {
    /// Where the person changes, in order of time.
    pub splits: Vec<GateSplit>,
    /// Similarity of each look to the prototype at that time; 1 where it founded one.
    pub similarities: Vec<f32>,
}

/// Walks the `looks` of tracklet number `tracklet`, which are in order of time.
#[must_use]
pub fn walk(tracklet: u32, looks: &[Look<'_>], rules: &GateRules) -> GateFindings {
    let mut findings = GateFindings::default();
    let Some(first) = looks.first() else { return findings };
    let mut prototype = first.embedding.clone();
    let mut last_good = first.face;
    let mut streak: Vec<&Look<'_>> = Vec::new();
    findings.similarities.push(1.0);
    for look in &looks[1..] {
        let similarity = prototype.similarity(look.embedding);
        findings.similarities.push(similarity);
        if similarity >= rules.soft {
            streak.clear();
            last_good = look.face;
            prototype = followed(&prototype, look.embedding, rules.momentum);
            continue;
        }
        streak.push(look);
        let Some(reason) = split_reason(&streak, similarity, rules) else { continue };
        let begins = if reason == SplitReason::Streak { streak[0] } else { look };
        findings.splits.push(GateSplit {
            tracklet,
            after: last_good,
            first: begins.face,
            reason,
            similarity,
        });
        prototype = look.embedding.clone();
        last_good = look.face;
        streak.clear();
    }
    findings
}

/// Whether the latest look of `streak` (all below the soft threshold) splits the tracklet.
fn split_reason(streak: &[&Look<'_>], similarity: f32, rules: &GateRules) -> Option<SplitReason> {
    let latest = streak.last()?;
    if similarity < rules.hard {
        return Some(SplitReason::Hard);
    }
    if latest.jumped && streak.len() == 1 {
        return Some(SplitReason::Jump);
    }
    let is_somebody =
        streak.windows(2).all(|pair| pair[0].embedding.similarity(pair[1].embedding) >= rules.soft);
    (streak.len() >= rules.streak && is_somebody).then_some(SplitReason::Streak)
}

/// The prototype after it took in `seen`.
fn followed(prototype: &Embedding, seen: &Embedding, momentum: f32) -> Embedding {
    let mixed = prototype.as_slice().iter().zip(seen.as_slice());
    let raw = mixed.map(|(p, s)| momentum * p + (1.0 - momentum) * s).collect();
    // Opposite vectors could cancel out; the old prototype is as good then.
    Embedding::normalized(raw).unwrap_or_else(|_| prototype.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staged::{RULES, at};

    fn splits(angles: &[f32], jumps: &[usize]) -> Vec<(u64, SplitReason)> {
        let vectors: Vec<_> = angles.iter().map(|a| at(*a)).collect();
        let looks: Vec<_> = vectors
            .iter()
            .enumerate()
            .map(|(i, embedding)| Look {
                face: FaceId { frame_idx: i as u64, ordinal: 0 },
                embedding,
                jumped: jumps.contains(&i),
            })
            .collect();
        walk(7, &looks, &RULES).splits.into_iter().map(|s| (s.first.frame_idx, s.reason)).collect()
    }

    #[test]
    fn one_person_is_never_split() {
        assert_eq!(splits(&[0.0, 20.0, -30.0, 10.0, 40.0], &[2, 4]), []);
    }

    #[test]
    fn a_face_below_the_hard_threshold_splits_at_once() {
        assert_eq!(splits(&[0.0, 5.0, 88.0, 90.0], &[]), [(2, SplitReason::Hard)]);
    }

    #[test]
    fn a_streak_below_the_soft_threshold_splits_where_it_began() {
        assert_eq!(splits(&[0.0, 75.0, 76.0, 77.0, 78.0], &[]), [(1, SplitReason::Streak)]);
    }

    #[test]
    fn a_streak_that_is_too_short_or_broken_does_not_split() {
        assert_eq!(splits(&[0.0, 75.0, 76.0, 0.0, 75.0, 76.0], &[]), []);
    }

    #[test]
    fn faces_that_differ_among_themselves_are_a_head_turning_away() {
        assert_eq!(splits(&[0.0, 75.0, -75.0, 75.0, -75.0], &[]), []);
    }

    #[test]
    fn after_a_jump_one_face_below_the_soft_threshold_is_enough() {
        assert_eq!(splits(&[0.0, 5.0, 75.0, 76.0], &[2]), [(2, SplitReason::Jump)]);
    }

    #[test]
    fn a_tracklet_without_vectors_has_no_splits() {
        assert_eq!(splits(&[], &[]), []);
    }
}
