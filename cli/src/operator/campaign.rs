//! A backfill at work: runs are handed over as fast as the services take them, and their ends are waited for.
//!
//! It keeps nothing that the store does not have. Stopped at any moment and started again, it finds which runs are
//! under way and goes on with the rest.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use facereel_domain::ids::RunRef;
use facereel_domain::pipeline::{Lane, Stage};
use facereel_queue::{Queue, QueueError, QueueName};
use facereel_store::StoreError;
use serde::Serialize;
use tokio::time::Instant;

use super::catalogue::{Action, Candidate, Selection};
use super::desk::Desk;
use super::forecast::LastPace;
use super::side_by_side::side_by_side;
use super::standing::{Standing, standing};
use super::submission::submit;
use crate::request::forget;

/// Detect jobs that a plan job is counted for until it is done: the segments of a usual episode.
const DETECT_JOBS_OF_A_PLAN: u64 = 40;

/// How fast to go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// The lane of the jobs.
    pub(crate) lane: Lane,
    /// Runs under way at once.
    pub(crate) max_in_flight: usize,
    /// Nothing is handed over while more detect jobs of the lane wait, or are to come from its plan jobs.
    pub(crate) high_water: u64,
    /// How often the store and the queues are looked at.
    pub(crate) look_every: Duration,
}

/// When a backfill is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// When every run has ended.
    Ended,
    /// When every run is handed over.
    Submitted,
}

/// How far a backfill is.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Tally {
    /// Runs that were to be handed over or were under way at the beginning.
    pub(crate) runs: u64,
    /// Those that are committed now.
    pub(crate) done: u64,
    /// Those that failed.
    pub(crate) failed: u64,
    /// Those that somebody cancelled.
    pub(crate) cancelled: u64,
    /// Those under way.
    pub(crate) in_flight: u64,
    /// Those not yet handed over.
    pub(crate) waiting: u64,
    /// Whether handing over waits for the detect queue to fall to its high-water mark.
    pub(crate) is_held_back: bool,
    /// Runs ended in an hour.
    pub(crate) episodes_per_hour: Option<f64>,
    /// Seconds until all have ended, by the size of their videos.
    pub(crate) eta_sec: Option<f64>,
}

/// What happens in a backfill.
#[derive(Debug)]
pub(crate) enum Event<'a> {
    /// A run was handed over.
    Submitted(&'a RunRef),
    /// A run has ended.
    Ended(&'a RunRef, &'a Standing),
    /// A server does not answer; it is tried again.
    Trouble(&'a anyhow::Error),
    /// So far it is.
    Progress(&'a Tally),
}

/// A backfill.
pub(crate) struct Campaign<'a> {
    desk: &'a Desk,
    pace: Pace,
    waiting: VecDeque<(Candidate, Action)>,
    in_flight: Vec<Candidate>,
    tally: Tally,
    began: Instant,
    bytes: u64,
    bytes_ended: u64,
    bytes_done: u64,
}

impl<'a> Campaign<'a> {
    /// What `selection` leaves to do of `candidates`.
    pub(crate) fn new(
        desk: &'a Desk,
        pace: Pace,
        (candidates, selection): (Vec<Candidate>, Selection),
    ) -> Self {
        let (mut waiting, mut in_flight) = (VecDeque::new(), Vec::new());
        for candidate in candidates {
            match selection.action(&candidate.standing) {
                Action::Leave => {}
                Action::Watch => in_flight.push(candidate),
                action => waiting.push_back((candidate, action)),
            }
        }
        let sizes = waiting.iter().map(|(candidate, _)| candidate).chain(&in_flight);
        let bytes = sizes.map(Candidate::size_bytes).sum();
        let tally = Tally { runs: (waiting.len() + in_flight.len()) as u64, ..Tally::default() };
        let began = Instant::now();
        Self { desk, pace, waiting, in_flight, tally, began, bytes, bytes_ended: 0, bytes_done: 0 }
    }

    /// Goes on until it is over or the future is dropped, which is harmless at any moment.
    pub(crate) async fn run(&mut self, until: Until, tell: &mut impl FnMut(Event<'_>)) -> Result<()> {
        loop {
            if let Err(error) = self.step(tell).await {
                if !may_pass(&error) {
                    return Err(error);
                }
                tell(Event::Trouble(&error));
            }
            self.count();
            tell(Event::Progress(&self.tally));
            let is_over = match until {
                Until::Ended => self.waiting.is_empty() && self.in_flight.is_empty(),
                Until::Submitted => self.waiting.is_empty(),
            };
            if is_over {
                return self.leave_pace().await;
            }
            tokio::time::sleep(self.pace.look_every).await;
        }
    }

    /// How far it is.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    async fn step(&mut self, tell: &mut impl FnMut(Event<'_>)) -> Result<()> {
        self.look_after(tell).await?;
        if !self.waiting.is_empty() {
            ready_to_publish(self.desk.queue.as_ref())?;
        }
        while self.in_flight.len() < self.pace.max_in_flight
            && let Some((candidate, action)) = self.waiting.front()
        {
            self.tally.is_held_back = self.backlog().await? > self.pace.high_water;
            if self.tally.is_held_back {
                break;
            }
            if *action == Action::Redo {
                forget(self.desk.store.as_ref(), candidate.run()).await?;
            }
            submit(self.desk, &candidate.asked, self.pace.lane).await?;
            tell(Event::Submitted(candidate.run()));
            // Only now: what failed half-way is done again.
            self.in_flight.extend(self.waiting.pop_front().map(|(candidate, _)| candidate));
        }
        Ok(())
    }

    /// Finds out which runs have ended.
    async fn look_after(&mut self, tell: &mut impl FnMut(Event<'_>)) -> Result<()> {
        let runs: Vec<RunRef> = self.in_flight.iter().map(|candidate| candidate.run().clone()).collect();
        let standings = side_by_side(runs, |run| {
            let store = Arc::clone(&self.desk.store);
            async move { standing(store.as_ref(), &run).await }
        });
        let standings = standings.await?;
        let mut still = Vec::new();
        for (candidate, standing) in self.in_flight.drain(..).zip(standings) {
            if !standing.is_end() {
                still.push(candidate);
                continue;
            }
            match standing {
                Standing::Done => {
                    self.tally.done += 1;
                    self.bytes_done += candidate.size_bytes();
                }
                Standing::Failed(_) => self.tally.failed += 1,
                _ => self.tally.cancelled += 1,
            }
            self.bytes_ended += candidate.size_bytes();
            tell(Event::Ended(candidate.run(), &standing));
        }
        self.in_flight = still;
        Ok(())
    }

    /// Detect jobs that wait, and those that will come from the plan jobs that wait.
    async fn backlog(&self) -> Result<u64> {
        let mut waiting = 0;
        for (stage, detect_jobs) in [(Stage::Plan, DETECT_JOBS_OF_A_PLAN), (Stage::Detect, 1)] {
            let depth = self.desk.queue.depth(&QueueName::new(stage, self.pace.lane)).await?;
            waiting += detect_jobs * (depth.ready + depth.delayed);
        }
        Ok(waiting)
    }

    fn count(&mut self) {
        let elapsed_sec = self.began.elapsed().as_secs_f64();
        let ended = self.tally.done + self.tally.failed + self.tally.cancelled;
        self.tally.in_flight = self.in_flight.len() as u64;
        self.tally.waiting = self.waiting.len() as u64;
        self.tally.is_held_back &= !self.waiting.is_empty();
        let has_pace = ended > 0 && elapsed_sec > 0.0;
        self.tally.episodes_per_hour = has_pace.then(|| ended as f64 * 3_600.0 / elapsed_sec);
        let left = (self.bytes - self.bytes_ended) as f64;
        self.tally.eta_sec = has_pace.then(|| left * elapsed_sec / (self.bytes_ended as f64).max(1.0));
    }

    /// Notes how fast it went, for the next plan. A few seconds tell nothing.
    async fn leave_pace(&self) -> Result<()> {
        let elapsed_sec = self.began.elapsed().as_secs_f64();
        if self.bytes_done == 0 || elapsed_sec < 1.0 {
            return Ok(());
        }
        LastPace::write(self.desk.store.as_ref(), self.bytes_done as f64 / elapsed_sec).await
    }
}

/// A broker that takes no messages at the moment.
#[derive(Debug, thiserror::Error)]
#[error("nothing can be handed over: {0}")]
pub(crate) struct NotReady(String);

/// Publishing waits as long as the broker takes nothing: whoever has something to tell meanwhile asks first.
pub(crate) fn ready_to_publish(queue: &dyn Queue) -> Result<(), NotReady> {
    let health = queue.health().borrow().clone();
    if health.is_ready() { Ok(()) } else { Err(NotReady(health.state.to_string())) }
}

/// Whether the same may work a little later: a backfill of days outlives a server that is started again.
fn may_pass(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause.downcast_ref::<StoreError>().is_some_and(|error| !error.is_permanent())
            || cause.downcast_ref::<QueueError>().is_some_and(|error| !error.is_permanent())
            || cause.is::<NotReady>()
    })
}

#[cfg(test)]
mod tests {
    use super::super::standing::tests::put;
    use super::super::submission::tests::desk;
    use super::*;
    use crate::request::tests::asked;
    use facereel_domain::layout::RunLayout;
    use facereel_queue::Message;

    const PACE: Pace =
        Pace { lane: Lane::Backfill, max_in_flight: 2, high_water: 100, look_every: Duration::from_secs(2) };

    fn candidates(standings: &[(&str, Standing)]) -> Vec<Candidate> {
        let candidate = |(ep_id, standing): &(&str, Standing)| Candidate {
            asked: asked(ep_id),
            standing: standing.clone(),
        };
        standings.iter().map(candidate).collect()
    }

    fn new_ones(ep_ids: &[&'static str]) -> Vec<Candidate> {
        candidates(&ep_ids.iter().map(|ep_id| (*ep_id, Standing::New)).collect::<Vec<_>>())
    }

    /// Runs the campaign; `services` acts after each look, as services would meanwhile.
    async fn watched(campaign: &mut Campaign<'_>, mut services: impl FnMut(&Tally)) -> Vec<String> {
        let mut log = Vec::new();
        let mut tell = |event: Event<'_>| match event {
            Event::Submitted(run) => log.push(format!("+{}", run.ep_id)),
            Event::Ended(run, standing) => log.push(format!("{} {}", run.ep_id, standing.word())),
            Event::Trouble(error) => log.push(format!("trouble {error:#}")),
            Event::Progress(tally) => services(tally),
        };
        campaign.run(Until::Ended, &mut tell).await.unwrap();
        log
    }

    /// Marks the run of `ep_id` as committed, from within an event.
    fn commit(desk: &Desk, ep_id: &str) {
        let (store, key) = (Arc::clone(&desk.store), RunLayout::new(&asked(ep_id).request.run).manifest());
        tokio::spawn(async move { put(store.as_ref(), &key, "{}").await });
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_runs_are_under_way_than_allowed_and_all_end() {
        let desk = desk();
        let mut campaign = Campaign::new(&desk, PACE, (new_ones(&["A", "B", "C"]), Selection::New));
        let mut looks = 0;
        let log = watched(&mut campaign, |tally| {
            looks += 1;
            assert!(tally.in_flight <= 2);
            commit(&desk, ["A", "C", "B"][(looks - 1).min(2)]);
        });
        assert_eq!(log.await, ["+A", "+B", "A done", "+C", "C done", "B done"]);
        assert_eq!((campaign.tally().done, campaign.tally().waiting), (3, 0));
        assert!(LastPace::read(desk.store.as_ref()).await.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn runs_that_are_under_way_are_waited_for_and_not_handed_over_again() {
        let desk = desk();
        submit(&desk, &asked("A"), Lane::Backfill).await.unwrap();
        let standing = standing(desk.store.as_ref(), &asked("A").request.run).await.unwrap();
        let list = candidates(&[("A", standing), ("B", Standing::Done)]);
        let mut campaign = Campaign::new(&desk, PACE, (list, Selection::New));
        let log = watched(&mut campaign, |_| commit(&desk, "A")).await;
        assert_eq!(log, ["A done"]);
        let plan_jobs = desk.queue.depth(&QueueName::new(Stage::Plan, Lane::Backfill)).await.unwrap();
        assert_eq!(plan_jobs.ready, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_handed_over_above_the_high_water_mark() {
        let desk = desk();
        let detect = QueueName::new(Stage::Detect, Lane::Backfill);
        for _ in 0..101 {
            desk.queue.publish(&detect, Message::new("job").unwrap()).await.unwrap();
        }
        let mut campaign = Campaign::new(&desk, PACE, (new_ones(&["A"]), Selection::New));
        let mut held_back = 0;
        let queue = Arc::clone(&desk.queue);
        let log = watched(&mut campaign, |tally| {
            held_back += u32::from(tally.is_held_back);
            if held_back == 3 {
                let queue = Arc::clone(&queue);
                tokio::spawn(async move { queue.purge(&detect).await.unwrap() });
            }
            if tally.in_flight == 1 {
                commit(&desk, "A");
            }
        });
        assert_eq!(log.await, ["+A", "A done"]);
        assert_eq!(held_back, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn finished_runs_are_deleted_before_they_are_done_again() {
        let desk = desk();
        let key = RunLayout::new(&asked("A").request.run).manifest();
        put(desk.store.as_ref(), &key, "{}").await;
        let list = candidates(&[("A", Standing::Done)]);
        let mut campaign = Campaign::new(&desk, PACE, (list, Selection::All));
        campaign.run(Until::Submitted, &mut |_| {}).await.unwrap();
        assert!(desk.store.head(&key).await.unwrap().is_none());
        assert_eq!(campaign.tally().in_flight, 1);
    }
}
