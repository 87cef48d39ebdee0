//! JSON as servers spell it, read for what it means: text comes as text or as a number, a list as a
//! list or as an object, nothing as null, `""`, `[]` or not at all. A number keeps the digits that
//! it was sent with: money never passes through a float (I-8).

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use rust_decimal::Decimal;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::order::parse_decimal;

/// Declares documents: every member may be missing, and what can be borrowed is.
macro_rules! documents {
    ($($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $member:ident: $type:ty),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Default, serde::Deserialize)]
        #[serde(default)]
        pub(crate) struct $name<'a> { $($(#[$of])* #[serde(borrow)] pub $member: $type),* }
    )*};
}
pub(crate) use documents;

/// Text that may come as text, number, bool or null. A list and an object count as empty. For what
/// is counted or paid, [`Amount`] is exact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl Text<'_> {
    /// The text, trimmed.
    pub(crate) fn get(&self) -> &str {
        self.0.trim()
    }

    /// The text as an id; `None` for nothing and for 0, which servers write for it.
    pub(crate) fn id(&self) -> Option<&str> {
        Some(self.get()).filter(|id| !id.is_empty() && *id != "0")
    }

    /// Whether it says yes.
    pub(crate) fn is_true(&self) -> bool {
        self.get() == "true"
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        Ok(Self(match raw.as_bytes().first() {
            Some(b'{' | b'[') => Cow::Borrowed(""),
            _ => scalar(raw).map_err(D::Error::custom)?,
        }))
    }
}

/// An amount or a quantity: text, number or null. A list, an object or a bool is no amount: taken
/// for nothing, it would make an order free of charge. It costs the order only where it is asked
/// for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Amount<'a>(Cow<'a, str>);

impl Amount<'_> {
    /// The amount as it came, trimmed.
    pub(crate) fn get(&self) -> &str {
        self.0.trim()
    }

    /// The amount; nothing is zero.
    ///
    /// # Errors
    /// It is none, named by its `member`; nothing of what stands in a list or an object is
    /// repeated.
    pub(crate) fn decimal(&self, member: &str) -> Result<Decimal, String> {
        match self.get().as_bytes().first() {
            Some(b'{') => Err(format!("{member} is an object")),
            Some(b'[') => Err(format!("{member} is a list")),
            _ => parse_decimal(self.get()).map_err(|why| format!("{member}: {why}")),
        }
    }

    /// The amount where there must be one: an order without it is not understood.
    ///
    /// # Errors
    /// It is missing or none.
    pub(crate) fn given(&self, member: &str) -> Result<Decimal, String> {
        if self.get().is_empty() { Err(format!("{member} is missing")) } else { self.decimal(member) }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Amount<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&'de RawValue>::deserialize(deserializer)?.get();
        scalar(raw).map(Self).map_err(D::Error::custom)
    }
}

/// The text in a text; nothing in null; anything else as it stands.
fn scalar(raw: &str) -> serde_json::Result<Cow<'_, str>> {
    match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(plain) if memchr::memchr(b'\\', plain.as_bytes()).is_none() => Ok(Cow::Borrowed(plain)),
        Some(_) => serde_json::from_str(raw).map(Cow::Owned),
        None if raw == "null" => Ok(Cow::Borrowed("")),
        None => Ok(Cow::Borrowed(raw)),
    }
}

/// A list. What comes in its place (a link to it, null, `""`) is none.
#[derive(Debug, Clone)]
pub(crate) struct Many<T> {
    /// The rows; none where it was no list.
    pub(crate) rows: Vec<T>,
    /// Whether it came as a list.
    pub(crate) listed: bool,
}

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), listed: false }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Many<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = deserializer.deserialize_any(Lenient::<ListOnly<T>>(PhantomData))?;
        Ok(read.map_or_else(Self::default, |rows| Self { rows, listed: true }))
    }
}

impl<T> Many<T> {
    /// The rows where there must be a list: a document that has none tells nothing of it, and taken
    /// for one without rows it would empty what the book has (P-11).
    ///
    /// # Errors
    /// It came as none, or not at all.
    pub(crate) fn given(&self, member: &str) -> Result<&[T], String> {
        if self.listed { Ok(&self.rows) } else { Err(no_list(member)) }
    }
}

fn no_list(member: &str) -> String {
    format!("{member} is not in the document")
}

/// A list that may come as an object of its rows, as PHP writes a list with gaps; and whether it
/// came as one.
#[derive(Debug, Clone)]
pub(crate) struct Keyed<T>(pub(crate) Vec<T>, bool);

impl<T> Keyed<T> {
    /// The rows where there must be a list, as those of [`Many::given`].
    ///
    /// # Errors
    /// The same.
    pub(crate) fn given(&self, member: &str) -> Result<&[T], String> {
        if self.1 { Ok(&self.0) } else { Err(no_list(member)) }
    }
}

impl<T> Default for Keyed<T> {
    fn default() -> Self {
        Self(Vec::new(), false)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Keyed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = deserializer.deserialize_any(Lenient::<ListOrObject<T>>(PhantomData))?;
        Ok(read.map_or_else(Self::default, |rows| Self(rows, true)))
    }
}

/// An object. What comes in its place (null, `""`, an empty list) is one without members.
#[derive(Debug, Clone, Default)]
pub(crate) struct Maybe<T>(pub(crate) T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = deserializer.deserialize_any(Lenient::<ObjectOnly<T>>(PhantomData))?;
        Ok(Self(read.unwrap_or_default()))
    }
}

/// What a value is made of. The shapes that it does not read are skipped.
trait Shape<'de> {
    type Value;

    fn list<A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self::Value>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Self::Value>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

struct ListOnly<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Shape<'de> for ListOnly<T> {
    type Value = Vec<T>;

    fn list<A: SeqAccess<'de>>(list: A) -> Result<Option<Vec<T>>, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(list)).map(Some)
    }
}

struct ListOrObject<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Shape<'de> for ListOrObject<T> {
    type Value = Vec<T>;

    fn list<A: SeqAccess<'de>>(list: A) -> Result<Option<Vec<T>>, A::Error> {
        ListOnly::list(list)
    }

    fn object<A: MapAccess<'de>>(mut object: A) -> Result<Option<Vec<T>>, A::Error> {
        let mut rows = Vec::new();
        while let Some((_, row)) = object.next_entry::<IgnoredAny, T>()? {
            rows.push(row);
        }
        Ok(Some(rows))
    }
}

struct ObjectOnly<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Shape<'de> for ObjectOnly<T> {
    type Value = T;

    fn object<A: MapAccess<'de>>(object: A) -> Result<Option<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(object)).map(Some)
    }
}

/// Reads a shape; a scalar in its place is nothing.
struct Lenient<S>(PhantomData<S>);

impl<'de, S: Shape<'de>> Visitor<'de> for Lenient<S> {
    type Value = Option<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or an object")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        S::list(list)
    }
    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        S::object(object)
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }
    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// A member that is missing where it has another shape: what stands beside the data must not spoil
/// it.
pub(crate) fn or_missing<'de, D: Deserializer<'de>, T: Default + DeserializeOwned>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(serde_json::from_value(serde_json::Value::deserialize(deserializer)?).unwrap_or_default())
}

/// A member that may be null.
pub(crate) fn nullable<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    documents! {
        /// One member of each kind.
        Sample {
            text: Text<'a>,
            amount: Amount<'a>,
            many: Many<Text<'a>>,
            keyed: Keyed<Text<'a>>,
            maybe: Maybe<Inner<'a>>,
        }

        /// An object in an object.
        Inner { text: Text<'a> }
    }

    fn read(json: &str) -> Sample<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn text_is_read_from_whatever_can_be_one() {
        for (json, text) in [
            (r#"" a\u00e9\n""#, "aé"),
            (r#""plain""#, "plain"),
            ("7", "7"),
            ("-1.5", "-1.5"),
            ("18446744073709551616", "18446744073709551616"),
            ("-9223372036854775809", "-9223372036854775809"),
            ("0.10000000000000000001", "0.10000000000000000001"),
            ("true", "true"),
            ("null", ""),
            (r#""""#, ""),
            ("[1]", ""),
            (r#"{"a":1}"#, ""),
        ] {
            assert_eq!(read(&format!(r#"{{"text":{json}}}"#)).text.get(), text, "{json}");
        }
        let ids = ["0", r#""0""#, r#""""#, "null", "17"].map(|id| format!(r#"{{"text":{id}}}"#));
        assert_eq!(ids.each_ref().map(|json| read(json).text.id().is_some()), [false, false, false, false, true]);
        assert!(serde_json::from_str::<Sample<'_>>(r#"{"text":"\ud800"}"#).is_err());
    }

    #[test]
    fn i4_what_is_no_amount_is_not_taken_for_nothing() {
        for (bad, why) in [("[]", "a list"), (r#"{"a":"Ann"}"#, "an object"), ("true", "not an amount")] {
            let json = format!(r#"{{"amount":{bad}}}"#);
            let error = read(&json).amount.given("total").unwrap_err();
            assert!(error.starts_with("total") && error.contains(why) && !error.contains("Ann"), "{error}");
        }
        assert!(read(r#"{"amount":"x"}"#).amount.decimal("total").unwrap_err().starts_with("total: "));
        assert_eq!(read(r#"{"amount":null}"#).amount.decimal("total"), Ok(Decimal::ZERO));
        assert_eq!(read(r#"{"amount":""}"#).amount.given("total"), Err("total is missing".to_owned()));
    }

    #[test]
    fn lists_and_objects_are_read_from_whatever_stands_for_them() {
        let many = |json: &str| {
            let json = format!(r#"{{"many":{json}}}"#);
            let many = read(&json).many;
            (many.listed, many.rows.len())
        };
        assert_eq!(["[]", "[1,2]"].map(many), [(true, 0), (true, 2)]);
        assert_eq!([r#"{"url":"x"}"#, "null", r#""""#, "false", "7", "-1", "1.5"].map(many), [(false, 0); 7]);
        let keyed = |json: &str| read(&format!(r#"{{"keyed":{json}}}"#)).keyed.0.len();
        assert_eq!(["[1,2]", r#"{"1":"a","7":"b"}"#, "null", r#""""#, "0", "{}"].map(keyed), [2, 2, 0, 0, 0, 0]);
        let maybe = |json: &str| {
            let json = format!(r#"{{"maybe":{json}}}"#);
            read(&json).maybe.0.text.get().to_owned()
        };
        assert_eq!([r#"{"text":1}"#, "[]", "null", r#""x""#, "true", "-1.5"].map(maybe), ["1", "", "", "", "", ""]);
    }

    proptest! {
        /// Whether a shop sends it as text or as a number.
        #[test]
        fn i8_an_amount_keeps_its_digits(digits in "-?(0|[1-9][0-9]{0,12})\\.[0-9]{1,14}") {
            for json in [format!(r#"{{"amount":{digits}}}"#), format!(r#"{{"amount":"{digits}"}}"#)] {
                let read = read(&json);
                prop_assert_eq!(read.amount.get(), digits.as_str());
                prop_assert_eq!(read.amount.decimal("x").unwrap(), digits.parse::<Decimal>().unwrap());
            }
        }

        #[test]
        fn any_text_is_read_as_it_was_meant(text in "\\PC{0,40}") {
            let json = serde_json::json!({ "text": &text }).to_string();
            let read = read(&json);
            prop_assert_eq!(&*read.text.0, text.as_str());
        }
    }
}
