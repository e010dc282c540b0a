//! A backfill under the manifests' autoscaling: what happened, and whether the CPU is what a quiet measurement foretells.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use facereel_domain::pipeline::Stage;
use facereel_tests::cluster::Cluster;
use facereel_tests::episode::{Episode, PIECES};
use facereel_tests::fleet::Fleet;
use facereel_tests::rehearsal::play::{Record, Rehearsal};
use facereel_tests::rehearsal::rules::{self, Deployed};

use crate::figure;
use crate::gauges::where_and_when;
use crate::page::Table;
use crate::plant::Plant;

/// How many episodes.
const EPISODES: u64 = 50;
/// How many of them are measured beforehand, with replicas that nobody disturbs.
const SAMPLE: usize = 12;
const SEED: u64 = 1;

/// Draws into the file `svg`, too.
pub(crate) fn measure(svg: &Path) -> Result<Vec<Table>> {
    let deployed = rules::of_overlay("overlays/dev")?;
    let episodes = Episode::tiny(EPISODES);
    let quiet = Quiet::measure(&deployed, &episodes[..SAMPLE])?;

    let cluster = Cluster::new();
    let list = cluster.folder().join("list");
    let videos: Vec<_> = episodes.iter().map(|episode| cluster.upload(episode)).collect();
    fs::write(&list, videos.join("\n"))?;
    let rehearsal = Rehearsal::new(&cluster, deployed, SEED)?;
    let backfill = cluster.call(&["backfill", &list.to_string_lossy(), "--no-wait"]).with(&PIECES);
    let mut backfill = backfill.start();
    let (record, fleet) = rehearsal.run(|| backfill.has_ended())?;
    let backfill = backfill.finish();
    ensure!(backfill.code == Some(0), "the backfill failed: {}", backfill.said);
    fs::write(svg, figure::drawn(&record)).with_context(|| format!("{}", svg.display()))?;
    let tables = vec![what_happened(&record, &fleet), comparison(&quiet, &record, &fleet)];
    // No tables where anything is lost, differs or is left over.
    cluster.assert_all_done(fleet, &episodes);
    Ok(tables)
}

/// What replicas take that are neither started nor killed meanwhile, in CPU seconds by stage.
struct Quiet {
    start: Vec<f64>,
    episode: Vec<f64>,
}

impl Quiet {
    fn measure(deployed: &[Deployed], sample: &[Episode]) -> Result<Self> {
        let plant = Plant::open(deployed)?;
        let start = plant.cpu_sec()?;
        let videos: Vec<_> = sample.iter().map(|episode| (episode.id.as_str(), episode.video())).collect();
        let videos: Vec<_> = videos.iter().map(|(id, video)| (*id, video.as_path())).collect();
        let taken = plant.run(&videos, &PIECES)?;
        let episode = taken.stages.iter().map(|usage| usage.cpu_sec / sample.len() as f64).collect();
        Ok(Self { start, episode })
    }

    /// What so many episodes take, and starting all processes.
    fn foretold(&self, fleet: &Fleet) -> (f64, f64) {
        let starts = Stage::ALL.iter().map(|stage| fleet.starts(stage.as_str()) as f64);
        let of_starts = starts.zip(&self.start).map(|(count, cpu_sec)| count * cpu_sec).sum();
        (EPISODES as f64 * self.episode.iter().sum::<f64>(), of_starts)
    }
}

fn what_happened(record: &Record, fleet: &Fleet) -> Table {
    let most: Vec<_> = record.most_replicas().iter().map(u32::to_string).collect();
    let starts: usize = Stage::ALL.iter().map(|stage| fleet.starts(stage.as_str())).sum();
    Table {
        name: "scaling-rehearsal",
        header: vec![
            "episodes",
            "s from none to none",
            "episodes a second while there were jobs",
            "most replicas: plan / detect / track / embed / export",
            "processes started",
            "killed",
            "where, when",
        ],
        rows: vec![vec![
            EPISODES.to_string(),
            format!("{:.0}", record.duration().as_secs_f64()),
            format!("{:.1}", EPISODES as f64 / record.busy().as_secs_f64()),
            most.join(" / "),
            starts.to_string(),
            record.losses.len().to_string(),
            where_and_when(),
        ]],
    }
}

fn comparison(quiet: &Quiet, record: &Record, fleet: &Fleet) -> Table {
    let (of_episodes, of_starts) = quiet.foretold(fleet);
    let foretold = of_episodes + of_starts;
    Table {
        name: "scaling-check",
        header: vec![
            "foretold for the episodes, CPU s",
            "for starts",
            "foretold",
            "measured",
            "measured / foretold",
        ],
        rows: vec![vec![
            format!("{of_episodes:.1}"),
            format!("{of_starts:.1}"),
            format!("{foretold:.1}"),
            format!("{:.1}", record.cpu_sec),
            format!("{:.2}", record.cpu_sec / foretold),
        ]],
    }
}
