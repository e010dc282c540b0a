//! Which pieces of tracklets show one person: fragments of a shot put together again by appearance.
//!
//! The tracker joins by place alone, and the appearance gate splits where it doubts. So a face that was hidden for long,
//! left and came back, or changed places with another is in pieces; its vectors know better than place does.
//!
//! Promises:
//!
//! 1. Pieces that are joined lie in one shot, follow each other in time without a common frame, and are at most
//!    `track.relink_gap_sec` apart.
//! 2. A piece has at most one piece before and one after it. The most similar pairs are joined first, so who looks like two
//!    goes with the one who is more alike.
//! 3. The result depends on the pieces alone, not on the order they were found in.

use std::cmp::Ordering;

use facereel_domain::embedding::Embedding;
use facereel_domain::geometry::BBox;
use facereel_domain::ids::{FaceId, ShotIndex};

/// How far a face gets, in its own sizes: at once,
const REACH: f64 = 1.5;
/// and for each second out of sight.
const REACH_PER_SEC: f64 = 6.0;
/// A face that comes back is at most so many times as large as when it left, or as small.
const MAX_SIZE_RATIO: f32 = 3.0;

/// When two pieces are joined.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RejoinRules {
    /// Least similarity of their prototypes.
    pub(crate) similarity: f32,
    /// Most seconds between them.
    pub(crate) max_gap_sec: f64,
}

/// One end of a piece.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct End {
    /// The face there.
    pub(crate) face: FaceId,
    /// Seconds.
    pub(crate) ts: f64,
    /// Its box.
    pub(crate) bbox: BBox,
}

/// A piece as joining sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fragment<'a> {
    pub(crate) shot: ShotIndex,
    pub(crate) first: End,
    pub(crate) last: End,
    pub(crate) prototype: Option<&'a Embedding>,
}

/// Chains of places in `fragments`: each chain is one person's pieces in order of time; every fragment is in one chain,
/// most are alone. `fragments` are in order of first appearance, and so are the chains.
pub(crate) fn chains(fragments: &[Fragment<'_>], rules: &RejoinRules) -> Vec<Vec<usize>> {
    let mut next: Vec<Option<usize>> = vec![None; fragments.len()];
    let mut has_before = vec![false; fragments.len()];
    for Link { before, after, .. } in links(fragments, rules) {
        if next[before].is_none() && !has_before[after] {
            next[before] = Some(after);
            has_before[after] = true;
        }
    }
    let heads = (0..fragments.len()).filter(|place| !has_before[*place]);
    heads.map(|head| std::iter::successors(Some(head), |place| next[*place]).collect()).collect()
}

/// Two fragments that may be one.
struct Link {
    before: usize,
    after: usize,
    similarity: f32,
    gap_sec: f64,
}

/// All possible links, the best first; of equally similar ones the one over the shorter gap.
fn links(fragments: &[Fragment<'_>], rules: &RejoinRules) -> Vec<Link> {
    let mut links = Vec::new();
    for (before, a) in fragments.iter().enumerate() {
        // In order of first appearance, so nothing beyond can be near enough in time.
        let near = fragments[before + 1..]
            .iter()
            .zip(before + 1..)
            .take_while(|(b, _)| b.shot == a.shot && b.first.ts - a.last.ts <= rules.max_gap_sec);
        for (b, after) in near {
            let Some((mine, theirs)) = a.prototype.zip(b.prototype) else { continue };
            let similarity = mine.similarity(theirs);
            if similarity >= rules.similarity && is_possible(&a.last, &b.first) {
                links.push(Link { before, after, similarity, gap_sec: b.first.ts - a.last.ts });
            }
        }
    }
    links.sort_by(|x, y| {
        let by_likeness = y.similarity.total_cmp(&x.similarity);
        by_likeness.then(x.gap_sec.total_cmp(&y.gap_sec)).then((x.before, x.after).cmp(&(y.before, y.after)))
    });
    links
}

/// Whether a face last seen at `from` can be the one first seen at `to`.
fn is_possible(from: &End, to: &End) -> bool {
    if from.face.frame_idx.cmp(&to.face.frame_idx) != Ordering::Less {
        return false;
    }
    let (size, other) = (from.bbox.area().sqrt(), to.bbox.area().sqrt());
    let (here, there) = (from.bbox.center(), to.bbox.center());
    let distance = f64::from((there.x - here.x).hypot(there.y - here.y) / f32::midpoint(size, other));
    size.max(other) <= size.min(other) * MAX_SIZE_RATIO
        && distance <= REACH + REACH_PER_SEC * (to.ts - from.ts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULES: RejoinRules = RejoinRules { similarity: 0.5, max_gap_sec: 5.0 };

    /// A vector at an angle in degrees: the similarity of two is the cosine of their difference.
    fn at(angle: f32) -> Embedding {
        let (y, x) = angle.to_radians().sin_cos();
        Embedding::normalized(vec![x, y]).unwrap()
    }

    fn end(frame_idx: u64, x: f32) -> End {
        End {
            face: FaceId { frame_idx, ordinal: 0 },
            ts: frame_idx as f64 / 24.0,
            bbox: BBox::from_xyxy([x, 0.0, x + 100.0, 100.0]).unwrap(),
        }
    }

    /// Seen from one frame to another at one place.
    fn seen(frames: (u64, u64), x: f32, prototype: &Embedding) -> Fragment<'_> {
        let (first, last) = (end(frames.0, x), end(frames.1, x));
        Fragment { shot: ShotIndex(0), first, last, prototype: Some(prototype) }
    }

    #[test]
    fn a_person_who_comes_back_goes_on_with_the_same_track() {
        let (her, him) = (at(0.0), at(90.0));
        let fragments = [seen((0, 48), 0.0, &her), seen((6, 90), 500.0, &him), seen((120, 180), 300.0, &her)];
        assert_eq!(chains(&fragments, &RULES), [vec![0, 2], vec![1]]);
    }

    #[test]
    fn people_who_changed_places_get_their_own_ends_back() {
        let (her, him) = (at(0.0), at(85.0));
        let fragments = [
            seen((0, 48), 0.0, &her),
            seen((0, 48), 150.0, &him),
            seen((54, 96), 0.0, &him),
            seen((54, 96), 150.0, &her),
        ];
        assert_eq!(chains(&fragments, &RULES), [vec![0, 3], vec![1, 2]]);
    }

    #[test]
    fn who_looks_like_two_goes_with_the_one_who_is_more_alike() {
        let (her, sister, again) = (at(0.0), at(30.0), at(25.0));
        let fragments =
            [seen((0, 48), 0.0, &her), seen((0, 40), 150.0, &sister), seen((60, 96), 0.0, &again)];
        assert_eq!(chains(&fragments, &RULES), [vec![0], vec![1, 2]]);
    }

    #[test]
    fn pieces_that_share_a_frame_or_lie_too_far_apart_stay_alone() {
        let her = at(0.0);
        let alone = |a: Fragment<'_>, b: Fragment<'_>| chains(&[a, b], &RULES).len() == 2;
        assert!(alone(seen((0, 48), 0.0, &her), seen((48, 96), 0.0, &her)), "in one frame twice");
        assert!(alone(seen((0, 48), 0.0, &her), seen((180, 240), 0.0, &her)), "too long");
        assert!(alone(seen((0, 48), 0.0, &her), seen((54, 96), 900.0, &her)), "too far for a quarter second");
        let elsewhere = Fragment { shot: ShotIndex(1), ..seen((54, 96), 0.0, &her) };
        assert!(alone(seen((0, 48), 0.0, &her), elsewhere), "another shot");
        let unknown = Fragment { prototype: None, ..seen((54, 96), 0.0, &her) };
        assert!(alone(seen((0, 48), 0.0, &her), unknown), "no vector");
        assert!(!alone(seen((0, 48), 0.0, &her), seen((54, 96), 0.0, &her)));
    }

    proptest! {
        #[test]
        fn every_piece_is_in_one_chain_and_chains_run_forward(
            spans in proptest::collection::vec((0_u64..200, 0_u64..60, 0_u8..8, 0_u8..3, 0_u32..2), 0..20),
        ) {
            let people = [at(0.0), at(40.0), at(90.0)];
            let mut fragments: Vec<Fragment<'_>> = spans
                .iter()
                .map(|&(first, length, x, person, shot)| {
                    let first = first + 300 * u64::from(shot);
                    let seen = seen((first, first + length), f32::from(x) * 60.0, &people[usize::from(person)]);
                    Fragment { shot: ShotIndex(shot), ..seen }
                })
                .collect();
            fragments.sort_by_key(|f| (f.first.face, f.last.face));
            let chains = chains(&fragments, &RULES);
            let mut places: Vec<usize> = chains.iter().flatten().copied().collect();
            places.sort_unstable();
            prop_assert_eq!(places, (0..fragments.len()).collect::<Vec<_>>());
            for pair in chains.iter().flat_map(|chain| chain.windows(2)) {
                let (a, b) = (&fragments[pair[0]], &fragments[pair[1]]);
                prop_assert!(a.last.face.frame_idx < b.first.face.frame_idx);
                prop_assert_eq!(a.shot, b.shot);
                prop_assert!(b.first.ts - a.last.ts <= RULES.max_gap_sec);
            }
        }
    }
}
