//! Plan jobs: an episode is cut into segments, and the frames to analyse are chosen.

mod facts;
mod sampling;
mod stage;

pub(crate) use facts::info_of;
pub use sampling::{Density, first_after_keyframes, sampled};
pub use stage::{PlanStage, plan_video};
