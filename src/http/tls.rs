//! TLS: the system's certificate authorities and, where given, one of the merchant's own.

use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, InvalidMessage, OtherError, SignatureScheme};
use rustls_platform_verifier::Verifier;

use crate::error::{Error, ErrorKind, Result};

/// The platform's verifier, made when the first certificate comes. It reads every authority that
/// the machine knows, which a store without TLS and a channel that is not reached do not need.
#[derive(Debug)]
struct Platform {
    provider: Arc<CryptoProvider>,
    verifier: OnceLock<Result<Verifier, rustls::Error>>,
}

impl Platform {
    fn verifier(&self) -> Result<&Verifier, rustls::Error> {
        let made = || Verifier::new(self.provider.clone()).map_err(|_| NoAuthorities.into());
        self.verifier.get_or_init(made).as_ref().map_err(Clone::clone)
    }
}

/// The machine has no certificate authorities that could be read.
#[derive(Debug)]
struct NoAuthorities;

impl std::fmt::Display for NoAuthorities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("this machine knows no certificate authorities")
    }
}

impl std::error::Error for NoAuthorities {}

impl From<NoAuthorities> for rustls::Error {
    fn from(error: NoAuthorities) -> Self {
        Self::Other(OtherError(Arc::new(error)))
    }
}

impl ServerCertVerifier for Platform {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.verifier()?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier()?.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.verifier()?.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// The TLS settings: ring for cryptography, the platform's verifier, plus the certificates in
/// `ca_pem`.
pub(crate) fn config(ca_pem: Option<&[u8]>) -> Result<rustls::ClientConfig> {
    let failed = |e: String| Error::new(ErrorKind::Failed, format!("TLS could not be set up: {e}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match ca_pem.map(certificates).transpose()? {
        None => Arc::new(Platform { provider: provider.clone(), verifier: OnceLock::new() }),
        Some(extra) => {
            let verifier = Verifier::new_with_extra_roots(extra, provider.clone());
            Arc::new(verifier.map_err(|e| failed(e.to_string()))?)
        }
    };
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| failed(e.to_string()))?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(config)
}

/// The certificates in a PEM file; at least one.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let unreadable = || Error::new(ErrorKind::Usage, "the file holds no certificate in PEM form (BEGIN CERTIFICATE)");
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(|_| unreadable())?;
    if found.is_empty() { Err(unreadable()) } else { Ok(found) }
}

/// What is wrong with the server's certificate, or with the address where no TLS is spoken there, and
/// what helps, where that is why the connection failed: not a matter of waiting.
pub(crate) fn untrusted(place: &str, error: &(dyn std::error::Error + 'static)) -> Option<Error> {
    let refused = |what: &str, hint: &str| {
        let text = format!("{place} does not prove that it is itself: {what}; nothing was sent");
        Error::new(ErrorKind::Failed, text).hint(hint)
    };
    let reason = match tls(error)? {
        rustls::Error::InvalidCertificate(reason) => reason,
        // The first bytes of what answers are none of TLS, as those of an answer in plain http.
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => return Some(not_encrypted(place)),
        rustls::Error::Other(OtherError(other)) if other.is::<NoAuthorities>() => {
            return Some(refused(
                &NoAuthorities.to_string(),
                "install them (the package ca-certificates), or give the server's with --ca-file",
            ));
        }
        _ => return None,
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

fn not_encrypted(place: &str) -> Error {
    let text = format!("{place} does not speak TLS there, as where a port serves plain http; nothing was sent");
    let plain = place.replacen("https://", "http://", 1);
    let is_near = url::Url::parse(&plain).is_ok_and(|url| super::client::is_loopback(&url));
    let insists = if is_near { "" } else { " with --allow-http, which sends keys and orders unencrypted" };
    Error::new(ErrorKind::Failed, text).hint(format!("give the port of its https, or {plain}{insists}"))
}

/// The cause in few words, without what a certificate holds.
fn plain(error: &CertificateError) -> String {
    format!("{error:?}").chars().take_while(|c| c.is_alphanumeric()).collect()
}

/// Whether a connection failed in the midst of TLS.
pub(crate) fn is_of_tls(error: &(dyn std::error::Error + 'static)) -> bool {
    tls(error).is_some()
}

fn tls<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e rustls::Error> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        // An I/O error shows the error that it wraps in the place of its cause.
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(found) = error.downcast_ref().or_else(|| inner?.downcast_ref()) {
            return Some(found);
        }
        cause = match inner {
            Some(inner) if error.source().is_none() => Some(inner as &(dyn std::error::Error + 'static)),
            _ => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x2_only_a_machine_without_authorities_is_said_to_have_none() {
        let told = |error: rustls::Error| untrusted("https://shop.example", &std::io::Error::other(error));
        let none = told(NoAuthorities.into()).unwrap();
        assert!(none.message().contains("knows no certificate authorities"), "{none}");
        let plain = told(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)).unwrap();
        assert!(plain.message().contains("https://shop.example does not speak TLS"), "{plain}");
        assert!(
            plain.hint_text().is_some_and(|hint| hint.contains("http://shop.example with --allow-http")),
            "{plain}"
        );
        assert!(told(rustls::Error::General("no random numbers".into())).is_none());
        assert!(told(rustls::Error::Other(OtherError(Arc::new(std::fmt::Error)))).is_none());
    }
}
