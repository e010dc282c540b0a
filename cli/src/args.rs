//! The command line.

use clap::{Parser, Subcommand};

use crate::commands::{
    backfill, bench, cancel, dead, doctor, erase, evaluate, fetch, models, run, settings, status, submit,
    verify,
};
use crate::exit;

/// Turns long videos into face tracks, embeddings, face crops and manifests.
#[derive(Debug, Parser)]
#[command(name = "facereel", version, max_term_width = 100, arg_required_else_help = true, after_help = EXAMPLES)]
#[command(after_long_help = long_help())]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  facereel models fetch                           bring the models, once
  facereel run episode.mp4 --out data             the whole job
  facereel run episode.mp4 --out data --profile fast --episode SHOW-S01E01
  facereel verify data                            check everything that was written
  facereel submit s3://films/SHOW-S01E01.mp4      the same by services, over a broker and a store
  facereel status --watch                         how far they are
  facereel doctor                                 what is missing on this machine";

fn long_help() -> String {
    format!("{EXAMPLES}\n\n{}", exit::HELP)
}

/// What to do. Commands are described where their arguments are: a description here would hide the long one there.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(Box<run::RunArgs>),
    Submit(Box<submit::SubmitArgs>),
    Backfill(Box<backfill::BackfillArgs>),
    Status(status::StatusArgs),
    Cancel(cancel::CancelArgs),
    #[command(subcommand)]
    Dead(dead::DeadCommand),
    Fetch(fetch::FetchArgs),
    Erase(erase::EraseArgs),
    Settings(settings::SettingsArgs),
    #[command(subcommand)]
    Models(models::ModelsCommand),
    Doctor(doctor::DoctorArgs),
    Verify(verify::VerifyArgs),
    #[command(subcommand)]
    Evaluate(evaluate::EvaluateCommand),
    #[command(subcommand)]
    Bench(bench::BenchCommand),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn commands_are_told_in_a_line_and_explained_at_length() {
        let program = Cli::command();
        let of = |name: &str| program.find_subcommand(name).expect("there is such a command");
        let line = of("cancel").get_about().expect("a line").to_string();
        let text = of("cancel").get_long_about().expect("a text").to_string();
        assert!(text.starts_with(&line) && text.contains("Workers drop their jobs"), "{text}");
        assert!(program.get_subcommands().all(|command| command.get_about().is_some()));
    }

    #[test]
    fn older_flags_are_accepted_but_not_shown() {
        let line = ["facereel", "run", "a.mp4", "--track-buffer", "90", "--match-thresh", "0.8"];
        let Command::Run(run) = Cli::try_parse_from(line).unwrap().command else { panic!("no run") };
        let resolved = run.settings.resolve().unwrap();
        assert!((resolved.settings.pipeline.track.min_iou - 0.2).abs() < 1e-6);
        assert!(resolved.counts_frames());
        assert_eq!(resolved.notes.len(), 2);
        let mut command = Cli::command();
        let help = command.find_subcommand_mut("run").unwrap().render_long_help().to_string();
        assert!(help.contains("--stride") && !help.contains("--track-buffer"), "{help}");
    }

    #[test]
    fn best_n_means_n_faces_of_each_track_and_no_gate() {
        let line = ["facereel", "run", "a.mp4", "--best", "4", "--workers", "1", "--no-embed"];
        let Command::Run(run) = Cli::try_parse_from(line).unwrap().command else { panic!("no run") };
        let settings = run.settings.resolve().unwrap().settings;
        assert_eq!((settings.pipeline.crops.per_track, settings.pipeline.track.sample_limit), (4, 4));
        assert!(!settings.pipeline.gate.enabled && !settings.pipeline.embed.enabled);
        assert_eq!(settings.runtime.limits.workers, 1);
    }

    #[test]
    fn what_set_says_wins_over_the_shorter_flags() {
        let line = ["facereel", "run", "a.mp4", "--stride", "3", "--set", "detect.stride=2"];
        let Command::Run(run) = Cli::try_parse_from(line).unwrap().command else { panic!("no run") };
        assert_eq!(run.settings.resolve().unwrap().settings.pipeline.detect.stride, 2);
    }
}
