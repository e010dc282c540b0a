//! Final tracks: tracklets cut where the appearance gate found another person, put together where it is the same one again,
//! numbered by first appearance.

use std::collections::BTreeMap;

use facereel_domain::geometry::BBox;
use facereel_domain::ids::{FaceId, ShotIndex, TrackId};
use facereel_domain::settings::TrackSettings;
use facereel_domain::time::Timeline;
use facereel_messages::objects::{
    EmbedBatch, EmbeddedFace, EmbeddingsPart, FaceToEmbed, FrameFaces, GateSplit, Prototype, SeenFace,
    Tracks, Untracked,
};

use crate::merge::merge;
use crate::rejoin::{End, Fragment, RejoinRules, chains};

/// A track as users see it.
#[derive(Debug, Clone, PartialEq)]
pub struct FinalTrack {
    /// Number from 1.
    pub id: TrackId,
    /// Its shot.
    pub shot: ShotIndex,
    /// Its faces in order of time, at least `track.min_observations`.
    pub observations: Vec<FaceId>,
    /// Its faces that were chosen for embedding, in order of time.
    pub chosen: Vec<ChosenFace>,
    /// What it looks like; absent where no face had a vector.
    pub prototype: Option<Prototype>,
    /// The split that it begins with, if any.
    pub split_from: Option<GateSplit>,
}

/// A face that was chosen for embedding and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct ChosenFace {
    /// Why and from where.
    pub chosen: FaceToEmbed,
    /// What came of it.
    pub embedded: EmbeddedFace,
}

/// A finished episode: what all outputs are made from.
#[derive(Debug, Clone, PartialEq)]
pub struct Assembled {
    /// Shots, frames and counts; each face's fate holds its final track's number, counted from 0, or why it has none.
    pub tracks: Tracks,
    /// In order of first appearance.
    pub finals: Vec<FinalTrack>,
}

impl Assembled {
    /// The frame with number `frame_idx`.
    #[must_use]
    pub fn frame(&self, frame_idx: u64) -> Option<&FrameFaces> {
        let place = self.tracks.frames.binary_search_by_key(&frame_idx, |frame| frame.frame_idx).ok()?;
        self.tracks.frames.get(place)
    }

    /// The face with this id, and its frame.
    #[must_use]
    pub fn face(&self, id: FaceId) -> Option<(&FrameFaces, &SeenFace)> {
        let frame = self.frame(id.frame_idx)?;
        Some((frame, frame.faces.get(id.ordinal as usize)?))
    }
}

/// Puts tracks and embeddings together. What has fewer than `track.min_observations` faces in the end is left out
/// everywhere.
#[must_use]
pub fn assemble(
    mut tracks: Tracks,
    batches: Vec<EmbedBatch>,
    parts: Vec<EmbeddingsPart>,
    settings: &TrackSettings,
) -> Assembled {
    let rules = parts.iter().find_map(|part| part.rejoin).filter(|_| settings.relink_gap_sec > 0.0);
    let rules = rules.map(|similarity| RejoinRules { similarity, max_gap_sec: settings.relink_gap_sec });
    warn_once(&mut tracks.warnings, &parts);
    let boxes = boxes(&tracks.frames);
    let mut pieces = all_pieces(&tracks, Findings::collect(batches, parts), &boxes);
    if let Some(rules) = rules {
        pieces = rejoined(pieces, (&tracks, &boxes), (&rules, settings.sample_limit as usize));
    }
    let is_long = |track: &FinalTrack| track.observations.len() >= settings.min_observations.max(1) as usize;
    let (mut finals, short): (Vec<_>, Vec<_>) = pieces.into_iter().partition(is_long);
    for (place, track) in finals.iter_mut().enumerate() {
        track.id = TrackId(place as u32 + 1);
    }
    let dropped: Vec<FaceId> = short.into_iter().flat_map(|track| track.observations).collect();
    settle_fates(&mut tracks, &finals, &dropped);
    Assembled { tracks, finals }
}

/// Adds what the embed stage wants people to know, which every part repeats.
fn warn_once(warnings: &mut Vec<String>, parts: &[EmbeddingsPart]) {
    for warning in parts.iter().flat_map(|part| &part.warnings) {
        if !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }
}

/// The tracklets' pieces that are not empty, without numbers as yet, by first appearance; in the same frame the surer face
/// first.
fn all_pieces(tracks: &Tracks, mut findings: Findings, boxes: &BTreeMap<FaceId, BBox>) -> Vec<FinalTrack> {
    let mut all = Vec::new();
    for (number, tracklet) in tracks.tracklets.iter().enumerate() {
        let number = number as u32;
        let splits = findings.splits.remove(&number).unwrap_or_default();
        for (piece, observations) in pieces(&tracklet.observations, &splits, boxes).into_iter().enumerate() {
            all.push(FinalTrack {
                id: TrackId(0),
                shot: tracklet.shot,
                chosen: findings.take_chosen(number, &observations),
                prototype: findings.prototypes.remove(&(number, piece as u32)),
                split_from: piece.checked_sub(1).map(|before| splits[before]),
                observations,
            });
        }
    }
    all.retain(|piece| !piece.observations.is_empty());
    all.sort_by_key(|piece| piece.observations.first().copied());
    all
}

/// The pieces with those of one person put together, in order of first appearance.
fn rejoined(
    pieces: Vec<FinalTrack>,
    (tracks, boxes): (&Tracks, &BTreeMap<FaceId, BBox>),
    (rules, sample_limit): (&RejoinRules, usize),
) -> Vec<FinalTrack> {
    let timeline = tracks.video.timeline;
    let chains = {
        let fragments: Option<Vec<Fragment<'_>>> =
            pieces.iter().map(|piece| fragment(piece, tracks, (&timeline, boxes))).collect();
        // Every observation has a frame and a box; were it otherwise, nothing could be said about the pieces.
        let Some(fragments) = fragments else { return pieces };
        chains(&fragments, rules)
    };
    let mut pieces: Vec<Option<FinalTrack>> = pieces.into_iter().map(Some).collect();
    chains
        .into_iter()
        .filter_map(|chain| {
            merge(chain.into_iter().filter_map(|place| pieces[place].take()).collect(), sample_limit)
        })
        .collect()
}

fn fragment<'a>(
    piece: &'a FinalTrack,
    tracks: &Tracks,
    (timeline, boxes): (&Timeline, &BTreeMap<FaceId, BBox>),
) -> Option<Fragment<'a>> {
    let end = |face: FaceId| {
        let place = tracks.frames.binary_search_by_key(&face.frame_idx, |frame| frame.frame_idx).ok()?;
        let ts = timeline.seconds(tracks.frames[place].pts);
        Some(End { face, ts, bbox: *boxes.get(&face)? })
    };
    Some(Fragment {
        shot: piece.shot,
        first: end(*piece.observations.first()?)?,
        last: end(*piece.observations.last()?)?,
        prototype: piece.prototype.as_ref().map(|prototype| &prototype.embedding),
    })
}

/// What the embed stage found, by tracklet.
struct Findings {
    splits: BTreeMap<u32, Vec<GateSplit>>,
    prototypes: BTreeMap<(u32, u32), Prototype>,
    chosen: BTreeMap<u32, Vec<ChosenFace>>,
}

impl Findings {
    fn collect(batches: Vec<EmbedBatch>, parts: Vec<EmbeddingsPart>) -> Self {
        let mut findings =
            Self { splits: BTreeMap::new(), prototypes: BTreeMap::new(), chosen: BTreeMap::new() };
        for (batch, part) in batches.into_iter().zip(parts) {
            for (chosen, embedded) in batch.faces.into_iter().zip(part.faces) {
                findings.chosen.entry(chosen.tracklet).or_default().push(ChosenFace { chosen, embedded });
            }
            for split in part.splits {
                findings.splits.entry(split.tracklet).or_default().push(split);
            }
            for prototype in part.prototypes {
                findings.prototypes.insert((prototype.tracklet, prototype.piece), prototype);
            }
        }
        findings
    }

    /// The chosen faces of `tracklet` that are among `observations`.
    fn take_chosen(&self, tracklet: u32, observations: &[FaceId]) -> Vec<ChosenFace> {
        let of_tracklet = self.chosen.get(&tracklet).map_or(&[][..], Vec::as_slice);
        of_tracklet
            .iter()
            .filter(|face| observations.binary_search(&face.chosen.face).is_ok())
            .cloned()
            .collect()
    }
}

/// A tracklet's observations cut at its splits: always one piece more than splits, some may be empty.
fn pieces(observations: &[FaceId], splits: &[GateSplit], boxes: &BTreeMap<FaceId, BBox>) -> Vec<Vec<FaceId>> {
    let mut pieces = Vec::with_capacity(splits.len() + 1);
    let mut start = 0;
    for split in splits {
        let end = start + cut_place(&observations[start..], split, boxes);
        pieces.push(observations[start..end].to_vec());
        start = end;
    }
    pieces.push(observations[start..].to_vec());
    pieces
}

/// How many of `observations` still show the person before `split`: the change lies somewhere after the last face that
/// was seen to be the old person, up to the first that was seen to be the new one; the boxes overlap least there.
fn cut_place(observations: &[FaceId], split: &GateSplit, boxes: &BTreeMap<FaceId, BBox>) -> usize {
    let first_possible = observations.partition_point(|id| *id <= split.after).max(1);
    let last_possible = observations.partition_point(|id| *id < split.first);
    (first_possible..=last_possible)
        .map(|place| (place, overlap(observations, place, boxes)))
        .min_by(|a, b| a.1.total_cmp(&b.1))
        .map_or(last_possible, |(place, _)| place)
}

/// `IoU` of the boxes on both sides of a cut before observation `place`.
fn overlap(observations: &[FaceId], place: usize, boxes: &BTreeMap<FaceId, BBox>) -> f32 {
    let side = |at: usize| observations.get(at).and_then(|id| boxes.get(id));
    side(place - 1).zip(side(place)).map_or(1.0, |(a, b)| a.iou(b))
}

fn boxes(frames: &[FrameFaces]) -> BTreeMap<FaceId, BBox> {
    let mut boxes = BTreeMap::new();
    for frame in frames {
        for (ordinal, face) in frame.faces.iter().enumerate() {
            let id = FaceId { frame_idx: frame.frame_idx, ordinal: ordinal as u32 };
            boxes.insert(id, face.detection.bbox);
        }
    }
    boxes
}

/// Tells each face its final track, or that its piece was too short.
fn settle_fates(tracks: &mut Tracks, finals: &[FinalTrack], dropped: &[FaceId]) {
    let mut fates: BTreeMap<FaceId, Result<u32, Untracked>> = BTreeMap::new();
    fates.extend(dropped.iter().map(|id| (*id, Err(Untracked::SplitTooShort))));
    for (place, track) in finals.iter().enumerate() {
        fates.extend(track.observations.iter().map(|id| (*id, Ok(place as u32))));
    }
    for frame in &mut tracks.frames {
        for (ordinal, face) in frame.faces.iter_mut().enumerate() {
            let id = FaceId { frame_idx: frame.frame_idx, ordinal: ordinal as u32 };
            if let Some(fate) = fates.get(&id) {
                face.fate = *fate;
            }
        }
    }
}
