//! A cluster with one replica of each service, ready for work.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use facereel_domain::ids::RunRef;
use facereel_tests::cluster::Cluster;
use facereel_tests::fleet::{Fleet, Replica, SERVICES};

/// Compute threads of each service, and workers of the program alone. Stages follow one another for most of an episode:
/// each may have the whole of a small machine when its turn comes.
pub(crate) const WORKERS: usize = 2;

/// Broker, store, and services at work.
pub(crate) struct Site {
    pub(crate) cluster: Cluster,
    pub(crate) fleet: Fleet,
}

impl Site {
    /// One with services that have loaded their models.
    pub(crate) fn open() -> Self {
        let cluster = Cluster::new();
        let mut fleet = cluster.fleet();
        let threads = format!("limits.threads={WORKERS}");
        for service in SERVICES {
            fleet.start(Replica::of(service).with(&threads));
        }
        wait_for_ready(&fleet, &SERVICES, 1);
        Self { cluster, fleet }
    }

    /// Hands an episode over and waits for its commit; how long both took.
    pub(crate) fn run(&self, url: &str) -> Result<Duration> {
        let began = Instant::now();
        let told = self.cluster.ask(&["submit", url]);
        let run: RunRef = serde_json::from_value(told).context("`submit` tells no run")?;
        self.fleet.wait_until("the commit", || self.cluster.is_committed(&run));
        Ok(began.elapsed())
    }

    /// Uploads `clip` as episode `id`; its URL.
    pub(crate) fn upload(&self, clip: &Path, id: &str) -> Result<String> {
        let bytes = std::fs::read(clip).with_context(|| format!("{} can't be read", clip.display()))?;
        Ok(self.cluster.upload_bytes(id, &bytes))
    }
}

/// Waits until `replicas` of each of `services` take jobs.
pub(crate) fn wait_for_ready(fleet: &Fleet, services: &[&str], replicas: usize) {
    let is_ready = |service: &&str| fleet.times_said(service, "ready") >= replicas;
    fleet.wait_until("services get ready", || services.iter().all(is_ready));
}
