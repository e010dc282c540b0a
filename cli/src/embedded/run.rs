//! A run from its first job to its end.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use exporter_svc::{WorkObjects, after_commit};
use facereel_domain::layout::{EpisodeLayout, RunLayout};
use facereel_domain::pipeline::{Lane, Stage as StageName};
use facereel_messages::jobs::{JobAddress, PlanJob};
use facereel_messages::objects::Plan;
use facereel_queue::{InProcessQueue, Message, Queue};
use facereel_service::cpu::CpuLimit;
use facereel_service::{ComputePool, NextJob, StageContext, StopSignals, Threads, objects};
use facereel_store::Store;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::crew::Crew;
use super::once::OnceQueue;
use super::prepare::Prepared;
use super::stats::Stats;
use super::summary::RunSummary;
use super::witness::{JobsEnd, Witness};
use crate::exit::Exit;
use crate::progress::{Board, Document, Intro, Presenter, Video, document};
use crate::request::pretty;

/// How often what is shown is renewed.
const SHOW_EVERY: Duration = Duration::from_millis(250);
/// Renewals between two writes of `progress.json`.
const SHOWS_PER_WRITE: u32 = 4;

/// A run that ended without results.
#[derive(Debug, thiserror::Error)]
#[error("the run failed in its {stage} stage: {reason}{advice}")]
pub(crate) struct RunFailed {
    /// What kind of failure it is.
    pub(crate) exit: Exit,
    stage: StageName,
    reason: String,
    advice: &'static str,
}

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It is complete.
    Complete(Box<RunSummary>),
    /// It was complete before.
    WasComplete(Box<RunSummary>),
    /// Somebody stopped it.
    Stopped,
}

/// Does the run, or what is missing of it.
pub(crate) async fn execute(
    prepared: &Prepared,
    store: Arc<dyn Store>,
    presenter: &mut dyn Presenter,
    signals: &mut StopSignals,
) -> Result<Outcome> {
    let layout = RunLayout::new(&prepared.asked.request.run);
    if store.head(&layout.manifest()).await?.is_some() {
        let summary = RunSummary::read(store.as_ref(), &prepared.asked.request.run).await?;
        tidy_up(prepared, store.as_ref()).await?;
        return Ok(Outcome::WasComplete(Box::new(summary)));
    }
    store.sweep().await?;
    let continues = store.head(&layout.request()).await?.is_some();
    prepared.asked.write(store.as_ref()).await?;
    let threads = Threads::here(&prepared.asked.resolved.settings.runtime.limits);
    presenter.started(&Intro {
        run: prepared.asked.request.run.clone(),
        video: prepared.video.clone(),
        store: store.url(),
        threads: threads.compute,
        continues,
    });
    Running::start(prepared, store, threads).await?.finish(presenter, signals).await
}

/// Finishes what follows a commit, where the process ended just after it.
async fn tidy_up(prepared: &Prepared, store: &dyn Store) -> Result<()> {
    let run = &prepared.asked.request.run;
    let has_work = !store.list(&RunLayout::new(run).work_prefix()).await?.is_empty();
    let has_pointer = store.head(&EpisodeLayout::new(&run.ep_id).current()).await?.is_some();
    let keep_work = prepared.asked.resolved.settings.runtime.export.keep_work;
    if !has_pointer || (has_work && !keep_work) {
        let work = if keep_work { WorkObjects::Keep } else { WorkObjects::Delete };
        after_commit(store, run, work).await?;
    }
    Ok(())
}

/// A run at work.
struct Running<'a> {
    prepared: &'a Prepared,
    layout: RunLayout,
    store: Arc<dyn Store>,
    board: Arc<Board>,
    witness: Arc<Witness>,
    crew: Crew,
    stats: Stats,
    video: Option<Video>,
}

impl<'a> Running<'a> {
    async fn start(prepared: &'a Prepared, store: Arc<dyn Store>, threads: Threads) -> Result<Self> {
        let stats = Stats::start(threads);
        let board = Arc::new(Board::new());
        let run = &prepared.asked.request.run;
        let witness = Arc::new(Witness::new(run.clone()));
        let queue: Arc<dyn Queue> = Arc::new(OnceQueue::new(Arc::new(InProcessQueue::default())));
        let context = StageContext {
            store: Arc::clone(&store),
            compute: ComputePool::new("compute", threads.compute).context("threads can't be started")?,
            cpu: Arc::new(CpuLimit::new(threads.cpu_percent)),
            progress: board.clone(),
            shutdown: CancellationToken::new(),
        };
        let crew = Crew::start(prepared, Arc::clone(&queue), context, Arc::clone(&witness));
        let first =
            NextJob::new(&PlanJob { address: JobAddress { run: run.clone(), lane: Lane::Interactive } })?;
        queue.publish(&first.queue, Message::new(first.body)?).await?;
        Ok(Self { layout: RunLayout::new(run), prepared, store, board, witness, crew, stats, video: None })
    }

    async fn finish(mut self, presenter: &mut dyn Presenter, signals: &mut StopSignals) -> Result<Outcome> {
        let witness = Arc::clone(&self.witness);
        let mut shows = interval(SHOW_EVERY);
        shows.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut count = 0_u32;
        let end = loop {
            tokio::select! {
                end = witness.end() => break Some(end),
                () = signals.next() => break None,
                _ = shows.tick() => {
                    let is_written = count.is_multiple_of(SHOWS_PER_WRITE);
                    self.show(presenter, is_written).await;
                    // Another process may do the same run; what it took away at its end is waited for in vain.
                    if is_written && self.store.head(&self.layout.manifest()).await?.is_some() {
                        break Some(JobsEnd::Complete);
                    }
                    count = count.wrapping_add(1);
                }
            }
        };
        self.show(presenter, true).await;
        // A second request to stop does not wait for the workers.
        let dismissed = tokio::select! {
            dismissed = self.crew.dismiss() => Some(dismissed),
            () = signals.next() => None,
        };
        if end.is_none() {
            let last = document(&self.board.snapshot(self.video)).stopped();
            write_progress(self.store.as_ref(), &self.layout, &last).await;
        }
        let Some(dismissed) = dismissed else { std::process::exit(Exit::Interrupted.code().into()) };
        dismissed?;
        let ending = Ending { prepared: self.prepared, layout: self.layout, store: self.store };
        match end {
            None => Ok(Outcome::Stopped),
            Some(JobsEnd::Complete) => ending.complete(&self.stats, &self.witness).await,
            Some(JobsEnd::Failed { .. }) if ending.is_complete_by_others().await? => {
                let summary =
                    RunSummary::read(ending.store.as_ref(), &self.prepared.asked.request.run).await?;
                Ok(Outcome::WasComplete(Box::new(summary)))
            }
            Some(JobsEnd::Failed { stage, reason, exit }) => {
                ending.clear_refused(stage, exit).await;
                Err(RunFailed { exit, stage, reason, advice: advice(exit) }.into())
            }
        }
    }

    /// Renews what is shown; with `written` also `progress.json`.
    async fn show(&mut self, presenter: &mut dyn Presenter, written: bool) {
        if self.video.is_none() && self.board.snapshot(None).stages[0].is_done {
            self.video = self.planned_video().await;
        }
        let snapshot = self.board.snapshot(self.video);
        presenter.update(&snapshot);
        if written {
            write_progress(self.store.as_ref(), &self.layout, &document(&snapshot)).await;
        }
    }

    async fn planned_video(&self) -> Option<Video> {
        let plan: Plan = objects::read(self.store.as_ref(), &self.layout.plan()).await.ok()?;
        let fps = plan.video.timeline.fps.to_f64();
        Some(Video { fps, duration_sec: plan.video.duration_sec })
    }
}

/// For people only: a run does not fail for it. A full disk stops the run where it matters.
async fn write_progress(store: &dyn Store, layout: &RunLayout, progress: &Document) {
    if let Ok(bytes) = pretty(progress) {
        let _ = store.put(&layout.progress(), bytes).await;
    }
}

/// What to do about a failure.
fn advice(exit: Exit) -> &'static str {
    match exit {
        Exit::Input => {
            "\ncheck that the video plays elsewhere; if it does, `ffmpeg -i VIDEO -c:v libx264 FIXED.mp4` makes one that \
             can be read"
        }
        Exit::Runtime => "\n`facereel doctor` says what is missing; then the same command continues",
        // Not stopped here, but by somebody else: `facereel cancel`.
        Exit::Interrupted => "\nthe same command takes it up again",
        _ => "\nfinished parts are kept: the same command continues",
    }
}

/// What is left to do when the workers have gone.
struct Ending<'a> {
    prepared: &'a Prepared,
    layout: RunLayout,
    store: Arc<dyn Store>,
}

impl Ending<'_> {
    async fn complete(&self, stats: &Stats, witness: &Witness) -> Result<Outcome> {
        if !self.prepared.asked.resolved.settings.runtime.export.keep_work {
            // A part that came after the commit of another process.
            self.store.delete_prefix(&self.layout.work_prefix()).await?;
        }
        let mut summary = RunSummary::read(self.store.as_ref(), &self.prepared.asked.request.run).await?;
        let report = stats.report(&witness.times(), &summary);
        summary.add_performance(&report);
        self.store.put(&self.layout.run_stats(), pretty(&report)?).await?;
        Ok(Outcome::Complete(Box::new(summary)))
    }

    /// Whether another process did the same run at the same time and was first: it took the work objects away, and
    /// what failed here for the lack of them is no failure.
    async fn is_complete_by_others(&self) -> Result<bool> {
        let is_complete = self.store.head(&self.layout.manifest()).await?.is_some();
        if is_complete {
            self.store.delete(&self.layout.error()).await?;
        }
        Ok(is_complete)
    }

    /// Of a video that is refused nothing stays but the reason.
    async fn clear_refused(&self, stage: StageName, exit: Exit) {
        if stage != StageName::Plan || exit != Exit::Input {
            return;
        }
        for key in [self.layout.request(), self.layout.settings(), self.layout.progress()] {
            if let Err(error) = self.store.delete(&key).await {
                tracing::warn!(%error, "what was written for a refused video stays behind");
            }
        }
    }
}
