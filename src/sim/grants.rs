//! What people have allowed an app (OAuth 2.0): codes that are redeemed with the verifier of their
//! challenge, access tokens, refresh tokens. Times are in seconds.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::world::Dice;

/// What somebody has allowed.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    /// The user.
    pub(crate) user: u64,
    /// What it covers.
    pub(crate) scopes: Vec<String>,
    /// When what stands for it is worth nothing any more.
    pub(crate) ends: i64,
}

/// A code that stands for a grant, once.
#[derive(Debug)]
struct Code {
    grant: Grant,
    redirect: String,
    challenge: String,
}

/// What has been given out.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    codes: BTreeMap<String, Code>,
    access: BTreeMap<String, Grant>,
    refresh: BTreeMap<String, Grant>,
    seed: u64,
    texts: u64,
    /// What every text begins with; empty: tokens begin with the user.
    begins: &'static str,
}

impl Grants {
    /// None yet; `seed` makes what is given out.
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// The same of texts that begin so.
    pub(crate) fn beginning(seed: u64, begins: &'static str) -> Self {
        Self { begins, ..Self::new(seed) }
    }

    /// The refresh token of an earlier consent.
    pub(crate) fn trust(&mut self, refresh: String, grant: Grant) {
        self.refresh.insert(refresh, grant);
    }

    /// A text that nobody guesses, and that comes once.
    fn text(&mut self) -> String {
        self.texts += 1;
        format!("{}{}", self.begins, Dice::new(self.seed, self.texts).letters(60))
    }

    /// Somebody has allowed this; gives the code, which is worth something until the grant's end. With
    /// an empty challenge nobody asks for a verifier.
    pub(crate) fn allow(&mut self, grant: Grant, redirect: &str, challenge: &str) -> String {
        let (code, redirect, challenge) = (self.text(), redirect.to_owned(), challenge.to_owned());
        self.codes.insert(code.clone(), Code { grant, redirect, challenge });
        code
    }

    /// The grant for which a code stands, or what is wrong. Whatever comes of it, the code has been
    /// used.
    pub(crate) fn redeem(
        &mut self,
        code: &str,
        verifier: &str,
        redirect: &str,
        now: i64,
    ) -> Result<Grant, &'static str> {
        let code = self.codes.remove(code).filter(|code| now < code.grant.ends);
        let code = code.ok_or("code is invalid or was used before")?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let is_asked = !code.challenge.is_empty();
        if is_asked && (!(43..=128).contains(&verifier.len()) || challenge != code.challenge) {
            return Err("code_verifier is invalid");
        }
        if redirect != code.redirect {
            return Err("redirect_uri is not that of the authorization");
        }
        Ok(code.grant)
    }

    /// The grant for which a refresh token stands; it does so further on where it is `kept`.
    pub(crate) fn renew(&mut self, refresh: &str, now: i64, kept: bool) -> Option<Grant> {
        let grant = self.refresh.get(refresh).filter(|grant| now < grant.ends).cloned()?;
        if !kept {
            self.refresh.remove(refresh);
        }
        Some(grant)
    }

    /// An access token and a refresh token, each until its end; both begin with the user.
    pub(crate) fn give(&mut self, grant: &Grant, access_ends: i64, refresh_ends: i64) -> [String; 2] {
        let access = self.access(grant, access_ends);
        let refresh = self.token(grant);
        self.refresh.insert(refresh.clone(), Grant { ends: refresh_ends, ..grant.clone() });
        [access, refresh]
    }

    /// An access token alone.
    pub(crate) fn access(&mut self, grant: &Grant, ends: i64) -> String {
        let token = self.token(grant);
        self.access.insert(token.clone(), Grant { ends, ..grant.clone() });
        token
    }

    fn token(&mut self, grant: &Grant) -> String {
        let text = self.text();
        if self.begins.is_empty() { format!("{}.{text}", grant.user) } else { text }
    }

    /// Whom an access token is of, and what it may do.
    pub(crate) fn of(&self, token: &str, now: i64) -> Option<&Grant> {
        self.access.get(token).filter(|grant| now < grant.ends)
    }

    /// Every access token ends now.
    pub(crate) fn end(&mut self) {
        self.access.clear();
    }

    /// Nothing is worth anything any more.
    pub(crate) fn revoke(&mut self) {
        self.codes.clear();
        self.access.clear();
        self.refresh.clear();
    }
}
