//! HTTP and TLS below the SDK: rustls with ring, and whose certificates are trusted.

use std::path::Path;
use std::time::Duration;

use aws_sdk_s3::config::SharedHttpClient;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::options::S3Options;
use crate::error::StoreError;

/// How long an unused connection is kept; below the minute after which load balancers drop theirs.
const IDLE: Duration = Duration::from_secs(45);

/// A client that trusts whom the options name.
pub(super) async fn http_client(options: &S3Options) -> Result<SharedHttpClient, StoreError> {
    let trusted = match (&options.ca_file, &options.endpoint) {
        (Some(file), _) => TrustStore::empty().with_pem_certificate(authorities(file).await?),
        // Without TLS nobody is trusted, and a machine without certificates will do.
        (None, Some(endpoint)) if endpoint.starts_with("http://") => TrustStore::empty(),
        (None, _) => TrustStore::default(),
    };
    let context = TlsContext::builder().with_trust_store(trusted).build();
    let context = context.map_err(|e| bad("TLS can't be set up").with_source(e))?;
    Ok(Builder::new()
        .pool_idle_timeout(IDLE)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build_https())
}

/// The content of a PEM file, looked through here: the client takes it as it is, and panics over a bad one.
async fn authorities(file: &Path) -> Result<Vec<u8>, StoreError> {
    let unreadable = |reason: &str| bad(&format!("store.ca_file {} {reason}", file.display()));
    let pem = tokio::fs::read(file).await.map_err(|e| unreadable("can't be read").with_source(e))?;
    let mut trusted = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|e| unreadable("is no PEM file").with_source(e))?;
        trusted.add(certificate).map_err(|e| unreadable("holds a bad certificate").with_source(e))?;
    }
    if trusted.is_empty() { Err(unreadable("holds no certificate")) } else { Ok(pem) }
}

fn bad(reason: &str) -> StoreError {
    StoreError::invalid_url(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_bad_file_of_authorities_is_an_error_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (content, reason) in [
            (None, "can't be read"),
            (Some("no certificate at all"), "holds no certificate"),
            (Some(damaged), "holds a bad certificate"),
        ] {
            if let Some(content) = content {
                std::fs::write(&file, content).unwrap();
            }
            let options = S3Options { ca_file: Some(file.clone()), ..S3Options::default() };
            let error = http_client(&options).await.err().unwrap().to_string();
            assert!(error.contains("ca.pem") && error.contains(reason), "{error}");
        }
    }
}
