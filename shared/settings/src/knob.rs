//! A row of the table of knobs.

use facereel_domain::settings::Profile;

use crate::kind::Kind;

/// A setting as it is declared: everything but its default, which `facereel_domain::settings` holds.
#[derive(Debug, Clone, Copy)]
pub struct Knob {
    /// Its name, as in `detect.stride`.
    pub path: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// The unit of its value; empty where there is none.
    pub unit: &'static str,
    /// What it does and what it costs, for the reference.
    pub doc: &'static str,
    /// Its value in the profile `fast`, written as text, where that differs from the default.
    pub fast: Option<&'static str>,
    /// Its value in the profile `high`, written as text, where that differs from the default.
    pub high: Option<&'static str>,
    /// Older names that still set it; where several are set, the last wins.
    pub legacy: &'static [Legacy],
}

/// An older name of a setting.
#[derive(Debug, Clone, Copy)]
pub struct Legacy {
    /// A flag with its dashes, or an environment name without its prefix.
    pub name: &'static str,
    /// How its value becomes the setting's.
    pub reading: Reading,
}

/// How the value of an older name becomes the setting's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// It is the same.
    Same,
    /// It counts frames; the setting is in seconds.
    Frames,
    /// It is a distance, 1 - `IoU`; the setting is an `IoU`.
    Distance,
}

/// What a setting has a say in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The content of artifacts: it is part of the run's id.
    Artifacts,
    /// Where and how fast a process works.
    Process,
}

impl Knob {
    /// A setting that no profile changes and that never had another name.
    #[must_use]
    pub const fn new(path: &'static str, kind: Kind, unit: &'static str, doc: &'static str) -> Self {
        Self { path, kind, unit, doc, fast: None, high: None, legacy: &[] }
    }

    /// The same with another value in the profile `fast`.
    #[must_use]
    pub const fn fast(mut self, value: &'static str) -> Self {
        self.fast = Some(value);
        self
    }

    /// The same with another value in the profile `high`.
    #[must_use]
    pub const fn high(mut self, value: &'static str) -> Self {
        self.high = Some(value);
        self
    }

    /// The same with older names.
    #[must_use]
    pub const fn legacy(mut self, names: &'static [Legacy]) -> Self {
        self.legacy = names;
        self
    }

    /// What `profile` sets it to, as text, where that differs from the default.
    #[must_use]
    pub fn in_profile(&self, profile: Profile) -> Option<&'static str> {
        match profile {
            Profile::Fast => self.fast,
            Profile::Balanced => None,
            Profile::High => self.high,
        }
    }

    /// The first part of its path.
    #[must_use]
    pub fn group(&self) -> &'static str {
        self.path.split_once('.').map_or(self.path, |(group, _)| group)
    }

    /// Whether it determines artifacts. The place of a model's file does not: its digest stands for it.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match self.group() {
            _ if self.path.ends_with(".model_file") => Scope::Process,
            "detect" | "shots" | "track" | "quality" | "crops" | "gate" | "embed" => Scope::Artifacts,
            _ => Scope::Process,
        }
    }

    /// The environment variable that sets it: `FACEREEL__DETECT__STRIDE`.
    #[must_use]
    pub fn environment_name(&self) -> String {
        format!("{ENVIRONMENT_PREFIX}{}", self.path.replace('.', "__").to_uppercase())
    }
}

/// How the names of our environment variables begin.
pub(crate) const ENVIRONMENT_PREFIX: &str = "FACEREEL__";

impl Legacy {
    /// An older name whose value is the setting's.
    #[must_use]
    pub const fn same(name: &'static str) -> Self {
        Self { name, reading: Reading::Same }
    }

    /// An older name that counts frames.
    #[must_use]
    pub const fn frames(name: &'static str) -> Self {
        Self { name, reading: Reading::Frames }
    }

    /// An older name that is 1 - `IoU`.
    #[must_use]
    pub const fn distance(name: &'static str) -> Self {
        Self { name, reading: Reading::Distance }
    }

    /// Whether it is a flag of the command line.
    #[must_use]
    pub fn is_flag(&self) -> bool {
        self.name.starts_with("--")
    }
}
