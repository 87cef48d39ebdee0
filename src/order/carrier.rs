//! One table of carriers: plain names to each channel's codes (PRODUCT.md D-6).

/// A carrier ordersync knows by a plain name.
#[derive(Debug)]
pub struct Carrier {
    /// The name on the command line: `royal-mail`.
    pub name: &'static str,
    /// The name people read: `Royal Mail`.
    pub title: &'static str,
    /// Other spellings that mean it, in lower case.
    pub aliases: &'static [&'static str],
    /// Its tracking page, with `{}` where the number goes.
    pub tracking_url: &'static str,
    /// WooCommerce: the provider key of core order fulfilments (`_shipment_provider`).
    pub woocommerce: &'static str,
    /// Shopify: the `company` that gets a link of its own (schema, `FulfillmentTrackingInfo.company`, exact spelling); empty: not on its list.
    pub shopify: &'static str,
    /// BigCommerce: the `shipping_provider`; empty: not on its list.
    pub bigcommerce: &'static str,
    /// BigCommerce: the `tracking_carrier`, an AfterShip courier slug; empty: none is known for sure.
    pub aftership: &'static str,
}

macro_rules! carriers {
    ($($name:literal, $title:literal, [$($alias:literal),*], $url:literal, woo $woo:literal, shopify $shopify:literal, big $big:literal $slug:literal;)*) => {
        /// Every carrier, sorted by name.
        pub const CARRIERS: &[Carrier] = &[$(Carrier {
            name: $name, title: $title, aliases: &[$($alias),*], tracking_url: $url, woocommerce: $woo,
            shopify: $shopify, bigcommerce: $big, aftership: $slug,
        }),*];
    };
}

carriers! {
    "australia-post", "Australia Post", ["auspost", "australia post"], "https://auspost.com.au/mypost/track/#/details/{}", woo "australia-post", shopify "Australia Post", big "auspost" "australia-post";
    "bpost", "bpost", ["b-post"], "https://track.bpost.cloud/btr/web/#/search?itemCode={}", woo "bpost", shopify "BPost", big "" "bpost";
    "canada-post", "Canada Post", ["canadapost", "canada post", "postes canada"], "https://www.canadapost-postescanada.ca/track-reperage/en#/search?searchFor={}", woo "canada-post", shopify "Canada Post", big "canadapost" "canada-post";
    "chronopost", "Chronopost", [], "https://www.chronopost.fr/tracking-no-cms/suivi-page?listeNumerosLT={}", woo "chronopost", shopify "Chronopost", big "" "chronopost-france";
    "colissimo", "Colissimo", ["la poste", "laposte", "la poste colissimo"], "https://www.laposte.fr/outils/suivre-vos-envois?code={}", woo "la-poste", shopify "La Poste Colissimo", big "" "la-poste-colissimo";
    "correos", "Correos", [], "https://www.correos.es/es/es/herramientas/localizador/envios/detalle?tracking-number={}", woo "correos", shopify "Correos", big "" "spain-correos-es";
    "deutsche-post", "Deutsche Post", ["deutsche post", "dp"], "https://www.deutschepost.de/de/s/sendungsverfolgung.html?piececode={}", woo "deutsche-post", shopify "Deutsche Post", big "" "deutsch-post";
    "dhl", "DHL", ["dhl express", "dhl paket", "dhl parcel", "dhl-express"], "https://www.dhl.com/en/express/tracking.html?AWB={}", woo "dhl", shopify "DHL Express", big "" "dhl";
    "dpd", "DPD", ["dpd uk", "dpd de"], "https://tracking.dpd.de/parcelstatus?query={}", woo "dpd", shopify "DPD", big "" "dpd";
    "evri", "Evri", ["hermes uk", "myhermes"], "https://www.evri.com/track/parcel/{}", woo "evri", shopify "Evri", big "" "";
    "fedex", "FedEx", ["federal express", "fed ex"], "https://www.fedex.com/fedextrack/?trknbr={}", woo "fedex", shopify "FedEx", big "fedex" "fedex";
    "gls", "GLS", ["general logistics systems"], "https://gls-group.eu/track/{}", woo "gls", shopify "GLS", big "" "gls";
    "hermes", "Hermes", ["hermes de", "myhermes de"], "https://www.myhermes.de/empfangen/sendungsverfolgung/sendungsinformation/#{}", woo "hermes", shopify "Hermes", big "" "hermes-de";
    "inpost", "InPost", ["in post", "paczkomaty"], "https://inpost.pl/sledzenie-przesylek?number={}", woo "inpost", shopify "Inpost", big "" "inpost-paczkomaty";
    "japan-post", "Japan Post", ["japanpost", "japan post"], "https://trackings.post.japanpost.jp/services/srv/search/direct?reqCodeNo1={}", woo "japan-post", shopify "Japan Post (EN)", big "" "japan-post";
    "parcelforce", "Parcelforce", ["parcel force"], "https://www.parcelforce.com/track-trace?trackNumber={}", woo "parcelforce", shopify "Parcelforce", big "" "parcel-force";
    "poczta-polska", "Poczta Polska", ["poczta polska"], "https://emonitoring.poczta-polska.pl/?numer={}", woo "poczta-polska", shopify "", big "" "poczta-polska";
    "post-at", "Österreichische Post", ["austrian post", "post.at", "oesterreichische post"], "https://www.post.at/sv/sendungsdetails?snr={}", woo "austria-post", shopify "Österreichische Post", big "" "austrian-post";
    "post-ch", "Swiss Post", ["swiss post", "die post", "post.ch"], "https://service.post.ch/ekp-web/ui/entry/search/{}", woo "swiss-post", shopify "Swiss Post", big "" "swiss-post";
    "postnl", "PostNL", ["post nl", "tnt post"], "https://postnl.nl/tracktrace/?B={}", woo "postnl", shopify "PostNL", big "" "postnl";
    "postnord", "PostNord", ["post nord"], "https://portal.postnord.com/tracking/details/{}", woo "postnord", shopify "", big "" "postnord";
    "royal-mail", "Royal Mail", ["royalmail", "royal mail"], "https://www.royalmail.com/track-your-item#/tracking-results/{}", woo "royal-mail", shopify "Royal Mail", big "royalmail" "royal-mail";
    "seur", "SEUR", [], "https://www.seur.com/livetracking/?segOnlineIdentificador={}", woo "seur", shopify "SEUR", big "" "spanish-seur";
    "tnt", "TNT", ["tnt express"], "https://www.tnt.com/express/en_gb/site/shipping-tools/tracking.html?searchType=con&cons={}", woo "tnt", shopify "TNT", big "" "tnt";
    "ups", "UPS", ["united parcel service"], "https://www.ups.com/track?tracknum={}", woo "ups", shopify "UPS", big "ups" "ups";
    "usps", "USPS", ["us postal service", "united states postal service"], "https://tools.usps.com/go/TrackConfirmAction?tLabels={}", woo "usps", shopify "USPS", big "usps" "usps";
    "yodel", "Yodel", [], "https://www.yodel.co.uk/tracking/{}", woo "yodel", shopify "Yodel", big "" "yodel";
}

/// The carrier with this plain name, title or alias; case and surrounding space do not count.
pub fn carrier(text: &str) -> Option<&'static Carrier> {
    let wanted = text.trim().to_lowercase();
    CARRIERS
        .iter()
        .find(|c| c.name == wanted || c.title.to_lowercase() == wanted || c.aliases.contains(&wanted.as_str()))
}

/// The plain names that look most like `text`, the best first, for an error message.
pub fn nearest_carriers(text: &str) -> Vec<&'static str> {
    let wanted = text.trim().to_lowercase();
    let mut scored: Vec<(usize, &str)> = CARRIERS.iter().map(|c| (edits(&wanted, c.name), c.name)).collect();
    scored.sort();
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

/// Levenshtein distance: names are short, so the plain table is enough.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut corner = i;
        for (j, cb) in b.iter().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or(0);
            let left = if j == 0 { i + 1 } else { row.get(j).copied().unwrap_or(0) };
            let cell = (corner + usize::from(ca != *cb)).min(above + 1).min(left + 1);
            corner = above;
            if j == 0 {
                row[0] = i + 1;
            }
            row[j + 1] = cell;
        }
    }
    row.last().copied().unwrap_or(0)
}

impl Carrier {
    /// The page where the buyer follows this parcel.
    pub fn url(&self, tracking: &str) -> String {
        let number = percent_encoding::utf8_percent_encode(tracking, percent_encoding::NON_ALPHANUMERIC).to_string();
        self.tracking_url.replacen("{}", &number, 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d6_plain_names_titles_and_aliases_mean_the_same_carrier() {
        for text in ["royal-mail", "Royal Mail", " ROYALMAIL "] {
            assert_eq!(carrier(text).map(|c| c.name), Some("royal-mail"), "{text}");
        }
        assert!(carrier("pigeon").is_none());
    }

    #[test]
    fn d6_a_typo_is_answered_with_the_nearest_names() {
        assert_eq!(nearest_carriers("fedx")[0], "fedex");
        assert_eq!(nearest_carriers("royal-mial")[0], "royal-mail");
    }

    #[test]
    fn the_table_is_sorted_and_without_doubles() {
        assert!(CARRIERS.windows(2).all(|pair| pair[0].name < pair[1].name));
    }
}
