//! The settings as values that are ready to use, and the defaults: the `balanced` profile is what `Default` gives.
//!
//! A stage takes the group it needs (`&DetectSettings`) and trusts it: ranges were checked by `facereel-settings`,
//! which also describes every key (unit, range, trade-off), fills them from profile, file, environment and command
//! line, and checks again what arrives in a message. Nothing else holds a default.
//!
//! What determines artifacts (`PipelineSettings`) is kept apart from what only says where and how fast to work
//! (`RuntimeSettings`): the first is part of the run's id and travels with the run, the second belongs to the process.
//! In files and names the two are not told apart: `detect.stride` and `limits.threads` stand side by side.
//!
//! Every duration is in seconds. Zero and the empty text have a meaning of their own where the item says so.

mod pipeline;
mod runtime;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use pipeline::{
    CropSettings, DetectSettings, EmbedSettings, GateSettings, PipelineSettings, Provider, QualitySettings,
    ShotSettings, TrackSettings,
};
pub use runtime::{
    ExportSettings, LimitSettings, LogFormat, LogSettings, ModelSettings, QueueSettings, RuntimeSettings,
    ServiceSettings, SourceSettings, StoreSettings,
};

/// All settings of a process.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The named set of values that the others started from.
    pub profile: Profile,
    /// What determines the artifacts.
    pub pipeline: PipelineSettings,
    /// Where and how fast to work.
    pub runtime: RuntimeSettings,
}

/// A named set of values between speed and completeness.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Least CPU: large faces, fewer frames.
    Fast,
    /// The defaults.
    #[default]
    Balanced,
    /// Most complete: small faces, more frames, more samples.
    High,
}

impl Profile {
    /// All profiles, the cheapest first.
    pub const ALL: [Self; 3] = [Self::Fast, Self::Balanced, Self::High];

    /// The profile's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Balanced => "balanced",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no profile: use fast (low_power), balanced or high (high_accuracy)")]
pub struct ProfileError(String);

impl FromStr for Profile {
    type Err = ProfileError;

    /// Reads a name or one of the older names `low_power` and `high_accuracy`.
    fn from_str(text: &str) -> Result<Self, ProfileError> {
        match text {
            "fast" | "low_power" => Ok(Self::Fast),
            "balanced" => Ok(Self::Balanced),
            "high" | "high_accuracy" => Ok(Self::High),
            _ => Err(ProfileError(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_is_read_back_from_its_name() {
        for profile in Profile::ALL {
            assert_eq!(profile.to_string().parse(), Ok(profile));
        }
        assert_eq!("low_power".parse(), Ok(Profile::Fast));
        assert_eq!("high_accuracy".parse(), Ok(Profile::High));
        assert!("turbo".parse::<Profile>().unwrap_err().to_string().contains("turbo"));
    }

    #[test]
    fn a_key_that_does_not_exist_is_refused_in_every_group() {
        let ready = serde_json::to_value(PipelineSettings::default()).unwrap();
        for group in ready.as_object().unwrap().keys() {
            let mut changed = ready.clone();
            changed[group]["surprise"] = 1.into();
            let error = serde_json::from_value::<PipelineSettings>(changed).unwrap_err();
            assert!(error.to_string().contains("surprise"), "{group}: {error}");
        }
    }

    #[test]
    fn settings_survive_being_written_and_read() {
        let text = serde_json::to_string(&Settings::default()).unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&text).unwrap(), Settings::default());
    }
}
