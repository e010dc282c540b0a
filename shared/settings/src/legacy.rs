//! The older names: environment variables in both spellings of their prefix, and flags.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::check::not_allowed;
use crate::error::SettingsError;
use crate::knob::{Knob, Legacy, Reading};
use crate::knobs;
use crate::source::Source;

/// What may stand before an older environment name; the last that is set wins.
const PREFIXES: [&str; 3] = ["", "SCREANALYTICS_", "SCREENALYTICS_"];

/// The frame rate that frames are counted at until the video's is known.
pub(crate) const NOMINAL_FPS: f64 = 24.0;

/// An older flag that the command line accepts without showing it; it takes one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegacyFlag {
    /// The flag without its dashes.
    pub name: &'static str,
    /// The setting it sets.
    pub path: &'static str,
}

/// All older flags. Hand what the user gave to [`crate::Override::legacy`].
#[must_use]
pub fn legacy_flags() -> Vec<LegacyFlag> {
    let flag = |knob: &Knob, legacy: &Legacy| {
        legacy.name.strip_prefix("--").map(|name| LegacyFlag { name, path: knob.path })
    };
    knobs::all().flat_map(|knob| knob.legacy.iter().filter_map(move |legacy| flag(knob, legacy))).collect()
}

/// An older name that was set.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) knob: &'static Knob,
    pub(crate) legacy: &'static Legacy,
    pub(crate) text: &'a str,
    pub(crate) source: Source,
}

/// The older names in the environment, in ascending order of precedence; empty values count as not set.
pub(crate) fn in_environment(env: &BTreeMap<String, String>) -> Vec<Found<'_>> {
    let mut found = Vec::new();
    for knob in knobs::all() {
        for legacy in knob.legacy.iter().filter(|l| !l.is_flag()) {
            for name in PREFIXES.map(|prefix| format!("{prefix}{}", legacy.name)) {
                let Some(text) = env.get(&name).filter(|t| !t.is_empty()) else { continue };
                found.push(Found { knob, legacy, text, source: Source::Environment(name) });
            }
        }
    }
    found
}

/// The setting and older name behind `flag` (with its dashes).
pub(crate) fn find_flag(flag: &str) -> Option<(&'static Knob, &'static Legacy)> {
    knobs::all().find_map(|knob| Some((knob, knob.legacy.iter().find(|l| l.is_flag() && l.name == flag)?)))
}

impl Found<'_> {
    /// The setting's value, and the number of frames it stands for where it was given in frames.
    pub(crate) fn value(&self) -> Result<(Value, Option<f64>), SettingsError> {
        let refused = || not_allowed(self.knob, &self.described(), &self.source);
        let number = || self.text.trim().parse::<f64>().map_err(|_| refused());
        let (value, frames) = match self.legacy.reading {
            Reading::Same => (self.knob.kind.parse(self.text), None),
            Reading::Distance => (self.knob.kind.accept(&(1.0 - number()?).into()), None),
            Reading::Frames => {
                let frames = number()?;
                (self.knob.kind.accept(&(frames / NOMINAL_FPS).into()), Some(frames))
            }
        };
        Ok((value.ok_or_else(refused)?, frames))
    }

    /// What to tell the user.
    pub(crate) fn note(&self) -> String {
        let name = match &self.source {
            Source::Environment(name) | Source::CommandLine(name) => name,
            _ => self.legacy.name,
        };
        let Knob { path, unit, .. } = self.knob;
        let reading = match self.legacy.reading {
            Reading::Same => "",
            Reading::Frames => " (in seconds; the frames given here are counted at the video's frame rate)",
            Reading::Distance => " (an IoU; the distance given here is 1 - IoU)",
        };
        let unit =
            if unit.is_empty() || !reading.is_empty() { String::new() } else { format!(" (in {unit})") };
        let environment = self.knob.environment_name();
        format!("{name} is an older name: use --set {path}=… or {environment}{unit}{reading}")
    }

    fn described(&self) -> String {
        match self.legacy.reading {
            Reading::Same => self.text.to_owned(),
            Reading::Frames => format!("{} frames", self.text),
            Reading::Distance => format!("1 - {}", self.text),
        }
    }
}
