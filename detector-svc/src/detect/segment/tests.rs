//! Segments of a small clip with a detector that sees one face in every picture.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use super::*;
use crate::plan::{info_of, plan_video};
use facereel_domain::detection::FaceQuality;
use facereel_domain::geometry::{BBox, Landmarks, Point};
use facereel_domain::settings::DetectSettings;
use facereel_imaging::RgbImage;
use facereel_inference::{Candidate, InferenceError};
use facereel_messages::objects::Plan;
use facereel_service::ComputePool;
use facereel_service::cpu::CpuLimit;
use facereel_service::progress::NoProgress;
use facereel_service::stage::Disposition;
use facereel_store::MemoryStore;
use facereel_video_decode::{Input, Selection, SkipMode};
use tokio_util::sync::CancellationToken;

/// A second and two frames of nothing that moves, then a cut, then a second of movement; a keyframe every 12 frames.
fn clip(folder: &Path) -> PathBuf {
    film(folder, "lt(n,26)")
}

/// Two seconds of movement, and a picture that stands still in the frames `still`; a keyframe every 12 frames.
fn film(folder: &Path, still: &str) -> PathBuf {
    let graph = format!(
        "testsrc2=size=320x180:rate=24:duration=2[moving];smptebars=size=320x180:rate=24[still];\
         [moving][still]overlay=shortest=1:enable='{still}'"
    );
    encode(folder, &graph, "-c:v libx264 -g 12 -bf 2 -sc_threshold 0 -qp 10")
}

/// A video of what ffmpeg's filter `graph` draws.
fn encode(folder: &Path, graph: &str, codec: &str) -> PathBuf {
    let file = folder.join("clip.mov");
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", graph, "-pix_fmt", "yuv420p"])
        .args(codec.split_whitespace())
        .arg(&file)
        .status()
        .expect("ffmpeg is installed: run `make test`");
    assert!(made.success());
    file
}

/// Overwrites these frames of a video without B-frames, so that they can't be decoded.
fn destroy(file: &Path, lost: impl Iterator<Item = usize>) {
    let listed = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "packet=pos,size", "-of", "csv=p=0"])
        .arg(file)
        .output()
        .expect("ffprobe is installed: run `make test`");
    let listed = String::from_utf8(listed.stdout).unwrap();
    let packets: Vec<&str> = listed.lines().collect();
    let mut bytes = std::fs::read(file).unwrap();
    for frame in lost {
        let (size, place) = packets[frame].split_once(',').unwrap();
        let (size, place): (usize, usize) = (size.parse().unwrap(), place.parse().unwrap());
        bytes[place..place + size].fill(0);
    }
    std::fs::write(file, bytes).unwrap();
}

/// Sees one face in every picture, half as high as the picture or of 10 pixels.
#[derive(Clone, Copy, PartialEq)]
enum OneFace {
    Large,
    Small,
}

impl FaceDetector for OneFace {
    fn detect(&mut self, image: &RgbImage) -> Result<Vec<Candidate>, InferenceError> {
        let side = if *self == Self::Large { image.size().height as f32 / 2.0 } else { 10.0 };
        let points = [[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]];
        let landmarks = Landmarks(points.map(|[x, y]| Point { x: x * side, y: y * side }));
        Ok(vec![Candidate { corners: [0.0, 0.0, side, side], confidence: 0.9, landmarks }])
    }

    fn detect_wide(&mut self, image: &RgbImage, _: &RgbImage) -> Result<Vec<Candidate>, InferenceError> {
        self.detect(image)
    }

    fn smallest_face_px(&self) -> f32 {
        12.0
    }
}

/// Sees a small face in the wide from the second wide look on, and nothing else.
#[derive(Default)]
struct LateSmallFace {
    wide_looks: u32,
}

impl FaceDetector for LateSmallFace {
    fn detect(&mut self, _: &RgbImage) -> Result<Vec<Candidate>, InferenceError> {
        Ok(Vec::new())
    }

    fn detect_wide(&mut self, image: &RgbImage, _: &RgbImage) -> Result<Vec<Candidate>, InferenceError> {
        self.wide_looks += 1;
        if self.wide_looks > 1 { OneFace::Small.detect(image) } else { Ok(Vec::new()) }
    }

    fn smallest_face_px(&self) -> f32 {
        12.0
    }
}

fn context() -> StageContext {
    StageContext {
        store: Arc::new(MemoryStore::default()),
        compute: ComputePool::new("test", 1).unwrap(),
        cpu: Arc::new(CpuLimit::new(0)),
        progress: Arc::new(NoProgress),
        shutdown: CancellationToken::new(),
    }
}

fn settings(segment_sec: f64) -> PipelineSettings {
    let detect = DetectSettings { stride: 6, stride_snap: 0, segment_sec, ..DetectSettings::default() };
    PipelineSettings { detect, ..PipelineSettings::default() }
}

fn plan(file: &Path, settings: &PipelineSettings) -> Plan {
    plan_video(&Input::File(file.to_owned()), &settings.detect).unwrap()
}

fn run(
    file: &Path,
    (plan, place): (&Plan, usize),
    (settings, context): (&PipelineSettings, &StageContext),
) -> Result<SegmentResult, StageError> {
    run_with(OneFace::Large, file, (plan, place), (settings, context))
}

fn run_with(
    mut detector: impl FaceDetector,
    file: &Path,
    (plan, place): (&Plan, usize),
    (settings, context): (&PipelineSettings, &StageContext),
) -> Result<SegmentResult, StageError> {
    let segment = &plan.segments[place];
    let selection = Selection::Wanted { pts: segment.sampled.clone(), skip: SkipMode::None };
    let input = Input::File(file.to_owned());
    let mut decoder = SegmentDecoder::open(&input, &info_of(&plan.video), segment.range, selection).unwrap();
    let timeline = plan.video.timeline;
    SegmentTask {
        segment,
        samples: plan.samples_around(segment.index),
        timeline,
        settings,
        inputs: InputSizes { near: plan.video.size, wide: Some(plan.video.size) },
        context,
    }
    .run(&mut decoder, &mut detector)
}

/// Frame number, origin and whether detections were reused, of each analysed frame.
fn analysed(results: &[SegmentResult], plan: &Plan) -> Vec<(u64, FrameOrigin, bool)> {
    let frames = results.iter().flat_map(|result| &result.part.analysed);
    frames.map(|f| (plan.video.timeline.frame_idx(f.pts), f.origin, f.reused)).collect()
}

#[test]
fn still_pictures_are_looked_at_once_a_keyframe_and_a_cut_at_its_first_frame() {
    let folder = tempfile::tempdir().unwrap();
    let (file, settings) = (clip(folder.path()), settings(60.0));
    let plan = plan(&file, &settings);
    let result = run(&file, (&plan, 0), (&settings, &context())).unwrap();
    let expected = [(0, false), (6, true), (12, false), (18, true), (24, false)];
    let seen = analysed(std::slice::from_ref(&result), &plan);
    let still: Vec<(u64, bool)> = seen.iter().take(5).map(|(at, _, reused)| (*at, *reused)).collect();
    assert_eq!(still, expected);
    assert_eq!(seen[5], (26, FrameOrigin::ShotCandidate, false));
    let fresh = seen.iter().filter(|(_, _, reused)| !reused).count();
    assert_eq!(result.part.counts.detector_calls, fresh as u64);
}

#[test]
fn a_shot_with_too_few_samples_is_looked_at_between_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = film(folder.path(), "between(n,26,33)");
    let settings = settings(60.0);
    let plan = plan(&file, &settings);
    let fillers_of = |settings: &PipelineSettings| {
        let result = run(&file, (&plan, 0), (settings, &context())).unwrap();
        let pts: Vec<_> = result.part.analysed.iter().map(|frame| frame.pts).collect();
        assert!(pts.is_sorted(), "{pts:?}");
        let seen = analysed(std::slice::from_ref(&result), &plan);
        seen.iter().filter(|f| f.1 == FrameOrigin::ShotFiller).map(|f| f.0).collect::<Vec<_>>()
    };
    // Frame 26 begins it, 30 is sampled, 34 begins the next.
    assert_eq!(fillers_of(&settings), [27, 33]);
    let mut two = settings.clone();
    two.track.min_observations = 2;
    assert!(fillers_of(&two).is_empty());
}

#[test]
fn samples_that_are_lost_do_not_make_a_shot_short() {
    let folder = tempfile::tempdir().unwrap();
    let file = encode(folder.path(), "testsrc2=size=320x180:rate=24:duration=2", "-c:v mjpeg -q:v 3");
    let settings = settings(60.0);
    let plan = plan(&file, &settings);
    destroy(&file, (6..48).step_by(6));
    let result = run(&file, (&plan, 0), (&settings, &context())).unwrap();
    assert_eq!(result.part.counts.frames_broken, 7);
    assert_eq!(result.part.decoded.len(), 41);
    assert_eq!(analysed(&[result], &plan), [(0, FrameOrigin::Sampled, false)]);
}

/// What came of a sampled frame.
#[derive(PartialEq)]
struct SeenSample {
    frame_idx: u64,
    reused: bool,
    wide: bool,
    face: BBox,
    quality: Option<FaceQuality>,
    chip: Vec<u8>,
}

/// What came of the sampled frames of `file`, and of how many segments.
fn seen_in_samples(file: &Path, settings: &PipelineSettings) -> (usize, Vec<SeenSample>) {
    let plan = plan(file, settings);
    let mut seen = Vec::new();
    for place in 0..plan.segments.len() {
        let result = run(file, (&plan, place), (settings, &context())).unwrap();
        for frame in result.part.analysed.iter().filter(|f| f.origin == FrameOrigin::Sampled) {
            let face = &frame.detections[0];
            let chip = face.chip.unwrap();
            seen.push(SeenSample {
                frame_idx: plan.video.timeline.frame_idx(frame.pts),
                reused: frame.reused,
                wide: frame.wide,
                face: face.bbox,
                quality: face.quality,
                chip: result.pack[chip.offset as usize..][..chip.len as usize].to_vec(),
            });
        }
    }
    (plan.segments.len(), seen)
}

/// What is seen in the samples of `file`, be it one segment or several, which have to be four.
fn seen_wherever_segments_begin(file: &Path, settings: impl Fn(f64) -> PipelineSettings) -> Vec<SeenSample> {
    let (one, whole) = seen_in_samples(file, &settings(60.0));
    let (several, pieces) = seen_in_samples(file, &settings(0.5));
    assert_eq!((one, several), (1, 4), "segments");
    assert!(whole == pieces);
    whole
}

#[test]
fn what_is_seen_does_not_depend_on_where_segments_begin() {
    let folder = tempfile::tempdir().unwrap();
    seen_wherever_segments_begin(&clip(folder.path()), settings);
}

#[test]
fn nor_where_the_first_sample_after_a_keyframe_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let graph = "smptebars=size=320x180:rate=24:duration=2";
    let file = encode(folder.path(), graph, "-c:v libx264 -g 12 -bf 0 -sc_threshold 0 -qp 10");
    destroy(&file, [14].into_iter());
    let settings = |segment_sec| {
        let mut settings = settings(segment_sec);
        settings.detect.stride = 7;
        settings
    };
    let seen = seen_wherever_segments_begin(&file, settings);
    let reused: Vec<(u64, bool)> = seen.iter().map(|s| (s.frame_idx, s.reused)).collect();
    assert_eq!(reused, [(0, false), (7, true), (21, false), (28, false), (35, true), (42, false)]);
}

#[test]
fn a_still_picture_is_looked_at_in_the_wide_as_soon_as_a_moving_one() {
    let folder = tempfile::tempdir().unwrap();
    // Something small disappears, then nothing moves.
    let graph = "smptebars=size=320x180:rate=24:duration=2,drawbox=enable='lt(n,5)':w=40:h=40:t=fill";
    let file = encode(folder.path(), graph, "-c:v libx264 -g 48 -sc_threshold 0 -qp 10");
    let mut settings = settings(60.0);
    settings.detect.min_face_px = 8;
    let plan = plan(&file, &settings);
    let detector = LateSmallFace::default();
    let result = run_with(detector, &file, (&plan, 0), (&settings, &context())).unwrap();
    let looks: Vec<(u64, &str, usize)> = result
        .part
        .analysed
        .iter()
        .map(|frame| {
            let look = match (frame.reused, frame.wide) {
                (true, _) => "reused",
                (false, true) => "wide",
                (false, false) => "narrow",
            };
            (plan.video.timeline.frame_idx(frame.pts), look, frame.detections.len())
        })
        .collect();
    let at_first = [(0, "wide", 0), (6, "narrow", 0), (12, "reused", 0), (18, "reused", 0)];
    let then = [(24, "wide", 1), (30, "reused", 1), (36, "reused", 1), (42, "reused", 1)];
    assert_eq!(looks, [at_first, then].concat());
}

#[test]
fn pictures_with_small_faces_are_looked_at_in_the_wide_wherever_segments_begin() {
    let folder = tempfile::tempdir().unwrap();
    let file = clip(folder.path());
    let in_the_wide = |detector: OneFace, min_face_px: u32, segment_sec: f64| {
        let mut settings = settings(segment_sec);
        settings.detect.min_face_px = min_face_px;
        let plan = plan(&file, &settings);
        let results = (0..plan.segments.len())
            .map(|place| run_with(detector, &file, (&plan, place), (&settings, &context())).unwrap());
        let frames: Vec<_> = results.flat_map(|result| result.part.analysed).collect();
        let sampled = frames.iter().filter(|f| f.origin == FrameOrigin::Sampled && !f.reused);
        let looks: Vec<(u64, bool)> =
            sampled.map(|f| (plan.video.timeline.frame_idx(f.pts), f.wide)).collect();
        looks
    };
    // A face of 10 px is small; where 12 are asked for, it may be one that wavers, and stays in its track.
    for (detector, min_face_px) in [(OneFace::Large, 8), (OneFace::Small, 8), (OneFace::Small, 12)] {
        let whole = in_the_wide(detector, min_face_px, 60.0);
        assert_eq!(in_the_wide(detector, min_face_px, 0.5), whole);
        // Keyframes are at every twelfth frame.
        assert!(whole.iter().all(|(at, wide)| *wide || at % 12 != 0), "{whole:?}");
        assert_eq!(whole.iter().all(|(_, wide)| *wide), detector == OneFace::Small, "{whole:?}");
    }
}

#[test]
fn a_stop_ends_a_segment_at_the_next_frame() {
    let folder = tempfile::tempdir().unwrap();
    let (file, settings, context) = (clip(folder.path()), settings(60.0), context());
    context.shutdown.cancel();
    let stopped = run(&file, (&plan(&file, &settings), 0), (&settings, &context)).err().unwrap();
    assert_eq!(stopped.disposition, Disposition::Interrupted);
}
