//! One value of every format, each field with a value of its own.

mod settings;

use facereel_domain::detection::{ChipRef, Detection, FaceQuality};
use facereel_domain::digest::Sha256Digest;
use facereel_domain::embedding::Embedding;
use facereel_domain::geometry::{BBox, Landmarks, Point, Size};
use facereel_domain::ids::{BatchIndex, FaceId, RunRef, SegmentIndex, ShotIndex};
use facereel_domain::pipeline::Lane;
use facereel_domain::shot::{Shot, ShotStart, Thumbnail};
use facereel_domain::source::SourceIdentity;
use facereel_domain::time::{Pts, PtsRange, Rational, Timeline};
use facereel_messages::jobs::{DetectJob, EmbedJob, ExportJob, JobAddress, PlanJob, TrackJob};
use facereel_messages::objects::{
    AnalysedFrame, DecodedFrame, DetectionCounts, DetectionsPart, EmbedBatch, EmbeddedFace, EmbeddingsPart,
    FacePurpose, FaceToEmbed, FrameFaces, FrameOrigin, GateSplit, ModelRecord, Plan, PlannedSegment,
    Prototype, RunRequest, SeenFace, Source, SplitReason, Timestamps, Tracklet, Tracks, Untracked,
    VideoFacts,
};

/// Calls the macro `$check` with the value of every format, one after the other.
#[macro_export]
macro_rules! for_every_format {
    ($check:ident) => {{
        $check!(&$crate::values::plan_job());
        $check!(&$crate::values::detect_job());
        $check!(&$crate::values::track_job());
        $check!(&$crate::values::embed_job());
        $check!(&$crate::values::export_job());
        $check!(&$crate::values::run_request());
        $check!(&$crate::values::plan());
        $check!(&$crate::values::detections_part());
        $check!(&$crate::values::tracks());
        $check!(&$crate::values::embed_batch());
        $check!(&$crate::values::embeddings_part());
    }};
}

fn address() -> JobAddress {
    let run = RunRef {
        ep_id: "TEST-S01E01".parse().expect("an episode id"),
        run_id: "0123456789abcdef".parse().expect("a run id"),
    };
    JobAddress { run, lane: Lane::Backfill }
}

pub(crate) fn plan_job() -> PlanJob {
    PlanJob { address: address() }
}

pub(crate) fn detect_job() -> DetectJob {
    DetectJob { address: address(), segment: SegmentIndex(3), segments: 40 }
}

pub(crate) fn track_job() -> TrackJob {
    TrackJob { address: address(), segments: 40 }
}

pub(crate) fn embed_job() -> EmbedJob {
    EmbedJob { address: address(), batch: BatchIndex(2), batches: 9 }
}

pub(crate) fn export_job() -> ExportJob {
    ExportJob { address: address(), batches: 9 }
}

pub(crate) fn run_request() -> RunRequest {
    let identity = SourceIdentity {
        size_bytes: 1_234_567,
        sampled_sha256: Sha256Digest::of(b"some blocks"),
        whole_sha256: Some(Sha256Digest::of(b"all of it")),
    };
    let model = |role: &str, name: &str| ModelRecord {
        role: role.to_owned(),
        name: name.to_owned(),
        sha256: Sha256Digest::of(name.as_bytes()),
        licence: "Apache-2.0".to_owned(),
    };
    RunRequest {
        run: address().run,
        source: Source { url: "file:///videos/a.mp4".to_owned(), identity, etag: None },
        pipeline: settings::pipeline(),
        models: vec![model(ModelRecord::DETECTOR, "yunet"), model(ModelRecord::EMBEDDER, "sface")],
        program_version: "0.1.0".to_owned(),
    }
}

fn video() -> VideoFacts {
    let rational = |num, den| Rational::new(num, den).expect("positive");
    VideoFacts {
        container: "mov,mp4".to_owned(),
        codec: "h264".to_owned(),
        pixel_format: "yuv420p".to_owned(),
        bit_depth: 8,
        size: Size { width: 1920, height: 1080 },
        rotation_deg: 90,
        timeline: Timeline {
            time_base: rational(1, 24_000),
            first_pts: Pts(-1001),
            fps: rational(24_000, 1001),
        },
        timestamps: Timestamps::Container,
        temporal_layers: 1,
        frames: 57_600,
        duration_sec: 2402.4,
    }
}

pub(crate) fn plan() -> Plan {
    let segment = PlannedSegment {
        index: SegmentIndex(0),
        range: PtsRange { start: None, end: Some(Pts(96_000)) },
        frames: 97,
        sampled: vec![Pts(-1001), Pts(5005), Pts(11_011)],
        fresh: vec![Pts(-1001)],
    };
    let last = PlannedSegment {
        index: SegmentIndex(1),
        range: PtsRange { start: Some(Pts(96_000)), end: None },
        frames: 1,
        sampled: Vec::new(),
        fresh: Vec::new(),
    };
    Plan { video: video(), segments: vec![segment, last], warnings: vec!["odd".to_owned()] }
}

fn thumbnail(level: u8) -> Thumbnail {
    let luma = (0..576_u32).map(|i| (i % 200) as u8 + level).collect();
    Thumbnail::new(luma, vec![120; 144], vec![130; 144]).expect("planes of the right length")
}

fn quality() -> FaceQuality {
    FaceQuality {
        score: 0.75,
        sharpness: 0.5,
        brightness: 0.4,
        contrast: 0.3,
        yaw_deg: -12.5,
        pitch_deg: 3.25,
        roll_deg: 1.5,
    }
}

const CHIP: ChipRef = ChipRef { offset: 4096, len: 5000, origin_px: [80, 40], scale: 0.5 };
const FACE: FaceId = FaceId { frame_idx: 6, ordinal: 0 };

fn landmarks() -> Landmarks {
    Landmarks(
        [[120.0, 90.0], [160.5, 91.0], [140.0, 110.25], [125.0, 130.0], [158.0, 131.0]].map(Point::from),
    )
}

fn detection() -> Detection {
    let bbox = BBox::from_xyxy([100.0, 50.5, 180.0, 150.0]).expect("a box");
    Detection { bbox, landmarks: landmarks(), confidence: 0.875, quality: Some(quality()), chip: Some(CHIP) }
}

const COUNTS: DetectionCounts = DetectionCounts {
    frames_decoded: 97,
    frames_skipped: 40,
    frames_broken: 1,
    frames_damaged: 3,
    detector_calls: 15,
    boxes_refused: 2,
};

pub(crate) fn detections_part() -> DetectionsPart {
    let small = Detection { quality: None, chip: None, confidence: 0.25, ..detection() };
    DetectionsPart {
        segment: SegmentIndex(3),
        decoded: vec![DecodedFrame { pts: Pts(5005), change: 0.125, mean: 101.5, spread: 33.25 }],
        edges: Some((thumbnail(0), thumbnail(9))),
        analysed: vec![AnalysedFrame {
            pts: Pts(5005),
            origin: FrameOrigin::ShotCandidate,
            reused: true,
            wide: true,
            thumbnail: thumbnail(4),
            detections: vec![detection(), small],
        }],
        counts: COUNTS,
    }
}

pub(crate) fn tracks() -> Tracks {
    let face = |fate| SeenFace { detection: detection(), fate };
    Tracks {
        video: video(),
        shots: vec![Shot {
            index: ShotIndex(0),
            start: ShotStart::Dissolve,
            first_pts: Pts(-1001),
            last_pts: Pts(96_000),
        }],
        frames: vec![FrameFaces {
            pts: Pts(5005),
            frame_idx: 6,
            shot: ShotIndex(0),
            segment: SegmentIndex(0),
            reused: false,
            faces: vec![face(Ok(0)), face(Err(Untracked::TrackTooShort))],
        }],
        tracklets: vec![Tracklet { shot: ShotIndex(0), observations: vec![FACE] }],
        batches: 1,
        counts: COUNTS,
        warnings: vec!["1 frames could not be decoded and are missing".to_owned()],
    }
}

pub(crate) fn embed_batch() -> EmbedBatch {
    let face = FaceToEmbed {
        face: FACE,
        tracklet: 0,
        ts: 0.250_25,
        segment: SegmentIndex(0),
        chip: CHIP,
        landmarks: landmarks(),
        short_side_px: 80.0,
        confidence: 0.875,
        quality: quality(),
        purpose: FacePurpose::SampleAndGate,
        jumped: true,
    };
    EmbedBatch { batch: BatchIndex(2), faces: vec![face] }
}

pub(crate) fn embeddings_part() -> EmbeddingsPart {
    let vector = Embedding::normalized(vec![0.6, 0.8, 0.0, -0.1]).expect("a direction");
    let face = |outcome| EmbeddedFace { face: FACE, tracklet: 0, outcome, gate_similarity: Some(0.5) };
    EmbeddingsPart {
        batch: BatchIndex(2),
        faces: vec![face(Ok(vector.clone())), face(Err("blurred".to_owned()))],
        splits: vec![GateSplit {
            tracklet: 0,
            after: FACE,
            first: FaceId { frame_idx: 12, ordinal: 1 },
            reason: SplitReason::Streak,
            similarity: 0.125,
        }],
        prototypes: vec![Prototype { tracklet: 0, piece: 1, embedding: vector, cohesion: 0.9 }],
        rejoin: None,
        warnings: Vec::new(),
    }
}
