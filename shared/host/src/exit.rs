//! How a service ends: what an orchestrator can act on.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use facereel_queue::QueueError;
use facereel_service::{ForeignStage, PrepareError};
use facereel_settings::SettingsError;
use facereel_store::StoreError;

use crate::trap::FailPointError;

/// How a service ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It was asked to stop, and every job that it held has ended.
    Stopped = 0,
    /// Something failed that has no code of its own.
    Internal = 1,
    /// Arguments or settings are wrong.
    Usage = 2,
    /// Models or ONNX Runtime are missing or damaged.
    Models = 4,
    /// The store could not be used at the start.
    Store = 5,
    /// The broker refuses, or could not be reached at the start.
    Broker = 6,
    /// A job did not end.
    Hung = 7,
    /// It was asked to stop, and jobs had to be handed back unfinished.
    HandedBack = 8,
}

impl Exit {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Stopped,
        Self::Internal,
        Self::Usage,
        Self::Models,
        Self::Store,
        Self::Broker,
        Self::Hung,
        Self::HandedBack,
    ];

    /// The code.
    #[must_use]
    pub fn code(self) -> u8 {
        self as u8
    }

    /// What it means, in a line.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Stopped => "stopped on request; every job it held has ended",
            Self::Internal => "failed for another reason",
            Self::Usage => "arguments or settings are wrong, or the address to listen on is taken",
            Self::Models => "models or ONNX Runtime are missing or damaged",
            Self::Store => "the store could not be used within service.start_timeout_sec",
            Self::Broker => {
                "the broker refuses, has other queues, or was not reached within service.start_timeout_sec"
            }
            Self::Hung => "a job did not end within service.job_timeout_sec; it went back to its queue",
            Self::HandedBack => "stopped on request; unfinished jobs went back to their queues",
        }
    }

    /// Which of two ends is to be told: the first that is no plain stop.
    pub(crate) fn or(self, later: Self) -> Self {
        if self == Self::Stopped { later } else { self }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// Settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The service has no such stage.
    #[error(transparent)]
    Stages(#[from] ForeignStage),
    /// The fail point is none.
    #[error("service.fail_point can't be used")]
    FailPoint(#[from] FailPointError),
    /// Nobody can listen there.
    #[error("service.listen = {address} can't be listened on")]
    Listen {
        /// As it was given.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// Spans can't be sent there.
    #[error("service.otlp_endpoint can't be used")]
    Otlp(#[source] Box<dyn Error + Send + Sync>),
    /// The stages can't be made ready.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The store can't be used.
    #[error("the store can't be used")]
    Store(#[from] StoreError),
    /// The broker can't be used.
    #[error("the broker can't be used")]
    Broker(#[from] QueueError),
    /// Threads or signals can't be had.
    #[error("the process can't be set up")]
    System(#[from] io::Error),
}

impl StartError {
    /// The code that goes with it.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Settings(_)
            | Self::Stages(_)
            | Self::FailPoint(_)
            | Self::Listen { .. }
            | Self::Otlp(_)
            | Self::Prepare(PrepareError::Settings(_)) => Exit::Usage,
            Self::Prepare(PrepareError::Models(_)) => Exit::Models,
            Self::Store(_) => Exit::Store,
            Self::Broker(_) => Exit::Broker,
            Self::System(_) => Exit::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use facereel_domain::cause::chain;

    #[test]
    fn the_first_end_that_is_no_plain_stop_counts() {
        assert_eq!(Exit::Stopped.or(Exit::Broker), Exit::Broker);
        assert_eq!(Exit::Hung.or(Exit::HandedBack), Exit::Hung);
    }

    #[test]
    fn causes_follow_their_consequence() {
        let cause = io::Error::new(io::ErrorKind::AddrInUse, "address in use");
        let error = StartError::Listen { address: "127.0.0.1:1".to_owned(), source: cause };
        assert_eq!(chain(&error), "service.listen = 127.0.0.1:1 can't be listened on: address in use");
        assert_eq!(error.exit(), Exit::Usage);
    }
}
