//! The goods that the orders of the tests are of, made by the merchant's own calls.

use serde_json::{Value, json};

use super::shop::Shop;

/// A plain thing.
pub const PLAIN: &str = "ORDERSYNC-PLAIN";

/// Another.
pub const OTHER: &str = "ORDERSYNC-OTHER";

/// A thing in sizes, of which the first is bought.
pub const SIZES: &str = "ORDERSYNC-SIZES";

/// Two of the one and one of the other, which ship together.
pub const TOGETHER: &str = "ORDERSYNC-TOGETHER";

/// The same, which ship one by one.
pub const APART: &str = "ORDERSYNC-APART";

const SIZE: &str = "ordersync_size";

impl Shop {
    /// Makes what is not there yet.
    pub fn stock(&self) {
        self.product(PLAIN, "simple", 4, "9.99", json!({}), json!([]));
        self.product(OTHER, "simple", 4, "3.33", json!({}), json!([]));
        for (sku, apart) in [(TOGETHER, "0"), (APART, "1")] {
            let part = |title: &str, sku: &str, qty: u32| {
                json!({ "title": title, "required": true, "type": "select", "position": 1, "product_links":
                    [{ "sku": sku, "qty": qty, "position": 1, "is_default": true, "can_change_quantity": 0 }] })
            };
            let options = json!({ "bundle_product_options": [part("one", PLAIN, 2), part("two", OTHER, 1)] });
            let how = [
                ("price_type", "0"),
                ("sku_type", "0"),
                ("weight_type", "0"),
                ("price_view", "0"),
                ("shipment_type", apart),
            ];
            let how = how.iter().map(|(code, value)| json!({ "attribute_code": code, "value": value }));
            self.product(sku, "bundle", 4, "0", options, how.collect());
        }
        self.sizes();
    }

    fn product(&self, sku: &str, kind: &str, visibility: u8, price: &str, more: Value, attributes: Value) {
        if !self.found("products", "sku", sku).is_empty() {
            return;
        }
        let mut extension = json!({ "website_ids": [1], "stock_item": { "is_in_stock": true } });
        if kind == "simple" {
            extension["stock_item"]["qty"] = json!(1_000_000);
        }
        extension.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let mut custom = attributes.as_array().unwrap().clone();
        custom.push(json!({ "attribute_code": "tax_class_id", "value": "2" }));
        let mut product = json!({ "sku": sku, "name": sku, "attribute_set_id": 4, "status": 1, "visibility": visibility,
            "type_id": kind, "price": price, "extension_attributes": extension, "custom_attributes": custom });
        if kind == "simple" {
            product["weight"] = json!(1);
        }
        self.post("products", &json!({ "product": product }));
    }

    /// A thing in two sizes.
    fn sizes(&self) {
        if !self.found("products", "sku", SIZES).is_empty() {
            return;
        }
        if self.call("GET", &format!("products/attributes/{SIZE}"), &[], None).status == 404 {
            let option = |label: &str| json!({ "label": label, "value": "" });
            let attribute = json!({ "attribute_code": SIZE, "frontend_input": "select", "scope": "global", "is_required": false,
                "default_frontend_label": "Size", "is_user_defined": true, "options": [option("S"), option("M")] });
            self.post("products/attributes", &json!({ "attribute": attribute }));
            let groups = self.found("products/attribute-sets/groups/list", "attribute_set_id", "4");
            let group = groups.first().map(|group| group["attribute_group_id"].clone()).unwrap();
            self.post(
                "products/attribute-sets/attributes",
                &json!({ "attributeSetId": 4, "attributeGroupId": group, "attributeCode": SIZE, "sortOrder": 99 }),
            );
        }
        let sizes = self.size_values();
        let mut ids = Vec::new();
        for (nth, value) in sizes.iter().enumerate() {
            let sku = format!("{SIZES}-{nth}");
            self.product(&sku, "simple", 1, "29.90", json!({}), json!([{ "attribute_code": SIZE, "value": value }]));
            ids.push(self.found("products", "sku", &sku)[0]["id"].clone());
        }
        let attribute = self.get(&format!("products/attributes/{SIZE}"))["attribute_id"].clone();
        let values: Vec<Value> =
            sizes.iter().map(|value| json!({ "value_index": value.parse::<u64>().unwrap() })).collect();
        let more = json!({ "configurable_product_links": ids, "configurable_product_options":
            [{ "attribute_id": attribute.to_string(), "label": "Size", "position": 0, "values": values }] });
        self.product(SIZES, "configurable", 4, "29.90", more, json!([]));
    }

    fn size_values(&self) -> Vec<String> {
        let attribute = self.get(&format!("products/attributes/{SIZE}"));
        let values =
            attribute["options"].as_array().unwrap().iter().map(|one| one["value"].as_str().unwrap().to_owned());
        values.filter(|value| !value.is_empty()).collect()
    }

    /// What a buyer chooses of this product.
    pub fn chosen(&self, sku: &str) -> Option<Value> {
        match sku {
            SIZES => {
                let attribute = self.get(&format!("products/attributes/{SIZE}"))["attribute_id"].to_string();
                let value: u64 = self.size_values()[0].parse().unwrap();
                Some(json!({ "configurable_item_options": [{ "option_id": attribute, "option_value": value }] }))
            }
            TOGETHER | APART => {
                let options = self.get(&format!("bundle-products/{sku}/options/all"));
                let chosen = options.as_array().unwrap().iter().map(|option| {
                    let link = &option["product_links"][0]["id"];
                    let link = link.as_u64().or_else(|| link.as_str()?.parse().ok());
                    json!({ "option_id": option["option_id"], "option_qty": 1, "option_selections": [link] })
                });
                Some(json!({ "bundle_options": chosen.collect::<Vec<_>>() }))
            }
            _ => None,
        }
    }
}
