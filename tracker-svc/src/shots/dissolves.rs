//! Dissolves, looked for on the sampled pictures of each shot.
//!
//! While one picture dissolves into another, every picture between is a mix of the two, and the share of the second
//! only grows. Nothing else looks like that: what moves is somewhere else in between, not half here and half there; a
//! change of light keeps the structure; a fade ends in a plain picture.

use std::cmp::Ordering;

use facereel_domain::shot::{ShotStart, Thumbnail, change};

use super::Boundary;
use super::evidence::{Film, View};
use super::likeness::{Structure, block_means};

/// The longest dissolve, from the last picture of one shot to the first of the next.
const LONGEST_SEC: f64 = 3.0;
/// The two pictures correlate by less than this.
const OTHER_STRUCTURE: f64 = 0.6;
/// At least this much of the picture changes.
const OTHER_CONTENT: f32 = 0.4;
/// A picture whose spread is less than this share of the other's is about to fade.
const FADED_SHARE: f32 = 0.25;
/// How far a picture may be off the mix, as a share of the squared difference of the two.
const OFF_THE_MIX: f64 = 0.06;
/// How far the share of the second picture may fall back, by movement within the pictures.
const SHARE_SLACK: f64 = 0.08;
/// What is mixed steadily gains at least this share of the second picture in a second. A shot of its own, whose picture
/// happens to lie between its neighbours', gains nothing.
const SLOWEST_GAIN_A_SEC: f64 = 0.1;
/// At least one picture holds between this share of the second picture and one less it.
const CLEARLY_MIXED: f64 = 0.2;

/// Adds the dissolves to `boundaries`, which are in order. Where decoding left gaps, a dissolve has steps like cuts:
/// the greatest of them stays, as it is nearer to the truth than a sampled frame, the others go.
pub(super) fn add(film: &Film<'_>, boundaries: &mut Vec<Boundary>) {
    for mix in mixes_of(film) {
        let is_within = |boundary: &Boundary| mix.from < boundary.at && boundary.at <= mix.to;
        let inside = || boundaries.iter().filter(|boundary| is_within(boundary));
        if inside().any(|boundary| boundary.start == ShotStart::Fade) {
            continue;
        }
        let by_change = |a: &&Boundary, b: &&Boundary| {
            film.steps[a.at].change.total_cmp(&film.steps[b.at].change).then(b.at.cmp(&a.at))
        };
        let kept = inside().max_by(by_change).copied();
        let begins = kept.unwrap_or(Boundary { at: mix.middle, start: ShotStart::Dissolve });
        boundaries.retain(|boundary| !is_within(boundary));
        boundaries.push(begins);
        boundaries.sort_by_key(|boundary| boundary.at);
    }
}

/// The dissolves of a film, none over another.
fn mixes_of(film: &Film<'_>) -> Vec<Mix> {
    let pictures: Vec<Picture<'_>> = film.spaced_samples(0, film.len()).iter().map(picture_of).collect();
    let mut mixes: Vec<Mix> =
        (0..pictures.len()).flat_map(|from| mixes_from(film, &pictures, from)).collect();
    // The most complete first: the more of a dissolve lies between two pictures, the less they have in common.
    mixes.sort_by(|a, b| a.likeness.total_cmp(&b.likeness).then(a.from.cmp(&b.from)));
    let mut chosen: Vec<Mix> = Vec::new();
    for mix in mixes {
        if chosen.iter().all(|other| mix.to <= other.from || other.to <= mix.from) {
            chosen.push(mix);
        }
    }
    chosen
}

/// One picture turning into another.
struct Mix {
    /// Frame of the one.
    from: usize,
    /// Frame of the other.
    to: usize,
    /// The first frame that is half the other or more.
    middle: usize,
    /// Correlation of the two.
    likeness: f64,
}

fn mixes_from(film: &Film<'_>, pictures: &[Picture<'_>], from: usize) -> Vec<Mix> {
    let is_near = |to: &usize| film.seconds_between(pictures[from].at, pictures[*to].at) <= LONGEST_SEC;
    (from + 2..pictures.len())
        .take_while(is_near)
        .filter_map(|to| mix_of(film, &pictures[from..=to]))
        .collect()
}

/// The mix that a run of pictures is, if it is one.
fn mix_of(film: &Film<'_>, run: &[Picture<'_>]) -> Option<Mix> {
    let [one, between @ .., other] = run else { return None };
    let likeness = one.structure.likeness(&other.structure);
    if likeness >= OTHER_STRUCTURE {
        return None;
    }
    let mut share_before = 0.0_f64;
    let mut mixed: Vec<(usize, f64)> = Vec::new();
    let mut middle = other.at;
    for picture in between {
        let share = share_of_other(one, other, picture)?;
        if share < share_before - SHARE_SLACK {
            return None;
        }
        share_before = share_before.max(share);
        if (CLEARLY_MIXED..=1.0 - CLEARLY_MIXED).contains(&share) {
            mixed.push((picture.at, share));
        }
        if share >= 0.5 {
            middle = middle.min(picture.at);
        }
    }
    let is_dissolve = gains(film, &mixed)
        && !is_fade(one, other)
        && change(one.thumbnail, other.thumbnail) >= OTHER_CONTENT;
    is_dissolve.then_some(Mix { from: one.at, to: other.at, middle, likeness })
}

/// Whether there are mixed pictures, and the share of the second grows from the first of them to the last.
fn gains(film: &Film<'_>, mixed: &[(usize, f64)]) -> bool {
    match mixed {
        [] => false,
        [_] => true,
        [(first, share_of_first), .., (last, share_of_last)] => {
            share_of_last - share_of_first >= SLOWEST_GAIN_A_SEC * film.seconds_between(*first, *last)
        }
    }
}

/// Whether one of the pictures is about to fade.
fn is_fade(one: &Picture<'_>, other: &Picture<'_>) -> bool {
    let (spread, other_spread) = (one.thumbnail.statistics().spread, other.thumbnail.statistics().spread);
    spread.min(other_spread) < FADED_SHARE * spread.max(other_spread)
}

/// How much of `other` there is in a picture; nothing where it is no mix of the two.
fn share_of_other(one: &Picture<'_>, other: &Picture<'_>, picture: &Picture<'_>) -> Option<f64> {
    let (mut across, mut along, mut apart) = (0.0, 0.0, 0.0);
    for ((&a, &b), &m) in one.values.iter().zip(&other.values).zip(&picture.values) {
        across += (b - a) * (b - a);
        along += (b - a) * (m - a);
        apart += (m - a) * (m - a);
    }
    let share = (along / across).clamp(0.0, 1.0);
    let off = apart - 2.0 * share * along + share * share * across;
    (off.total_cmp(&(OFF_THE_MIX * across)) != Ordering::Greater).then_some(share)
}

/// A sampled picture as numbers to mix.
struct Picture<'a> {
    at: usize,
    thumbnail: &'a Thumbnail,
    structure: Structure,
    /// Block means of luma, then both chroma planes.
    values: Vec<f64>,
}

fn picture_of<'a>(view: &View<'a>) -> Picture<'a> {
    let thumbnail = view.thumbnail;
    let chroma = thumbnail.cb.iter().chain(&thumbnail.cr).map(|&v| f64::from(v));
    let values = block_means(thumbnail).into_iter().chain(chroma).collect();
    Picture { at: view.at, thumbnail, structure: Structure::of(thumbnail), values }
}
