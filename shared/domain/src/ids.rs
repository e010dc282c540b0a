//! Identifiers. Keys, file names and queue messages are built from them, so they are validated once, here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a text is no identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text does not match `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`.
    #[error(
        "'{0}' is no episode id: use 1 to 128 letters, digits, '.', '_' or '-', the first a letter or digit \
         (for example TEST-S01E01)"
    )]
    Episode(String),
    /// The text is not 16 lower-case hexadecimal digits.
    #[error("'{0}' is no run id: it has 16 lower-case hexadecimal digits")]
    Run(String),
}

/// Names an episode: `[A-Za-z0-9][A-Za-z0-9._-]{0,127}`. Safe in paths, object keys and queue headers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EpisodeId(String);

impl EpisodeId {
    /// Longest id in characters.
    pub const MAX_LEN: usize = 128;

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The id nearest to any text, for defaults made from file names: refused characters become `-`.
    ///
    /// Returns `None` where nothing usable is left.
    #[must_use]
    pub fn sanitized(text: &str) -> Option<Self> {
        let replaced: String =
            text.chars().map(|c| if is_id_char(c) { c } else { '-' }).take(Self::MAX_LEN).collect();
        let trimmed = replaced.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        trimmed.parse().ok()
    }
}

fn is_id_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

impl FromStr for EpisodeId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let starts_well = text.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
        if starts_well && text.len() <= Self::MAX_LEN && text.chars().all(is_id_char) {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError::Episode(text.chars().take(160).collect()))
        }
    }
}

impl TryFrom<String> for EpisodeId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<EpisodeId> for String {
    fn from(id: EpisodeId) -> Self {
        id.0
    }
}

impl fmt::Display for EpisodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names a run: the first 16 hexadecimal digits of the digest over everything that determines its artifacts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

impl RunId {
    /// Digits of a run id.
    pub const LEN: usize = 16;

    /// The run id that a SHA-256 digest stands for.
    #[must_use]
    pub fn from_digest(digest: &crate::digest::Sha256Digest) -> Self {
        Self(digest.to_string().chars().take(Self::LEN).collect())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let is_hex = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if text.len() == Self::LEN && is_hex {
            Ok(Self(text.to_owned()))
        } else {
            Err(IdError::Run(text.chars().take(160).collect()))
        }
    }
}

impl TryFrom<String> for RunId {
    type Error = IdError;

    fn try_from(text: String) -> Result<Self, IdError> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which run of which episode: the address of everything a job reads and writes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RunRef {
    /// The episode.
    pub ep_id: EpisodeId,
    /// The run of it.
    pub run_id: RunId,
}

macro_rules! index_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// The number as an index.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

index_id! {
    /// A segment's place in the plan, from 0.
    SegmentIndex
}
index_id! {
    /// An embedding batch's place, from 0.
    BatchIndex
}
index_id! {
    /// A track's number in an episode, from 1 in order of first appearance.
    TrackId
}
index_id! {
    /// A shot's place in the episode, from 0.
    ShotIndex
}

/// A detection's address: the frame it was seen in and its place there (highest confidence first).
///
/// As text it is the `face_id` of the manifests: `f0001234-02`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FaceId {
    /// Index of the frame in the source.
    pub frame_idx: u64,
    /// Place among the frame's detections, from 0.
    pub ordinal: u32,
}

impl fmt::Display for FaceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "f{:07}-{:02}", self.frame_idx, self.ordinal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn episode_ids_that_could_leave_their_folder_are_refused() {
        for bad in
            ["", ".", "..", "../x", "a/b", "a\\b", ".hidden", "-x", "a b", "é", "a\0", &"x".repeat(129)]
        {
            assert!(bad.parse::<EpisodeId>().is_err(), "{bad:?} was accepted");
        }
        for good in ["TEST-S01E01", "a", "9.mp4", &"x".repeat(128)] {
            assert!(good.parse::<EpisodeId>().is_ok(), "{good:?} was refused");
        }
    }

    #[test]
    fn deserialising_validates_too() {
        assert!(serde_json::from_str::<EpisodeId>("\"../../etc\"").is_err());
        assert!(serde_json::from_str::<RunId>("\"0123456789abcdeg\"").is_err());
    }

    #[test]
    fn file_names_become_usable_ids() {
        assert_eq!(EpisodeId::sanitized("My Show (1)").unwrap().as_str(), "My-Show--1-");
        assert_eq!(EpisodeId::sanitized("..x").unwrap().as_str(), "x");
        assert_eq!(EpisodeId::sanitized("¿¡"), None);
    }

    #[test]
    fn face_ids_sort_as_text_like_as_values() {
        let id = FaceId { frame_idx: 1234, ordinal: 2 };
        assert_eq!(id.to_string(), "f0001234-02");
    }
}
