//! One replica for each stage, as the manifests cut them, with everything counted that a stage asks of the store.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use facereel_domain::ids::RunRef;
use facereel_domain::layout::RunLayout;
use facereel_domain::pipeline::Stage;
use facereel_test_servers::HttpProxy;
use facereel_tests::cluster::Cluster;
use facereel_tests::fleet::{Fleet, Replica};
use facereel_tests::rehearsal::rules::Deployed;
use facereel_tests::sizing::{Piece, Usage};
use tokio::runtime::Runtime;

use crate::gauges::Reading;
use crate::site::wait_for_ready;

/// Longest run that is no failure.
const LIMIT: Duration = Duration::from_mins(5);
/// How often is looked for a commit.
const EVERY: Duration = Duration::from_millis(250);
const SECONDS_PER_HOUR: f64 = 3600.0;
/// How requests begin that read, and those that write.
const READS: [&str; 2] = ["GET ", "HEAD "];
const WRITES: [&str; 3] = ["PUT ", "POST ", "DELETE "];

/// Broker, store and a replica of each stage.
pub(crate) struct Plant {
    pub(crate) cluster: Cluster,
    fleet: Fleet,
    /// Between each stage and the store, in the order of [`Stage::ALL`].
    counters: Vec<HttpProxy>,
    /// The counters live in it.
    _runtime: Runtime,
}

/// What was done, and for how much video.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    /// In the order of [`Stage::ALL`].
    pub(crate) stages: Vec<Usage>,
    /// Length of all videos.
    pub(crate) hours: f64,
    /// Vectors that were made.
    pub(crate) faces: f64,
}

impl Taken {
    /// A stage's part.
    pub(crate) fn piece(&self, stage: usize) -> Piece {
        Piece { usage: self.stages[stage], hours: self.hours }
    }
}

impl Plant {
    /// One with replicas that are ready.
    pub(crate) fn open(deployed: &[Deployed]) -> Result<Self> {
        let (cluster, runtime) = (Cluster::new(), Runtime::new()?);
        let (mut fleet, mut counters) = (cluster.fleet(), Vec::new());
        for deployed in deployed {
            let counter = runtime.block_on(HttpProxy::start(cluster.server.port()))?;
            let replica = Replica::of(deployed.service)
                .named(deployed.stage.as_str())
                .with(&format!("service.stages={}", deployed.stage))
                .with(&format!("limits.threads={}", deployed.cores.ceil()))
                .with(&format!("store.endpoint={}", counter.url()));
            fleet.start(replica);
            counters.push(counter);
        }
        wait_for_ready(&fleet, &Stage::ALL.map(Stage::as_str), 1);
        Ok(Self { cluster, fleet, counters, _runtime: runtime })
    }

    /// Jobs at once of each stage.
    pub(crate) fn slots(&self) -> Result<Vec<f64>> {
        Ok(self.readings()?.iter().map(|reading| reading.sum("facereel_job_slots", "")).collect())
    }

    /// CPU seconds that each replica has taken so far.
    pub(crate) fn cpu_sec(&self) -> Result<Vec<f64>> {
        Ok(self.readings()?.iter().map(Reading::cpu_sec).collect())
    }

    /// Uploads videos and hands them over one after another, with these further words; what all of them took.
    pub(crate) fn run(&self, videos: &[(&str, &Path)], words: &[&str]) -> Result<Taken> {
        let mut urls = Vec::new();
        for (id, path) in videos {
            let bytes = fs::read(path).with_context(|| format!("{} can't be read", path.display()))?;
            urls.push(self.cluster.upload_bytes(id, &bytes));
        }
        let (before, faces_before) = (self.usages()?, self.faces()?);
        let mut hours = 0.0;
        for url in &urls {
            let told = self.cluster.ask(&[&["submit", url], words].concat());
            let run: RunRef = serde_json::from_value(told).context("`submit` tells no run")?;
            self.wait_for(&run)?;
            let manifest = self.cluster.object(&RunLayout::new(&run).manifest());
            let manifest: serde_json::Value = serde_json::from_slice(&manifest)?;
            let seconds = manifest["video"]["duration_sec"].as_f64();
            hours += seconds.context("the manifest tells no duration")? / SECONDS_PER_HOUR;
        }
        // Removing what lay between the stages comes after the commit, and counts.
        self.fleet.wait_until("the last job's end", || self.is_idle().unwrap_or(false));
        let taken = self.usages()?.into_iter().zip(before).map(|(after, before)| after + before.times(-1.0));
        Ok(Taken { stages: taken.collect(), hours, faces: self.faces()? - faces_before })
    }

    /// Long enough for the dearest profile on a machine that has other work, too.
    fn wait_for(&self, run: &RunRef) -> Result<()> {
        let began = Instant::now();
        while !self.cluster.is_committed(run) {
            let now = began.elapsed();
            ensure!(now < LIMIT, "a run takes longer than {LIMIT:?}");
            self.fleet.wait_until("the next look", || began.elapsed() >= now + EVERY);
        }
        Ok(())
    }

    fn faces(&self) -> Result<f64> {
        Ok(self.readings()?.iter().map(|reading| reading.sum("facereel_faces_embedded_total", "")).sum())
    }

    fn is_idle(&self) -> Result<bool> {
        Ok(self.readings()?.iter().all(|reading| reading.sum("facereel_jobs_in_flight", "") == 0.0))
    }

    fn readings(&self) -> Result<Vec<Reading>> {
        Stage::ALL.iter().map(|stage| Reading::of(&self.fleet, stage.as_str())).collect()
    }

    /// Of each stage, since its start.
    fn usages(&self) -> Result<Vec<Usage>> {
        let usage = |(reading, counter): (Reading, &HttpProxy)| {
            let count = |words: &[&str]| words.iter().map(|word| counter.count(word) as f64).sum();
            Usage {
                jobs: reading.jobs_done(),
                cpu_sec: reading.cpu_sec(),
                busy_sec: reading.sum("facereel_job_duration_seconds_sum", ""),
                reads: count(&READS),
                writes: count(&WRITES),
                read_bytes: counter.body_bytes("GET ") as f64,
                written_bytes: counter.sent_bytes("PUT ") as f64,
            }
        };
        Ok(self.readings()?.into_iter().zip(&self.counters).map(usage).collect())
    }
}
