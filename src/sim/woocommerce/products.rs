//! Products and variations, with what an order does not tell of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::lists::{page, paged};
use super::{Answer, Call};
use crate::sim::world::fixtures::{WARES, Ware};

/// `GET /products`.
pub(super) fn all(call: &mut Call<'_, '_>) -> Answer {
    rows(call, "products", |ware| Some(ware.product_id))
}

/// `GET /products/{id}/variations`.
pub(super) fn variations(call: &mut Call<'_, '_>) -> Answer {
    let product = call.id(0);
    let of = |ware: &Ware| (ware.product_id == product && ware.variation_id != 0).then_some(ware.variation_id);
    rows(call, &format!("products/{product}/variations"), of)
}

fn rows(call: &Call<'_, '_>, route: &str, id: impl Fn(&Ware) -> Option<u64>) -> Answer {
    let include = call.ids("include");
    let wished = |ware: &'static Ware| Some((id(ware)?, ware));
    let known: BTreeMap<u64, &Ware> = WARES.iter().filter_map(wished).collect();
    let ids: Vec<u64> = known.keys().copied().filter(|id| include.is_empty() || include.contains(id)).collect();
    let is_downloadable = |ware: &Ware| call.options.downloadable.iter().any(|sku| sku == ware.sku);
    let row = |id: &u64| {
        let ware = known.get(id)?;
        Some(
            json!({ "id": id, "name": ware.name, "sku": ware.sku, "virtual": ware.is_virtual, "downloadable": is_downloadable(ware) }),
        )
    };
    let rows: Vec<Value> = page(call).of(&ids).iter().filter_map(row).collect();
    Ok(paged(call, route, ids.len(), rows, &[]))
}
