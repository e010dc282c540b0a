//! Settings that are ready, with the source of each value.

use std::collections::BTreeMap;

use facereel_domain::settings::Settings;
use serde::{Serialize, Serializer};

use crate::check::{check_order, not_allowed, shown};
use crate::error::SettingsError;
use crate::knob::Scope;
use crate::knobs;
use crate::paths;
use crate::source::Source;

/// Ready settings and how they came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// The values.
    pub settings: Settings,
    /// The source of each value, by path.
    pub sources: BTreeMap<&'static str, Source>,
    /// What the user should know: older names in use, and what replaces them.
    pub notes: Vec<String>,
    /// The settings that were given in frames, with their number of frames.
    pub(crate) in_frames: BTreeMap<&'static str, f64>,
}

/// A value as `facereel settings --json` and a run's `settings.json` show it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reported {
    /// The setting.
    pub path: &'static str,
    /// Its value as text, credentials left out.
    pub value: String,
    /// Its unit; empty where there is none.
    pub unit: &'static str,
    /// Where the value came from.
    #[serde(serialize_with = "as_text")]
    pub source: Source,
    /// What it has a say in.
    #[serde(skip)]
    pub scope: Scope,
}

impl Resolved {
    /// The same with durations that were given in frames counted at `fps`, the video's frame rate.
    ///
    /// Until this is called they are counted at 24 frames per second. It fails where the seconds leave their range.
    pub fn with_fps(&self, fps: f64) -> Result<Self, SettingsError> {
        if !(fps.is_finite() && fps > 0.0) {
            return Err(SettingsError::FrameRate(fps));
        }
        let mut leaves = paths::leaves(&self.settings)?;
        for knob in knobs::all() {
            let Some(frames) = self.in_frames.get(knob.path) else { continue };
            let value = knob.kind.accept(&(frames / fps).into()).ok_or_else(|| {
                not_allowed(knob, &format!("{frames} frames at {fps} frames/s"), &self.sources[knob.path])
            })?;
            leaves.insert(knob.path.to_owned(), value);
        }
        let settings = paths::assemble(&leaves)?;
        check_order(&settings.pipeline)?;
        Ok(Self { settings, ..self.clone() })
    }

    /// Whether some durations were given in frames, so that the video's frame rate is needed to know them.
    #[must_use]
    pub fn counts_frames(&self) -> bool {
        !self.in_frames.is_empty()
    }

    /// All values with their units and sources, in the order of the table of knobs.
    pub fn report(&self) -> Result<Vec<Reported>, SettingsError> {
        let leaves = paths::leaves(&self.settings)?;
        let reported = knobs::all().map(|knob| Reported {
            path: knob.path,
            value: leaves.get(knob.path).map(shown).unwrap_or_default(),
            unit: knob.unit,
            source: self.sources.get(knob.path).cloned().unwrap_or(Source::Default),
            scope: knob.scope(),
        });
        Ok(reported.collect())
    }
}

fn as_text<S: Serializer>(source: &Source, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(source)
}
