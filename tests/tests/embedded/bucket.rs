//! A video and results in a bucket instead of folders.

use std::fs;
use std::path::Path;

use facereel_test_servers::SeaweedFs;
use facereel_test_servers::seaweedfs::{ACCESS_KEY, SECRET_KEY};
use facereel_tests::clip::Clip;
use facereel_tests::program::Call;
use facereel_tests::results::{Results, differences};
use tempfile::tempdir;

use super::determinism::{PIECES, artifacts, undisturbed, undisturbed_folder};

#[test]
fn a_run_from_a_bucket_into_a_bucket_is_the_one_on_disk() {
    let server = SeaweedFs::shared().unwrap();
    let bucket = server.new_bucket().unwrap();
    server.upload(&bucket, "videos/clip.mp4", &fs::read(Clip::of_everything().video()).unwrap()).unwrap();
    let (video, store) = (format!("s3://{bucket}/videos/clip.mp4"), format!("s3://{bucket}/results"));
    let endpoint = format!("store.endpoint={}", server.endpoint());
    let call = |words: &[&str]| {
        let key = [("AWS_ACCESS_KEY_ID", ACCESS_KEY), ("AWS_SECRET_ACCESS_KEY", SECRET_KEY)];
        Call::new(words).with(&["--set", &endpoint]).with_environment(&key)
    };

    let said = call(&["run", &video, "--out", &store]).with(&PIECES).succeed().said;
    assert!(!said.contains(SECRET_KEY));
    let again = call(&["run", &video, "--out", &store]).with(&PIECES).succeed().said;
    assert!(again.contains("already complete"), "{again}");
    call(&["verify", &store]).succeed();

    let here = tempdir().unwrap();
    let folder = here.path().to_str().unwrap();
    call(&["fetch", "clip", folder]).with(&["--set", &format!("store.url={store}")]).succeed();
    assert_eq!(run_id(here.path()), run_id(&undisturbed_folder()), "another run");
    assert_eq!(differences(&undisturbed(), &artifacts(here.path())), Vec::<String>::new());
}

fn run_id(out: &Path) -> String {
    let run = Results::of_only_episode(out).run();
    run.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[test]
fn a_store_without_credentials_is_refused_with_advice() {
    let server = SeaweedFs::shared().unwrap();
    let store = format!("s3://{}/results", server.new_bucket().unwrap());
    let home = tempdir().unwrap();
    let nobody = [
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_CONFIG_FILE", "/nowhere"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere"),
        ("HOME", home.path().to_str().unwrap()),
    ];
    let endpoint = format!("store.endpoint={}", server.endpoint());
    let refused =
        Call::new(["verify", &store]).with(&["--set", &endpoint]).with_environment(&nobody).finish();
    assert_eq!(refused.code, Some(5), "{}", refused.said);
    assert!(refused.said.contains("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"), "{}", refused.said);
}
