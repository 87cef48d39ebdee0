//! Exact money: a decimal amount and its currency, never a float (PRODUCT.md I-8).

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An ISO 4217 code such as `EUR`, in capitals. Channels also send codes of their own making, so any
/// three to four letters or digits are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 4]);

impl Currency {
    /// The code, or `None` where `code` is not three or four ASCII letters or digits.
    pub fn new(code: &str) -> Option<Self> {
        let code = code.trim();
        if !(3..=4).contains(&code.len()) || !code.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        let mut bytes = [b' '; 4];
        for (to, from) in bytes.iter_mut().zip(code.bytes()) {
            *to = from.to_ascii_uppercase();
        }
        Some(Self(bytes))
    }

    /// The code as text.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("").trim_end()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl TryFrom<String> for Currency {
    type Error = String;
    fn try_from(code: String) -> Result<Self, String> {
        Self::new(&code).ok_or_else(|| "not a currency code".to_owned())
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

/// An amount in a currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// The amount in major units, with as many decimals as the channel gave.
    pub amount: Decimal,
    /// Its currency.
    pub currency: Currency,
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount, self.currency)
    }
}

/// An amount for people: `254.4` as `254.40`, `131.9100` as `131.91`; nothing that is not zero is cut away.
pub fn for_people(amount: Decimal, currency: &str) -> String {
    // The currencies in use without minor units (ISO 4217).
    const WHOLE: [&str; 16] = [
        "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF",
    ];
    let mut amount = amount.normalize();
    let least = if WHOLE.contains(&currency) { 0 } else { 2 };
    if amount.scale() < least {
        amount.rescale(least);
    }
    amount.to_string()
}

/// Reads `29.35`, `-5`, `1e2` and the empty string (zero) as an exact decimal; anything else is an
/// error that repeats no part of the text beyond its first 40 characters.
pub fn parse_decimal(text: &str) -> Result<Decimal, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Decimal::ZERO);
    }
    Decimal::from_str(text)
        .or_else(|_| Decimal::from_scientific(text))
        .map_err(|_| format!("{:?} is not an amount", text.chars().take(40).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i8_amounts_are_exact_and_keep_their_decimals() {
        assert_eq!(parse_decimal("29.350").unwrap().to_string(), "29.350");
        assert_eq!(parse_decimal("").unwrap(), Decimal::ZERO);
        assert_eq!(parse_decimal("-5.00").unwrap().to_string(), "-5.00");
        assert_eq!(parse_decimal("1e2").unwrap(), Decimal::from(100));
        assert!(parse_decimal("12,50").is_err());
        assert!(parse_decimal("NaN").is_err());
    }

    #[test]
    fn i8_what_people_read_is_the_same_amount() {
        let shown = |text: &str, currency| for_people(parse_decimal(text).unwrap(), currency);
        assert_eq!(shown("254.4", "EUR"), "254.40");
        assert_eq!(shown("131.9100", "USD"), "131.91");
        assert_eq!(shown("0.0125", "USD"), "0.0125");
        assert_eq!(shown("1500.00", "JPY"), "1500");
    }

    #[test]
    fn a_currency_is_a_short_code_in_capitals() {
        assert_eq!(Currency::new("eur").unwrap().code(), "EUR");
        assert!(Currency::new("€").is_none());
        assert!(Currency::new("").is_none());
    }
}
