//! What a run found, for people and programs.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use exporter_svc::metrics::TrackMetrics;
use exporter_svc::{Manifest, ManifestCounts};
use facereel_domain::ids::RunRef;
use facereel_domain::layout::{EpisodeLayout, ObjectKey, RunLayout};
use facereel_store::Store;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::stats::StatsReport;

/// A run in a few lines.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RunSummary {
    /// Episode and run.
    #[serde(flatten)]
    pub(crate) run: RunRef,
    /// Where the results are: the run's folder.
    pub(crate) results: String,
    /// The episode's folder, where the store links to the committed run.
    episode: String,
    /// Seconds of video.
    pub(crate) video_sec: f64,
    /// What was found.
    pub(crate) counts: ManifestCounts,
    /// What people should know: about the video, then about the tracks.
    pub(crate) warnings: Vec<String>,
    /// What it took; absent where nothing was done now.
    performance: Option<Performance>,
}

#[derive(Debug, Clone, Serialize)]
struct Performance {
    wall_sec: f64,
    cpu_sec: f64,
    realtime_factor: f64,
    peak_rss_bytes: u64,
    /// Stages by name with their seconds from begin to end.
    stages: Vec<(String, f64)>,
}

impl RunSummary {
    /// Reads a committed run.
    pub(crate) async fn read(store: &dyn Store, run: &RunRef) -> Result<Self> {
        let layout = RunLayout::new(run);
        let manifest: Manifest = read_json(store, &layout.manifest()).await?;
        let metrics: TrackMetrics = read_json(store, &layout.track_metrics()).await?;
        Ok(Self {
            run: run.clone(),
            results: format!("{}/{}", store.url(), layout.prefix()),
            episode: format!("{}/{}", store.url(), EpisodeLayout::new(&run.ep_id).prefix()),
            video_sec: manifest.video.duration_sec,
            counts: manifest.counts,
            warnings: manifest.warnings.into_iter().chain(metrics.warnings).collect(),
            performance: None,
        })
    }

    /// Adds what it took.
    pub(super) fn add_performance(&mut self, stats: &StatsReport) {
        self.performance = Some(Performance {
            wall_sec: stats.wall_sec,
            cpu_sec: stats.cpu_sec,
            realtime_factor: stats.realtime_factor,
            peak_rss_bytes: stats.peak_rss_bytes,
            stages: stats.stages.iter().map(|s| (s.stage.to_string(), s.wall_sec)).collect(),
        });
    }

    /// The summary as people read it.
    pub(crate) fn text(&self) -> String {
        let ManifestCounts { shots, frames_analysed, detections, tracks, faces, embeddings, crops, .. } =
            self.counts;
        let mut text = format!(
            "\n{}: {detections} faces in {frames_analysed} frames, {tracks} tracks in {shots} shots\n\
             chosen  {faces} faces, {embeddings} embeddings, {crops} crops\n",
            self.run.ep_id
        );
        // Writing to a string can't fail.
        if let Some(p) = &self.performance {
            let stages: Vec<_> = p.stages.iter().map(|(name, sec)| format!("{name} {sec:.1} s")).collect();
            let _ = writeln!(text, "stages  {}", stages.join(", "));
            let _ = writeln!(
                text,
                "took    {:.1} s for {:.1} s of video ({:.1}x real time), {:.1} s of CPU, {} MB at most",
                p.wall_sec,
                self.video_sec,
                p.realtime_factor,
                p.cpu_sec,
                p.peak_rss_bytes / 1_000_000
            );
        }
        for warning in &self.warnings {
            let _ = writeln!(text, "warning {warning}");
        }
        let place = |url: &str| url.strip_prefix("file://").unwrap_or(url).to_owned();
        let _ = writeln!(text, "results {}", place(&self.results));
        let _ = write!(text, "        {}/manifests/tracks.jsonl, frames/crops/", place(&self.episode));
        text
    }
}

async fn read_json<T: DeserializeOwned>(store: &dyn Store, key: &ObjectKey) -> Result<T> {
    let bytes = store.get(key).await?;
    serde_json::from_slice(&bytes).with_context(|| {
        format!(
            "{}/{key} of the finished run is damaged: `facereel run --force` does the run again",
            store.url()
        )
    })
}
