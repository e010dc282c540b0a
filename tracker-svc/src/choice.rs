//! Which of a tracklet's faces are embedded: its best views, spread over its life, and a regular look at who it is.

use std::collections::BTreeMap;

use facereel_domain::geometry::BBox;
use facereel_domain::ids::{BatchIndex, FaceId};
use facereel_domain::settings::PipelineSettings;
use facereel_domain::spread::{View, best_spread};
use facereel_messages::objects::{EmbedBatch, FacePurpose, FaceToEmbed, FrameFaces, Tracks, Untracked};

/// An observation of a tracklet that could be embedded.
#[derive(Debug, Clone, Copy)]
struct Sight<'a> {
    id: FaceId,
    frame: &'a FrameFaces,
    ts: f64,
    bbox: BBox,
    score: f32,
    /// The box overlaps the one before by too little, or the face stood close to another in the meantime.
    jumped: bool,
}

/// Faces whose centres are nearer than this, in their mean size, may hide each other, and a track may go on with the wrong
/// one.
const CLOSE: f32 = 1.25;

/// So many batches an episode is cut into, where that makes none too small: what is left to the last ones to finish, while
/// other workers have nothing to do, is a small part of all.
const BATCHES: usize = 16;
/// Faces below which a batch is hardly worth its message.
const WORTH_A_BATCH: usize = 8;

/// Faces to embed, in batches of whole tracklets, cut from the content alone: about a sixteenth of all, and no more than
/// about `embed.job_faces`.
#[must_use]
pub fn batches(tracks: &Tracks, settings: &PipelineSettings) -> Vec<EmbedBatch> {
    let frames: BTreeMap<u64, &FrameFaces> = tracks.frames.iter().map(|f| (f.frame_idx, f)).collect();
    let chosen: Vec<Vec<FaceToEmbed>> =
        (0..tracks.tracklets.len()).map(|number| faces_of(tracks, number, &frames, settings)).collect();
    let largest = settings.embed.job_faces.max(1) as usize;
    let aim = (chosen.iter().map(Vec::len).sum::<usize>() / BATCHES).max(WORTH_A_BATCH).min(largest);
    let mut batches: Vec<EmbedBatch> = Vec::new();
    let mut faces = Vec::new();
    for of_tracklet in chosen {
        faces.extend(of_tracklet);
        if faces.len() >= aim {
            let batch = BatchIndex(batches.len() as u32);
            batches.push(EmbedBatch { batch, faces: std::mem::take(&mut faces) });
        }
    }
    if !faces.is_empty() {
        batches.push(EmbedBatch { batch: BatchIndex(batches.len() as u32), faces });
    }
    batches
}

fn faces_of(
    tracks: &Tracks,
    number: usize,
    frames: &BTreeMap<u64, &FrameFaces>,
    settings: &PipelineSettings,
) -> Vec<FaceToEmbed> {
    let sights = sights(tracks, number, frames, settings);
    let views: Vec<View> = sights.iter().map(|s| View { ts: s.ts, score: s.score }).collect();
    let samples = best_spread(&views, settings.track.sample_limit as usize);
    let gate = if settings.gate.enabled { gate_looks(&sights, settings.gate.every_sec) } else { Vec::new() };
    let mut jumped = false;
    let mut chosen = Vec::new();
    for (place, sight) in sights.iter().enumerate() {
        jumped |= sight.jumped;
        let purpose = match (samples.binary_search(&place).is_ok(), gate.binary_search(&place).is_ok()) {
            (true, true) => FacePurpose::SampleAndGate,
            (true, false) => FacePurpose::Sample,
            (false, true) => FacePurpose::Gate,
            (false, false) => continue,
        };
        chosen.extend(to_embed(sight, number, purpose, jumped));
        jumped = false;
    }
    chosen
}

/// The tracklet's observations that have a chip and whose turn it is (`track.process_skip`).
fn sights<'a>(
    tracks: &Tracks,
    number: usize,
    frames: &BTreeMap<u64, &'a FrameFaces>,
    settings: &PipelineSettings,
) -> Vec<Sight<'a>> {
    let mut sights = Vec::new();
    let mut before: Option<BBox> = None;
    let mut jumped = false;
    let mut was_close = false;
    for (turn, id) in tracks.tracklets[number].observations.iter().enumerate() {
        let Some(&frame) = frames.get(&id.frame_idx) else { continue };
        let Some(face) = frame.faces.get(id.ordinal as usize) else { continue };
        let bbox = face.detection.bbox;
        let is_close = is_close_to_another(frame, *id);
        // A jump at an observation that can't be embedded counts for the next that can.
        let has_parted = was_close && !is_close;
        jumped |= has_parted || before.is_some_and(|before| before.iou(&bbox) < settings.gate.min_iou);
        before = Some(bbox);
        was_close = is_close;
        let Some(quality) = face.detection.quality.filter(|_| face.detection.chip.is_some()) else {
            continue;
        };
        // A reused detection shows the same picture again.
        if frame.reused || !has_turn(number, turn, settings.track.process_skip) {
            continue;
        }
        let ts = tracks.video.timeline.seconds(frame.pts);
        sights.push(Sight { id: *id, frame, ts, bbox, score: quality.score, jumped });
        jumped = false;
    }
    sights
}

/// Whether another face of the frame that tracks may hold is close to the face `id`.
fn is_close_to_another(frame: &FrameFaces, id: FaceId) -> bool {
    let own = frame.faces[id.ordinal as usize].detection.bbox;
    let others = (0..).zip(&frame.faces).filter(|(ordinal, face)| {
        let is_left_out = matches!(face.fate, Err(Untracked::TooSmall | Untracked::LowConfidence));
        *ordinal != id.ordinal && !is_left_out
    });
    others.map(|(_, face)| face.detection.bbox).any(|other| {
        let (a, b) = (own.center(), other.center());
        let size = f32::midpoint(own.area().sqrt(), other.area().sqrt());
        (a.x - b.x).hypot(a.y - b.y) < CLOSE * size
    })
}

/// Whether observation `turn` (from 0) of tracklet `number` gets the full work: one tracklet in `skip` in each frame,
/// every tracklet as often as the others, and always a tracklet's first three observations.
fn has_turn(number: usize, turn: usize, skip: u32) -> bool {
    turn < 3 || (number + turn).is_multiple_of(skip.max(1) as usize)
}

/// Places of the sights that the appearance gate looks at, ascending: the best of each stretch of `every_sec`, counted
/// from the tracklet's own beginning. After half of that the first sight after the face was lost for so long, its box jumped,
/// or it parted from another.
fn gate_looks(sights: &[Sight<'_>], every_sec: f64) -> Vec<usize> {
    // Differences of timestamps are rounded: a stretch that is short by a millionth of a second is over.
    let every_sec = every_sec - 1e-6;
    let mut looks: Vec<usize> = Vec::new();
    let mut stretch_start = f64::NEG_INFINITY;
    for (place, sight) in sights.iter().enumerate() {
        let found_again = place > 0 && sight.ts - sights[place - 1].ts >= every_sec / 2.0;
        // Half a stretch between looks bounds what a restless track costs.
        let due_after = if sight.jumped || found_again { every_sec / 2.0 } else { every_sec };
        if sight.ts - stretch_start >= due_after {
            stretch_start = sight.ts;
            looks.push(place);
        } else if let Some(last) = looks.last_mut().filter(|last| sights[**last].score < sight.score) {
            *last = place;
        }
    }
    looks
}

fn to_embed(sight: &Sight<'_>, number: usize, purpose: FacePurpose, jumped: bool) -> Option<FaceToEmbed> {
    let detection = &sight.frame.faces[sight.id.ordinal as usize].detection;
    Some(FaceToEmbed {
        face: sight.id,
        tracklet: number as u32,
        ts: sight.ts,
        segment: sight.frame.segment,
        chip: detection.chip?,
        landmarks: detection.landmarks,
        short_side_px: sight.bbox.short_side(),
        confidence: detection.confidence,
        quality: detection.quality?,
        purpose,
        jumped,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staged::{face, quality, tracks};
    use facereel_domain::detection::Detection;
    use proptest::prelude::*;

    /// One look a second, one sample, nothing skipped.
    fn settings() -> PipelineSettings {
        let mut settings = PipelineSettings::default();
        settings.track.sample_limit = 1;
        settings.gate.every_sec = 1.0;
        settings
    }

    /// All views, and no gate.
    fn all_samples(process_skip: u32) -> PipelineSettings {
        let mut settings = settings();
        settings.track.sample_limit = 0;
        settings.track.process_skip = process_skip;
        settings.gate.enabled = false;
        settings
    }

    /// A face that stands still and is seen in these frames.
    fn seen_in(frames: impl IntoIterator<Item = u64>) -> Vec<(u64, Detection)> {
        frames.into_iter().map(|frame_idx| (frame_idx, face(0.0, 100.0, 0.9))).collect()
    }

    fn chosen(lives: &[Vec<(u64, Detection)>], settings: &PipelineSettings) -> Vec<FaceToEmbed> {
        batches(&tracks(lives), settings).into_iter().flat_map(|batch| batch.faces).collect()
    }

    /// Frames that the gate looks at, by tracklet.
    fn looks(lives: &[Vec<(u64, Detection)>]) -> Vec<Vec<u64>> {
        let faces = chosen(lives, &settings());
        let of = |number: usize| {
            let own =
                faces.iter().filter(|f| f.tracklet as usize == number && f.purpose != FacePurpose::Sample);
            own.map(|f| f.face.frame_idx).collect()
        };
        (0..lives.len()).map(of).collect()
    }

    #[test]
    fn samples_cover_the_whole_life_of_a_track_whose_beginning_is_best() {
        let mut life = seen_in((0..240).step_by(6));
        for (frame_idx, detection) in &mut life {
            detection.quality = Some(quality(1.0 - *frame_idx as f32 / 300.0));
        }
        let mut settings = all_samples(1);
        settings.track.sample_limit = 6;
        let frames: Vec<u64> = chosen(&[life], &settings).iter().map(|f| f.face.frame_idx).collect();
        assert_eq!(frames.len(), 6);
        assert!(frames.iter().filter(|frame| **frame >= 120).count() >= 2, "{frames:?}");
    }

    #[test]
    fn the_gate_looks_once_a_cadence_counted_from_each_tracks_own_beginning() {
        let early = seen_in((0..100).step_by(6));
        let late = seen_in((16..116).step_by(6));
        assert_eq!(looks(&[early, late]), [vec![0, 24, 48, 72, 96], vec![16, 40, 64, 88, 112]]);
    }

    #[test]
    fn the_gate_takes_the_best_view_of_each_stretch() {
        let mut life = seen_in((0..48).step_by(6));
        life[2].1.quality = Some(quality(0.9));
        life[5].1.quality = Some(quality(0.8));
        assert_eq!(looks(&[life]), [[12, 30]]);
    }

    #[test]
    fn the_gate_looks_at_a_face_that_was_found_again() {
        // The cadence alone would wait until frame 26.
        let life = seen_in([0, 6, 20, 26, 32, 38]);
        assert_eq!(looks(&[life]), [[0, 20]]);
    }

    #[test]
    fn the_gate_looks_where_a_box_jumped() {
        let mut life = seen_in((0..24).step_by(6));
        life.extend((24..36).step_by(6).map(|frame_idx| (frame_idx, face(400.0, 100.0, 0.9))));
        life.remove(0);
        // The last look was at frame 6: the cadence alone would wait until frame 30.
        assert_eq!(looks(&[life.clone()]), [[6, 24]]);
        let faces = chosen(&[life], &settings());
        let jumped: Vec<u64> = faces.iter().filter(|f| f.jumped).map(|f| f.face.frame_idx).collect();
        assert_eq!(jumped, [24]);
    }

    #[test]
    fn the_gate_looks_at_both_faces_when_they_part() {
        let steps = (0..18).map(|n| n * 6);
        let standing: Vec<_> = steps.clone().map(|at| (at, face(600.0, 150.0, 0.9))).collect();
        let passing: Vec<_> = steps.map(|at| (at, face(at as f32 * 12.0, 150.0, 0.9))).collect();
        // Within 187 pixels of each other at frames 36 to 60.
        let faces = chosen(&[standing, passing], &settings());
        let jumped: Vec<_> =
            faces.iter().filter(|f| f.jumped).map(|f| (f.tracklet, f.face.frame_idx)).collect();
        assert_eq!(jumped, [(0, 66), (1, 66)]);
    }

    #[test]
    fn looking_every_24_frames_embeds_58_percent_less_than_every_10() {
        let life = seen_in(0..2400);
        let count = |every_frames: f64| {
            let mut settings = settings();
            settings.gate.every_sec = every_frames / 24.0;
            let faces = chosen(std::slice::from_ref(&life), &settings);
            faces.iter().filter(|face| face.purpose != FacePurpose::Sample).count()
        };
        assert_eq!((count(24.0), count(10.0)), (100, 240));
    }

    #[test]
    fn a_jump_between_chosen_faces_counts_for_the_next_chosen_one() {
        let mut life = seen_in([0, 6]);
        let mut unseen = face(400.0, 100.0, 0.9);
        unseen.chip = None;
        life.push((12, unseen));
        life.push((18, face(400.0, 100.0, 0.9)));
        let jumped: Vec<bool> = chosen(&[life], &all_samples(1)).iter().map(|f| f.jumped).collect();
        assert_eq!(jumped, [false, false, true]);
    }

    #[test]
    fn repeated_pictures_and_faces_without_a_chip_are_never_chosen() {
        let mut life = seen_in([0, 6, 12, 18]);
        life[1].1.chip = None;
        let mut tracks = tracks(&[life]);
        tracks.frames[2].reused = true;
        let faces: Vec<_> = batches(&tracks, &all_samples(1)).into_iter().flat_map(|b| b.faces).collect();
        assert_eq!(faces.iter().map(|f| f.face.frame_idx).collect::<Vec<_>>(), [0, 18]);
    }

    #[test]
    fn a_face_that_is_sample_and_look_is_chosen_once() {
        let faces = chosen(&[seen_in([0, 6, 12])], &settings());
        assert_eq!(faces.iter().map(|f| f.purpose).collect::<Vec<_>>(), [FacePurpose::SampleAndGate]);
    }

    #[test]
    fn batches_hold_whole_tracks_and_are_closed_when_they_are_full() {
        let lives = vec![seen_in([0, 6, 12]); 5];
        let mut settings = all_samples(1);
        settings.embed.job_faces = 5;
        let batches = batches(&tracks(&lives), &settings);
        let members: Vec<Vec<u32>> =
            batches.iter().map(|b| b.faces.iter().map(|f| f.tracklet).collect()).collect();
        assert_eq!(members, [vec![0, 0, 0, 1, 1, 1], vec![2, 2, 2, 3, 3, 3], vec![4, 4, 4]]);
        assert_eq!(batches.iter().map(|b| b.batch.0).collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn a_short_episode_is_cut_into_enough_batches_for_all_workers() {
        let lives = vec![seen_in([0, 6, 12]); 100];
        let batches = batches(&tracks(&lives), &all_samples(1));
        assert!(batches.len() >= BATCHES, "{}", batches.len());
        let sizes = batches.iter().map(|b| b.faces.len());
        assert!(sizes.max() <= Some(300 / BATCHES + 3));
    }

    #[test]
    fn an_episode_without_tracks_has_no_batches() {
        assert_eq!(batches(&tracks(&[]), &settings()), []);
    }

    proptest! {
        #[test]
        fn skipping_treats_tracks_alike_and_spares_their_beginning(
            skip in 1_u32..8,
            count in 1_usize..8,
            len in 3_u64..40,
            starts in proptest::collection::vec(0_u64..50, 8),
        ) {
            let lives: Vec<_> = (0..count).map(|n| seen_in(starts[n]..starts[n] + len)).collect();
            let faces = chosen(&lives, &all_samples(skip));
            let of = |number: usize| -> Vec<u64> {
                let own = faces.iter().filter(|f| f.tracklet as usize == number);
                own.map(|f| f.face.frame_idx - starts[number]).collect()
            };
            let counts: Vec<usize> = (0..count).map(|n| of(n).len()).collect();
            let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
            prop_assert!(most - least <= 1, "{counts:?}");
            prop_assert!((0..count).all(|n| of(n).starts_with(&[0, 1, 2])));
            prop_assert!(*most <= 3 + (len as usize - 3).div_ceil(skip as usize));
        }
    }
}
