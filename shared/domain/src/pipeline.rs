//! The pipeline's stages and lanes: names used for queues, metrics, logs and progress, spelled here alone.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A step of the pipeline that has queues and workers of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Cuts an episode into segments.
    Plan,
    /// Decodes a segment and detects its faces.
    Detect,
    /// Finds shots and tracks, chooses faces.
    Track,
    /// Embeds a batch of faces.
    Embed,
    /// Writes crops, manifests and the commit.
    Export,
}

impl Stage {
    /// All stages in the order of the flow.
    pub const ALL: [Self; 5] = [Self::Plan, Self::Detect, Self::Track, Self::Embed, Self::Export];

    /// The stage's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Detect => "detect",
            Self::Track => "track",
            Self::Embed => "embed",
            Self::Export => "export",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How urgent a run is: workers serve `Interactive` first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// Somebody waits for it.
    Interactive,
    /// It may take its time.
    Backfill,
}

impl Lane {
    /// All lanes, the most urgent first.
    pub const ALL: [Self; 2] = [Self::Interactive, Self::Backfill];

    /// The lane's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Backfill => "backfill",
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no lane.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no lane: use interactive or backfill")]
pub struct LaneError(String);

impl FromStr for Lane {
    type Err = LaneError;

    fn from_str(text: &str) -> Result<Self, LaneError> {
        Self::ALL.into_iter().find(|l| l.as_str() == text).ok_or_else(|| LaneError(text.to_owned()))
    }
}
