//! Ground truth and results as text, as the trade writes them.

mod lists;
mod mot;

pub use lists::{ListError, identities, shot_starts};
pub use mot::{MotError, MotRow, TrueFace, found_boxes, mot_rows, true_faces};

use std::collections::BTreeMap;

/// Something by frame, from 0.
pub type ByFrame<T> = BTreeMap<u64, Vec<T>>;
