//! Typed objects: values in and out of the store through the codec.

use bytes::Bytes;
use facereel_domain::layout::{ObjectKey, RunLayout};
use facereel_messages::Format;
use facereel_messages::objects::RunRequest;
use facereel_store::Store;

use crate::stage::StageError;

/// Reads the value at `key`.
pub async fn read<T: Format>(store: &dyn Store, key: &ObjectKey) -> Result<T, StageError> {
    let bytes = store.get(key).await?;
    facereel_messages::decode(&bytes)
        .map_err(|source| StageError::permanent(format!("{key} is not readable"), source))
}

/// Reads what the run at `layout` was asked for. Another version of the program may not work on it, since its results
/// may differ: the job comes again, and may meet a worker of the right version.
pub async fn request(store: &dyn Store, layout: &RunLayout) -> Result<RunRequest, StageError> {
    let request: RunRequest = read(store, &layout.request()).await?;
    let here = env!("CARGO_PKG_VERSION");
    if request.program_version != here {
        let asked = request.program_version;
        let advice =
            "workers of both versions are at work, or the run is older than they are: submit it again";
        return Err(StageError::transient(
            format!("the run was asked for by version {asked}, this worker is {here}"),
            advice,
        ));
    }
    Ok(request)
}

/// Writes `value` at `key`.
pub async fn write<T: Format>(store: &dyn Store, key: &ObjectKey, value: &T) -> Result<(), StageError> {
    store.put(key, Bytes::from(facereel_messages::encode(value)?)).await?;
    Ok(())
}

/// Whether there is an object at `key`.
pub async fn exists(store: &dyn Store, key: &ObjectKey) -> Result<bool, StageError> {
    Ok(store.head(key).await?.is_some())
}

/// How many objects lie under `prefix`: how a worker finds out whether all parts are there.
pub async fn count(store: &dyn Store, prefix: &str) -> Result<usize, StageError> {
    Ok(store.list(prefix).await?.len())
}

#[cfg(test)]
mod tests {
    use facereel_domain::digest::Sha256Digest;
    use facereel_domain::ids::RunRef;
    use facereel_domain::settings::PipelineSettings;
    use facereel_domain::source::SourceIdentity;
    use facereel_messages::objects::Source;
    use facereel_store::MemoryStore;

    use super::*;
    use crate::stage::Disposition;

    #[tokio::test]
    async fn a_run_of_another_version_waits_for_a_worker_of_that_version() {
        let run = RunRef { ep_id: "EP-1".parse().unwrap(), run_id: "0123456789abcdef".parse().unwrap() };
        let (layout, store) = (RunLayout::new(&run), MemoryStore::default());
        let identity =
            SourceIdentity { size_bytes: 3, sampled_sha256: Sha256Digest::of(b"mp4"), whole_sha256: None };
        let mut asked = RunRequest {
            run,
            source: Source { url: "file:///v.mp4".to_owned(), identity, etag: None },
            pipeline: PipelineSettings::default(),
            models: Vec::new(),
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        write(&store, &layout.request(), &asked).await.unwrap();
        assert_eq!(request(&store, &layout).await.unwrap(), asked);

        asked.program_version = "99.0.0".to_owned();
        write(&store, &layout.request(), &asked).await.unwrap();
        let refused = request(&store, &layout).await.unwrap_err();
        assert_eq!(refused.disposition, Disposition::Transient);
        assert!(refused.chain().contains("version 99.0.0"), "{}", refused.chain());
    }
}
