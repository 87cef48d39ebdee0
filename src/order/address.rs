//! Postal addresses.

use serde::{Deserialize, Serialize};

/// A postal address as the channel holds it. An empty string means that the channel gave nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Address {
    /// The channel's id of this address within the order, where it has one (BigCommerce
    /// `order_address_id`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) remote_id: Option<String>,
    /// First and last name in one, as it goes on a label.
    pub(crate) name: String,
    /// Company.
    pub company: String,
    /// Street and house number.
    pub(crate) line1: String,
    /// Second address line.
    pub(crate) line2: String,
    /// Town.
    pub city: String,
    /// State, province or county: a code or a name, as the channel gives it.
    pub(crate) region: String,
    /// Postcode.
    pub postcode: String,
    /// ISO 3166-1 alpha-2 country code.
    pub country: String,
    /// Phone number for the courier.
    pub phone: String,
    /// E-mail for delivery notices.
    pub email: String,
}

impl Address {
    /// Whether there is nowhere to deliver to: no street, town or postcode.
    pub(crate) fn is_blank(&self) -> bool {
        [&self.line1, &self.line2, &self.city, &self.postcode].iter().all(|part| part.trim().is_empty())
    }

    /// Whether a parcel with this label goes to the same door and person. Case, spacing, phone and
    /// e-mail do not count.
    pub(crate) fn same_place(&self, other: &Self) -> bool {
        let label =
            |a: &Self| a.label().map(|part| part.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase());
        label(self) == label(other)
    }

    /// The parts by their names.
    pub(crate) const PARTS: [&'static str; 10] =
        ["name", "company", "line1", "line2", "city", "region", "postcode", "country", "phone", "email"];

    /// The part with this name of [`Address::PARTS`].
    pub(crate) fn part_mut(&mut self, name: &str) -> Option<&mut String> {
        Some(match name {
            "name" => &mut self.name,
            "company" => &mut self.company,
            "line1" => &mut self.line1,
            "line2" => &mut self.line2,
            "city" => &mut self.city,
            "region" => &mut self.region,
            "postcode" => &mut self.postcode,
            "country" => &mut self.country,
            "phone" => &mut self.phone,
            "email" => &mut self.email,
            _ => return None,
        })
    }

    /// All of it on one line; personal data.
    pub(crate) fn in_words(&self) -> String {
        let [name, company, line1, line2, city, region, postcode, country] = self.label();
        let parts = [name, company, line1, line2, postcode, city, region, country, &self.phone, &self.email];
        let told: Vec<&str> = parts.iter().map(|part| part.trim()).filter(|part| !part.is_empty()).collect();
        if told.is_empty() { "none".to_owned() } else { told.join(", ") }
    }

    /// What is on the label.
    pub(super) fn label(&self) -> [&String; 8] {
        [&self.name, &self.company, &self.line1, &self.line2, &self.city, &self.region, &self.postcode, &self.country]
    }

    /// The same parts in the same order, to be written.
    pub(crate) fn label_mut(&mut self) -> [&mut String; 8] {
        let Self { name, company, line1, line2, city, region, postcode, country, .. } = self;
        [name, company, line1, line2, city, region, postcode, country]
    }
}
