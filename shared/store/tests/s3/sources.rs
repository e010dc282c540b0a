//! Reading an object in pieces like a file.

use std::io::{Read as _, Seek as _, SeekFrom};

use bytes::Bytes;
use facereel_store::conformance::Outcome;
use facereel_store::{ObjectSource, Store as _, StoreErrorKind};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use crate::objects::noise;
use crate::proxy::{Fault, Proxy};
use crate::weed::{BUCKET, Weed, options};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn objects_are_read_like_files() -> Outcome {
    let weed = Weed::start().await;
    let proxy = Proxy::start(weed.port()).await;
    let bytes = noise(30 << 20);
    let name = "videos/My Film (1999).mp4";
    weed.client().put_object().bucket(BUCKET).key(name).body(bytes.clone().into()).send().await?;
    let source = ObjectSource::open(&format!("s3://{BUCKET}/{name}"), &options(proxy.port)).await?;
    assert_eq!(source.size(), bytes.len() as u64);
    assert_eq!(source.url(), format!("s3://{BUCKET}/{name}"));

    proxy.plan("GET", 1, Fault::CutAfter(1000));
    proxy.plan("GET", 1, Fault::Answer(500, "InternalError"));
    whole(&source, bytes.clone()).await?;
    assert!(proxy.count("GET") < 25, "pieces do not grow: {}", proxy.count("GET"));

    let before = proxy.count("GET");
    as_a_demuxer_does(&source, bytes.clone()).await?;
    assert!(proxy.count("GET") - before < 25, "jumps read too much: {}", proxy.count("GET") - before);

    a_replaced_object_is_refused(&weed, &source, name).await
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

async fn a_replaced_object_is_refused(weed: &Weed, source: &ObjectSource, name: &str) -> Outcome {
    let replaced = noise(30 << 20).slice(1..);
    weed.client().put_object().bucket(BUCKET).key(name).body(replaced.into()).send().await?;
    let mut reader = source.reader(&Handle::current());
    let error =
        spawn_blocking(move || reader.read(&mut [0; 10])).await?.err().ok_or("read another object")?;
    let inner = error.get_ref().ok_or("no cause")?;
    assert!(inner.to_string().contains("cannot read 'videos/My Film (1999).mp4'"), "{inner}");
    let cause = inner.source().ok_or("no source")?.to_string();
    assert_eq!(cause, "the object was replaced while it was being read");

    weed.client().delete_object().bucket(BUCKET).key(name).send().await?;
    let url = format!("s3://{BUCKET}/{name}");
    let gone = ObjectSource::open(&url, &options(weed.port())).await.err().ok_or("opened what is gone")?;
    assert_eq!(gone.kind(), StoreErrorKind::NotFound);
    let none = ObjectSource::open(&format!("s3://{BUCKET}"), &options(weed.port())).await;
    assert_eq!(none.err().ok_or("opened a bucket")?.kind(), StoreErrorKind::Invalid);

    let store = weed.store("own").await;
    store.put(&"part".parse()?, Bytes::from("own")).await?;
    whole(&store.source(&"part".parse()?).await?, Bytes::from("own")).await
}
