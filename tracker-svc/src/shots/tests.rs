//! Films made of thumbnails, cut into segments as workers would see them.

use facereel_domain::ids::SegmentIndex;
use facereel_domain::settings::ShotSettings;
use facereel_domain::shot::{CandidateRule, Shot, ShotStart, Step, Thumbnail, change};
use facereel_domain::time::{Pts, Rational, Timeline};
use facereel_messages::objects::{AnalysedFrame, DecodedFrame, DetectionCounts, DetectionsPart, FrameOrigin};
use proptest::prelude::*;

use super::{Evidence, find_shots};

const STRIDE: usize = 6;

/// A picture with structure of its own for each seed, moved to the left by `shift` blocks.
fn scene(seed: usize, shift: usize) -> Thumbnail {
    let noise = |x: usize, y: usize| {
        let mixed = (x * 7919 + y * 104_729 + seed * 15_485_863).wrapping_mul(2_654_435_761) >> 8;
        (40 + mixed % 150) as u8
    };
    let luma = (0..576).map(|i| noise((i % 32 + shift) / 4, i / 32 / 4)).collect();
    let tint = (108 + seed * 13 % 40) as u8;
    Thumbnail::new(luma, vec![tint; 144], vec![256_u16.abs_diff(u16::from(tint)) as u8; 144]).unwrap()
}

/// The same luma in one colour.
fn tinted(picture: &Thumbnail, cb: u8, cr: u8) -> Thumbnail {
    Thumbnail::new(picture.luma.clone(), vec![cb; 144], vec![cr; 144]).unwrap()
}

fn plain(level: u8) -> Thumbnail {
    Thumbnail::new(vec![level; 576], vec![128; 144], vec![128; 144]).unwrap()
}

/// `share` of the second picture over the first.
fn mix(a: &Thumbnail, b: &Thumbnail, share: f64) -> Thumbnail {
    let plane = |a: &[u8], b: &[u8]| {
        let value =
            |(&a, &b): (&u8, &u8)| (f64::from(a) * (1.0 - share) + f64::from(b) * share).round() as u8;
        a.iter().zip(b).map(value).collect()
    };
    Thumbnail::new(plane(&a.luma, &b.luma), plane(&a.cb, &b.cb), plane(&a.cr, &b.cr)).unwrap()
}

fn still(picture: &Thumbnail, frames: usize) -> Vec<Thumbnail> {
    vec![picture.clone(); frames]
}

fn ramp(a: &Thumbnail, b: &Thumbnail, frames: usize) -> Vec<Thumbnail> {
    (1..=frames).map(|k| mix(a, b, k as f64 / (frames + 1) as f64)).collect()
}

fn timeline() -> Timeline {
    let rational = |num, den| Rational::new(num, den).unwrap();
    Timeline { time_base: rational(1, 24), first_pts: Pts(0), fps: rational(24, 1) }
}

/// What a worker makes of the frames from `first` to before `end`.
fn part(film: &[Thumbnail], first: usize, end: usize) -> DetectionsPart {
    let rule = CandidateRule::new(&ShotSettings::default());
    let mut part = DetectionsPart {
        segment: SegmentIndex(0),
        decoded: vec![],
        edges: Some((film[first].clone(), film[end - 1].clone())),
        analysed: vec![],
        counts: DetectionCounts::default(),
    };
    let mut steps: Vec<Step> = vec![];
    for at in first..end {
        let statistics = film[at].statistics();
        let changed = if at == first { 0.0 } else { change(&film[at - 1], &film[at]) };
        let step = Step { change: changed, mean: statistics.mean, spread: statistics.spread };
        let is_sampled = at % STRIDE == 0;
        if is_sampled || rule.is_candidate(&steps, &step) {
            part.analysed.push(AnalysedFrame {
                pts: Pts(at as i64),
                origin: if is_sampled { FrameOrigin::Sampled } else { FrameOrigin::ShotCandidate },
                reused: false,
                wide: false,
                thumbnail: film[at].clone(),
                detections: vec![],
            });
        }
        let (pts, mean, spread) = (Pts(at as i64), step.mean, step.spread);
        part.decoded.push(DecodedFrame { pts, change: changed, mean, spread });
        steps.push(step);
    }
    part
}

fn parts(film: &[Thumbnail], edges: &[usize]) -> Vec<DetectionsPart> {
    let mut bounds: Vec<usize> = edges.iter().map(|edge| edge % film.len()).chain([0, film.len()]).collect();
    bounds.sort_unstable();
    bounds.dedup();
    bounds.windows(2).map(|pair| part(film, pair[0], pair[1])).collect()
}

fn shots_with(film: &[Thumbnail], settings: &ShotSettings) -> Vec<Shot> {
    find_shots(&Evidence::gather(timeline(), &parts(film, &[])), settings)
}

/// Where the shots after the first begin, and how.
fn starts(film: &[Thumbnail]) -> Vec<(i64, ShotStart)> {
    let shots = shots_with(film, &ShotSettings::default());
    shots[1..].iter().map(|shot| (shot.first_pts.0, shot.start)).collect()
}

#[test]
fn a_cut_begins_a_shot_at_its_first_frame() {
    let film = [still(&scene(1, 0), 31), still(&scene(2, 0), 40)].concat();
    assert_eq!(starts(&film), [(31, ShotStart::Cut)]);
    let shots = shots_with(&film, &ShotSettings::default());
    assert_eq!((shots[0].first_pts, shots[0].last_pts), (Pts(0), Pts(30)));
    assert_eq!((shots[1].first_pts, shots[1].last_pts), (Pts(31), Pts(70)));
}

#[test]
fn two_cuts_half_a_second_apart_are_two() {
    let film = [still(&scene(1, 0), 31), still(&scene(2, 0), 12), still(&scene(3, 0), 30)].concat();
    assert_eq!(starts(&film), [(31, ShotStart::Cut), (43, ShotStart::Cut)]);
}

#[test]
fn a_short_insert_of_something_else_is_two_cuts() {
    let film = [still(&scene(1, 0), 31), still(&scene(2, 0), 8), still(&scene(1, 0), 30)].concat();
    assert_eq!(starts(&film), [(31, ShotStart::Cut), (39, ShotStart::Cut)]);
}

#[test]
fn a_flash_that_dies_away_begins_no_shot() {
    let picture = scene(1, 0);
    let flash = [0.95, 0.8, 0.6, 0.35, 0.15].map(|share| mix(&picture, &plain(250), share));
    let film = [still(&picture, 31), flash.to_vec(), still(&picture, 40)].concat();
    assert_eq!(starts(&film), []);
}

#[test]
fn white_and_black_strobe_begins_no_shot() {
    let picture = scene(1, 0);
    for level in [235, 16] {
        let blink = [still(&plain(level), 2), still(&picture, 3)].concat();
        let film = [still(&picture, 31), vec![blink; 12].concat(), still(&picture, 30)].concat();
        assert_eq!(starts(&film), [], "{level}");
    }
}

#[test]
fn without_cooldown_a_cut_to_black_and_back_counts() {
    let film = [still(&scene(1, 0), 31), still(&plain(16), 3), still(&scene(1, 0), 30)].concat();
    let settings = ShotSettings { cooldown_sec: 0.0, ..ShotSettings::default() };
    assert_eq!(starts(&film), []);
    assert_eq!(shots_with(&film, &settings).len(), 2);
}

#[test]
fn a_short_darker_shot_of_other_colours_between_two_alike_is_no_flash() {
    let before = tinted(&scene(1, 0), 100, 150);
    let darker = mix(&mix(&scene(1, 0), &scene(2, 0), 0.4), &plain(20), 0.5);
    let film =
        |cb, cr| [still(&before, 31), still(&tinted(&darker, cb, cr), 12), still(&before, 40)].concat();
    assert_eq!(starts(&film(150, 108)), [(31, ShotStart::Cut), (43, ShotStart::Cut)]);
    // The same in the colours of before: the lights were dimmed for half a second.
    assert_eq!(starts(&film(114, 139)), []);
}

#[test]
fn a_picture_that_is_alike_but_for_its_colours_is_another_one_and_a_coloured_lamp_is_not() {
    let yellow = tinted(&scene(1, 0), 100, 150);
    let blue_after = |share| tinted(&mix(&scene(1, 0), &scene(2, 0), share), 150, 108);
    let film = |after: Thumbnail| [still(&yellow, 31), still(&after, 60)].concat();
    assert_eq!(starts(&film(blue_after(0.3))), [(31, ShotStart::Cut)]);
    assert_eq!(starts(&film(blue_after(0.0))), []);
}

#[test]
fn a_flash_between_two_scenes_does_not_hide_the_cut() {
    let film = [still(&scene(1, 0), 31), still(&plain(235), 3), still(&scene(2, 0), 30)].concat();
    assert_eq!(starts(&film), [(34, ShotStart::Fade)]);
}

#[test]
fn lights_that_go_on_begin_no_shot() {
    let film = [still(&mix(&plain(16), &scene(1, 0), 0.4), 31), still(&scene(1, 0), 60)].concat();
    assert_eq!(starts(&film), []);
}

#[test]
fn a_fade_through_black_begins_a_shot_even_of_the_same_picture() {
    let black = plain(16);
    for (one, other) in [(1, 2), (1, 1)] {
        let (one, other) = (scene(one, 0), scene(other, 0));
        let (out, into) = (ramp(&one, &black, 12), ramp(&black, &other, 12));
        let film = [still(&one, 30), out, still(&black, 4), into, still(&other, 30)].concat();
        let found = starts(&film);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].1, ShotStart::Fade);
        assert!((46..=48).contains(&found[0].0), "{found:?}");
    }
}

#[test]
fn a_film_that_fades_in_from_black_has_one_shot() {
    let film = [still(&plain(16), 20), ramp(&plain(16), &scene(1, 0), 12), still(&scene(1, 0), 30)].concat();
    assert_eq!(starts(&film), []);
}

#[test]
fn a_dissolve_begins_a_shot_at_the_sampled_frame_in_its_middle() {
    let (one, other) = (scene(1, 0), scene(2, 0));
    let film = [still(&one, 40), ramp(&one, &other, 23), still(&other, 40)].concat();
    assert_eq!(starts(&film), [(54, ShotStart::Dissolve)]);
}

#[test]
fn a_shot_between_two_others_whose_picture_is_like_a_mix_of_them_is_no_dissolve() {
    let (one, other) = (scene(1, 0), scene(2, 0));
    for frames in [14, 36] {
        let film = [still(&one, 40), still(&mix(&one, &other, 0.5), frames), still(&other, 40)].concat();
        let expected = [(40, ShotStart::Cut), (40 + frames as i64, ShotStart::Cut)];
        assert_eq!(starts(&film), expected);
    }
}

#[test]
fn a_dissolve_of_three_frames_is_found_after_it() {
    let (one, other) = (scene(1, 0), scene(2, 0));
    let film = [still(&one, 37), ramp(&one, &other, 3), still(&other, 40)].concat();
    let found = starts(&film);
    assert!(found.len() == 1 && (37..=42).contains(&found[0].0), "{found:?}");
}

#[test]
fn a_pan_begins_no_shot() {
    let film: Vec<Thumbnail> = (0..120).map(|at| scene(1, at)).collect();
    assert_eq!(starts(&film), []);
}

#[test]
fn someone_who_walks_past_begins_no_shot() {
    let empty = scene(1, 0);
    let passing = (0..12).map(|at| {
        let mut picture = empty.clone();
        for (i, luma) in picture.luma.iter_mut().enumerate() {
            let (x, left) = ((i % 32) as i64, at * 4 - 12);
            if (left..left + 12).contains(&x) {
                *luma = 30;
            }
        }
        picture
    });
    let film = [still(&empty, 31), passing.collect(), still(&empty, 30)].concat();
    assert_eq!(starts(&film), []);
}

#[test]
fn short_shots_join_the_one_before_where_asked() {
    let film = [still(&scene(1, 0), 31), still(&scene(2, 0), 12), still(&scene(3, 0), 30)].concat();
    let settings = ShotSettings { min_shot_sec: 1.0, ..ShotSettings::default() };
    let firsts: Vec<i64> = shots_with(&film, &settings).iter().map(|shot| shot.first_pts.0).collect();
    assert_eq!(firsts, [0, 43]);
}

#[test]
fn switched_off_the_video_is_one_shot_and_without_frames_there_is_none() {
    let film = [still(&scene(1, 0), 31), still(&scene(2, 0), 40)].concat();
    let off = ShotSettings { enabled: false, ..ShotSettings::default() };
    assert_eq!(shots_with(&film, &off).len(), 1);
    assert_eq!(find_shots(&Evidence::gather(timeline(), &[]), &ShotSettings::default()), []);
}

/// Films of scenes at rest or in motion, joined by cuts, dissolves, fades, flashes.
fn any_film() -> impl Strategy<Value = Vec<Thumbnail>> {
    let piece = (0_usize..6, 1_usize..40, 0_usize..3, 0_usize..5);
    proptest::collection::vec(piece, 1..8).prop_map(|pieces| {
        let mut film: Vec<Thumbnail> = vec![];
        for (seed, frames, speed, joint) in pieces {
            let next = scene(seed, 0);
            if let Some(last) = film.last().cloned() {
                match joint {
                    0 => film.extend(ramp(&last, &next, 12)),
                    1 => film.extend([ramp(&last, &plain(16), 8), ramp(&plain(16), &next, 8)].concat()),
                    2 => film.extend(still(&plain(235), 2)),
                    _ => {}
                }
            }
            film.extend((0..frames).map(|at| scene(seed, at * speed)));
        }
        film
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn shots_do_not_depend_on_where_segments_begin(
        film in any_film(),
        edges in proptest::collection::vec(0_usize..400, 0..8),
    ) {
        let settings = ShotSettings::default();
        let segmented = parts(&film, &edges);
        let shots = find_shots(&Evidence::gather(timeline(), &segmented), &settings);
        prop_assert_eq!(shots, shots_with(&film, &settings));
    }

    #[test]
    fn every_shot_begins_at_an_analysed_frame_and_none_leaves_a_gap(
        film in any_film(),
        edges in proptest::collection::vec(0_usize..400, 0..8),
    ) {
        let segmented = parts(&film, &edges);
        let evidence = Evidence::gather(timeline(), &segmented);
        let shots = find_shots(&evidence, &ShotSettings::default());
        for pair in shots.windows(2) {
            prop_assert_eq!(pair[0].last_pts.0 + 1, pair[1].first_pts.0);
        }
        for shot in &shots {
            prop_assert!(evidence.analysed.iter().any(|frame| frame.pts == shot.first_pts));
        }
        prop_assert_eq!(shots[shots.len() - 1].last_pts.0 as usize + 1, film.len());
    }
}
