//! Jobs that come more than once, in any order, early and late.

use std::slice::from_ref;

use facereel_domain::ids::{BatchIndex, RunRef, SegmentIndex};
use facereel_domain::layout::RunLayout;
use facereel_domain::pipeline::Lane;
use facereel_messages::jobs::{DetectJob, EmbedJob, ExportJob, Job, JobAddress, PlanJob, TrackJob};
use facereel_messages::objects::Plan;
use facereel_queue::QueueName;
use facereel_tests::cluster::Cluster;
use facereel_tests::episode::Episode;
use facereel_tests::fleet::Replica;

fn message<J: Job>(job: &J) -> (QueueName, Vec<u8>) {
    let body = facereel_messages::encode(job).expect("a job can be written");
    (QueueName::new(J::STAGE, job.address().lane), body)
}

fn address(run: &RunRef) -> JobAddress {
    JobAddress { run: run.clone(), lane: Lane::Interactive }
}

/// The detect jobs of a planned run, the last first.
fn detect_jobs(cluster: &Cluster, run: &RunRef) -> Vec<(QueueName, Vec<u8>)> {
    let plan = cluster.object(&RunLayout::new(run).plan());
    let plan: Plan = facereel_messages::decode(&plan).expect("a plan");
    let segments = plan.segments.len() as u32;
    let job = |n| DetectJob { address: address(run), segment: SegmentIndex(n), segments };
    (0..segments).rev().map(|n| message(&job(n))).collect()
}

#[test]
fn jobs_that_come_several_times_and_in_any_order_change_nothing() {
    let cluster = Cluster::new();
    let episodes = Episode::first(2);
    let runs = cluster.submit_all(&episodes);
    assert_eq!(runs, cluster.submit_all(&episodes), "the same again is another run");
    let mut fleet = cluster.fleet();
    fleet.start(Replica::of("detector-svc"));
    fleet.start(Replica::of("detector-svc"));
    for run in &runs {
        fleet.wait_until("a plan", || cluster.has(run, "work/plan.mpk"));
        cluster.publish([detect_jobs(&cluster, run), detect_jobs(&cluster, run)].concat());
    }
    for service in ["tracker-svc", "embedder-svc", "exporter-svc"] {
        fleet.start(Replica::of(service));
        fleet.start(Replica::of(service));
    }
    cluster.wait_for(&episodes);
    cluster.assert_all_done(fleet, &episodes);
}

#[test]
fn jobs_of_a_committed_run_have_nothing_to_do_and_leave_nothing() {
    let cluster = Cluster::new();
    let episode = Episode::new(1);
    let run = cluster.submit_all(from_ref(&episode)).remove(0);
    let fleet = cluster.full_fleet();
    cluster.wait_for(from_ref(&episode));
    cluster.publish(vec![
        message(&ExportJob { address: address(&run), batches: 3 }),
        message(&EmbedJob { address: address(&run), batch: BatchIndex(0), batches: 3 }),
        message(&TrackJob { address: address(&run), segments: 3 }),
        message(&DetectJob { address: address(&run), segment: SegmentIndex(0), segments: 3 }),
        message(&PlanJob { address: address(&run) }),
    ]);
    cluster.assert_all_done(fleet, from_ref(&episode));
}
