//! TLS: the system's certificate authorities and, where given, one of the merchant's own.

use std::sync::Arc;

use rustls::CertificateError;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::error::{Error, ErrorKind, Result};

/// The TLS settings: ring for cryptography, the platform's verifier, plus the certificates in
/// `ca_pem`.
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

/// What is wrong with the server's certificate and what helps, where that is why the connection
/// failed: not a matter of waiting.
pub fn untrusted(place: &str, error: &(dyn std::error::Error + 'static)) -> Option<Error> {
    let reason = reason(error)?;
    let refused = |what: &str, hint: &str| {
        let text = format!("{place} does not prove that it is itself: {what}; nothing was sent");
        Error::new(ErrorKind::Failed, text).hint(hint)
    };
    Some(match reason {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => refused(
            "its certificate has expired",
            "whoever runs the server must renew it; if it has been renewed, check this machine's clock (timedatectl)",
        ),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => refused(
            "its certificate is not valid yet",
            "check this machine's clock (timedatectl set-ntp true), else the server's certificate",
        ),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => refused(
            "its certificate is for another name",
            "check the address, also for www.; else whoever runs the server must get a certificate for this name",
        ),
        CertificateError::Revoked => {
            refused("its certificate has been revoked", "whoever runs the server must get a new one")
        }
        CertificateError::UnknownIssuer => refused(
            "its certificate is from an authority that this machine does not know, or from itself alone",
            "if that is the shop's own authority, give its certificate with --ca-file at connect (connect --reauth STORE)",
        ),
        other => refused(
            &format!("its certificate cannot be used ({})", plain(other)),
            "a certificate made by itself for itself needs --ca-file and the marks of a server's certificate",
        ),
    })
}

/// The cause in few words, without what a certificate holds.
fn plain(error: &CertificateError) -> String {
    format!("{error:?}").chars().take_while(|c| c.is_alphanumeric()).collect()
}

fn reason<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e CertificateError> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        // An I/O error shows the error that it wraps in the place of its cause.
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        let tls = error.downcast_ref().or_else(|| inner?.downcast_ref::<rustls::Error>());
        if let Some(rustls::Error::InvalidCertificate(reason)) = tls {
            return Some(reason);
        }
        cause = match inner {
            Some(inner) if error.source().is_none() => Some(inner as &(dyn std::error::Error + 'static)),
            _ => error.source(),
        };
    }
    None
}
