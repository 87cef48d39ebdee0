//! Signatures: the keys that a seller's program signs with (Key Management), the check of what it has
//! signed, and what eBay signs itself.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{Signature, SigningKey};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde_json::{Value, json};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::access::error;
use super::{Call, Context, Request, Response};
use crate::sim::rest::Answer;
use crate::sim::world::Dice;

/// Three years, in seconds.
const LIFE: i64 = 3 * 365 * 86_400;
/// How old a signature may be, and how far ahead of the clock here, in seconds.
const FRESH: i64 = 600;

/// What stands before the 32 bytes of a private key in PKCS #8, and of a public key in SPKI.
const PRIVATE: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
const PUBLIC: [u8; 12] = *b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";
/// What stands before the point of a P-256 key in SPKI.
const POINT: [u8; 26] =
    *b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";

/// A key that was made for the application.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    /// When, in seconds.
    pub(crate) created: i64,
    id: String,
    seed: [u8; 32],
}

impl Key {
    /// The nth key of a store.
    fn new(seed: u64, nth: usize, created: i64) -> Self {
        let mut dice = Dice::new(seed ^ 0x00ED_2551, nth as u64);
        let mut bytes = [0; 32];
        bytes.chunks_exact_mut(8).for_each(|part| part.copy_from_slice(&dice.roll().to_be_bytes()));
        let [one, two] = [dice.roll(), dice.roll()];
        let id = format!(
            "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
            one >> 32,
            one >> 16 & 0xffff,
            one & 0xfff,
            two >> 52,
            two & 0xffff_ffff_ffff
        );
        Self { created, id, seed: bytes }
    }

    fn public(&self) -> Vec<u8> {
        let pair = Ed25519KeyPair::from_seed_unchecked(&self.seed);
        pair.map(|pair| pair.public_key().as_ref().to_vec()).unwrap_or_default()
    }

    /// What stands for the public key in requests.
    fn jwe(&self) -> String {
        let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"A256GCMKW","enc":"A256GCM","zip":"DEF"}"#);
        format!("{head}..{}.{}", URL_SAFE_NO_PAD.encode(&self.id), URL_SAFE_NO_PAD.encode(&self.id[..8]))
    }

    fn shown(&self) -> Value {
        json!({
            "signingKeyId": self.id, "signingKeyCipher": "ED25519", "creationTime": self.created,
            "expirationTime": self.created + LIFE, "jwe": self.jwe(),
            "publicKey": STANDARD.encode([&PUBLIC[..], &self.public()].concat()),
        })
    }
}

fn refused(status: u16, id: u32, message: &str) -> Response {
    error(status, id, "API_KEYS", message)
}

/// These keys are the application's own.
fn of_app(call: &Call<'_, '_>) -> Result<(), Response> {
    let text = "You must request with a token having valid application client id.";
    if call.by.is_app { Ok(()) } else { Err(refused(400, 210_005, text)) }
}

/// `POST signing_key`: the private key is told here and never again.
pub(super) fn make(call: &mut Call<'_, '_>) -> Answer {
    of_app(call)?;
    let wish = call
        .request
        .json()
        .ok_or_else(|| refused(400, 210_006, "You must request for new signing key with valid request payload."))?;
    if wish["signingKeyCipher"] != "ED25519" {
        let text = "You must supply a valid signing key cipher. Allowed values are ED25519 and RSA.";
        return Err(refused(400, 210_001, text));
    }
    let key = Key::new(call.options.seed, call.state.own.keys.len(), call.now.div_euclid(1_000));
    let mut shown = key.shown();
    shown["privateKey"] = json!(STANDARD.encode([&PRIVATE[..], &key.seed].concat()));
    call.state.own.keys.push(key);
    Ok(Response::json(200, &shown))
}

/// `GET signing_key`.
pub(super) fn list(call: &mut Call<'_, '_>) -> Answer {
    of_app(call)?;
    let rows: Value = call.state.own.keys.iter().map(Key::shown).collect();
    Ok(Response::json(200, &json!({ "signingKeys": rows })))
}

/// `GET signing_key/{id}`.
pub(super) fn one(call: &mut Call<'_, '_>) -> Answer {
    of_app(call)?;
    let wanted = call.path.first().cloned().unwrap_or_default();
    let key = call.state.own.keys.iter().find(|key| key.id == wanted).map(Key::shown);
    let missing = || refused(404, 210_002, &format!("The signing key with id {wanted} was not found."));
    key.map(|key| Response::json(200, &key)).ok_or_else(missing)
}

/// Whether a request is signed as it must be, where it must be.
pub(super) fn check(call: &Call<'_, '_>) -> Result<(), Response> {
    if !call.options.signatures {
        return Ok(());
    }
    verify(call, call.request).map_err(|(id, text)| error(403, id, "ACCESS", text))
}

type Wrong = (u32, &'static str);

/// The member of a header that is a dictionary, under its first name.
fn member(header: &str) -> Option<&str> {
    header.trim().split_once('=').map(|(_, value)| value.trim())
}

/// Bytes between colons.
fn bytes(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text.trim().strip_prefix(':')?.strip_suffix(':')?).ok()
}

fn verify(context: &Context<'_>, request: &Request) -> Result<(), Wrong> {
    const FAILED: Wrong = (215_122, "Signature validation failed to fulfill the request.");
    let header = |name: &str, id: u32, text: &'static str| request.header(name).ok_or((id, text));
    let jwe = header("x-ebay-signature-key", 215_001, "Missing x-ebay-signature-key header")?;
    let input = header("signature-input", 215_002, "Missing signature-input header")?;
    let signature = header("signature", 215_003, "Missing signature header")?;
    let now = context.now.div_euclid(1_000);
    let known = context.state.own.keys.iter().find(|key| key.jwe() == jwe && now < key.created + LIFE);
    let key = known.ok_or((215_120, "The signature key is unknown or has expired"))?;
    // What was signed: the components in their order, and how they are named.
    let label = input.split('=').next().unwrap_or_default().trim();
    let params = member(input).ok_or(FAILED)?;
    let inside = params.strip_prefix('(').and_then(|rest| rest.split_once(')')).ok_or(FAILED)?;
    let names: Vec<&str> = inside.0.split_whitespace().map(|name| name.trim_matches('"')).collect();
    let wanted = ["x-ebay-signature-key", "@method", "@path", "@authority"];
    let wanted = wanted.into_iter().chain(["content-digest"].into_iter().filter(|_| !request.body.is_empty()));
    if wanted.into_iter().any(|wanted| !names.contains(&wanted)) {
        return Err((215_121, "A component is missing in signature-input"));
    }
    let created =
        inside.1.split(';').find_map(|one| one.trim().strip_prefix("created=")).and_then(|at| at.parse().ok());
    if created.is_none_or(|at: i64| (now - at).abs() > FRESH) {
        return Err(FAILED);
    }
    let mut base = String::new();
    for name in &names {
        let value = match *name {
            "@method" => Some(request.method.as_str()),
            "@path" => Some(request.path.as_str()),
            "@authority" => request.header("host"),
            name if name.starts_with('@') => None,
            name => request.header(name),
        };
        base.push_str(&format!("\"{name}\": {}\n", value.ok_or(FAILED)?.trim()));
    }
    base.push_str(&format!("\"@signature-params\": {params}"));
    if !request.body.is_empty() {
        let digest = request.header("content-digest").unwrap_or_default();
        let sent = member(digest).and_then(bytes);
        let is_same = match digest.split('=').next().unwrap_or_default().trim() {
            "sha-256" => sent == Some(Sha256::digest(&request.body).to_vec()),
            "sha-512" => sent == Some(Sha512::digest(&request.body).to_vec()),
            _ => false,
        };
        if !is_same {
            return Err((215_123, "The content digest is not that of the body"));
        }
    }
    let is_named = signature.split('=').next().unwrap_or_default().trim() == label;
    let signed = member(signature).and_then(bytes).filter(|_| is_named).ok_or(FAILED)?;
    let public = key.public();
    UnparsedPublicKey::new(&ED25519, &public).verify(base.as_bytes(), &signed).map_err(|_| FAILED)
}

/// The keys that eBay signs with, by their ids: the same for every seller.
pub(super) const KIDS: [&str; 2] = ["5f1c8e30-0b1d-4b7c-9d0e-3c5a7e2f9b10", "0a8d4b52-77c1-4e09-8f3a-6b1d2c9e4f71"];

fn ecdsa(kid: &str) -> Option<SigningKey> {
    KIDS.contains(&kid).then(|| SigningKey::from_slice(&Sha256::digest(kid)).ok()).flatten()
}

/// The key of this id, as it is told: without line breaks.
pub(super) fn public_key(kid: &str) -> Option<String> {
    let key = ecdsa(kid)?;
    let point = key.verifying_key().to_sec1_point(false);
    let text = STANDARD.encode([&POINT[..], point.as_bytes()].concat());
    Some(format!("-----BEGIN PUBLIC KEY-----{text}-----END PUBLIC KEY-----"))
}

/// The header that goes with a delivery.
pub(super) fn signed(kid: &str, body: &[u8]) -> String {
    let signature: Option<Signature> = ecdsa(kid).and_then(|key| key.sign_prehash(&Sha1::digest(body)).ok());
    let signature = signature.map(|signature| STANDARD.encode(signature.to_der().as_bytes())).unwrap_or_default();
    STANDARD.encode(json!({ "alg": "ecdsa", "kid": kid, "signature": signature, "digest": "SHA1" }).to_string())
}
