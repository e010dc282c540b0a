//! Which of a tracklet's faces are embedded: its best views, spread over its life, and a regular look at who it is.

use std::collections::BTreeMap;

use facereel_domain::geometry::BBox;
use facereel_domain::ids::{BatchIndex, FaceId};
use facereel_domain::settings::PipelineSettings;
use facereel_domain::spread::{View, best_spread};
use facereel_messages::objects::{EmbedBatch, FacePurpose, FaceToEmbed, FrameFaces, Tracks};

/// An observation of a tracklet that could be embedded.
#[derive(Debug, Clone, Copy)]
struct Sight<'a> {
    id: FaceId,
    frame: &'a FrameFaces,
    ts: f64,
    bbox: BBox,
    score: f32,
    /// The box overlaps the one before by too little.
    jumped: bool,
}

/// Faces to embed, in batches of whole tracklets of about `embed.job_faces` faces, cut from the content alone.
#[must_use]
pub fn batches(tracks: &Tracks, settings: &PipelineSettings) -> Vec<EmbedBatch> {
    let frames: BTreeMap<u64, &FrameFaces> = tracks.frames.iter().map(|f| (f.frame_idx, f)).collect();
    let mut batches: Vec<EmbedBatch> = Vec::new();
    let mut faces = Vec::new();
    for number in 0..tracks.tracklets.len() {
        faces.extend(faces_of(tracks, number, &frames, settings));
        if faces.len() >= settings.embed.job_faces.max(1) as usize {
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
    for (turn, id) in tracks.tracklets[number].observations.iter().enumerate() {
        let Some(&frame) = frames.get(&id.frame_idx) else { continue };
        let Some(face) = frame.faces.get(id.ordinal as usize) else { continue };
        let bbox = face.detection.bbox;
        let jumped = before.is_some_and(|before| before.iou(&bbox) < settings.gate.min_iou);
        before = Some(bbox);
        let Some(quality) = face.detection.quality.filter(|_| face.detection.chip.is_some()) else { continue };
        // A reused detection shows the same picture again.
        if frame.reused || !has_turn(number, turn, settings.track.process_skip) {
            continue;
        }
        let ts = tracks.video.timeline.seconds(frame.pts);
        sights.push(Sight { id: *id, frame, ts, bbox, score: quality.score, jumped });
    }
    sights
}

/// Whether observation `turn` (from 0) of tracklet `number` gets the full work: one tracklet in `skip` in each frame,
/// every tracklet as often as the others, and always a tracklet's first three observations.
fn has_turn(number: usize, turn: usize, skip: u32) -> bool {
    turn < 3 || (number + turn).is_multiple_of(skip.max(1) as usize)
}

/// Places of the sights that the appearance gate looks at, ascending: the best of each stretch of `every_sec`, counted
/// from the tracklet's own beginning, and the first sight after the face was lost for as long as that or its box jumped.
fn gate_looks(sights: &[Sight<'_>], every_sec: f64) -> Vec<usize> {
    let mut looks: Vec<usize> = Vec::new();
    let mut stretch_start = f64::NEG_INFINITY;
    for (place, sight) in sights.iter().enumerate() {
        let found_again = place > 0 && sight.ts - sights[place - 1].ts >= every_sec;
        // Half a stretch between looks bounds what a restless track costs.
        let jumped = sight.jumped && sight.ts - stretch_start >= every_sec / 2.0;
        if sight.ts - stretch_start >= every_sec || found_again || jumped {
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
