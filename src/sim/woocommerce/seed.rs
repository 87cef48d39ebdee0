//! Orders made up from a seed: realistic, varied, the same every time, and made only when looked at.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde_json::json;

use super::options::Options;
use super::state::{Address, Charge, Details, Line, Meta, Order};
use crate::sim::world::fixtures::{self as words, Dice, Person, Ware};

/// The details of an untouched order.
pub(super) fn details(options: &Options, order: &Order) -> Details {
    let id = order.id;
    let mut dice = Dice::new(options.seed, id);
    let mut details = blank(options, id);
    let lines = 1 + dice.below(3);
    for _ in 0..lines {
        let ware = dice.pick(words::WARES).copied().unwrap_or(EMPTY_WARE);
        let pieces = u32::try_from(1 + dice.below(3)).unwrap_or(1);
        push_ware(&mut details, id, &ware, pieces);
    }
    let person = dice.pick(words::PEOPLE).copied().unwrap_or(EMPTY_PERSON);
    details.billing = address(&person, id);
    if details.lines.iter().any(|line| !line.is_virtual) {
        ship_to_billing(&mut details, id);
    }
    decorate(&mut details, id, &mut dice);
    details
}

/// Ships to the billing address for a flat rate.
pub(super) fn ship_to_billing(details: &mut Details, id: u64) {
    details.shipping = Address { email: String::new(), ..details.billing.clone() };
    push_shipping(details, id, "Flat Rate", Decimal::new(490, 2));
}

fn decorate(details: &mut Details, id: u64, dice: &mut Dice) {
    details.customer_id = if dice.below(3) == 0 { 2 + dice.below(50) } else { 0 };
    details.customer_note = dice.pick(words::NOTES).copied().unwrap_or_default().to_owned();
    details.payment_method =
        dice.pick(&["bacs", "cod", "stripe", "ppcp-gateway"]).copied().unwrap_or("bacs").to_owned();
    details.transaction_id = format!("txn_{id:012x}");
    details.created_via = dice.pick(&["checkout", "store-api", "admin"]).copied().unwrap_or("checkout").to_owned();
    match dice.below(8) {
        0 => gone(details),
        1 => discount(details),
        2 => details.set_meta(id, "gift_message", json!("Schöne Grüße 🌷")),
        3 => details.set_meta(id, "erp", json!({"ref": format!("A-{id}"), "n": id, "list": [1, null, "x"]})),
        4 => push_fee(details, id),
        _ => {}
    }
}

/// An order with nothing in it.
pub(super) fn blank(options: &Options, id: u64) -> Details {
    let mut dice = Dice::new(options.seed, id ^ 0x006B_6579);
    Details {
        number: number(options, id),
        currency: options.currency.clone(),
        customer_id: 0,
        order_key: format!("wc_order_{}", dice.letters(13)),
        billing: Address::default(),
        shipping: Address::default(),
        payment_method: String::new(),
        transaction_id: String::new(),
        created_via: "checkout".to_owned(),
        customer_note: String::new(),
        meta: Vec::new(),
        lines: Vec::new(),
        shipping_lines: Vec::new(),
        fee_lines: Vec::new(),
        coupon: None,
        refunds: Vec::new(),
        tax_basis_points: options.tax_basis_points,
        last_item: 0,
        last_meta: 0,
    }
}

fn number(options: &Options, id: u64) -> String {
    match &options.number_prefix {
        Some(prefix) => format!("{prefix}{}", id - options.first_id.min(id) + 1),
        None => id.to_string(),
    }
}

/// Adds a line for a ware.
pub(super) fn push_ware(details: &mut Details, order: u64, ware: &Ware, pieces: u32) {
    let id = details.next_item(order);
    let amount = Decimal::new(ware.cents, 2) * Decimal::from(pieces);
    let meta = ware.choices.iter().map(|(key, label, value)| Meta {
        id: details.next_meta(order),
        key: (*key).to_owned(),
        label: (*label).to_owned(),
        value: json!(value),
    });
    let mut meta: Vec<Meta> = meta.collect();
    if !ware.is_virtual {
        let id = details.next_meta(order);
        let key = "_reduced_stock".to_owned();
        meta.push(Meta { id, label: key.clone(), key, value: json!(pieces.to_string()) });
    }
    details.lines.push(Line {
        id,
        product_id: ware.product_id,
        variation_id: ware.variation_id,
        name: ware.name.to_owned(),
        parent_name: Some(ware.parent).filter(|name| !name.is_empty()).map(str::to_owned),
        quantity: pieces,
        subtotal: amount,
        total: amount,
        sku: Some(ware.sku.to_owned()),
        gtin: Some(ware.gtin.to_owned()),
        image: ware.image,
        is_virtual: ware.is_virtual,
        meta,
    });
}

/// Adds a shipping line.
pub(super) fn push_shipping(details: &mut Details, order: u64, title: &str, total: Decimal) {
    let id = details.next_item(order);
    details.shipping_lines.push(Charge { id, title: title.to_owned(), total });
}

fn push_fee(details: &mut Details, order: u64) {
    let id = details.next_item(order);
    details.fee_lines.push(Charge { id, title: "Nachnahmegebühr".to_owned(), total: Decimal::new(200, 2) });
}

/// The first line's product has been deleted since.
fn gone(details: &mut Details) {
    if let Some(line) = details.lines.first_mut() {
        line.product_id = 0;
        line.variation_id = 0;
        line.sku = None;
        line.gtin = None;
        line.parent_name = None;
    }
}

/// Ten percent off every line.
pub(super) fn discount(details: &mut Details) {
    details.coupon = Some("welcome10".to_owned());
    for line in &mut details.lines {
        line.total = (line.subtotal * Decimal::new(9, 1)).round_dp(2);
    }
}

/// A person's address as a billing address.
pub(super) fn address(person: &Person, number: u64) -> Address {
    Address {
        first_name: person.first.to_owned(),
        last_name: person.last.to_owned(),
        company: person.company.to_owned(),
        address_1: person.street.to_owned(),
        address_2: person.street_2.to_owned(),
        city: person.city.to_owned(),
        state: person.state.to_owned(),
        postcode: person.postcode.to_owned(),
        country: person.country.to_owned(),
        phone: person.phone.to_owned(),
        email: words::email(number),
    }
}

const EMPTY_PERSON: Person = Person {
    first: "",
    last: "",
    company: "",
    street: "",
    street_2: "",
    city: "",
    state: "",
    postcode: "",
    country: "",
    phone: "",
};

const EMPTY_WARE: Ware = Ware {
    product_id: 0,
    variation_id: 0,
    sku: "",
    name: "",
    parent: "",
    choices: &[],
    cents: 0,
    gtin: "",
    is_virtual: false,
    image: 0,
};

/// An untouched order placed at `created`; every tenth second is shared by several orders.
pub(super) fn order(options: &Options, id: u64, created: i64, until: i64) -> Order {
    let mut dice = Dice::new(options.seed ^ 0x000D_DE12, id);
    let status = match dice.below(20) {
        0..=8 => "completed",
        9..=15 => "processing",
        16 => "on-hold",
        17 => "pending",
        18 => "cancelled",
        _ => "failed",
    };
    let paid = matches!(status, "completed" | "processing").then_some((created + 60).min(until));
    let shipped = (created + 3_600 + i64::try_from(dice.below(172_800)).unwrap_or(0)).min(until);
    let completed = (status == "completed").then_some(shipped);
    let modified = completed.or(paid).unwrap_or(created);
    Order { id, created, modified, paid, completed, status: Cow::Borrowed(status), details: None }
}
