//! The workers of all services' stages, over one queue and one set of threads.

use std::sync::Arc;

use detector_svc::DetectorService;
use embedder_svc::EmbedderService;
use exporter_svc::ExporterService;
use facereel_queue::Queue;
use facereel_service::worker::{Worker, WorkerError, Workplace};
use facereel_service::{Service, Slots, Stage, StageContext, Team};
use tokio::task::JoinSet;
use tracker_svc::TrackerService;

use super::prepare::Prepared;
use super::witness::Witness;

/// Workers that run until the context's shutdown token fires.
pub(super) struct Crew {
    queue: Arc<dyn Queue>,
    context: StageContext,
    witness: Arc<Witness>,
    workers: JoinSet<Result<(), WorkerError>>,
}

impl Crew {
    /// Starts the workers of every stage.
    pub(super) fn start(
        prepared: &Prepared,
        queue: Arc<dyn Queue>,
        context: StageContext,
        witness: Arc<Witness>,
    ) -> Self {
        let mut crew = Self { queue, context, witness, workers: JoinSet::new() };
        let Prepared { runtime, models, sources, .. } = prepared;
        let export = prepared.asked.resolved.settings.runtime.export.clone();
        DetectorService::with_models(runtime, models, sources).staff(&mut crew);
        TrackerService.staff(&mut crew);
        EmbedderService::with_models(runtime, models).staff(&mut crew);
        ExporterService::new(export).staff(&mut crew);
        crew
    }

    /// Tells the workers to stop and waits until they have.
    pub(super) async fn dismiss(mut self) -> Result<(), WorkerError> {
        self.context.shutdown.cancel();
        let mut result = Ok(());
        while let Some(ended) = self.workers.join_next().await {
            // A worker that panicked has said so on standard error.
            if let Ok(ended) = ended {
                result = result.and(ended);
            }
        }
        self.queue.close().await?;
        result
    }
}

impl Team for Crew {
    fn hire<S: Stage>(&mut self, stage: S, slots: Slots) {
        let place = Workplace::new(Arc::clone(&self.queue), self.context.clone(), self.witness.clone());
        let worker = Worker { stage: self.witness.listen(stage), place };
        self.workers.spawn(worker.run(slots.count(self.context.compute.threads())));
    }
}
