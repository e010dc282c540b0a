//! The track stage: all parts in, shots and tracklets out, an embed job for each batch of faces.

use async_trait::async_trait;
use facereel_bytetrack::TrackError;
use facereel_domain::ids::{BatchIndex, SegmentIndex};
use facereel_domain::layout::RunLayout;
use facereel_domain::pipeline::Stage as StageName;
use facereel_messages::jobs::{EmbedJob, ExportJob, Job, TrackJob};
use facereel_messages::objects::{DetectionsPart, EmbedBatch, Plan, RunRequest, Tracks};
use facereel_service::{Measure, NextJob, Progress, Stage, StageContext, StageError, objects};

use crate::choice::batches;
use crate::episode::Episode;

/// Does track jobs.
#[derive(Debug, Clone, Copy)]
pub struct TrackStage;

#[async_trait]
impl Stage for TrackStage {
    type Job = TrackJob;

    async fn process(&self, job: TrackJob, context: &StageContext) -> Result<Vec<NextJob>, StageError> {
        let layout = context.layout(&job.address().run);
        let store = context.store.as_ref();
        if context.is_committed(&job.address().run).await? {
            return Ok(Vec::new());
        }
        // Written last: where it is, the batches are too.
        let tracks: Tracks = if objects::exists(store, &layout.tracks()).await? {
            objects::read(store, &layout.tracks()).await?
        } else {
            let (request, plan, parts) = read_parts(&layout, job.segments, context).await?;
            let found = context.compute.run(move || find_tracks(&request, plan, parts)).await?;
            let (tracks, batches) = found.map_err(|e| StageError::permanent("faces can't be tracked", e))?;
            for batch in &batches {
                objects::write(store, &layout.embed_batch(batch.batch), batch).await?;
            }
            objects::write(store, &layout.tracks(), &tracks).await?;
            context.progress.measure(Measure::TracksFound(tracks.tracklets.len() as u64));
            tracks
        };
        context.progress.report(Progress::PartDone { stage: StageName::Track });
        following(&job, &tracks, context)
    }
}

async fn read_parts(
    layout: &RunLayout,
    segments: u32,
    context: &StageContext,
) -> Result<(RunRequest, Plan, Vec<DetectionsPart>), StageError> {
    let store = context.store.as_ref();
    let request = objects::request(store, layout).await?;
    let plan: Plan = objects::read(store, &layout.plan()).await?;
    if plan.segments.len() != segments as usize {
        let planned = plan.segments.len();
        return Err(StageError::refused(format!("the job has {segments} segments, the plan {planned}")));
    }
    let mut parts = Vec::with_capacity(plan.segments.len());
    for segment in 0..segments {
        context.check_shutdown()?;
        parts.push(objects::read(store, &layout.detections_part(SegmentIndex(segment))).await?);
    }
    Ok((request, plan, parts))
}

fn find_tracks(
    request: &RunRequest,
    plan: Plan,
    parts: Vec<DetectionsPart>,
) -> Result<(Tracks, Vec<EmbedBatch>), TrackError> {
    let settings = &request.pipeline;
    let mut tracks = Episode::join(plan, parts, settings).track(settings)?;
    let batches = if settings.embed.enabled { batches(&tracks, settings) } else { Vec::new() };
    tracks.batches = batches.len() as u32;
    Ok((tracks, batches))
}

fn following(job: &TrackJob, tracks: &Tracks, context: &StageContext) -> Result<Vec<NextJob>, StageError> {
    let batches = tracks.batches;
    let parts = u64::from(batches);
    context.progress.report(Progress::Expected { stage: StageName::Embed, parts, units: parts });
    let address = &job.address;
    if batches == 0 {
        return Ok(vec![NextJob::new(&ExportJob { address: address.clone(), batches })?]);
    }
    (0..batches)
        .map(|n| Ok(NextJob::new(&EmbedJob { address: address.clone(), batch: BatchIndex(n), batches })?))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::staged::plan;
    use facereel_domain::digest::Sha256Digest;
    use facereel_domain::ids::RunRef;
    use facereel_domain::pipeline::Lane;
    use facereel_domain::settings::PipelineSettings;
    use facereel_domain::source::SourceIdentity;
    use facereel_messages::jobs::JobAddress;
    use facereel_messages::objects::Source;
    use facereel_service::ComputePool;
    use facereel_service::cpu::CpuLimit;
    use facereel_service::progress::NoProgress;
    use facereel_service::stage::Disposition;
    use facereel_store::MemoryStore;
    use tokio_util::sync::CancellationToken;

    #[tokio::test]
    async fn a_job_of_another_number_of_segments_is_refused() {
        let context = StageContext {
            store: Arc::new(MemoryStore::default()),
            compute: ComputePool::new("track", 1).unwrap(),
            cpu: Arc::new(CpuLimit::new(0)),
            progress: Arc::new(NoProgress),
            shutdown: CancellationToken::new(),
        };
        let run =
            RunRef { ep_id: "TEST-S01E01".parse().unwrap(), run_id: "0123456789abcdef".parse().unwrap() };
        let (layout, store) = (context.layout(&run), context.store.as_ref());
        let identity =
            SourceIdentity { size_bytes: 1, sampled_sha256: Sha256Digest::of(b"v"), whole_sha256: None };
        let request = RunRequest {
            run: run.clone(),
            source: Source { url: "file:///v.mp4".to_owned(), identity, etag: None },
            pipeline: PipelineSettings::default(),
            models: Vec::new(),
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        objects::write(store, &layout.request(), &request).await.unwrap();
        objects::write(store, &layout.plan(), &plan()).await.unwrap();
        for segments in [1, u32::MAX] {
            let job = TrackJob { address: JobAddress { run: run.clone(), lane: Lane::Backfill }, segments };
            let refused = TrackStage.process(job, &context).await.unwrap_err();
            assert_eq!(refused.disposition, Disposition::Permanent);
            assert!(refused.chain().contains("the plan 0"), "{}", refused.chain());
        }
    }
}
