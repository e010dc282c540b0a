//! A hand-made episode: what the stages before export leave in the store, small enough to reason about.
//!
//! 24 frames a second, every 6th analysed. Faces walk through stretches of analysed frames; the vector of each person
//! lies near an axis of its own.

use std::collections::BTreeMap;
use std::ops::Range;

use facereel_domain::detection::{ChipRef, Detection, FaceQuality};
use facereel_domain::digest::Sha256Digest;
use facereel_domain::embedding::Embedding;
use facereel_domain::geometry::{BBox, Landmarks, Point, Size};
use facereel_domain::ids::{BatchIndex, FaceId, RunRef, SegmentIndex, ShotIndex};
use facereel_domain::settings::PipelineSettings;
use facereel_domain::shot::{Shot, ShotStart};
use facereel_domain::source::SourceIdentity;
use facereel_domain::time::{Pts, Rational, Timeline};
use facereel_messages::objects::{
    DetectionCounts, EmbedBatch, EmbeddedFace, EmbeddingsPart, FacePurpose, FaceToEmbed, FrameFaces,
    GateSplit, ModelRecord, Prototype, RunRequest, SeenFace, Source, SplitReason, Timestamps, Tracklet,
    Tracks, Untracked, VideoFacts,
};

/// Frames from one analysed frame to the next.
pub(crate) const STRIDE: u64 = 6;
/// Length of the vectors.
pub(crate) const DIM: usize = 8;
/// The gate that refuses faces here.
pub(crate) const GATE: &str = "blurred";

const TICKS_PER_FRAME: i64 = 1000;
const FIRST_PTS: i64 = 2000;
const FRAME: Size = Size { width: 1920, height: 1080 };

/// Everything that export reads.
#[derive(Clone)]
pub(crate) struct Episode {
    pub(crate) request: RunRequest,
    pub(crate) tracks: Tracks,
    pub(crate) batches: Vec<EmbedBatch>,
    pub(crate) parts: Vec<EmbeddingsPart>,
    /// Chips by segment.
    pub(crate) packs: [Vec<u8>; 2],
    persons: BTreeMap<FaceId, usize>,
}

/// A face in each analysed frame of a stretch.
#[derive(Clone)]
pub(crate) struct Walk {
    pub(crate) person: usize,
    pub(crate) frames: Range<usize>,
    /// From this analysed frame on it is somebody else, at another place.
    pub(crate) becomes: Option<(usize, usize)>,
}

impl Walk {
    pub(crate) fn of(person: usize, frames: Range<usize>) -> Self {
        Self { person, frames, becomes: None }
    }

    pub(crate) fn becoming(self, person: usize, at: usize) -> Self {
        Self { becomes: Some((at, person)), ..self }
    }

    fn person_at(&self, frame: usize) -> usize {
        self.becomes.filter(|(at, _)| frame >= *at).map_or(self.person, |(_, person)| person)
    }
}

impl Episode {
    /// An episode without faces: analysed frames, and those that begin a shot.
    pub(crate) fn blank(frames: usize, shot_starts: &[usize]) -> Self {
        let timeline = Timeline {
            time_base: Rational::new(1, 24_000).unwrap(),
            first_pts: Pts(FIRST_PTS),
            fps: Rational::new(24, 1).unwrap(),
        };
        let source_frames = frames as u64 * STRIDE;
        let tracks = Tracks {
            video: VideoFacts {
                container: "mov,mp4,m4a,3gp,3g2,mj2".to_owned(),
                codec: "h264".to_owned(),
                pixel_format: "yuv420p".to_owned(),
                bit_depth: 8,
                size: FRAME,
                rotation_deg: 0,
                timeline,
                timestamps: Timestamps::Container,
                temporal_layers: 1,
                frames: source_frames,
                duration_sec: source_frames as f64 / 24.0,
            },
            shots: shots(frames, shot_starts),
            frames: (0..frames).map(|place| blank_frame(place, frames, shot_starts)).collect(),
            tracklets: Vec::new(),
            batches: 0,
            counts: DetectionCounts { frames_decoded: source_frames, ..DetectionCounts::default() },
            warnings: vec!["the container gives no frame count".to_owned()],
        };
        Self {
            request: request(),
            tracks,
            batches: Vec::new(),
            parts: Vec::new(),
            packs: [Vec::new(), Vec::new()],
            persons: BTreeMap::new(),
        }
    }

    /// Two shots; two people in the first; in the second one who becomes another, one who is there for three frames,
    /// and one whose other half is too short; and detections without a track of three kinds.
    pub(crate) fn typical() -> Self {
        let mut episode = Self::blank(40, &[0, 20]);
        episode.walk(&Walk::of(0, 0..20));
        episode.walk(&Walk::of(1, 2..18));
        episode.walk(&Walk::of(2, 20..40).becoming(3, 30));
        episode.walk(&Walk::of(4, 22..25));
        episode.walk(&Walk::of(5, 26..34).becoming(6, 32));
        episode.stray(5, Untracked::TooSmall);
        episode.stray(6, Untracked::LowConfidence);
        episode.stray(36, Untracked::TrackTooShort);
        episode.embed();
        episode
    }

    /// Adds a tracklet; tracklets are added in order of first appearance.
    pub(crate) fn walk(&mut self, walk: &Walk) {
        let number = self.tracks.tracklets.len() as u32;
        let shot = self.tracks.frames[walk.frames.start].shot;
        let observations = walk.frames.clone().map(|place| {
            let person = walk.person_at(place);
            let x = 50.0 + 180.0 * person as f32 + 8.0 * (place - walk.frames.start) as f32;
            let id = self.see(place, (x, Ok(number)));
            self.persons.insert(id, person);
            id
        });
        let observations = observations.collect();
        self.tracks.tracklets.push(Tracklet { shot, observations });
    }

    /// Adds a detection without a track.
    pub(crate) fn stray(&mut self, place: usize, why: Untracked) {
        self.see(place, (1800.0, Err(why)));
    }

    /// Adds a face to a frame; the more are there, the less sure it is, so that the order is right.
    fn see(&mut self, place: usize, (x, fate): (f32, Result<u32, Untracked>)) -> FaceId {
        let frame = &mut self.tracks.frames[place];
        let id = FaceId { frame_idx: frame.frame_idx, ordinal: frame.faces.len() as u32 };
        let (y, side) = (200.0 + 0.333 * place as f32, 100.0);
        let looked_at = fate != Err(Untracked::TooSmall);
        let chip = looked_at.then(|| add_chip(&mut self.packs[frame.segment.index()], id));
        let detection = Detection {
            bbox: BBox::from_xyxy([x, y, x + side, y + side]).unwrap(),
            landmarks: Landmarks(
                [(30, 40), (70, 40), (50, 60), (35, 80), (65, 80)]
                    .map(|(dx, dy)| Point { x: x + dx as f32, y: y + dy as f32 }),
            ),
            confidence: 0.95 - 0.05 * id.ordinal as f32,
            quality: looked_at.then(|| quality(0.9 - 0.1 * (place % 3) as f32)),
            chip,
        };
        frame.faces.push(SeenFace { detection, fate });
        id
    }

    /// Chooses every third face of each tracklet, refuses every seventh of those, and finds each change of person.
    pub(crate) fn embed(&mut self) {
        self.batches.clear();
        self.parts.clear();
        let numbers: Vec<u32> = (0..self.tracks.tracklets.len() as u32).collect();
        for (batch, numbers) in (0..).map(BatchIndex).zip(numbers.chunks(2)) {
            let mut part = EmbeddingsPart {
                batch,
                faces: Vec::new(),
                splits: Vec::new(),
                prototypes: Vec::new(),
                rejoin: Some(0.5),
                warnings: Vec::new(),
            };
            let mut faces = Vec::new();
            for number in numbers {
                self.embed_tracklet(*number, (&mut faces, &mut part));
            }
            self.batches.push(EmbedBatch { batch, faces });
            self.parts.push(part);
        }
        self.tracks.batches = self.batches.len() as u32;
    }

    fn embed_tracklet(&self, tracklet: u32, (faces, part): (&mut Vec<FaceToEmbed>, &mut EmbeddingsPart)) {
        let observations = &self.tracks.tracklets[tracklet as usize].observations;
        let mut before: Option<FaceId> = None;
        let mut piece = 0;
        for (nth, id) in observations.iter().step_by(3).enumerate() {
            let person = self.persons[id];
            let after = before.filter(|before| self.persons[before] != person);
            let is_new = before.is_none() || after.is_some();
            if let Some(after) = after {
                piece += 1;
                let reason = SplitReason::Hard;
                part.splits.push(GateSplit { tracklet, after, first: *id, reason, similarity: 0.05 });
            }
            if is_new {
                let embedding = vector(person, 0);
                part.prototypes.push(Prototype { tracklet, piece, embedding, cohesion: 0.97 });
            }
            let outcome = if nth % 7 == 3 { Err(GATE.to_owned()) } else { Ok(vector(person, nth)) };
            let gate_similarity = (nth > 0).then_some(0.9);
            part.faces.push(EmbeddedFace { face: *id, tracklet, outcome, gate_similarity });
            faces.push(self.to_embed(*id, tracklet));
            before = Some(*id);
        }
    }

    fn to_embed(&self, face: FaceId, tracklet: u32) -> FaceToEmbed {
        let frame = &self.tracks.frames[(face.frame_idx / STRIDE) as usize];
        let detection = &frame.faces[face.ordinal as usize].detection;
        FaceToEmbed {
            face,
            tracklet,
            ts: self.tracks.video.timeline.seconds(frame.pts),
            segment: frame.segment,
            chip: detection.chip.unwrap(),
            landmarks: detection.landmarks,
            short_side_px: detection.bbox.short_side(),
            confidence: detection.confidence,
            quality: detection.quality.unwrap(),
            purpose: FacePurpose::SampleAndGate,
            jumped: false,
        }
    }

    /// The frame repeats the one before it, chips and all.
    pub(crate) fn reuse(&mut self, place: usize) {
        let before: Vec<_> =
            self.tracks.frames[place - 1].faces.iter().map(|f| f.detection.clone()).collect();
        let frame = &mut self.tracks.frames[place];
        frame.reused = true;
        for (face, detection) in frame.faces.iter_mut().zip(before) {
            face.detection = detection;
        }
    }
}

/// A vector of the person, unlike the person's other ones.
pub(crate) fn vector(person: usize, nth: usize) -> Embedding {
    let mut raw = vec![0.0; DIM];
    raw[person % DIM] = 1.0;
    raw[(person + 1 + nth % (DIM - 1)) % DIM] += 0.1;
    Embedding::normalized(raw).unwrap()
}

fn pts(frame_idx: u64) -> Pts {
    Pts(FIRST_PTS + frame_idx as i64 * TICKS_PER_FRAME)
}

fn blank_frame(place: usize, frames: usize, shot_starts: &[usize]) -> FrameFaces {
    let frame_idx = place as u64 * STRIDE;
    FrameFaces {
        pts: pts(frame_idx),
        frame_idx,
        shot: ShotIndex(shot_starts.partition_point(|start| *start <= place) as u32 - 1),
        // Not where a shot ends: chips of one track lie in two packs.
        segment: SegmentIndex(u32::from(place >= frames * 2 / 5)),
        reused: false,
        faces: Vec::new(),
    }
}

fn shots(frames: usize, starts: &[usize]) -> Vec<Shot> {
    let ends = starts.iter().skip(1).copied().chain([frames]);
    let shot = |(place, (start, end)): (usize, (&usize, usize))| Shot {
        index: ShotIndex(place as u32),
        start: if place == 0 { ShotStart::Start } else { ShotStart::Cut },
        first_pts: pts(*start as u64 * STRIDE),
        last_pts: pts(end as u64 * STRIDE - 1),
    };
    starts.iter().zip(ends).enumerate().map(shot).collect()
}

/// The shell of a JPEG, enough to be told apart from others.
fn add_chip(pack: &mut Vec<u8>, id: FaceId) -> ChipRef {
    let offset = pack.len() as u64;
    pack.extend([0xFF, 0xD8, 0xFF, 0xE0]);
    pack.extend(format!("chip of {id}").bytes());
    pack.extend([0xFF, 0xD9]);
    ChipRef { offset, len: (pack.len() as u64 - offset) as u32, origin_px: [20, 170], scale: 1.0 }
}

pub(crate) fn quality(score: f32) -> FaceQuality {
    let (yaw_deg, pitch_deg, roll_deg) = (-3.25, 1.0, 0.5);
    FaceQuality { score, sharpness: 0.8, brightness: 0.5, contrast: 0.6, yaw_deg, pitch_deg, roll_deg }
}

fn request() -> RunRequest {
    let model = |role: &str, name: &str| ModelRecord {
        role: role.to_owned(),
        name: name.to_owned(),
        sha256: Sha256Digest::of(name.as_bytes()),
        licence: "MIT".to_owned(),
    };
    let sampled_sha256 = Sha256Digest::of(b"a video");
    RunRequest {
        run: RunRef { ep_id: "TEST-S01E01".parse().unwrap(), run_id: "0123456789abcdef".parse().unwrap() },
        source: Source {
            url: "file:///videos/episode.mp4".to_owned(),
            identity: SourceIdentity { size_bytes: 12_345, sampled_sha256, whole_sha256: None },
            etag: None,
        },
        pipeline: PipelineSettings::default(),
        models: vec![model("detector", "yunet"), model("embedder", "sface")],
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}
