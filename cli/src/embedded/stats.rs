//! `run_stats.json`: what a run took. Volatile, and no artifact: it says nothing about what was found.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use facereel_domain::pipeline::Stage;
use facereel_service::{Threads, cpu};
use serde::{Deserialize, Serialize};

use super::summary::RunSummary;
use super::witness::StageTimes;

/// Readings at the begin of a run.
pub(super) struct Stats {
    threads: Threads,
    began: Instant,
    began_unix_sec: u64,
    cpu_at_begin: Duration,
}

/// The content of `run_stats.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StatsReport {
    schema_version: u32,
    /// Begin of this attempt, seconds since 1970; an earlier attempt's work is not counted.
    began_unix_sec: u64,
    host: String,
    compute_threads: usize,
    cpu_percent_limit: u32,
    /// Seconds from begin to end.
    pub(super) wall_sec: f64,
    /// Seconds of CPU in the process, loading models included.
    pub(super) cpu_sec: f64,
    /// Seconds of video done in a second.
    pub(super) realtime_factor: f64,
    /// Largest memory of the process.
    pub(super) peak_rss_bytes: u64,
    /// Threads of the process at the end.
    native_threads: u64,
    pub(crate) stages: Vec<StageStats>,
    counts: exporter_svc::ManifestCounts,
}

/// What a stage took.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct StageStats {
    pub(crate) stage: Stage,
    jobs: u64,
    retries: u64,
    /// From the first job's begin to the last one's end.
    pub(crate) wall_sec: f64,
    /// All jobs together, waiting included.
    busy_sec: f64,
}

impl Stats {
    /// Begins to count.
    pub(super) fn start(threads: Threads) -> Self {
        Self {
            threads,
            began: Instant::now(),
            began_unix_sec: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs()),
            cpu_at_begin: cpu::used(),
        }
    }

    /// What it took until now.
    pub(super) fn report(&self, times: &[StageTimes], summary: &RunSummary) -> StatsReport {
        let wall_sec = self.began.elapsed().as_secs_f64();
        StatsReport {
            schema_version: 1,
            began_unix_sec: self.began_unix_sec,
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            compute_threads: self.threads.compute,
            cpu_percent_limit: self.threads.cpu_percent,
            wall_sec: thousandths(wall_sec),
            cpu_sec: thousandths(cpu::used().saturating_sub(self.cpu_at_begin).as_secs_f64()),
            realtime_factor: thousandths(summary.video_sec / wall_sec.max(1e-3)),
            peak_rss_bytes: cpu::peak_rss_bytes(),
            native_threads: cpu::thread_count(),
            stages: times.iter().map(stage_stats).collect(),
            counts: summary.counts,
        }
    }
}

fn stage_stats(times: &StageTimes) -> StageStats {
    let wall = times.span.map_or(Duration::ZERO, |(first, last)| last.saturating_duration_since(first));
    StageStats {
        stage: times.stage,
        jobs: times.jobs,
        retries: times.retries,
        wall_sec: thousandths(wall.as_secs_f64()),
        busy_sec: thousandths(times.busy.as_secs_f64()),
    }
}

fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
