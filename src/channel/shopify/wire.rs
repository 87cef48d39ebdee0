//! Shopify's answers as it spells them (Admin GraphQL `2026-10`). Everything personal may be null,
//! enums are texts because new members are no breaking change there, and unknown members are
//! skipped.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::channel::json::{nullable, or_missing};
use crate::error::{Error, ErrorKind};

/// What stands around the data of every answer.
#[derive(Deserialize)]
pub struct Envelope<'a> {
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    /// What went wrong.
    #[serde(default)]
    pub errors: Errors,
    /// Price and warnings.
    #[serde(default, deserialize_with = "or_missing")]
    pub extensions: Extensions,
}

impl<'a> Envelope<'a> {
    /// The data, where there is any.
    pub fn data(&self) -> Option<&'a RawValue> {
        self.data.filter(|data| data.get() != "null")
    }

    /// Whether there is any.
    pub fn has_data(&self) -> bool {
        self.data().is_some()
    }

    /// Whether anything that was asked for came to something: a member that failed is null.
    pub fn has_result(&self) -> bool {
        let members = self.data().and_then(|data| serde_json::from_str::<BTreeMap<&str, &RawValue>>(data.get()).ok());
        members.is_some_and(|members| members.values().any(|member| member.get() != "null"))
    }
}

/// `errors`: a list from GraphQL, a text or an object from the layers before it. Whatever stands
/// there says that something went wrong, so nothing in it may make the answer unreadable.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Value")]
pub enum Errors {
    /// A text.
    Text(String),
    /// A list.
    List(Vec<GraphError>),
    /// None.
    #[default]
    None,
}

impl From<Value> for Errors {
    fn from(errors: Value) -> Self {
        match errors {
            Value::Null => Self::None,
            Value::Array(entries) if entries.is_empty() => Self::None,
            Value::Array(entries) => Self::List(entries.into_iter().map(GraphError::from).collect()),
            Value::Object(members) if members.is_empty() => Self::None,
            // One error out of its list.
            Value::Object(members) if members.contains_key("message") || members.contains_key("extensions") => {
                Self::List(vec![GraphError::from(Value::Object(members))])
            }
            other => Self::Text(words(&other)),
        }
    }
}

impl Errors {
    /// Whether the query was refused for its price.
    pub fn is_too_dear(&self) -> bool {
        matches!(self, Self::List(errors) if errors.iter().any(|error| error.code() == TOO_DEAR))
    }
}

/// The code of a query that would cost more than one may.
pub const TOO_DEAR: &str = "MAX_COST_EXCEEDED";

/// The words in a value of any shape: those of `{"base":["not found"]}` are `base not found`.
fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            members.iter().map(|(name, value)| format!("{name} {}", words(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// One error of GraphQL's.
#[derive(Debug, Default)]
pub struct GraphError {
    /// What it says; may be empty.
    pub message: String,
    /// Where.
    pub path: Vec<Value>,
    /// What kind it is.
    pub extensions: ErrorExtensions,
}

impl From<Value> for GraphError {
    fn from(entry: Value) -> Self {
        if !entry.is_object() {
            return Self { message: words(&entry), ..Self::default() };
        }
        let text = |name: &str| entry["extensions"][name].as_str().map(str::to_owned);
        Self {
            message: words(&entry["message"]),
            path: entry["path"].as_array().cloned().unwrap_or_default(),
            extensions: ErrorExtensions { code: text("code"), required_access: text("requiredAccess") },
        }
    }
}

impl GraphError {
    /// Its code, empty without one.
    pub fn code(&self) -> &str {
        self.extensions.code.as_deref().unwrap_or_default()
    }

    /// Whether the app may not see something: a scope, or personal data that it is not approved
    /// for, which has no code.
    pub fn is_denied(&self) -> bool {
        self.code() == "ACCESS_DENIED" || self.message.contains("not approved to access")
    }
}

/// What kind an error is.
#[derive(Debug, Default)]
pub struct ErrorExtensions {
    /// `THROTTLED`, `ACCESS_DENIED` ...
    pub code: Option<String>,
    /// Which scope is missing, in words.
    pub required_access: Option<String>,
}

/// What comes beside the data. One part that is not as expected says nothing of the other.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Extensions {
    /// The price.
    #[serde(deserialize_with = "or_missing")]
    pub cost: Option<Cost>,
    search: Value,
}

impl Extensions {
    /// What the search did not understand in a filter, and therefore did not use: `invalid_field`
    /// ...
    pub fn search_warning(&self) -> Option<&str> {
        let warnings = self.search.as_array().into_iter().flatten().map(|search| &search["warnings"]);
        let given = warnings.filter_map(|warnings| match warnings {
            Value::Array(warnings) => warnings.first(),
            Value::Null => None,
            other => Some(other),
        });
        given.map(|warning| warning["code"].as_str().unwrap_or("unknown")).next()
    }
}

/// What a query cost.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cost {
    /// What was set aside for it.
    pub requested_query_cost: f64,
    /// What it came to; null for one that was not carried out.
    #[serde(default)]
    pub actual_query_cost: Option<f64>,
    /// The bucket after it.
    pub throttle_status: Throttle,
}

/// A bucket of points.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Throttle {
    /// What it holds.
    pub maximum_available: f64,
    /// What is in it.
    pub currently_available: f64,
    /// What flows in each second.
    pub restore_rate: f64,
}

impl Cost {
    /// How long until this query can be carried out: at least a second.
    pub fn wait(&self) -> Duration {
        let Throttle { currently_available, restore_rate, .. } = self.throttle_status;
        let seconds = (self.requested_query_cost - currently_available) / restore_rate.max(1.0);
        let wait = crate::http::told::seconds(seconds.ceil()).unwrap_or_default();
        wait.clamp(Duration::from_secs(1), Duration::from_secs(300))
    }
}

/// How many pieces. More than anybody orders is no number, so that what is counted up stays one.
pub fn pieces<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    maybe_pieces(deserializer)?.ok_or_else(|| serde::de::Error::custom("how many pieces is null"))
}

/// The same where it may be null.
fn maybe_pieces<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let count: Option<i64> = Option::deserialize(deserializer)?;
    if count.is_some_and(|count| count.unsigned_abs() > 1_000_000_000) {
        return Err(serde::de::Error::custom("more pieces than anybody orders"));
    }
    Ok(count)
}

/// Where a list goes on.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PageInfo {
    /// Whether there is more.
    pub has_next_page: bool,
    /// From where.
    pub end_cursor: Option<String>,
}

impl PageInfo {
    /// Whether it says that there is more and not where: taken for the end, what follows would be
    /// lost.
    pub fn is_torn(&self) -> bool {
        self.has_next_page && self.end_cursor.is_none()
    }

    /// Where it goes on, if it does.
    pub fn next(&self) -> Option<&str> {
        self.end_cursor.as_deref().filter(|_| self.has_next_page)
    }
}

/// A page of something.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound = "T: Deserialize<'de>")]
pub struct Nodes<T> {
    /// Where it goes on.
    #[serde(default)]
    pub page_info: PageInfo,
    /// What is on it.
    pub nodes: Vec<T>,
}

impl<T> Nodes<T> {
    /// Where a list goes on after this page of it, which was read at `after`. One that says there
    /// is more and does not move on is not at its end: what is not seen of it would be missing, or
    /// be taken for gone. `undone` is what was not done for want of it.
    ///
    /// # Errors
    /// `Unreadable` for a list that stands still.
    pub fn further(&self, after: Option<&str>, what: &str, undone: &str) -> crate::error::Result<Option<String>> {
        let next = self.page_info.next();
        let stands = next.is_some() && (self.nodes.is_empty() || next == after);
        if self.page_info.is_torn() || stands {
            let text = format!("Shopify's list of {what} does not move on; {undone}");
            return Err(Error::new(ErrorKind::Unreadable, text).hint("try again; if it stays so, tell Shopify"));
        }
        Ok(next.map(str::to_owned))
    }
}

impl<T> Default for Nodes<T> {
    fn default() -> Self {
        Self { page_info: PageInfo::default(), nodes: Vec::new() }
    }
}

/// The installed app.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct App {
    /// What its token may do.
    pub access_scopes: Vec<Scope>,
}

/// One scope.
#[derive(Debug, Deserialize)]
pub struct Scope {
    /// `read_orders` ...
    pub handle: String,
}

impl App {
    /// What the token may do.
    pub fn scopes(self) -> super::probe::Scopes {
        super::probe::Scopes(self.access_scopes.into_iter().map(|scope| scope.handle).collect())
    }
}

/// A page of orders.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Orders {
    /// The orders.
    pub orders: Nodes<Box<RawValue>>,
    /// The app, in the first page of a run.
    pub current_app_installation: Option<App>,
}

/// A page of orders of which only what tells versions apart is asked for.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Heads {
    /// The orders.
    pub orders: Nodes<Version>,
    /// The app.
    pub current_app_installation: Option<App>,
}

/// A version of an order.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// The order's id.
    pub id: String,
    /// When it was changed.
    pub updated_at: String,
}

/// One order.
#[derive(Deserialize)]
pub struct OneOrder {
    /// The order, where it exists.
    pub order: Option<Value>,
}

/// More lines of an order.
#[derive(Deserialize)]
pub struct Lines {
    /// The order, where it exists.
    pub order: Option<LinesOfOrder>,
}

/// The lines alone.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LinesOfOrder {
    /// A page of them.
    pub line_items: Nodes<Value>,
}

/// A count.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default)]
pub struct Count {
    /// How many.
    pub count: u64,
}

/// An order's id, whatever else is wrong with it.
#[derive(Default, Deserialize)]
#[serde(default)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    #[serde(deserialize_with = "or_missing")]
    pub id: Option<String>,
    #[serde(deserialize_with = "or_missing")]
    pub created_at: Option<String>,
    #[serde(deserialize_with = "or_missing")]
    pub updated_at: Option<String>,
}

/// The member of an order's document that says that bytes in it were no text.
pub const DAMAGED: &str = "damaged";

/// A refusal of a write.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Value")]
pub struct UserError {
    /// What it says.
    pub message: String,
}

impl From<Value> for UserError {
    fn from(error: Value) -> Self {
        let message = words(if error.is_object() { &error["message"] } else { &error });
        Self { message: if message.is_empty() { "no reason given".to_owned() } else { message } }
    }
}

/// An order's document.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    pub id: String,
    /// Bytes in it were no text and are replaced ([`DAMAGED`]).
    #[serde(default)]
    pub damaged: bool,
    pub name: String,
    pub confirmation_number: Option<String>,
    pub po_number: Option<String>,
    pub created_at: String,
    pub processed_at: Option<String>,
    pub updated_at: String,
    pub cancelled_at: Option<String>,
    pub cancel_reason: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub closed: bool,
    #[serde(default, deserialize_with = "nullable")]
    pub test: bool,
    #[serde(default, deserialize_with = "nullable")]
    pub edited: bool,
    pub display_financial_status: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub display_fulfillment_status: String,
    pub return_status: Option<String>,
    pub source_name: Option<String>,
    pub note: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub tags: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub custom_attributes: Vec<Attribute>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub customer: Option<Customer>,
    pub currency_code: String,
    pub presentment_currency_code: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub taxes_included: bool,
    #[serde(default, deserialize_with = "nullable")]
    pub payment_gateway_names: Vec<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub discount_codes: Vec<String>,
    pub shipping_address: Option<Address>,
    pub billing_address: Option<Address>,
    pub total_price_set: Option<Bag>,
    pub current_total_price_set: Option<Bag>,
    pub subtotal_price_set: Option<Bag>,
    pub current_subtotal_price_set: Option<Bag>,
    pub total_shipping_price_set: Option<Bag>,
    pub total_tax_set: Option<Bag>,
    pub current_total_tax_set: Option<Bag>,
    pub total_discounts_set: Option<Bag>,
    pub total_refunded_set: Option<Bag>,
    pub total_outstanding_set: Option<Bag>,
    #[serde(default, deserialize_with = "nullable")]
    pub current_tax_lines: Vec<TaxLine>,
    #[serde(default, deserialize_with = "nullable")]
    pub refunds: Vec<Refund>,
    #[serde(default, deserialize_with = "nullable")]
    pub fulfillments: Vec<Fulfillment>,
    #[serde(default, deserialize_with = "nullable")]
    pub transactions: Vec<Transaction>,
    #[serde(default, deserialize_with = "nullable")]
    pub shipping_lines: Nodes<ShippingLine>,
    #[serde(default, deserialize_with = "nullable")]
    pub line_items: Nodes<LineItem>,
    #[serde(default, deserialize_with = "nullable")]
    pub duties_included: bool,
    pub original_total_duties_set: Option<Bag>,
    pub current_total_duties_set: Option<Bag>,
    #[serde(default, deserialize_with = "nullable")]
    pub additional_fees: Vec<Fee>,
    /// Those that are open.
    #[serde(default, deserialize_with = "nullable")]
    pub fulfillment_orders: Nodes<Route>,
    /// Ours: so many members of its lists came, and there may be more.
    pub incomplete: Option<u32>,
}

/// A fee besides shipping and taxes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fee {
    pub id: String,
    #[serde(default, deserialize_with = "nullable")]
    pub name: String,
    pub price: Option<Bag>,
    #[serde(default, deserialize_with = "nullable")]
    pub tax_lines: Vec<TaxLine>,
}

/// A fulfilment order: goods of an order at one location. An order's document has of it what says
/// who brings them to the buyer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    #[serde(default)]
    pub id: String,
    #[serde(default, deserialize_with = "nullable")]
    pub status: String,
    #[serde(default, deserialize_with = "nullable")]
    pub request_status: String,
    #[serde(default, deserialize_with = "nullable")]
    pub supported_actions: Vec<Action>,
    pub delivery_method: Option<Method>,
    pub fulfill_at: Option<String>,
    #[serde(default)]
    pub assigned_location: Location,
    #[serde(default)]
    pub fulfillment_holds: Vec<Hold>,
    /// In an order's document only where goods of it go different ways.
    pub line_items: Option<Nodes<OpenLine>>,
}

/// Where the goods are.
#[derive(Debug, Default, Deserialize)]
pub struct Location {
    pub name: String,
    pub location: Option<Reference>,
}

/// Why goods are held back.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hold {
    pub display_reason: String,
}

/// Something that can be done with a fulfilment order.
#[derive(Debug, Deserialize)]
pub struct Action {
    pub action: String,
}

/// A way of delivery.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Method {
    pub method_type: String,
}

/// A line of a fulfilment order.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OpenLine {
    #[serde(default)]
    pub id: String,
    #[serde(deserialize_with = "pieces")]
    pub remaining_quantity: i64,
    pub line_item: Reference,
}

impl Route {
    /// Its lines, where they were asked for.
    pub fn lines(&self) -> &[OpenLine] {
        self.line_items.as_ref().map_or(&[], |lines| &lines.nodes)
    }

    /// Whether pieces of this line are left to ship.
    pub fn holds(&self, line: &str) -> bool {
        self.lines().iter().any(|open| super::number(&open.line_item.id) == line && open.remaining_quantity > 0)
    }

    /// Whether something is still to be done.
    pub fn is_open(&self) -> bool {
        matches!(&*self.status, "OPEN" | "IN_PROGRESS" | "ON_HOLD" | "SCHEDULED")
    }

    /// Whether the merchant can ship it now. Closed ones keep a remaining quantity after a
    /// cancelled fulfilment, so the quantity alone says nothing.
    pub fn can_ship(&self) -> bool {
        matches!(&*self.status, "OPEN" | "IN_PROGRESS")
            && self.can(&["CREATE_FULFILLMENT"])
            && self.by_others().is_none()
    }

    /// Its location and its method of delivery.
    pub fn group(&self) -> (&str, &str) {
        let location = &self.assigned_location;
        (location.location.as_ref().map_or(&location.name, |at| &at.id), self.method().unwrap_or_default())
    }

    fn method(&self) -> Option<&str> {
        self.delivery_method.as_ref().map(|method| &*method.method_type)
    }

    fn can(&self, wanted: &[&str]) -> bool {
        self.supported_actions.iter().any(|one| wanted.contains(&&*one.action))
    }

    /// Who brings the goods to the buyer, where it is not a parcel of the merchant's. What an app
    /// may not do with a fulfilment order says nothing of whose it is: only requests to a service
    /// do.
    pub fn by_others(&self) -> Option<&'static str> {
        const REQUESTED: [&str; 4] = ["SUBMITTED", "ACCEPTED", "CANCELLATION_REQUESTED", "CANCELLATION_REJECTED"];
        match self.method() {
            Some("PICK_UP") => Some(PICKED_UP),
            Some("LOCAL") => Some("brought to the buyer by the shop itself"),
            Some("RETAIL") => Some("handed over in the shop"),
            Some("NONE") => Some("needs no delivery"),
            _ if self.can(&["CREATE_FULFILLMENT"]) => None,
            _ if self.can(&["REQUEST_FULFILLMENT", "REQUEST_CANCELLATION", "EXTERNAL"]) => Some(BY_SERVICE),
            _ if REQUESTED.contains(&&*self.request_status) => Some(BY_SERVICE),
            _ => None,
        }
    }
}

/// The buyer comes for it.
pub const PICKED_UP: &str = "picked up by the buyer";

/// A fulfilment service has it.
pub const BY_SERVICE: &str = "shipped by a fulfilment service";

/// A label and a text.
#[derive(Debug, Deserialize)]
pub struct Attribute {
    pub key: String,
    pub value: Option<String>,
}

/// The customer's record, where there is one and the app may see it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    pub id: String,
    pub display_name: Option<String>,
}

/// An address; every part may be null.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Address {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub name: Option<String>,
    pub company: Option<String>,
    pub address1: Option<String>,
    pub address2: Option<String>,
    pub city: Option<String>,
    pub province: Option<String>,
    pub province_code: Option<String>,
    pub zip: Option<String>,
    pub country: Option<String>,
    pub country_code_v2: Option<String>,
    pub phone: Option<String>,
}

/// An amount in both currencies.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bag {
    /// In the shop's; left out where only the buyer's is asked for.
    pub shop_money: Option<Amount>,
    /// In the buyer's.
    pub presentment_money: Option<Amount>,
}

/// An amount: a decimal as text, of no fixed scale.
#[derive(Debug, Deserialize)]
pub struct Amount {
    pub amount: String,
}

/// A tax on the order.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaxLine {
    #[serde(default)]
    pub title: String,
    pub price_set: Option<Bag>,
}

/// A refund; which lines it has, its document does not say here (see [`super::query`]).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refund {
    pub id: String,
    pub created_at: Option<String>,
    pub note: Option<String>,
    pub total_refunded_set: Option<Bag>,
}

/// A parcel, or several with one content.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Fulfillment {
    pub id: String,
    #[serde(default, deserialize_with = "nullable")]
    pub status: String,
    pub created_at: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub tracking_info: Vec<Tracking>,
    #[serde(default, deserialize_with = "nullable")]
    pub fulfillment_line_items: Nodes<FulfillmentLine>,
}

/// A tracking number.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Tracking {
    pub company: Option<String>,
    pub number: Option<String>,
    pub url: Option<String>,
}

/// A line of a fulfilment.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FulfillmentLine {
    pub quantity: Option<u64>,
    pub line_item: Reference,
}

/// Something that is named by its id alone.
#[derive(Debug, Default, Deserialize)]
pub struct Reference {
    pub id: String,
}

/// A movement of money.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    #[serde(default, deserialize_with = "nullable")]
    pub kind: String,
    #[serde(default, deserialize_with = "nullable")]
    pub status: String,
    pub processed_at: Option<String>,
    pub payment_id: Option<String>,
}

/// A way of sending that the buyer chose.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShippingLine {
    pub id: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    pub title: String,
    pub code: Option<String>,
    pub discounted_price_set: Option<Bag>,
    #[serde(default, deserialize_with = "nullable")]
    pub tax_lines: Vec<TaxLine>,
}

/// A line.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LineItem {
    pub id: String,
    pub sku: Option<String>,
    pub title: String,
    pub variant_title: Option<String>,
    /// As ordered, with what was removed or given back since.
    #[serde(deserialize_with = "pieces")]
    pub quantity: i64,
    /// Still ordered.
    #[serde(deserialize_with = "pieces")]
    pub current_quantity: i64,
    /// Of it, not shipped.
    #[serde(default, deserialize_with = "maybe_pieces")]
    pub unfulfilled_quantity: Option<i64>,
    #[serde(default, deserialize_with = "nullable")]
    pub requires_shipping: bool,
    #[serde(default, deserialize_with = "nullable")]
    pub custom_attributes: Vec<Attribute>,
    pub variant: Option<Reference>,
    pub product: Option<Reference>,
    pub original_unit_price_set: Option<Bag>,
    #[serde(default, deserialize_with = "nullable")]
    pub discount_allocations: Vec<Allocation>,
    #[serde(default, deserialize_with = "nullable")]
    pub tax_lines: Vec<TaxLine>,
}

/// A part of a discount.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Allocation {
    pub allocated_amount_set: Option<Bag>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn f4_a_list_that_does_not_move_on_is_not_at_its_end() {
        let page = |json: Value| serde_json::from_value::<Nodes<Reference>>(json).unwrap();
        let cursor = |cursor: Value, nodes: &[&str]| {
            let nodes: Vec<Value> = nodes.iter().map(|id| json!({ "id": id })).collect();
            page(json!({ "pageInfo": { "hasNextPage": true, "endCursor": cursor }, "nodes": nodes }))
        };
        let further = |page: Nodes<Reference>| page.further(Some("a"), "x", "nothing was written");
        assert_eq!(further(cursor(json!("b"), &["1"])).unwrap().as_deref(), Some("b"));
        assert_eq!(further(page(json!({ "nodes": [] }))).unwrap(), None);
        for stuck in [cursor(json!("a"), &["1"]), cursor(json!("b"), &[]), cursor(Value::Null, &["1"])] {
            let error = further(stuck).unwrap_err();
            assert!(error.message().contains("does not move on; nothing was written"), "{error}");
        }
    }
}
