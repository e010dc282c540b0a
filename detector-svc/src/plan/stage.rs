//! The plan stage: one look at all packets, then a detect job for each segment.

use std::cmp::Reverse;

use async_trait::async_trait;
use facereel_domain::ids::SegmentIndex;
use facereel_domain::pipeline::Stage as StageName;
use facereel_domain::settings::{DetectSettings, PipelineSettings};
use facereel_domain::time::{Pts, PtsRange};
use facereel_messages::jobs::{DetectJob, ExportJob, Job, PlanJob};
use facereel_messages::objects::{Plan, PlannedSegment, RunRequest};
use facereel_service::{NextJob, Progress, Stage, StageContext, StageError, objects};
use facereel_video_decode::{DecodeError, Input, ScannedFrame, scan, segment_ranges};

use super::facts::facts_of;
use super::sampling::{Density, first_after_keyframes, sampled};
use crate::failure::decode_failure;
use crate::sources::Sources;

/// Short videos are cut into at least about so many segments, so that all workers get some.
const LEAST_SEGMENTS: f64 = 16.0;
/// Segments aim at no less than this many seconds: each costs a seek and a fresh decoder.
const SHORTEST_SEGMENT_SEC: f64 = 4.0;

/// Does plan jobs.
#[derive(Debug, Clone)]
pub struct PlanStage {
    sources: Sources,
}

impl PlanStage {
    /// A stage that takes videos from `sources`.
    #[must_use]
    pub fn new(sources: Sources) -> Self {
        Self { sources }
    }
}

#[async_trait]
impl Stage for PlanStage {
    type Job = PlanJob;

    async fn process(&self, job: PlanJob, context: &StageContext) -> Result<Vec<NextJob>, StageError> {
        let layout = context.layout(&job.address().run);
        let store = context.store.as_ref();
        if context.is_committed(&job.address().run).await? {
            // What follows a commit may still be missing.
            return Ok(vec![NextJob::new(&ExportJob { address: job.address, batches: 0 })?]);
        }
        let plan: Plan = if objects::exists(store, &layout.plan()).await? {
            objects::read(store, &layout.plan()).await?
        } else {
            let request = objects::request(store, &layout).await?;
            let plan = self.plan(request, context).await?;
            objects::write(store, &layout.plan(), &plan).await?;
            plan
        };
        report(&plan, context);
        let segments = plan.segments.len() as u32;
        // The longest first: what is left at the end, when some workers have nothing to do, is short.
        let mut order: Vec<_> = plan.segments.iter().collect();
        order.sort_by_key(|segment| (Reverse(segment.frames), segment.index));
        order
            .into_iter()
            .map(|segment| {
                let address = job.address.clone();
                Ok(NextJob::new(&DetectJob { address, segment: segment.index, segments })?)
            })
            .collect()
    }
}

impl PlanStage {
    /// Reads the video's packets on a compute thread.
    async fn plan(&self, request: RunRequest, context: &StageContext) -> Result<Plan, StageError> {
        check_settings(&request.pipeline)?;
        let input = self.sources.open(&request.source).await?;
        let planned = context.compute.run(move || plan_video(&input, &request.pipeline.detect)).await?;
        planned.map_err(|error| decode_failure("the video can't be planned", error))
    }
}

fn report(plan: &Plan, context: &StageContext) {
    let units = plan.segments.iter().map(|s| u64::from(s.frames)).sum();
    let parts = plan.segments.len() as u64;
    context.progress.report(Progress::PartDone { stage: StageName::Plan });
    context.progress.report(Progress::Expected { stage: StageName::Detect, parts, units });
}

/// Every later stage trusts the settings, and a request may come from anywhere.
fn check_settings(pipeline: &PipelineSettings) -> Result<(), StageError> {
    facereel_settings::validate(pipeline)
        .map_err(|e| StageError::permanent("the run's settings can't be used", e))
}

/// Reads the packets of a video and plans its segments and samples.
pub fn plan_video(input: &Input, settings: &DetectSettings) -> Result<Plan, DecodeError> {
    let scan = scan(input)?;
    let timeline = scan.info.timeline;
    let chosen = sampled(&scan.frames, &timeline, Density::from_settings(settings), settings.stride_snap);
    let fresh = first_after_keyframes(&scan.frames, &chosen);
    let target_sec = segment_target_sec(scan.info.duration_sec, settings.segment_sec);
    let segments = segment_ranges(&scan, target_sec)
        .into_iter()
        .enumerate()
        .map(|(place, range)| PlannedSegment {
            index: SegmentIndex(place as u32),
            range,
            frames: frames_in(&scan.frames, range),
            sampled: within(&chosen, range),
            fresh: within(&fresh, range),
        })
        .collect();
    Ok(Plan { video: facts_of(&scan), segments, warnings: scan.warnings })
}

/// The length of segments to aim at. From the video alone, so that every planner comes to the same plan.
fn segment_target_sec(duration_sec: f64, setting_sec: f64) -> f64 {
    (duration_sec / LEAST_SEGMENTS).max(SHORTEST_SEGMENT_SEC).min(setting_sec)
}

fn frames_in(frames: &[ScannedFrame], range: PtsRange) -> u32 {
    frames.iter().filter(|frame| range.contains(frame.pts)).count() as u32
}

fn within(pts: &[Pts], range: PtsRange) -> Vec<Pts> {
    pts.iter().copied().filter(|pts| range.contains(*pts)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use facereel_service::stage::Disposition;

    #[test]
    fn settings_out_of_range_are_refused_for_good_whoever_sent_them() {
        let mut pipeline = PipelineSettings::default();
        pipeline.track.low_thresh = 7.0;
        let error = check_settings(&pipeline).unwrap_err();
        assert_eq!(error.disposition, Disposition::Permanent);
        assert!(error.chain().contains("track.low_thresh"), "{}", error.chain());
    }

    #[test]
    fn short_videos_are_cut_finer_than_long_ones() {
        assert!((segment_target_sec(2400.0, 60.0) - 60.0).abs() < 1e-9);
        assert!((segment_target_sec(160.0, 60.0) - 10.0).abs() < 1e-9);
        assert!((segment_target_sec(20.0, 60.0) - 4.0).abs() < 1e-9);
        assert!((segment_target_sec(20.0, 2.0) - 2.0).abs() < 1e-9);
    }
}
