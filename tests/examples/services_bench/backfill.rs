//! Many tiny episodes at once: what is not the work itself, and whether anything grows.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use facereel_tests::fleet::SERVICES;
use facereel_tests::media::ffmpeg;

use crate::gauges::{self, Reading};
use crate::page::Table;
use crate::site::Site;

/// How many episodes.
const EPISODES: usize = 200;
/// How often queues and services are looked at.
const EVERY: Duration = Duration::from_millis(500);
/// Samples of the queues that are shown.
const SHOWN: usize = 12;
/// Longest backfill that is no failure.
const LIMIT: Duration = Duration::from_mins(5);

/// A moment of the backfill.
struct Sample {
    at: Duration,
    waiting: u64,
    services: Vec<Reading>,
}

impl Sample {
    fn jobs_done(&self) -> f64 {
        self.services.iter().map(Reading::jobs_done).sum()
    }

    fn exported(&self) -> f64 {
        self.services.iter().map(|reading| reading.sum("facereel_jobs_total", "stage=\"export\"")).sum()
    }
}

/// All episodes through the services, with the exporter's jobs as the count of episodes.
pub(crate) fn measure(clip: &Path) -> Result<Vec<Table>> {
    let site = Site::open();
    let list = site.cluster.folder().join("list");
    fs::write(&list, upload_episodes(&site, clip)?.join("\n"))?;
    let list = list.to_string_lossy();
    let many = EPISODES.to_string();
    let call = site.cluster.call(&["backfill", &list, "--max-in-flight", &many, "--no-wait", "--json"]);

    let began = Instant::now();
    // Killed when this function fails.
    let running = call.start();
    let mut samples = Vec::new();
    while samples.last().is_none_or(|last: &Sample| last.exported() < EPISODES as f64) {
        ensure!(began.elapsed() < LIMIT, "the backfill takes longer than {LIMIT:?}");
        let next = EVERY * u32::try_from(samples.len())?;
        site.fleet.wait_until("the next look", || began.elapsed() >= next);
        let waiting = site.cluster.jobs().iter().map(|(_, jobs)| jobs).sum();
        samples.push(Sample { at: began.elapsed(), waiting, services: gauges::of_all(&site.fleet)? });
    }
    let ended = running.finish();
    ensure!(ended.code == Some(0), "the backfill failed: {}", ended.said);
    Ok(vec![pace(&samples)?, memory(&samples)?])
}

/// Tiny videos that differ in a comment, in the bucket; their URLs.
fn upload_episodes(site: &Site, clip: &Path) -> Result<Vec<String>> {
    let folder = tempfile::tempdir()?;
    let clip = fs::canonicalize(clip).with_context(|| format!("{} is not there", clip.display()))?;
    let mut arguments = format!("-i {}", clip.display());
    for number in 1..=EPISODES {
        // Writing to a string can't fail.
        let _ = write!(arguments, " -map 0:v -t 2 -c copy -metadata comment={number} tiny-{number:03}.mp4");
    }
    ffmpeg(folder.path(), &arguments);
    let upload = |number| {
        let id = format!("tiny-{number:03}");
        site.upload(&folder.path().join(format!("{id}.mp4")), &id)
    };
    (1..=EPISODES).map(upload).collect()
}

fn pace(samples: &[Sample]) -> Result<Table> {
    let last = samples.last().context("nothing was seen")?;
    let (jobs, wall_sec) = (last.jobs_done(), last.at.as_secs_f64());
    let step = samples.len().div_ceil(SHOWN);
    let depths = samples.iter().step_by(step).map(|sample| sample.waiting.to_string());
    Ok(Table {
        name: "services-backfill",
        header: vec![
            "episodes",
            "jobs",
            "wall s",
            "jobs a second",
            "episodes a second",
            "jobs waiting, over time",
        ],
        rows: vec![vec![
            EPISODES.to_string(),
            format!("{jobs:.0}"),
            format!("{wall_sec:.1}"),
            format!("{:.1}", jobs / wall_sec),
            format!("{:.2}", EPISODES as f64 / wall_sec),
            format!(
                "{} (every {:.1} s)",
                depths.collect::<Vec<_>>().join(" "),
                EVERY.as_secs_f64() * step as f64
            ),
        ]],
    })
}

/// Resident memory of each service when it was ready, and after shares of the episodes.
fn memory(samples: &[Sample]) -> Result<Table> {
    let after = |share: f64| {
        let sample = samples.iter().find(|sample| sample.exported() >= share * EPISODES as f64);
        sample.context("the backfill did not get that far")
    };
    let moments = [after(0.0)?, after(0.1)?, after(0.5)?, after(1.0)?];
    let row = |(number, service): (usize, &&str)| {
        let rss = moments.iter().map(|moment| format!("{:.0}", moment.services[number].rss_mb()));
        std::iter::once((*service).to_owned()).chain(rss).collect()
    };
    Ok(Table {
        name: "services-memory",
        header: vec!["service", "ready, MB", "after 10 %", "after half", "after all"],
        rows: SERVICES.iter().enumerate().map(row).collect(),
    })
}
