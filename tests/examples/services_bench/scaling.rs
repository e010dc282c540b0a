//! Replicas of a detector whose model costs time alone: what queue and store take from each further one.

use std::time::Instant;

use anyhow::{Context as _, Result};
use facereel_domain::ids::{RunRef, SegmentIndex};
use facereel_domain::layout::RunLayout;
use facereel_domain::pipeline::{Lane, Stage};
use facereel_messages::jobs::{DetectJob, JobAddress};
use facereel_queue::QueueName;
use facereel_tests::cluster::Cluster;
use facereel_tests::fleet::Replica;

use crate::page::Table;
use crate::site::wait_for_ready;

/// An example of the crate that services are hosted by, built beside this one.
const SLEEPER: &str = "examples/sleeper-svc";
/// Jobs for each number of replicas.
const JOBS: u32 = 240;

/// The same jobs for one, two and four replicas.
pub(crate) fn measure() -> Result<Vec<Table>> {
    let measured = [1, 2, 4].map(|replicas| (replicas, wall_sec(replicas)));
    let mut rows = Vec::new();
    let mut alone_sec = None;
    for (replicas, wall_sec) in measured {
        let wall_sec = wall_sec?;
        let alone_sec = *alone_sec.get_or_insert(wall_sec);
        rows.push(vec![
            replicas.to_string(),
            JOBS.to_string(),
            format!("{wall_sec:.2}"),
            format!("{:.2}", f64::from(JOBS) / wall_sec),
            format!("{:.3}", alone_sec / (replicas as f64 * wall_sec)),
        ]);
    }
    let header = vec!["replicas", "jobs", "wall s", "jobs a second", "efficiency"];
    Ok(vec![Table { name: "services-scaling", header, rows }])
}

/// From the first job's publish to the last job's result.
fn wall_sec(replicas: usize) -> Result<f64> {
    let cluster = Cluster::new();
    let mut fleet = cluster.fleet();
    for _ in 0..replicas {
        fleet.start(Replica::of(SLEEPER));
    }
    wait_for_ready(&fleet, &[SLEEPER], replicas);
    let run = RunRef { ep_id: "SCALING".parse()?, run_id: "0123456789abcdef".parse()? };
    let jobs = jobs(&run)?;
    let began = Instant::now();
    cluster.publish(jobs);
    let layout = RunLayout::new(&run);
    let mut done = 0;
    fleet.wait_until("all jobs are done", || {
        while done < JOBS && cluster.holds(&layout.detections_part(SegmentIndex(done))) {
            done += 1;
        }
        done == JOBS
    });
    Ok(began.elapsed().as_secs_f64())
}

fn jobs(run: &RunRef) -> Result<Vec<(QueueName, Vec<u8>)>> {
    let input = QueueName::new(Stage::Detect, Lane::Interactive);
    let job = |segment| {
        let address = JobAddress { run: run.clone(), lane: input.lane };
        let job = DetectJob { address, segment: SegmentIndex(segment), segments: JOBS };
        Ok((input, facereel_messages::encode(&job).context("a job")?))
    };
    (0..JOBS).map(job).collect()
}
