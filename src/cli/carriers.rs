//! `ordersync carriers`.

use serde_json::json;

use super::output::{self, Table};
use super::{App, Outcome};
use crate::order::CARRIERS;

/// The carriers that dispatch knows by name. Others are sent as you write them, where the channel
/// takes them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Print as CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

const COLUMNS: [&str; 10] =
    ["name", "title", "also", "tracking_url", "woocommerce", "shopify", "bigcommerce", "aftership", "etsy", "ebay"];

pub(super) fn run(app: &App, args: Args) -> Outcome {
    if app.global.json || args.csv {
        let rows: Vec<_> = CARRIERS
            .iter()
            .map(|c| json!({ "name": c.name, "title": c.title, "also": c.aliases, "tracking_url": c.tracking_url, "woocommerce": c.woocommerce, "shopify": c.shopify, "bigcommerce": c.bigcommerce, "aftership": c.aftership, "etsy": c.etsy, "ebay": c.ebay }))
            .collect();
        if args.csv {
            output::print_csv_of(&COLUMNS, &rows)?
        } else {
            output::print_json(&rows)?
        }
        return Ok(0);
    }
    let mut table = Table::new(&["name", "carrier", "also written"]);
    for carrier in CARRIERS {
        table.row(&[carrier.name, carrier.title, &carrier.aliases.join(", ")]);
    }
    table.print()?;
    Ok(0)
}
