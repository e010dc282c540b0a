//! Objects of all sizes and numbers on the real server.

use std::time::Duration;

use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use bytes::Bytes;
use facereel_domain::layout::ObjectKey;
use facereel_domain::settings::StoreSettings;
use facereel_store::conformance::Outcome;
use facereel_store::s3::{AccessKey, S3Limits, S3Options};
use facereel_store::{
    ConditionalWrites, OldVersions, S3Store, Store, StoreErrorKind, open, open_with, probe,
};
use facereel_test_servers::HttpFault;

use crate::rig::Rig;

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
    let rig = Rig::new();
    a_large_object_goes_and_comes_whole(&rig).await?;
    abandoned_uploads_are_swept_and_living_ones_are_not(&rig).await?;
    fifteen_hundred_objects_are_listed_and_deleted(&rig).await?;
    neighbours_in_the_bucket_are_not_touched(&rig).await
}

async fn a_large_object_goes_and_comes_whole(rig: &Rig) -> Outcome {
    let store = rig.store("large").await;
    let bytes = noise(40 << 20);
    store.put(&key("pack"), bytes.clone()).await?;
    assert_eq!(store.get(&key("pack")).await?, bytes);
    let across_parts = (8 << 20) - 10..(8 << 20) + 10;
    let expected = bytes.slice(across_parts.clone());
    let range = across_parts.start as u64..across_parts.end as u64;
    assert_eq!(store.get_range(&key("pack"), range).await?, expected);
    let head = rig.client().head_object().bucket(&rig.bucket).key("large/pack").send().await?;
    let digest = head.metadata().and_then(|m| m.get("facereel-sha256")).ok_or("no digest")?;
    assert_eq!(*digest, facereel_domain::digest::Sha256Digest::of(&bytes).to_string());
    assert_eq!(store.sweep().await?, 0, "an upload stayed");
    Ok(())
}

async fn abandoned_uploads_are_swept_and_living_ones_are_not(rig: &Rig) -> Outcome {
    let client = rig.client();
    for name in ["swept/a", "swept/b/c", "elsewhere/d"] {
        client.create_multipart_upload().bucket(&rig.bucket).key(name).send().await?;
    }
    assert_eq!(rig.store("swept").await.sweep().await?, 0, "they may still be under way");
    let limits = S3Limits { abandoned_after: Duration::ZERO, ..S3Limits::default() };
    let options = S3Options { limits, ..rig.options() };
    let impatient = S3Store::open(&rig.url("swept"), &options).await?;
    assert_eq!(impatient.sweep().await?, 2);
    assert_eq!(impatient.sweep().await?, 0);
    let left = client.list_multipart_uploads().bucket(&rig.bucket).send().await?;
    assert_eq!(left.uploads().len(), 1, "another's upload was aborted");
    Ok(())
}

async fn fifteen_hundred_objects_are_listed_and_deleted(rig: &Rig) -> Outcome {
    let store = rig.store("many").await;
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

async fn neighbours_in_the_bucket_are_not_touched(rig: &Rig) -> Outcome {
    let (store, neighbour) = (rig.store("a").await, rig.store("ab").await);
    neighbour.put(&key("x"), Bytes::from("theirs")).await?;
    assert_eq!(store.list("").await?, []);
    store.put(&key("x"), Bytes::from("ours")).await?;
    store.delete(&key("x")).await?;
    assert_eq!(neighbour.get(&key("x")).await?, "theirs");
    let by_hand = noise(10);
    rig.client().put_object().bucket(&rig.bucket).key("a/by hand").body(by_hand.into()).send().await?;
    assert_eq!(store.list("").await?, [], "no key can name it");
    Ok(())
}

#[tokio::test]
async fn a_store_that_cannot_be_opened_says_why() -> Outcome {
    let rig = Rig::new();
    let refused = async |url: &str, options: &S3Options| {
        let error = open_with(url, options).await.err().expect("opened all the same");
        let text = format!("{error}: {}", std::error::Error::source(&error).expect("a source"));
        assert!(!text.contains("hidden") && !text.contains("guessed"), "{text}");
        (error.kind(), text)
    };
    for (id, secret) in [("test", "guessed"), ("stranger", "guessed")] {
        let credentials = Some(AccessKey { id: id.to_owned(), secret: secret.to_owned() });
        let (kind, text) = refused(&rig.url("x"), &S3Options { credentials, ..rig.options() }).await;
        assert_eq!(kind, StoreErrorKind::Denied, "{text}");
        assert!(text.contains("check the credentials") && text.contains("403"), "{text}");
    }

    let (kind, text) = refused("s3://no-such-bucket/x", &rig.options()).await;
    assert_eq!(kind, StoreErrorKind::NotFound, "{text}");
    assert!(text.contains("s3://no-such-bucket/x") && text.contains("there is no such bucket"), "{text}");

    // A port that was free a moment ago.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let limits = S3Limits { max_attempts: 3, ..rig.options().limits };
    let endpoint = Some(format!("http://{nobody}"));
    let (kind, text) = refused(&rig.url("x"), &S3Options { limits, endpoint, ..rig.options() }).await;
    assert_eq!(kind, StoreErrorKind::Transient, "{text}");
    assert!(text.to_lowercase().contains("connection refused"), "{text}");
    let bad = open(&rig.url("x?secret=guessed")).await.err().ok_or("accepted")?;
    assert_eq!(bad.kind(), StoreErrorKind::Invalid);
    Ok(())
}

#[tokio::test]
async fn a_probe_finds_a_good_bucket_good_and_leaves_nothing() -> Outcome {
    let rig = Rig::new();
    let settings = StoreSettings {
        url: rig.url("season1"),
        endpoint: rig.server.endpoint(),
        ..StoreSettings::default()
    };
    let credentials = rig.options().credentials;
    let options = S3Options { credentials, ..S3Options::from_settings(&settings)? };
    let store = open_with(&settings.url, &options).await?;
    let found = probe(store.as_ref()).await?;
    assert_eq!(found.conditional_writes, ConditionalWrites::Honoured);
    assert!(found.round_trip > Duration::ZERO);
    assert_eq!(store.list("").await?, []);
    Ok(())
}

#[tokio::test]
async fn a_probe_finds_servers_that_ignore_or_refuse_conditional_writes() -> Outcome {
    let rig = Rig::new();
    let proxy = rig.proxy().await;
    let store = S3Store::open(&rig.url(""), &crate::rig::options(&proxy.url())).await?;
    // The first of two such writes goes through, the other is answered as by a server that knows no conditions.
    for (answer, expected) in [
        (HttpFault::Answer(200, ""), ConditionalWrites::Ignored),
        (
            HttpFault::Answer(501, "NotImplemented"),
            ConditionalWrites::Refused("the server answered 501 NotImplemented as planned".to_owned()),
        ),
    ] {
        proxy.plan_after(&format!("PUT /{}/doctor", rig.bucket), (2, 1), answer);
        assert_eq!(probe(&store).await?.conditional_writes, expected);
        assert_eq!(store.list("").await?, []);
    }
    Ok(())
}

#[tokio::test]
async fn a_bucket_that_keeps_what_is_deleted_says_so() -> Outcome {
    let rig = Rig::new();
    let proxy = rig.proxy().await;
    let store = S3Store::open(&rig.url(""), &crate::rig::options(&proxy.url())).await?;
    assert_eq!(store.old_versions().await?, OldVersions::Gone);
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    rig.client().put_bucket_versioning().bucket(&rig.bucket).versioning_configuration(enabled).send().await?;
    assert_eq!(store.old_versions().await?, OldVersions::Kept);
    for answer in [HttpFault::Answer(403, "AccessDenied"), HttpFault::Answer(501, "NotImplemented")] {
        proxy.plan(&format!("GET /{}/?versioning", rig.bucket), 1, answer);
        assert_eq!(store.old_versions().await?, OldVersions::Unknown);
    }
    Ok(())
}
