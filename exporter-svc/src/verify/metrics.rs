//! `track_metrics.json`: readable, and its sums are the commit's counts.

use std::collections::BTreeMap;

use facereel_store::StoreError;

use super::artifacts::RunFiles;
use super::rows;
use crate::commit::ManifestCounts;
use crate::metrics::TrackMetrics;

/// Checks the file.
pub(super) async fn check(made: &ManifestCounts, files: &mut RunFiles<'_>) -> Result<(), StoreError> {
    let path = files.layout.relative(&files.layout.track_metrics());
    let Some(metrics) = rows::read_stamped::<TrackMetrics>(files, &path).await? else { return Ok(()) };
    for (name, stated, counts) in
        [("detections", made.detections, &metrics.detections), ("faces", made.faces, &metrics.faces)]
    {
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
