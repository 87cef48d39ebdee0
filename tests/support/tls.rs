//! A simulated WooCommerce shop that is served over TLS.
#![allow(dead_code, reason = "each test program uses a part of this")]

use std::sync::Arc;

use ordersync::sim::ServerOptions;
use ordersync::sim::woocommerce::Options;

use super::woo::Served;

/// A shop behind a certificate authority of one's own, and that as a PEM file.
pub fn over_tls(options: Options) -> (Served, String) {
    over_tls_with(options, rcgen::CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap())
}

pub fn over_tls_with(options: Options, params: rcgen::CertificateParams) -> (Served, String) {
    let (tls, pem) = certified(params);
    (Served::over(options, ServerOptions { tls: Some(tls), ..ServerOptions::default() }), pem)
}

/// A server's side of TLS, and the PEM file of who vouches for it.
pub fn certified(params: rcgen::CertificateParams) -> (Arc<rustls::ServerConfig>, String) {
    let signing_key = rcgen::KeyPair::generate().unwrap();
    let cert = params.self_signed(&signing_key).unwrap();
    let certified = rcgen::CertifiedKey { cert, signing_key };
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certified.cert.der().clone()], key).unwrap();
    (Arc::new(config), certified.cert.pem())
}
