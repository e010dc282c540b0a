//! `facereel bench`: measuring, and the clips to measure with.

mod ablation;
mod before_after;
mod clip_folder;
mod compare;
mod floors;
mod markdown;
mod measured;
mod own_run;
mod people;
mod pipeline;
mod profiles;
mod rows;
mod synth;
mod track;
mod trackers;

use anyhow::Result;
use clap::Subcommand;

use crate::exit::Exit;

/// Measure speed, and compose clips to measure with.
#[derive(Debug, Subcommand)]
pub(crate) enum BenchCommand {
    /// Compose a clip with exact ground truth from face photos
    Synth(synth::SynthArgs),
    /// Measure a run: time, CPU, memory, and how near it is to what its parts alone take
    Pipeline(Box<pipeline::PipelineArgs>),
    /// Measure each knob of the optimisation plan by itself, on a clip with ground truth
    Ablation(ablation::AblationArgs),
    /// Measure a video with every knob as before the optimisation plan, and with the defaults
    BeforeAfter(before_after::BeforeAfterArgs),
    /// Measure the tracker on made-up faces
    Track(track::TrackArgs),
    /// Compare tracks with those of textbook `ByteTrack` on the same detections
    Trackers(trackers::TrackersArgs),
}

/// Measures what is asked.
pub(crate) fn run(command: &BenchCommand) -> Result<Exit> {
    match command {
        BenchCommand::Synth(args) => synth::run(args),
        BenchCommand::Pipeline(args) => pipeline::run(args),
        BenchCommand::Ablation(args) => ablation::run(args),
        BenchCommand::BeforeAfter(args) => before_after::run(args),
        BenchCommand::Track(args) => track::run(args),
        BenchCommand::Trackers(args) => trackers::run(args),
    }
}
