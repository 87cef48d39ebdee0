//! TLS: the system's certificate authorities and, where given, one of the merchant's own.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::{Error, ErrorKind, Result};

/// The TLS settings: ring for cryptography, the platform's verifier, plus the certificates in `ca_pem`.
pub fn config(ca_pem: Option<&[u8]>) -> Result<rustls::ClientConfig> {
    let failed = |e: String| Error::new(ErrorKind::Failed, format!("TLS could not be set up: {e}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let extra = ca_pem.map(certificates).transpose()?.unwrap_or_default();
    let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(extra, provider.clone())
        .map_err(|e| failed(e.to_string()))?;
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| failed(e.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    Ok(config)
}

/// The certificates in a PEM file; at least one.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let unreadable = || Error::new(ErrorKind::Usage, "the file holds no certificate in PEM form (BEGIN CERTIFICATE)");
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| unreadable())?;
    if found.is_empty() { Err(unreadable()) } else { Ok(found) }
}
