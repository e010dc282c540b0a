//! The arguments that set settings: shared by every command that needs them.

use clap::{ArgMatches, Args, Command, FromArgMatches};
use facereel_settings::{Loader, Override, Resolved, SettingsError, legacy_flags};

/// Where settings may be written on the command line.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct SettingArgs {
    /// A named set of values: fast, balanced or high
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// A settings file (TOML)
    #[arg(long, alias = "settings", value_name = "FILE")]
    pub(crate) config: Option<std::path::PathBuf>,
    /// One setting, as in --set detect.min_face_px=90; may be repeated; `facereel settings` lists all
    #[arg(long, value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,
    #[command(flatten)]
    pub(crate) legacy: LegacyArgs,
}

impl SettingArgs {
    /// All settings: defaults, profile, file, environment, then `flags` and these arguments.
    pub(crate) fn resolve(&self, flags: Vec<Override>) -> Result<Resolved, SettingsError> {
        let mut loader = Loader::new().process_env();
        if let Some(name) = &self.profile {
            loader = loader.profile(name);
        }
        if let Some(file) = &self.config {
            loader = loader.file(file);
        }
        let set = self.set.iter().map(|text| Override::assignment(text)).collect::<Result<Vec<_>, _>>()?;
        let legacy = self.legacy.given.iter().map(|(name, value)| Override::legacy(name, value));
        // The most explicit last: it wins.
        loader.overrides(legacy.chain(flags).chain(set)).load()
    }
}

/// Older flags, accepted and not shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct LegacyArgs {
    given: Vec<(&'static str, String)>,
}

/// Older flags that are flags of ours too.
const CURRENT: [&str; 1] = ["stride"];

fn hidden_flags() -> impl Iterator<Item = &'static str> {
    legacy_flags().into_iter().map(|flag| flag.name).filter(|name| !CURRENT.contains(name))
}

impl Args for LegacyArgs {
    fn augment_args(command: Command) -> Command {
        hidden_flags().fold(command, |command, name| {
            command.arg(clap::Arg::new(name).long(name).num_args(1).hide(true).allow_negative_numbers(true))
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for LegacyArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |name| Some((name, matches.get_one::<String>(name)?.clone()));
        Ok(Self { given: hidden_flags().filter_map(given).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
