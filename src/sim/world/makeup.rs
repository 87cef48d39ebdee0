//! Orders made up: varied, the same every time, and made only when somebody looks; and new ones, as
//! bought.

use rust_decimal::Decimal;

use super::fixtures::{self, NOTES, PEOPLE, Person, WARES, Ware};
use super::order::{Address, Fee, Line, Order, Place, Way, cents};
use super::{Dice, Entry, Purchase, Vendor};

/// The content of an untouched order.
pub(super) fn order<V: Vendor>(options: &V::Options, entry: &Entry<V>) -> Order<V::Own> {
    let mut dice = Dice::new(V::nature(options).seed, entry.id);
    let mut order = blank::<V>(options, entry.id);
    if let Some(person) = dice.pick(PEOPLE) {
        order.billing = address(person, V::number(entry.id));
    }
    for _ in 0..V::lines(&mut dice) {
        if let Some(ware) = dice.pick(WARES) {
            add_line::<V>(&mut order, ware.sku, 1 + dice.below(3));
        }
    }
    order.customer = if dice.below(3) == 0 { 2 + dice.below(50) } else { 0 };
    order.note = dice.pick(NOTES).copied().unwrap_or_default().to_owned();
    V::dress(options, &mut order, entry, &mut dice);
    order
}

/// An order with nothing in it, to the next invented buyer.
pub(in crate::sim) fn blank<V: Vendor>(options: &V::Options, id: u64) -> Order<V::Own> {
    let number = V::number(id);
    let index = usize::try_from(V::buyer(number)).unwrap_or(0) % PEOPLE.len().max(1);
    let mut order = Order {
        id,
        billing: PEOPLE.get(index).map(|person| address(person, number)).unwrap_or_default(),
        currency: V::nature(options).currency.to_owned(),
        rate: Decimal::ONE,
        ..Order::default()
    };
    V::begin(options, &mut order);
    order
}

/// An order as it was bought.
pub(super) fn bought<V: Vendor>(options: &V::Options, id: u64, purchase: &Purchase, at: i64) -> Order<V::Own> {
    let mut order = blank::<V>(options, id);
    purchase.billing.iter().for_each(|billing| order.billing.clone_from(billing));
    wanted::<V>(&mut order, purchase);
    order.paid = purchase.paid.then_some(at);
    order.delivery = purchase.delivery;
    order.customer = purchase.customer;
    (order.test, order.duties) = (purchase.test, cents(purchase.duties));
    if let Some((code, rate)) = &purchase.currency {
        (order.currency, order.rate) = (code.clone(), Decimal::new(*rate, 4));
    }
    for (name, hundredths) in &purchase.fees {
        fee::<V>(&mut order, name, *hundredths);
    }
    (order.note, order.staff_notes) = (purchase.note.clone(), purchase.staff_notes.clone());
    if purchase.wrapped {
        wrap(&mut order);
    }
    if purchase.coupon {
        order.discount_all("WELCOME10");
    }
    for (key, value) in &purchase.attributes {
        order.set_meta(key, value.clone());
    }
    if !purchase.payment.is_empty() {
        purchase.payment.clone_into(&mut order.payment);
    }
    V::placed(options, &mut order, purchase, at);
    if purchase.by_a_program {
        V::PROGRAM.clone_into(&mut order.source);
    }
    if !purchase.source.is_empty() {
        purchase.source.clone_into(&mut order.source);
    }
    order
}

/// The lines, and where they go.
fn wanted<V: Vendor>(order: &mut Order<V::Own>, purchase: &Purchase) {
    let plain = [("TEE-001".to_owned(), 1)];
    let none = purchase.lines.is_empty() && purchase.elsewhere.is_empty();
    for (sku, pieces) in if none { &plain } else { purchase.lines.as_slice() } {
        add_line::<V>(order, sku, u64::from(*pieces));
    }
    elsewhere::<V>(order, purchase);
    if let Some(place) = order.places.first_mut() {
        purchase.shipping.iter().for_each(|shipping| place.address.clone_from(shipping));
        if !purchase.street.is_empty() {
            purchase.street.clone_into(&mut place.address.street_1);
        }
    }
}

/// Lines that go to a second address.
fn elsewhere<V: Vendor>(order: &mut Order<V::Own>, purchase: &Purchase) {
    for (sku, pieces) in &purchase.elsewhere {
        add_line::<V>(order, sku, u64::from(*pieces));
        match order.places.get(1).map(|place| place.id) {
            None => second_place::<V>(order),
            Some(place) => order.lines.iter_mut().last().into_iter().for_each(|line| line.way = Way::Parcel(place)),
        }
    }
}

/// The next id of what hangs on an order.
pub(in crate::sim) fn part_id<V: Vendor>(order: &mut Order<V::Own>) -> u64 {
    order.last_part += 1;
    V::part_id(order.id, order.last_part)
}

/// Adds a line for a SKU; what goes into a parcel goes to the first address.
pub(in crate::sim) fn add_line<V: Vendor>(order: &mut Order<V::Own>, sku: &str, quantity: u64) {
    let made_up = Ware { product_id: 99, ..fixtures::simple(99, "", "", 1000) };
    let ware = fixtures::ware(sku).unwrap_or(&made_up);
    let known = ware.product_id != 99;
    let way = if ware.is_virtual { Way::Download } else { Way::Parcel(first_place::<V>(order)) };
    let id = part_id::<V>(order);
    let choice =
        |(key, label, value): &(&str, &str, &str)| ((*key).to_owned(), (*label).to_owned(), (*value).to_owned());
    order.lines.push(Line {
        id,
        product: ware.product_id,
        variant: ware.variation_id,
        sku: sku.to_owned(),
        name: if known { ware.name } else { sku }.to_owned(),
        parent: ware.parent.to_owned(),
        choices: ware.choices.iter().map(choice).collect(),
        gtin: ware.gtin.to_owned(),
        image: ware.image,
        gone: false,
        quantity,
        removed: 0,
        shipped: 0,
        refunded: 0,
        returned: 0,
        price: cents(ware.cents),
        discount: Decimal::ZERO,
        way,
        wrapping: None,
    });
}

/// The first address; the billing one where there is none yet.
fn first_place<V: Vendor>(order: &mut Order<V::Own>) -> u64 {
    match order.places.first() {
        Some(place) => place.id,
        None => add_place::<V>(order, order.billing.clone()),
    }
}

/// Adds a delivery address and gives its id.
pub(in crate::sim) fn add_place<V: Vendor>(order: &mut Order<V::Own>, address: Address) -> u64 {
    let id = V::place_id(order);
    order.places.push(Place { id, address, method: V::SERVICE.to_owned(), cost: cents(490) });
    id
}

/// The last line that goes into a parcel goes somewhere else than the others.
pub(in crate::sim) fn second_place<V: Vendor>(order: &mut Order<V::Own>) {
    let number = V::number(order.id);
    let person = PEOPLE.get(usize::try_from(number % 7).unwrap_or(0));
    let place = add_place::<V>(order, person.map(|person| address(person, number + 1)).unwrap_or_default());
    match order.lines.iter_mut().rfind(|line| line.ships()) {
        Some(line) => line.way = Way::Parcel(place),
        None => order.places.retain(|other| other.id != place),
    }
}

/// Adds a fee.
pub(in crate::sim) fn fee<V: Vendor>(order: &mut Order<V::Own>, name: &str, hundredths: i64) {
    let id = part_id::<V>(order);
    order.fees.push(Fee { id, name: name.to_owned(), cost: cents(hundredths) });
}

/// The first line is wrapped.
pub(in crate::sim) fn wrap<O>(order: &mut Order<O>) {
    if let Some(line) = order.lines.first_mut() {
        line.wrapping = Some(("Birthday paper".to_owned(), "Alles Gute 🎂".to_owned()));
    }
}

/// A person's address.
fn address(person: &Person, number: u64) -> Address {
    Address {
        first_name: person.first.to_owned(),
        last_name: person.last.to_owned(),
        company: person.company.to_owned(),
        street_1: person.street.to_owned(),
        street_2: person.street_2.to_owned(),
        city: person.city.to_owned(),
        state: person.state.to_owned(),
        postcode: person.postcode.to_owned(),
        country: person.country.to_owned(),
        phone: person.phone.to_owned(),
        email: fixtures::email(number),
    }
}
