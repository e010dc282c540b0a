//! A run with everything that is measured about it.

use std::path::Path;

use anyhow::{Context as _, Result};
use facereel_domain::layout::RunLayout;
use facereel_domain::pipeline::Stage;
use facereel_messages::objects::{DetectionCounts, Tracks};
use facereel_service::objects;

use super::compare::Taken;
use super::own_run::own_run;
use crate::commands::evaluate::{DemandArgs, FinishedRun, RunReport, Truth, judge_run};
use crate::embedded::StatsReport;

/// What a run took, found, and is worth.
#[derive(Debug, Clone)]
pub(super) struct Measured {
    pub(super) taken: Taken,
    pub(super) decoding: DetectionCounts,
    pub(super) fps: f64,
    pub(super) frames: u64,
    pub(super) frames_analysed: u64,
    pub(super) detections: u64,
    /// Detections that belong to a track.
    pub(super) track_updates: u64,
    pub(super) tracks: u64,
    pub(super) crops: u64,
    pub(super) embeddings: u64,
    pub(super) artifact_bytes: u64,
    /// What the run itself says that it took.
    stats: StatsReport,
    /// Against the truth, where there is one.
    pub(super) report: Option<RunReport>,
    /// The same for the faces only that the run was asked to track: those of its `detect.min_face_px` and more.
    pub(super) own_report: Option<RunReport>,
    pub(super) min_face_px: u32,
}

impl Measured {
    /// Runs the pipeline on `video` with these flags, in a process of its own, and judges what came out.
    pub(super) fn run(video: &Path, flags: &[String], truth: Option<&Truth>) -> Result<Self> {
        let (taken, folder) = own_run(video, flags)?;
        let url = folder.path().to_string_lossy();
        let finished = FinishedRun::read(&url, None)?;
        let min_face_px = finished.manifest.settings.detect.min_face_px;
        let judged = |demands| truth.map(|truth| judge_run(&finished, truth, (demands, None))).transpose();
        let report = judged(DemandArgs::default())?;
        let own_report = judged(DemandArgs::default().of_size(min_face_px))?;
        let counts = finished.manifest.counts;
        let (decoding, stats) = read_back(&url, &finished)?;
        Ok(Self {
            taken,
            decoding,
            fps: finished.manifest.video.timeline.fps.to_f64(),
            frames: finished.manifest.video.frames,
            frames_analysed: counts.frames_analysed,
            detections: counts.detections,
            track_updates: finished.track_updates(),
            tracks: counts.tracks,
            crops: counts.crops,
            embeddings: counts.embeddings,
            artifact_bytes: finished.manifest.artifacts.iter().map(|artifact| artifact.size_bytes).sum(),
            stats,
            report,
            own_report,
            min_face_px,
        })
    }

    /// Seconds from begin to end of a stage; 0 where it had nothing to do.
    pub(super) fn seconds_of(&self, stage: Stage) -> f64 {
        self.stats.stages.iter().find(|stats| stats.stage == stage).map_or(0.0, |stats| stats.wall_sec)
    }
}

/// What decoding counted, from the work objects, and what the run itself says that it took.
fn read_back(url: &str, finished: &FinishedRun) -> Result<(DetectionCounts, StatsReport)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let store = crate::store::open(url).await?;
        let layout = RunLayout::new(&finished.manifest.run);
        let key = layout.tracks();
        let tracks: Tracks = objects::read(store.as_ref(), &key).await.with_context(|| key.to_string())?;
        let stats = serde_json::from_slice(&store.get(&layout.run_stats()).await?)?;
        Ok((tracks.counts, stats))
    })
}
