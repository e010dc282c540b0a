//! The workers of all five stages, over one queue and one set of threads.

use std::sync::Arc;

use detector_svc::{DetectStage, Detectors, PlanStage};
use embedder_svc::{EmbedStage, Embedders};
use exporter_svc::ExportStage;
use facereel_queue::{Queue, QueueError};
use facereel_service::worker::{RetryPolicy, Worker};
use facereel_service::{Stage, StageContext};
use tokio::task::JoinSet;
use tracker_svc::TrackStage;

use super::prepare::Prepared;
use super::witness::Witness;

/// Workers that run until the context's shutdown token fires.
pub(super) struct Crew {
    queue: Arc<dyn Queue>,
    context: StageContext,
    witness: Arc<Witness>,
    workers: JoinSet<Result<(), QueueError>>,
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
        let (runtime, models) = (&prepared.runtime, &prepared.models);
        let detectors = Arc::new(Detectors::new(runtime.clone(), models.clone()));
        let embedders = Arc::new(Embedders::new(runtime.clone(), models.clone()));
        let export = prepared.resolved.settings.runtime.export.clone();
        // One job more than there are threads: while one reads or writes objects, another computes.
        let side_by_side = crew.context.compute.threads() + 1;
        crew.hire(PlanStage, 1);
        crew.hire(DetectStage::new(detectors), side_by_side);
        crew.hire(TrackStage, 1);
        crew.hire(EmbedStage::new(embedders), side_by_side);
        crew.hire(ExportStage::new(export), 1);
        crew
    }

    fn hire<S: Stage>(&mut self, stage: S, slots: usize) {
        let worker = Worker {
            stage: self.witness.listen(stage),
            queue: Arc::clone(&self.queue),
            context: self.context.clone(),
            retry: RetryPolicy::default(),
            observer: self.witness.clone(),
        };
        self.workers.spawn(worker.run(slots));
    }

    /// Tells the workers to stop and waits until they have.
    pub(super) async fn dismiss(mut self) -> Result<(), QueueError> {
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
