//! What a run still has: its commit less what was erased.

use std::collections::{BTreeMap, BTreeSet};

use facereel_domain::ids::TrackId;

use super::record::Recorded;
use crate::commit::{Artifact, ManifestCounts};

/// How much of a run was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// Nothing.
    Nothing,
    /// The faces of these tracks.
    Tracks(BTreeSet<TrackId>),
    /// Every face.
    Run,
}

impl Extent {
    /// Whether the faces of `track` were erased.
    #[must_use]
    pub fn holds(&self, track: TrackId) -> bool {
        match self {
            Self::Nothing => false,
            Self::Tracks(tracks) => tracks.contains(&track),
            Self::Run => true,
        }
    }
}

/// What a run still has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remains {
    /// Its files, in the order of the commit, as they are now.
    pub artifacts: Vec<Artifact>,
    /// Paths of the files that are gone.
    pub removed: BTreeSet<String>,
    /// Its counts.
    pub counts: ManifestCounts,
    /// How much was erased.
    pub extent: Extent,
}

/// What the run with this commit still has after these erasures, unfinished ones too.
#[must_use]
pub fn remains(artifacts: &[Artifact], counts: ManifestCounts, erasures: &[Recorded]) -> Remains {
    let mut removed = BTreeSet::new();
    let mut replaced: BTreeMap<&str, &Artifact> = BTreeMap::new();
    let mut tracks = BTreeSet::new();
    let mut is_whole = false;
    for Recorded { record, .. } in erasures {
        removed.extend(record.removed.iter().cloned());
        replaced.extend(record.replaced.iter().map(|artifact| (artifact.path.as_str(), artifact)));
        tracks.extend(record.tracks.iter().flatten().copied());
        is_whole |= record.tracks.is_none();
    }
    let kept = artifacts.iter().filter(|artifact| !removed.contains(&artifact.path));
    let now = |artifact: &Artifact| (*replaced.get(artifact.path.as_str()).unwrap_or(&artifact)).clone();
    Remains {
        artifacts: kept.map(now).collect(),
        counts: erasures.last().map_or(counts, |last| last.record.counts),
        extent: match (is_whole, tracks.is_empty()) {
            (true, _) => Extent::Run,
            (false, true) => Extent::Nothing,
            (false, false) => Extent::Tracks(tracks),
        },
        removed,
    }
}
