//! `facereel run` from the outside, with the real models: what it finds, what it leaves behind, what it survives.
//!
//! Needs the program (`cargo build -p facereel`), the models and the photos: `make test` sees to all of them.

mod bucket;
mod composed;
mod determinism;
mod disk_full;
mod erasing;
mod judged;
mod limits;
mod poison;
mod providers;
mod rates;
mod results;
