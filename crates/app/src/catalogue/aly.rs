//! Event types of Aly (vendors.md §1.6).

use super::Group;

pub(super) const GROUPS: &[Group] = &[
    (
        "order",
        &[
            "order.created",
            "order.updated",
            "order.fulfilled",
            "order.partially_fulfilled",
            "order.refunded",
            "order.cancelled",
            "order.return_requested",
            "order.return_approved",
            "order.return_received",
            "order.exchange_requested",
            "order.exchange_approved",
        ],
    ),
    (
        "checkout_session",
        &[
            "checkout_session.created",
            "checkout_session.updated",
            "checkout_session.completed",
            "checkout_session.expired",
            "checkout_session.cancelled",
        ],
    ),
    (
        "membership",
        &[
            "membership.subscriber.created",
            "membership.subscriber.updated",
            "membership.subscriber.cancelled",
            "membership.subscriber.payment_failed",
        ],
    ),
    (
        "site",
        &["site.published", "site.unpublished", "site.domain.attached", "site.domain.verified"],
    ),
];

/// A type whose payload the vendor shows, and that payload.
pub(super) const SAMPLE: (&str, &str) = (
    "order.created",
    r#"{"order":{"id":"ord_72...4b","currency":"USD","totals":{"subtotal":4200,"shipping":500,"tax":376,"discount":0,"total":5076},"buyer":{"email":"buyer@example.com"},"items":[{"id":"li_1","product_id":"prod_abc","variant_id":"var_1","name":"Linen Tote — natural","quantity":1,"unit_price":4200,"subtotal":4200}],"shipping_address":{"country":"US","state":"CA","postcode":"94110"},"payment":{"provider":"stripe","intent_id":"pi_..."}}}"#,
);
