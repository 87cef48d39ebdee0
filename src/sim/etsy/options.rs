//! What kind of Etsy is simulated.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::sim::options::options;

/// The keystring of every simulated app: made up, opens nothing real.
pub const REHEARSAL_KEYSTRING: &str = "rehearsal0keystring0abcd";

/// The shared secret that goes with it.
pub const REHEARSAL_SECRET: &str = "rehearsal1";

/// A refresh token as a merchant has it who has consented before: it belongs to the shop's seller.
pub const REHEARSAL_REFRESH: &str = "rehearsal-refresh-token-0123456789";

/// The callback address that the merchant has registered for the app.
pub const REHEARSAL_REDIRECT: &str = "http://localhost:19427/etsy";

/// Every scope that an order tool may ask for.
pub(crate) const SCOPES: &[&str] = &["transactions_r", "transactions_w", "shops_r", "listings_r", "listings_w"];

/// How Etsy takes the app's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// Approved.
    Active,
    /// Not approved yet, or banned: an app that was idle for half a year is.
    Inactive,
}

options! {
    /// A shop and the API, with what its documents leave open as a choice.
    Options {
        /// The shop's id.
        shop: u64 = 22_220_000,
        /// The seller's user id: tokens begin with it.
        seller: u64 = 11_111_111,
        /// The shop's name.
        name: String = "GreenCatPottery".to_owned(),
        /// The shop's currency.
        currency: String = "EUR".to_owned(),
        /// Where it ships from.
        country: String = "DE".to_owned(),
        /// How the app's key is taken.
        key: Key = Key::Active,
        /// The app's callback addresses, each to be met exactly.
        redirects: Vec<String> = vec![REHEARSAL_REDIRECT.to_owned(), "https://shop.example.test/etsy".to_owned()],
        /// What the seller's consent covers of what is asked for.
        scopes: Vec<String> = SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
        /// Whether a missing scope is called so; else the token is said to be invalid.
        names_scopes: bool = true,
        /// Another user than the seller is signed in where consent is asked for.
        stranger: bool = false,
        /// Whether who denies consent is sent back; else an error page of Etsy's is shown.
        denial_returns: bool = true,
        /// Seconds for which a code can be redeemed.
        code_life: i64 = 300,
        /// Seconds for which an access token lives.
        token_life: i64 = 3_600,
        /// Days for which a refresh token lives.
        refresh_days: i64 = 90,
        /// Whether a refresh token that was renewed works further on, as it did in 2022.
        renewed_works: bool = true,
        /// Requests in a second.
        per_second: u32 = 5,
        /// Requests in 24 hours, wherever these begin.
        per_day: u32 = 5_000,
        /// Whether time bounds exclude what lies on them (not documented).
        exclusive_bounds: bool = false,
        /// Whether a list that is not asked for cancelled receipts or others has both; else it has
        /// those that are not cancelled, as in 2023.
        omitted_is_both: bool = false,
        /// The largest `offset` that is taken.
        offset_cap: u64 = 12_000,
        /// Whether query parameters that the API does not know are refused.
        strict_query: bool = true,
        /// Whether carriers that Etsy does not know are kept as they are written; else as `other`.
        carriers_as_given: bool = true,
        /// Whether tracking numbers are taken and dropped without a word (etsy/open-api #157).
        drops_tracking: bool = false,
        /// Whether a receipt with nothing but downloads counts as shipped.
        digital_is_shipped: bool = false,
        /// Whether the money goes back with a cancellation.
        cancelling_refunds: bool = true,
        /// Whether everything that may be null is, the buyer's message apart.
        discreet: bool = false,
        /// How often the seller has consented before, for scripts that are given the refresh token.
        consents: Arc<AtomicU64> = Arc::default(),
        /// How long a page of receipts takes.
        page_latency: Duration = Duration::ZERO,
        /// Where the made-up orders come from.
        seed: u64 = 7,
    }
}

impl Options {
    /// For rehearsals: the limits of a large app, so that a script that is tried out does not wait,
    /// and acts of people that do one thing each.
    pub fn rehearsal() -> Self {
        Self { per_second: 150, per_day: 100_000, cancelling_refunds: false, ..Self::default() }
    }

    /// Another shop than that of a rehearsal.
    pub(crate) fn another() -> Self {
        Self { shop: 22_220_001, seller: 11_111_112, name: "OtherPottery".to_owned(), ..Self::rehearsal() }
    }

    /// The refresh token that a script is given: where one is dead once it was renewed, that of a
    /// consent that the seller gives anew for it.
    pub(crate) fn given_refresh(&self) -> String {
        match self.renewed_works {
            true => self.refresh_of(0),
            false => self.refresh_of(self.consents.fetch_add(1, Ordering::Relaxed) + 1),
        }
    }

    /// The refresh token of the nth of these consents.
    pub(super) fn refresh_of(&self, nth: u64) -> String {
        let number = if nth == 0 { String::new() } else { format!("-{nth}") };
        format!("{}.{REHEARSAL_REFRESH}{number}", self.seller)
    }

    /// Seconds for which a refresh token lives.
    pub(super) fn refresh_life(&self) -> i64 {
        self.refresh_days * 86_400
    }

    /// What the documents leave open, decided the other way.
    pub(crate) fn variants() -> Vec<(&'static str, Self)> {
        vec![
            ("bounds exclude", Self { exclusive_bounds: true, ..Self::another() }),
            ("lists have cancelled receipts", Self { omitted_is_both: true, ..Self::another() }),
            ("a renewed refresh token is dead", Self { renewed_works: false, ..Self::another() }),
            ("ten requests a second", Self { per_second: 10, per_day: 10_000, ..Self::another() }),
            ("offsets end at 120", Self { offset_cap: 120, ..Self::another() }),
            ("a cancellation gives the money back", Self { cancelling_refunds: true, ..Self::another() }),
            ("unknown parameters pass", Self { strict_query: false, ..Self::another() }),
            ("what may be null is", Self { discreet: true, ..Self::another() }),
        ]
    }
}
