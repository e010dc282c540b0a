//! Whether a queue is there at the moment: what readiness tells an orchestrator, and logs tell people.

use std::fmt;
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// The state of a queue's way to its broker, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueHealth {
    /// How it is.
    pub state: QueueState,
    /// Since when it is so.
    pub since: Instant,
}

/// How a queue is. As text: one line for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueState {
    /// Messages go both ways.
    Connected,
    /// The broker takes no messages (an alarm: memory or disk): publishing waits, verdicts still count, and no new
    /// deliveries are handed out, because what they lead to could not be published.
    Blocked {
        /// The broker's words.
        reason: String,
    },
    /// There is no connection; it is tried again for ever.
    Reconnecting {
        /// What ended the last one.
        cause: String,
    },
}

impl QueueHealth {
    /// `state`, from now on.
    pub(crate) fn now(state: QueueState) -> Self {
        Self { state, since: Instant::now() }
    }

    /// A queue that is always there: nothing will change.
    pub(crate) fn always_connected() -> watch::Receiver<Self> {
        watch::channel(Self::now(QueueState::Connected)).1
    }

    /// Whether work can be taken on.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.state == QueueState::Connected
    }

    /// For how long it has been so.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.since.elapsed()
    }
}

impl fmt::Display for QueueState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connected => f.write_str("connected"),
            Self::Blocked { reason } => write!(f, "the broker takes no messages: {reason}"),
            Self::Reconnecting { cause } => write!(f, "no connection to the broker: {cause}"),
        }
    }
}
