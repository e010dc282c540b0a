//! Services that are killed between any two steps of a job, and started again.

use facereel_tests::cluster::Cluster;
use facereel_tests::episode::Episode;
use facereel_tests::fleet::{Death, Replica, SERVICES};
use rstest::rstest;

/// Both replicas of every service die where `points` says, in the order of [`SERVICES`], when they first come there.
#[rstest]
#[case::before_they_write([
    "kill@before-write:1:work/detections",
    "kill@before-write:1:work/tracks",
    "kill@before-write:1:work/embeddings",
    "kill@before-write:1:manifest.json",
])]
#[case::after_they_wrote([
    "kill@after-write:1:work/detections",
    "kill@after-write:1:work/tracks",
    "kill@after-write:1:work/embeddings",
    "kill@after-write:1:manifest.json",
])]
#[case::before_they_publish([
    "kill@before-publish:1:track",
    "kill@before-publish:1:embed",
    "kill@before-publish:1:export",
    "kill@before-write:1:current.json",
])]
// The first of several jobs, where several follow. Export publishes none: it dies after the commit.
#[case::after_they_published([
    "kill@after-publish:1:detect",
    "kill@after-publish:1:embed",
    "kill@after-publish:1:export",
    "kill@after-write:1:current.json",
])]
#[case::before_they_acknowledge([
    "kill@before-acknowledge:1:detect",
    "kill@before-acknowledge",
    "kill@before-acknowledge",
    "kill@before-acknowledge",
])]
fn services_that_are_killed_lose_nothing(#[case] points: [&str; 4]) {
    let cluster = Cluster::new();
    let episodes = Episode::first(2);
    cluster.submit_all(&episodes);
    let mut fleet = cluster.fleet();
    for (service, point) in SERVICES.into_iter().zip(points) {
        fleet.start(Replica::of(service).failing(point));
        fleet.start(Replica::of(service).failing(point));
    }
    cluster.wait_for(&episodes);
    for service in SERVICES {
        let has_died = || fleet.deaths().iter().any(|death| death.service == service);
        fleet.wait_until(&format!("{service} dies"), has_died);
    }
    assert!(fleet.deaths().iter().all(Death::is_kill), "{:?}", fleet.deaths());
    cluster.assert_all_done(fleet, &episodes);
}

#[test]
fn all_services_killed_at_once_and_once_more_lose_nothing() {
    let cluster = Cluster::new();
    let episodes = Episode::first(2);
    let runs = cluster.submit_all(&episodes);
    let mut fleet = cluster.fleet();
    for service in ["detector-svc", "tracker-svc", "embedder-svc"] {
        fleet.start(Replica::of(service));
        fleet.start(Replica::of(service));
    }
    fleet.wait_until("parts", || runs.iter().any(|run| cluster.has(run, "work/detections/")));
    fleet.kill_all();
    // They wait before the commit until they are killed, so that no run is over before.
    for _ in 0..2 {
        fleet.start(Replica::of("exporter-svc").failing("hang@before-write:1:manifest.json"));
    }
    fleet.wait_until("crops", || runs.iter().any(|run| cluster.has(run, "frames/crops/")));
    fleet.kill_all();
    cluster.wait_for(&episodes);
    let deaths = fleet.deaths();
    assert!(deaths.len() == 6 + 8 && deaths.iter().all(Death::is_kill), "{deaths:?}");
    cluster.assert_all_done(fleet, &episodes);
}

#[test]
fn services_that_hang_end_themselves_and_their_jobs_are_done_by_the_next() {
    let cluster = Cluster::new();
    let episodes = [Episode::new(1)];
    cluster.submit_all(&episodes);
    let mut fleet = cluster.fleet();
    let hanging = [
        ("tracker-svc", "hang@before-write:1:work/tracks"),
        ("exporter-svc", "hang@before-write:1:manifest.json"),
    ];
    for (service, point) in hanging {
        // Alone, so that it gets the job.
        fleet.start(Replica::of(service).failing(point).with("service.job_timeout_sec=5"));
    }
    for service in ["detector-svc", "embedder-svc"] {
        fleet.start(Replica::of(service));
        fleet.start(Replica::of(service));
    }
    cluster.wait_for(&episodes);
    let codes: Vec<_> = fleet.deaths().iter().map(|death| (death.service, death.code)).collect();
    assert_eq!(codes, hanging.map(|(service, _)| (service, Some(7))));
    cluster.assert_all_done(fleet, &episodes);
}
