//! The fault decorator: transparent without faults, and each fault as announced.

use std::sync::Arc;

use bytes::Bytes;
use facereel_domain::layout::ObjectKey;
use facereel_store::conformance::Outcome;
use facereel_store::faulty::StoreFault;
use facereel_store::{FaultyStore, MemoryStore, Store, StoreErrorKind};

fn without_faults() -> (Arc<dyn Store>, ()) {
    (Arc::new(FaultyStore::new(Arc::new(MemoryStore::default()), [])), ())
}

facereel_store::store_conformance!(without_faults());

fn with(fault: StoreFault) -> (Arc<MemoryStore>, FaultyStore) {
    let inner = Arc::new(MemoryStore::default());
    (Arc::clone(&inner), FaultyStore::new(inner, [fault]))
}

fn key(name: &str) -> ObjectKey {
    name.parse().expect("a key")
}

/// Writes objects 1 to 4 of 10 bytes; what failed, and how.
async fn write_four(store: &dyn Store) -> Vec<(u8, StoreErrorKind)> {
    let mut failed = Vec::new();
    for number in 1..=4 {
        let written = store.put(&key(&format!("part/{number}")), vec![number; 10].into()).await;
        failed.extend(written.err().map(|e| (number, e.kind())));
    }
    failed
}

async fn names(store: &dyn Store) -> Vec<String> {
    let listed = store.list("part").await.expect("the inner store works");
    listed.iter().map(|meta| meta.key.to_string().split_off("part/".len())).collect()
}

#[tokio::test]
async fn the_nth_operation_fails_without_effect() -> Outcome {
    let (inner, store) = with(StoreFault::FailNth(2));
    assert_eq!(write_four(&store).await, [(2, StoreErrorKind::Transient)]);
    assert_eq!(names(&*inner).await, ["1", "3", "4"]);
    assert_eq!(store.operations(), 4);
    Ok(())
}

#[tokio::test]
async fn a_lost_reply_reports_failure_of_what_was_done() -> Outcome {
    let (inner, store) = with(StoreFault::LoseReplyOfNth(2));
    assert_eq!(write_four(&store).await, [(2, StoreErrorKind::Transient)]);
    assert_eq!(names(&*inner).await, ["1", "2", "3", "4"]);
    Ok(())
}

#[tokio::test]
async fn a_full_store_refuses_writes_and_still_reads() -> Outcome {
    let (inner, store) = with(StoreFault::FullAfterBytes(25));
    assert_eq!(write_four(&store).await, [(3, StoreErrorKind::Full), (4, StoreErrorKind::Full)]);
    assert_eq!(names(&*inner).await, ["1", "2"]);
    assert_eq!(store.get(&key("part/2")).await?, vec![2; 10]);
    Ok(())
}

#[tokio::test]
async fn a_crash_before_a_write_stops_everything_without_it() -> Outcome {
    let (inner, store) = with(StoreFault::CrashBeforeWrite("/3".to_owned()));
    let (failed, ()) = tokio::join!(write_four(&store), store.crashed());
    assert_eq!(failed.len(), 2);
    assert_eq!(names(&*inner).await, ["1", "2"]);
    assert!(store.get(&key("part/1")).await.is_err(), "a dead process reads nothing");
    Ok(())
}

#[tokio::test]
async fn a_crash_after_a_write_stops_everything_with_it() -> Outcome {
    let (inner, store) = with(StoreFault::CrashAfterWrite("/3".to_owned()));
    let (failed, ()) = tokio::join!(write_four(&store), store.crashed());
    assert_eq!(failed.len(), 2);
    assert_eq!(names(&*inner).await, ["1", "2", "3"]);
    assert!(store.put(&key("part/5"), Bytes::new()).await.is_err());
    Ok(())
}
