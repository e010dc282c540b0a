//! The store in a folder under what only processes of their own can suffer: a full disk and a kill.
//!
//! Each test starts itself again as a child, which finds the folder to work in in [`FOLDER`].

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bytes::Bytes;
use facereel_domain::layout::ObjectKey;
use facereel_store::conformance::Outcome;
use facereel_store::{LocalStore, Store, StoreErrorKind};

/// Tells a child where to work.
const FOLDER: &str = "FACEREEL_STORE_TEST_FOLDER";
/// Bytes of the objects that the killed writer writes.
const WRITTEN_BYTES: usize = 400_000;

/// Limits the size of files instead: the kernel refuses in the middle of a write just as a full disk does.
const LIMITED_FILES: &str = r#"trap "" XFSZ; ulimit -f 256; exec "$0" "$@""#;
/// A disk of 256 KiB, in a mount namespace that ends with the child.
const SMALL_DISK: &str =
    r#"mount -t tmpfs -o size=256k none "$FACEREEL_STORE_TEST_FOLDER" && exec "$0" "$@""#;

/// The folder that this process is to work in, if it is a child.
fn folder_of_child() -> Option<PathBuf> {
    env::var_os(FOLDER).map(PathBuf::from)
}

/// This program with nothing but `test` to run, behind `launcher`, working in `folder`.
fn child(launcher: &[&str], test: &str, folder: &Path) -> Result<Command, io::Error> {
    let program = env::current_exe()?;
    let mut command = match launcher {
        [] => Command::new(&program),
        [first, rest @ ..] => {
            let mut command = Command::new(first);
            command.args(rest).arg(&program);
            command
        }
    };
    command.args([test, "--exact", "--nocapture"]).env(FOLDER, folder);
    Ok(command)
}

/// Names of all files, drafts too.
fn files(folder: &Path) -> Result<Vec<String>, io::Error> {
    let names = fs::read_dir(folder)?.map(|e| e.map(|e| e.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<Result<Vec<_>, _>>()?;
    names.sort();
    Ok(names)
}

/// What a store must do on a disk that has room for one small object and not for a large one.
async fn survive_a_full_disk(folder: &Path) -> Outcome {
    let store = LocalStore::open(folder)?;
    let key = |name: &str| name.parse::<ObjectKey>();
    let (small, large) = (Bytes::from(vec![1; 1000]), Bytes::from(vec![2; 1_000_000]));
    store.put(&key("finished")?, small.clone()).await?;

    let batch = vec![(key("one")?, small.clone()), (key("two")?, large.clone())];
    let errors = [
        store.put(&key("large")?, large.clone()).await.err(),
        store.put_all(batch).await.err(),
        store.put_if_absent(&key("large")?, large).await.err(),
    ];
    for error in errors {
        let error = error.ok_or("a large object fitted")?;
        assert_eq!(error.kind(), StoreErrorKind::Full, "{error:?}");
        assert!(error.is_permanent());
        assert!(error.to_string().contains("the storage is full; free some space"), "{error}");
    }
    assert_eq!(files(folder)?, ["finished", "one"], "finished parts are kept, drafts are not");
    assert_eq!(store.get(&key("finished")?).await?, small);
    Ok(store.put(&key("next")?, small).await?)
}

#[tokio::test]
async fn a_refused_write_keeps_the_finished_parts_and_leaves_no_draft() -> Outcome {
    if let Some(folder) = folder_of_child() {
        return survive_a_full_disk(&folder).await;
    }
    let folder = tempfile::tempdir()?;
    let test = "a_refused_write_keeps_the_finished_parts_and_leaves_no_draft";
    let status = child(&["sh", "-c", LIMITED_FILES], test, folder.path())?.status()?;
    assert!(status.success(), "the child failed");
    assert_eq!(files(folder.path())?, ["finished", "next", "one"]);
    Ok(())
}

/// On a real small disk where this user may mount one, else as above.
#[tokio::test]
async fn a_full_disk_keeps_the_finished_parts_and_leaves_no_draft() -> Outcome {
    if let Some(folder) = folder_of_child() {
        return survive_a_full_disk(&folder).await;
    }
    let folder = tempfile::tempdir()?;
    let own_mounts = ["unshare", "--user", "--map-root-user", "--mount"];
    let may_mount = Command::new(own_mounts[0])
        .args(&own_mounts[1..])
        .args(["mount", "-t", "tmpfs", "none"])
        .arg(folder.path())
        .status()
        .is_ok_and(|status| status.success());
    let on_small_disk = [&own_mounts[..], &["sh", "-c", SMALL_DISK]].concat();
    let launcher = if may_mount { &on_small_disk[..] } else { &["sh", "-c", LIMITED_FILES] };
    let test = "a_full_disk_keeps_the_finished_parts_and_leaves_no_draft";
    assert!(child(launcher, test, folder.path())?.status()?.success(), "the child failed");
    assert_eq!(files(folder.path())?.is_empty(), may_mount, "the small disk went with the child");
    Ok(())
}

/// Writes until killed; says each time that it has written.
async fn write_for_ever(folder: &Path) -> Outcome {
    let store = LocalStore::open(folder)?;
    for round in 0..=u8::MAX {
        for part in 0..4 {
            store.put(&format!("part-{part}").parse()?, vec![round; WRITTEN_BYTES].into()).await?;
        }
        writeln!(io::stdout(), "written")?;
    }
    Err("nobody killed the writer".into())
}

#[tokio::test]
async fn a_killed_writer_leaves_whole_objects_and_nothing_that_is_not_swept() -> Outcome {
    if let Some(folder) = folder_of_child() {
        return write_for_ever(&folder).await;
    }
    let folder = tempfile::tempdir()?;
    let test = "a_killed_writer_leaves_whole_objects_and_nothing_that_is_not_swept";
    let store = LocalStore::open(folder.path())?;
    for rounds in 1..=6 {
        let mut writer = child(&[], test, folder.path())?.stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(writer.stdout.take().ok_or("no output")?).lines();
        let seen = lines.map_while(Result::ok).filter(|line| line.ends_with("written")).take(rounds).count();
        writer.kill()?;
        writer.wait()?;
        assert_eq!(seen, rounds, "the writer ended by itself");

        let listed = store.list("").await?;
        assert_eq!(listed.len(), 4, "{listed:?}");
        for meta in &listed {
            let bytes = store.get(&meta.key).await?;
            assert_eq!(bytes.len(), WRITTEN_BYTES);
            assert!(bytes.iter().all(|byte| *byte == bytes[0]), "{} mixes two versions", meta.key);
        }
        store.sweep().await?;
        assert_eq!(files(folder.path())?.len(), 4, "a dead writer's draft stayed");
    }
    Ok(())
}
