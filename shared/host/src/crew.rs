//! The workers of a service, and how they come to an end.

use std::sync::Arc;
use std::time::Duration;

use facereel_domain::cause::chain;
use facereel_domain::pipeline::Stage as StageName;
use facereel_messages::jobs::Job as _;
use facereel_service::worker::{Worker, WorkerError, Workplace};
use facereel_service::{Slots, Stage, StopSignals, Team};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{sleep, timeout};
use tracing::{error, info, warn};

use crate::exit::Exit;
use crate::metrics::Metrics;

/// How long stages have to hand a job back once they are told to.
const HANDING_BACK: Duration = Duration::from_secs(5);

type Ended = (StageName, Result<(), WorkerError>);

/// Workers at one place.
pub(crate) struct Crew {
    place: Workplace,
    metrics: Arc<Metrics>,
    /// Jobs at once of each stage; 0 = as the stage likes it.
    slots: usize,
    workers: JoinSet<Ended>,
}

impl Team for Crew {
    fn hire<S: Stage>(&mut self, stage: S, slots: Slots) {
        let threads = self.place.context.compute.threads();
        let slots = if self.slots > 0 { self.slots } else { slots.count(threads) };
        let name = S::Job::STAGE;
        self.metrics.set_slots(name, slots);
        let worker = Worker { stage, place: self.place.clone() };
        self.workers.spawn(async move { (name, worker.run(slots).await) });
    }
}

impl Crew {
    /// Nobody yet.
    pub(crate) fn new(place: Workplace, metrics: Arc<Metrics>, slots: usize) -> Self {
        Self { place, metrics, slots, workers: JoinSet::new() }
    }

    /// Waits until a worker ends without being asked to, which none should, or a job hangs. Safe to cancel.
    pub(crate) async fn first_end(&mut self) -> Exit {
        tokio::select! {
            // A worker gives up for all when a job of its own hangs; others may keep it from ending itself.
            () = self.place.context.shutdown.cancelled() => Exit::Hung,
            ended = self.workers.join_next() => ended.map_or(Exit::Internal, |e| exit_of(e).or(Exit::Internal)),
        }
    }

    /// Stops in three steps: no further jobs; after `drain` or the next signal, jobs are to be handed back; those that do
    /// not react are dropped, which hands them back, too.
    pub(crate) async fn wind_down(&mut self, signals: &mut StopSignals, drain: Duration) -> Exit {
        self.place.intake_end.cancel();
        let hung = self.place.context.shutdown.clone();
        tokio::select! {
            exit = self.all_end() => return exit,
            () = sleep(drain.saturating_sub(HANDING_BACK.min(drain / 2))) => {}
            () = signals.next() => {}
            () = hung.cancelled() => {}
        }
        let unfinished = self.metrics.in_flight();
        info!(unfinished, "handing jobs back");
        self.place.context.shutdown.cancel();
        let exit = timeout(HANDING_BACK.min(drain / 2), self.all_end()).await;
        if exit.is_err() {
            warn!("some jobs do not react: dropping them");
            self.workers.shutdown().await;
        }
        let exit = exit.unwrap_or(Exit::HandedBack);
        if unfinished > 0 { exit.or(Exit::HandedBack) } else { exit }
    }

    async fn all_end(&mut self) -> Exit {
        let mut exit = Exit::Stopped;
        while let Some(ended) = self.workers.join_next().await {
            exit = exit.or(exit_of(ended));
        }
        exit
    }
}

fn exit_of(ended: Result<Ended, JoinError>) -> Exit {
    match ended {
        Ok((_, Ok(()))) => Exit::Stopped,
        Ok((stage, Err(reason))) => {
            error!(%stage, reason = chain(&reason), "a worker ended");
            match reason {
                WorkerError::Queue(_) => Exit::Broker,
                WorkerError::Hung { .. } => Exit::Hung,
            }
        }
        Err(error) => {
            error!(%error, "a worker broke");
            Exit::Internal
        }
    }
}
