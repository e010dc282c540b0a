//! A server and a network that misbehave.

use std::time::Duration;

use bytes::Bytes;
use facereel_domain::layout::ObjectKey;
use facereel_store::conformance::Outcome;
use facereel_store::s3::{S3Limits, S3Options};
use facereel_store::{PutOutcome, S3Store, Store, StoreErrorKind};
use facereel_test_servers::{HttpFault as Fault, HttpProxy, SeaweedFs};
use tokio::task::spawn_blocking;

use crate::objects::noise;
use crate::rig::{Rig, options};

fn key(name: &str) -> ObjectKey {
    name.parse().expect("a key")
}

/// A store behind a proxy, with little patience.
async fn behind(proxy: &HttpProxy, rig: &Rig) -> S3Store {
    let limits = S3Limits {
        attempt: Duration::from_millis(700),
        slowest_bytes_per_sec: 10 << 20,
        first_pause: Duration::from_millis(5),
        max_attempts: 4,
        ..S3Limits::default()
    };
    let options = S3Options { limits, ..options(&proxy.url()) };
    S3Store::open(&rig.url("f"), &options).await.expect("the proxy passes it on")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_passes_by_itself_is_waited_for() -> Outcome {
    let rig = Rig::new();
    let (bucket, proxy) = (&rig.bucket, rig.proxy().await);
    let store = behind(&proxy, &rig).await;
    let bytes = noise(300_000);

    for (name, fault) in [
        ("internal", Fault::Answer(500, "InternalError")),
        ("slow-down", Fault::Answer(503, "SlowDown")),
        ("silence", Fault::Silence),
        ("too-late", Fault::Late(Duration::from_secs(1))),
        ("lost", Fault::LoseReply),
        ("conflict", Fault::Answer(409, "ConditionalRequestConflict")),
    ] {
        let request = format!("PUT /{bucket}/f/{name}");
        proxy.plan(&request, 2, fault);
        store.put(&key(name), bytes.clone()).await?;
        assert_eq!(proxy.count(&request), 3, "{name}");
        assert_eq!(store.get(&key(name)).await?, bytes, "{name}");
    }

    for (name, fault) in [
        ("internal", Fault::Answer(500, "InternalError")),
        ("silence", Fault::Silence),
        ("lost", Fault::CutAfter(100_000)),
    ] {
        let request = format!("GET /{bucket}/f/{name}");
        let before = proxy.count(&request);
        proxy.plan(&request, 2, fault.clone());
        assert_eq!(store.get(&key(name)).await?, bytes, "{name}");
        proxy.plan(&request, 1, fault);
        assert_eq!(store.get_range(&key(name), 5..200_005).await?, bytes.slice(5..200_005), "{name}");
        assert_eq!(proxy.count(&request) - before, 5, "{name}");
    }

    let request = format!("GET /{bucket}/f/lost");
    let before = proxy.count(&request);
    proxy.plan(&request, 1, Fault::Late(Duration::from_millis(300)));
    assert_eq!(store.get(&key("lost")).await?, bytes, "slow, but in time");
    assert_eq!(proxy.count(&request) - before, 1);

    proxy.plan(&format!("GET /{bucket}"), 1, Fault::Answer(500, "InternalError"));
    assert_eq!(store.list("").await?.len(), 6);
    proxy.plan(&format!("POST /{bucket}"), 1, Fault::LoseReply);
    store.put(&key("gone/1"), Bytes::from("x")).await?;
    store.delete_prefix("gone").await?;
    assert_eq!(store.list("gone").await?, []);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_pass_is_an_error_that_tells_what_to_do() -> Outcome {
    let rig = Rig::new();
    let (bucket, proxy) = (&rig.bucket, rig.proxy().await);
    let store = behind(&proxy, &rig).await;
    let object = key("object");
    store.put(&object, Bytes::from("x")).await?;
    let request = format!("GET /{bucket}/f/object");

    for (fault, kind, attempts, said) in [
        (Fault::Answer(500, "InternalError"), StoreErrorKind::Transient, 4, "500 InternalError as planned"),
        (Fault::Answer(503, "SlowDown"), StoreErrorKind::Transient, 4, "SlowDown"),
        (Fault::Silence, StoreErrorKind::Transient, 4, "no answer within 0.7 s"),
        (Fault::CutAfter(0), StoreErrorKind::Transient, 4, "in the middle of the object"),
        (Fault::Answer(403, "AccessDenied"), StoreErrorKind::Denied, 1, "403 AccessDenied"),
        (Fault::Answer(404, "NoSuchBucket"), StoreErrorKind::NotFound, 1, "NoSuchBucket"),
        (Fault::Answer(400, "InvalidArgument"), StoreErrorKind::Invalid, 1, "InvalidArgument"),
    ] {
        let before = proxy.count(&request);
        proxy.plan(&request, attempts, fault);
        let error = store.get(&object).await.err().ok_or(said)?;
        assert_eq!(error.kind(), kind, "{said}");
        assert_eq!(error.is_permanent(), kind != StoreErrorKind::Transient);
        assert!(error.to_string().starts_with("cannot read 'object'"), "{error}");
        let source = std::error::Error::source(&error).ok_or("no source")?.to_string();
        assert!(source.contains(said), "{source}");
        assert_eq!(proxy.count(&request) - before, attempts, "{said}");
    }
    assert_eq!(store.get(&object).await?, "x");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_is_ours_exactly_if_we_wrote_it() -> Outcome {
    let rig = Rig::new();
    let (bucket, proxy) = (&rig.bucket, rig.proxy().await);
    let store = behind(&proxy, &rig).await;

    // The reply is lost; the second attempt is told that the object exists, and it is ours.
    proxy.plan(&format!("PUT /{bucket}/f/lost"), 1, Fault::LoseReply);
    assert_eq!(store.put_if_absent(&key("lost"), Bytes::from("1")).await?, PutOutcome::Created);
    assert_eq!(proxy.count(&format!("PUT /{bucket}/f/lost")), 2);

    // Another writer was first, even with the same bytes.
    assert_eq!(store.put_if_absent(&key("lost"), Bytes::from("1")).await?, PutOutcome::Exists);
    proxy.plan(&format!("PUT /{bucket}/f/lost"), 1, Fault::LoseReply);
    assert_eq!(store.put_if_absent(&key("lost"), Bytes::from("2")).await?, PutOutcome::Exists);
    assert_eq!(store.get(&key("lost")).await?, "1");

    proxy.plan(&format!("PUT /{bucket}/f/raced"), 2, Fault::Answer(409, "ConditionalRequestConflict"));
    assert_eq!(store.put_if_absent(&key("raced"), Bytes::from("1")).await?, PutOutcome::Created);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_upload_survives_lost_parts_and_a_lost_end() -> Outcome {
    let rig = Rig::new();
    let (bucket, proxy) = (&rig.bucket, rig.proxy().await);
    let limits = S3Limits { multipart_above_bytes: 1 << 20, part_bytes: 5 << 20, ..rig.options().limits };
    let options = S3Options { limits, ..options(&proxy.url()) };
    let store = S3Store::open(&rig.url("f"), &options).await?;
    let bytes = noise(12 << 20);

    proxy.plan(&format!("PUT /{bucket}/f/large"), 1, Fault::Answer(503, "SlowDown"));
    proxy.plan(&format!("PUT /{bucket}/f/large"), 1, Fault::LoseReply);
    proxy.plan(&format!("POST /{bucket}/f/large?uploadId"), 1, Fault::LoseReply);
    store.put(&key("large"), bytes.clone()).await?;
    assert_eq!(proxy.count(&format!("PUT /{bucket}/f/large")), 5, "three parts and two repeats");
    assert_eq!(store.get(&key("large")).await?, bytes);

    proxy.plan(&format!("PUT /{bucket}/f/refused"), 9, Fault::Answer(403, "AccessDenied"));
    let error = store.put(&key("refused"), bytes).await.err().ok_or("was not refused")?;
    assert_eq!(error.kind(), StoreErrorKind::Denied);
    let left = rig.client().list_multipart_uploads().bucket(bucket).send().await?;
    assert_eq!(left.uploads(), [], "an upload that failed stayed on the server");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_away_for_a_moment_is_waited_for() -> Outcome {
    let rig = Rig::on(SeaweedFs::exclusive().map_err(|e| format!("{e:#}"))?);
    let limits =
        S3Limits { max_pause: Duration::from_millis(200), max_attempts: 300, ..rig.options().limits };
    let store = S3Store::open(&rig.url("f"), &S3Options { limits, ..rig.options() }).await?;
    store.put(&key("before"), noise(1000)).await?;
    rig.server.kill().map_err(|e| format!("{e:#}"))?;
    let (starts, kept) = (async { spawn_blocking(move || rig.server.start()).await }, key("before"));
    let (started, read) = tokio::join!(starts, store.get(&kept));
    started?.map_err(|e| format!("{e:#}"))?;
    assert_eq!(read?, noise(1000));
    Ok(())
}
