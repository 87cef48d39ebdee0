//! Whether a parcel can be sent to an address: what is surely wrong with it, and what may be.

use super::Address;

/// The codes of ISO 3166-1, and `XK`, which carriers use for Kosovo.
const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS \
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ \
    FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT \
    JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP \
    MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE \
    RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV \
    TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW";

/// Those that have no postcodes, or where parcels go without one.
const WITHOUT_POSTCODES: &str = "AE AG AO AW BF BI BJ BO BQ BS BW BZ CD CF CG CI CK CM CW DJ DM ER FJ GA GD GH GM GN GQ GY \
    HK IE JM KI KM KN KP LC LY ML MO MR MW NR NU PA QA RW SB SC SL SR SS ST SX SY TD TF TG TK TL TO TT TV TZ UG UM VU WS YE ZW";

fn is_among(codes: &str, code: &str) -> bool {
    codes.split(' ').any(|known| known == code)
}

impl Address {
    /// Why no parcel can be sent there; none where one perhaps can.
    pub(crate) fn undeliverable(&self) -> Option<String> {
        let is_blank = |part: &String| part.trim().is_empty();
        if self.is_blank() {
            return Some("it has no street, no town and no postcode".to_owned());
        }
        if is_blank(&self.city) && is_blank(&self.postcode) {
            return Some("it has neither town nor postcode".to_owned());
        }
        let country = self.country.trim();
        if country.is_empty() {
            return Some("it has no country".to_owned());
        }
        if !is_among(COUNTRIES, country) {
            let instead = match country {
                "UK" => "; the United Kingdom is GB",
                "EL" => "; Greece is GR",
                _ => ": two capitals (ISO 3166), as in DE, GB, US",
            };
            return Some(format!("{country:?} is no country's code{instead}"));
        }
        None
    }

    /// Whether a label cannot be without this part of [`Address::PARTS`], as the others stand.
    pub(crate) fn needs(&self, part: &str) -> bool {
        match part {
            "name" => self.company.trim().is_empty(),
            "company" => self.name.trim().is_empty(),
            "line1" | "city" | "country" => true,
            "postcode" => !is_among(WITHOUT_POSTCODES, self.country.trim()),
            _ => false,
        }
    }

    /// What a carrier may ask for and is not in it.
    pub(crate) fn lacks(&self) -> Vec<&'static str> {
        let is_blank = |part: &String| part.trim().is_empty();
        let wants_postcode = !is_among(WITHOUT_POSTCODES, self.country.trim());
        [
            (is_blank(&self.name) && is_blank(&self.company), "a name"),
            (is_blank(&self.line1) && is_blank(&self.line2), "a street"),
            (is_blank(&self.city), "a town"),
            (is_blank(&self.postcode) && wants_postcode, "a postcode"),
        ]
        .into_iter()
        .filter(|(lacks, _)| *lacks)
        .map(|(_, what)| what)
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::{Status, testing};

    #[test]
    fn what_surely_cannot_be_delivered_is_refused_and_what_may_be_is_told() {
        let good = testing::order("7", Status::AwaitingFulfillment).ship_to.remove(0);
        assert_eq!((good.undeliverable(), good.lacks()), (None, Vec::new()));
        let mut blank = good.clone();
        for part in blank.label_mut() {
            *part = "  ".into();
        }
        assert!(blank.undeliverable().is_some_and(|why| why.contains("no street")));
        for (country, told) in [("", "no country"), ("UK", "GB"), ("Germany", "ISO 3166"), ("de", "ISO 3166")] {
            let why = Address { country: country.into(), ..good.clone() }.undeliverable().unwrap();
            assert!(why.contains(told), "{country}: {why}");
        }
        let nowhere = Address { city: String::new(), postcode: " ".into(), ..good.clone() };
        assert!(nowhere.undeliverable().is_some());
        let lacking = Address { postcode: String::new(), name: String::new(), ..good.clone() };
        assert_eq!((lacking.undeliverable(), lacking.lacks()), (None, vec!["a name", "a postcode"]));
        let dubai = Address { country: "AE".into(), postcode: String::new(), ..good };
        assert_eq!((dubai.undeliverable(), dubai.lacks()), (None, Vec::new()));
        assert!(!dubai.needs("postcode") && lacking.needs("postcode") && !lacking.needs("line2"));
        assert!(lacking.needs("company"), "nobody else is named");
    }

    #[test]
    fn every_code_has_two_capitals_and_stands_once() {
        for codes in [COUNTRIES, WITHOUT_POSTCODES] {
            let all: Vec<&str> = codes.split(' ').collect();
            let is_code = |code: &&str| code.len() == 2 && code.bytes().all(|c| c.is_ascii_uppercase());
            assert!(all.iter().all(is_code) && all.windows(2).all(|pair| pair[0] < pair[1]), "{codes}");
        }
        assert!(WITHOUT_POSTCODES.split(' ').all(|code| is_among(COUNTRIES, code)));
    }
}
