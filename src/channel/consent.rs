//! The merchant's consent at a vendor's own page, where its tokens begin with one (RFC 6749, the
//! authorization code): a page to open in a browser, and the address at which the browser lands
//! afterwards, which brings a code.
//!
//! The code is worth nothing without the verifier (RFC 7636), which never leaves this process but
//! in the one request that redeems the code; and an address that was made for another attempt, or
//! by somebody else, does not know the state. Both are made anew for each attempt, from the
//! operating system's randomness, and taken once.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use url::Url;

use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;

/// How long the merchant has for the vendor's page.
pub(crate) const PATIENCE: TimeDelta = TimeDelta::minutes(10);

/// No vendor's address of this kind is as long.
const LONGEST: usize = 8 * 1024;

/// A vendor's side of it, where a store has no consent yet.
pub trait Consent: Send + Sync {
    /// Where the vendor sends the browser afterwards, to the letter; `None` where the vendor alone knows
    /// it: then any address with an answer to this attempt in it is one.
    fn landing(&self) -> Option<&Url>;

    /// What must be so at the vendor before the page can be opened, in a sentence.
    fn before(&self) -> String;

    /// The page to open for this attempt. What would surely fail there is found out before.
    fn page(&self, attempt: &Attempt) -> Result<Url>;

    /// Fetches the first tokens for what came back, and puts them among the secrets of the store.
    fn redeem(&self, brought: &Brought) -> Result<()>;
}

/// One attempt to get a consent.
#[derive(Debug)]
pub struct Attempt {
    state: Secret,
    verifier: Secret,
    until: Timestamp,
}

/// What a consent has brought.
#[derive(Debug)]
pub struct Brought {
    /// The code, which is taken once.
    pub(crate) code: Secret,
    /// What proves that the code is ours.
    pub(crate) verifier: Secret,
}

impl Attempt {
    /// A new one.
    ///
    /// # Errors
    /// `Failed` where the operating system has no randomness to give.
    pub(crate) fn begin(now: Timestamp) -> Result<Self> {
        let until = now.checked_add_signed(PATIENCE).unwrap_or(now);
        // 128 bits and 256; the second is a text of 43 characters, the least that is permitted.
        Ok(Self { state: random::<16>()?, verifier: random::<32>()?, until })
    }

    /// What the landing address must repeat.
    pub(crate) fn state(&self) -> &str {
        self.state.reveal()
    }

    /// What the vendor is shown of the verifier (S256).
    pub(crate) fn challenge(&self) -> String {
        challenge(self.verifier.reveal())
    }

    /// Until when it can be answered.
    pub(crate) fn until(&self) -> Timestamp {
        self.until
    }

    /// Takes what a landing address brings, and ends the attempt.
    ///
    /// # Errors
    /// `Refused` for one that belongs to another attempt or comes too late, `Credentials` where the
    /// merchant said no.
    pub(crate) fn take(self, landing: Landing, now: Timestamp) -> Result<Brought> {
        let Landing { state, told } = landing;
        // A "no" that names no attempt gives nothing away, and is the merchant's own.
        let is_ours = state.as_ref() == Some(&self.state) || (state.is_none() && matches!(told, Told::Error(_)));
        if !is_ours {
            let text = "the landing address belongs to another attempt, or something else in the browser has called it (its \
                        state is not the one of this attempt); nothing was stored";
            return Err(Error::new(ErrorKind::Refused, text)
                .hint("give the command again, and open the address that it prints then"));
        }
        if now > self.until {
            let minutes = PATIENCE.num_minutes();
            let text = format!("the consent came after more than {minutes} minutes; nothing was stored");
            return Err(Error::new(ErrorKind::Refused, text).hint("give the command again"));
        }
        match told {
            Told::Code(code) => Ok(Brought { code, verifier: self.verifier }),
            Told::Error(word) if word == "access_denied" => {
                Err(Error::new(ErrorKind::Credentials, "the consent was refused on the page; nothing was stored")
                    .hint("give the command again, and permit the access on the page"))
            }
            Told::Error(word) => Err(Error::new(
                ErrorKind::Credentials,
                format!("the page gave no consent ({word}); nothing was stored"),
            )
            .hint("give the command again; if it comes again, look at the app at the vendor")),
        }
    }
}

/// So many random bytes, as a text that fits into an address.
fn random<const N: usize>() -> Result<Secret> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).map_err(|e| {
        Error::new(ErrorKind::Failed, format!("the operating system gives no random numbers ({e}); nothing was sent"))
    })?;
    Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
}

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// What an address says at which a browser has landed. It is a secret as long as its code is good.
pub(crate) struct Landing {
    state: Option<Secret>,
    told: Told,
}

enum Told {
    Code(Secret),
    /// A word of the vendor's.
    Error(String),
}

impl Landing {
    /// Reads an address that ought to be `expected` with an answer in it, where that is known.
    ///
    /// # Errors
    /// `Usage` for any other text, which is not repeated.
    pub(crate) fn read(expected: Option<&Url>, text: &str) -> Result<Self> {
        let refused = |why: &str| {
            let hint = format!(
                "the whole address is wanted, as it stands in the browser's address line after the consent: {}?code=...&state=...",
                expected.map_or("https://...", Url::as_str)
            );
            Err(Error::new(ErrorKind::Usage, format!("{why}; nothing was stored")).hint(hint))
        };
        let text = text.trim();
        if text.is_empty() {
            return refused("no landing address was given");
        }
        if text.len() > LONGEST {
            return refused("what was given is too long for a landing address");
        }
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return refused("the landing address has blanks or line breaks in it; it may have been copied in parts");
        }
        let Ok(url) = Url::parse(text) else { return refused("what was given is no address") };
        let place = |url: &Url| (url.origin(), url.path().to_owned());
        let is_meant = |expected: &Url| place(&url) == place(expected) && url.authority() == expected.authority();
        if !expected.map_or(matches!(url.scheme(), "http" | "https"), is_meant) {
            return refused("what was given is another address than the one to which the page sends the browser");
        }
        let only = |name: &str| {
            let mut found = url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned());
            (found.next().filter(|value| !value.is_empty()), found.next().is_some())
        };
        let [(code, codes), (state, states), (error, errors)] = ["code", "state", "error"].map(only);
        let told = match (code, error) {
            _ if codes || states || errors => return refused("the landing address says one thing twice"),
            (Some(code), None) => Told::Code(Secret::new(code)),
            (None, Some(error)) => Told::Error(word(&error)),
            _ => return refused("the landing address has no code in it"),
        };
        Ok(Self { state: state.map(Secret::new), told })
    }
}

/// A vendor's word for an error, as far as it is one.
fn word(text: &str) -> String {
    let is_word = text.len() <= 40 && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if is_word { text.to_owned() } else { "in words that are none".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::from_millis;

    fn expected() -> Url {
        Url::parse("http://localhost:19427/etsy").unwrap()
    }

    fn begun() -> (Attempt, Timestamp) {
        let now = from_millis(1_795_000_000_000);
        (Attempt::begin(now).unwrap(), now)
    }

    fn landed(query: &str) -> Result<Landing> {
        Landing::read(Some(&expected()), &format!("http://localhost:19427/etsy?{query}"))
    }

    /// RFC 7636, appendix B.
    #[test]
    fn the_challenge_is_that_of_the_rfc() {
        let verifier = URL_SAFE_NO_PAD.encode([
            116, 24, 223, 180, 151, 153, 224, 37, 79, 250, 96, 125, 216, 173, 187, 186, 22, 212, 37, 77, 105, 214, 191,
            240, 91, 88, 5, 88, 83, 132, 141, 121,
        ]);
        assert_eq!(verifier, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn state_and_verifier_are_long_enough_and_new_each_time() {
        let unreserved = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b));
        let made: std::collections::BTreeSet<String> = (0..200)
            .flat_map(|_| {
                let attempt = begun().0;
                let (state, verifier) = (attempt.state().to_owned(), attempt.verifier.reveal().to_owned());
                assert_eq!(URL_SAFE_NO_PAD.decode(&state).unwrap().len(), 16);
                assert!((43..=128).contains(&verifier.len()) && unreserved(&verifier), "{verifier}");
                [state, verifier]
            })
            .collect();
        assert_eq!(made.len(), 400);
        assert!(!format!("{:?}", begun().0).contains(begun().0.state()));
    }

    #[test]
    fn what_comes_back_is_taken_where_it_is_for_this_attempt_and_in_time() {
        let (attempt, now) = begun();
        let (state, verifier) = (attempt.state().to_owned(), attempt.verifier.clone());
        let brought = attempt.take(landed(&format!("code=abc-1_2&state={state}")).unwrap(), now + PATIENCE).unwrap();
        assert_eq!((brought.code, brought.verifier), (Secret::new("abc-1_2"), verifier));
        for (query, late, kind, says) in [
            ("code=abc&state=0123456789abcdef012345", 0, ErrorKind::Refused, "another attempt"),
            ("code=abc", 0, ErrorKind::Refused, "another attempt"),
            ("error=access_denied&state=0123", 0, ErrorKind::Refused, "another attempt"),
            ("code=abc&state=STATE", 1, ErrorKind::Refused, "more than 10 minutes"),
            ("error=access_denied&state=STATE", 0, ErrorKind::Credentials, "was refused on the page"),
            ("error=access_denied", 0, ErrorKind::Credentials, "was refused on the page"),
            ("error=invalid_scope&error_description=x&state=STATE", 0, ErrorKind::Credentials, "(invalid_scope)"),
            ("error=%1b%5b2J&state=STATE", 0, ErrorKind::Credentials, "words that are none"),
        ] {
            let (attempt, now) = begun();
            let landing = landed(&query.replace("STATE", attempt.state())).unwrap();
            let error = attempt.take(landing, now + PATIENCE + TimeDelta::milliseconds(late)).unwrap_err();
            assert_eq!(error.kind(), kind, "{query}");
            assert!(error.message().contains(says) && error.message().contains("nothing was stored"), "{error}");
            assert!(error.hint_text().is_some() && !error.message().contains("abc"), "{error}");
        }
    }

    #[test]
    fn only_the_landing_address_itself_is_read_and_it_is_not_repeated() {
        assert!(landed("code=c0de&state=s&x=1#_=_").is_ok());
        assert!(Landing::read(Some(&expected()), " \thttp://localhost:19427/etsy?code=c0de&state=s\r\n").is_ok());
        for (text, says) in [
            ("", "no landing address"),
            (" \n", "no landing address"),
            ("http://localhost:19427/etsy?code=c0de &state=s", "blanks"),
            ("http://localhost:19427/etsy?code=c0\nde&state=s", "blanks"),
            ("c0de", "is no address"),
            ("localhost:19427/etsy?code=c0de&state=s", "another address"),
            ("https://localhost:19427/etsy?code=c0de&state=s", "another address"),
            ("http://localhost:19428/etsy?code=c0de&state=s", "another address"),
            ("http://localhost:19427/etsy/?code=c0de&state=s", "another address"),
            ("http://a@localhost:19427/etsy?code=c0de&state=s", "another address"),
            ("https://app.example.test/etsy?code=c0de&state=s", "another address"),
            ("http://localhost:19427/etsy", "no code"),
            ("http://localhost:19427/etsy?code=&state=s", "no code"),
            ("http://localhost:19427/etsy?code=c0de&error=x&state=s", "no code"),
            ("http://localhost:19427/etsy?code=c0de&code=c0de&state=s", "twice"),
            ("http://localhost:19427/etsy?code=c0de&state=s&state=s", "twice"),
            (&format!("http://localhost:19427/etsy?code={}", "c0de".repeat(3000)), "too long"),
        ] {
            let error = Landing::read(Some(&expected()), text).err().unwrap_or_else(|| panic!("{text}"));
            assert_eq!(error.kind(), ErrorKind::Usage, "{text}");
            assert!(error.message().contains(says) && !error.message().contains("c0de"), "{text}: {error}");
        }
    }

    /// eBay knows a landing address by a name alone, and its codes have signs in them that an address has
    /// encoded.
    #[test]
    fn an_address_that_the_vendor_alone_knows_is_any_with_an_answer_to_this_attempt() {
        let (attempt, now) = begun();
        let landed =
            format!("https://shop.example.test/thanks?state={}&code=v%5E1.1%23i%5E1&expires_in=299", attempt.state());
        let brought = attempt.take(Landing::read(None, &landed).unwrap(), now).unwrap();
        assert_eq!(brought.code, Secret::new("v^1.1#i^1"), "decoded once");
        for (text, says) in [("v%5E1.1%23i", "is no address"), ("mailto:a@b?code=x&state=y", "another address")] {
            let error = Landing::read(None, text).err().unwrap();
            assert!(
                error.message().contains(says) && error.hint_text().unwrap().contains("https://...?code="),
                "{error}"
            );
        }
        let (attempt, now) = begun();
        let other = Landing::read(None, "https://shop.example.test/thanks?code=x&state=y").unwrap();
        assert!(attempt.take(other, now).unwrap_err().message().contains("another attempt"));
    }
}
