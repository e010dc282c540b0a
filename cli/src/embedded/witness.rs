//! Watches the jobs of a run: when it has ended and how, and what each stage took.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use facereel_domain::ids::RunRef;
use facereel_domain::pipeline::Stage as StageName;
use facereel_messages::jobs::Job;
use facereel_service::stage::Disposition;
use facereel_service::worker::{JobObserver, JobOutcome, JobReport};
use facereel_service::{NextJob, Stage, StageContext, StageError};
use tokio::sync::watch;

use crate::exit::Exit;

/// How the jobs of a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum JobsEnd {
    /// The export job is done.
    Complete,
    /// A job failed for good.
    Failed {
        /// Its stage.
        stage: StageName,
        /// Why, with causes.
        reason: String,
        /// What kind of failure it is.
        exit: Exit,
    },
}

/// What a stage's jobs took.
#[derive(Debug, Clone, Copy)]
pub(super) struct StageTimes {
    pub(super) stage: StageName,
    pub(super) jobs: u64,
    pub(super) retries: u64,
    /// All jobs together.
    pub(super) busy: Duration,
    /// From the first job's begin to the last one's end.
    pub(super) span: Option<(Instant, Instant)>,
}

/// Is told of every job's end.
pub(super) struct Witness {
    run: RunRef,
    end: watch::Sender<Option<JobsEnd>>,
    times: Mutex<Vec<StageTimes>>,
    /// The kind of the last permanent failure, which the report of its job's end does not tell.
    kind: Arc<Mutex<Option<Exit>>>,
}

impl Witness {
    pub(super) fn new(run: RunRef) -> Self {
        let times = |stage| StageTimes { stage, jobs: 0, retries: 0, busy: Duration::ZERO, span: None };
        Self {
            run,
            end: watch::Sender::new(None),
            times: Mutex::new(StageName::ALL.map(times).to_vec()),
            kind: Arc::default(),
        }
    }

    /// Waits until the jobs have ended.
    pub(super) async fn end(&self) -> JobsEnd {
        let mut end = self.end.subscribe();
        loop {
            let seen = end.borrow_and_update().clone();
            match seen {
                Some(end) => return end,
                // The sender lives as long as `self`, so that a change always comes.
                None => drop(end.changed().await),
            }
        }
    }

    /// What each stage took.
    pub(super) fn times(&self) -> Vec<StageTimes> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// `stage`, with the kinds of its failures noted here.
    pub(super) fn listen<S: Stage>(&self, stage: S) -> Overheard<S> {
        Overheard { stage, kind: Arc::clone(&self.kind) }
    }

    fn note_times(&self, report: &JobReport) {
        let now = Instant::now();
        let begin = now.checked_sub(report.duration).unwrap_or(now);
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(times) = times.iter_mut().find(|times| times.stage == report.stage) {
            times.jobs += 1;
            times.retries += u64::from(matches!(report.outcome, JobOutcome::Retried { .. }));
            times.busy += report.duration;
            let first = times.span.map_or(begin, |(first, _)| first.min(begin));
            times.span = Some((first, now));
        }
    }
}

impl JobObserver for Witness {
    fn job_ended(&self, report: &JobReport) {
        self.note_times(report);
        let is_ours = report.address.as_ref().is_none_or(|address| address.run == self.run);
        let end = match &report.outcome {
            JobOutcome::Done if report.stage == StageName::Export => JobsEnd::Complete,
            JobOutcome::DeadLettered { reason } => {
                let exit = *self.kind.lock().unwrap_or_else(PoisonError::into_inner);
                JobsEnd::Failed {
                    stage: report.stage,
                    reason: reason.clone(),
                    exit: exit.unwrap_or(Exit::Failed),
                }
            }
            JobOutcome::Retried { reason } => {
                tracing::warn!(stage = %report.stage, part = report.part, reason, "failed, and is tried again soon");
                return;
            }
            JobOutcome::Cancelled => JobsEnd::Failed {
                stage: report.stage,
                reason: "somebody cancelled it".to_owned(),
                exit: Exit::Interrupted,
            },
            JobOutcome::Done | JobOutcome::Released => return,
        };
        if is_ours {
            // The first end counts: what follows a failure are its consequences.
            self.end.send_if_modified(|seen| seen.is_none() && seen.replace(end).is_none());
        }
    }
}

/// A stage whose failures are looked at while their causes are still known by type.
pub(super) struct Overheard<S> {
    stage: S,
    kind: Arc<Mutex<Option<Exit>>>,
}

#[async_trait]
impl<S: Stage> Stage for Overheard<S> {
    type Job = S::Job;

    async fn process(&self, job: S::Job, context: &StageContext) -> Result<Vec<NextJob>, StageError> {
        let result = self.stage.process(job, context).await;
        if let Err(error) = &result
            && error.disposition != Disposition::Interrupted
        {
            *self.kind.lock().unwrap_or_else(PoisonError::into_inner) = kind_of(error, S::Job::STAGE);
        }
        result
    }
}

/// Planning reads nothing but the video: where no cause says otherwise, the video is at fault.
fn kind_of(error: &(dyn Error + 'static), stage: StageName) -> Option<Exit> {
    Exit::of_causes(error).or_else(|| (stage == StageName::Plan).then_some(Exit::Input))
}

#[cfg(test)]
mod tests {
    use super::*;
    use facereel_domain::pipeline::Lane;
    use facereel_messages::jobs::JobAddress;
    use facereel_store::{StoreError, StoreErrorKind};

    fn run() -> RunRef {
        RunRef { ep_id: "EP".parse().unwrap(), run_id: "0123456789abcdef".parse().unwrap() }
    }

    fn report(stage: StageName, outcome: JobOutcome) -> JobReport {
        let lane = Lane::Interactive;
        let address = Some(JobAddress { run: run(), lane });
        let duration = Duration::from_millis(5);
        JobReport { stage, lane, address, part: String::new(), attempt: 1, outcome, duration }
    }

    #[tokio::test]
    async fn the_run_is_complete_with_its_export_job() {
        let witness = Witness::new(run());
        witness.job_ended(&report(StageName::Detect, JobOutcome::Done));
        assert!(witness.end.borrow().is_none());
        witness.job_ended(&report(StageName::Export, JobOutcome::Done));
        assert_eq!(witness.end().await, JobsEnd::Complete);
        assert_eq!(witness.times()[1].jobs, 1);
    }

    #[tokio::test]
    async fn the_first_job_that_fails_for_good_ends_the_run() {
        let witness = Witness::new(run());
        for reason in ["first", "second"] {
            let outcome = JobOutcome::DeadLettered { reason: reason.to_owned() };
            witness.job_ended(&report(StageName::Detect, outcome));
        }
        let JobsEnd::Failed { stage, reason, exit } = witness.end().await else { panic!("complete") };
        assert_eq!((stage, reason.as_str(), exit), (StageName::Detect, "first", Exit::Failed));
    }

    #[tokio::test]
    async fn a_cancelled_run_ends_as_one_that_can_be_taken_up() {
        let witness = Witness::new(run());
        witness.job_ended(&report(StageName::Track, JobOutcome::Cancelled));
        let JobsEnd::Failed { exit, .. } = witness.end().await else { panic!("complete") };
        assert_eq!(exit, Exit::Interrupted);
    }

    #[test]
    fn a_failure_of_planning_without_another_cause_is_the_videos() {
        let refused = StageError::refused("the file was replaced");
        assert_eq!(kind_of(&refused, StageName::Plan), Some(Exit::Input));
        assert_eq!(kind_of(&refused, StageName::Track), None);
        let full = StageError::from(StoreError::new(StoreErrorKind::Full, "write", "plan"));
        assert_eq!(kind_of(&full, StageName::Plan), Some(Exit::Store));
    }
}
