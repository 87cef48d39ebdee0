use proptest::prelude::*;

use super::*;

fn known(text: &str) -> Option<&'static str> {
    match carrier_name(text) {
        CarrierName::Known(carrier) => Some(carrier.name),
        _ => None,
    }
}

#[test]
fn d6_plain_names_titles_and_aliases_mean_the_same_carrier() {
    for text in ["royal-mail", "Royal Mail", " ROYALMAIL ", "royal_mail"] {
        assert_eq!(known(text), Some("royal-mail"), "{text}");
    }
    assert_eq!((known("Österreichische Post"), known("post.at")), (Some("post-at"), Some("post-at")));
    assert_eq!(carrier_name("Brieftaube"), CarrierName::Unknown);
    assert_eq!(carrier_name(""), CarrierName::Unknown);
}

#[test]
fn d6_what_a_carrier_calls_its_services_is_that_carrier() {
    for (text, name) in [
        ("UPS Ground", "ups"),
        ("UPS 2nd Day Air", "ups"),
        ("USPS Ground Advantage", "usps"),
        ("usps priority mail express", "usps"),
        ("FedEx Home Delivery", "fedex"),
        ("FedEx SmartPost", "fedex"),
        ("Royal Mail Tracked 24", "royal-mail"),
        ("Royal Mail Special Delivery Guaranteed by 1pm", "royal-mail"),
        ("DPD Next Day", "dpd"),
        ("DPD UK Next Day", "dpd-uk"),
        ("DHL Paket International", "dhl-paket"),
        ("DHL Express Worldwide", "dhl-express"),
        ("La Poste Colissimo", "colissimo"),
    ] {
        assert_eq!(known(text), Some(name), "{text}");
    }
}

#[test]
fn d6_companies_of_one_family_are_different() {
    for (text, name) in [
        ("dhl", "dhl"),
        ("DHL Paket", "dhl-paket"),
        ("DHL Parcel DE", "dhl-paket"),
        ("DHL Express", "dhl-express"),
        ("DHL eCommerce", "dhl-ecommerce"),
        ("DHL Parcel UK", "dhl-parcel-uk"),
        ("DHL Parcel NL", "dhl-parcel-nl"),
        ("DHL Freight", "dhl-freight"),
        ("Hermes UK", "evri"),
        ("Hermes", "hermes"),
        ("Correos Express", "correos-express"),
        ("DPD Local", "dpd-local"),
        ("UPS Mail Innovations", "ups-mail-innovations"),
    ] {
        assert_eq!(known(text), Some(name), "{text}");
    }
    assert!(matches!(carrier_name("DHL Parcel"), CarrierName::Shared(names) if names.contains(&"dhl-parcel-uk")));
    assert!(matches!(carrier_name("DHL Parcel Connect"), CarrierName::Shared(_)));
    assert!(matches!(carrier_name("TNT Italy"), CarrierName::Begins(carrier) if carrier.name == "tnt"));
    let dhl = carrier("dhl").unwrap();
    assert_eq!((dhl.shopify, dhl.bigcommerce, dhl.aftership), ("", "", ""), "no company's own code");
    assert!(!dhl.url("00340434161094000119").unwrap().contains("express"));
}

#[test]
fn d6_a_slip_is_answered_with_the_nearest_names() {
    for (text, name) in [
        ("dlh", "dhl"),
        ("fedx", "fedex"),
        ("royal-mial", "royal-mail"),
        ("Fedx Ground", "fedex"),
        ("chronpost", "chronopost"),
    ] {
        assert!(matches!(carrier_name(text), CarrierName::Slip(names) if names.contains(&name)), "{text}");
    }
    assert!(
        matches!(carrier_name("USP"), CarrierName::Slip(names) if names.contains(&"ups") && names.contains(&"usps"))
    );
    assert_eq!(nearest_carriers("fedx")[0], "fedex");
    assert_eq!(nearest_carriers("royal-mial")[0], "royal-mail");
}

#[test]
fn the_table_is_sorted_and_without_doubles() {
    for pair in CARRIERS.windows(2) {
        assert!(pair[0].name < pair[1].name, "{} and {}", pair[0].name, pair[1].name);
    }
    for carrier in CARRIERS {
        assert!(carrier.tracking_url.is_empty() || carrier.tracking_url.starts_with("https://"), "{}", carrier.name);
        assert!(carrier.tracking_url.is_empty() || carrier.tracking_url.matches("{}").count() == 1, "{}", carrier.name);
    }
    for (name, companies) in SHARED {
        assert!(carrier(name).is_none() && companies.iter().all(|company| carrier(company).is_some()), "{name}");
    }
}

/// Carriers of one family stand under one code only where the channel has but one for the whole
/// family.
fn family(carrier: &Carrier) -> &'static str {
    carrier.name.split('-').next().unwrap_or(carrier.name)
}

#[test]
fn d6_no_name_leads_to_another_companys_code() {
    for one in CARRIERS {
        for name in one.names() {
            assert_eq!(carrier(name), Some(one), "{name}");
            assert_eq!(carrier_name(name), CarrierName::Known(one), "{name}");
        }
        for other in CARRIERS.iter().filter(|other| other.name != one.name) {
            let told = format!("{} and {}", one.name, other.name);
            let same = |code: fn(&Carrier) -> &'static str| !code(one).is_empty() && code(one) == code(other);
            assert!(!same(|c| c.bigcommerce), "{told}");
            let one_page =
                matches!(family(one), "postnord") || [one.name, other.name].iter().all(|n| n.starts_with("dhl-parcel"));
            assert!(!(same(|c| c.shopify) || same(|c| c.aftership)) || one_page, "{told}");
            let merged = woocommerce_merged(one, other);
            assert!(!same(|c| c.woocommerce) || family(one) == family(other) || merged, "{told}");
        }
    }
}

/// WooCommerce has one provider for two companies that merged.
fn woocommerce_merged(one: &Carrier, other: &Carrier) -> bool {
    [one, other].iter().all(|carrier| matches!(carrier.name, "lasership" | "ontrac"))
}

#[test]
fn d6_woocommerces_keys_are_those_of_its_own_list() {
    const KEYS: &str = "acs-courier amazon-logistics an-post aras-kargo australia-post azerpost bartolini-brt belpochta bpost bulgarian-posts
        canada-post cdek ceska-posta chronopost correos ctt cyprus-post deutsche-post dhl dpd econt eimskip elta evri-hermes fan-courier fastway
        fedex geniki-taxydromiki gls haypost helthjem hrvatska-posta inpost islandspostur itella kazpost la-poste-colissimo lasership-ontrac
        latvijas-pasts liechtensteinische-post magyar-posta makedonska-posta maltapost matkahuolto mondial-relay mpl mrw new-zealand-post
        nova-poshta omniva osterreichische-post parcelforce poczta-polska post-luxembourg posta-moldovei posta-romana poste-italiane
        poste-san-marino posten-norge-bring postnl postnord purolator royal-mail russian-post sda seur slovenska-posta spee-dee-delivery startrack
        swiss-post toll ukrposhta ups usps urgent-cargus yurtici-kargo zasilkovna";
    for carrier in CARRIERS.iter().filter(|carrier| !carrier.woocommerce.is_empty()) {
        assert!(KEYS.split_whitespace().any(|key| key == carrier.woocommerce), "{}", carrier.woocommerce);
    }
}

proptest! {
    /// Whatever is typed: where a carrier is found, the text begins with one of its own names.
    #[test]
    fn d6_a_carrier_is_never_found_in_a_name_that_is_not_its_own(text in "[a-zA-Z0-9 .-]{0,24}") {
        if let CarrierName::Known(found) = carrier_name(&text) {
            let text = squeezed(&text);
            prop_assert!(found.names().any(|name| text.starts_with(&squeezed(name))), "{text} is no {}", found.name);
        }
    }

    /// One letter more, less, other or swapped is never taken for another carrier without a word.
    #[test]
    fn d6_a_slip_of_one_name_is_not_another_carrier(nth in 0..CARRIERS.len(), at in 0usize..20, letter in "[a-z]", how in 0..3) {
        let carrier = &CARRIERS[nth];
        let mut letters: Vec<char> = carrier.name.chars().collect();
        let at = at % letters.len();
        match how {
            0 => letters.insert(at, letter.chars().next().unwrap()),
            1 => letters[at] = letter.chars().next().unwrap(),
            _ => letters.swap(at, (at + 1) % carrier.name.len()),
        }
        let slip: String = letters.into_iter().collect();
        if let CarrierName::Known(found) = carrier_name(&slip) {
            let own = found.names().any(|name| squeezed(name) == squeezed(&slip)) || squeezed(&slip).starts_with(&squeezed(found.name));
            prop_assert!(found == carrier || own, "{slip} was taken for {}", found.name);
        }
    }
}
