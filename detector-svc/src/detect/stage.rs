//! The detect stage: a segment on a compute thread; whoever leaves the last part publishes the track job.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use facereel_domain::pipeline::Stage as StageName;
use facereel_domain::settings::DetectSettings;
use facereel_messages::jobs::{DetectJob, Job, TrackJob};
use facereel_messages::objects::{Plan, PlannedSegment, RunRequest};
use facereel_service::{NextJob, Progress, Stage, StageContext, StageError, objects};
use facereel_video_decode::{SegmentDecoder, Selection, SkipMode};

use super::segment::{SegmentResult, SegmentTask};
use super::{Detectors, InputSizes};
use crate::failure::decode_failure;
use crate::plan::info_of;
use crate::sources::Sources;

/// Does detect jobs.
pub struct DetectStage {
    detectors: Arc<Detectors>,
    sources: Sources,
}

impl DetectStage {
    /// A stage that takes its models from `detectors` and videos from `sources`.
    #[must_use]
    pub fn new(detectors: Arc<Detectors>, sources: Sources) -> Self {
        Self { detectors, sources }
    }
}

#[async_trait]
impl Stage for DetectStage {
    type Job = DetectJob;

    async fn process(&self, job: DetectJob, context: &StageContext) -> Result<Vec<NextJob>, StageError> {
        let layout = context.layout(&job.address().run);
        let store = context.store.as_ref();
        if context.is_committed(&job.address().run).await? {
            return Ok(Vec::new());
        }
        let part_key = layout.detections_part(job.segment);
        let plan: Plan = objects::read(store, &layout.plan()).await?;
        if objects::exists(store, &part_key).await? {
            let units = plan.segments.get(job.segment.index()).map_or(0, |s| u64::from(s.frames));
            context.progress.report(Progress::PartFound { stage: StageName::Detect, units });
        } else {
            let request = objects::request(store, &layout).await?;
            let result = self.detect(&job, (request, plan), context).await?;
            // The part last: it is what others count.
            store.put(&layout.chip_pack(job.segment), Bytes::from(result.pack)).await?;
            objects::write(store, &part_key, &result.part).await?;
            context.progress.report(Progress::PartDone { stage: StageName::Detect });
        }
        if objects::count(store, &layout.detection_parts_prefix()).await? < job.segments as usize {
            return Ok(Vec::new());
        }
        let next = TrackJob { address: job.address, segments: job.segments };
        Ok(vec![NextJob::new(&next)?])
    }
}

/// What is decoded of a segment: its samples, and what the settings do not allow to leave out.
#[must_use]
pub fn selection(segment: &PlannedSegment, settings: &DetectSettings) -> Selection {
    let skip = match (settings.decode_skip, settings.skip_loop_filter) {
        (true, true) => SkipMode::NonReferenceAndLoopFilter,
        (true, false) => SkipMode::NonReference,
        (false, _) => SkipMode::None,
    };
    Selection::Wanted { pts: segment.sampled.clone(), skip }
}

impl DetectStage {
    /// Goes through the job's segment on a compute thread.
    async fn detect(
        &self,
        job: &DetectJob,
        (request, plan): (RunRequest, Plan),
        context: &StageContext,
    ) -> Result<SegmentResult, StageError> {
        let segment = plan.segments.get(job.segment.index()).cloned().ok_or_else(|| {
            StageError::refused(format!(
                "the plan has no segment {}, only {}",
                job.segment,
                plan.segments.len()
            ))
        })?;
        let source = self.sources.open(&request.source).await?;
        let (detectors, context_there) = (Arc::clone(&self.detectors), context.clone());
        context
            .compute
            .run(move || {
                let settings = &request.pipeline;
                let mut detector = detectors.take(&settings.detect, &request.models)?;
                let inputs = InputSizes::new(plan.video.size, &settings.detect, detector.smallest_face_px());
                let selection = selection(&segment, &settings.detect);
                let info = info_of(&plan.video);
                let mut decoder = SegmentDecoder::open(&source, &info, segment.range, selection)
                    .map_err(|e| decode_failure("the segment can't be opened", e))?;
                let task = SegmentTask {
                    segment: &segment,
                    samples: plan.samples_around(segment.index),
                    timeline: plan.video.timeline,
                    settings,
                    inputs,
                    context: &context_there,
                };
                task.run(&mut decoder, detector.as_mut())
            })
            .await?
    }
}
