//! TLS, and whose certificates are trusted.

use std::error::Error as _;
use std::path::PathBuf;

use bytes::Bytes;
use facereel_domain::settings::StoreSettings;
use facereel_store::conformance::Outcome;
use facereel_store::{S3Options, S3Store, Store as _, StoreErrorKind};

use crate::rig::Rig;

fn options(rig: &Rig, ca_file: Option<PathBuf>) -> Result<S3Options, facereel_store::StoreError> {
    let settings = StoreSettings {
        endpoint: rig.server.tls_endpoint(),
        ca_file: ca_file.map(|file| file.display().to_string()).unwrap_or_default(),
        patience_sec: 0.2,
        ..StoreSettings::default()
    };
    Ok(S3Options { credentials: rig.options().credentials, ..S3Options::from_settings(&settings)? })
}

#[tokio::test]
async fn a_server_is_trusted_if_an_authority_of_ours_vouches_for_it() -> Outcome {
    let rig = Rig::new();
    let store = S3Store::open(&rig.url("tls"), &options(&rig, Some(rig.server.authority()))?).await?;
    store.put(&"part".parse()?, Bytes::from("over TLS")).await?;
    assert_eq!(rig.store("tls").await.get(&"part".parse()?).await?, "over TLS");
    Ok(())
}

#[tokio::test]
async fn a_server_that_nobody_vouches_for_is_refused_with_the_reason() -> Outcome {
    let rig = Rig::new();
    let error = S3Store::open(&rig.url("tls"), &options(&rig, None)?).await.err().ok_or("trusted")?;
    assert_eq!(error.kind(), StoreErrorKind::Transient);
    let reason = error.source().ok_or("no reason")?.to_string();
    assert!(reason.contains("certificate"), "{reason}");
    Ok(())
}
