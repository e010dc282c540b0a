//! `facereel evaluate`: accuracy on labelled data.

mod faces;
mod pairs;
mod verification;

use anyhow::Result;
use clap::Subcommand;

use crate::exit::Exit;

/// Measure accuracy on labelled data.
#[derive(Debug, Subcommand)]
pub(crate) enum EvaluateCommand {
    /// How well detector, alignment and embedder together tell whether two photos show one person
    Faces(faces::FacesArgs),
}

/// Measures what is asked.
pub(crate) fn run(command: &EvaluateCommand) -> Result<Exit> {
    match command {
        EvaluateCommand::Faces(args) => faces::run(args),
    }
}
