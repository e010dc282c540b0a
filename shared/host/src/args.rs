//! The command line of a service: where its settings are.

use std::path::PathBuf;

use clap::{Args as _, Command, FromArgMatches as _};
use facereel_service::Service;
use facereel_settings::{Arguments, Resolved, SettingsError};

use crate::exit::Exit;

/// Where settings may be written on the command line; the environment (`FACEREEL__GROUP__KEY`) is read, too.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Args {
    /// A named set of values: fast, balanced or high
    #[arg(long, value_name = "NAME")]
    profile: Option<String>,
    /// A settings file (TOML)
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting, as in --set queue.url=amqp://broker; may be repeated
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,
}

impl Args {
    /// The arguments of this process; ends it where they are wrong, and for `--help` and `--version`.
    pub(crate) fn of_process<S: Service>() -> Self {
        let command = Command::new(S::NAME)
            .version(env!("CARGO_PKG_VERSION"))
            .about("A service of facereel: does jobs from queue.url on objects in store.url until it is told to stop")
            .after_help(exit_codes());
        let matches = Self::augment_args(command).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    /// All settings: defaults, profile, file, environment, then these arguments.
    pub(crate) fn resolve(&self) -> Result<Resolved, SettingsError> {
        let Self { profile, config, set } = self;
        Arguments { profile: profile.as_deref(), config: config.as_deref(), set }.load([])
    }
}

fn exit_codes() -> String {
    let lines: Vec<_> =
        Exit::ALL.iter().map(|exit| format!("  {}  {}", exit.code(), exit.meaning())).collect();
    format!("Exit codes:\n{}", lines.join("\n"))
}
