//! From what people wrote to ready settings: the five layers and their merge.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use facereel_domain::settings::{Profile, Settings};
use serde_json::Value;

use crate::check::{check_order, known, not_allowed, shown, unknown};
use crate::error::SettingsError;
use crate::knob::{ENVIRONMENT_PREFIX, Knob};
use crate::knobs;
use crate::legacy::{self, Found};
use crate::nearest::nearest_path;
use crate::paths;
use crate::redact::redacted;
use crate::resolved::Resolved;
use crate::source::Source;

/// Collects the places where settings may be written, then reads them all.
#[derive(Debug, Clone, Default)]
pub struct Loader {
    file: Option<PathBuf>,
    env: BTreeMap<String, String>,
    overrides: Vec<Override>,
}

/// A setting on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    target: Target,
    value: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Path { path: String, flag: String },
    Legacy { flag: String },
}

impl Override {
    /// From the argument of `--set`: `detect.stride=3`.
    pub fn assignment(text: &str) -> Result<Self, SettingsError> {
        let (path, value) = text
            .split_once('=')
            .ok_or_else(|| SettingsError::NotAnAssignment(redacted(text).into_owned()))?;
        Ok(Self::flag("--set", path.trim(), value))
    }

    /// From a flag that stands for a setting, as `--out` does for `store.url`.
    #[must_use]
    pub fn flag(flag: &str, path: &str, value: &str) -> Self {
        let target = Target::Path { path: path.to_owned(), flag: flag.to_owned() };
        Self { target, value: value.to_owned() }
    }

    /// From one of [`crate::legacy_flags`], named without its dashes.
    #[must_use]
    pub fn legacy(name: &str, value: &str) -> Self {
        Self { target: Target::Legacy { flag: format!("--{name}") }, value: value.to_owned() }
    }
}

/// A value that was written somewhere, checked.
struct Written {
    knob: &'static Knob,
    value: Value,
    source: Source,
    frames: Option<f64>,
}

/// What was written, in ascending order of precedence, and what the user should know about it.
#[derive(Default)]
struct Layers {
    written: Vec<Written>,
    notes: Vec<String>,
}

impl Loader {
    /// Nothing but the defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The profile named on the command line (`--profile`).
    #[must_use]
    pub fn profile(mut self, name: &str) -> Self {
        self.overrides.push(Override::flag("--profile", "profile", name));
        self
    }

    /// A settings file in TOML, which must exist.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// An environment. Names that begin with `FACEREEL__` must be settings; of all others only older names are read,
    /// and where the user's cache folder is. An empty value counts as not set.
    #[must_use]
    pub fn env(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.env.extend(variables);
        self
    }

    /// The environment of this process.
    #[must_use]
    pub fn process_env(self) -> Self {
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        self.env(std::env::vars_os().map(|(name, value)| (text(name), text(value))))
    }

    /// What the command line sets; the last of several for one setting wins.
    #[must_use]
    pub fn overrides(mut self, overrides: impl IntoIterator<Item = Override>) -> Self {
        self.overrides.extend(overrides);
        self
    }

    /// Reads, checks and merges everything.
    pub fn load(self) -> Result<Resolved, SettingsError> {
        let mut layers = Layers::default();
        if let Some(file) = &self.file {
            layers.read_file(file)?;
        }
        for found in legacy::in_environment(&self.env) {
            layers.add_legacy(&found)?;
        }
        layers.read_environment(&self.env)?;
        for set in &self.overrides {
            layers.add_override(set)?;
        }
        layers.merge(&self.env)
    }
}

impl Layers {
    fn read_file(&mut self, path: &Path) -> Result<(), SettingsError> {
        let source = Source::File(path.to_owned());
        for (key, value) in paths::open_tables(&parse_file(path)?) {
            let knob = known(&key, &source)?;
            let value = knob.kind.accept(&value).ok_or_else(|| not_allowed(knob, &shown(&value), &source))?;
            self.written.push(Written { knob, value, source: source.clone(), frames: None });
        }
        Ok(())
    }

    fn read_environment(&mut self, env: &BTreeMap<String, String>) -> Result<(), SettingsError> {
        for (name, text) in env.iter().filter(|(_, text)| !text.is_empty()) {
            let Some(rest) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
            let source = Source::Environment(name.clone());
            let path = rest.to_lowercase().replace("__", ".");
            let Some(knob) = knobs::find(&path) else {
                let meant = nearest_path(&path).and_then(knobs::find).map(Knob::environment_name);
                return Err(unknown(name, meant, &source));
            };
            self.add_text(knob, text, source)?;
        }
        Ok(())
    }

    fn add_override(&mut self, set: &Override) -> Result<(), SettingsError> {
        match &set.target {
            Target::Path { path, flag } => {
                let source = Source::CommandLine(flag.clone());
                self.add_text(known(path, &source)?, &set.value, source)
            }
            Target::Legacy { flag } => {
                let source = Source::CommandLine(flag.clone());
                let (knob, legacy) = legacy::find_flag(flag).ok_or_else(|| unknown(flag, None, &source))?;
                self.add_legacy(&Found { knob, legacy, text: &set.value, source })
            }
        }
    }

    fn add_text(&mut self, knob: &'static Knob, text: &str, source: Source) -> Result<(), SettingsError> {
        let value = knob.kind.parse(text).ok_or_else(|| not_allowed(knob, text, &source))?;
        self.written.push(Written { knob, value, source, frames: None });
        Ok(())
    }

    fn add_legacy(&mut self, found: &Found<'_>) -> Result<(), SettingsError> {
        let (value, frames) = found.value()?;
        self.notes.push(found.note());
        self.written.push(Written { knob: found.knob, value, source: found.source.clone(), frames });
        Ok(())
    }

    fn merge(self, env: &BTreeMap<String, String>) -> Result<Resolved, SettingsError> {
        let profile = self.profile();
        let mut values = paths::leaves(&Settings::default())?;
        let mut sources: BTreeMap<_, _> = knobs::all().map(|knob| (knob.path, Source::Default)).collect();
        let mut in_frames = BTreeMap::new();
        if let Some(dir) = user_models_dir(env) {
            values.insert("models.dir".to_owned(), dir.into());
        }
        for written in of_profile(profile).chain(self.written) {
            let path = written.knob.path;
            values.insert(path.to_owned(), written.value);
            sources.insert(path, written.source);
            match written.frames {
                Some(frames) => in_frames.insert(path, frames),
                None => in_frames.remove(path),
            };
        }
        values.insert("profile".to_owned(), profile.as_str().into());
        let settings = paths::assemble(&values)?;
        check_order(&settings.pipeline)?;
        Ok(Resolved { settings, sources, notes: self.notes, in_frames })
    }

    /// The profile that was written last; its name passed the check of its kind.
    fn profile(&self) -> Profile {
        let named = self.written.iter().rev().find(|w| w.knob.path == "profile");
        named.and_then(|w| w.value.as_str()?.parse().ok()).unwrap_or_default()
    }
}

/// What `profile` changes; a test keeps its texts readable.
fn of_profile(profile: Profile) -> impl Iterator<Item = Written> {
    knobs::all().filter_map(move |knob| {
        let value = knob.kind.parse(knob.in_profile(profile)?)?;
        Some(Written { knob, value, source: Source::Profile(profile), frames: None })
    })
}

fn parse_file(path: &Path) -> Result<Value, SettingsError> {
    let toml = config::File::from(path).format(config::FileFormat::Toml);
    let read = config::Config::builder().add_source(toml).build().and_then(config::Config::try_deserialize);
    read.map_err(|error| {
        // A parser shows the line it stumbled over, and that line may hold a password.
        let lines: Vec<_> = error.to_string().lines().map(|line| redacted(line).into_owned()).collect();
        SettingsError::File { path: path.to_owned(), detail: lines.join("\n") }
    })
}

/// `facereel/models` in the user's cache folder, by the XDG base directory specification.
fn user_models_dir(env: &BTreeMap<String, String>) -> Option<String> {
    let set = |name: &str| env.get(name).filter(|dir| Path::new(dir).is_absolute()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")))?;
    Some(cache.join("facereel/models").to_string_lossy().into_owned())
}
