//! `docs/data.md` as tests read it: what each command prints, by name and type.
#![allow(dead_code, reason = "each test program uses a part of this")]

use serde_json::Value;

/// A row of a table: a column or a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, or the path to it.
    pub name: String,
    /// The word for its type.
    pub kind: String,
    /// Whether there may be none.
    pub nullable: bool,
    /// What it means.
    pub meaning: String,
}

impl Entry {
    fn of(row: &str) -> Option<Self> {
        let mut cells = row.strip_prefix("| `")?.strip_suffix('|')?.splitn(3, " | ");
        let (name, kind) = (cells.next()?.strip_suffix('`')?, cells.next()?.trim());
        let (kind, nullable) = kind.strip_suffix(" or null").map_or((kind, false), |kind| (kind, true));
        let meaning = cells.next().unwrap_or_default().trim().to_owned();
        Some(Self { name: name.to_owned(), kind: kind.to_owned(), nullable, meaning })
    }

    /// Whether it is where this path leads to. `<name>` stands for any one key.
    pub fn is_at(&self, path: &[String]) -> bool {
        let own: Vec<&str> = self.name.split('.').collect();
        own.len() == path.len() && Self::begins(&own, path)
    }

    /// Whether it is below this path.
    pub fn is_below(&self, path: &[String]) -> bool {
        let own: Vec<&str> = self.name.split('.').collect();
        own.len() > path.len() && Self::begins(&own, path)
    }

    fn begins(own: &[&str], path: &[String]) -> bool {
        own.iter().zip(path).all(|(own, key)| {
            let lists = |text: &str| text.len() - text.trim_end_matches("[]").len();
            *own == key || own.starts_with('<') && lists(own) == lists(key)
        })
    }

    /// Whether it is not always there to be seen.
    pub fn is_rare(&self) -> bool {
        self.meaning.contains("only when") || self.meaning.contains("always null")
    }

    /// Whether a value is of the type that the page says.
    pub fn fits(&self, value: &Value) -> bool {
        let text = value.as_str();
        if value.is_null() {
            return self.nullable;
        }
        match self.kind.as_str() {
            "id" => text.is_some_and(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())),
            "text" => text.is_some(),
            "word" => text.is_some_and(|text| !text.is_empty() && !text.contains(char::is_whitespace)),
            "money" => text.is_some_and(|text| is_decimal(text) && text.parse::<f64>().is_ok()),
            "quantity" => text.is_some_and(is_decimal),
            "number" => value.is_u64() || value.is_i64(),
            "time" => text.is_some_and(is_time),
            "flag" => value.is_boolean(),
            "texts" => value.as_array().is_some_and(|all| all.iter().all(Value::is_string)),
            "pairs" => value
                .as_array()
                .is_some_and(|all| all.iter().all(|pair| pair.as_array().is_some_and(|pair| pair.len() == 2))),
            "pieces" => value.as_array().is_some_and(|all| all.iter().all(is_piece)),
            "list" => value.is_array(),
            "object" => value.is_object(),
            "any" => true,
            other => panic!("docs/data.md has no type {other:?}"),
        }
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    [whole, part].iter().all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
}

fn is_time(text: &str) -> bool {
    text.ends_with('Z') && chrono::DateTime::parse_from_rfc3339(text).is_ok()
}

fn is_piece(piece: &Value) -> bool {
    let sku = piece.get("sku").is_some_and(|sku| sku.is_null() || sku.is_string());
    let amount = piece.get("amount").is_none_or(|amount| amount.as_str().is_some_and(is_decimal));
    piece["line_id"].is_string() && piece["quantity"].as_str().is_some_and(is_decimal) && sku && amount
}

const PAGE: &str = include_str!("../../docs/data.md");

/// The columns of the list of this section in CSV, where it has one.
pub fn csv_columns(title: &str) -> Vec<String> {
    let part = PAGE.split("\n## ").find(|part| part.lines().next() == Some(title)).unwrap_or_default();
    let line = part.lines().find_map(|line| line.strip_prefix("Columns of `--csv`: ")).unwrap_or_default();
    line.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The sections of the page that have a table of names, in their order.
pub fn sections() -> Vec<(String, Vec<Entry>)> {
    let mut sections: Vec<(String, Vec<Entry>)> = Vec::new();
    for line in PAGE.lines() {
        if let Some(title) = line.strip_prefix("### ").or_else(|| line.strip_prefix("## ")) {
            sections.push((title.to_owned(), Vec::new()));
        } else if let (Some(entry), Some((_, entries))) = (Entry::of(line), sections.last_mut()) {
            entries.push(entry);
        }
    }
    sections.retain(|(_, entries)| !entries.is_empty());
    sections
}

/// The table of the section with this title.
pub fn section(title: &str) -> Vec<Entry> {
    let found = sections().into_iter().find(|(name, _)| name == title);
    found.unwrap_or_else(|| panic!("docs/data.md has no section {title:?}")).1
}
