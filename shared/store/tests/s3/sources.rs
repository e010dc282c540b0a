//! Objects of others: found, listed, and read in pieces like a file.

use std::io::{Read as _, Seek as _, SeekFrom};

use bytes::Bytes;
use facereel_store::StoreErrorKind;
use facereel_store::conformance::Outcome;
use facereel_store::s3::{ObjectSource, S3Sources};
use facereel_test_servers::HttpFault as Fault;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::objects::noise;
use crate::rig::{Rig, options};

const NAME: &str = "videos/My Film? (1999).mp4";

async fn put(rig: &Rig, name: &str, bytes: Bytes) -> Outcome {
    rig.client().put_object().bucket(&rig.bucket).key(name).body(bytes.into()).send().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_are_read_like_files() -> Outcome {
    let rig = Rig::new();
    let proxy = rig.proxy().await;
    let bytes = noise(30 << 20);
    put(&rig, NAME, bytes.clone()).await?;
    let source = S3Sources::connect(&options(&proxy.url())).await?.find(&rig.url(NAME)).await?;
    assert_eq!(source.size(), bytes.len() as u64);
    assert_eq!(source.url(), rig.url(NAME));
    assert_eq!(source.read(5..20).await?, bytes.slice(5..20));

    proxy.plan("GET", 1, Fault::CutAfter(1000));
    proxy.plan("GET", 1, Fault::Answer(500, "InternalError"));
    let before = proxy.count("GET");
    whole(&source, bytes.clone()).await?;
    assert!(proxy.count("GET") - before <= 12, "pieces do not grow: {}", proxy.count("GET") - before);

    let before = proxy.count("GET");
    as_a_demuxer_does(&source, bytes.clone()).await?;
    assert!(proxy.count("GET") - before < 15, "jumps read too much: {}", proxy.count("GET") - before);

    let (before, sent) = (proxy.count("GET"), proxy.body_bytes("GET"));
    passing_over_sound(&source, bytes).await?;
    assert!(proxy.count("GET") - before <= 9, "skipping starts over: {}", proxy.count("GET") - before);
    // 16 MiB are passed over; the last piece and the one on its way reach up to 6 MiB beyond.
    assert!(proxy.body_bytes("GET") - sent < 23 << 20, "bytes are fetched twice");
    Ok(())
}

async fn whole(source: &ObjectSource, bytes: Bytes) -> Outcome {
    let mut reader = source.reader(&Handle::current());
    spawn_blocking(move || {
        let mut read = Vec::new();
        reader.read_to_end(&mut read)?;
        assert!(read == bytes, "other bytes");
        Ok(())
    })
    .await?
}

/// Header, index at the end, back, then some jumps with short reads.
async fn as_a_demuxer_does(source: &ObjectSource, bytes: Bytes) -> Outcome {
    let mut reader = source.reader(&Handle::current());
    spawn_blocking(move || {
        let len = bytes.len() as u64;
        for (at, count) in [(0, 1000), (len - 70_000, 70_000), (1000, 32_768), (9 << 20, 900_000), (5, 10)] {
            assert_eq!(reader.seek(SeekFrom::Start(at))?, at);
            let mut read = vec![0; count];
            reader.read_exact(&mut read)?;
            assert!(read == bytes[at as usize..][..count], "other bytes at {at}");
        }
        assert_eq!(reader.seek(SeekFrom::End(-3))?, len - 3);
        let mut rest = Vec::new();
        assert_eq!(reader.read_to_end(&mut rest)?, 3);
        assert_eq!(reader.seek(SeekFrom::Current(10))?, len + 10);
        assert_eq!(reader.read(&mut [0; 8])?, 0);
        assert!(reader.seek(SeekFrom::Current(-(len as i64) - 11)).is_err());
        Ok(())
    })
    .await?
}

/// A second of pictures, a second of sound that nobody wants, and so on: 16 MiB.
async fn passing_over_sound(source: &ObjectSource, bytes: Bytes) -> Outcome {
    let mut reader = source.reader(&Handle::current());
    spawn_blocking(move || {
        let (pictures, sound) = (400_000, 100_000);
        for second in 0..(16 << 20) / (pictures + sound) {
            let at = second * (pictures + sound);
            let mut read = vec![0; pictures];
            reader.read_exact(&mut read)?;
            assert!(read == bytes[at..][..pictures], "other bytes at {at}");
            reader.seek(SeekFrom::Current(sound as i64))?;
        }
        Ok(())
    })
    .await?
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pinned_object_is_read_or_refused_but_never_mixed_with_another() -> Outcome {
    let rig = Rig::new();
    let sources = rig.sources().await;
    put(&rig, NAME, noise(1 << 20)).await?;
    let found = sources.find(&rig.url(NAME)).await?;
    let pinned = sources.pinned(&rig.url(NAME), found.version().clone())?;
    whole(&pinned, noise(1 << 20)).await?;

    let mut begun = pinned.reader(&Handle::current());
    let mut begun = spawn_blocking(move || begun.read(&mut [0; 10]).map(|_| begun)).await??;
    put(&rig, NAME, noise((1 << 20) + 1).slice(1..)).await?;
    let error = spawn_blocking(move || begun.read_to_end(&mut Vec::new())).await?;
    let error = error.err().ok_or("read on in another object")?;
    assert_eq!(error.kind(), std::io::ErrorKind::StaleNetworkFileHandle);
    let inner = error.get_ref().ok_or("no cause")?;
    assert!(inner.to_string().contains(NAME) && inner.to_string().contains("it was replaced"), "{inner}");
    assert_eq!(inner.source().ok_or("no source")?.to_string(), "its ETag is another one than at first");
    assert_eq!(pinned.read(0..10).await.err().ok_or("read another")?.kind(), StoreErrorKind::Replaced);
    assert_ne!(sources.find(&rig.url(NAME)).await?.version(), pinned.version());

    rig.client().delete_object().bucket(&rig.bucket).key(NAME).send().await?;
    assert_eq!(pinned.read(0..10).await.err().ok_or("read what is gone")?.kind(), StoreErrorKind::NotFound);
    let gone = sources.find(&rig.url(NAME)).await.err().ok_or("opened what is gone")?;
    assert_eq!(gone.kind(), StoreErrorKind::NotFound);
    let none = sources.find(&rig.url("")).await;
    assert_eq!(none.err().ok_or("opened a bucket")?.kind(), StoreErrorKind::Invalid);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_of_any_name_are_listed_below_whole_parts_of_a_path() -> Outcome {
    let rig = Rig::new();
    let sources = rig.sources().await;
    for name in ["s1/b c.mp4", "s1/a.mkv", "s1/deep/d.mp4", "s10/e.mp4", "f.mp4"] {
        put(&rig, name, Bytes::from_static(b"video")).await?;
    }
    let listed = async |prefix: &str| {
        let found = sources.list(&rig.url(prefix)).await?;
        let names = found.into_iter().map(|object| (object.url.replace(&rig.url(""), ""), object.size));
        Ok::<Vec<_>, facereel_store::StoreError>(names.collect())
    };
    let expected = ["s1/a.mkv", "s1/b c.mp4", "s1/deep/d.mp4"].map(|name| (name.to_owned(), 5));
    assert_eq!(listed("s1").await?, expected);
    assert_eq!(listed("s1/").await?, expected);
    assert_eq!(listed("").await?.len(), 5);
    assert_eq!(listed("nothing").await?, []);
    Ok(())
}
