//! Orders made up from a seed: varied, the same every time, and made only when looked at.

use super::options::Options;
use super::state::{Address, Details, Fee, Line, Order, Place, Refund, Shipment, Way};
use crate::sim::words::{self, Dice, Person, WARES, Ware};

/// The content of an untouched order.
pub(super) fn details(options: &Options, order: &Order) -> Details {
    let mut dice = Dice::new(options.seed, order.id);
    let mut details = blank(options, order.id);
    for _ in 0..=dice.below(3) {
        if let Some(ware) = dice.pick(WARES) {
            push(&mut details, order.id, ware.sku, 1 + dice.below(3));
        }
    }
    decorate(&mut details, order.id, &mut dice);
    history(&mut details, order);
    details
}

/// An order with nothing in it, to the next invented buyer.
pub(super) fn blank(options: &Options, order: u64) -> Details {
    let index = usize::try_from(words::mix(order)).unwrap_or(0) % words::PEOPLE.len().max(1);
    let billing = words::PEOPLE.get(index).map(|person| address(person, order)).unwrap_or_default();
    Details {
        billing,
        payment_method: "Credit Card".to_owned(),
        currency: options.currency.clone(),
        rate: 10_000,
        source: "www".to_owned(),
        ..Details::default()
    }
}

/// Adds a line for a SKU; what goes into a parcel goes to the first address.
pub(super) fn push(details: &mut Details, order: u64, sku: &str, quantity: u64) {
    let ware = words::ware(sku);
    let way = if ware.is_some_and(|ware| ware.is_virtual) { Way::Download } else { Way::Parcel(place(details, order)) };
    let id = details.next_id(order);
    details.lines.push(line(ware, sku, id, quantity, way));
}

fn line(ware: Option<&Ware>, sku: &str, id: u64, quantity: u64, way: Way) -> Line {
    let choices = ware.map(|ware| ware.choices).unwrap_or_default();
    Line {
        id,
        product_id: ware.map_or(0, |ware| ware.product_id),
        variant_id: ware.map_or(0, |ware| ware.variation_id),
        sku: sku.to_owned(),
        name: ware.map_or(sku, |ware| ware.name).to_owned(),
        options: choices.iter().map(|(_, label, value)| ((*label).to_owned(), (*value).to_owned())).collect(),
        quantity,
        shipped: 0,
        refunded: 0,
        price: ware.map_or(1000, |ware| ware.cents),
        discount: 0,
        way,
        wrapping: None,
    }
}

/// The first address; the billing one where there is none yet.
fn place(details: &mut Details, order: u64) -> u64 {
    match details.places.first() {
        Some(place) => place.id,
        None => add_place(details, order, details.billing.clone()),
    }
}

/// Adds a delivery address and gives its id.
pub(super) fn add_place(details: &mut Details, order: u64, address: Address) -> u64 {
    let id = details.next_id(order);
    details.places.push(Place { id, address, method: "Ground".to_owned(), cost: 490 });
    id
}

fn decorate(details: &mut Details, order: u64, dice: &mut Dice) {
    details.customer_id = if dice.below(3) == 0 { 2 + dice.below(50) } else { 0 };
    details.message = dice.pick(words::NOTES).copied().unwrap_or_default().to_owned();
    details.payment_method =
        dice.pick(&["Credit Card", "PayPal", "Bank Deposit", "Cash on Delivery"]).copied().unwrap_or("").to_owned();
    match dice.below(10) {
        0 => coupon(details),
        1 => second_place(details, order),
        2 => wrap(details),
        3 => fee(details, order),
        4 => details.external_order_id = format!("ERP-{order}"),
        5 => details.billing.form_fields.push(("Tax number".to_owned(), format!("DE{order:09}"))),
        _ => {}
    }
}

/// Ten per cent off.
pub(super) fn coupon(details: &mut Details) {
    details.coupon = Some("WELCOME10".to_owned());
    for line in &mut details.lines {
        line.discount = line.price * i64::try_from(line.quantity).unwrap_or(0) / 10;
    }
}

/// The last line that goes into a parcel goes somewhere else than the others.
pub(super) fn second_place(details: &mut Details, order: u64) {
    let elsewhere = words::PEOPLE.get(usize::try_from(order % 7).unwrap_or(0)).map(|person| address(person, order + 1));
    let id = add_place(details, order, elsewhere.unwrap_or_default());
    let last = details.lines.iter_mut().rfind(|line| matches!(line.way, Way::Parcel(_)));
    match last {
        Some(line) => line.way = Way::Parcel(id),
        None => details.places.retain(|place| place.id != id),
    }
}

/// The first line is wrapped.
pub(super) fn wrap(details: &mut Details) {
    if let Some(line) = details.lines.first_mut() {
        line.wrapping = Some(("Birthday paper".to_owned(), "Alles Gute 🎂".to_owned()));
    }
}

fn fee(details: &mut Details, order: u64) {
    let id = details.next_id(order);
    details.fees.push(Fee { id, name: "Parcel insurance".to_owned(), cost: 250 });
}

/// What must have happened to an order of this status.
fn history(details: &mut Details, order: &Order) {
    let at = order.modified;
    match order.status {
        2 | 10 => ship_all(details, order.id, at, "usps", None),
        3 => ship_one(details, order.id, at),
        4 => refund(details, order.id, at, u64::MAX),
        14 => refund(details, order.id, at, 1),
        _ => {}
    }
}

/// Ships everything that is open, one shipment for each address.
pub(super) fn ship_all(details: &mut Details, order: u64, at: i64, provider: &str, tracking: Option<&str>) {
    for place in details.places.clone() {
        let mut items = Vec::new();
        for line in details.lines.iter_mut().filter(|line| line.way == Way::Parcel(place.id)) {
            let open = line.quantity.saturating_sub(line.shipped + line.refunded);
            line.shipped += open;
            items.extend((open > 0).then_some((line.id, open)));
        }
        if !items.is_empty() {
            push_shipment(details, order, place.id, at, (provider, tracking), items);
        }
    }
}

/// Ships so many pieces of the nth line.
pub(super) fn ship_pieces(
    details: &mut Details,
    order: u64,
    at: i64,
    (nth, pieces): (usize, u64),
    by: (&str, Option<&str>),
) {
    let Some(line) = details.lines.get_mut(nth) else { return };
    let Way::Parcel(place) = line.way else { return };
    line.shipped += pieces;
    let items = vec![(line.id, pieces)];
    push_shipment(details, order, place, at, by, items);
}

/// Ships one piece of an order with more than one; orders of one piece get a second.
fn ship_one(details: &mut Details, order: u64, at: i64) {
    if !details.lines.iter().any(|line| matches!(line.way, Way::Parcel(_))) {
        push(details, order, "TEE-001", 2);
    }
    let Some(line) = details.lines.iter_mut().find(|line| matches!(line.way, Way::Parcel(_))) else { return };
    line.quantity = line.quantity.max(2);
    line.shipped = 1;
    let (Way::Parcel(place), items) = (line.way, vec![(line.id, 1)]) else { return };
    push_shipment(details, order, place, at, ("usps", None), items);
}

fn push_shipment(
    details: &mut Details,
    order: u64,
    place: u64,
    at: i64,
    by: (&str, Option<&str>),
    items: Vec<(u64, u64)>,
) {
    let id = details.next_id(order);
    let tracking_number = by.1.map_or_else(|| format!("9400{id:016}"), str::to_owned);
    let shipping_provider = by.0.to_owned();
    details.shipments.push(Shipment {
        id,
        place,
        created: at,
        tracking_number,
        shipping_provider,
        items,
        ..Shipment::default()
    });
}

/// Gives back at most so many pieces of each line.
pub(super) fn refund(details: &mut Details, order: u64, at: i64, pieces: u64) {
    let id = details.next_id(order);
    let mut lines = Vec::new();
    for line in &mut details.lines {
        let back = line.quantity.min(pieces);
        line.refunded = back;
        lines.push((line.id, back, line.price * i64::try_from(back).unwrap_or(0)));
        if pieces == 1 {
            break;
        }
    }
    let amount = lines.iter().map(|(_, _, amount)| amount).sum();
    details.refunds.push(Refund { id, created: at, reason: "Changed their mind".to_owned(), amount, lines });
}

/// A person's address.
pub(super) fn address(person: &Person, number: u64) -> Address {
    Address {
        first_name: person.first.to_owned(),
        last_name: person.last.to_owned(),
        company: person.company.to_owned(),
        street_1: person.street.to_owned(),
        street_2: person.street_2.to_owned(),
        city: person.city.to_owned(),
        state: person.state.to_owned(),
        zip: person.postcode.to_owned(),
        country: country(person.country).to_owned(),
        country_iso2: person.country.to_owned(),
        phone: person.phone.to_owned(),
        email: words::email(number),
        form_fields: Vec::new(),
    }
}

fn country(code: &str) -> &'static str {
    match code {
        "DE" => "Germany",
        "GB" => "United Kingdom",
        "US" => "United States",
        "AT" => "Austria",
        "ES" => "Spain",
        "NL" => "Netherlands",
        _ => "Elsewhere",
    }
}

/// An untouched order placed at `created`, changed last before `until`.
pub(super) fn order(options: &Options, id: u64, created: i64, until: i64) -> Order {
    let mut dice = Dice::new(options.seed ^ 0x0B16_C033, id);
    let status = match dice.below(40) {
        0..=17 => 2,
        18..=27 => 11,
        28 | 29 => 9,
        30 => 7,
        31 => 0,
        32 => 3,
        33 => 5,
        34 => 10,
        35 => 14,
        36 => 4,
        37 => 12,
        38 => 1,
        _ => 8,
    };
    // An hour to two days later, or at some time until now where that has not passed yet.
    let later = 3_600 + i64::try_from(dice.below(172_800)).unwrap_or(0);
    let later = later % (until - created).max(0).saturating_add(1);
    let modified = if matches!(status, 2 | 3 | 4 | 5 | 10 | 14) { created + later } else { created };
    let shipped = matches!(status, 2 | 3 | 10).then_some(modified);
    Order { modified: modified.max(created), shipped, ..Order::new(id, created, status) }
}
