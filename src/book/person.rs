//! Whose orders are whose: a person who is to be forgotten, as the book has them in one store.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, params};
use serde_json::Value;

use super::Book;
use super::clearing::closed;
use super::error::Done;
use super::outbox::OPEN;
use super::words::{Phone, folded_words, phone};
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
    /// Why they may not be one person's, where that is so.
    pub(crate) doubt: Option<Doubt>,
}

/// Why orders may not be one person's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// They bear several names or e-mail addresses: a shared phone, a customer of the counter.
    Several,
    /// What was given is the number of another order as well.
    Number,
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
    Phone(Phone),
    Name(Vec<String>),
}

/// What was found by one way to name a person.
struct Found {
    by: By,
    /// The orders that they have bought, and those that only go to them.
    bought: BTreeSet<i64>,
    sent: BTreeSet<i64>,
    /// What else they are known by.
    ids: BTreeSet<String>,
    emails: BTreeSet<String>,
    phones: Vec<Phone>,
    /// The names of those who bought with what was given.
    names: BTreeSet<Vec<String>>,
}

/// As many phone numbers of a person are looked for in what could not be read.
const MOST_PHONES: usize = 20;

impl Book {
    /// The orders of a person in a store: `user` is an e-mail address, the channel's own number of
    /// a customer, or a phone number. With the e-mail address or number that an order was bought
    /// with come the other orders that were bought with these; an order that only goes to the
    /// e-mail address belongs to them as well.
    pub(crate) fn person(&self, store: i64, user: &str) -> Result<Person> {
        let user = user.trim();
        let mut found: Vec<Found> = ways(user).into_iter().map(Found::new).collect();
        self.buyers(store, |buyer| found.iter_mut().for_each(|found| found.see_buyer(&buyer)))?;
        self.addressees(store, |one| found.iter_mut().for_each(|found| found.see_addressee(&one)))?;
        for mut found in found {
            let is_name = matches!(found.by, By::Name(_));
            let unreadable = if is_name { Vec::new() } else { self.others(store, &mut found)? };
            let orders = &found.bought | &found.sent;
            if orders.is_empty() && unreadable.is_empty() {
                continue;
            }
            if is_name {
                return Ok(Person { namesakes: orders.into_iter().collect(), ..Person::default() });
            }
            let doubt = self.doubt(store, user, &found, &orders)?;
            let mut person = Person { unreadable, doubt, ..Person::default() };
            for order in orders {
                person.open.extend(self.why_open(order)?.map(|why| (order, why)));
                person.orders.push(order);
            }
            return Ok(person);
        }
        Ok(Person::default())
    }

    /// Finds what else is theirs: under whatever address the same customer has bought. Gives what
    /// could not be read and names them.
    fn others(&self, store: i64, found: &mut Found) -> Result<Vec<String>> {
        // A household may share a phone.
        if !matches!(found.by, By::Phone(_)) && !found.bought.is_empty() {
            self.buyers(store, |buyer| found.see_same(&buyer))?;
            self.buyers(store, |buyer| found.see_theirs(&buyer))?;
            self.addressees(store, |one| {
                if found.emails.contains(&one.email) {
                    found.sent.insert(one.order);
                }
            })?;
        }
        self.unreadable_of(store, found)
    }

    /// Why the orders may not be one person's.
    fn doubt(&self, store: i64, user: &str, found: &Found, orders: &BTreeSet<i64>) -> Result<Option<Doubt>> {
        let mut is_several = false;
        let (mut names, mut emails) = (BTreeSet::new(), BTreeSet::new());
        self.buyers(store, |buyer| {
            let name = folded_words(&buyer.name);
            match &found.by {
                // Who buys under the given address is known; the same customer's number may be others'.
                By::Email(email) => {
                    is_several |= found.bought.contains(&buyer.order)
                        && buyer.email != *email
                        && !name.is_empty()
                        && !found.names.contains(&name);
                }
                By::Id(_) if !found.bought.contains(&buyer.order) => {}
                _ if !orders.contains(&buyer.order) || names.len() > 1 || emails.len() > 1 => {}
                _ => {
                    names.extend(Some(name).filter(|name| !name.is_empty()));
                    emails.extend(Some(buyer.email).filter(|email| !email.is_empty()));
                }
            }
        })?;
        if is_several || names.len() > 1 || emails.len() > 1 {
            return Ok(Some(Doubt::Several));
        }
        let sql = "SELECT id FROM orders WHERE number IN (?2, '#' || ?2) AND store_id = ?1
            UNION SELECT id FROM orders WHERE store_id = ?1 AND remote_id = ?2";
        let numbered = super::acts::column::<i64>(&self.db, sql, params![store, user])?;
        let is_number = !matches!(found.by, By::Email(_)) && numbered.iter().any(|order| !orders.contains(order));
        Ok(is_number.then_some(Doubt::Number))
    }

    /// Shows who bought each order of the store that is not cleared, one at a time: a large store has
    /// more of them than memory.
    fn buyers(&self, store: i64, mut see: impl FnMut(Buyer)) -> Result<()> {
        let sql = "SELECT o.id, o.buyer_remote_id, o.buyer_email, o.buyer_phone, o.buyer_name FROM orders o
            WHERE o.store_id = ? AND NOT EXISTS (SELECT 1 FROM cleared z WHERE z.order_id = o.id)";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows = statement.query_map([store], |row| {
            let email: String = row.get(2)?;
            let email = same_email(&email);
            Ok(Buyer { order: row.get(0)?, id: row.get(1)?, email, phone: row.get(3)?, name: row.get(4)? })
        });
        rows.done("read")?.try_for_each(|buyer| buyer.map(&mut see)).done("read")
    }

    fn addressees(&self, store: i64, mut see: impl FnMut(Addressee)) -> Result<()> {
        let sql = "SELECT a.order_id, a.email, a.phone, a.name FROM orders o JOIN addresses a ON a.order_id = o.id
            WHERE o.store_id = ? AND NOT EXISTS (SELECT 1 FROM cleared z WHERE z.order_id = o.id)";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows = statement.query_map([store], |row| {
            let email: String = row.get(1)?;
            Ok(Addressee { order: row.get(0)?, email: same_email(&email), phone: row.get(2)?, name: row.get(3)? })
        });
        rows.done("read")?.try_for_each(|one| one.map(&mut see)).done("read")
    }

    /// Orders that could not be read yet: their documents are all that is known of them.
    fn unreadable_of(&self, store: i64, found: &Found) -> Result<Vec<String>> {
        let sql =
            "SELECT subject, document FROM inbox WHERE store_id = ? AND kind = 'unreadable' AND document IS NOT NULL
            ORDER BY subject";
        let mut statement = self.db.prepare_cached(sql).done("read")?;
        let rows = statement.query_map([store], |row| {
            let (subject, document): (String, String) = (row.get(0)?, row.get(1)?);
            Ok(found.is_named(&document).then_some(subject))
        });
        rows.done("read")?.filter_map(rusqlite::Result::transpose).collect::<rusqlite::Result<_>>().done("read")
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

    /// Begins to forget the people whom channels have erased: orders that they have bought by the
    /// channel's own number of them, which are closed. While others of theirs are open, or could
    /// not be read, it is looked again; nothing is written where that finds nothing to do. Gives
    /// whether anything is to be cleared now.
    pub(crate) fn begin_forgetting_told(&mut self) -> Result<bool> {
        let told = "SELECT store_id, person FROM to_forget";
        let mut statement = self.db.prepare_cached(told).done("read")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).done("read")?;
        let told: Vec<(i64, String)> = rows.collect::<rusqlite::Result<_>>().done("read")?;
        drop(statement);
        let (mut done, mut has_begun) = (Vec::new(), false);
        for (store, person) in told {
            if self.unreadable_of(store, &Found::new(By::Id(person.clone())))?.is_empty() {
                done.push((store, person));
            }
        }
        if done.is_empty() {
            return Ok(false);
        }
        let theirs = "FROM orders o JOIN to_forget f ON f.store_id = o.store_id AND f.person = o.buyer_remote_id
            WHERE NOT EXISTS (SELECT 1 FROM cleared z WHERE z.order_id = o.id)
              AND NOT EXISTS (SELECT 1 FROM forgetting z WHERE z.order_id = o.id)";
        let begin = format!("INSERT INTO forgetting SELECT o.id {theirs} AND {}", closed());
        let left = format!("SELECT EXISTS (SELECT 1 {theirs} AND f.store_id = ?1 AND f.person = ?2)");
        if !self.is_any_to_forget(&format!("SELECT EXISTS (SELECT 1 {theirs} AND {})", closed()), &left, &done)? {
            return Ok(false);
        }
        self.write_durably("written", |db| {
            has_begun = db.prepare_cached(&begin).done("written")?.execute([]).done("written")? > 0;
            for (store, person) in &done {
                let theirs = params![store, person];
                if !db.prepare_cached(&left).done("read")?.query_row(theirs, |row| row.get(0)).done("read")? {
                    let sql = "DELETE FROM to_forget WHERE store_id = ?1 AND person = ?2";
                    db.prepare_cached(sql).done("written")?.execute(theirs).done("written")?;
                }
            }
            Ok(())
        })?;
        Ok(has_begun)
    }

    /// Whether any order is to be cleared (`closed`), or nothing is left of one of these people (`left`).
    fn is_any_to_forget(&self, closed: &str, left: &str, people: &[(i64, String)]) -> Result<bool> {
        if self.db.prepare_cached(closed).done("read")?.query_row([], |row| row.get(0)).done("read")? {
            return Ok(true);
        }
        let mut statement = self.db.prepare_cached(left).done("read")?;
        for (store, person) in people {
            let is_left: bool = statement.query_row(params![store, person], |row| row.get(0)).done("read")?;
            if !is_left {
                return Ok(true);
            }
        }
        Ok(false)
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
    if is_number(user) {
        ways.push(By::Id(user.to_owned()));
    }
    ways.extend(phone(user).filter(|phone| phone.len() >= SHORTEST_PHONE).map(By::Phone));
    let name = folded_words(user);
    if !name.is_empty() {
        ways.push(By::Name(name));
    }
    ways
}

impl Found {
    fn new(by: By) -> Self {
        let (mut ids, mut emails, mut phones) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
        match &by {
            By::Email(email) => drop(emails.insert(email.clone())),
            By::Id(id) => drop(ids.insert(id.clone())),
            By::Phone(phone) => phones.push(phone.clone()),
            By::Name(_) => {}
        }
        Self { by, bought: BTreeSet::new(), sent: BTreeSet::new(), ids, emails, phones, names: BTreeSet::new() }
    }

    /// By what was given alone.
    fn see_buyer(&mut self, buyer: &Buyer) {
        let is_theirs = match &self.by {
            By::Email(email) => buyer.email == *email,
            By::Id(id) => buyer.id == *id,
            By::Phone(given) => phone(&buyer.phone).is_some_and(|phone| phone.is_same(given)),
            By::Name(name) => folded_words(&buyer.name) == *name,
        };
        if !is_theirs {
            return;
        }
        self.bought.insert(buyer.order);
        if matches!(self.by, By::Email(_) | By::Id(_)) {
            self.ids.extend(Some(buyer.id.clone()).filter(|id| is_number(id)));
            self.names.insert(folded_words(&buyer.name));
        }
    }

    fn see_addressee(&mut self, one: &Addressee) {
        let is_theirs = match &self.by {
            By::Email(email) => one.email == *email,
            By::Id(_) => false,
            By::Phone(given) => phone(&one.phone).is_some_and(|phone| phone.is_same(given)),
            By::Name(name) => folded_words(&one.name) == *name,
        };
        if is_theirs {
            self.sent.insert(one.order);
        }
    }

    /// Under what addresses the same customer has bought.
    fn see_same(&mut self, buyer: &Buyer) {
        if self.ids.contains(&buyer.id) && !buyer.email.is_empty() {
            self.emails.insert(buyer.email.clone());
        }
    }

    /// By whatever they are known by.
    fn see_theirs(&mut self, buyer: &Buyer) {
        if !self.ids.contains(&buyer.id) && !self.emails.contains(&buyer.email) {
            return;
        }
        self.bought.insert(buyer.order);
        if self.phones.len() < MOST_PHONES
            && let Some(phone) = phone(&buyer.phone).filter(|phone| phone.len() >= SHORTEST_PHONE)
            && !self.phones.iter().any(|known| known.is_same(&phone))
        {
            self.phones.push(phone);
        }
    }

    /// Whether a document that could not be read tells of them.
    fn is_named(&self, document: &str) -> bool {
        let text = document.to_lowercase();
        self.emails.iter().any(|email| text.contains(email))
            || serde_json::from_str::<Value>(document).is_ok_and(|document| self.is_told(&document, false))
    }

    /// The same of a part of it; `of_person` where it stands under a name that means a person. A
    /// customer's number may be any number elsewhere.
    fn is_told(&self, part: &Value, of_person: bool) -> bool {
        match part {
            Value::Object(fields) => fields.iter().any(|(name, part)| {
                let name = name.to_lowercase();
                let means_person = PERSON.iter().any(|word| name.contains(word));
                self.is_told(part, of_person || means_person)
            }),
            Value::Array(parts) => parts.iter().any(|part| self.is_told(part, of_person)),
            Value::String(text) => self.is_text(text, of_person),
            Value::Number(number) => self.is_text(&number.to_string(), of_person),
            Value::Null | Value::Bool(_) => false,
        }
    }

    fn is_text(&self, text: &str, of_person: bool) -> bool {
        let last = text.rsplit('/').next().unwrap_or(text);
        let lower = text.to_lowercase();
        (of_person && (self.ids.contains(text) || self.ids.contains(last)))
            || self.emails.iter().any(|email| lower.contains(email))
            || (!self.phones.is_empty()
                && phone(text).is_some_and(|told| self.phones.iter().any(|phone| phone.is_same(&told))))
    }
}

/// What is in the name of a field that tells who has bought.
const PERSON: [&str; 5] = ["customer", "buyer", "user", "client", "account"];

/// Whether a customer's number is one; guests have none, or 0.
fn is_number(id: &str) -> bool {
    !id.is_empty() && id != "0"
}

/// An e-mail address as it is compared.
fn same_email(text: &str) -> String {
    text.trim().to_lowercase()
}
