//! The store in a folder: the suite that all stores pass, and what is its own.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use facereel_domain::ids::RunRef;
use facereel_domain::layout::RunLayout;
use facereel_store::conformance::Outcome;
use facereel_store::{LocalStore, Store, StoreErrorKind};
use tempfile::TempDir;

fn fresh() -> (Arc<dyn Store>, TempDir) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    (Arc::new(LocalStore::open(folder.path()).expect("a store")), folder)
}

facereel_store::store_conformance!(fresh());

fn run(run_id: &str) -> RunRef {
    RunRef { ep_id: "TEST-S01E01".parse().expect("an episode id"), run_id: run_id.parse().expect("a run id") }
}

#[tokio::test]
async fn objects_are_plain_files_at_their_keys() -> Outcome {
    let (store, folder) = fresh();
    store.put(&"a/b.json".parse()?, Bytes::from("{}")).await?;
    assert_eq!(fs::read(folder.path().join("a/b.json"))?, b"{}");
    fs::write(folder.path().join("a/by hand.txt"), "not an object: no key can name it")?;
    fs::write(folder.path().join("a/c.json"), "by hand")?;
    assert_eq!(store.get(&"a/c.json".parse()?).await?, "by hand");
    assert_eq!(store.list("a").await?.len(), 2);
    Ok(())
}

#[tokio::test]
async fn drafts_of_killed_writers_are_never_listed_and_are_swept() -> Outcome {
    let (store, folder) = fresh();
    store.put(&"a/b".parse()?, Bytes::from("whole")).await?;
    fs::write(folder.path().join("a/~4711-0123456789abcdef"), "hal")?;
    assert_eq!(store.list("").await?.len(), 1);
    assert_eq!(store.sweep().await?, 1);
    assert_eq!(store.sweep().await?, 0);
    assert_eq!(fs::read_dir(folder.path().join("a"))?.count(), 1);
    Ok(())
}

#[tokio::test]
async fn a_committed_run_is_linked_from_its_episode() -> Outcome {
    let (store, folder) = fresh();
    let episode = folder.path().join("episodes/TEST-S01E01");
    let (first, second) = (run("0000000000000001"), run("0000000000000002"));
    store.put(&RunLayout::new(&first).tracks_jsonl(), Bytes::from("first")).await?;
    store
        .put(&RunLayout::new(&first).crop(facereel_domain::ids::TrackId(1), 0).0, Bytes::from("jpg"))
        .await?;
    store.put(&RunLayout::new(&second).tracks_jsonl(), Bytes::from("second")).await?;

    store.show_committed(&first).await?;
    assert_eq!(fs::read(episode.join("manifests/tracks.jsonl"))?, b"first");
    assert_eq!(fs::read_dir(episode.join("frames/crops"))?.count(), 1);
    assert_eq!(fs::read_link(episode.join("manifests"))?, Path::new("runs/0000000000000001/manifests"));

    store.show_committed(&second).await?;
    assert_eq!(fs::read(episode.join("manifests/tracks.jsonl"))?, b"second");
    assert!(
        !episode.join("frames").exists(),
        "the second run has no crops, the link would show the first one's"
    );
    Ok(())
}

#[tokio::test]
async fn what_people_put_in_a_links_place_is_not_deleted() -> Outcome {
    let (store, folder) = fresh();
    let committed = run("0000000000000001");
    store.put(&RunLayout::new(&committed).tracks_jsonl(), Bytes::from("rows")).await?;
    let own = folder.path().join("episodes/TEST-S01E01/manifests/own.txt");
    fs::create_dir_all(own.parent().ok_or("no folder")?)?;
    fs::write(&own, "own")?;
    let error = store.show_committed(&committed).await.err().ok_or("replaced a folder by a link")?;
    assert!(error.to_string().contains("episodes/TEST-S01E01/manifests"), "{error}");
    assert_eq!(fs::read(own)?, b"own");
    assert_eq!(fs::read_dir(folder.path().join("episodes/TEST-S01E01"))?.count(), 2, "a draft link stayed");
    Ok(())
}

#[tokio::test]
async fn a_key_that_is_a_folder_of_another_is_an_error_not_a_loss() -> Outcome {
    let (store, _folder) = fresh();
    store.put(&"a/b".parse()?, Bytes::from("object")).await?;
    for clash in ["a", "a/b/c"] {
        let error = store.put(&clash.parse()?, Bytes::from("clash")).await.err().ok_or(clash)?;
        assert_eq!(error.kind(), StoreErrorKind::Invalid, "{clash}: {error}");
    }
    assert_eq!(store.get(&"a/b".parse()?).await?, "object");
    Ok(())
}

/// `/sys` refuses new files to everybody, root included.
#[tokio::test]
async fn a_folder_that_may_not_be_written_gives_a_clear_permanent_error() -> Outcome {
    let store = LocalStore::open("/sys")?;
    let error = store.put(&"facereel/x".parse()?, Bytes::from("x")).await.err().ok_or("wrote to /sys")?;
    assert_eq!(error.kind(), StoreErrorKind::Denied, "{error:?}");
    assert!(error.is_permanent());
    assert!(error.to_string().starts_with("cannot write 'facereel/x': permission denied"), "{error}");
    Ok(())
}
