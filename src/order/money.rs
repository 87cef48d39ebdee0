//! Exact money: a decimal amount and its currency, never a float (I-8).

use std::fmt;
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An ISO 4217 code such as `EUR`, in capitals. Channels also send codes of their own making, so
/// any three to four letters or digits are accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 4]);

impl Currency {
    /// The code, or `None` where `code` is not three or four ASCII letters or digits.
    pub(crate) fn new(code: &str) -> Option<Self> {
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
    pub(crate) fn code(&self) -> &str {
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

/// An amount at its currency's own scale (ISO 4217): `254.4` EUR as `254.40`, `1500.00` JPY as
/// `1500`, `9.5` KWD as `9.500`. Nothing that is not zero is cut away. A code that is no currency
/// counts as one with cents.
pub(crate) fn scaled(amount: Decimal, currency: &str) -> String {
    let places = decimals(currency);
    let mut amount = amount.normalize();
    if amount.scale() < places {
        amount.rescale(places);
    }
    amount.to_string()
}

/// How many decimals a currency has (ISO 4217).
pub(crate) fn decimals(currency: &str) -> u32 {
    let places = iso_currency::Currency::from_code(currency).and_then(|currency| currency.exponent());
    u32::from(places.unwrap_or(2))
}

/// The largest amount or count that is believed, a quadrillion: no currency and no shop needs more,
/// and no sum of what one answer can hold comes near to what a [`Decimal`] can.
pub(crate) const LARGEST: Decimal = Decimal::from_parts(2_764_472_320, 232_830, 0, false, 0);

/// No number in an answer needs more signs.
const LONGEST: usize = 200;

/// Reads `29.35`, `-5`, `1e2` and the empty string (zero) as an exact decimal; anything else, and
/// what is larger than [`LARGEST`], is an error that repeats no part of the text beyond its first
/// 40 characters. The one way for numbers from outside.
pub(crate) fn parse_decimal(text: &str) -> Result<Decimal, String> {
    let text = text.trim();
    let shown = || text.chars().take(40).collect::<String>();
    if text.is_empty() {
        return Ok(Decimal::ZERO);
    }
    let read = if text.len() > LONGEST { None } else { Decimal::from_str(text).ok().or_else(|| scientific(text)) };
    let number = read.ok_or_else(|| format!("{:?} is not an amount", shown()))?;
    if number.abs() > LARGEST { Err(format!("{:?} is too large to be meant", shown())) } else { Ok(number) }
}

/// `1e2`, and `5.68e-14` with any exponent below zero, as sums of floats leave it behind: to the 28
/// places that a decimal has.
fn scientific(text: &str) -> Option<Decimal> {
    let (mantissa, exponent) = text.split_once(['e', 'E'])?;
    let mantissa = Decimal::from_str(mantissa).ok()?;
    let exponent: i32 = exponent.parse().ok()?;
    let step = if exponent < 0 { Decimal::new(1, 1) } else { Decimal::TEN };
    // Past this many tens nothing is left of a number, or it is none that is believed.
    let tens = exponent.unsigned_abs().min(64);
    (0..tens).try_fold(mantissa, |number, _| number.checked_mul(step))
}

/// A number out of the book, which an older version may have taken in without a bound: read as it
/// stands.
pub(crate) fn stored_decimal(text: &str) -> Result<Decimal, String> {
    parse_decimal(text).or_else(|why| Decimal::from_str(text.trim()).map_err(|_| why))
}

/// The sum of amounts or counts, or the largest there is: a sum of numbers that somebody else wrote
/// never ends the program.
pub(crate) fn sum(numbers: impl IntoIterator<Item = Decimal>) -> Decimal {
    numbers.into_iter().fold(Decimal::ZERO, Decimal::saturating_add)
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
    fn x7_a_number_that_nobody_means_is_none_and_no_sum_ends_the_program() {
        assert_eq!(LARGEST.to_string(), "1000000000000000");
        for good in
            ["1000000000000000", "-999999999999999.99", "5.6843418860808E-14", "1.4210854715202004e-14", "1e15", "+7"]
        {
            assert!(parse_decimal(good).is_ok(), "{good}");
        }
        assert_eq!(parse_decimal("1e-400").unwrap(), Decimal::ZERO);
        assert_eq!(parse_decimal("1.25e3").unwrap(), Decimal::from(1250));
        let long = "9".repeat(10_000);
        for bad in
            ["9e27", "7.9e28", "1e999", "-1e16", "1e99999999999", "1e", "e5", "1e1e1", "0x10", "1_0e", long.as_str()]
        {
            assert!(parse_decimal(bad).is_err(), "{bad}");
        }
        let large = stored_decimal("79228162514264337593543950335").unwrap();
        assert_eq!(sum([large, large]), Decimal::MAX);
    }

    proptest::proptest! {
        #[test]
        fn x7_what_is_read_is_bounded_whatever_the_text(text in "[-+]?[0-9]{0,40}([.,_][0-9]{0,40})?([eE][-+]?[0-9]{1,12})?|\\PC{0,20}") {
            if let Ok(number) = parse_decimal(&text) {
                proptest::prop_assert!(number.abs() <= LARGEST);
            }
            let _ = stored_decimal(&text);
        }
    }

    #[test]
    fn i8_an_amount_at_its_currencys_scale_is_the_same_amount() {
        let shown = |text: &str, currency| scaled(parse_decimal(text).unwrap(), currency);
        assert_eq!(shown("254.4", "EUR"), "254.40");
        assert_eq!(shown("131.9100", "USD"), "131.91");
        assert_eq!(shown("0.0125", "USD"), "0.0125");
        assert_eq!(shown("1500.00", "JPY"), "1500");
        assert_eq!(shown("9.5", "KWD"), "9.500");
        assert_eq!(
            (shown("1", "CLF"), shown("-1", "TND"), shown("1", "ISK")),
            ("1.0000".into(), "-1.000".into(), "1".into())
        );
        assert_eq!(shown("7", "BTC"), "7.00");
    }

    #[test]
    fn a_currency_is_a_short_code_in_capitals() {
        assert_eq!(Currency::new("eur").unwrap().code(), "EUR");
        assert!(Currency::new("€").is_none());
        assert!(Currency::new("").is_none());
    }
}
