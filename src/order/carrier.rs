//! One table of carriers: plain names to each channel's codes (D-6).
//!
//! Companies of one family that have numbers and pages of their own (DHL Paket, DHL Express) are
//! carriers of their own. Plain `dhl` is any of them: which one cannot be told from the name, so it
//! has no code of a single one, and the page of the group that finds every number.

mod table;
#[cfg(test)]
mod tests;

pub(crate) use table::CARRIERS;
use table::{SERVICE_WORDS, SHARED};

/// A carrier ordersync knows by a plain name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Carrier {
    /// The name on the command line: `royal-mail`.
    pub(crate) name: &'static str,
    /// The name people read: `Royal Mail`.
    pub(crate) title: &'static str,
    /// Other spellings that mean it.
    pub(crate) aliases: &'static [&'static str],
    /// Its tracking page, with `{}` where the number goes; empty: it has none that takes a number
    /// alone.
    pub(crate) tracking_url: &'static str,
    /// WooCommerce: the provider key of core order fulfilments (`_shipment_provider`); empty: not
    /// on its list.
    pub(crate) woocommerce: &'static str,
    /// Shopify: the `company` that gets a link of its own (schema,
    /// `FulfillmentTrackingInfo.company`, exact spelling); empty: not on its list.
    pub(crate) shopify: &'static str,
    /// BigCommerce: the `shipping_provider`; empty: not on its list.
    pub(crate) bigcommerce: &'static str,
    /// BigCommerce: the `tracking_carrier`, an AfterShip courier slug; empty: none is known for
    /// sure.
    pub(crate) aftership: &'static str,
    /// Etsy: the `carrier_name`; empty: not on its list.
    pub(crate) etsy: &'static str,
    /// eBay: the `shippingCarrierCode`; empty: not on its list.
    pub(crate) ebay: &'static str,
}

/// What a merchant's name for a carrier means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CarrierName {
    /// This carrier, or one of its services.
    Known(&'static Carrier),
    /// Most likely a slip of one of these.
    Slip(Vec<&'static str>),
    /// Several companies have it; these.
    Shared(&'static [&'static str]),
    /// It begins like this carrier and goes on as none of its services does.
    Begins(&'static Carrier),
    /// Nobody that the table knows.
    Unknown,
}

/// The carrier with this plain name, title or alias; case, blanks and hyphens do not count.
pub(crate) fn carrier(text: &str) -> Option<&'static Carrier> {
    let wanted = squeezed(text);
    CARRIERS.iter().find(|carrier| carrier.names().any(|name| squeezed(name) == wanted))
}

/// The carrier that a channel has this code for, in any case.
pub(crate) fn carrier_of(code: &str, of: impl Fn(&Carrier) -> &'static str) -> Option<&'static Carrier> {
    let code = code.trim();
    CARRIERS.iter().find(|carrier| !code.is_empty() && of(carrier).eq_ignore_ascii_case(code))
}

/// Whether two texts name the same carrier.
pub(crate) fn same_carrier(a: &str, b: &str) -> bool {
    let (known, other) = (carrier(a), carrier(b));
    if known.is_some() || other.is_some() { known == other } else { squeezed(a) == squeezed(b) }
}

/// What `text` means, services (`UPS Ground`) and slips (`fedx`) included.
pub(crate) fn carrier_name(text: &str) -> CarrierName {
    if let Some(carrier) = carrier(text) {
        return CarrierName::Known(carrier);
    }
    let words = words(text);
    for length in (1..=words.len()).rev() {
        let (head, services) = words.split_at(length);
        let head = head.concat();
        let only_services = services.iter().all(|word| SERVICE_WORDS.contains(&word.as_str()));
        if let Some((_, companies)) = SHARED.iter().find(|(name, _)| squeezed(name) == head) {
            return CarrierName::Shared(companies);
        }
        match carrier(&head) {
            Some(carrier) if only_services => return CarrierName::Known(carrier),
            Some(carrier) => return CarrierName::Begins(carrier),
            None => {}
        }
    }
    let services = words.iter().rev().take_while(|word| SERVICE_WORDS.contains(&word.as_str())).count();
    let without = words.get(..words.len() - services).unwrap_or_default().concat();
    [words.concat(), without]
        .iter()
        .map(|name| slips_of(name))
        .find(|slips| !slips.is_empty())
        .map_or(CarrierName::Unknown, CarrierName::Slip)
}

/// The plain names that look most like `text`, the best first, for an error message.
pub(crate) fn nearest_carriers(text: &str) -> Vec<&'static str> {
    let mut scored = distances(&squeezed(text));
    scored.sort();
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

/// The carriers that `name` is so near to that it is most likely one of them, mistyped.
fn slips_of(name: &str) -> Vec<&'static str> {
    let near = match name.chars().count() {
        0..=2 => return Vec::new(),
        3..=7 => 1,
        _ => 2,
    };
    let scored = distances(name);
    let best = scored.iter().map(|(distance, _)| *distance).min().unwrap_or(usize::MAX);
    if best > near {
        return Vec::new();
    }
    scored.into_iter().filter(|(distance, _)| *distance == best).map(|(_, name)| name).collect()
}

/// How far each carrier's nearest name is: letters to change, add, leave out or swap. Names of two
/// letters are near to too much.
fn distances(wanted: &str) -> Vec<(usize, &'static str)> {
    let nearest = |carrier: &Carrier| {
        let names = carrier.names().map(squeezed).filter(|name| name.chars().count() > 2);
        names.map(|name| strsim::osa_distance(wanted, &name)).min().unwrap_or(usize::MAX)
    };
    CARRIERS.iter().map(|carrier| (nearest(carrier), carrier.name)).collect()
}

/// Its words in lower case, without what stands between them.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn squeezed(text: &str) -> String {
    words(text).concat()
}

impl Carrier {
    fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.name, self.title].into_iter().chain(self.aliases.iter().copied())
    }

    /// The page where the buyer follows this parcel, where the carrier has one.
    pub(crate) fn url(&self, tracking: &str) -> Option<String> {
        let number = percent_encoding::utf8_percent_encode(tracking, percent_encoding::NON_ALPHANUMERIC).to_string();
        (!self.tracking_url.is_empty()).then(|| self.tracking_url.replacen("{}", &number, 1))
    }
}
