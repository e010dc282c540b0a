//! Which of a stage's queues jobs are taken from.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use facereel_domain::pipeline::Stage as StageName;
use facereel_queue::{Consumer, Delivery, Queue, QueueError, QueueName};
use tokio::time::timeout;
use tracing::{debug, info};

/// How long a look at the queues may take: well below a turn of the worker's loop.
const LOOK: Duration = Duration::from_secs(1);

/// The lanes of a stage that are open. One job of planning makes many of detection: a lane is closed to planners while
/// more detect jobs of it than the high-water mark wait, so that a backfill never buries the broker.
pub(super) struct Intake {
    queue: Arc<dyn Queue>,
    stage: StageName,
    high_water: u64,
    open: Vec<QueueName>,
}

impl Intake {
    /// All lanes of `stage`.
    pub(super) fn new(queue: Arc<dyn Queue>, stage: StageName, high_water: u64) -> Self {
        Self { queue, stage, high_water, open: QueueName::lanes_of(stage).to_vec() }
    }

    /// Whether a lane is closed: only then is there something to wait for.
    pub(super) fn is_held_back(&self) -> bool {
        self.open.len() < QueueName::lanes_of(self.stage).len()
    }

    /// Looks at what waits; true if other lanes are open than before.
    pub(super) async fn look(&mut self) -> bool {
        let Some(feeds) = floods(self.stage) else { return false };
        let open = match timeout(LOOK, self.lanes_below(feeds)).await {
            Ok(Ok(open)) => open,
            unseen => {
                debug!(?unseen, "can't see how much waits; going on as before");
                return false;
            }
        };
        if open == self.open {
            return false;
        }
        let lanes: Vec<_> = open.iter().map(|name| name.lane.as_str()).collect();
        info!(stage = %self.stage, ?lanes, high_water = self.high_water, "jobs are taken from other lanes now");
        self.open = open;
        true
    }

    async fn lanes_below(&self, feeds: StageName) -> Result<Vec<QueueName>, QueueError> {
        let mut open = Vec::new();
        for name in QueueName::lanes_of(self.stage) {
            let fed = QueueName { stage: feeds, lane: name.lane };
            if self.queue.depth(&fed).await?.ready <= self.high_water {
                open.push(name);
            }
        }
        Ok(open)
    }

    /// Takes at most `slots` jobs at once from the lanes that are open now.
    pub(super) async fn start(&self, slots: usize) -> Result<Taking, QueueError> {
        if self.open.is_empty() {
            return Ok(Taking { consumer: None });
        }
        Ok(Taking { consumer: Some(self.queue.consume(&self.open, slots).await?) })
    }
}

/// The stage whose queues are filled by many jobs at once.
fn floods(stage: StageName) -> Option<StageName> {
    (stage == StageName::Plan).then_some(StageName::Detect)
}

/// Jobs from the lanes that were open; none from none.
pub(super) struct Taking {
    consumer: Option<Box<dyn Consumer>>,
}

impl Taking {
    /// The next job. Safe to cancel.
    pub(super) async fn next(&mut self) -> Result<Option<Delivery>, QueueError> {
        match &mut self.consumer {
            Some(consumer) => consumer.next().await,
            None => pending().await,
        }
    }

    /// What is reserved here goes to others.
    pub(super) async fn close(self) -> Result<(), QueueError> {
        match self.consumer {
            Some(consumer) => consumer.close().await,
            None => Ok(()),
        }
    }
}
