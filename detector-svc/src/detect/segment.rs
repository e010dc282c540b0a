//! One segment on one thread: decode, look for shots, detect, cut chips.
//!
//! What comes out does not depend on where the segment begins or which worker did it, but where a keyframe is damaged:
//!
//! 1. The frames to analyse are the plan's. A frame that may begin a shot is analysed as well, judged from the decoded
//!    frames just before it; where these belong to another segment it is analysed in any case. The tracker drops what
//!    turns out to begin no shot. Between two of them that come close on each other, where a track could not have its
//!    fewest observations, a frame between each two samples is analysed as well; of these the tracker keeps what lies in a
//!    shot as short as that. What counts is the planned samples, not those that could be decoded.
//! 2. Detections of unchanged frames are reused from the last sampled frame, never across a keyframe (where segments
//!    may begin). Likewise whether a sampled frame is looked at in the wide follows from those since the keyframe; frames
//!    that are not sampled always are.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use facereel_domain::detection::Detection;
use facereel_domain::pipeline::Stage as StageName;
use facereel_domain::settings::PipelineSettings;
use facereel_domain::shot::{CandidateRule, Step, Thumbnail, change, enough_samples, is_filler};
use facereel_domain::time::{Pts, Timeline};
use facereel_inference::FaceDetector;
use facereel_messages::objects::{
    AnalysedFrame, DecodedFrame, DetectionCounts, DetectionsPart, FrameOrigin, PlannedSegment,
};
use facereel_service::{Measure, ModelRole, Progress, StageContext, StageError};
use facereel_video_decode::{Frame, Scaler, SegmentDecoder};

use super::chips::ChipCutter;
use super::inputs::InputSizes;
use super::wide::WideLooks;
use crate::failure::{decode_failure, model_failure};

/// What is needed for a segment, beside the decoder and the detector.
pub(super) struct SegmentTask<'a> {
    pub(super) segment: &'a PlannedSegment,
    /// The segment's samples, and those just before and after it.
    pub(super) samples: Vec<Pts>,
    pub(super) timeline: Timeline,
    pub(super) settings: &'a PipelineSettings,
    /// Sizes at which frames go through the detector.
    pub(super) inputs: InputSizes,
    pub(super) context: &'a StageContext,
}

/// A segment's results.
pub(super) struct SegmentResult {
    pub(super) part: DetectionsPart,
    /// Chips, one JPEG after another.
    pub(super) pack: Vec<u8>,
}

impl SegmentTask<'_> {
    /// Goes through the segment.
    pub(super) fn run(
        &self,
        decoder: &mut SegmentDecoder,
        detector: &mut dyn FaceDetector,
    ) -> Result<SegmentResult, StageError> {
        let mut analyst = Analyst::new(self, detector);
        let (mut first_idx, mut reported) = (None, 0);
        while let Some(frame) = next_frame(decoder)? {
            self.context.check_shutdown()?;
            self.context.cpu.pace();
            let frame_idx = self.timeline.frame_idx(frame.pts());
            analyst.take(frame)?;
            let first_idx = *first_idx.get_or_insert(frame_idx);
            let passed = (frame_idx - first_idx.min(frame_idx) + 1).min(u64::from(self.segment.frames));
            reported += self.report(passed, reported);
        }
        // What is left belongs to a shot that may end with the segment.
        analyst.fill_short_shot()?;
        self.report(u64::from(self.segment.frames), reported);
        let stats = decoder.stats();
        analyst.measure(stats.decode_sec);
        Ok(analyst.finish(DetectionCounts {
            frames_decoded: stats.frames_decoded,
            frames_skipped: stats.frames_discarded,
            frames_broken: stats.frames_broken,
            frames_damaged: stats.frames_damaged,
            ..DetectionCounts::default()
        }))
    }

    /// Reports frames up to number `passed` of the segment; returns how many that were.
    fn report(&self, passed: u64, reported: u64) -> u64 {
        let units = passed.saturating_sub(reported);
        if units > 0 {
            self.context.progress.report(Progress::Advanced { stage: StageName::Detect, units });
        }
        units
    }
}

fn next_frame(decoder: &mut SegmentDecoder) -> Result<Option<Frame>, StageError> {
    decoder.next_frame().map_err(|error| decode_failure("the video can't be decoded", error))
}

/// Looks at one decoded frame after the other.
struct Analyst<'a> {
    task: &'a SegmentTask<'a>,
    detector: &'a mut dyn FaceDetector,
    scaler: Scaler,
    cutter: ChipCutter<'a>,
    rule: CandidateRule,
    /// The latest steps, for the candidate rule.
    steps: VecDeque<Step>,
    first: Option<Thumbnail>,
    last: Option<Thumbnail>,
    /// Where the latest shot may have begun.
    shot_began: Option<Pts>,
    /// Frames that are to be analysed if another shot begins soon; never more than the gaps of a short shot.
    fillers: Vec<(Frame, Thumbnail)>,
    /// The last sampled frame, since the last keyframe, whose faces were looked at afresh.
    looked_at: Option<Look>,
    wide: WideLooks,
    /// How many of the segment's keyframes with a sample after them are passed.
    keyframes_passed: usize,
    decoded: Vec<DecodedFrame>,
    analysed: Vec<AnalysedFrame>,
    detector_calls: u64,
    detector_time: Duration,
}

/// What was seen of a frame.
struct Look {
    thumbnail: Thumbnail,
    detections: Vec<Detection>,
    /// Whether small faces were looked for, too.
    wide: bool,
}

impl<'a> Analyst<'a> {
    fn new(task: &'a SegmentTask<'a>, detector: &'a mut dyn FaceDetector) -> Self {
        Self {
            task,
            detector,
            scaler: Scaler::new(),
            cutter: ChipCutter::new(task.settings),
            rule: CandidateRule::new(&task.settings.shots),
            steps: VecDeque::new(),
            first: None,
            last: None,
            shot_began: None,
            fillers: Vec::new(),
            looked_at: None,
            wide: WideLooks::new(task.inputs.wide.map(|_| task.settings.detect.wide_every)),
            keyframes_passed: 0,
            decoded: Vec::new(),
            analysed: Vec::new(),
            detector_calls: 0,
            detector_time: Duration::ZERO,
        }
    }

    fn take(&mut self, frame: Frame) -> Result<(), StageError> {
        let thumbnail = frame
            .thumbnail(&mut self.scaler)
            .map_err(|e| decode_failure("a frame can't be made small", e))?;
        let before = self.decoded.last().map(|decoded| decoded.pts);
        let is_candidate = self.step_to(&frame, &thumbnail);
        if is_candidate {
            self.fill_short_shot()?;
            self.shot_began = Some(frame.pts());
        }
        let began = *self.shot_began.get_or_insert(frame.pts());
        if self.task.segment.sampled.binary_search(&frame.pts()).is_ok() {
            self.analyse_sampled(&frame, &thumbnail)?;
        } else if is_candidate {
            self.analyse_unsampled(&frame, FrameOrigin::ShotCandidate, &thumbnail)?;
        }
        if self.first.is_none() {
            self.first = Some(thumbnail.clone());
        }
        self.last = Some(thumbnail.clone());
        if self.are_enough_samples(began, frame.pts()) {
            self.fillers.clear();
        } else if !is_candidate && is_filler(&self.task.samples, before, frame.pts()) {
            self.fillers.push((frame, thumbnail));
        }
        Ok(())
    }

    /// Whether so many samples are planned from a shot's first frame, which is looked at in any case, up to `at` that it is
    /// not a short shot.
    fn are_enough_samples(&self, began: Pts, at: Pts) -> bool {
        let up_to = |pts: Pts| self.task.samples.partition_point(|sample| *sample <= pts);
        1 + up_to(at) - up_to(began) >= enough_samples(&self.task.settings.track) as usize
    }

    /// Records the step from the frame before to this one; whether a shot may begin here.
    fn step_to(&mut self, frame: &Frame, thumbnail: &Thumbnail) -> bool {
        let statistics = thumbnail.statistics();
        let change = self.last.as_ref().map_or(0.0, |last| change(last, thumbnail));
        let step = Step { change, mean: statistics.mean, spread: statistics.spread };
        self.decoded.push(DecodedFrame { pts: frame.pts(), change, mean: step.mean, spread: step.spread });
        let is_candidate = self.task.settings.shots.enabled
            && (self.last.is_none() || self.rule.is_candidate(self.steps.make_contiguous(), &step));
        self.steps.push_back(step);
        if self.steps.len() > CandidateRule::MEMORY {
            self.steps.pop_front();
        }
        is_candidate
    }

    fn analyse_sampled(&mut self, frame: &Frame, thumbnail: &Thumbnail) -> Result<(), StageError> {
        self.forget_before_keyframe(frame.pts());
        let in_the_wide = self.wide.is_due(thumbnail);
        if let Some(look) = self.look_that_serves(thumbnail, in_the_wide) {
            let (detections, was_wide) = (look.detections.clone(), look.wide);
            if !was_wide {
                self.wide.passed();
            }
            let seen = analysed(frame, FrameOrigin::Sampled, thumbnail, detections);
            self.push(AnalysedFrame { reused: true, ..seen });
            return Ok(());
        }
        let (detections, wide) = self.detect(frame, in_the_wide)?;
        if wide {
            let shows_small_faces = detections.iter().any(|detection| self.is_small_face(detection, frame));
            self.wide.looked(thumbnail, shows_small_faces);
        } else {
            self.wide.passed();
        }
        self.looked_at = Some(Look { thumbnail: thumbnail.clone(), detections: detections.clone(), wide });
        let seen = analysed(frame, FrameOrigin::Sampled, thumbnail, detections);
        self.push(AnalysedFrame { wide, ..seen });
        Ok(())
    }

    /// Starts anew where a keyframe lies between the sample before and the one at `at`, whichever of them were decoded.
    fn forget_before_keyframe(&mut self, at: Pts) {
        let passed = self.task.segment.fresh.partition_point(|first| *first <= at);
        if passed > self.keyframes_passed {
            self.keyframes_passed = passed;
            self.looked_at = None;
            self.wide.start_anew();
        }
    }

    /// The last look at a sample, if the one that `thumbnail` is of has not changed and needs no look in the wide which that
    /// was not.
    fn look_that_serves(&self, thumbnail: &Thumbnail, in_the_wide: bool) -> Option<&Look> {
        let settings = &self.task.settings.detect;
        self.looked_at.as_ref().filter(|look| {
            settings.skip_unchanged
                && (look.wide || !in_the_wide)
                && look.thumbnail.largest_luma_difference(thumbnail) <= settings.unchanged_tolerance
        })
    }

    fn analyse_unsampled(
        &mut self,
        frame: &Frame,
        origin: FrameOrigin,
        thumbnail: &Thumbnail,
    ) -> Result<(), StageError> {
        let (detections, wide) = self.detect(frame, true)?;
        self.push(AnalysedFrame { wide, ..analysed(frame, origin, thumbnail, detections) });
        Ok(())
    }

    /// Whether a face that tracks may take is so small that it may be missed but in the wide.
    fn is_small_face(&self, detection: &Detection, frame: &Frame) -> bool {
        let settings = self.task.settings;
        let side = detection.bbox.short_side();
        detection.confidence >= settings.track.low_thresh
            && side >= settings.detect.smallest_tracked_px()
            && side < self.task.inputs.small_face_px(frame.size(), self.detector.smallest_face_px())
    }

    /// Analyses the frames kept back since a shot may have begun, if too few were sampled; a shot may begin now.
    fn fill_short_shot(&mut self) -> Result<(), StageError> {
        for (frame, thumbnail) in std::mem::take(&mut self.fillers) {
            self.task.context.check_shutdown()?;
            self.analyse_unsampled(&frame, FrameOrigin::ShotFiller, &thumbnail)?;
        }
        Ok(())
    }

    /// The frame's faces, and whether it was looked at in the wide too.
    fn detect(&mut self, frame: &Frame, in_the_wide: bool) -> Result<(Vec<Detection>, bool), StageError> {
        let inputs = self
            .task
            .inputs
            .scale(frame, &mut self.scaler, in_the_wide)
            .map_err(|e| StageError::permanent("a frame could not be scaled for the detector", e))?;
        let began = Instant::now();
        let found = inputs.faces(self.detector).map_err(|e| model_failure("the detector failed", e))?;
        self.detector_calls += 1;
        self.detector_time += began.elapsed();
        Ok((self.cutter.detections(frame, &mut self.scaler, found)?, inputs.are_wide()))
    }

    /// Adds a frame in its place: fillers come late.
    fn push(&mut self, analysed: AnalysedFrame) {
        let place = self.analysed.partition_point(|earlier| earlier.pts < analysed.pts);
        self.analysed.insert(place, analysed);
    }

    /// Tells what was found and what it cost; nothing of it is in the result.
    fn measure(&self, decode_sec: f64) {
        let progress = &self.task.context.progress;
        let faces = self.analysed.iter().map(|frame| frame.detections.len() as u64).sum();
        progress.measure(Measure::FacesDetected(faces));
        progress.measure(Measure::Decoding(Duration::from_secs_f64(decode_sec)));
        progress.measure(Measure::Inference {
            model: ModelRole::Detector,
            runs: self.detector_calls,
            time: self.detector_time,
        });
    }

    fn finish(self, counts: DetectionCounts) -> SegmentResult {
        let (pack, boxes_refused) = self.cutter.finish();
        SegmentResult {
            part: DetectionsPart {
                segment: self.task.segment.index,
                decoded: self.decoded,
                edges: self.first.zip(self.last),
                analysed: self.analysed,
                counts: DetectionCounts { detector_calls: self.detector_calls, boxes_refused, ..counts },
            },
            pack,
        }
    }
}

fn analysed(
    frame: &Frame,
    origin: FrameOrigin,
    thumbnail: &Thumbnail,
    detections: Vec<Detection>,
) -> AnalysedFrame {
    let thumbnail = thumbnail.clone();
    AnalysedFrame { pts: frame.pts(), origin, reused: false, wide: false, thumbnail, detections }
}

#[cfg(test)]
mod tests;
