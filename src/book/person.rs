//! Whose orders are whose: a person who is to be forgotten, as the book has them in one store.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, params};

use super::Book;
use super::acts::column;
use super::clearing::closed;
use super::error::Done;
use super::outbox::OPEN;
use super::words::{folded_words, phone_digits};
use crate::error::{Error, ErrorKind, Result};

/// Fewer digits are no phone number that means one person.
const SHORTEST_PHONE: usize = 7;

/// What the book has of a person.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Person {
    /// Their orders that are not cleared yet.
    pub(crate) orders: Vec<i64>,
    /// Those of them that are not closed, each with what stands against it.
    pub(crate) open: Vec<(i64, String)>,
    /// The channel's ids of orders that could not be read and name them.
    pub(crate) unreadable: Vec<String>,
    /// Orders of people of this name, where nothing else was found.
    pub(crate) namesakes: Vec<i64>,
}

/// Who bought an order.
struct Buyer {
    order: i64,
    id: String,
    email: String,
    phone: String,
    name: String,
}

/// Whom an address of an order tells.
struct Addressee {
    order: i64,
    email: String,
    phone: String,
    name: String,
}

/// What was given to find a person by.
enum By {
    Email(String),
    Id(String),
    Phone(String),
    Name(Vec<String>),
}

impl Book {
    /// The orders of a person in a store: `user` is an e-mail address, the channel's own number of
    /// a customer, or a phone number. With the e-mail address or number that an order was bought
    /// with come the other orders that were bought with these; an order that only goes to the
    /// e-mail address belongs to them as well.
    pub(crate) fn person(&self, store: i64, user: &str) -> Result<Person> {
        let user = user.trim();
        let (buyers, addressees) = (self.buyers(store)?, self.addressees(store)?);
        for by in ways(user) {
            let orders = orders_of(&by, &buyers, &addressees);
            let unreadable = if let By::Email(email) = &by { self.unreadable_of(store, email)? } else { Vec::new() };
            if orders.is_empty() && unreadable.is_empty() {
                continue;
            }
            if let By::Name(_) = by {
                return Ok(Person { namesakes: orders.into_iter().collect(), ..Person::default() });
            }
            let mut person = Person { unreadable, ..Person::default() };
            for order in orders {
                person.open.extend(self.why_open(order)?.map(|why| (order, why)));
                person.orders.push(order);
            }
            return Ok(person);
        }
        Ok(Person::default())
    }

    fn buyers(&self, store: i64) -> Result<Vec<Buyer>> {
        let sql = "SELECT o.id, o.buyer_remote_id, o.buyer_email, o.buyer_phone, o.buyer_name FROM orders o
            WHERE o.store_id = ? AND NOT EXISTS (SELECT 1 FROM cleared z WHERE z.order_id = o.id)";
        let mut statement = self.db.prepare(sql).done("read")?;
        let rows = statement.query_map([store], |row| {
            let email: String = row.get(2)?;
            let buyer = Buyer {
                order: row.get(0)?,
                id: row.get(1)?,
                email: same_email(&email),
                phone: row.get(3)?,
                name: row.get(4)?,
            };
            Ok(buyer)
        });
        rows.done("read")?.collect::<rusqlite::Result<_>>().done("read")
    }

    fn addressees(&self, store: i64) -> Result<Vec<Addressee>> {
        let sql = "SELECT a.order_id, a.email, a.phone, a.name FROM orders o JOIN addresses a ON a.order_id = o.id
            WHERE o.store_id = ? AND NOT EXISTS (SELECT 1 FROM cleared z WHERE z.order_id = o.id)";
        let mut statement = self.db.prepare(sql).done("read")?;
        let rows = statement.query_map([store], |row| {
            let email: String = row.get(1)?;
            Ok(Addressee { order: row.get(0)?, email: same_email(&email), phone: row.get(2)?, name: row.get(3)? })
        });
        rows.done("read")?.collect::<rusqlite::Result<_>>().done("read")
    }

    /// Orders that could not be read yet: their documents are all that is known of them.
    fn unreadable_of(&self, store: i64, email: &str) -> Result<Vec<String>> {
        let sql = "SELECT subject FROM inbox WHERE store_id = ? AND kind = 'unreadable' AND resolved_at IS NULL
            AND instr(lower(document), ?) > 0 ORDER BY subject";
        column(&self.db, sql, params![store, email])
    }

    /// What stands against clearing an order; nothing where it is closed.
    fn why_open(&self, order: i64) -> Result<Option<String>> {
        let sql = format!(
            "SELECT CASE
                WHEN {} THEN NULL
                WHEN o.status NOT IN ('shipped', 'cancelled') THEN o.status
                WHEN EXISTS (SELECT 1 FROM outbox x WHERE x.order_id = o.id AND x.state IN {OPEN}) THEN 'waits in the outbox'
                WHEN EXISTS (SELECT 1 FROM changes c WHERE c.order_id = o.id AND c.fate = 'review') THEN 'changes wait for your word'
                ELSE 'in the inbox' END FROM orders o WHERE o.id = ?",
            closed()
        );
        let why = self.db.prepare_cached(&sql).done("read")?.query_row([order], |row| row.get(0)).optional();
        why.done("read").map(Option::flatten)
    }

    /// Notes that these orders are to be cleared, as their person is to be forgotten.
    ///
    /// # Errors
    /// `Refused` where one of them is not closed any more.
    pub(crate) fn begin_forgetting(&mut self, orders: &[i64]) -> Result<()> {
        let is_closed = format!("SELECT {} FROM orders o WHERE o.id = ?", closed());
        self.write_durably("written", |db| {
            for order in orders {
                if !db.prepare_cached(&is_closed).done("read")?.query_row([order], |row| row.get(0)).done("read")? {
                    let text = format!("order {order} was opened again in this moment; nothing was cleared");
                    return Err(Error::new(ErrorKind::Refused, text).hint(format!("ordersync show book:{order}")));
                }
                let sql = "INSERT OR IGNORE INTO forgetting VALUES (?)";
                db.prepare_cached(sql).done("written")?.execute([order]).done("written")?;
            }
            Ok(())
        })
    }
}

/// What a text may mean, the surest first.
fn ways(user: &str) -> Vec<By> {
    if user.contains('@') {
        return vec![By::Email(same_email(user))];
    }
    let mut ways = Vec::new();
    if !user.is_empty() {
        ways.push(By::Id(user.to_owned()));
    }
    ways.extend(phone_digits(user).filter(|digits| digits.len() >= SHORTEST_PHONE).map(By::Phone));
    let name = folded_words(user);
    if !name.is_empty() {
        ways.push(By::Name(name));
    }
    ways
}

fn orders_of(by: &By, buyers: &[Buyer], addressees: &[Addressee]) -> BTreeSet<i64> {
    let is_phone = |text: &str, digits: &String| phone_digits(text).as_ref() == Some(digits);
    let is_buyer = |buyer: &&Buyer| match by {
        By::Email(email) => buyer.email == *email,
        By::Id(id) => is_number(&buyer.id) && buyer.id == *id,
        By::Phone(digits) => is_phone(&buyer.phone, digits),
        By::Name(name) => folded_words(&buyer.name) == *name,
    };
    let is_addressee = |one: &&Addressee| match by {
        By::Email(email) => one.email == *email,
        By::Id(_) => false,
        By::Phone(digits) => is_phone(&one.phone, digits),
        By::Name(name) => folded_words(&one.name) == *name,
    };
    let bought: Vec<&Buyer> = buyers.iter().filter(is_buyer).collect();
    let mut orders: BTreeSet<i64> = bought.iter().map(|buyer| buyer.order).collect();
    orders.extend(addressees.iter().filter(is_addressee).map(|one| one.order));
    // A household may share a phone, and a name is anybody's.
    if matches!(by, By::Email(_) | By::Id(_)) {
        let ids: BTreeSet<&str> = bought.iter().map(|buyer| buyer.id.as_str()).filter(|id| is_number(id)).collect();
        // Under whatever address the same customer has bought.
        let same = buyers.iter().filter(|buyer| ids.contains(buyer.id.as_str()));
        let emails = bought.iter().copied().chain(same).map(|buyer| buyer.email.as_str());
        let emails: BTreeSet<&str> = emails.filter(|email| !email.is_empty()).collect();
        let is_theirs = |buyer: &&Buyer| ids.contains(buyer.id.as_str()) || emails.contains(buyer.email.as_str());
        orders.extend(buyers.iter().filter(is_theirs).map(|buyer| buyer.order));
        orders.extend(addressees.iter().filter(|one| emails.contains(one.email.as_str())).map(|one| one.order));
    }
    orders
}

/// Whether a customer's number is one; guests have none, or 0.
fn is_number(id: &str) -> bool {
    !id.is_empty() && id != "0"
}

/// An e-mail address as it is compared.
fn same_email(text: &str) -> String {
    text.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buyer(order: i64, id: &str, email: &str, phone: &str) -> Buyer {
        Buyer { order, id: id.into(), email: same_email(email), phone: phone.into(), name: "Ann Other".into() }
    }

    #[test]
    fn x3_whose_orders_are_whose_is_told_by_address_number_and_phone_and_never_by_name_alone() {
        let buyers = [
            buyer(1, "7", "Ann@Example.test", "+49 170 1234567"),
            buyer(2, "7", "ann.other@example.test", ""),
            buyer(3, "0", " ann@example.TEST ", ""),
            buyer(4, "0", "bob@example.test", "0170 1234567"),
            buyer(5, "", "", ""),
        ];
        let to = |order, email: &str| Addressee {
            order,
            email: same_email(email),
            phone: String::new(),
            name: "Bob".into(),
        };
        let addressees = [to(4, "ANN@example.test"), to(6, "ann.other@example.test")];
        let found = |user: &str| -> Vec<i64> {
            let ways = ways(user);
            let mut found =
                ways.iter().map(|by| orders_of(by, &buyers, &addressees)).filter(|orders| !orders.is_empty());
            found.next().unwrap_or_default().into_iter().collect()
        };
        assert_eq!(found("ann@example.test"), [1, 2, 3, 4, 6]);
        assert_eq!(found("7"), [1, 2, 3, 4, 6]);
        assert_eq!(found("0170-1234567"), [1, 4], "a household may share a phone");
        for nobody in ["0", "", "nobody@example.test", "1234567"] {
            assert_eq!(found(nobody), [0; 0], "{nobody}");
        }
        assert!(matches!(ways("ann OTHER")[..], [By::Id(_), By::Name(_)]));
    }
}
