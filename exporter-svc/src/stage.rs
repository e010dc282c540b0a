//! The export stage: everything together, written, and committed last.

use async_trait::async_trait;
use facereel_domain::ids::BatchIndex;
use facereel_domain::pipeline::Stage as StageName;
use facereel_domain::settings::ExportSettings;
use facereel_messages::jobs::{ExportJob, Job};
use facereel_messages::objects::{EmbedBatch, EmbeddingsPart, RunRequest, Tracks};
use facereel_service::{NextJob, Progress, Stage, StageContext, StageError, objects};

use crate::assemble::{Assembled, assemble};
use crate::commit::{Manifest, WorkObjects, after_commit, commit};
use crate::crops;
use crate::outputs::Outputs;

/// Does export jobs.
#[derive(Debug, Clone)]
pub struct ExportStage {
    settings: ExportSettings,
}

impl ExportStage {
    /// A stage that writes as `settings` say.
    #[must_use]
    pub fn new(settings: ExportSettings) -> Self {
        Self { settings }
    }
}

#[async_trait]
impl Stage for ExportStage {
    type Job = ExportJob;

    async fn process(&self, job: ExportJob, context: &StageContext) -> Result<Vec<NextJob>, StageError> {
        let run = &job.address().run;
        if !context.is_committed(run).await? {
            let exported = self.export(&job, context).await;
            // Another worker with the same job may have been faster, and taken the work objects away.
            let is_done_by_others =
                exported.as_ref().is_err_and(StageError::lacks_object) && context.is_committed(run).await?;
            if !is_done_by_others {
                exported?;
            }
        }
        let work = if self.settings.keep_work { WorkObjects::Keep } else { WorkObjects::Delete };
        after_commit(context.store.as_ref(), run, work).await?;
        context.progress.report(Progress::PartDone { stage: StageName::Export });
        Ok(Vec::new())
    }
}

impl ExportStage {
    async fn export(&self, job: &ExportJob, context: &StageContext) -> Result<(), StageError> {
        let layout = context.layout(&job.address().run);
        let request = objects::request(context.store.as_ref(), &layout).await?;
        let (assembled, dim) = read_assembled(job, &request, context).await?;
        let chosen = crops::choose(&assembled, &request.pipeline.crops);
        let (paths, crops) = crops::copy(&layout, &assembled, &chosen, (&self.settings, context)).await?;
        let mut outputs = Outputs::of(&request, &assembled, &paths, dim)?;
        context.store.put_all(outputs.objects).await?;
        outputs.artifacts.extend(crops);
        let Assembled { tracks, .. } = assembled;
        let counts = (outputs.counts, tracks.counts);
        let mut manifest = Manifest::new(request, tracks.video, counts, outputs.artifacts);
        manifest.warnings = tracks.warnings;
        context.check_shutdown()?;
        commit(&manifest, context).await
    }
}

/// The finished episode, and how long its vectors are (0 where nothing was embedded).
async fn read_assembled(
    job: &ExportJob,
    request: &RunRequest,
    context: &StageContext,
) -> Result<(Assembled, usize), StageError> {
    let layout = context.layout(&job.address().run);
    let store = context.store.as_ref();
    let tracks: Tracks = objects::read(store, &layout.tracks()).await?;
    if job.batches != tracks.batches {
        let (told, tracked) = (job.batches, tracks.batches);
        return Err(StageError::refused(format!(
            "the job has {told} batches of faces, the tracks {tracked}"
        )));
    }
    let (mut batches, mut parts) = (Vec::new(), Vec::new());
    for number in (0..job.batches).map(BatchIndex) {
        context.check_shutdown()?;
        batches.push(objects::read::<EmbedBatch>(store, &layout.embed_batch(number)).await?);
        parts.push(objects::read::<EmbeddingsPart>(store, &layout.embeddings_part(number)).await?);
    }
    let dim = parts
        .iter()
        .flat_map(|part| &part.faces)
        .find_map(|face| face.outcome.as_ref().ok())
        .map_or(0, |vector| vector.as_slice().len());
    Ok((assemble(tracks, batches, parts, &request.pipeline.track), dim))
}
