//! Pairs of tracks that give mistakes away: one person in two places, and one person cut in two.

use facereel_domain::embedding::Embedding;
use facereel_domain::geometry::BBox;
use facereel_domain::ids::ShotIndex;

use crate::assemble::{Assembled, FinalTrack};

/// Vectors of two tracks from this similarity on are of one person; different people stay well below with every
/// embedder of the catalog.
const SAME_PERSON: f32 = 0.6;
/// Vectors of two tracks below this similarity are of different people.
const OTHER_PERSON: f32 = 0.3;
/// How far apart, in widths of the larger face, one track may end and another begin to be taken for one face.
const NEAR: f32 = 2.0;
/// How much larger one of two faces may be to be taken for one.
const LIKE_SIZE: f32 = 2.0;

/// A track from its first to its last face.
#[derive(Debug, Clone)]
pub(super) struct Span<'a> {
    shot: ShotIndex,
    /// Seconds of the first and of the last face.
    seconds: [f64; 2],
    /// The first box and the last.
    boxes: [BBox; 2],
    vector: Option<&'a Embedding>,
    /// The gate cut it off a longer track on purpose.
    is_cut_off: bool,
}

/// The spans of all tracks that have faces, in order of their beginning.
pub(super) fn spans(assembled: &Assembled) -> Vec<Span<'_>> {
    assembled.finals.iter().filter_map(|track| span(assembled, track)).collect()
}

fn span<'a>(assembled: &'a Assembled, track: &'a FinalTrack) -> Option<Span<'a>> {
    let end = |id: Option<&facereel_domain::ids::FaceId>| {
        let (frame, face) = assembled.face(*id?)?;
        Some((assembled.tracks.video.timeline.seconds(frame.pts), face.detection.bbox))
    };
    let (first, last) = (end(track.observations.first())?, end(track.observations.last())?);
    Some(Span {
        shot: track.shot,
        seconds: [first.0, last.0],
        boxes: [first.1, last.1],
        vector: track.prototype.as_ref().map(|prototype| &prototype.embedding),
        is_cut_off: track.split_from.is_some(),
    })
}

/// Pairs of tracks that are there at the same time and look like one person.
pub(super) fn id_clashes(spans: &[Span<'_>]) -> usize {
    pairs_of_a_shot(spans)
        .filter(|(a, b)| overlap_in_time(a, b) && similarity(a, b) >= Some(SAME_PERSON))
        .count()
}

/// Tracks that begin where another one of the shot has just ended: within `max_gap_sec`, near it, of like size, and
/// without vectors that tell two people.
pub(super) fn fragments(spans: &[Span<'_>], max_gap_sec: f64) -> usize {
    let goes_on = |later: &Span<'_>, earlier: &Span<'_>| {
        let gap_sec = later.seconds[0] - earlier.seconds[1];
        later.shot == earlier.shot
            && gap_sec > 0.0
            && gap_sec <= max_gap_sec
            && are_alike(&earlier.boxes[1], &later.boxes[0])
            && similarity(earlier, later).is_none_or(|similarity| similarity >= OTHER_PERSON)
    };
    let is_fragment =
        |later: &&Span<'_>| !later.is_cut_off && spans.iter().any(|earlier| goes_on(later, earlier));
    spans.iter().filter(is_fragment).count()
}

/// Every two tracks of a shot, once. Tracks come in order of first appearance, so those of a shot stand together.
fn pairs_of_a_shot<'s, 'a>(spans: &'s [Span<'a>]) -> impl Iterator<Item = (&'s Span<'a>, &'s Span<'a>)> {
    spans.iter().enumerate().flat_map(move |(place, a)| {
        spans[place + 1..].iter().take_while(move |b| b.shot == a.shot).map(move |b| (a, b))
    })
}

fn overlap_in_time(a: &Span<'_>, b: &Span<'_>) -> bool {
    a.seconds[0] <= b.seconds[1] && b.seconds[0] <= a.seconds[1]
}

fn similarity(a: &Span<'_>, b: &Span<'_>) -> Option<f32> {
    Some(a.vector?.similarity(b.vector?))
}

fn are_alike(a: &BBox, b: &BBox) -> bool {
    let (from, to) = (a.center(), b.center());
    let (small, large) = (a.width().min(b.width()), a.width().max(b.width()));
    (from.x - to.x).hypot(from.y - to.y) <= NEAR * large && large <= LIKE_SIZE * small
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: f32, seconds: [f64; 2]) -> Span<'static> {
        let bbox = BBox::from_xyxy([x, 0.0, x + 50.0, 60.0]).unwrap();
        Span { shot: ShotIndex(0), seconds, boxes: [bbox; 2], vector: None, is_cut_off: false }
    }

    fn vector(direction: [f32; 2]) -> Embedding {
        Embedding::try_from(direction.to_vec()).unwrap()
    }

    #[test]
    fn one_person_in_two_places_at_a_time_is_a_clash() {
        let (ada, grace) = (vector([1.0, 0.0]), vector([0.0, 1.0]));
        let seen = |x, seconds, vector| Span { vector: Some(vector), ..at(x, seconds) };
        assert_eq!(id_clashes(&[seen(0.0, [0.0, 4.0], &ada), seen(400.0, [2.0, 6.0], &ada)]), 1);
        assert_eq!(id_clashes(&[seen(0.0, [0.0, 4.0], &ada), seen(400.0, [2.0, 6.0], &grace)]), 0);
        assert_eq!(id_clashes(&[seen(0.0, [0.0, 2.0], &ada), seen(400.0, [3.0, 6.0], &ada)]), 0);
        assert_eq!(id_clashes(&[at(0.0, [0.0, 4.0]), at(400.0, [2.0, 6.0])]), 0, "nobody knows");
    }

    #[test]
    fn a_track_that_begins_where_one_has_just_ended_is_a_fragment() {
        let first = at(100.0, [0.0, 4.0]);
        let count = |later: Span<'static>| fragments(&[first.clone(), later], 2.0);
        assert_eq!(count(at(150.0, [5.0, 8.0])), 1);
        assert_eq!(count(at(150.0, [6.5, 8.0])), 0, "too late");
        assert_eq!(count(at(400.0, [5.0, 8.0])), 0, "too far");
        assert_eq!(count(Span { shot: ShotIndex(1), ..at(150.0, [5.0, 8.0]) }), 0, "another shot");
        assert_eq!(count(Span { is_cut_off: true, ..at(150.0, [5.0, 8.0]) }), 0, "cut off on purpose");
    }
}
