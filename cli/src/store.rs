//! Opening the store that a setting names.

use std::sync::Arc;

use facereel_store::{Store, StoreError};

/// There is no such store: what was asked for is wrong, not the storage.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct NoSuchStore(#[from] StoreError);

/// Opens the store that `url` names. Nothing is written yet.
pub(crate) async fn open(url: &str) -> Result<Arc<dyn Store>, NoSuchStore> {
    Ok(facereel_store::open(url).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[tokio::test]
    async fn a_scheme_without_a_store_is_a_wrong_setting() {
        let error = anyhow::Error::from(open("s3://bucket/faces").await.err().unwrap());
        assert!(error.to_string().contains("there is no store with scheme 's3'; supported"), "{error:#}");
        assert_eq!(Exit::of(&error), Exit::Usage);
    }
}
