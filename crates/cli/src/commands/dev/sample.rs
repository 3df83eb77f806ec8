//! The sample event: the seed's `order.created` (vendors.md §1.6).

use serde_json::{Value, json};

/// Its type.
pub const EVENT_TYPE: &str = "order.created";
/// The site it happened on.
pub const SCOPE: &str = "acme";

/// The request that publishes it.
pub fn event() -> Value {
    json!({
        "type": EVENT_TYPE,
        "scope": SCOPE,
        "data": {
            "order": {
                "id": "ord_4b7e1c",
                "currency": "USD",
                "totals": { "subtotal": 4200, "shipping": 500, "tax": 376, "discount": 0, "total": 5076 },
                "buyer": { "email": "buyer@example.com" },
                "items": [{
                    "id": "li_1", "product_id": "prod_abc", "variant_id": "var_1", "name": "Linen Tote — natural",
                    "quantity": 1, "unit_price": 4200, "subtotal": 4200
                }],
                "shipping_address": { "country": "US", "state": "CA", "postcode": "94110" },
                "payment": { "provider": "stripe", "intent_id": "pi_3PqX9d" }
            }
        }
    })
}
