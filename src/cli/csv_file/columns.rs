//! What the columns of a file are.

use csv::StringRecord;

/// A column that a row is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Column {
    Order,
    Store,
    By,
    Carrier,
    Tracking,
    Sku,
    Quantity,
    Field,
    Theirs,
    /// Written by us and read by people only.
    Besides(&'static str),
}

/// A column's own name, and what else is surely meant by it; without case, blanks and signs.
pub(in crate::cli) type Name = (Column, &'static str, &'static [&'static str]);

/// The column of the order.
pub(in crate::cli) const ORDER: Name = (
    Column::Order,
    "order",
    &[
        "ordernumber",
        "orderno",
        "ordernr",
        "ordernum",
        "orderid",
        "ordername",
        "orderreference",
        "orderref",
        "bestellnummer",
        "bestellung",
        "auftragsnummer",
        "auftrag",
        "numerodecommande",
    ],
);

/// The column of its store.
pub(in crate::cli) const STORE: Name =
    (Column::Store, "store", &["storename", "shop", "shopname", "channel", "saleschannel"]);

/// The column for whose numbers they are.
pub(in crate::cli) const BY: Name = (Column::By, "by", &[]);

/// Which cell of a row holds which column.
#[derive(Debug)]
pub(in crate::cli) struct Columns {
    places: Vec<(Column, usize)>,
    /// How many cells a row has.
    pub(in crate::cli) width: usize,
    /// Cells without a meaning: a column without a name, or one to be left out.
    pub(in crate::cli) unnamed: Vec<usize>,
    /// `"Order Number" is read as order`.
    pub(in crate::cli) told: Vec<String>,
    titles: StringRecord,
}

impl Columns {
    /// Reads the header; columns in `ignored` are left out.
    pub(in crate::cli) fn read(header: &StringRecord, ignored: &[String], names: &[Name]) -> Result<Self, String> {
        let ignored: Vec<String> = ignored.iter().map(|name| squeezed(name)).collect();
        let mut found = Self {
            places: Vec::new(),
            width: header.len(),
            unnamed: Vec::new(),
            told: Vec::new(),
            titles: header.clone(),
        };
        let mut strange: Vec<&str> = Vec::new();
        for (at, title) in header.iter().enumerate() {
            let name = squeezed(title);
            if ignored.contains(&name) && !name.is_empty() {
                continue;
            }
            if title.trim().is_empty() {
                found.unnamed.push(at);
                continue;
            }
            let Some((column, plain)) = column(&name, names) else {
                strange.push(title.trim());
                continue;
            };
            if found.places.iter().any(|(already, _)| *already == column) {
                return Err(format!("two columns hold the {plain}; the second is {title:?}"));
            }
            if title.trim() != plain {
                found.told.push(format!("{:?} is read as {plain}", title.trim()));
            }
            found.places.push((column, at));
        }
        match strange.as_slice() {
            [] => {}
            [title] => return Err(unknown(title, &squeezed(title), names)),
            several => return Err(all_unknown(several)),
        }
        if !found.has(Column::Order) {
            return Err("no column is called order".to_owned());
        }
        Ok(found)
    }

    /// How many of the header's cells are columns that are known: tells the right separator from
    /// the wrong ones.
    pub(in crate::cli) fn known(header: &StringRecord, names: &[Name]) -> usize {
        header.iter().filter(|title| column(&squeezed(title), names).is_some()).count()
    }

    /// Whether a row has the titles in its cells.
    pub(in crate::cli) fn are_again(&self, row: &StringRecord) -> bool {
        row.len() == self.titles.len()
            && row.iter().zip(&self.titles).all(|(cell, title)| squeezed(cell) == squeezed(title))
    }

    /// The columns that nobody here reads.
    pub(in crate::cli) fn besides(&self) -> Vec<&'static str> {
        let besides = |(column, _): &(Column, usize)| match column {
            Column::Besides(name) => Some(*name),
            _ => None,
        };
        self.places.iter().filter_map(besides).collect()
    }

    pub(in crate::cli) fn has(&self, wanted: Column) -> bool {
        self.places.iter().any(|(column, _)| *column == wanted)
    }

    /// What the row has in this column; nothing where there is no such column.
    pub(in crate::cli) fn cell<'a>(&self, row: &'a StringRecord, wanted: Column) -> &'a str {
        let place = self.places.iter().find(|(column, _)| *column == wanted);
        place.and_then(|(_, at)| row.get(*at)).unwrap_or_default()
    }
}

fn column(name: &str, names: &[Name]) -> Option<(Column, &'static str)> {
    let found = names.iter().find(|(_, plain, others)| *plain == name || others.contains(&name));
    found.map(|(column, plain, _)| (*column, *plain))
}

fn unknown(title: &str, name: &str, names: &[Name]) -> String {
    let distance = |word: &str| {
        let part = word.contains(name) || name.contains(word);
        if part && !name.is_empty() { 0 } else { strsim::osa_distance(name, word) }
    };
    let nearest = names.iter().min_by_key(|(_, plain, others)| {
        others.iter().map(|other| distance(other)).chain([distance(plain)]).min().unwrap_or(usize::MAX)
    });
    let nearest = nearest.map_or("order", |(_, plain, _)| plain);
    format!(
        "there is no column {title:?} (the nearest is {nearest}); rename it, take it out, or add --ignore {title:?}"
    )
}

/// All at once: the file of a carrier has dozens of columns that are nobody's here.
fn all_unknown(titles: &[&str]) -> String {
    let named: Vec<String> = titles.iter().map(|title| format!("{title:?}")).collect();
    let ignored: Vec<String> = titles.iter().map(|title| format!("--ignore {title:?}")).collect();
    format!("there are no columns {}; rename them, take them out, or add {}", named.join(", "), ignored.join(" "))
}

fn squeezed(title: &str) -> String {
    let fold = |c: char| match c {
        'é' | 'è' | 'ê' => 'e',
        c => c,
    };
    title.to_lowercase().chars().filter(|c| c.is_alphanumeric()).map(fold).collect()
}
