//! Servers that go away and come back.

use facereel_test_servers::{Rabbit, SeaweedFs};
use facereel_tests::cluster::Cluster;
use facereel_tests::episode::Episode;
use facereel_tests::fleet::Replica;

#[test]
fn a_broker_that_is_stopped_and_started_again_twice_loses_nothing() {
    let cluster = Cluster::on(Rabbit::exclusive().unwrap(), SeaweedFs::shared().unwrap());
    let episodes = Episode::first(3);
    let mut fleet = cluster.fleet();
    for service in ["detector-svc", "tracker-svc", "embedder-svc"] {
        fleet.start(Replica::of(service));
        fleet.start(Replica::of(service));
    }
    for batch in [&episodes[..2], &episodes[2..]] {
        let runs = cluster.submit_all(batch);
        fleet.wait_until("parts", || runs.iter().any(|run| cluster.has(run, "work/detections/")));
        cluster.rabbit.stop().unwrap();
        cluster.rabbit.start().unwrap();
    }
    // Only now, so that no run was over before.
    fleet.start(Replica::of("exporter-svc"));
    fleet.start(Replica::of("exporter-svc"));
    cluster.wait_for(&episodes);
    assert_eq!(fleet.deaths(), []);
    cluster.assert_all_done(fleet, &episodes);
}

#[test]
fn an_s3_server_that_is_killed_and_started_again_loses_nothing() {
    let cluster = Cluster::on(Rabbit::shared().unwrap(), SeaweedFs::exclusive().unwrap());
    let episodes = Episode::first(2);
    let runs = cluster.submit_all(&episodes);
    let fleet = cluster.full_fleet();
    fleet.wait_until("parts", || runs.iter().any(|run| cluster.has(run, "work/detections/")));
    cluster.server.kill().unwrap();
    // Which takes some seconds, and work stands still meanwhile.
    for service in ["detector-svc", "exporter-svc"] {
        let is_unready = || fleet.answer_of(service, "/readyz").is_some_and(|answer| answer.status == 503);
        fleet.wait_until("the store is missed", is_unready);
    }
    cluster.server.start().unwrap();
    cluster.wait_for(&episodes);
    assert_eq!(fleet.deaths(), []);
    cluster.assert_all_done(fleet, &episodes);
}
