//! An authority for one run of tests, and a certificate of this machine that it signed.

use std::fs;
use std::path::Path;

use anyhow::Result;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// The authority's certificate, in a server's folder.
pub(crate) const AUTHORITY: &str = "ca.pem";
/// The server's certificate.
pub(crate) const CERTIFICATE: &str = "server.pem";
/// The server's key.
pub(crate) const KEY: &str = "server-key.pem";

/// Writes all three into `folder`; the key of the authority is not kept.
pub(crate) fn issue(folder: &Path) -> Result<()> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    fs::write(folder.join(AUTHORITY), authority.self_signed(&authority_key)?.pem())?;

    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate()?;
    let server = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()])?;
    fs::write(folder.join(CERTIFICATE), server.signed_by(&key, &issuer)?.pem())?;
    fs::write(folder.join(KEY), key.serialize_pem())?;
    Ok(())
}
