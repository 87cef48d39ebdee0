//! The shop as a server: addresses, requests, answers.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::value::RawValue;
use url::Url;

use super::auth::{self, Auth};
use super::cancel::NOTED;
use super::document::{SHIPMENT, SHIPMENTS};
use super::errors::{self, Way};
use super::operation::Operation;
use super::probe::Facts;
use super::settings::Settings;
use crate::channel::all_pages::{More, all_pages};
use crate::channel::page_size::{PageSize, PageSizes};
use crate::channel::settings::Known;
use crate::channel::{Connection, meant, rows};
use crate::clock::Timestamp;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Client, Protocol, Reply, Request, Verdict};

/// The most rows that are asked for at once; a shop may have a lower limit, and many do from here
/// on.
pub(crate) const MOST_ROWS: u32 = 300;

/// How many ids go into an address.
pub(crate) const MOST_IDS: usize = 100;

/// What helps where the shop could not save a shipment.
const UNSAVED: &str = "the source may not have the goods (ordersync config set STORE.source CODE names another), or their stock was locked for a moment, which ordersync retry gets past";

/// A shop's server, with the credentials for it.
pub(crate) struct Api {
    url: Url,
    auth: Auth,
    facts: Known<Facts>,
    http: Arc<Client>,
    page: PageSize,
    limit: PageSize,
}

/// What of a list is asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Criteria<'c> {
    /// Field, condition and value of what all rows fulfil.
    pub(crate) filters: Vec<(&'c str, &'c str, String)>,
    /// What they are sorted by, and whether from the end.
    pub(crate) sort: Vec<(&'c str, bool)>,
    /// How many of them.
    pub(crate) size: usize,
    /// Which members of each.
    pub(crate) fields: &'c str,
}

impl Criteria<'_> {
    /// As the address has it. A blank in a value, or an empty one, would be signed as another.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        // From the eleventh on the shop sorts their names in another way, and the signature is
        // another.
        debug_assert!(self.filters.len().max(self.sort.len()) <= 10);
        let mut parameters = Vec::new();
        for (nth, (field, condition, value)) in self.filters.iter().enumerate() {
            let of = |name| format!("searchCriteria[filterGroups][{nth}][filters][0][{name}]");
            parameters.push((of("field"), (*field).to_owned()));
            parameters.push((of("conditionType"), (*condition).to_owned()));
            parameters.push((of("value"), value.clone()));
        }
        for (nth, (field, descending)) in self.sort.iter().enumerate() {
            let of = |name| format!("searchCriteria[sortOrders][{nth}][{name}]");
            parameters.push((of("field"), (*field).to_owned()));
            parameters.push((of("direction"), if *descending { "DESC" } else { "ASC" }.to_owned()));
        }
        parameters.push(("searchCriteria[pageSize]".to_owned(), self.size.to_string()));
        parameters.push(("searchCriteria[currentPage]".to_owned(), "1".to_owned()));
        let fields = if self.fields.is_empty() { String::new() } else { format!("items[{}],", self.fields) };
        parameters.push(("fields".to_owned(), format!("{fields}total_count")));
        parameters
    }
}

impl Api {
    /// The shop of a connection.
    pub(crate) fn new(connection: Connection, settings: &Settings) -> Result<Self> {
        let auth = Auth::of(&connection.credentials)?;
        let url = connection.http.address_of(&settings.url);
        let sizes = PageSizes::new(&connection.facts, connection.learn, connection.http.clock().clone());
        let facts = serde_json::from_value(connection.facts).unwrap_or_else(|_| Facts::of(&url));
        let most = u32::try_from(settings.page_size).unwrap_or(MOST_ROWS);
        Ok(Self {
            url,
            auth,
            facts: Known::new(facts),
            http: connection.http,
            page: sizes.of("page", most, most),
            limit: sizes.of("limit", MOST_ROWS, MOST_ROWS),
        })
    }

    /// What is known about the shop; before the first probe, what most shops are like.
    pub(crate) fn facts(&self) -> Facts {
        self.facts.get()
    }

    /// Takes over what a probe found out.
    pub(crate) fn learn(&self, facts: Facts) {
        self.facts.set(facts);
    }

    /// The shop's address as it was given.
    pub(crate) fn given(&self) -> &Url {
        &self.url
    }

    /// How requests are authorised.
    pub(crate) fn way(&self) -> Way {
        self.auth.way()
    }

    /// How many orders are asked for at once.
    pub(crate) fn page(&self) -> &PageSize {
        &self.page
    }

    /// The time by the shop's clock, where an answer has told it.
    pub(crate) fn told_now(&self) -> Option<Timestamp> {
        self.http.told_now()
    }

    /// The shop's clock in seconds since the epoch, as far as its answers have told it.
    pub(crate) fn now(&self) -> i64 {
        self.http.their_now().timestamp()
    }

    /// Our own clock.
    pub(crate) fn our_now(&self) -> i64 {
        self.http.clock().now().timestamp()
    }

    /// The address of a route below the root of the REST API.
    pub(crate) fn route(&self, facts: &Facts, route: &str, query: &[(String, String)]) -> Url {
        let mut url = self.url.clone();
        if facts.https {
            let _ = url.set_scheme("https");
        }
        url.set_path(&format!("{}V1/{route}", facts.root));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Reads a route. An id that is not there is an answer with status 404.
    pub(crate) fn get(&self, route: &str, query: &[(String, String)], repeats: Option<u32>) -> Result<Reply> {
        let request = Request::get(self.route(&self.facts(), route, query));
        let request = if let Some(repeats) = repeats { request.repeated(repeats) } else { request };
        self.http.send(&Authorized(self), &request)
    }

    /// Reads the first page of a list, or less of it where the shop permits no such page.
    pub(crate) fn search(&self, list: &str, criteria: &Criteria<'_>, repeats: Option<u32>) -> Result<Reply> {
        let limited = |limit: usize| Criteria { size: criteria.size.min(limit), ..criteria.clone() }.parameters();
        let limit = self.limit.get();
        match self.get(list, &limited(limit as usize), repeats) {
            Err(error) if errors::page_limit(error.message()).is_some_and(|told| told < limit) => {
                let told = errors::page_limit(error.message()).unwrap_or(limit);
                self.limit.at_most(told);
                self.get(list, &limited(told as usize), repeats)
            }
            reply => reply,
        }
    }

    /// Reads all rows of another list that belong to these orders, in the order of their ids.
    pub(crate) fn of_orders(&self, list: &str, orders: &[&str], fields: &str) -> Result<Vec<Box<RawValue>>> {
        let key = |row: &Box<_>| key(row);
        all_pages(list, Vec::new(), 0u64, key, |after| {
            let mut filters = vec![("order_id", "in", orders.join(","))];
            filters.extend((*after > 0).then(|| ("entity_id", "gt", after.to_string())));
            let criteria = Criteria { filters, sort: vec![("entity_id", false)], size: MOST_IDS, fields };
            let reply = self.search(list, &criteria, Some(crate::channel::isolate::REPEATS))?;
            let found = rows::member(&reply, "items", "total_count")?;
            // Of whichever of the orders it is: these are asked for in halves, down to that one.
            if found.rows.iter().any(|row| row.get() == "null") {
                return Err(super::list::odd(&format!("one of the {list} that it gives is null")).too_much());
            }
            let rows: Vec<Box<RawValue>> = found.rows.into_iter().map(|row| row.into_owned()).collect();
            let last = rows.iter().filter_map(|row| meant(&rows::dug(row, "entity_id")?)).max();
            let all = found.total.as_deref().and_then(meant).map(|total| total <= rows.len() as u64);
            let more = match last {
                Some(last) if !all.unwrap_or(rows.len() < MOST_IDS) => More::Yes(last),
                _ => More::No,
            };
            Ok((rows, more))
        })
    }

    /// Reads an address without credentials, whatever the answer: for finding the API.
    pub(crate) fn look(&self, url: Url) -> Result<Reply> {
        self.http.send(&Anonymous(self), &Request::get(url))
    }

    /// Carries out a write and gives its receipt.
    ///
    /// What may be a bundle that ships in its parts is shipped so where it is refused as a whole,
    /// once it was looked for: a plugin or a proxy may refuse what the shop has shipped. Where the
    /// parts are refused too, the first refusal counts, unless the other one tells what helps.
    pub(crate) fn carry_out(&self, operation: &Operation) -> Result<Option<String>> {
        let Operation::Ship { order, shipment, known, .. } = operation else {
            return self.write(operation, &Authorized(self));
        };
        let looked_for = |error: Error| match is_half_done(&error) {
            true => self.looked_for(*order, shipment.marker.as_deref(), known, error),
            false => error,
        };
        let shipping = Shipping { of: Authorized(self), refusal: Mutex::default() };
        let error = match self.write(operation, &shipping) {
            Err(error) if error.kind() == ErrorKind::Rejected => looked_for(error),
            done => return done,
        };
        let refusal = shipping.refusal.into_inner().unwrap_or_else(PoisonError::into_inner);
        let parts = operation.in_parts(&refusal).filter(|_| error.hint_text().is_none());
        let Some(parts) = parts.filter(|_| !self.may_be_there(*order, shipment.marker.as_deref(), known)) else {
            return Err(error);
        };
        match self.write(&parts, &Authorized(self)) {
            Err(again) if again.kind() == ErrorKind::Rejected => {
                let again = looked_for(again);
                Err(if again.hint_text().is_some() { again } else { error })
            }
            done => done,
        }
    }

    /// Whether a shipment that was refused may be there all the same: by our key, among those that
    /// were not there before. Where they cannot be read, it may.
    fn may_be_there(&self, order: u64, marker: Option<&str>, known: &[String]) -> bool {
        let may_be_it = |row: &RawValue| {
            let is_new = rows::dug(row, "entity_id").is_none_or(|id| !known.contains(&id));
            is_new && marker.is_none_or(|marker| row.get().contains(marker))
        };
        let made = self.of_orders(SHIPMENTS, &[order.to_string().as_str()], SHIPMENT);
        made.map_or(true, |rows| rows.iter().any(|row| may_be_it(row)))
    }

    /// What a refusal means that may have come after the shipment was made.
    fn looked_for(&self, order: u64, marker: Option<&str>, known: &[String], error: Error) -> Error {
        if !self.may_be_there(order, marker, known) {
            return error.hint(UNSAVED);
        }
        let text = format!("{}; whether the shipment was made is not known", error.message());
        Error::new(ErrorKind::Unknown, text).hint("the next sync looks at the channel before it writes again")
    }

    fn write(&self, operation: &Operation, protocol: &dyn Protocol) -> Result<Option<String>> {
        let (method, route, body) = operation.request();
        let mut request = Request::write_json(method, self.route(&self.facts(), &route, &[]), &body);
        if body.is_null() {
            request.body = None;
        }
        let reply = match self.http.send(protocol, &request) {
            // The cancellation itself may be permitted, and the comment alone not.
            Err(error) if matches!(operation, Operation::Comment { .. }) && error.kind() == ErrorKind::Permission => {
                return Ok(Some(format!("{NOTED}: {}", error.message())));
            }
            reply => reply?,
        };
        let answer = reply.body.trim_ascii();
        match operation {
            // A number, or a text of one.
            Operation::Ship { .. } => {
                let text = std::str::from_utf8(answer).unwrap_or_default().trim_matches('"');
                Ok(meant(text).map(|id| id.to_string()))
            }
            Operation::AddTrack { .. } => {
                let made = reply.json::<&RawValue>().ok();
                Ok(made.and_then(|(made, _)| rows::dug(made, "entity_id")))
            }
            Operation::Comment { .. } => Ok(Some(NOTED.to_owned())),
            Operation::Mail { .. } if answer != b"true" => {
                Err(Error::new(ErrorKind::Rejected, "the shop did not mail the buyer (it does not answer true)"))
            }
            Operation::Mail { .. } => Ok(Some("mailed".to_owned())),
            Operation::Cancel { .. } if answer == b"false" => {
                let text = "the shop did not cancel the order (it answers false): it is invoiced, held or done with there; nothing was changed";
                Err(Error::new(ErrorKind::Rejected, text)
                    .hint("an invoiced order is given back with a credit memo, in the shop's admin"))
            }
            _ => Ok(None),
        }
    }
}

/// Whether the shop failed while it saved a shipment. Older versions have saved it by then.
fn is_half_done(error: &Error) -> bool {
    error.message().contains("Could not save")
}

/// By its id; by what is in it, where it has none.
fn key(row: &RawValue) -> String {
    rows::dug(row, "entity_id").unwrap_or_else(|| row.get().to_owned())
}

struct Authorized<'a>(&'a Api);

impl Protocol for Authorized<'_> {
    fn authorize(&self, request: &mut Request) -> Result<()> {
        // By the shop's clock: ours may be wrong by hours.
        self.0.auth.put_on(request, self.0.facts().signed_as.as_deref(), self.0.http.their_now())
    }

    fn classify(&self, request: &Request, reply: &Reply) -> Verdict {
        errors::classify(self.0.way(), request, reply, self.0.http.clock().now())
    }

    /// What the shop refused was of the moment: each attempt has a nonce and a time of its own.
    fn renew(&self, _: &Request) -> Result<()> {
        Ok(())
    }
}

/// A shipment, of whose refusal all words are kept: they name the bundles that it is for, and what
/// an error holds of them is bounded.
struct Shipping<'a> {
    of: Authorized<'a>,
    refusal: Mutex<String>,
}

impl Protocol for Shipping<'_> {
    fn authorize(&self, request: &mut Request) -> Result<()> {
        self.of.authorize(request)
    }

    fn classify(&self, request: &Request, reply: &Reply) -> Verdict {
        let verdict = self.of.classify(request, reply);
        if matches!(verdict, Verdict::Refused(_)) {
            *self.refusal.lock().unwrap_or_else(PoisonError::into_inner) = errors::words(reply).unwrap_or_default();
        }
        verdict
    }

    fn renew(&self, failed: &Request) -> Result<()> {
        self.of.renew(failed)
    }
}

/// Nothing is authorised, and every answer but a server's failure is worth reading.
struct Anonymous<'a>(&'a Api);

impl Protocol for Anonymous<'_> {
    fn authorize(&self, request: &mut Request) -> Result<()> {
        auth::json(request);
        Ok(())
    }

    fn classify(&self, request: &Request, reply: &Reply) -> Verdict {
        match reply.status {
            408 | 429 | 500..=599 => errors::classify(self.0.way(), request, reply, self.0.http.clock().now()),
            _ => Verdict::Good,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_has_no_blanks_and_no_empty_values_and_each_filter_is_a_group() {
        let filters =
            vec![("updated_at", "gteq", "2026-11-18T11:06:40Z".to_owned()), ("store_id", "in", "1,2".to_owned())];
        let criteria = Criteria {
            filters,
            sort: vec![("updated_at", false), ("entity_id", false)],
            size: 100,
            fields: "entity_id",
        };
        let asked = criteria.parameters();
        let has = |name: &str, value: &str| asked.iter().any(|(n, v)| n == name && v == value);
        assert!(has("searchCriteria[filterGroups][0][filters][0][conditionType]", "gteq"));
        assert!(has("searchCriteria[filterGroups][1][filters][0][value]", "1,2"));
        assert!(
            has("searchCriteria[sortOrders][1][field]", "entity_id") && has("fields", "items[entity_id],total_count")
        );
        assert!(asked.iter().all(|(_, value)| !value.is_empty() && !value.contains(' ')), "{asked:?}");
    }
}
