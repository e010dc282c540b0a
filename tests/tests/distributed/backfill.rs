//! Many episodes at once, interrupted.

use std::fs;

use facereel_tests::cluster::Cluster;
use facereel_tests::episode::{Episode, PIECES};
use rustix::process::Signal;
use serde_json::Value;

/// What `backfill --json` told.
fn events(said: &str) -> Vec<Value> {
    said.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The episodes that it handed over.
fn submitted(events: &[Value]) -> Vec<&str> {
    let handed_over = events.iter().filter(|event| event["event"] == "submitted");
    handed_over.filter_map(|event| event["ep_id"].as_str()).collect()
}

#[test]
fn a_backfill_skips_what_is_done_keeps_its_pace_and_continues_after_an_interruption() {
    let cluster = Cluster::new();
    let episodes = Episode::first(3);
    let fleet = cluster.full_fleet();
    cluster.submit_all(&episodes[..1]);
    let list = cluster.folder().join("list");
    let videos: Vec<_> = episodes.iter().map(|episode| cluster.upload(episode)).collect();
    fs::write(&list, videos.join("\n")).unwrap();
    cluster.wait_for(&episodes[..1]);
    let backfill =
        cluster.call(&["backfill", &list.to_string_lossy(), "--max-in-flight", "1", "--json"]).with(&PIECES);

    let mut running = backfill.start();
    assert!(
        running.wait_until(|call| call.said().contains(r#""event":"submitted""#)),
        "it ended: {}",
        running.said()
    );
    running.signal(Signal::INT);
    let stopped = running.finish();
    assert_eq!(stopped.code, Some(130), "{}", stopped.said);
    let continued = backfill.succeed();

    let (before, after) = (events(&stopped.said), events(&continued.said));
    assert_eq!(before[0]["standings"]["done"], 1, "{}", before[0]);
    assert_eq!([submitted(&before), submitted(&after)], [["EP-2"], ["EP-3"]], "{}", continued.said);
    let most = before.iter().chain(&after).filter_map(|event| event["in_flight"].as_u64()).max();
    assert_eq!(most, Some(1));
    cluster.assert_all_done(fleet, &episodes);
}
