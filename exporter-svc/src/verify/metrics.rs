//! `track_metrics.json`: readable, and its sums are the commit's counts.

use std::collections::BTreeMap;

use facereel_store::StoreError;

use super::artifacts::RunFiles;
use super::{Commit, rows};
use crate::metrics::TrackMetrics;

/// Checks the file.
pub(super) async fn check(manifest: &Commit, files: &mut RunFiles<'_>) -> Result<(), StoreError> {
    let path = files.layout.relative(&files.layout.track_metrics());
    let Some(metrics) = rows::read_stamped::<TrackMetrics>(files, &path).await? else { return Ok(()) };
    for (name, stated, counts) in [
        ("detections", manifest.counts.detections, &metrics.detections),
        ("faces", manifest.counts.faces, &metrics.faces),
    ] {
        let found = sum(counts);
        if found != stated {
            files.problems.add(&path, format!("{name} sums up to {found}, manifest.json says {stated}"));
        }
    }
    Ok(())
}

fn sum(counts: &BTreeMap<String, u64>) -> u64 {
    counts.values().fold(0, |sum, count| sum.saturating_add(*count))
}
