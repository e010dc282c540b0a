//! What the tests of the whole project share: the repository as files and packages, the program as a process, a clip
//! with known faces, the results of a run as values, and services at work on real servers.
//!
//! The tests themselves lie in `tests/`. Deliberately absent: anything that a crate can test on its own.

pub mod build;
pub mod clip;
pub mod cluster;
pub mod episode;
pub mod fleet;
pub mod manifests;
pub mod media;
pub mod packages;
pub mod program;
pub mod rehearsal;
pub mod repository;
pub mod results;
pub mod schemas;
pub mod sizing;
pub mod truth;
