//! Runs that are called off in the middle.

use std::slice::from_ref;

use facereel_domain::layout::RunLayout;
use facereel_tests::cluster::Cluster;
use facereel_tests::episode::Episode;
use facereel_tests::fleet::Replica;

#[test]
fn a_cancelled_run_leaves_no_work_and_no_jobs_and_can_be_taken_up_again() {
    let cluster = Cluster::new();
    let episode = Episode::new(1);
    let run = cluster.submit_all(from_ref(&episode)).remove(0);
    let mut fleet = cluster.fleet();
    for service in ["detector-svc", "tracker-svc", "exporter-svc"] {
        fleet.start(Replica::of(service));
    }
    // Nobody takes these yet, so that the run is cancelled in the middle for sure.
    let has_embed_jobs = || cluster.jobs().iter().any(|(queue, _)| queue.contains("embed"));
    fleet.wait_until("embed jobs", has_embed_jobs);
    cluster.call(&["cancel", &episode.id]).succeed();
    fleet.start(Replica::of("embedder-svc"));
    cluster.assert_nothing_left(fleet);
    assert!(!cluster.has(&run, "manifest.json"));
    let layout = RunLayout::new(&run);
    assert_eq!(cluster.json(&layout.submission(), "submission")["lane"], "interactive");
    assert!(cluster.json(&layout.cancelled(), "cancelled")["cancelled_unix_sec"].is_u64());

    assert_eq!(cluster.submit_all(from_ref(&episode)), [run]);
    let fleet = cluster.full_fleet();
    cluster.wait_for(from_ref(&episode));
    cluster.assert_all_done(fleet, from_ref(&episode));
}
