//! The commands, one a file. Each takes its arguments and returns how the program ends.

pub(crate) mod backfill;
pub(crate) mod bench;
pub(crate) mod cancel;
pub(crate) mod dead;
pub(crate) mod doctor;
pub(crate) mod erase;
pub(crate) mod evaluate;
pub(crate) mod fetch;
pub(crate) mod models;
pub(crate) mod run;
pub(crate) mod settings;
pub(crate) mod status;
pub(crate) mod submit;
pub(crate) mod verify;
