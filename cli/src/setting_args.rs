//! The arguments that set settings: shared by every command that needs them.

use clap::{ArgMatches, Args, Command, FromArgMatches};
use facereel_settings::{Arguments, Override, Resolved, SettingsError, legacy_flags};

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
    /// One setting, as in --set detect.stride=3; may be repeated; `facereel settings` lists all
    #[arg(long, value_name = "PATH=VALUE")]
    pub(crate) set: Vec<String>,
    #[command(flatten)]
    pub(crate) legacy: LegacyArgs,
}

impl SettingArgs {
    /// All settings: defaults, profile, file, environment, then `flags` and these arguments.
    pub(crate) fn resolve(&self, flags: Vec<Override>) -> Result<Resolved, SettingsError> {
        let Self { profile, config, set, legacy } = self;
        let older = legacy.given.iter().map(|(name, value)| Override::legacy(name, value));
        Arguments { profile: profile.as_deref(), config: config.as_deref(), set }.load(older.chain(flags))
    }
}

/// What sets the settings of a run: the flags that are needed most, and all others by name.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RunSettingArgs {
    /// Where results go: a folder, or the URL of a store [default: data]
    #[arg(long, short, value_name = "DIR")]
    out: Option<String>,
    /// Analyse one frame in N (and the first of each shot)
    #[arg(long, value_name = "N")]
    stride: Option<u32>,
    /// Embed and export only the N best faces of each track, without the appearance gate
    #[arg(long, value_name = "N")]
    best: Option<u32>,
    /// Tracks and crops only, no embeddings
    #[arg(long)]
    no_embed: bool,
    /// Segments and batches worked on side by side
    #[arg(long, value_name = "N")]
    workers: Option<u32>,
    #[command(flatten)]
    all: SettingArgs,
}

impl RunSettingArgs {
    /// All settings.
    pub(crate) fn resolve(&self) -> Result<Resolved, SettingsError> {
        self.all.resolve(self.overrides())
    }

    /// What the flags set.
    fn overrides(&self) -> Vec<Override> {
        let mut set = Vec::new();
        let mut add = |flag: &str, path: &str, value: &str| set.push(Override::flag(flag, path, value));
        if let Some(out) = &self.out {
            add("--out", "store.url", out);
        }
        if let Some(stride) = self.stride {
            add("--stride", "detect.stride", &stride.to_string());
            add("--stride", "detect.analyzed_fps", "0");
        }
        if let Some(best) = self.best {
            add("--best", "track.sample_limit", &best.to_string());
            add("--best", "crops.per_track", &best.to_string());
            add("--best", "gate.enabled", "false");
        }
        if self.no_embed {
            add("--no-embed", "embed.enabled", "false");
        }
        if let Some(workers) = self.workers {
            add("--workers", "limits.workers", &workers.to_string());
        }
        set
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
