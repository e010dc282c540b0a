//! Jobs that can't be done, and what an operator does about them.

use std::fs;
use std::slice::from_ref;

use facereel_domain::layout::RunLayout;
use facereel_tests::cluster::Cluster;
use facereel_tests::episode::Episode;
use facereel_tests::fleet::Fleet;
use serde_json::Value;

/// Waits until the run of `ep_id` has failed, and its job is among the dead letters; what `facereel dead list` tells of it.
fn dead_letter_of(cluster: &Cluster, fleet: &Fleet, ep_id: &str) -> Value {
    let watched = cluster.call(&["status", ep_id, "--watch", "--every", "1"]).finish();
    assert_eq!(watched.code, Some(1), "{}", watched.said);
    // The note in the store comes first.
    fleet.wait_until("a dead letter", || !cluster.dead_letters().is_empty());
    let letters = cluster.ask(&["dead", "list", "--episode", ep_id]);
    assert_eq!(letters.as_array().map(Vec::len), Some(1), "{letters:#}");
    letters[0].clone()
}

#[test]
fn a_poison_episode_is_given_up_with_a_reason_and_the_good_ones_finish() {
    let cluster = Cluster::new();
    let good = Episode::first(2);
    let poison = cluster.upload_bytes("POISON", b"this is a letter and no video");
    cluster.submit(&cluster.upload(&good[0]));
    let failed = cluster.submit(&poison);
    cluster.submit(&cluster.upload(&good[1]));
    let fleet = cluster.full_fleet();

    cluster.wait_for(&good);
    let letter = dead_letter_of(&cluster, &fleet, "POISON");
    let note = cluster.json(&RunLayout::new(&failed).error(), "error");
    assert_eq!(note["stage"], letter["stage"]);
    assert!(note["reason"].to_string().contains("the video can't be planned"), "{note:#}");
    let id = letter["id"].as_str().expect("letters have ids");
    assert_eq!(
        (letter["stage"].as_str(), letter["attempts"].as_u64()),
        (Some("plan"), Some(1)),
        "{letter:#}"
    );
    let shown = cluster.call(&["dead", "show", id]).succeed().said;
    for part in ["POISON", "reason   the video can't be planned", "POISON.mp4"] {
        assert!(shown.contains(part), "no '{part}' in: {shown}");
    }

    // Nothing has changed about it, and so it comes back.
    cluster.call(&["dead", "replay", id]).succeed();
    dead_letter_of(&cluster, &fleet, "POISON");
    cluster.call(&["dead", "drop", "--all", "--episode", "POISON"]).succeed();
    cluster.assert_all_done(fleet, &good);
}

#[test]
fn a_job_whose_cause_is_mended_is_replayed_to_its_end() {
    let cluster = Cluster::new();
    let episode = Episode::new(1);
    let (video, away) = (cluster.copy(&episode), cluster.folder().join("away"));
    cluster.submit(&video.to_string_lossy());
    fs::rename(&video, &away).unwrap();
    let fleet = cluster.full_fleet();
    let letter = dead_letter_of(&cluster, &fleet, &episode.id);
    assert!(letter["causes"].to_string().contains("EP-1.mp4"), "{letter:#}");

    fs::rename(&away, &video).unwrap();
    cluster.call(&["dead", "replay", "--all"]).succeed();
    cluster.wait_for(from_ref(&episode));
    cluster.assert_all_done(fleet, from_ref(&episode));
}
