//! Opening the store that a setting names.

use std::sync::Arc;

use anyhow::Result;
use facereel_domain::settings::StoreSettings;
use facereel_store::{Store, StoreError, StoreErrorKind};

/// There is no such store: what was asked for is wrong, not the storage.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct NoSuchStore(StoreError);

/// Opens the store that `url` names. Nothing is written yet; a server is asked for its bucket.
pub(crate) async fn open(url: &str) -> Result<Arc<dyn Store>> {
    open_settings(&StoreSettings { url: url.to_owned(), ..StoreSettings::default() }).await
}

/// Opens the store of the settings, as [`open`] does.
pub(crate) async fn open_settings(settings: &StoreSettings) -> Result<Arc<dyn Store>> {
    facereel_store::open_settings(settings).await.map_err(|error| match error.kind() {
        StoreErrorKind::Invalid => NoSuchStore(error).into(),
        _ => error.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[tokio::test]
    async fn a_scheme_without_a_store_is_a_wrong_setting() {
        let error = open("gs://bucket/faces").await.err().unwrap();
        assert!(error.to_string().contains("there is no store with scheme 'gs'; supported"), "{error:#}");
        assert_eq!(Exit::of(&error), Exit::Usage);
    }
}
