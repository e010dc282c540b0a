//! Faces are erased from a bucket that services fill.

use std::slice::from_ref;

use facereel_tests::cluster::Cluster;
use facereel_tests::episode::{Episode, PIECES};
use facereel_tests::program::Call;

/// Keys of the objects that hold, anywhere, what a JPEG or a file of vectors begins with.
fn with_faces(cluster: &Cluster) -> Vec<String> {
    let holds = |bytes: &[u8], magic: &[u8]| bytes.windows(magic.len()).any(|at| at == magic);
    let has_face = |key: &String| {
        let bytes = cluster.object(&key.parse().expect("the store lists keys"));
        holds(&bytes, b"\xFF\xD8\xFF") || holds(&bytes, b"NUMPY")
    };
    cluster.keys("").into_iter().filter(has_face).collect()
}

#[test]
fn faces_in_a_bucket_are_erased_stay_erased_and_can_be_made_anew() {
    let cluster = Cluster::new();
    let episode = Episode::new(1);
    let id = episode.id.as_str();
    let video = cluster.upload(&episode);
    let run = cluster.submit(&video);
    let refused = cluster.call(&["erase", id, "--yes"]).finish();
    assert_eq!(refused.code, Some(1), "{}", refused.said);
    assert!(
        refused.said.contains("is submitted") && refused.said.contains("facereel cancel EP-1"),
        "{}",
        refused.said
    );
    let fleet = cluster.full_fleet();
    cluster.wait_for(from_ref(&episode));
    cluster.assert_all_done(fleet, from_ref(&episode));

    let told = cluster.ask(&["erase", id, "--track", "1", "--yes"]);
    assert_eq!(told["warning"], serde_json::Value::Null);
    assert!(!cluster.has(&run, "track_0001"));
    let here = tempfile::tempdir().expect("a folder");
    cluster.call(&["fetch", id, &here.path().to_string_lossy()]).succeed();
    for said in [cluster.call(&["verify"]).succeed().said, Call::verify(here.path()).succeed().said] {
        assert!(said.starts_with("good") && said.contains("the faces of track 1 were erased"), "{said}");
    }

    assert!(!with_faces(&cluster).is_empty());
    cluster.call(&["erase", id, "--yes"]).succeed();
    assert_eq!(with_faces(&cluster), Vec::<String>::new());
    let said = cluster.call(&["verify"]).succeed().said;
    assert!(said.contains("all faces were erased"), "{said}");
    let again = [["submit", &video].as_slice(), &PIECES].concat();
    assert_eq!(cluster.ask(&again)["outcome"], "erased");
    assert_eq!(with_faces(&cluster), Vec::<String>::new());

    let _ = cluster.ask(&[again.as_slice(), &["--force"]].concat());
    let fleet = cluster.full_fleet();
    cluster.wait_for(from_ref(&episode));
    cluster.assert_all_done(fleet, from_ref(&episode));
}

#[test]
fn what_a_cancelled_run_left_is_erased() {
    let cluster = Cluster::new();
    let run = cluster.submit(&cluster.upload(&Episode::new(1)));
    cluster.call(&["cancel", "EP-1"]).succeed();
    let said = cluster.call(&["erase", "EP-1", "--yes"]).succeed().said;
    assert!(said.contains("nothing to erase"), "{said}");
    assert!(cluster.has(&run, "cancelled.json"), "late jobs would work on it");
}
