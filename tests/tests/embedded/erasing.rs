//! `facereel erase` on the results of a real run in a folder.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use facereel_tests::clip::Clip;
use facereel_tests::program::Call;
use facereel_tests::results::{Results, differences, entries};
use facereel_tests::schemas::assert_fits;
use rstest::rstest;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

use super::determinism::{PIECES, artifacts, undisturbed, undisturbed_folder};

const EPISODE: &str = "clip";
const DAY: Duration = Duration::from_hours(24);

/// A store of one's own with a finished run in it.
fn finished() -> TempDir {
    let store = tempdir().expect("a folder");
    let from = undisturbed_folder().join("episodes");
    let copied = Command::new("cp").arg("-a").arg(from).arg(store.path()).status().expect("cp starts");
    assert!(copied.success());
    store
}

/// `facereel erase ARGUMENTS` in this store.
fn erase(store: &Path, arguments: &[&str]) -> Call {
    Call::new(["erase", "--store"]).with(&[&store.to_string_lossy()]).with(arguments)
}

/// Every plain file below `folder`, links not followed.
fn files(folder: &Path) -> Vec<PathBuf> {
    let (folders, files): (Vec<_>, Vec<_>) =
        entries(folder).into_iter().filter(|path| !path.is_symlink()).partition(|path| path.is_dir());
    files.into_iter().chain(folders.iter().flat_map(|folder| self::files(folder))).collect()
}

/// Files that hold, anywhere, what a JPEG or a file of vectors begins with.
fn with_faces(store: &Path) -> Vec<PathBuf> {
    let holds = |bytes: &[u8], magic: &[u8]| bytes.windows(magic.len()).any(|at| at == magic);
    let has_face = |path: &PathBuf| {
        let bytes = fs::read(path).expect("the file is there");
        holds(&bytes, b"\xFF\xD8\xFF") || holds(&bytes, b"NUMPY")
    };
    files(store).into_iter().filter(has_face).collect()
}

#[test]
fn an_erased_episode_holds_no_face_and_stays_erased_until_it_is_forced() {
    let store = finished();
    assert!(!with_faces(store.path()).is_empty());
    erase(store.path(), &[EPISODE, "--yes", "--reason", "request 7"]).succeed();
    assert_eq!(with_faces(store.path()), Vec::<PathBuf>::new());
    let run = Results::of_only_episode(store.path()).run();
    let left: Vec<String> =
        files(&run).iter().map(|path| path.strip_prefix(&run).unwrap().display().to_string()).collect();
    let mut expected = vec![
        "manifest.json",
        "progress.json",
        "request.mpk",
        "run_stats.json",
        "settings.json",
        "erasures/0001-begun.json",
        "erasures/0001-done.json",
        "manifests/shots.jsonl",
        "manifests/track_metrics.json",
    ];
    expected.sort_unstable();
    let mut left = left;
    left.sort_unstable();
    assert_eq!(left, expected);
    assert!(!Results::of_only_episode(store.path()).episode.join("frames").exists(), "a link leads nowhere");
    let said = Call::verify(store.path()).succeed().said;
    assert!(said.starts_with("good") && said.contains("all faces were erased"), "{said}");
    assert!(said.contains("(request 7)"), "{said}");

    let again = Call::run(&Clip::of_everything().video(), store.path()).with(&PIECES);
    let said = again.succeed().said;
    assert!(said.contains("all its faces were erased") && said.contains("--force"), "{said}");
    assert!(!said.contains("tracks.jsonl"), "it names what is gone: {said}");
    assert_eq!(with_faces(store.path()), Vec::<PathBuf>::new());
    again.with(&["--force"]).succeed();
    assert_eq!(differences(&undisturbed(), &artifacts(store.path())), Vec::<String>::new());
}

#[test]
fn an_erased_track_is_gone_and_everything_else_is_as_it_was() {
    let store = finished();
    let said = erase(store.path(), &[EPISODE, "--track", "2", "--yes", "--json"]).succeed().said;
    let told: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&told["runs"][0]["outcome"], &told["runs"][0]["erasures"][0]["tracks"][0]),
        (&"erased".into(), &2.into())
    );
    let rewritten = ["detections.jsonl", "faces.jsonl", "tracks.jsonl", "faces.npy", "tracks.npy"];
    let changed = differences(&undisturbed(), &artifacts(store.path()));
    let is_expected = |path: &&String| {
        path.starts_with("frames/crops/track_0002/")
            || path.starts_with("erasures/0001")
            || rewritten.iter().any(|name| path.ends_with(name))
    };
    assert_eq!(changed.iter().filter(|path| !is_expected(path)).count(), 0, "{changed:?}");
    let results = Results::of_only_episode(store.path());
    assert!(!results.run().join("frames/crops/track_0002").exists());
    for rows in ["detections", "faces"] {
        assert!(results.rows(rows).iter().all(|row| row["track_id"] != 2), "{rows}");
    }
    assert_fits("tracks-row-erased", &results.rows("tracks")[1]);
    for name in ["begun", "done"] {
        assert_fits(&format!("erasure-{name}"), &results.json(&format!("erasures/0001-{name}.json")));
    }
    let said = Call::verify(store.path()).succeed().said;
    assert!(said.starts_with("good") && said.contains("the faces of track 2 were erased"), "{said}");

    let crop = files(&results.run().join("frames/crops/track_0001")).swap_remove(0);
    let mut bytes = fs::read(&crop).unwrap();
    bytes[200] ^= 1;
    fs::write(&crop, bytes).unwrap();
    let damaged = Call::verify(store.path()).finish();
    assert_eq!(damaged.code, Some(1), "{}", damaged.said);
    assert!(damaged.said.contains("frames/crops/track_0001/"), "{}", damaged.said);
}

/// Everything of the store but for the times in the records.
fn contents(store: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut artifacts = artifacts(store);
    artifacts.retain(|name, _| !name.starts_with("erasures/"));
    artifacts
}

#[rstest]
#[case::everybody(&[EPISODE, "--yes"])]
#[case::two_tracks(&[EPISODE, "--yes", "--track", "1", "--track", "3"])]
fn an_erasure_that_stops_in_the_middle_is_told_of_and_continued(#[case] arguments: &[&str]) {
    let (store, alone) = (finished(), finished());
    erase(alone.path(), arguments).succeed();
    let locked = Results::of_only_episode(store.path()).run().join("frames/crops/track_0001");
    let allow = |mode| fs::set_permissions(&locked, Permissions::from_mode(mode)).unwrap();
    allow(0o555);
    let stopped = erase(store.path(), arguments).without_root_rights().finish();
    assert_eq!(stopped.code, Some(5), "{}", stopped.said);
    assert!(stopped.said.contains("the same command continues"), "{}", stopped.said);
    let bad = Call::verify(store.path()).finish();
    assert_eq!(bad.code, Some(1), "{}", bad.said);
    assert!(bad.said.contains("begun and not finished: `facereel erase clip --run"), "{}", bad.said);
    let not_fetched = Call::new(["fetch", EPISODE, &store.path().join("copy").to_string_lossy()])
        .with(&["--set", &format!("store.url={}", store.path().display())])
        .finish();
    assert!(not_fetched.said.contains("is not finished: `facereel verify` tells"), "{}", not_fetched.said);
    allow(0o755);
    erase(store.path(), arguments).succeed();
    assert_eq!(differences(&contents(alone.path()), &contents(store.path())), Vec::<String>::new());
    Call::verify(store.path()).succeed();
}

#[test]
fn nothing_is_erased_without_somebody_to_ask_or_for_a_track_or_episode_that_is_not_there() {
    let store = finished();
    for (arguments, says) in [
        ([EPISODE, "--reason", "x"].as_slice(), "nothing was erased: there is nobody to ask"),
        (&[EPISODE, "--track", "999", "--yes"], "there is no track 999"),
        (&["OTHER", "--yes"], "holds no such run of episode OTHER"),
        (&[EPISODE, "--run", "fedcba9876543210", "--yes"], "holds no such run"),
    ] {
        let refused = erase(store.path(), arguments).finish();
        assert_eq!(refused.code, Some(1), "{}", refused.said);
        assert!(refused.said.contains(says), "{}", refused.said);
    }
    let said = erase(store.path(), &[EPISODE, "--dry-run"]).succeed().said;
    assert!(said.contains("all faces:"), "{said}");
    assert_eq!(differences(&undisturbed(), &artifacts(store.path())), Vec::<String>::new());
}

#[test]
fn an_erased_run_is_fetched_with_its_records() {
    let (store, here) = (finished(), tempdir().unwrap());
    erase(store.path(), &[EPISODE, "--track", "1", "--yes"]).succeed();
    let url = format!("store.url={}", store.path().display());
    Call::new(["fetch", EPISODE]).with(&[here.path().to_str().unwrap(), "--set", &url]).succeed();
    assert_eq!(differences(&artifacts(store.path()), &artifacts(here.path())), Vec::<String>::new());
    assert!(Call::verify(here.path()).succeed().said.contains("the faces of track 1 were erased"));
}

fn make_old(path: &Path, age: Duration) {
    let file = File::options().append(true).open(path).expect("the file is there");
    file.set_modified(SystemTime::now() - age).expect("it is ours");
}

#[test]
fn retention_erases_what_is_old_and_nothing_else() {
    let store = finished();
    let results = Results::of_only_episode(store.path());
    let old = |arguments: &[&str]| {
        erase(store.path(), &[&["--older-than", "30"], arguments].concat()).succeed().said
    };
    assert!(old(&["--yes"]).contains("nothing to erase"));
    assert_eq!(differences(&undisturbed(), &artifacts(store.path())), Vec::<String>::new());
    // A run that nobody ended, some of it from today.
    let unfinished = results.episode.join("runs/fedcba9876543210");
    let parts = [
        unfinished.join("frames/crops/track_0001/frame_000006.jpg"),
        unfinished.join("work/chips/00000.pack"),
    ];
    for part in &parts {
        fs::create_dir_all(part.parent().unwrap()).unwrap();
        fs::write(part, b"\xFF\xD8\xFF").unwrap();
    }
    make_old(&parts[0], 31 * DAY);
    make_old(&results.episode.join("runs").join(run_id()).join("manifest.json"), 31 * DAY);
    assert!(old(&["--dry-run"]).contains("all faces:"));
    assert!(old(&["--yes"]).contains("all faces:"));
    assert_eq!(with_faces(store.path()), parts);
    make_old(&parts[1], 30 * DAY + DAY / 2);
    assert!(old(&["--yes"]).contains("fedcba9876543210: all faces: 2 files removed"));
    assert_eq!(with_faces(store.path()), Vec::<PathBuf>::new());
    assert!(unfinished.join("cancelled.json").is_file());
    assert!(old(&["--yes"]).contains("nothing to erase"));
    Call::verify(store.path()).succeed();
}

fn run_id() -> String {
    let run = Results::of_only_episode(&undisturbed_folder()).run();
    run.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
