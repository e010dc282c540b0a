//! Bytes through the broker: jobs name what lies in the store, and carry none of it.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use facereel_tests::media::ffmpeg;

use crate::gauges;
use crate::page::Table;
use crate::site::Site;

/// How often the clip is played, so that it is as long as a piece of an episode.
const TIMES: usize = 10;
const SECONDS_PER_HOUR: f64 = 3600.0;

/// A longer clip, with everything on the wire counted: bodies, headers, confirms, verdicts, heartbeats.
pub(crate) fn measure(clip: &Path) -> Result<Vec<Table>> {
    let folder = tempfile::tempdir()?;
    let clip = fs::canonicalize(clip).with_context(|| format!("{} is not there", clip.display()))?;
    let line = format!("file '{}'\n", clip.display());
    fs::write(folder.path().join("list.txt"), line.repeat(TIMES))?;
    ffmpeg(folder.path(), "-f concat -safe 0 -i list.txt -c copy long.mp4");

    let site = Site::open();
    let url = site.upload(&folder.path().join("long.mp4"), "long")?;
    let done = || {
        Ok::<_, anyhow::Error>(
            gauges::of_all(&site.fleet)?.iter().map(gauges::Reading::jobs_done).sum::<f64>(),
        )
    };
    let (bytes_before, done_before) = (site.cluster.broker_bytes(), done()?);
    let wall = site.run(&url)?;
    let (bytes, jobs) = (site.cluster.broker_bytes() - bytes_before, done()? - done_before);

    let video_sec = video_sec(&site)?;
    Ok(vec![Table {
        name: "services-traffic",
        header: vec!["video s", "wall s", "jobs", "bytes on the wire", "bytes a job", "MB an hour of video"],
        rows: vec![vec![
            format!("{video_sec:.0}"),
            format!("{:.1}", wall.as_secs_f64()),
            format!("{jobs:.0}"),
            bytes.to_string(),
            format!("{:.0}", bytes as f64 / jobs.max(1.0)),
            format!("{:.2}", bytes as f64 / 1e6 * SECONDS_PER_HOUR / video_sec),
        ]],
    }])
}

/// Length of the only episode's video.
fn video_sec(site: &Site) -> Result<f64> {
    let keys = site.cluster.keys("episodes");
    let manifest = keys.iter().find(|key| key.ends_with("/manifest.json")).context("there is no manifest")?;
    let manifest: serde_json::Value = serde_json::from_slice(&site.cluster.object(&manifest.parse()?))?;
    manifest["video"]["duration_sec"].as_f64().context("the manifest tells no duration")
}
