//! One document for one order: its row as the shop gives it, less what is not ours to keep, and
//! beside it, under `ordersync`, the shipments, credit memos and invoices, which the shop keeps
//! elsewhere.
//!
//! Of an order no more is asked for than is read ([`WANTED`]), and no more is kept, whatever comes:
//! a whole order is ten times as long, names each of its lines four times, and holds what the
//! payment gateway left behind. A member that is null is as good as left out, so an order read
//! alone has the same document as the same order in a list.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::api::Api;
use super::map::{self, METHOD_TITLE, amount};
use super::status::Statuses;
use super::wire::{Creditmemo, Head, Invoice, Pair, Shipment};
use crate::channel::json::Amount;
use crate::channel::parts::{Rows, by_order, joined};
use crate::channel::rows::{broken, dug, nameless};
use crate::channel::{Found, RemoteOrder, Unshown};
use crate::error::{Error, ErrorKind, Result};

/// The members of an order that are read, as the parameter `fields` takes them.
pub(crate) const WANTED: &str = "entity_id,increment_id,state,status,hold_before_state,hold_before_status,created_at,updated_at,order_currency_code,base_currency_code,\
discount_amount,discount_description,coupon_code,tax_amount,shipping_amount,shipping_tax_amount,shipping_discount_amount,\
shipping_discount_tax_compensation_amount,shipping_description,grand_total,total_paid,total_due,total_refunded,base_subtotal,\
base_discount_amount,base_discount_tax_compensation_amount,base_tax_amount,base_shipping_amount,base_grand_total,\
base_total_refunded,is_virtual,store_id,store_name,remote_ip,customer_id,customer_email,customer_prefix,customer_firstname,customer_middlename,customer_lastname,customer_suffix,\
customer_taxvat,customer_note,relation_parent_real_id,original_increment_id,relation_child_real_id,ext_order_id,\
items[item_id,parent_item_id,product_id,product_type,sku,name,is_virtual,qty_ordered,qty_canceled,qty_invoiced,qty_refunded,\
qty_shipped,price,row_total_incl_tax,tax_amount,discount_amount,discount_tax_compensation_amount,amount_refunded,\
product_option[extension_attributes[custom_options[option_id,option_value]]],\
extension_attributes[gift_message[sender,recipient,message]]],\
billing_address[prefix,firstname,middlename,lastname,suffix,company,street,city,region,region_code,postcode,country_id,telephone,email,vat_id],\
payment[method,last_trans_id,po_number],\
extension_attributes[shipping_assignments[shipping[method,address[prefix,firstname,middlename,lastname,suffix,company,street,city,region,region_code,\
postcode,country_id,telephone,email,vat_id]]],payment_additional_info[key,value],gift_message[sender,recipient,message],\
pickup_location_code]";

/// The same, as the tree by which a row is cut.
static ORDER: LazyLock<Wanted<'static>> = LazyLock::new(|| Wanted::of(WANTED));

/// The same of a shipment, and of a credit memo.
pub(crate) const SHIPMENT: &str = "entity_id,increment_id,order_id,created_at,items[order_item_id,qty],\
tracks[entity_id,parent_id,created_at,track_number,title,carrier_code],comments[comment]";
const CREDITMEMO: &str = "entity_id,order_id,state,created_at,grand_total,\
items[order_item_id,qty,price,row_total,tax_amount,discount_amount,discount_tax_compensation_amount],comments[comment]";

/// Of an invoice what tells when it was paid.
const INVOICE: &str = "entity_id,order_id,state,created_at";

/// The list among what the gateway left of which one pair is kept: the name of the way of payment.
const GATEWAY: &str = "payment_additional_info";

/// The address of the buyer's machine, of which is kept that there was one: what a program makes
/// has none.
const MACHINE: &str = "remote_ip";

/// What the buyer typed or chose in an option. Of a file its name is kept: beside it stand the
/// server's paths and the key that opens it.
const CHOSEN: &str = "option_value";

/// The lists of what belongs to orders.
pub(crate) const SHIPMENTS: &str = "shipments";
const CREDITMEMOS: &str = "creditmemos";
const INVOICES: &str = "invoices";

/// What the first version of the program did not ask for, and the member that tells what was: a
/// member without a value is left out, so nothing else tells whether the shop was asked for it.
pub(crate) const ASKED: [&str; 2] = ["parts of names", "options"];
const ASKED_FOR: &str = "asked";

/// Orders with all that belongs to them. What belongs to several is read together; an order at
/// whose parts the shop fails costs one order.
pub(crate) fn complete(api: &Api, statuses: &Statuses, rows: &[&RawValue]) -> Result<Found> {
    let heads: Vec<Head<'_>> = rows.iter().map(|row| serde_json::from_str(row.get()).unwrap_or_default()).collect();
    let ids = |asks: fn(&Head<'_>) -> bool| -> Vec<&str> {
        heads.iter().filter(|head| asks(head)).filter_map(|head| numeric(head.entity_id.id()?)).collect()
    };
    // A shipment that a program has made past the counts (`POST shipment`) is one all the same.
    let (shipped, refunded) = (ids(|_| true), ids(is_refunded));
    let paid = ids(|head| counts(&head.total_paid));
    let facts = api.facts();
    let shipments = of_orders(api, SHIPMENTS, &shipped, facts.shipments)?;
    let memos = of_orders(api, CREDITMEMOS, &refunded, facts.creditmemos)?;
    let invoices = of_orders(api, INVOICES, &paid, facts.invoices)?;
    let mut found = Found::default();
    for (row, head) in rows.iter().zip(&heads) {
        let id = head.entity_id.id().unwrap_or_default();
        // A list that moves while it is read has an order twice.
        let parts = [(SHIPMENTS, shipments.get(id)), (CREDITMEMOS, memos.get(id)), (INVOICES, invoices.get(id))];
        let parts = parts.into_iter().filter_map(|(name, rows)| Some(rows?.clone().map(|rows| (name, rows))));
        match parts.collect::<Result<Vec<_>>>() {
            Ok(parts) => found.orders.push(remote(row, parts, statuses)?),
            Err(error) if error.is_too_much() => {
                let why = format!(
                    "its shipments, its credit memos or its invoices, which the shop keeps apart: {}",
                    error.message()
                );
                found.unshown.push(Unshown::of(id.to_owned(), &Error::new(error.kind(), why)));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn numeric(id: &str) -> Option<&str> {
    id.bytes().all(|b| b.is_ascii_digit()).then_some(id)
}

fn counts(amounts: &Amount<'_>) -> bool {
    amount(amounts, "").is_ok_and(|count| !count.is_zero())
}

fn is_refunded(head: &Head<'_>) -> bool {
    counts(&head.total_refunded) || head.items.0.iter().flatten().any(|item| counts(&item.qty_refunded))
}

/// The rows of another list by their orders; in halves where the shop fails at several.
fn of_orders(api: &Api, list: &'static str, ids: &[&str], readable: bool) -> Result<BTreeMap<String, Result<Rows>>> {
    let mut found = BTreeMap::new();
    if !readable {
        return Ok(found);
    }
    let mut asked: Vec<&[&str]> = ids.chunks(super::api::MOST_IDS).collect();
    while let Some(ids) = asked.pop() {
        match read(api, list, ids) {
            Ok(rows) => found.extend(rows.into_iter().map(|(order, rows)| (order, Ok(rows)))),
            Err(error) if error.is_too_much() => {
                // An outage fails at each of them, and is no fault of any.
                super::list::is_well(api)?;
                match ids {
                    [id] => drop(found.insert((*id).to_owned(), Err(error))),
                    ids => asked.extend(ids.chunks(ids.len().div_ceil(2))),
                }
            }
            // A key may be refused it: then the order's own counts are what is known.
            Err(error) if error.kind() == ErrorKind::Permission => return Ok(BTreeMap::new()),
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

fn read(api: &Api, list: &'static str, ids: &[&str]) -> Result<BTreeMap<String, Rows>> {
    let fields = match list {
        SHIPMENTS => SHIPMENT,
        INVOICES => INVOICE,
        _ => CREDITMEMO,
    };
    let tree = Wanted::of(fields);
    let rows = api.of_orders(list, ids, fields)?.iter().map(|row| tree.kept(row)).collect::<Result<Rows>>()?;
    let order = |row: &RawValue| {
        let order = match list {
            SHIPMENTS => serde_json::from_str::<Shipment<'_>>(row.get()).ok()?.order_id,
            INVOICES => serde_json::from_str::<Invoice<'_>>(row.get()).ok()?.order_id,
            _ => serde_json::from_str::<Creditmemo<'_>>(row.get()).ok()?.order_id,
        };
        Some(order.get().to_owned())
    };
    by_order(rows, ids, order)
        .ok_or_else(|| super::list::odd(&format!("{list} of other orders came than of those asked for")))
}

/// The order's row with its parts as it is kept, and what could be made of it. Of what is no JSON
/// nothing is kept but its id: what is in it, nobody can tell.
fn remote(row: &RawValue, mut parts: Vec<(&'static str, Rows)>, statuses: &Statuses) -> Result<RemoteOrder> {
    let id = || dug(row, "entity_id");
    let named = |id: Option<String>| id.unwrap_or_else(|| nameless(row.get()));
    if let Some(why) = broken(row) {
        let id = id();
        let document = serde_json::value::to_raw_value(&serde_json::json!({ "entity_id": id })).map_err(unwritten)?;
        return Ok(RemoteOrder { remote_id: named(id), document, order: Err(why.to_owned()) });
    }
    let asked = ASKED.iter().map(|asked| serde_json::value::to_raw_value(asked).map_err(unwritten));
    parts.push((ASKED_FOR, asked.collect::<Result<Rows>>()?));
    let document = joined(&ORDER.kept(row)?, &parts)?;
    let order = map::order(document.get(), statuses).map(Box::new);
    let remote_id = order.as_ref().map_or_else(|_| named(id()), |order| order.remote_id.clone());
    Ok(RemoteOrder { remote_id, document, order })
}

fn unwritten(_: serde_json::Error) -> Error {
    Error::new(ErrorKind::Unreadable, "an order cannot be written down again; nothing was imported of this page")
}

/// A tree of the members that are wanted; one without branches is wanted as a whole.
struct Wanted<'f>(Vec<(&'f str, Self)>);

impl<'f> Wanted<'f> {
    /// The tree that a list of `fields` stands for.
    fn of(fields: &'f str) -> Self {
        Self::read(&mut fields.trim())
    }

    fn read(rest: &mut &'f str) -> Self {
        let mut members = Vec::new();
        while let Some(end) = rest.find([',', '[', ']']).or((!rest.is_empty()).then_some(rest.len())) {
            let (name, behind) = rest.split_at(end);
            *rest = behind.get(1..).unwrap_or_default();
            let branch = if behind.starts_with('[') { Self::read(rest) } else { Self(Vec::new()) };
            if !name.is_empty() {
                members.push((name, branch));
            }
            if behind.starts_with(']') {
                break;
            }
        }
        Self(members)
    }

    /// What of a document is wanted.
    fn kept(&self, document: &RawValue) -> Result<Box<RawValue>> {
        let mut text = String::with_capacity(document.get().len());
        self.write(document.get(), &mut text);
        RawValue::from_string(text).map_err(unwritten)
    }

    /// Writes what is wanted; what has another shape than a list or an object is kept as it is.
    fn write(&self, json: &str, to: &mut String) {
        match json.as_bytes().first() {
            Some(b'{') if !self.0.is_empty() => {
                let members = serde_json::from_str::<Members<'_>>(json).map(|members| members.0).unwrap_or_default();
                to.push('{');
                let start = to.len();
                for (name, branch) in &self.0 {
                    let value = members.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.get());
                    if let Some(value) = value.filter(|value| *value != "null") {
                        to.push_str(if to.len() > start { ",\"" } else { "\"" });
                        to.push_str(name);
                        to.push_str("\":");
                        branch.named(name, value, to);
                    }
                }
                to.push('}');
            }
            Some(b'[') if !self.0.is_empty() => self.list(json, |_| true, to),
            _ => to.push_str(json),
        }
    }

    fn named(&self, name: &str, json: &str, to: &mut String) {
        let is_title = |row: &RawValue| {
            serde_json::from_str::<Pair<'_>>(row.get()).is_ok_and(|pair| pair.key.get() == METHOD_TITLE)
        };
        match name {
            GATEWAY if json.starts_with('[') => self.list(json, is_title, to),
            GATEWAY => to.push_str("[]"),
            "payment" if !json.starts_with('{') => to.push_str("{}"),
            CHOSEN => match name_of_file(json) {
                Some(name) => to.push_str(&Value::from(name).to_string()),
                None => self.write(json, to),
            },
            MACHINE => to.push_str(if json.trim_matches('"').is_empty() { "\"\"" } else { "\"not kept\"" }),
            _ => self.write(json, to),
        }
    }

    fn list(&self, json: &str, keeps: impl Fn(&RawValue) -> bool, to: &mut String) {
        let rows: Vec<&RawValue> = serde_json::from_str(json).unwrap_or_default();
        to.push('[');
        for (nth, row) in rows.into_iter().filter(|row| keeps(row)).enumerate() {
            if nth > 0 {
                to.push(',');
            }
            // A list in a list is nothing that is wanted, and may be as deep as it likes.
            match row.get().as_bytes().first() {
                Some(b'[') => to.push_str("[]"),
                _ => self.write(row.get(), to),
            }
        }
        to.push(']');
    }
}

/// The name in what the shop tells of a file: its type, its name, places on the server, sizes, a key
/// and a link, with commas between.
fn name_of_file(json: &str) -> Option<String> {
    let text: String = serde_json::from_str(json).ok()?;
    let (kind, rest) = text.split_once(',')?;
    let is_word =
        |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"-+._".contains(&b));
    let is_type = kind.split_once('/').is_some_and(|(kind, of)| is_word(kind) && is_word(of));
    let behind = rest.find(",custom_options/").filter(|_| is_type)?;
    rest.get(..behind).map(str::to_owned)
}

/// The members of an object in their order.
#[derive(Default)]
struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Of;
        impl<'de> Visitor<'de> for Of {
            type Value = Vec<(Cow<'de, str>, &'de RawValue)>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> std::result::Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = object.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Of).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    fn kept(fields: &str, json: &str) -> String {
        Wanted::of(fields).kept(&raw(json)).unwrap().get().to_owned()
    }

    #[test]
    fn what_is_not_asked_for_is_not_kept_and_digits_stay() {
        let fields = "a,items[id,sub[x]],c";
        let json = r#"{"c":9.0700000000000003,"z":1,"a":null,"items":[{"id":1,"sub":{"x":[1, 2],"y":3}},{"y":1}]}"#;
        assert_eq!(kept(fields, json), r#"{"items":[{"id":1,"sub":{"x":[1, 2]}},{}],"c":9.0700000000000003}"#);
        assert_eq!(kept(fields, r#"{"items":null,"a":""}"#), r#"{"a":""}"#);
        assert_eq!(kept(fields, r#"{"items":"none"}"#), r#"{"items":"none"}"#);
        assert_eq!(kept(fields, "null"), "null");
        // As deep as it likes.
        let deep = format!(r#"{{"items":{}{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
        assert_eq!(kept(fields, &deep), r#"{"items":[[]]}"#);
    }

    #[test]
    fn x3_nothing_of_cards_gateways_and_addresses_of_machines_is_kept() {
        let json = r#"{"entity_id":7,"remote_ip":"203.0.113.7","x_forwarded_for":"203.0.113.8","protect_code":"5ecr3t",
            "payment":{"method":"stripe","cc_last4":"4242","cc_exp_year":"2031","additional_information":["tok_5ecr3t"],"last_trans_id":"ch_1"},
            "extension_attributes":{"payment_additional_info":[{"key":"token","value":"tok_5ecr3t"},{"key":"method_title","value":"Card"}]}}"#;
        let found = remote(&raw(json), Vec::new(), &Statuses::new()).unwrap();
        for secret in ["203.0.113", "5ecr3t", "4242", "2031", "additional_information", "tok"] {
            assert!(!found.document.get().contains(secret), "{secret}: {}", found.document.get());
        }
        assert!(found.document.get().contains(r#"[{"key":"method_title","value":"Card"}]"#));
        // Of a buyer's file its name, and not the key that opens it.
        let file = "image/jpeg,Ann, at sea.jpg,custom_options/quote/A/n/5f.jpg,custom_options/order/A/n/5f.jpg,/var/www/pub/media/5f.jpg,9134,640,480,5ecr3t,https://shop.test/sales/download/downloadCustomOption/id/7/key/5ecr3t/";
        let json = format!(
            r#"{{"items":[{{"product_option":{{"extension_attributes":{{"custom_options":[{{"option_id":"12","option_value":"{file}"}},
            {{"option_id":"13","option_value":"text/x,y"}}]}}}}}}]}}"#
        );
        let found = remote(&raw(&json), Vec::new(), &Statuses::new()).unwrap();
        let options =
            r#"[{"option_id":"12","option_value":"Ann, at sea.jpg"},{"option_id":"13","option_value":"text/x,y"}]"#;
        assert!(found.document.get().contains(options), "{}", found.document.get());
        let broken = serde_json::to_string(r#"{"entity_id":8,"payment":{"cc_last4":"4242"},"x":01}"#).unwrap();
        let found = remote(&raw(&broken), Vec::new(), &Statuses::new()).unwrap();
        assert_eq!((found.remote_id.as_str(), found.document.get()), ("8", r#"{"entity_id":"8"}"#));
        assert!(found.order.is_err());
    }
}
