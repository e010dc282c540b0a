//! `facereel evaluate`: accuracy on labelled data.

mod faces;
mod finished;
mod pairs;
mod shots;
mod table;
mod tracks;
mod truth;
mod verification;

use anyhow::Result;
use clap::Subcommand;

pub(crate) use finished::FinishedRun;
pub(crate) use tracks::{DemandArgs, RunReport, judge_boxes, judge_run};
pub(crate) use truth::Truth;

use crate::exit::Exit;

/// Measure accuracy on labelled data.
#[derive(Debug, Subcommand)]
pub(crate) enum EvaluateCommand {
    /// How well detector, alignment and embedder together tell whether two photos show one person
    Faces(faces::FacesArgs),
    /// How good tracks are: HOTA, IDF1, switches, recall by face size and shot
    Tracks(tracks::TracksArgs),
    /// How many cuts were found, and how many were made up
    Shots(shots::ShotsArgs),
}

/// Measures what is asked.
pub(crate) fn run(command: &EvaluateCommand) -> Result<Exit> {
    match command {
        EvaluateCommand::Faces(args) => faces::run(args),
        EvaluateCommand::Tracks(args) => tracks::run(args),
        EvaluateCommand::Shots(args) => shots::run(args),
    }
}
