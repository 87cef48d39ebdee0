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
pub(crate) struct Envelope<'a> {
    #[serde(borrow, default)]
    data: Option<&'a RawValue>,
    /// What went wrong.
    #[serde(default)]
    pub(crate) errors: Errors,
    /// Price and warnings.
    #[serde(default, deserialize_with = "or_missing")]
    pub(crate) extensions: Extensions,
}

impl<'a> Envelope<'a> {
    /// The data, where there is any.
    pub(crate) fn data(&self) -> Option<&'a RawValue> {
        self.data.filter(|data| data.get() != "null")
    }

    /// Whether there is any.
    pub(crate) fn has_data(&self) -> bool {
        self.data().is_some()
    }

    /// Whether anything that was asked for came to something: a member that failed is null.
    pub(crate) fn has_result(&self) -> bool {
        let members = self.data().and_then(|data| serde_json::from_str::<BTreeMap<&str, &RawValue>>(data.get()).ok());
        members.is_some_and(|members| members.values().any(|member| member.get() != "null"))
    }
}

/// `errors`: a list from GraphQL, a text or an object from the layers before it. Whatever stands
/// there says that something went wrong, so nothing in it may make the answer unreadable.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Value")]
pub(crate) struct Errors(pub(crate) Vec<GraphError>);

impl From<Value> for Errors {
    fn from(errors: Value) -> Self {
        Self(match errors {
            Value::Null => Vec::new(),
            Value::Array(entries) => entries.into_iter().map(GraphError::from).collect(),
            Value::Object(members) if members.is_empty() => Vec::new(),
            other => vec![GraphError::from(other)],
        })
    }
}

/// The code of a query that would cost more than one may.
pub(crate) const TOO_DEAR: &str = "MAX_COST_EXCEEDED";

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
pub(crate) struct GraphError {
    /// What it says; may be empty.
    pub(crate) message: String,
    /// Where.
    pub(crate) path: Vec<Value>,
    /// What kind it is: `THROTTLED`, `ACCESS_DENIED` ...; empty where that is not told.
    pub(crate) code: String,
    /// Which scope is missing, in words.
    pub(crate) required_access: Option<String>,
}

impl From<Value> for GraphError {
    fn from(entry: Value) -> Self {
        if entry.get("message").or(entry.get("extensions")).is_none() {
            return Self { message: words(&entry), ..Self::default() };
        }
        let text = |name: &str| entry["extensions"][name].as_str().map(str::to_owned);
        Self {
            message: words(&entry["message"]),
            path: entry["path"].as_array().cloned().unwrap_or_default(),
            code: text("code").unwrap_or_default(),
            required_access: text("requiredAccess"),
        }
    }
}

impl GraphError {
    /// Whether the app may not see something: a scope, or personal data that it is not approved
    /// for, which has no code.
    pub(crate) fn is_denied(&self) -> bool {
        self.code == "ACCESS_DENIED" || self.message.contains("not approved to access")
    }
}

/// What comes beside the data. One part that is not as expected says nothing of the other.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Extensions {
    /// The price.
    #[serde(deserialize_with = "or_missing")]
    pub(crate) cost: Option<Cost>,
    search: Value,
}

impl Extensions {
    /// What the search did not understand in a filter, and therefore did not use: `invalid_field`
    /// ...
    pub(crate) fn search_warning(&self) -> Option<&str> {
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
pub(crate) struct Cost {
    /// What was set aside for it.
    pub(crate) requested_query_cost: f64,
    /// What it came to; null for one that was not carried out.
    #[serde(default)]
    pub(crate) actual_query_cost: Option<f64>,
    /// The bucket after it.
    pub(crate) throttle_status: Throttle,
}

/// A bucket of points.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Throttle {
    /// What it holds.
    pub(crate) maximum_available: f64,
    /// What is in it.
    pub(crate) currently_available: f64,
    /// What flows in each second.
    pub(crate) restore_rate: f64,
}

impl Cost {
    /// How long until this query can be carried out: at least a second.
    pub(crate) fn wait(&self) -> Duration {
        let Throttle { currently_available, restore_rate, .. } = self.throttle_status;
        let seconds = (self.requested_query_cost - currently_available) / restore_rate.max(1.0);
        let wait = crate::http::told::seconds(seconds.ceil()).unwrap_or_default();
        wait.clamp(Duration::from_secs(1), Duration::from_secs(300))
    }
}

/// How many pieces. More than anybody orders is no number, so that what is counted up stays one.
pub(crate) fn pieces<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
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

/// Declares objects. The members in brackets must be there, the others may be null or missing.
macro_rules! objects {
    ($($(#[$doc:meta])* $name:ident
        $([$($(#[$of:meta])* $needed:ident: $as:ty),* $(,)?])?
        { $($(#[$on:meta])* $member:ident: $type:ty),* $(,)? }
    )*) => {$(
        $(#[$doc])*
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub(crate) struct $name {
            $($($(#[$of])* pub $needed: $as,)*)?
            $($(#[$on])* #[serde(default, deserialize_with = "nullable")] pub $member: $type,)*
        }
    )*};
}

pub(super) use objects;

/// Where a list goes on.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

/// A page of something.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", bound = "T: Deserialize<'de>")]
pub(crate) struct Nodes<T> {
    /// Where it goes on.
    #[serde(default)]
    pub(crate) page_info: PageInfo,
    /// What is on it.
    pub(crate) nodes: Vec<T>,
}

impl<T> Nodes<T> {
    /// Where a list goes on after this page of it, which was read at `after`. One that says there
    /// is more and not where, or does not move on, is not at its end: what is not seen of it would
    /// be missing, or be taken for gone. `undone` is what was not done for want of it.
    ///
    /// # Errors
    /// `Unreadable` for a list that stands still.
    pub(crate) fn further(
        &self,
        after: Option<&str>,
        what: &str,
        undone: &str,
    ) -> crate::error::Result<Option<String>> {
        if !self.page_info.has_next_page {
            return Ok(None);
        }
        let next = self.page_info.end_cursor.clone();
        if next.is_none() || next.as_deref() == after || self.nodes.is_empty() {
            let text = format!("Shopify's list of {what} does not move on; {undone}");
            return Err(Error::new(ErrorKind::Unreadable, text).hint("try again; if it stays so, tell Shopify"));
        }
        Ok(next)
    }
}

impl<T> Default for Nodes<T> {
    fn default() -> Self {
        Self { page_info: PageInfo::default(), nodes: Vec::new() }
    }
}

/// A page of orders, and what was asked for beside it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound = "T: Deserialize<'de>")]
pub(crate) struct Orders<T> {
    /// The orders.
    pub(crate) orders: Nodes<T>,
    /// How many there are.
    pub(crate) orders_count: Option<Count>,
    /// The app.
    pub(crate) current_app_installation: Option<App>,
    /// How those stand that were held back when it was last asked.
    #[serde(default = "Vec::new")]
    pub(crate) known: Vec<Option<Held>>,
    /// Those that are held back.
    #[serde(default = "Nodes::default")]
    pub(crate) held: Nodes<Held>,
    /// The fulfilment orders that are, where the app may see such.
    pub(crate) waiting: Option<Nodes<Waiting>>,
}

/// An order's id and times, whatever else is wrong with it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(crate) struct Head {
    #[serde(deserialize_with = "or_missing")]
    pub(crate) id: Option<String>,
    #[serde(deserialize_with = "or_missing")]
    pub(crate) created_at: Option<String>,
    #[serde(deserialize_with = "or_missing")]
    pub(crate) updated_at: Option<String>,
}

/// The member of an order's document that says that bytes in it were no text.
pub(crate) const DAMAGED: &str = "damaged";

/// A refusal of a write.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Value")]
pub(crate) struct UserError {
    /// What kind it is, where that is told.
    pub(crate) code: String,
    /// What it says.
    pub(crate) message: String,
}

impl From<Value> for UserError {
    fn from(error: Value) -> Self {
        let message = words(if error.is_object() { &error["message"] } else { &error });
        let message = if message.is_empty() { "no reason given".to_owned() } else { message };
        Self { code: words(&error["code"]), message }
    }
}

impl Route {
    /// Its lines, where they were asked for.
    pub(crate) fn lines(&self) -> &[OpenLine] {
        self.line_items.as_ref().map_or(&[], |lines| &lines.nodes)
    }

    /// Whether pieces of this line are left to ship.
    pub(crate) fn holds(&self, line: &str) -> bool {
        self.lines().iter().any(|open| super::number(&open.line_item.id) == line && open.remaining_quantity > 0)
    }

    /// Whether something is still to be done.
    pub(crate) fn is_open(&self) -> bool {
        matches!(&*self.status, "OPEN" | "IN_PROGRESS" | "ON_HOLD" | "SCHEDULED" | INCOMPLETE)
    }

    /// Whether what is in it needs no delivery.
    pub(crate) fn is_undelivered(&self) -> bool {
        self.method() == Some("NONE")
    }

    /// Whether the merchant can ship it now, or say of what needs no delivery that it is done.
    /// Closed ones keep a remaining quantity after a cancelled fulfilment, so the quantity alone says
    /// nothing.
    pub(crate) fn can_ship(&self) -> bool {
        matches!(&*self.status, "OPEN" | "IN_PROGRESS" | INCOMPLETE)
            && self.can(&["CREATE_FULFILLMENT"])
            && self.by_others().is_none_or(|way| way == UNDELIVERED)
    }

    /// Its location and its method of delivery.
    pub(crate) fn group(&self) -> (&str, &str) {
        let place = match &self.assigned_location {
            Some(Location { location: Some(at), .. }) => &at.id,
            Some(at) => &at.name,
            None => "",
        };
        (place, self.method().unwrap_or_default())
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
    pub(crate) fn by_others(&self) -> Option<&'static str> {
        const REQUESTED: [&str; 4] = ["SUBMITTED", "ACCEPTED", "CANCELLATION_REQUESTED", "CANCELLATION_REJECTED"];
        match self.method() {
            Some("PICK_UP") => Some(PICKED_UP),
            Some("LOCAL") => Some("brought to the buyer by the shop itself"),
            Some("RETAIL") => Some("handed over in the shop"),
            Some("NONE") => Some(UNDELIVERED),
            // The service has given it back, whatever can be asked of one again.
            _ if self.status == INCOMPLETE => None,
            _ if self.can(&["CREATE_FULFILLMENT"]) => None,
            _ if self.can(&["REQUEST_FULFILLMENT", "REQUEST_CANCELLATION", "EXTERNAL"]) => Some(BY_SERVICE),
            _ if REQUESTED.contains(&&*self.request_status) => Some(BY_SERVICE),
            _ => None,
        }
    }
}

/// A service could not go on with it: it is the merchant's to move, to give back, or to hand to a
/// service again.
pub(crate) const INCOMPLETE: &str = "INCOMPLETE";

/// Downloads and the like.
const UNDELIVERED: &str = "needs no delivery";

/// The buyer comes for it.
pub(crate) const PICKED_UP: &str = "picked up by the buyer";

/// A fulfilment service has it.
pub(crate) const BY_SERVICE: &str = "shipped by a fulfilment service";

objects! {
    /// The installed app.
    App { access_scopes: Vec<Scope> }

    /// One thing that its token may do.
    Scope { handle: String }

    /// An order that was held back.
    Held [id: String, display_fulfillment_status: String] { updated_at: Option<String> }

    /// A fulfilment order that is held back.
    Waiting { order_id: Option<String>, updated_at: Option<String> }

    /// Things that were asked for by their ids, each in its place.
    Listed { nodes: Vec<Option<Value>> }

    /// The order that something is of.
    Owner { order_id: Option<String> }

    /// One order.
    OneOrder { order: Option<Value> }

    /// More lines of an order.
    Lines { order: Option<LinesOfOrder> }

    /// The lines alone.
    LinesOfOrder [line_items: Nodes<Value>] {}

    /// How many.
    Count { count: u64 }

    /// An order's document.
    Order [
        id: String,
        name: String,
        created_at: String,
        updated_at: String,
        currency_code: String,
    ] {
        /// Bytes in it were no text and are replaced ([`DAMAGED`]).
        damaged: bool,
        confirmation_number: Option<String>,
        po_number: Option<String>,
        processed_at: Option<String>,
        cancelled_at: Option<String>,
        cancel_reason: Option<String>,
        closed: bool,
        test: bool,
        edited: bool,
        display_financial_status: Option<String>,
        display_fulfillment_status: String,
        return_status: Option<String>,
        source_name: String,
        source_identifier: Option<String>,
        note: String,
        tags: Vec<String>,
        custom_attributes: Vec<Attribute>,
        email: String,
        phone: String,
        customer: Option<Customer>,
        presentment_currency_code: String,
        taxes_included: bool,
        payment_gateway_names: Vec<String>,
        discount_codes: Vec<String>,
        shipping_address: Option<Address>,
        billing_address: Option<Address>,
        total_price_set: Option<Bag>,
        current_total_price_set: Option<Bag>,
        subtotal_price_set: Option<Bag>,
        current_subtotal_price_set: Option<Bag>,
        total_shipping_price_set: Option<Bag>,
        total_tax_set: Option<Bag>,
        current_total_tax_set: Option<Bag>,
        total_discounts_set: Option<Bag>,
        total_refunded_set: Option<Bag>,
        total_outstanding_set: Option<Bag>,
        current_tax_lines: Vec<TaxLine>,
        refunds: Vec<Refund>,
        fulfillments: Vec<Fulfillment>,
        transactions: Vec<Transaction>,
        shipping_lines: Nodes<ShippingLine>,
        line_items: Nodes<LineItem>,
        duties_included: bool,
        original_total_duties_set: Option<Bag>,
        current_total_duties_set: Option<Bag>,
        additional_fees: Vec<Fee>,
        /// Those that are open.
        fulfillment_orders: Nodes<Route>,
        /// Ours: so many members of its lists came, and there may be more.
        incomplete: Option<u32>,
    }

    /// A fee besides shipping and taxes.
    Fee [id: String] { name: String, price: Option<Bag>, tax_lines: Vec<TaxLine> }

    /// A fulfilment order: goods of an order at one location. An order's document has of it what
    /// says who brings them to the buyer.
    Route {
        id: String,
        status: String,
        request_status: String,
        supported_actions: Vec<Action>,
        delivery_method: Option<Method>,
        fulfill_at: Option<String>,
        assigned_location: Option<Location>,
        fulfillment_holds: Vec<Hold>,
        /// In an order's document only where goods of it go different ways.
        line_items: Option<Nodes<OpenLine>>,
    }

    /// Something that can be done with a fulfilment order.
    Action [action: String] {}

    /// A way of delivery.
    Method [method_type: String] {}

    /// Where the goods are.
    Location [name: String] { location: Option<Reference> }

    /// Why goods are held back.
    Hold [display_reason: String] {}

    /// A line of a fulfilment order.
    OpenLine [
        #[serde(deserialize_with = "pieces")]
        remaining_quantity: i64,
        line_item: Goods,
    ] {
        id: String,
    }

    /// The order's line that it is of.
    Goods [id: String] { is_gift_card: bool }

    /// A label and a text.
    Attribute [key: String] { value: String }

    /// The customer's record, where there is one and the app may see it.
    Customer [id: String] { display_name: String }

    /// An address.
    Address {
        first_name: String,
        last_name: String,
        name: String,
        company: String,
        address1: String,
        address2: String,
        city: String,
        province: String,
        province_code: String,
        zip: String,
        country: String,
        country_code_v2: String,
        phone: String,
    }

    /// An amount in both currencies: the shop's, left out where only the buyer's is asked for, and
    /// the buyer's.
    Bag { shop_money: Option<Amount>, presentment_money: Option<Amount> }

    /// An amount: a decimal as text, of no fixed scale.
    Amount [amount: String] {}

    /// A tax on the order.
    TaxLine { title: String, price_set: Option<Bag> }

    /// A refund; which lines it has, its document does not say here (see [`super::query`]).
    Refund [id: String] { created_at: Option<String>, note: String, total_refunded_set: Option<Bag> }

    /// A parcel, or several with one content.
    Fulfillment [
        id: String,
        /// How many pieces are in it, of whichever line.
        #[serde(default, deserialize_with = "maybe_pieces")]
        total_quantity: Option<i64>,
    ] {
        status: String,
        created_at: Option<String>,
        tracking_info: Vec<Tracking>,
        fulfillment_line_items: Nodes<FulfillmentLine>,
    }

    /// A tracking number.
    Tracking { company: String, number: String, url: String }

    /// A line of a fulfilment.
    FulfillmentLine [line_item: Reference] { quantity: u64 }

    /// Something that is named by its id alone.
    Reference [id: String] {}

    /// A movement of money.
    Transaction { kind: String, status: String, processed_at: Option<String>, payment_id: String }

    /// A way of sending that the buyer chose.
    ShippingLine {
        id: String,
        title: String,
        code: String,
        discounted_price_set: Option<Bag>,
        tax_lines: Vec<TaxLine>,
    }

    /// A line.
    LineItem [
        id: String,
        title: String,
        /// As ordered, with what was removed or given back since.
        #[serde(deserialize_with = "pieces")]
        quantity: i64,
        /// Still ordered.
        #[serde(deserialize_with = "pieces")]
        current_quantity: i64,
        /// Of it, not shipped.
        #[serde(default, deserialize_with = "maybe_pieces")]
        unfulfilled_quantity: Option<i64>,
        /// Ours: of those that are not ordered any more, how many went out before; `None` where
        /// that is not told.
        #[serde(skip)]
        returned: Option<i64>,
    ] {
        sku: String,
        variant_title: String,
        requires_shipping: bool,
        custom_attributes: Vec<Attribute>,
        variant: Option<Reference>,
        product: Option<Reference>,
        original_unit_price_set: Option<Bag>,
        discount_allocations: Vec<Allocation>,
        tax_lines: Vec<TaxLine>,
    }

    /// A part of a discount.
    Allocation { allocated_amount_set: Option<Bag> }
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
