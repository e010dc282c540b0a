//! Objects of all sizes and numbers on the real server.

use std::time::Duration;

use bytes::Bytes;
use facereel_domain::layout::ObjectKey;
use facereel_store::conformance::Outcome;
use facereel_store::s3::{AccessKey, S3Limits, S3Options};
use facereel_store::{S3Store, Store, StoreErrorKind, open, open_with};

use crate::weed::{BUCKET, Weed, options};

fn key(name: &str) -> ObjectKey {
    name.parse().expect("a key")
}

/// Bytes that repeat in no useful way.
pub(crate) fn noise(len: usize) -> Bytes {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let words = std::iter::from_fn(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        Some(state.to_le_bytes())
    });
    words.flatten().take(len).collect::<Vec<_>>().into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_objects_and_many_objects_are_read_as_written() -> Outcome {
    let weed = Weed::start().await;
    a_large_object_goes_and_comes_whole(&weed).await?;
    abandoned_uploads_are_swept_and_living_ones_are_not(&weed).await?;
    fifteen_hundred_objects_are_listed_and_deleted(&weed).await?;
    neighbours_in_the_bucket_are_not_touched(&weed).await
}

async fn a_large_object_goes_and_comes_whole(weed: &Weed) -> Outcome {
    let store = weed.store("large").await;
    let bytes = noise(40 << 20);
    store.put(&key("pack"), bytes.clone()).await?;
    assert_eq!(store.get(&key("pack")).await?, bytes);
    let across_parts = (8 << 20) - 10..(8 << 20) + 10;
    let expected = bytes.slice(across_parts.clone());
    let range = across_parts.start as u64..across_parts.end as u64;
    assert_eq!(store.get_range(&key("pack"), range).await?, expected);
    let head = weed.client().head_object().bucket(BUCKET).key("large/pack").send().await?;
    let digest = head.metadata().and_then(|m| m.get("facereel-sha256")).ok_or("no digest")?;
    assert_eq!(*digest, facereel_domain::digest::Sha256Digest::of(&bytes).to_string());
    assert_eq!(store.sweep().await?, 0, "an upload stayed");
    Ok(())
}

async fn abandoned_uploads_are_swept_and_living_ones_are_not(weed: &Weed) -> Outcome {
    let client = weed.client();
    for name in ["swept/a", "swept/b/c", "elsewhere/d"] {
        client.create_multipart_upload().bucket(BUCKET).key(name).send().await?;
    }
    assert_eq!(weed.store("swept").await.sweep().await?, 0, "they may still be under way");
    let limits = S3Limits { abandoned_after: Duration::ZERO, ..S3Limits::default() };
    let options = S3Options { limits, ..options(weed.port()) };
    let impatient = S3Store::open(&format!("s3://{BUCKET}/swept"), &options).await?;
    assert_eq!(impatient.sweep().await?, 2);
    assert_eq!(impatient.sweep().await?, 0);
    let left = client.list_multipart_uploads().bucket(BUCKET).send().await?;
    assert_eq!(left.uploads().len(), 1, "another's upload was aborted");
    Ok(())
}

async fn fifteen_hundred_objects_are_listed_and_deleted(weed: &Weed) -> Outcome {
    let store = weed.store("many").await;
    let objects = (0..1_500).map(|i| (key(&format!("crops/{i:05}.jpg")), Bytes::from(vec![7; i % 90])));
    store.put_all(objects.collect()).await?;
    let listed = store.list("crops").await?;
    assert_eq!(listed.len(), 1_500);
    assert!(listed.iter().zip(0..).all(|(meta, i)| meta.key == key(&format!("crops/{i:05}.jpg"))));
    assert_eq!(listed.iter().map(|meta| meta.size).sum::<u64>(), (0..1_500).map(|i| i % 90).sum());
    store.delete_prefix("crops").await?;
    assert_eq!(store.list("").await?, []);
    Ok(())
}

async fn neighbours_in_the_bucket_are_not_touched(weed: &Weed) -> Outcome {
    let (store, neighbour) = (weed.store("a").await, weed.store("ab").await);
    neighbour.put(&key("x"), Bytes::from("theirs")).await?;
    assert_eq!(store.list("").await?, []);
    store.put(&key("x"), Bytes::from("ours")).await?;
    store.delete(&key("x")).await?;
    assert_eq!(neighbour.get(&key("x")).await?, "theirs");
    let by_hand = noise(10);
    weed.client().put_object().bucket(BUCKET).key("a/by hand").body(by_hand.into()).send().await?;
    assert_eq!(store.list("").await?, [], "no key can name it");
    Ok(())
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_says_why() -> Outcome {
    let weed = Weed::start().await;
    let port = weed.port();
    let refused = async |url: &str, options: &S3Options| {
        let error = open_with(url, options).await.err().expect("opened all the same");
        let text = format!("{error}: {}", std::error::Error::source(&error).expect("a source"));
        assert!(!text.contains("hidden") && !text.contains("guessed"), "{text}");
        (error.kind(), text)
    };
    let url = format!("s3://{BUCKET}/x");

    for (id, secret) in [("test", "guessed"), ("stranger", "guessed")] {
        let credentials = Some(AccessKey { id: id.to_owned(), secret: secret.to_owned() });
        let (kind, text) = refused(&url, &S3Options { credentials, ..options(port) }).await;
        assert_eq!(kind, StoreErrorKind::Denied, "{text}");
        assert!(text.contains("check the credentials") && text.contains("403"), "{text}");
    }

    let (kind, text) = refused("s3://no-such-bucket/x", &options(port)).await;
    assert_eq!(kind, StoreErrorKind::NotFound, "{text}");
    assert!(text.contains("s3://no-such-bucket/x") && text.contains("there is no such bucket"), "{text}");

    drop(weed);
    let limits = S3Limits { max_attempts: 3, ..options(port).limits };
    let (kind, text) = refused(&url, &S3Options { limits, ..options(port) }).await;
    assert_eq!(kind, StoreErrorKind::Transient, "{text}");
    assert!(text.to_lowercase().contains("connection refused"), "{text}");
    let bad = open(&format!("s3://{BUCKET}?secret=guessed")).await.err().ok_or("accepted")?;
    assert_eq!(bad.kind(), StoreErrorKind::Invalid);
    Ok(())
}
