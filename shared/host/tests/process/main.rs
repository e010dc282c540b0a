//! A service as a process: a real broker, a store in a folder, signals, probes, exit codes.

mod exits;
mod fail_points;
mod probes;
mod rig;
mod stops;
mod traces;
