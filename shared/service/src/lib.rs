//! What every stage needs around its own work.
//!
//! A stage is a function from a job to the jobs that follow ([`stage::Stage`]); its effects are objects in the store.
//! Around it, [`worker`] receives, decodes, processes, publishes and acknowledges, in that order, so that a crash
//! anywhere means a repeat and never a loss. The embedded program and the services run the same loop over different
//! queues and stores.
//!
//! Deliberately absent: anything about video or faces; implementations of queue and store.

mod assignment;
pub mod cancel;
pub mod compute;
pub mod cpu;
pub mod idle;
pub mod memory;
pub mod objects;
pub mod progress;
pub mod service;
mod signals;
pub mod stage;
mod threads;
pub mod worker;

pub use assignment::{Assignment, ForeignStage};
pub use compute::{ComputeError, ComputePool};
pub use progress::{Measure, ModelRole, Progress, ProgressSink};
pub use service::{PrepareError, Service, Slots, Team};
pub use signals::StopSignals;
pub use stage::{NextJob, Stage, StageContext, StageError};
pub use threads::Threads;
