//! Where shots begin, decided over the whole episode.
//!
//! Workers compare neighbouring frames while they decode, and analyse every frame that may be the first of a shot (see
//! [`facereel_domain::shot`]). Here all of it is known, so the decision can look at what comes after: a flash ends in
//! the picture that was there before it, a dissolve in another one.
//!
//! Promises:
//!
//! 1. Every shot but the first begins with a frame that was analysed: a candidate or a sampled one.
//! 2. Where the video was cut into segments does not matter. Frames that were analysed only because a segment began
//!    are not looked at.
//! 3. Black, white and other plain stretches belong to the shot before them.
//!
//! Not found, on purpose: wipes, and dissolves between pictures that move much.

mod cuts;
mod dissolves;
mod evidence;
mod leaps;
mod likeness;

use facereel_domain::ids::ShotIndex;
use facereel_domain::settings::ShotSettings;
use facereel_domain::shot::{Shot, ShotStart};

pub use self::evidence::Evidence;
use self::evidence::Film;

/// A frame that begins a shot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Boundary {
    /// Place among the decoded frames.
    at: usize,
    start: ShotStart,
}

/// The shots of an episode in order, without a gap; none where no frame was decoded.
#[must_use]
pub fn find_shots(evidence: &Evidence<'_>, settings: &ShotSettings) -> Vec<Shot> {
    if evidence.decoded.is_empty() {
        return Vec::new();
    }
    let mut boundaries = vec![Boundary { at: 0, start: ShotStart::Start }];
    if settings.enabled {
        let film = Film::new(evidence, settings);
        boundaries.extend(cuts::find(&film, settings));
        dissolves::add(&film, &mut boundaries);
        leaps::add(&film, &mut boundaries);
        without_short_shots(&film, &mut boundaries, settings.min_shot_sec);
    }
    into_shots(evidence, &boundaries)
}

/// Joins shots that are shorter than allowed to the shot before.
fn without_short_shots(film: &Film<'_>, boundaries: &mut Vec<Boundary>, min_sec: f64) {
    let mut at = 1;
    while at < boundaries.len() {
        let end = boundaries.get(at + 1).map_or(film.len() - 1, |next| next.at);
        if film.seconds_between(boundaries[at].at, end) < min_sec {
            boundaries.remove(at);
        } else {
            at += 1;
        }
    }
}

fn into_shots(evidence: &Evidence<'_>, boundaries: &[Boundary]) -> Vec<Shot> {
    let ends = boundaries[1..].iter().map(|next| next.at).chain([evidence.decoded.len()]);
    boundaries
        .iter()
        .zip(ends)
        .zip(0..)
        .map(|((boundary, end), index)| Shot {
            index: ShotIndex(index),
            start: boundary.start,
            first_pts: evidence.decoded[boundary.at].pts,
            last_pts: evidence.decoded[end - 1].pts,
        })
        .collect()
}

#[cfg(test)]
mod tests;
