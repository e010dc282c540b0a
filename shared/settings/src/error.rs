//! What can be wrong with settings, said so that it can be put right.

use std::path::PathBuf;

use crate::source::Source;

/// Settings that cannot be used. All kinds are permanent: trying again changes nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The key does not exist.
    #[error("unknown setting '{key}' ({source_of}){}", hint(nearest.as_deref()))]
    UnknownKey {
        /// The key as written.
        key: String,
        /// Where it was written.
        source_of: Source,
        /// The key that was probably meant.
        nearest: Option<String>,
    },
    /// The value does not fit the key.
    #[error("{path} = {value} ({source_of}) is not allowed: {path} takes {allowed}")]
    NotAllowed {
        /// The setting.
        path: String,
        /// The value as written, credentials left out.
        value: String,
        /// What would be allowed.
        allowed: String,
        /// Where it was written.
        source_of: Source,
    },
    /// Two values contradict each other.
    #[error("{lower} = {low} must not be above {upper} = {high}")]
    Contradiction {
        /// The setting that must be the lower one.
        lower: &'static str,
        /// Its value.
        low: f32,
        /// The setting that must be the upper one.
        upper: &'static str,
        /// Its value.
        high: f32,
    },
    /// `--set` without `=`.
    #[error("'{0}' is no setting: write path=value, as in detect.stride=3")]
    NotAnAssignment(String),
    /// The file cannot be read, or is no TOML.
    #[error("the settings file {} cannot be used: {detail}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A frame rate that is not above zero.
    #[error("{0} frames per second is no frame rate: settings given in frames cannot become seconds")]
    FrameRate(f64),
    /// The values passed their checks but do not form settings.
    #[error("the settings cannot be put together: {0}")]
    Malformed(#[from] serde_json::Error),
}

fn hint(nearest: Option<&str>) -> String {
    nearest.map_or_else(|| "; `facereel settings` lists all".to_owned(), |n| format!("; did you mean '{n}'?"))
}
