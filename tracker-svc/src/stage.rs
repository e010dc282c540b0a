//! The track stage: all parts in, shots and tracklets out, an embed job for each batch of faces.

use async_trait::async_trait;
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
            let (tracks, batches) = context.compute.run(move || find_tracks(&request, plan, parts)).await?;
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
    let plan = objects::read(store, &layout.plan()).await?;
    let mut parts = Vec::with_capacity(segments as usize);
    for segment in 0..segments {
        context.check_shutdown()?;
        parts.push(objects::read(store, &layout.detections_part(SegmentIndex(segment))).await?);
    }
    Ok((request, plan, parts))
}

fn find_tracks(request: &RunRequest, plan: Plan, parts: Vec<DetectionsPart>) -> (Tracks, Vec<EmbedBatch>) {
    let settings = &request.pipeline;
    let mut tracks = Episode::join(plan, parts, settings).track(settings);
    let batches = if settings.embed.enabled { batches(&tracks, settings) } else { Vec::new() };
    tracks.batches = batches.len() as u32;
    (tracks, batches)
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
