//! Requests signed as OAuth 1.0a has it (RFC 5849): by a consumer's key, with or without an access
//! token.

use url::Url;

use super::sign::{encode, hmac_sha256};
use crate::clock::Timestamp;
use crate::secret::Secret;

/// How a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Method {
    /// The RFC's own, which its examples are of.
    #[cfg(test)]
    HmacSha1,
    /// What servers have in its place today.
    HmacSha256,
}

impl Method {
    fn word(self) -> &'static str {
        match self {
            #[cfg(test)]
            Self::HmacSha1 => "HMAC-SHA1",
            Self::HmacSha256 => "HMAC-SHA256",
        }
    }

    fn sign(self, key: &[u8], message: &[u8]) -> String {
        match self {
            #[cfg(test)]
            Self::HmacSha1 => super::sign::hmac_sha1(key, message),
            Self::HmacSha256 => hmac_sha256(key, message),
        }
    }
}

/// A key and its secret.
pub(crate) type Pair<'a> = (&'a Secret, &'a Secret);

/// Who signs.
pub(crate) struct Signer<'a> {
    /// The consumer's key.
    pub(crate) consumer: Pair<'a>,
    /// The access token, where there is one.
    pub(crate) token: Option<Pair<'a>>,
    /// How.
    pub(crate) method: Method,
}

impl Signer<'_> {
    /// The parameters that a request is authorised by, the signature last. They belong in its
    /// header or behind its query. `address` is what the server takes its own address for, without
    /// a query; the query that is signed is that of `url`.
    pub(crate) fn parameters(
        &self,
        http_method: &str,
        address: &str,
        url: &Url,
        now: Timestamp,
        nonce: &str,
    ) -> Vec<(&'static str, String)> {
        let ours = self.unsigned(now, nonce);
        let base = base_string(http_method, address, url, &ours);
        self.signed(ours, &base)
    }

    /// The same as the value of a header `Authorization`, with the version, for servers that read
    /// them there.
    pub(crate) fn header(&self, http_method: &str, address: &str, url: &Url, now: Timestamp, nonce: &str) -> String {
        let mut ours = self.unsigned(now, nonce);
        ours.push(("oauth_version", "1.0".to_owned()));
        let base = base_string(http_method, address, url, &ours);
        let signed = self.signed(ours, &base);
        let pairs: Vec<String> = signed.iter().map(|(name, value)| format!("{name}=\"{}\"", encode(value))).collect();
        format!("OAuth {}", pairs.join(", "))
    }

    fn unsigned(&self, now: Timestamp, nonce: &str) -> Vec<(&'static str, String)> {
        let mut ours = vec![
            ("oauth_consumer_key", self.consumer.0.reveal().to_owned()),
            ("oauth_nonce", nonce.to_owned()),
            ("oauth_signature_method", self.method.word().to_owned()),
            ("oauth_timestamp", now.timestamp().to_string()),
        ];
        ours.extend(self.token.map(|(token, _)| ("oauth_token", token.reveal().to_owned())));
        ours
    }

    fn signed(&self, mut ours: Vec<(&'static str, String)>, base: &str) -> Vec<(&'static str, String)> {
        let token_secret = self.token.map(|(_, secret)| encode(secret.reveal())).unwrap_or_default();
        let key = format!("{}&{token_secret}", encode(self.consumer.1.reveal()));
        ours.push(("oauth_signature", self.method.sign(key.as_bytes(), base.as_bytes())));
        ours
    }
}

/// Method, address and sorted parameters (3.4.1). A name or a value is encoded once as such,
/// brackets too, and once more with all of them.
fn base_string(http_method: &str, address: &str, url: &Url, ours: &[(&'static str, String)]) -> String {
    let theirs = url.query_pairs().map(|(name, value)| (encode(&name), encode(&value)));
    let mut pairs: Vec<_> = theirs.chain(ours.iter().map(|(name, value)| (encode(name), encode(value)))).collect();
    pairs.sort();
    let parameters: Vec<String> = pairs.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{http_method}&{}&{}", encode(address), encode(&parameters.join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    #[test]
    fn the_signature_is_that_of_rfc_5849() {
        let secret = |text: &str| Secret::new(text);
        let (key, key_secret) = (secret("dpf43f3p2l4k3l03"), secret("kd94hf93k423kf44"));
        let (token, token_secret) = (secret("nnch734d00sl2jdk"), secret("pfkkdhi9sl3r4s00"));
        let consumer = (&key, &key_secret);
        let signer = Signer { consumer, token: Some((&token, &token_secret)), method: Method::HmacSha1 };
        let url = Url::parse("http://photos.example.net/photos?file=vacation.jpg&size=original").unwrap();
        let now = from_millis(137_131_202_000);
        let signed = signer.parameters("GET", "http://photos.example.net/photos", &url, now, "chapoH");
        assert_eq!(signed.last(), Some(&("oauth_signature", "MdpQcU8iPSUjWoN/UDMsK2sui9I=".to_owned())));
        let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
        assert!(names.contains(&"oauth_token") && !names.contains(&"oauth_version"));
    }

    fn signed_header(keys: [&str; 4], method: Method, url: &str, seconds: i64, nonce: &str) -> String {
        let [key, secret, token, token_secret] = keys.map(Secret::new);
        let signer = Signer { consumer: (&key, &secret), token: Some((&token, &token_secret)), method };
        let url = Url::parse(url).unwrap();
        let address = url.as_str().split('?').next().unwrap();
        signer.header("POST", address, &url, from_millis(seconds * 1000), nonce)
    }

    /// The examples that two vendors publish with all four values: Oracle's for NetSuite (section
    /// 1534941088 of its help) and Twitter's ("Creating a signature", there with a part in a body).
    #[test]
    fn headers_are_those_of_two_vendors_documents() {
        let oracle = [
            "ef40afdd8abaac111b13825dd5e5e2ddddb44f86d5a0dd6dcf38c20aae6b67e4",
            "d26ad321a4b2f23b0741c8d38392ce01c3e23e109df6c96eac6d099e9ab9e8b5",
            "2b0ce516420110bcbd36b69e99196d1b7f6de3c6234c5afb799b73d87569f5cc",
            "c29a677df7d5439a458c063654187e3d678d73aca8e3c9d8bea1478a3eb0d295",
        ];
        let url = "https://123456.restlets.api.netsuite.com/app/site/hosting/restlet.nl?script=6&deploy=1&customParam=someValue&testParam=someOtherValue";
        let header = signed_header(oracle, Method::HmacSha256, url, 1_508_242_306, "fjaLirsIcCGVZWzBX0pg");
        assert!(header.starts_with("OAuth oauth_consumer_key=\"ef40afdd"), "{header}");
        assert!(header.contains(", oauth_version=\"1.0\", "), "{header}");
        assert!(header.ends_with("oauth_signature=\"%2BKK4SKNgz4ZiILGLwOMtfYlgcXSy1eis8ldE9X90azQ%3D\""), "{header}");

        let twitter = [
            "xvz1evFS4wEEPTGEFPHBog",
            "kAcSOqF21Fu85e7zjz7ZN2U4ZRhfV3WpwPAoE3Z7kBw",
            "370773112-GmHxMAgYyLbNEtIKZeRNFsMKPR9EyMZeS9weJAEb",
            "LswwdoUaIvS8ltyTt5jkRh4J50vUPVVHtR2YPi5kE",
        ];
        let status = "Hello%20Ladies%20%2B%20Gentlemen%2C%20a%20signed%20OAuth%20request%21";
        let url = format!("https://api.twitter.com/1/statuses/update.json?include_entities=true&status={status}");
        let nonce = "kYjzVBB8Y0ZFabxSWbWovY3uYSQ2pTgmZeNu2VS4cg";
        let header = signed_header(twitter, Method::HmacSha1, &url, 1_318_622_958, nonce);
        assert!(header.ends_with("oauth_signature=\"tnnArxj06cWHq44gCs1OSKk%2FjLY%3D\""), "{header}");
    }

    /// The same, made again from the RFC's words alone: its own encoding, sorting and HMAC.
    fn anew(keys: [&str; 4], address: &str, pairs: &[(String, String)], seconds: i64, nonce: &str) -> String {
        fn encoded(text: &str) -> Vec<u8> {
            let mut out = Vec::new();
            for byte in text.bytes() {
                match byte {
                    b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte),
                    _ => out.extend(format!("%{byte:02X}").bytes()),
                }
            }
            out
        }
        fn hash(parts: &[&[u8]]) -> Vec<u8> {
            use sha2::Digest;
            let mut hash = sha2::Sha256::new();
            parts.iter().for_each(|part| hash.update(part));
            hash.finalize().to_vec()
        }
        let ours = [
            ("oauth_consumer_key", keys[0].to_owned()),
            ("oauth_token", keys[2].to_owned()),
            ("oauth_nonce", nonce.to_owned()),
            ("oauth_timestamp", seconds.to_string()),
            ("oauth_signature_method", "HMAC-SHA256".to_owned()),
            ("oauth_version", "1.0".to_owned()),
        ];
        let ours = ours.into_iter().map(|(name, value)| (name.to_owned(), value));
        let mut all: Vec<(Vec<u8>, Vec<u8>)> =
            pairs.iter().cloned().chain(ours).map(|(name, value)| (encoded(&name), encoded(&value))).collect();
        all.sort();
        let joined: Vec<Vec<u8>> = all.into_iter().map(|(name, value)| [name, b"=".to_vec(), value].concat()).collect();
        let parameters = String::from_utf8(joined.join(&b'&')).unwrap();
        let base = [b"POST&".to_vec(), encoded(address), b"&".to_vec(), encoded(&parameters)].concat();
        let mut key = [encoded(keys[1]), b"&".to_vec(), encoded(keys[3])].concat();
        if key.len() > 64 {
            key = hash(&[&key]);
        }
        key.resize(64, 0);
        let [inner, outer] = [0x36, 0x5c].map(|pad: u8| key.iter().map(|byte| byte ^ pad).collect::<Vec<u8>>());
        base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hash(&[&outer, &hash(&[&inner, &base])]))
    }

    proptest::proptest! {
        /// Whatever stands in names and values, brackets, blanks and signs of other alphabets.
        #[test]
        fn a_signature_is_the_one_that_another_hand_makes_of_the_same(
            pairs in proptest::collection::vec(("[a-zA-Z\\[\\]0-9_%& +=é]{1,20}", "\\PC{0,20}"), 0..8),
            keys in proptest::array::uniform4("[a-z0-9&=%]{1,70}"),
            seconds in 0i64..4_000_000_000, nonce in "[a-f0-9]{1,32}",
        ) {
            let keys = keys.each_ref().map(String::as_str);
            let mut url = Url::parse("https://shop.example.test:8443/rest/V1/orders").unwrap();
            url.query_pairs_mut().extend_pairs(&pairs);
            let header = signed_header(keys, Method::HmacSha256, url.as_str(), seconds, &nonce);
            let wanted = anew(keys, "https://shop.example.test:8443/rest/V1/orders", &pairs, seconds, &nonce);
            let ending = format!("oauth_signature=\"{}\"", encode(&wanted));
            proptest::prop_assert!(header.ends_with(&ending), "{header} {wanted}");
        }
    }

    #[test]
    fn the_base_string_is_that_of_rfc_5849() {
        // The RFC's example has a part of the parameters in a body; here all of them are in the
        // query.
        let url = Url::parse("http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b&c2&a3=2+q").unwrap();
        let ours = [
            ("oauth_consumer_key", "9djdj82h48djs9d2".to_owned()),
            ("oauth_token", "kkk9d7dh3k39sjv7".to_owned()),
            ("oauth_signature_method", "HMAC-SHA1".to_owned()),
            ("oauth_timestamp", "137131201".to_owned()),
            ("oauth_nonce", "7d8f3e4a".to_owned()),
        ];
        assert_eq!(
            base_string("POST", "http://example.com/request", &url, &ours),
            "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D\
             %26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1\
             %26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
        );
    }

    #[test]
    fn brackets_in_a_name_are_encoded_as_every_other_sign() {
        let url = Url::parse("https://x.test/V1/orders?searchCriteria[pageSize]=5&searchCriteria%5BcurrentPage%5D=1")
            .unwrap();
        assert!(
            base_string("GET", "https://x.test/V1/orders", &url, &[])
                .ends_with("&searchCriteria%255BcurrentPage%255D%3D1%26searchCriteria%255BpageSize%255D%3D5")
        );
    }
}
