//! What can go wrong between a client and a store, on order.
//!
//! A [`Fault`] is armed for the next requests that match it and is used up by them. Faults that say
//! so let the store apply the request first: the worst ones, because the client cannot see it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::http::{Request, Response};

/// How one order in an answer breaks its own documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WrongType {
    /// `total` is an object.
    TotalIsObject,
    /// `id` is the text `abc`.
    IdIsText,
    /// The four date fields are missing.
    DatesMissing,
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum FaultKind {
    /// 429 as hosts and proxies send it, with this `Retry-After` if one is given. Not applied.
    RateLimited(Option<String>),
    /// This status with an HTML page (500, 502, 503, 504, 520 ...). Not applied.
    ServerError(u16),
    /// This status with this text as the words of an error, in every vendor's form. Not applied.
    Says(u16, String),
    /// A web application firewall's 403 page. Not applied.
    Firewall,
    /// A 401 in JSON although the keys are right. Not applied.
    Unauthorized,
    /// The connection is closed before the store sees the request. Not applied.
    CutBefore,
    /// The store applies the request and the connection is closed without an answer.
    AnswerLost,
    /// The store applies the request; half of the promised body arrives, then the connection
    /// closes.
    Truncated,
    /// A byte order mark before the body.
    ByteOrderMark,
    /// A PHP notice in HTML before the body.
    NoticeBefore,
    /// A PHP notice in HTML after the body.
    NoticeAfter,
    /// An HTML page with status 200 instead of the answer. Applied.
    HtmlInstead,
    /// The same with scripts in the page that hold `[]` and objects, as `text/html` or, where a
    /// server labels everything alike, as JSON.
    HtmlWithScript(bool),
    /// This JSON in the place of the one asked for, with status 200: a plugin's or a proxy's own
    /// answer. Applied.
    OtherJson(Value),
    /// A page cache: the first matching answer is kept and repeated, as `text/html` and whatever
    /// the query says, for the following matching requests. Those are not applied.
    StaleCache,
    /// The first matching answer is given again, as it was, to the following matching requests.
    /// Those are not applied.
    Frozen,
    /// One order of the answer has a wrong type: the one with this id, or the first.
    WrongType(WrongType, Option<u64>),
    /// In the first order of a list, every amount is this one.
    AbsurdAmounts(String),
    /// Behind the first place in the answer where this text stands come these bytes.
    Spliced(String, Vec<u8>),
    /// A list that is empty, as its count is: a database that failed, a server that is half up.
    /// Applied.
    Empty,
    /// A list that is empty while its count stands. Applied.
    EmptyButCounted,
    /// A body that never ends.
    Endless,
    /// Behind the answer comes a blank after each such time, and it never ends. Applied.
    Drips(Duration),
    /// The answer comes this much later. Applied.
    Slow(Duration),
    /// Reads are answered by a replica that lags behind: what was asked before is answered as it
    /// was then. Writes are applied.
    Lagging,
    /// Something before the store drops these query parameters, all of them where none is named;
    /// credentials get through. Applied.
    Deaf(Vec<String>),
    /// Something before the store lets no page be larger than so many rows. Applied.
    PageCap(u64),
    /// The same, and what it counts is what it gives. Applied.
    OnePage(u64),
    /// A page of more rows than these is refused with a 400. Not applied.
    PageRefused(u64),
    /// What counts a list is taken away. Applied.
    NoCount,
    /// Orders with these ids are taken out of every list, and stay in the counts. Applied.
    Hidden(Vec<String>),
    /// Orders with these ids are `null` in every list. Applied.
    Nulled(Vec<String>),
    /// 301 to this address followed by the request's own path and query. Not applied.
    Redirect(String),
    /// The store applies the request, and the answer is the one of this fault all the same: a limit
    /// behind the work, a plugin that fails after it, a proxy that counts answers.
    DoneThen(Box<FaultKind>),
}

impl FaultKind {
    /// Whether it gives one answer again and again.
    pub(super) fn keeps_an_answer(&self) -> bool {
        matches!(self, Self::StaleCache | Self::Frozen)
    }
}

/// A fault and the requests it is meant for.
#[derive(Debug, Clone)]
pub struct Fault {
    kind: FaultKind,
    method: Option<String>,
    target: String,
    writes: bool,
    skip: u32,
    times: u32,
    cached: Option<Response>,
}

impl Fault {
    /// Meant for the next request, whatever it is.
    pub fn new(kind: FaultKind) -> Self {
        Self { kind, method: None, target: String::new(), writes: false, skip: 0, times: 1, cached: None }
    }

    /// Meant only for this method and for targets (path and decoded query) that contain `part`.
    pub fn on(mut self, method: &str, part: &str) -> Self {
        self.method = Some(method.to_owned());
        self.target = part.to_owned();
        self
    }

    /// Meant only for what changes something: a question may have the method of a write.
    pub fn on_writes(self) -> Self {
        Self { writes: true, ..self }
    }

    /// Meant for targets that contain `part`, whatever the method.
    pub fn on_path(mut self, part: &str) -> Self {
        self.target = part.to_owned();
        self
    }

    /// Lets so many matching requests pass first.
    pub fn after(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }

    /// Strikes so many times.
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// Strikes until [`Faults::clear`].
    pub fn always(self) -> Self {
        self.times(u32::MAX)
    }

    fn matches(&self, request: &Request, target: &str) -> bool {
        self.times > 0
            && self.method.as_deref().is_none_or(|method| method == request.method)
            && target.contains(&self.target)
            && (!self.writes || super::record::writes(request))
    }
}

/// The armed faults of a server; safe to use from any thread.
#[derive(Default)]
pub struct Faults {
    armed: Mutex<Vec<Fault>>,
    replica: Mutex<std::collections::HashMap<Vec<u8>, Response>>,
}

/// What strikes one request.
#[derive(Debug, Default)]
pub(super) struct Strike {
    pub(super) delay: Duration,
    pub(super) kind: Option<FaultKind>,
    pub(super) cached: Option<Response>,
}

impl Faults {
    /// Arms a fault.
    pub fn add(&self, fault: Fault) {
        self.lock().push(fault);
    }

    /// Arms a fault for the next request.
    pub fn next(&self, kind: FaultKind) {
        self.add(Fault::new(kind));
    }

    /// What a replica that lags behind answers to a read: what it answered before, else `now`.
    pub(super) fn lagging(&self, request: &Request, now: impl FnOnce() -> Response) -> Response {
        let mut key = format!("{} {} ", request.method, request.path).into_bytes();
        for (name, value) in request.query.iter().filter(|(name, _)| !name.starts_with("oauth_")) {
            key.extend(format!("{name}={value}&").into_bytes());
        }
        key.extend(&request.body);
        let known = self.replica().get(&key).cloned();
        known.unwrap_or_else(|| {
            let answer = now();
            self.replica().insert(key, answer.clone());
            answer
        })
    }

    fn replica(&self) -> MutexGuard<'_, std::collections::HashMap<Vec<u8>, Response>> {
        self.replica.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Disarms everything.
    pub fn clear(&self) {
        self.replica().clear();
        self.lock().clear();
    }

    /// How many armed faults have not struck yet, or not as often as they should.
    pub fn pending(&self) -> usize {
        self.lock().iter().filter(|fault| fault.times > 0).count()
    }

    /// Uses up the faults that strike `request`: every delay that matches, and the first of the
    /// others.
    pub(super) fn strike(&self, request: &Request) -> Strike {
        let mut armed = self.lock();
        let mut strike = Strike::default();
        if armed.is_empty() {
            return strike;
        }
        let target = request.target();
        for fault in armed.iter_mut().filter(|fault| fault.matches(request, &target)) {
            let slow = matches!(fault.kind, FaultKind::Slow(_));
            if !slow && strike.kind.is_some() {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if fault.times != u32::MAX {
                fault.times -= 1;
            }
            match &fault.kind {
                FaultKind::Slow(delay) => strike.delay += *delay,
                kind => {
                    strike.kind = Some(kind.clone());
                    strike.cached = fault.cached.clone();
                }
            }
        }
        armed.retain(|fault| fault.times > 0);
        strike
    }

    /// Keeps `response` for the page cache that struck it.
    pub(super) fn keep_in_cache(&self, response: &Response) {
        let mut armed = self.lock();
        if let Some(fault) = armed.iter_mut().find(|f| f.kind.keeps_an_answer() && f.cached.is_none()) {
            fault.cached = Some(response.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The answer that takes the store's place, for faults that never let the request through.
pub(super) fn instead(kind: &FaultKind, request: &Request) -> Option<Response> {
    Some(match kind {
        FaultKind::RateLimited(after) => rate_limited(after.as_deref()),
        FaultKind::ServerError(status) => Response::html(*status, critical_error_page(*status)),
        FaultKind::Says(status, text) => Response::json(*status, &error_with(text)),
        FaultKind::PageRefused(most) => {
            let text = "Invalid parameter(s): the page is too large";
            return (page_size(request)? > *most).then(|| Response::json(400, &error_with(text)));
        }
        FaultKind::Firewall => Response::html(403, FIREWALL_PAGE).with_header("Server", "cloudflare"),
        FaultKind::Unauthorized => Response::json(401, &unauthorized()),
        FaultKind::Redirect(to) => Response::html(301, "").with_header("Location", redirect_target(to, request)),
        _ => return None,
    })
}

/// Damages an answer that the store has given.
pub(super) fn damage(kind: &FaultKind, response: &mut Response) {
    match kind {
        FaultKind::ByteOrderMark => prepend(response, b"\xEF\xBB\xBF"),
        FaultKind::NoticeBefore => prepend(response, NOTICE.as_bytes()),
        FaultKind::NoticeAfter => response.body.extend_from_slice(NOTICE.as_bytes()),
        FaultKind::HtmlInstead => *response = Response::html(200, LOGIN_PAGE),
        FaultKind::OtherJson(body) => *response = Response::json(200, body),
        FaultKind::HtmlWithScript(labelled_json) => {
            *response = Response::html(200, SCRIPT_PAGE);
            if *labelled_json {
                response.set_header("Content-Type", "application/json; charset=UTF-8");
            }
        }
        FaultKind::AbsurdAmounts(amount) => {
            let mut body = response.body_json();
            first_row(&mut body).into_iter().for_each(|order| replace_amounts(order, amount));
            // Numbers are written as they are wished for, however large.
            response.body = body.to_string().replace(&json!(A_NUMBER).to_string(), amount).into_bytes();
        }
        FaultKind::Spliced(text, bytes) => {
            let at = response.body.windows(text.len().max(1)).position(|part| part == text.as_bytes());
            let at = at.map(|at| at + text.len());
            at.into_iter().for_each(|at| drop(response.body.splice(at..at, bytes.iter().copied())));
        }
        FaultKind::WrongType(wrong, id) if !break_total(response, *id) => break_type(response, *wrong, *id),
        FaultKind::Empty => empty(response, true),
        FaultKind::EmptyButCounted => empty(response, false),
        FaultKind::OnePage(_) => recount(response),
        FaultKind::Hidden(ids) => hide(response, ids, |_| None),
        FaultKind::Nulled(ids) => hide(response, ids, |_| Some(Value::Null)),
        FaultKind::NoCount => uncount(response),
        _ => {}
    }
}

/// What counts a list is taken away.
fn uncount(response: &mut Response) {
    response.headers.retain(|(name, _)| !name.to_ascii_lowercase().starts_with("x-wp-total"));
    let mut body = response.body_json();
    if let (Some((_, count)), Some(members)) = (counted(&body), body.as_object_mut()) {
        members.remove(count);
        response.body = body.to_string().into_bytes();
    }
}

/// The members of an answer in which a list is, and which counts it, where headers do not.
fn counted(body: &Value) -> Option<(&'static str, &'static str)> {
    [("results", "count"), ("items", "total_count"), ("orders", "total")]
        .into_iter()
        .find(|(rows, count)| body.get(rows).is_some() && body.get(count).is_some())
}

/// What counts the list counts what is in the answer, as if that were all.
fn recount(response: &mut Response) {
    let mut body = response.body_json();
    if let Some((rows, count)) = counted(&body) {
        body[count] = json!(body[rows].as_array().map_or(0, Vec::len));
        response.body = body.to_string().into_bytes();
    }
    let rows = body.as_array().map_or(0, Vec::len).to_string();
    for (name, value) in &mut response.headers {
        match name.to_ascii_lowercase().as_str() {
            "x-wp-total" => rows.clone_into(value),
            "x-wp-totalpages" => "1".clone_into(value),
            _ => {}
        }
    }
}

/// What reaches the store of a request's query. Credentials and the route are not what such a cache
/// or plugin meddles with.
pub(super) fn muffle(kind: &FaultKind, request: &mut Request) {
    let kept = |name: &str| {
        name == "rest_route" || name.starts_with("oauth_") || name.starts_with("consumer_") || name.starts_with('_')
    };
    match kind {
        FaultKind::Deaf(names) => {
            let dropped = |name: &String| names.contains(name) || (names.is_empty() && !kept(name));
            request.query.retain(|(name, _)| !dropped(name));
            vary(request, "query", |_| Value::Null);
        }
        FaultKind::PageCap(most) | FaultKind::OnePage(most) => {
            vary(request, "first", |rows| json!(rows.as_u64().unwrap_or(0).min(*most)));
            let sizes = request.query.iter_mut().filter(|(name, _)| is_size(name));
            for (_, value) in sizes.filter(|(_, value)| value.parse::<u64>().is_ok_and(|rows| rows > *most)) {
                *value = most.to_string();
            }
        }
        _ => {}
    }
}

/// Whether a parameter says how many rows a page is to have.
fn is_size(name: &str) -> bool {
    matches!(name, "per_page" | "limit" | "searchCriteria[pageSize]")
}

/// How many rows a page is asked for with.
fn page_size(request: &Request) -> Option<u64> {
    let asked = request.query.iter().find(|(name, _)| is_size(name)).and_then(|(_, value)| value.parse().ok());
    asked.or_else(|| request.operation().and_then(|_| request.json())?["variables"]["first"].as_u64())
}

/// Changes a variable of a GraphQL request.
fn vary(request: &mut Request, name: &str, change: impl FnOnce(&Value) -> Value) {
    let Some(mut body) = request.operation().and_then(|_| request.json()) else { return };
    if let Some(variable) = body["variables"].get_mut(name) {
        *variable = change(variable);
        request.body = body.to_string().into_bytes();
    }
}

const NOTICE: &str = "<br />\n<b>Notice</b>:  Undefined index: tax_status in \
     <b>/var/www/html/wp-content/plugins/old-plugin/old.php</b> on line <b>42</b><br />\n";
const LOGIN_PAGE: &str = "<!DOCTYPE html><html><head><title>Coming soon</title></head>\
     <body><h1>We will be right back</h1></body></html>";
const SCRIPT_PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Shop</title>\n<script>\nwindow.dataLayer = window.dataLayer || [];\n\
     var settings = {\"id\":1};\n[]\n</script></head>\n<body><h1>Welcome</h1></body></html>\n";
const FIREWALL_PAGE: &str = "<!DOCTYPE html><html><head><title>Attention Required!</title></head>\
     <body><h1>Sorry, you have been blocked</h1></body></html>";

fn critical_error_page(status: u16) -> String {
    format!(
        "<!DOCTYPE html><html><head><title>{status}</title></head><body><p>There has been a critical error on this \
         website.</p></body></html>"
    )
}

fn rate_limited(after: Option<&str>) -> Response {
    let response = Response::html(429, "<html><body><h1>429 Too Many Requests</h1></body></html>");
    match after {
        Some(after) => response.with_header("Retry-After", after),
        None => response,
    }
}

/// WooCommerce's form (`code`, `message`) and BigCommerce's (`status`, `title`) in one.
fn error_with(text: &str) -> Value {
    json!({ "code": "odd", "message": text, "title": text })
}

fn unauthorized() -> Value {
    json!({"code": "rest_not_logged_in", "message": "You are not currently logged in.", "data": {"status": 401}})
}

fn redirect_target(to: &str, request: &Request) -> String {
    let query: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&request.query).finish();
    let separator = if query.is_empty() { "" } else { "?" };
    format!("{}{}{separator}{query}", to.trim_end_matches('/'), request.path)
}

fn prepend(response: &mut Response, bytes: &[u8]) {
    response.body.splice(0..0, bytes.iter().copied());
}

/// Takes every row out of a list, and, where wanted, out of the headers that count it.
fn empty(response: &mut Response, uncounted: bool) {
    fn clear(body: &mut Value) {
        match body {
            Value::Array(rows) => rows.clear(),
            Value::Object(members) => {
                members.values_mut().for_each(clear);
                members.entry("hasNextPage").and_modify(|more| *more = Value::Bool(false));
            }
            _ => {}
        }
    }
    if response.body.is_empty() {
        return;
    }
    let mut body = response.body_json();
    clear(&mut body);
    if let Some((_, count)) = counted(&body).filter(|_| uncounted) {
        body[count] = json!(0);
    }
    response.body = body.to_string().into_bytes();
    let counts = |name: &str| uncounted && name.to_ascii_lowercase().starts_with("x-wp-total");
    response.headers.iter_mut().filter(|(name, _)| counts(name)).for_each(|(_, value)| "0".clone_into(value));
}

/// The id of an order, whatever its channel calls it; nothing where it is an order's line, or what
/// belongs to an order and says to which.
fn order_id(row: &Value) -> &Value {
    let belongs = ["transaction_id", "order_id", "lineItemId"].iter().any(|own| row.get(own).is_some());
    let own = ["receipt_id", "entity_id", "orderId"].into_iter().find_map(|name| row.get(name)).filter(|_| !belongs);
    own.unwrap_or(&row["id"])
}

/// The first row of the list that an answer is, or holds.
fn first_row(body: &mut Value) -> Option<&mut Value> {
    match body {
        // A list of ids alone holds no amounts.
        Value::Array(rows) => {
            let is_whole = |row: &Value| row.as_object().is_none_or(|members| members.len() > 3);
            rows.first_mut().filter(|row| !order_id(row).is_null() && is_whole(row))
        }
        // An order by itself, whose lines bear its id, or have names of no such kind.
        Value::Object(members)
            if ["transactions", "increment_id", "lineItems"].iter().any(|own| members.contains_key(*own)) =>
        {
            Some(body)
        }
        Value::Object(members) => members.values_mut().find_map(first_row),
        _ => None,
    }
}

/// Takes orders out of the list that an answer is, or holds.
/// `instead`: what stands in the place of each.
fn hide(response: &mut Response, ids: &[String], instead: impl Fn(Value) -> Option<Value>) {
    fn lists<'a>(body: &'a mut Value, found: &mut Vec<&'a mut Vec<Value>>) {
        match body {
            Value::Array(rows) => found.push(rows),
            Value::Object(members) => members.values_mut().for_each(|member| lists(member, found)),
            _ => {}
        }
    }
    let is_hidden = |row: &Value| match order_id(row) {
        Value::String(id) => ids.iter().any(|one| one == id.trim_start_matches("gid://shopify/Order/")),
        id => ids.contains(&id.to_string()),
    };
    let mut body = response.body_json();
    let mut found = Vec::new();
    lists(&mut body, &mut found);
    let mut hidden = false;
    for rows in found {
        hidden |= rows.iter().any(is_hidden);
        let kept = |row: Value| if is_hidden(&row) { instead(row) } else { Some(row) };
        *rows = std::mem::take(rows).into_iter().filter_map(kept).collect();
    }
    if hidden {
        response.body = body.to_string().into_bytes();
    }
}

/// Stands for an absurd number until it is written.
const A_NUMBER: &str = "an absurd number";

/// Puts `amount` in the place of every text that is an amount, such as `12.00`, of every number of
/// pieces beside which stands how many there are in one, and of a Magento order's numbers that are
/// called amounts.
fn replace_amounts(value: &mut Value, amount: &str) {
    let is_called = |name: &str| ["total", "amount", "price"].iter().any(|part| name.contains(part));
    let is_magento = value.get("entity_id").is_some() || value.get("item_id").is_some();
    let is_amount =
        |text: &str| text.contains('.') && text.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'-');
    match value {
        Value::String(text) if is_amount(text) => amount.clone_into(text),
        Value::Array(rows) => rows.iter_mut().for_each(|row| replace_amounts(row, amount)),
        Value::Object(members) if members.contains_key("divisor") => {
            members.insert("amount".to_owned(), json!(A_NUMBER));
        }
        Value::Object(members) => members.iter_mut().for_each(|(name, member)| match member {
            Value::Number(_) if is_magento && is_called(name) => *member = json!(A_NUMBER),
            member => replace_amounts(member, amount),
        }),
        _ => {}
    }
}

/// The total of an order becomes an object where it was text, and text where it was an object.
/// False where no order with one of these is found.
fn break_total(response: &mut Response, wanted: Option<u64>) -> bool {
    fn order<'b>(body: &'b mut Value, wanted: &impl Fn(&Value) -> bool) -> Option<&'b mut Value> {
        const TOTALS: [&str; 5] = ["total_inc_tax", "totalPriceSet", "grandtotal", "grand_total", "pricingSummary"];
        let total = TOTALS.into_iter().find(|name| body.get(name).is_some());
        match body {
            order_itself if total.is_some() && wanted(order_id(order_itself)) => order_itself.get_mut(total?),
            Value::Object(members) => members.values_mut().find_map(|member| order(member, wanted)),
            Value::Array(rows) => rows.iter_mut().find_map(|row| order(row, wanted)),
            _ => None,
        }
    }
    let is_wanted = |id: &Value| match (id, wanted) {
        (_, None) => true,
        (Value::String(id), Some(wanted)) => id.ends_with(&format!("/{wanted}")),
        (id, Some(wanted)) => *id == json!(wanted),
    };
    let mut body = response.body_json();
    let Some(total) = order(&mut body, &is_wanted) else { return false };
    *total = if total.is_object() { json!("12.00") } else { json!({ "amount": "12.00" }) };
    response.body = body.to_string().into_bytes();
    true
}

fn break_type(response: &mut Response, wrong: WrongType, id: Option<u64>) {
    let mut body = response.body_json();
    let chosen = match &mut body {
        Value::Array(rows) => rows.iter_mut().find(|row| id.is_none_or(|id| row["id"] == json!(id))),
        one => Some(one).filter(|one| id.is_none_or(|id| one["id"] == json!(id))),
    };
    let Some(Value::Object(order)) = chosen else { return };
    match wrong {
        WrongType::TotalIsObject => {
            order.insert("total".to_owned(), json!({"amount": "12.00", "currency": "EUR"}));
        }
        WrongType::IdIsText => {
            order.insert("id".to_owned(), json!("abc"));
        }
        WrongType::DatesMissing => {
            order.retain(|key, _| !key.starts_with("date_created") && !key.starts_with("date_modified"));
        }
    }
    response.body = body.to_string().into_bytes();
}

/// Reads a fault from the control surface's JSON: `kind`, and as far as wanted `method`, `path`,
/// `times` (0 means always), `after`, `status`, `retry_after`, `milliseconds`, `parameters`,
/// `rows`, `orders`, `to`. `None` when `kind` is unknown.
pub(super) fn from_json(wish: &Value) -> Option<Fault> {
    let mut fault = Fault::new(kind_from_json(wish)?);
    fault.method = wish["method"].as_str().map(str::to_owned);
    fault.target = wish["path"].as_str().unwrap_or_default().to_owned();
    fault.skip = small(&wish["after"]).unwrap_or(0);
    fault.times = match small(&wish["times"]) {
        Some(0) => u32::MAX,
        Some(times) => times,
        None => 1,
    };
    Some(fault)
}

/// The kinds of faults that the control surface arms: the word, what it takes beside that as JSON
/// members, and what goes wrong.
pub(crate) const KINDS: [(&str, &str, &str); 31] = [
    ("rate-limited", r#""retry_after": "30""#, "429, as hosts and proxies send it"),
    ("server-error", r#""status": 503"#, "this status with an HTML page"),
    ("says", r#""status": 422, "text": "..""#, "an error in these words"),
    ("firewall", "", "a firewall's 403"),
    ("unauthorized", "", "a 401, though the keys are right"),
    ("cut-before", "", "the connection ends before the store sees the request"),
    ("answer-lost", "", "the store does it, and no answer comes"),
    ("truncated", "", "half of the answer comes"),
    ("byte-order-mark", "", "a byte order mark stands before the answer"),
    ("notice-before", "", "a PHP notice stands before the answer"),
    ("notice-after", "", "a PHP notice stands behind the answer"),
    ("html-instead", "", "an HTML page with status 200; the store does it"),
    ("html-with-script", r#""json": true"#, "the same with a script that holds brackets, labelled as JSON or not"),
    ("other-json", r#""body": {}"#, "this in the place of the answer; the store does it"),
    ("stale-cache", "", "a page cache gives the first such answer again and again"),
    ("frozen", "", "the first such answer, as it was, again and again: with the path of one order a replica"),
    ("wrong-type", r#""order": 101"#, "the total of an order has another type"),
    ("absurd-amounts", r#""amount": "9e27""#, "every amount of the first order in a list is this one"),
    ("spliced", r#""behind": "..", "bytes": "..""#, "behind this text of the answer come these bytes"),
    ("empty", "", "a list and its count are empty"),
    ("empty-but-counted", "", "a list is empty, and its count is not"),
    ("endless", "", "an answer that never ends"),
    ("drips", r#""milliseconds": 1000"#, "behind the answer comes a blank each time, without end"),
    ("slow", r#""milliseconds": 1000"#, "the answer comes so much later"),
    ("deaf", r#""parameters": ["page"]"#, "these parameters of the query are dropped, all where none is named"),
    ("page-cap", r#""rows": 10"#, "no page is larger than this"),
    ("one-page", r#""rows": 10"#, "the same, and what is counted is what the page has"),
    ("hidden", r#""orders": ["101"]"#, "these orders are in no list, and counted"),
    ("no-count", "", "lists are not counted"),
    ("lagging", "", "what was asked before is answered as it was then; writes are done"),
    ("redirect", r#""to": "https://shop.example""#, "301 to this address and the request's own path"),
];

/// The same for people, with what every kind takes.
pub(crate) fn help() -> String {
    let mut text = "Bad luck: POST .../fault takes JSON with a kind and, as far as wanted, \"method\", \"path\" (a part of \
         the address), \"after\" (so many requests first) and \"times\" (0: until DELETE .../fault). Kinds, with what they \
         take besides:\n\n"
        .to_owned();
    for (kind, takes, does) in KINDS {
        let takes = if takes.is_empty() { String::new() } else { format!(" ({takes})") };
        text.push_str(&format!("  {kind}{takes}: {does}\n"));
    }
    text.push_str("  done-then (\"answer\": {\"kind\": ..}): the store does it, and another of these answers for it");
    text
}

fn small(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|number| u32::try_from(number).ok())
}

fn kind_from_json(wish: &Value) -> Option<FaultKind> {
    let text = |key: &str| wish[key].as_str().unwrap_or_default().to_owned();
    let status = |otherwise| small(&wish["status"]).and_then(|s| u16::try_from(s).ok()).unwrap_or(otherwise);
    let pause = || Duration::from_millis(wish["milliseconds"].as_u64().unwrap_or(1000));
    let rows = || wish["rows"].as_u64().unwrap_or(10);
    let list = |key: &str| {
        let word = |one: &Value| one.as_str().map_or_else(|| one.to_string(), str::to_owned);
        wish[key].as_array().into_iter().flatten().map(word).collect::<Vec<_>>()
    };
    Some(match wish["kind"].as_str()? {
        "rate-limited" => FaultKind::RateLimited(wish["retry_after"].as_str().map(str::to_owned)),
        "server-error" => FaultKind::ServerError(status(503)),
        "says" => FaultKind::Says(status(422), text("text")),
        "firewall" => FaultKind::Firewall,
        "unauthorized" => FaultKind::Unauthorized,
        "cut-before" => FaultKind::CutBefore,
        "answer-lost" => FaultKind::AnswerLost,
        "truncated" => FaultKind::Truncated,
        "byte-order-mark" => FaultKind::ByteOrderMark,
        "notice-before" => FaultKind::NoticeBefore,
        "notice-after" => FaultKind::NoticeAfter,
        "html-instead" => FaultKind::HtmlInstead,
        "other-json" => FaultKind::OtherJson(wish["body"].clone()),
        "html-with-script" => FaultKind::HtmlWithScript(wish["json"].as_bool().unwrap_or(false)),
        "stale-cache" => FaultKind::StaleCache,
        "frozen" => FaultKind::Frozen,
        "wrong-type" => FaultKind::WrongType(WrongType::TotalIsObject, wish["order"].as_u64()),
        "absurd-amounts" => FaultKind::AbsurdAmounts(wish["amount"].as_str().unwrap_or("9e27").to_owned()),
        "spliced" => FaultKind::Spliced(text("behind"), text("bytes").into_bytes()),
        "empty" => FaultKind::Empty,
        "empty-but-counted" => FaultKind::EmptyButCounted,
        "endless" => FaultKind::Endless,
        "drips" => FaultKind::Drips(pause()),
        "slow" => FaultKind::Slow(pause()),
        "deaf" => FaultKind::Deaf(list("parameters")),
        "page-cap" => FaultKind::PageCap(rows()),
        "page-refused" => FaultKind::PageRefused(rows()),
        "one-page" => FaultKind::OnePage(rows()),
        "hidden" => FaultKind::Hidden(list("orders")),
        "no-count" => FaultKind::NoCount,
        "lagging" => FaultKind::Lagging,
        "redirect" => FaultKind::Redirect(wish["to"].as_str()?.to_owned()),
        "done-then" => FaultKind::DoneThen(Box::new(kind_from_json(&wish["answer"])?)),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_fault_that_is_told_of_can_be_armed_as_told() {
        for (kind, takes, _) in KINDS {
            let wish = format!("{{\"kind\": {kind:?}{}{takes}}}", if takes.is_empty() { "" } else { ", " });
            let wish: Value = serde_json::from_str(&wish).unwrap();
            let armed = kind_from_json(&wish);
            assert!(armed.is_some(), "{kind}");
            let then = json!({ "kind": "done-then", "answer": wish });
            assert_eq!(kind_from_json(&then), armed.map(|kind| FaultKind::DoneThen(Box::new(kind))), "{kind}");
        }
        assert!(kind_from_json(&json!({ "kind": "nobody-knows" })).is_none());
    }
}
