//! Typed objects: values in and out of the store through the codec.

use bytes::Bytes;
use facereel_domain::layout::ObjectKey;
use facereel_messages::Format;
use facereel_store::Store;

use crate::stage::StageError;

/// Reads the value at `key`.
pub async fn read<T: Format>(store: &dyn Store, key: &ObjectKey) -> Result<T, StageError> {
    let bytes = store.get(key).await?;
    facereel_messages::decode(&bytes)
        .map_err(|source| StageError::permanent(format!("{key} is not readable"), source))
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
