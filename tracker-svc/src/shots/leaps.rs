//! Changes that took a few frames: no single step was large, or others just before hid it, as with a dissolve of three
//! frames or a cut at the end of a flash.
//!
//! They show on the sampled pictures: one scene at rest, then another at rest, and the first does not come back. In a
//! pan or in action the pictures are not at rest, so they make no leap.

use facereel_domain::shot::{ShotStart, change};

use super::Boundary;
use super::evidence::{Film, View};
use super::likeness::{is_same_content, structure};

/// Samples further apart than this differ by ordinary motion.
const NEIGHBOURS_SEC: f64 = 0.5;
/// At least this much of the picture changes.
const OTHER_CONTENT: f32 = 0.5;
/// The two pictures correlate by less than this.
const OTHER_STRUCTURE: f64 = 0.5;

/// Adds the leaps to `boundaries`, which are in order.
pub(super) fn add(film: &Film<'_>, boundaries: &mut Vec<Boundary>) {
    let ends = boundaries[1..].iter().map(|next| next.at).chain([film.len()]);
    let found: Vec<Boundary> =
        boundaries.iter().zip(ends).flat_map(|(shot, end)| within(film, shot.at, end)).collect();
    boundaries.extend(found);
    boundaries.sort_by_key(|boundary| boundary.at);
}

fn within(film: &Film<'_>, first: usize, end: usize) -> Vec<Boundary> {
    let samples = film.spaced_samples(first, end);
    let leaps = samples.windows(4).filter(|run| is_leap(film, run));
    leaps.map(|run| Boundary { at: run[2].at, start: ShotStart::Dissolve }).collect()
}

/// Whether of four samples the first two show one scene and the last two another.
fn is_leap(film: &Film<'_>, run: &[View<'_>]) -> bool {
    let [earlier, before, after, later] = run else { return false };
    let same = |a: &View<'_>, b: &View<'_>| is_same_content(a.thumbnail, b.thumbnail);
    film.seconds_between(before.at, after.at) <= NEIGHBOURS_SEC
        && same(earlier, before)
        && same(after, later)
        && !same(earlier, later)
        && change(before.thumbnail, after.thumbnail) >= OTHER_CONTENT
        && structure(before.thumbnail, after.thumbnail) < OTHER_STRUCTURE
}
