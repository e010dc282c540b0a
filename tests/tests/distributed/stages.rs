//! Processes that work on a part of their service's stages.

use facereel_domain::pipeline::{Lane, Stage};
use facereel_queue::QueueName;
use facereel_tests::cluster::Cluster;
use facereel_tests::episode::Episode;
use facereel_tests::fleet::{Fleet, Replica, SERVICES};

const DETECT_JOBS: QueueName = QueueName { stage: Stage::Detect, lane: Lane::Interactive };

/// Insists that the detector-svc that came last is well, works on `stage` and does not know `other`.
fn assert_works_on(fleet: &Fleet, stage: &str, other: &str) {
    let ask = |path| fleet.answer_of("detector-svc", path).expect("it answers");
    fleet.wait_until("it is ready", || ask("/readyz").is_good());
    fleet.wait_until("its loop turns", || ask("/healthz").body == format!("{stage}: ok\n"));
    let metrics = ask("/metrics").body;
    let slots = |stage: &str| metrics.contains(&format!("facereel_job_slots{{stage=\"{stage}\"}}"));
    assert!(slots(stage) && !slots(other), "{metrics}");
}

#[test]
fn plan_and_detect_in_processes_of_their_own_give_the_same_and_planning_needs_no_model() {
    let cluster = Cluster::new();
    let episodes = Episode::first(1);
    let mut fleet = cluster.fleet();
    let no_models = format!("models.dir={}", cluster.folder().join("nothing").display());
    fleet.start(Replica::of("detector-svc").with("service.stages=plan").with(&no_models));
    cluster.submit_all(&episodes);
    fleet.wait_until("segments wait", || cluster.depth(&DETECT_JOBS) > 0);
    assert_works_on(&fleet, "plan", "detect");

    fleet.start(Replica::of("detector-svc").with("service.stages=detect"));
    fleet.wait_until("the second is ready", || fleet.times_said("detector-svc", "ready") == 2);
    assert_works_on(&fleet, "detect", "plan");
    for service in SERVICES.into_iter().filter(|service| *service != "detector-svc") {
        fleet.start(Replica::of(service));
    }
    cluster.wait_for(&episodes);
    assert_eq!(fleet.deaths(), []);
    cluster.assert_all_done(fleet, &episodes);
}
