//! Event types of Alvys (vendors.md §2.11), without the handshake's, which cannot be subscribed to.

use super::Group;

pub(super) const GROUPS: &[Group] = &[
    (
        "tender",
        &[
            "tender.accepted",
            "tender.cancelled",
            "tender.rejected",
            "tender.invoiced",
            "tender.change.accepted",
            "tender.stop.arrived",
            "tender.stop.departed",
            "tender.stop.eta_updated",
            "tender.bid.submitted",
            "tender.created",
            "tender.change.created",
        ],
    ),
    ("load", &["load.changed", "load.status.changed"]),
    ("trip", &["trip.changed", "trip.status.changed"]),
    (
        "document",
        &[
            "load.document.uploaded",
            "load.document.deleted",
            "trip.document.uploaded",
            "trip.document.deleted",
            "driver.document.uploaded",
            "driver.document.deleted",
            "carrier.document.uploaded",
            "carrier.document.deleted",
            "truck.document.uploaded",
            "truck.document.deleted",
            "trailer.document.uploaded",
            "trailer.document.deleted",
        ],
    ),
];
