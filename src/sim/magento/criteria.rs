//! Search criteria: which rows a list has, in which order, and which page of them.

use std::cmp::Ordering;

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::errors::{error, only, required, wrong_type};
use super::{Call, Response};
use crate::sim::rest::{Page, date_time, integer};
use crate::sim::world::{ALL, Bounds, mix, narrow};

/// What a list was asked for.
#[derive(Debug)]
pub(super) struct Criteria {
    groups: Vec<Vec<Filter>>,
    /// What rows are sorted by, and whether the other way round.
    pub(super) sorts: Vec<(String, bool)>,
    page: usize,
    size: Option<usize>,
    /// The criteria, as an answer repeats them.
    echo: Value,
}

#[derive(Debug)]
struct Filter {
    field: String,
    value: String,
    condition: String,
}

/// A member under one of its two spellings.
fn member<'v>(object: &'v Value, camel: &str, snake: &str) -> &'v Value {
    object.get(camel).or_else(|| object.get(snake)).unwrap_or(&Value::Null)
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| if value.is_null() { String::new() } else { value.to_string() }, str::to_owned)
}

fn rows(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten().chain(value.as_object().into_iter().flat_map(Map::values))
}

impl Criteria {
    /// Those of a request.
    pub(super) fn of(call: &Call<'_, '_>) -> Result<Self, Response> {
        let given = call.params.get("searchCriteria").or_else(|| call.params.get("search_criteria"));
        let given = given.ok_or_else(|| required("searchCriteria"))?;
        #[rustfmt::skip]
        let known = [
            "filterGroups", "filter_groups", "sortOrders", "sort_orders", "pageSize", "page_size", "currentPage",
            "current_page",
        ];
        only(given, &known)?;
        let number = |camel, snake| match member(given, camel, snake) {
            Value::Null => Ok(None),
            value => integer(value).map(Some).ok_or_else(|| wrong_type(&text(value), "int")),
        };
        let (size, page) = (number("pageSize", "page_size")?, number("currentPage", "current_page")?);
        if call.options.input_limits && size.is_some_and(|size| size > 300) {
            return Err(error(400, "Maximum SearchCriteria pageSize is %max", json!({ "max": 300 })));
        }
        let groups = rows(member(given, "filterGroups", "filter_groups")).map(group).collect::<Result<Vec<_>, _>>()?;
        let sorts = rows(member(given, "sortOrders", "sort_orders")).map(sort).collect::<Result<Vec<_>, _>>()?;
        let mut echo = json!({ "filter_groups": groups.iter().map(|group| told(group)).collect::<Value>() });
        if !sorts.is_empty() {
            let direction = |down: bool| if down { "DESC" } else { "ASC" };
            let sorts = sorts.iter().map(|(field, down)| json!({ "field": field, "direction": direction(*down) }));
            echo["sort_orders"] = sorts.collect();
        }
        size.iter().for_each(|size| echo["page_size"] = json!(size));
        page.iter().for_each(|page| echo["current_page"] = json!(page));
        let default = call.options.input_limits.then_some(20);
        let size = size.or(default).and_then(|size| usize::try_from(size).ok()).filter(|size| *size > 0);
        let page = page.and_then(|page| usize::try_from(page).ok()).unwrap_or(1).max(1);
        Ok(Self { groups, sorts, page, size, echo })
    }

    /// Bounds that must hold for a field.
    pub(super) fn bounds(&self, field: &str) -> Bounds {
        let mut bounds = ALL;
        for filter in self.groups.iter().filter_map(|group| if let [one] = &group[..] { Some(one) } else { None }) {
            let value = moment(&filter.value).or_else(|| filter.value.trim().parse().ok());
            let sign = match filter.condition.as_str() {
                "gt" => ">",
                "gteq" | "from" => ">=",
                "lt" => "<",
                "lteq" | "to" => "<=",
                "eq" => "=",
                _ => continue,
            };
            value.filter(|_| filter.field == field).into_iter().for_each(|at| narrow(&mut bounds, sign, (at, at)));
        }
        bounds
    }

    /// Whether a row has what was asked for; `Err` names a field that no row has.
    pub(super) fn takes<'f>(&'f self, cell: impl Fn(&'f str) -> Option<Cell>) -> Result<bool, &'f str> {
        for group in &self.groups {
            let mut any = false;
            for filter in group {
                any |= filter.holds(&cell(&filter.field).ok_or(filter.field.as_str())?);
            }
            if !any {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Which of two rows comes first.
    pub(super) fn compare(&self, cell: impl Fn(bool, &str) -> Cell) -> Ordering {
        let orders = self.sorts.iter().map(|(field, down)| {
            let order = cell(true, field).compare(&cell(false, field));
            if *down { order.reverse() } else { order }
        });
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// Where a row stands among its equals, which may be another place on each page.
    pub(super) fn chance(&self, id: u64) -> u64 {
        mix(id ^ mix(self.page as u64))
    }

    /// The page that is asked for of so many rows.
    pub(super) fn page(&self, call: &Call<'_, '_>, count: usize) -> Page {
        let size = self.size.unwrap_or(count.max(1));
        let last = if call.options.repeats_last_page { count.div_ceil(size).max(1) } else { usize::MAX };
        Page::new(self.page.min(last), size)
    }

    /// The answer with these rows.
    pub(super) fn answer(&self, rows: &[Value], count: usize) -> Value {
        json!({ "items": rows, "search_criteria": self.echo, "total_count": count })
    }
}

fn group(given: &Value) -> Result<Vec<Filter>, Response> {
    only(given, &["filters"])?;
    rows(&given["filters"]).map(filter).collect()
}

fn filter(given: &Value) -> Result<Filter, Response> {
    only(given, &["field", "value", "conditionType", "condition_type"])?;
    let condition = Some(text(member(given, "conditionType", "condition_type"))).filter(|word| !word.is_empty());
    let condition = condition.unwrap_or_else(|| "eq".to_owned());
    Ok(Filter { field: text(&given["field"]), value: text(&given["value"]), condition })
}

/// Whatever is not `ASC` is the other way round.
fn sort(given: &Value) -> Result<(String, bool), Response> {
    only(given, &["field", "direction"])?;
    let up = given["direction"].as_str().is_some_and(|word| word.eq_ignore_ascii_case("ASC"));
    Ok((text(&given["field"]), !up))
}

fn told(group: &[Filter]) -> Value {
    let filter = |one: &Filter| json!({ "field": one.field, "value": one.value, "condition_type": one.condition });
    json!({ "filters": group.iter().map(filter).collect::<Value>() })
}

/// What stands in a row under a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Nothing.
    Null,
    /// A number.
    Number(Decimal),
    /// A time, in seconds.
    Time(i64),
    /// Text.
    Text(String),
}

impl Cell {
    /// What a document has under this name.
    pub(super) fn of(document: &Value, name: &str) -> Self {
        match &document[name] {
            Value::String(text) if name.ends_with("_at") => moment(text).map_or(Self::Null, Self::Time),
            Value::String(text) => Self::Text(text.to_lowercase()),
            Value::Number(number) => Self::Number(decimal(&number.to_string())),
            _ => Self::Null,
        }
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => one.cmp(other),
            (Self::Time(one), Self::Time(other)) => one.cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (one, other) => (*one != Self::Null).cmp(&(*other != Self::Null)),
        }
    }

    /// A value as this column understands it.
    fn same_kind(&self, text: &str) -> Self {
        match self {
            Self::Number(_) => Self::Number(decimal(text)),
            Self::Time(_) => Self::Time(moment(text).unwrap_or(i64::MIN)),
            _ => Self::Text(text.to_lowercase()),
        }
    }
}

/// What is no number counts as 0.
fn decimal(text: &str) -> Decimal {
    text.trim().parse().unwrap_or_default()
}

/// A time with or without `T` and `Z`; a day is its first second.
fn moment(text: &str) -> Option<i64> {
    let text = text.trim();
    let whole = if text.len() == 10 { format!("{text} 00:00:00") } else { text.to_owned() };
    date_time(&whole).map(|(at, _)| at)
}

impl Filter {
    /// Nothing is in no relation to anything, as in SQL; an unknown condition is `eq`.
    fn holds(&self, cell: &Cell) -> bool {
        let is = |text: &str| cell.compare(&cell.same_kind(text));
        let mut parts = self.value.split(',');
        match self.condition.as_str() {
            "null" => *cell == Cell::Null,
            "notnull" => *cell != Cell::Null,
            _ if *cell == Cell::Null => false,
            "neq" => is(&self.value).is_ne(),
            "gt" => is(&self.value).is_gt(),
            "gteq" | "moreq" | "from" => is(&self.value).is_ge(),
            "lt" => is(&self.value).is_lt(),
            "lteq" | "to" => is(&self.value).is_le(),
            "in" | "finset" => parts.any(|part| is(part).is_eq()),
            "nin" | "nfinset" => parts.all(|part| is(part).is_ne()),
            "like" | "nlike" => {
                let Cell::Text(text) = cell else { return self.condition == "nlike" };
                like(text, &self.value.to_lowercase()) == (self.condition == "like")
            }
            _ => is(&self.value).is_eq(),
        }
    }
}

/// `%` stands for any letters, `_` for one.
fn like(text: &str, pattern: &str) -> bool {
    let mut letters = pattern.chars();
    match letters.next() {
        None => text.is_empty(),
        Some('%') => {
            text.char_indices().map(|(at, _)| at).chain([text.len()]).any(|at| like(&text[at..], letters.as_str()))
        }
        Some(letter) => {
            let mut rest = text.chars();
            rest.next().is_some_and(|first| letter == '_' || first == letter) && like(rest.as_str(), letters.as_str())
        }
    }
}
