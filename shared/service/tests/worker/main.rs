//! The worker loop on an in-process queue and a store in memory, with and without faults.

mod ends;
mod failures;
mod intake;
mod order;
mod rig;
mod slots;
