//! Where everything stands: runs from the store, queues from the broker.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use facereel_domain::ids::{EpisodeId, RunRef};
use facereel_domain::layout::RunLayout;
use facereel_domain::pipeline::{Lane, Stage};
use facereel_queue::{Queue, QueueName};
use facereel_store::Store;
use serde::Serialize;
use tokio::time::Instant;

use super::clock::unix_sec;
use super::headway::{Headway, PlanView, headway};
use super::letters::letters;
use super::runs::{current_run, episodes, runs_of};
use super::side_by_side::side_by_side;
use super::standing::{Standing, standing};

/// Where everything stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Overview {
    /// Runs, by episode.
    pub(crate) runs: Vec<RunView>,
    /// The queues that hold something, in the order of the flow.
    pub(crate) queues: Vec<QueueView>,
    /// Dead letters; absent where no broker was asked.
    pub(crate) dead_letters: Option<u64>,
    /// Why nothing is known of the queues.
    pub(crate) no_broker: Option<String>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RunView {
    /// Episode and run.
    #[serde(flatten)]
    pub(crate) run: RunRef,
    /// Where it stands.
    #[serde(flatten)]
    pub(crate) standing: Standing,
    /// Whether `current.json` points to it.
    pub(crate) is_current: bool,
    /// How far it is, while it is under way.
    pub(crate) headway: Option<Headway>,
    /// Frames, or parts where no frames are left to detect, a second.
    pub(crate) rate: Option<f64>,
    /// Seconds until its phase is over.
    pub(crate) eta_sec: Option<f64>,
}

/// A queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct QueueView {
    /// Whose jobs.
    pub(crate) stage: Stage,
    /// How urgent.
    pub(crate) lane: Lane,
    /// Jobs that wait for a worker.
    pub(crate) waiting: u64,
    /// Jobs that failed and wait to be tried again.
    pub(crate) retrying: u64,
    /// Jobs at workers; absent where the broker does not tell.
    pub(crate) at_work: Option<u64>,
    /// Consumers of workers.
    pub(crate) consumers: u64,
}

/// Which runs are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Those that readers see, and those without a commit.
    Current,
    /// Older committed ones too.
    All,
}

/// Looks again and again, and tells speed from what changed.
pub(crate) struct Watcher {
    store: Arc<dyn Store>,
    queue: Result<Arc<dyn Queue>, String>,
    /// By the run's folder.
    watched: BTreeMap<String, Watched>,
    /// Dead letters, and the number of failed runs when they were counted.
    dead_letters: Option<(u64, usize)>,
}

/// What is remembered of a run under way.
#[derive(Default)]
struct Watched {
    plan: Option<PlanView>,
    /// When its phase was first seen, and how much of it was done then.
    first: Option<(Stage, Instant, u64)>,
}

impl Watcher {
    /// Watches `store` and `queue`; where there is no queue, the reason why.
    pub(crate) fn new(store: Arc<dyn Store>, queue: Result<Arc<dyn Queue>, String>) -> Self {
        Self { store, queue, watched: BTreeMap::new(), dead_letters: None }
    }

    /// Looks at the runs of `wanted` episodes, or of all.
    pub(crate) async fn look(&mut self, wanted: &[EpisodeId], shown: Shown) -> Result<Overview> {
        let found = match wanted {
            [] => episodes(self.store.as_ref()).await?,
            named => named.to_vec(),
        };
        let stood = side_by_side(found, |ep_id| {
            let store = Arc::clone(&self.store);
            async move { stands(store.as_ref(), &ep_id, shown).await }
        });
        let mut runs = stood.await?.concat();
        for view in &mut runs {
            self.measure(view).await?;
        }
        let failed = runs.iter().filter(|view| matches!(view.standing, Standing::Failed(_))).count();
        let (queues, no_broker) = self.look_at_queues(failed).await;
        let dead_letters = self.dead_letters.map(|(count, _)| count).filter(|_| no_broker.is_none());
        Ok(Overview { runs, queues, dead_letters, no_broker })
    }

    /// Adds headway and speed to a run that is under way.
    async fn measure(&mut self, view: &mut RunView) -> Result<()> {
        let key = RunLayout::new(&view.run).prefix().to_owned();
        if view.standing.is_end() {
            self.watched.remove(&key);
            return Ok(());
        }
        let watched = self.watched.entry(key).or_default();
        let headway = headway(self.store.as_ref(), &view.run, &mut watched.plan).await?;
        let (done, all) = headway.units();
        let first = match watched.first {
            Some(first) if first.0 == headway.phase => first,
            _ => *watched.first.insert((headway.phase, Instant::now(), done)),
        };
        let seen = (done.saturating_sub(first.2), first.1.elapsed().as_secs_f64());
        view.rate = rate(seen, since_submission(&view.standing, &headway));
        view.eta_sec = view.rate.map(|rate| all.saturating_sub(done) as f64 / rate);
        view.headway = Some(headway);
        Ok(())
    }

    async fn look_at_queues(&mut self, failed: usize) -> (Vec<QueueView>, Option<String>) {
        let queue = match &self.queue {
            Ok(queue) => Arc::clone(queue),
            Err(reason) => return (Vec::new(), Some(reason.clone())),
        };
        // Reading the letters takes them away from others for a moment: only when there may be more.
        if self.dead_letters.is_none_or(|(_, at)| at != failed) {
            match letters(queue.as_ref()).await {
                Ok(letters) => self.dead_letters = Some((letters.len() as u64, failed)),
                Err(error) => return (Vec::new(), Some(format!("{error:#}"))),
            }
        }
        match depths(queue.as_ref()).await {
            Ok(queues) => (queues, None),
            Err(error) => (Vec::new(), Some(format!("{error:#}"))),
        }
    }
}

/// The runs of an episode that are shown.
async fn stands(store: &dyn Store, ep_id: &EpisodeId, shown: Shown) -> Result<Vec<RunView>> {
    let current = current_run(store, ep_id).await?;
    let mut views = Vec::new();
    for run in runs_of(store, ep_id).await? {
        let standing = standing(store, &run).await?;
        let is_current = current.as_ref() == Some(&run);
        // A commit that nothing points to yet is the newest there is.
        let is_older = standing == Standing::Done && !is_current && current.is_some();
        if shown == Shown::All || !is_older {
            views.push(RunView { run, standing, is_current, headway: None, rate: None, eta_sec: None });
        }
    }
    Ok(views)
}

async fn depths(queue: &dyn Queue) -> Result<Vec<QueueView>> {
    let mut views = Vec::new();
    for name in QueueName::all() {
        let depth = queue.depth(&name).await?;
        let (waiting, retrying) = (depth.ready, depth.delayed);
        let at_work = depth.unacknowledged;
        if waiting + retrying + at_work.unwrap_or(0) > 0 {
            let (stage, lane) = (name.stage, name.lane);
            views.push(QueueView { stage, lane, waiting, retrying, at_work, consumers: depth.consumers });
        }
    }
    Ok(views)
}

/// Frames detected in so many seconds since the run was handed over: all there is to judge by at the first look. Waiting
/// in the queue counts too, so that it promises too late rather than too early.
fn since_submission(standing: &Standing, headway: &Headway) -> Option<(u64, f64)> {
    let Standing::Submitted(submission) = standing else { return None };
    let elapsed = unix_sec().saturating_sub(submission.submitted_unix_sec);
    (headway.phase == Stage::Detect).then_some((headway.frames_done, elapsed as f64))
}

/// Units a second: by what was seen to change, else by what is known of the time before.
fn rate(seen: (u64, f64), before: Option<(u64, f64)>) -> Option<f64> {
    let of = |(units, sec): (u64, f64)| (units > 0 && sec > 0.0).then(|| units as f64 / sec);
    of(seen).or_else(|| before.and_then(of))
}

#[cfg(test)]
mod tests {
    use super::super::submission::tests::desk;
    use super::super::{cancel, submit};
    use super::*;
    use crate::request::tests::asked;

    #[test]
    fn what_was_seen_to_change_tells_more_than_what_was_before() {
        assert_eq!(rate((100, 4.0), Some((100, 50.0))), Some(25.0));
        assert_eq!(rate((0, 4.0), Some((100, 50.0))), Some(2.0));
        assert_eq!(rate((0, 0.0), None), None);
    }

    #[tokio::test]
    async fn runs_and_queues_are_seen_together() {
        let desk = desk();
        for ep_id in ["A", "B"] {
            submit(&desk, &asked(ep_id), Lane::Backfill).await.unwrap();
        }
        cancel(desk.store.as_ref(), &asked("B").request.run).await.unwrap();
        let mut watcher = Watcher::new(Arc::clone(&desk.store), Ok(Arc::clone(&desk.queue)));
        let overview = watcher.look(&[], Shown::Current).await.unwrap();
        let words: Vec<_> = overview.runs.iter().map(|view| view.standing.word()).collect();
        assert_eq!(words, ["submitted", "cancelled"]);
        assert_eq!(overview.runs[0].headway.as_ref().map(|headway| headway.phase), Some(Stage::Plan));
        assert_eq!(overview.queues.len(), 1);
        assert_eq!((overview.queues[0].waiting, overview.dead_letters), (2, Some(0)));
        let only_b = watcher.look(&["B".parse().unwrap()], Shown::Current).await.unwrap();
        assert_eq!(only_b.runs.len(), 1);
    }

    #[tokio::test]
    async fn without_a_broker_the_store_still_tells() {
        let desk = desk();
        submit(&desk, &asked("A"), Lane::Backfill).await.unwrap();
        let mut watcher = Watcher::new(Arc::clone(&desk.store), Err("queue.url names none".to_owned()));
        let overview = watcher.look(&[], Shown::Current).await.unwrap();
        assert_eq!(overview.runs.len(), 1);
        assert_eq!(
            (overview.dead_letters, overview.no_broker.as_deref()),
            (None, Some("queue.url names none"))
        );
    }
}
