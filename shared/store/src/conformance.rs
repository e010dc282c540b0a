//! The promises of the crate as checks, one function each, for every implementation alike.
//!
//! [`store_conformance!`](crate::store_conformance) makes a test of each. A check gets an empty store of its own.

#![allow(clippy::missing_panics_doc, reason = "a broken promise panics like any failed test")]

use std::error::Error;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use facereel_domain::ids::RunRef;
use facereel_domain::layout::{ObjectKey, RunLayout};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::error::StoreErrorKind;
use crate::seam::{ObjectMeta, OldVersions, PutOutcome, Store};

/// How a check ends.
pub type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

/// Writers that race in the checks of concurrency.
const RACERS: u8 = 8;

/// Hands the names of all checks to the macro `$then`, for tests that are made otherwise than by
/// [`store_conformance!`](crate::store_conformance).
#[macro_export]
macro_rules! store_promises {
    ($then:ident $(, $($before:tt)*)?) => {
        $then! { $($($before)*)?
            objects_are_read_as_written,
            the_last_put_wins,
            create_only_writes_never_overwrite,
            of_racing_creators_exactly_one_wins,
            readers_never_see_half_an_object,
            ranges_are_exact,
            lists_are_sorted_and_prefixes_are_whole_parts,
            folders_are_those_that_hold_objects,
            lists_of_thousands_are_complete,
            absence_is_an_error_to_readers_only,
            deleting_below_a_prefix_spares_its_neighbours,
            prefixes_that_could_leave_the_store_are_refused,
            sweeping_harms_no_living_writer,
            showing_a_committed_run_adds_no_objects,
            times_of_writing_are_those_of_the_last_write,
        }
    };
}

/// Makes one test of each promise. `$open` is called for each test and gives an `Arc<dyn Store>` and whatever must
/// outlive it, such as a temporary folder.
#[macro_export]
macro_rules! store_conformance {
    ($open:expr) => {
        use $crate::store_conformance as store_conformance_of;
        $crate::store_promises!(store_conformance_of, $open =>);
    };
    ($open:expr => $($check:ident),* $(,)?) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $check() -> $crate::conformance::Outcome {
            let (store, _kept_until_the_end) = $open;
            $crate::conformance::$check(store).await
        })*
    };
}

fn key(text: &str) -> Result<ObjectKey, Box<dyn Error + Send + Sync>> {
    Ok(text.parse::<ObjectKey>()?)
}

async fn put(store: &Arc<dyn Store>, texts: &[&str]) -> Outcome {
    for text in texts {
        store.put(&key(text)?, Bytes::copy_from_slice(text.as_bytes())).await?;
    }
    Ok(())
}

fn names(listed: &[ObjectMeta]) -> Vec<&str> {
    listed.iter().map(|meta| meta.key.as_str()).collect()
}

/// Promises 1 and 4.
pub async fn objects_are_read_as_written(store: Arc<dyn Store>) -> Outcome {
    let large: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
    for (name, bytes) in [("empty", vec![]), ("a/deep/path/small.json", b"{}".to_vec()), ("a/large", large)] {
        let key = key(name)?;
        let size = bytes.len() as u64;
        store.put(&key, bytes.clone().into()).await?;
        assert_eq!(store.get(&key).await?, bytes, "{name}");
        assert_eq!(store.head(&key).await?, Some(ObjectMeta { key, size }));
    }
    Ok(())
}

/// Promise 2.
pub async fn the_last_put_wins(store: Arc<dyn Store>) -> Outcome {
    let key = key("episodes/E1/current.json")?;
    for text in ["a long first version", "short", ""] {
        store.put(&key, Bytes::from(text)).await?;
        assert_eq!(store.get(&key).await?, text);
    }
    assert_eq!(store.list("").await?.len(), 1);
    Ok(())
}

/// Promise 3.
pub async fn create_only_writes_never_overwrite(store: Arc<dyn Store>) -> Outcome {
    let key = key("runs/1/manifest.json")?;
    assert_eq!(store.put_if_absent(&key, Bytes::from("first")).await?, PutOutcome::Created);
    assert_eq!(store.put_if_absent(&key, Bytes::from("second")).await?, PutOutcome::Exists);
    assert_eq!(store.get(&key).await?, "first");
    store.delete(&key).await?;
    assert_eq!(store.put_if_absent(&key, Bytes::from("third")).await?, PutOutcome::Created);
    assert_eq!(names(&store.list("").await?), ["runs/1/manifest.json"]);
    Ok(())
}

/// Promise 3, with eight writers at once, ten times.
pub async fn of_racing_creators_exactly_one_wins(store: Arc<dyn Store>) -> Outcome {
    for round in 0..10 {
        let key = key(&format!("runs/{round}/manifest.json"))?;
        let start = Arc::new(Barrier::new(RACERS.into()));
        let mut racers = JoinSet::new();
        for racer in 0..RACERS {
            let (store, key, start) = (Arc::clone(&store), key.clone(), Arc::clone(&start));
            racers.spawn(async move {
                start.wait().await;
                (racer, store.put_if_absent(&key, vec![racer; 100].into()).await)
            });
        }
        let mut winners = Vec::new();
        while let Some(finished) = racers.join_next().await {
            let (racer, outcome) = finished?;
            if outcome? == PutOutcome::Created {
                winners.push(racer);
            }
        }
        assert_eq!(winners.len(), 1, "winners: {winners:?}");
        assert_eq!(store.get(&key).await?, vec![winners[0]; 100], "the loser's bytes stayed");
    }
    Ok(())
}

/// Promise 1, with a reader beside racing writers.
pub async fn readers_never_see_half_an_object(store: Arc<dyn Store>) -> Outcome {
    let key = key("work/part")?;
    let version = |fill: u8| Bytes::from(vec![fill; 50_000 + usize::from(fill) * 1000]);
    store.put(&key, version(0)).await?;
    let mut writers = JoinSet::new();
    for fill in 0..RACERS {
        let (store, key) = (Arc::clone(&store), key.clone());
        writers.spawn(async move {
            for _ in 0..5 {
                store.put(&key, version(fill)).await?;
            }
            Ok::<_, crate::StoreError>(())
        });
    }
    while !writers.is_empty() {
        let seen = store.get(&key).await?;
        assert_eq!(seen, version(*seen.first().ok_or("an empty object was seen")?));
        assert_eq!(names(&store.list("work").await?), ["work/part"], "a draft was listed");
        while let Some(finished) = writers.try_join_next() {
            finished??;
        }
    }
    Ok(())
}

/// Promise 5.
pub async fn ranges_are_exact(store: Arc<dyn Store>) -> Outcome {
    let key = key("work/chips/00000.pack")?;
    store.put(&key, Bytes::from("0123456789")).await?;
    for (range, expected) in [(0..10, "0123456789"), (3..5, "34"), (9..10, "9"), (4..4, ""), (10..10, "")] {
        assert_eq!(store.get_range(&key, range.clone()).await?, expected, "{range:?}");
    }
    for beyond in [9..11, 11..12, 0..u64::MAX] {
        let error = store.get_range(&key, beyond.clone()).await.err().ok_or("too short, but no error")?;
        assert_eq!(error.kind(), StoreErrorKind::Invalid, "{beyond:?}");
    }
    Ok(())
}

/// Promise 6.
pub async fn lists_are_sorted_and_prefixes_are_whole_parts(store: Arc<dyn Store>) -> Outcome {
    put(&store, &["b/2", "a/z", "a/c/1", "a-b", "ab/c", "a.json", "b/10"]).await?;
    let all = store.list("").await?;
    assert_eq!(names(&all), ["a-b", "a.json", "a/c/1", "a/z", "ab/c", "b/10", "b/2"]);
    assert!(all.iter().all(|meta| meta.size == meta.key.as_str().len() as u64), "{all:?}");
    assert_eq!(names(&store.list("a").await?), ["a/c/1", "a/z"]);
    assert_eq!(names(&store.list("a/c").await?), ["a/c/1"]);
    assert_eq!(names(&store.list("a/z").await?), [""; 0], "an object is not below itself");
    assert_eq!(names(&store.list("nothing/here").await?), [""; 0]);
    Ok(())
}

/// Promise 6, for the folders directly below a prefix.
pub async fn folders_are_those_that_hold_objects(store: Arc<dyn Store>) -> Outcome {
    put(&store, &["e/b/1", "e/a/x/1", "e/a/y", "e/c.json", "ea/z/1"]).await?;
    assert_eq!(store.folders("e").await?, ["a", "b"]);
    assert_eq!(store.folders("").await?, ["e", "ea"]);
    assert_eq!(store.folders("e/b").await?, [""; 0]);
    assert_eq!(store.folders("nothing/here").await?, [""; 0]);
    assert!(store.folders("../..").await.is_err());
    Ok(())
}

/// Promise 6, beyond any page size; and the cheap way to write many.
pub async fn lists_of_thousands_are_complete(store: Arc<dyn Store>) -> Outcome {
    let objects: Result<Vec<_>, _> = (0..1_100_u32)
        .map(|i| key(&format!("crops/{:02}/{i:05}.jpg", i % 7)).map(|key| (key, Bytes::from(i.to_string()))))
        .collect();
    let mut objects = objects?;
    store.put_all(objects.clone()).await?;
    objects.sort();
    let listed = store.list("crops").await?;
    assert_eq!(listed.len(), objects.len());
    assert!(
        listed
            .iter()
            .zip(&objects)
            .all(|(meta, (key, bytes))| meta.key == *key && meta.size == bytes.len() as u64)
    );
    let (key, bytes) = &objects[1_034];
    assert_eq!(store.get(key).await?, bytes);
    Ok(())
}

/// Promise 7.
pub async fn absence_is_an_error_to_readers_only(store: Arc<dyn Store>) -> Outcome {
    let absent = key("episodes/E1/current.json")?;
    assert_eq!(store.head(&absent).await?, None);
    store.delete(&absent).await?;
    store.delete_prefix("episodes/E1").await?;
    for error in [store.get(&absent).await.err(), store.get_range(&absent, 0..1).await.err()] {
        let error = error.ok_or("read what is not there")?;
        assert_eq!(error.kind(), StoreErrorKind::NotFound);
        assert!(error.is_permanent());
        assert!(error.to_string().contains("episodes/E1/current.json"), "{error}");
    }
    put(&store, &["episodes/E1/runs/1"]).await?;
    assert_eq!(store.head(&key("episodes/E1")?).await?, None, "a folder is no object");
    Ok(())
}

/// Promise 7, and that a prefix means whole parts here too.
pub async fn deleting_below_a_prefix_spares_its_neighbours(store: Arc<dyn Store>) -> Outcome {
    put(&store, &["r/work/a", "r/work/b/c", "r/workshop/d", "r/work.json", "r/manifest.json"]).await?;
    store.delete_prefix("r/work").await?;
    assert_eq!(names(&store.list("").await?), ["r/manifest.json", "r/work.json", "r/workshop/d"]);
    store.delete(&key("r/workshop/d")?).await?;
    put(&store, &["r/work/a"]).await?;
    assert_eq!(names(&store.list("r").await?), ["r/manifest.json", "r/work.json", "r/work/a"]);
    Ok(())
}

/// A prefix is as safe as a key.
pub async fn prefixes_that_could_leave_the_store_are_refused(store: Arc<dyn Store>) -> Outcome {
    put(&store, &["kept"]).await?;
    for bad in ["..", "/", "a/../..", "a//b", "/etc", "a/"] {
        let listed = store.list(bad).await.err().ok_or(bad)?;
        let deleted = store.delete_prefix(bad).await.err().ok_or(bad)?;
        assert_eq!(
            (listed.kind(), deleted.kind()),
            (StoreErrorKind::Invalid, StoreErrorKind::Invalid),
            "{bad}"
        );
    }
    assert!(store.delete_prefix("").await.is_err(), "the whole store was deleted");
    assert_eq!(store.get(&key("kept")?).await?, "kept");
    Ok(())
}

/// A run that starts sweeps, whatever other runs do meanwhile.
pub async fn sweeping_harms_no_living_writer(store: Arc<dyn Store>) -> Outcome {
    let mut writers = JoinSet::new();
    for writer in 0..RACERS {
        let (store, key) = (Arc::clone(&store), key(&format!("work/{writer}"))?);
        writers.spawn(async move {
            for _ in 0..5 {
                store.put(&key, vec![writer; 100_000].into()).await?;
            }
            Ok::<_, crate::StoreError>(())
        });
    }
    while !writers.is_empty() {
        store.sweep().await?;
        while let Some(finished) = writers.try_join_next() {
            finished??;
        }
    }
    assert_eq!(store.list("work").await?.len(), usize::from(RACERS));
    Ok(())
}

/// Whatever the store does for people, readers see the same objects.
pub async fn showing_a_committed_run_adds_no_objects(store: Arc<dyn Store>) -> Outcome {
    let run = RunRef { ep_id: "TEST-S01E01".parse()?, run_id: "0123456789abcdef".parse()? };
    store.put(&RunLayout::new(&run).tracks_jsonl(), Bytes::from("{}\n")).await?;
    let before = store.list("").await?;
    store.show_committed(&run).await?;
    store.show_committed(&run).await?;
    assert_eq!(store.list("").await?, before);
    Ok(())
}

/// Promise 9. The store's clock may be another machine's.
pub async fn times_of_writing_are_those_of_the_last_write(store: Arc<dyn Store>) -> Outcome {
    put(&store, &["a/b"]).await?;
    let first = store.written_unix_sec(&key("a/b")?).await?.ok_or("it is there")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    assert!(first.abs_diff(now) < 3600, "{first}, and it is {now}");
    put(&store, &["a/b"]).await?;
    assert!(store.written_unix_sec(&key("a/b")?).await? >= Some(first));
    for absent in ["a", "a/c"] {
        assert_eq!(store.written_unix_sec(&key(absent)?).await?, None);
    }
    assert_ne!(store.old_versions().await?, OldVersions::Kept);
    Ok(())
}
