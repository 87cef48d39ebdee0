//! What the API writes: tracking, and that a receipt is shipped. Each tracking that is taken makes a
//! shipment and a mail, whatever was there before.

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::access::error;
use super::{Call, Context, Etsy, Order, Response, lists, render, vendor};
use crate::sim::rest::{Answer, boolean};
use crate::sim::world::{About, Shipment, Tracking, everything, part_id};

/// The members of a tracking request, and of which type they are.
const TEXTS: &[&str] = &[
    "tracking_code",
    "carrier_name",
    "note_to_buyer",
    "mail_class",
    "weight_units",
    "dimension_units",
    "shipping_label_currency",
    "revenue_eligibility",
    "ship_from_country",
    "ship_to_country",
    "incoterm",
    "duty_currency",
    "ship_date",
];
const NUMBERS: &[&str] = &["weight", "length", "width", "height", "shipping_label_cost", "duty_amount"];

/// Carriers that Etsy knows; a small part of them.
const CARRIERS: &[&str] = &[
    "usps",
    "ups",
    "fedex",
    "dhl",
    "dhl-germany",
    "dhl-global-mail",
    "royal-mail",
    "dpd",
    "dpd-uk",
    "dpd-de",
    "gls",
    "hermes",
    "hermes-de",
    "canada-post",
    "australia-post",
    "deutsch-post",
    "colissimo",
    "austrian-post",
    "postnl",
    "swiss-post",
    "poste-italiane",
    "tnt",
    "yodel",
    "india-post",
    "japan-post",
    "other",
];

/// `POST shops/{id}/receipts/{id}/tracking`.
pub(super) fn ship(call: &mut Call<'_, '_>) -> Answer {
    let id = call.id(1);
    allowed(call, id)?;
    // What does not come as JSON is taken, and nothing of it is read.
    let is_json = call.request.header("content-type").is_some_and(|kind| kind.starts_with("application/json"));
    let wish = if is_json { members(call)? } else { Map::new() };
    let text = |name: &str| wish.get(name).and_then(Value::as_str).unwrap_or_default().trim();
    let number = if call.options.drops_tracking { "" } else { text("tracking_code") };
    let carrier = text("carrier_name");
    let is_bare = carrier.is_empty() || number.is_empty();
    if is_bare && call.order(id).is_some_and(|order| needs_tracking(call, &order)) {
        return Err(error(400, "A tracking number is required"));
    }
    let is_kept = call.options.carriers_as_given || CARRIERS.contains(&carrier);
    let carrier = if is_kept && !carrier.is_empty() { carrier } else { "other" };
    let tracking = Tracking { carrier: carrier.to_owned(), number: number.to_owned(), ..Tracking::default() };
    send(call, id, if number.is_empty() { Tracking::default() } else { tracking }, text("note_to_buyer"));
    lists::one(call)
}

/// `PUT shops/{id}/receipts/{id}`, as a form.
pub(super) fn mark(call: &mut Call<'_, '_>) -> Answer {
    let id = call.id(1);
    allowed(call, id)?;
    let form = call.request.form();
    let wish =
        |name: &str| form.iter().find(|(key, _)| key == name).and_then(|(_, value)| boolean(&value.as_str().into()));
    if wish("was_shipped") == Some(true) {
        if call.order(id).is_some_and(|order| needs_tracking(call, &order)) {
            return Err(error(400, "A tracking number is required"));
        }
        send(call, id, Tracking::default(), "");
    }
    if wish("was_paid") == Some(true) {
        let now = call.now;
        call.change(id, |order| order.paid = order.paid.or(Some(now)));
    }
    lists::one(call)
}

/// Whether anything can be done with a receipt.
fn allowed(call: &Call<'_, '_>, id: u64) -> Result<(), Response> {
    let entry = call.state.orders.get(&id).ok_or_else(|| lists::missing(call))?;
    match entry.status.as_ref() {
        vendor::CANCELED => Err(error(409, "The receipt is canceled.")),
        vendor::PROCESSING => Err(error(409, "The payment of the receipt is being processed.")),
        _ => Ok(()),
    }
}

/// The members of a request; one that is none of these, or of another type, is refused.
fn members(call: &Call<'_, '_>) -> Result<Map<String, Value>, Response> {
    let Some(Value::Object(wish)) = call.request.json() else {
        return Err(error(400, "The request body is not valid JSON."));
    };
    let is_good = |(name, value): &(&String, &Value)| {
        let name = name.as_str();
        // The first three that there ever were may not be null.
        let is_null = value.is_null() && !matches!(name, "tracking_code" | "carrier_name" | "note_to_buyer");
        match name {
            "send_bcc" => value.is_boolean(),
            "customs_data" => value.is_array() || is_null,
            _ if TEXTS.contains(&name) => value.is_string() || is_null,
            _ => NUMBERS.contains(&name) && (value.is_number() || is_null),
        }
    };
    match wish.iter().find(|member| !is_good(member)) {
        Some((name, _)) => Err(error(400, &format!("Invalid value for parameter: [{name}]"))),
        None => Ok(wish),
    }
}

/// Whether Etsy takes the order as shipped with a tracking number only.
fn needs_tracking(call: &Call<'_, '_>, order: &Order) -> bool {
    let to = order.places.first().map_or("", |place| place.address.country.as_str());
    let domestic = to == "US" && call.options.country == "US";
    order.open() > 0 && (to == "IN" || domestic && render::total(order) > Decimal::TEN)
}

/// Somebody says that the order is on its way, once more perhaps: the buyer is told each time.
pub(super) fn send(context: &mut Context<'_>, id: u64, tracking: Tracking, note: &str) -> bool {
    let at = context.now;
    context.change(id, |order| {
        order.mail(About::Shipment, format!("{} {note}", tracking.number));
        let (made, items, place) =
            (part_id::<Etsy>(order), everything(order), order.places.first().map_or(0, |one| one.id));
        let tracking = if tracking == Tracking::default() { Vec::new() } else { vec![tracking] };
        order.add_shipment(Shipment { id: made, place, at, items, tracking, ..Shipment::default() });
    })
}
