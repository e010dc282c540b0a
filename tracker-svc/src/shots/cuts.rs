//! Cuts and fades, less flashes and strobe.
//!
//! A frame is suspected when the picture changes at once or comes out of a plain stretch (black between two fades, the
//! white of a flash). A suspect begins a shot unless what was there before goes on: at once in another light, or after
//! an interruption that shows nothing of its own.

use facereel_domain::settings::ShotSettings;
use facereel_domain::shot::{CandidateRule, ShotStart, change};

use super::Boundary;
use super::evidence::{Film, View};
use super::likeness::{has_same_hues, is_relit, is_same_content, structure};

/// Two cuts closer than this, four frames of a film, are one that passes over blended frames.
const ONE_CUT_SEC: f64 = 0.17;
/// So many frames after a cut tell what is usual there.
const FRAMES_AFTER: usize = 11;
/// A fade's dark half takes no longer.
const FADE_SEC: f64 = 1.0;
/// A picture's spread is so many times that of a plain one.
const PICTURE_SPREAD: f32 = 2.0;
/// A picture that stands beside a plain one with this share of its spread was cut to, or from, and not faded.
const ABRUPT_SHARE: f32 = 0.5;
/// In motion, samples differ by this share of what would be a cut.
const MOTION_SHARE: f32 = 0.7;
/// Mean luma from which a picture may be a flash that left nothing to see.
const WHITE_MEAN: f32 = 170.0;
/// Such a flash is so much brighter than the picture before it.
const WHITE_RISE: f32 = 40.0;
/// A picture in another light, brighter or darker by this much,
const FLASH_RISE: f32 = 15.0;
/// correlates at least so much with the one before and has its hues.
const FLASHED_STRUCTURE: f64 = 0.5;
/// So much of the picture may be hidden by someone who passes.
const HALF_HIDDEN: f32 = 0.5;

/// The boundaries after the first frame, in order.
pub(super) fn find(film: &Film<'_>, settings: &ShotSettings) -> Vec<Boundary> {
    let mut boundaries = Vec::new();
    let mut first = 0;
    let mut at = 1;
    while at < film.len() {
        let verdict = judge(film, settings, first, at);
        if let Some(start) = verdict.begins {
            boundaries.push(Boundary { at, start });
            first = at;
        }
        at = verdict.goes_on_after + 1;
    }
    boundaries
}

/// What a frame means to the shot it lies in.
struct Verdict {
    /// Whether a new shot begins with the frame, and how.
    begins: Option<ShotStart>,
    /// The frame after which to go on looking; what lies before it is a flash.
    goes_on_after: usize,
}

fn judge(film: &Film<'_>, settings: &ShotSettings, first: usize, at: usize) -> Verdict {
    let nothing = Verdict { begins: None, goes_on_after: at };
    let out_of_plain = leaves_plain(film, settings, at);
    let is_suspect = out_of_plain || (!film.is_plain(at) && is_cut(film, at) && !is_motion(film, first, at));
    let Some(now) = film.view_at(at).filter(|_| is_suspect) else { return nothing };
    let Some(before) = film.view_before(at, first) else {
        // Where all was plain so far, the video's first shot is still to show something.
        return Verdict { begins: (!out_of_plain).then_some(ShotStart::Cut), ..nothing };
    };
    if out_of_plain && is_fade(film, settings, at) {
        return Verdict { begins: Some(ShotStart::Fade), ..nothing };
    }
    if let Some(resumed) = resumed_after(film, settings, before, now) {
        return Verdict { begins: None, goes_on_after: resumed.at };
    }
    let is_same_shot = is_relit(before.thumbnail, now.thumbnail) || was_seen(film, settings, first, now);
    if is_same_shot || passes_over_blend(film, first, at) {
        return nothing;
    }
    Verdict { begins: Some(if out_of_plain { ShotStart::Fade } else { ShotStart::Cut }), ..nothing }
}

/// Whether a plain stretch ends before `at` and a picture worth the name follows.
fn leaves_plain(film: &Film<'_>, settings: &ShotSettings, at: usize) -> bool {
    film.is_plain(at - 1)
        && !film.is_plain(at)
        && widest_spread(film, at, at..film.len()) >= PICTURE_SPREAD * settings.fade_level
}

/// The largest spread among `frames` that lie near `at`.
fn widest_spread(film: &Film<'_>, at: usize, frames: impl Iterator<Item = usize>) -> f32 {
    let near = frames.take_while(|&other| film.seconds_between(at, other).abs() <= FADE_SEC);
    near.map(|other| film.steps[other].spread).fold(0.0, f32::max)
}

/// Whether the picture changes at once, seen from before and from after. What is usual after is taken from more frames
/// than before, so that a flash of some frames is not taken for lasting motion.
fn is_cut(film: &Film<'_>, at: usize) -> bool {
    let end = (at + 1 + FRAMES_AFTER).min(film.len());
    let mut after: Vec<f32> = film.steps[at + 1..end].iter().map(|step| step.change).collect();
    after.sort_by(|a, b| b.total_cmp(a));
    let usual_after = after.get(FRAMES_AFTER / 2).copied().unwrap_or(0.0);
    let now = &film.steps[at];
    film.rule.is_cut(film.before(at), now) && now.change >= CandidateRule::CUT_RATIO * usual_after
}

/// Whether the picture changes as much all the time, from one sample to the next, before `at` as well as after it.
/// Decoded frames lie unevenly; in a quick pan a wide gap looks like a cut among narrow ones.
fn is_motion(film: &Film<'_>, first: usize, at: usize) -> bool {
    let enough = MOTION_SHARE * film.steps[at].change;
    let moves = |pair: Option<[View<'_>; 2]>| {
        pair.is_some_and(|[one, other]| change(one.thumbnail, other.thumbnail) >= enough)
    };
    moves(film.samples_before(at, first)) && moves(film.samples_from(at))
}

/// Whether the plain stretch that ends at `at` lies between fades, and is no flash: it is long, or the picture turns
/// plain and comes back gradually.
fn is_fade(film: &Film<'_>, settings: &ShotSettings, at: usize) -> bool {
    let entry = (0..at).rev().find(|&earlier| !film.is_plain(earlier)).map_or(0, |last| last + 1);
    let last = entry.saturating_sub(1);
    let cuts_in = film.steps[last].spread >= ABRUPT_SHARE * widest_spread(film, last, (0..=last).rev());
    let cuts_out = film.steps[at].spread >= ABRUPT_SHARE * widest_spread(film, at, at..film.len());
    film.seconds_between(entry, at) > settings.cooldown_sec || !(cuts_in || cuts_out)
}

/// Whether the shot began so little before that the frame between is a blend of two shots.
fn passes_over_blend(film: &Film<'_>, first: usize, at: usize) -> bool {
    first > 0 && film.seconds_between(first, at) <= ONE_CUT_SEC
}

/// Whether the shot showed the same a moment before: what came between began no shot, so its end begins none.
fn was_seen(film: &Film<'_>, settings: &ShotSettings, first: usize, now: View<'_>) -> bool {
    let within = |view: &&View<'_>| film.seconds_between(view.at, now.at) <= settings.cooldown_sec;
    let mut earlier = film.views_before(now.at, first).take_while(within);
    earlier.any(|view| !film.is_plain(view.at) && is_same_content(view.thumbnail, now.thumbnail))
}

/// The first picture from `now` on, within the cooldown, that shows what `before` showed, if what comes between is a
/// flash or is half `before` still.
fn resumed_after<'a>(
    film: &Film<'a>,
    settings: &ShotSettings,
    before: View<'a>,
    now: View<'a>,
) -> Option<View<'a>> {
    let within = |view: &&View<'a>| film.seconds_between(now.at, view.at) <= settings.cooldown_sec;
    for view in film.views_from(now.at).iter().take_while(within) {
        if is_flash(film, before, *view) {
            continue;
        }
        if is_same_content(before.thumbnail, view.thumbnail) {
            return Some(*view);
        }
        if change(before.thumbnail, view.thumbnail) > HALF_HIDDEN {
            return None;
        }
    }
    None
}

/// Whether a picture is plain, white, or `before` in another light.
fn is_flash(film: &Film<'_>, before: View<'_>, view: View<'_>) -> bool {
    let (usual, now) = (film.steps[before.at], film.steps[view.at]);
    let rise = now.mean - usual.mean;
    let is_white = rise >= WHITE_RISE && now.mean >= WHITE_MEAN;
    let is_relit = || {
        rise.abs() >= FLASH_RISE
            && structure(before.thumbnail, view.thumbnail) >= FLASHED_STRUCTURE
            && has_same_hues(before.thumbnail, view.thumbnail)
    };
    film.is_plain(view.at) || is_white || is_relit()
}
