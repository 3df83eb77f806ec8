//! Activity names of Aryeo (vendors.md §4.5).

use super::Group;

pub(super) const GROUPS: &[Group] = &[
    ("user", &["USER_LOGGED_IN", "USER_LOGGED_OUT", "USER_REGISTERED"]),
    (
        "order",
        &[
            "ORDER_FEE_CREATED",
            "ORDER_FEE_DELETED",
            "ORDER_MEDIA_DOWNLOADED",
            "ORDER_PLACED",
            "ORDER_RECEIVED",
            "ORDER_CREATED",
            "ORDER_VIEWED",
            "ORDER_REFUNDED",
            "ORDER_PAYMENT_COMPLETED",
            "ORDER_PAYMENT_DELETED",
            "ORDER_PAYMENT_ENTERED",
            "ORDER_ATTACHED_TO_LISTING",
            "ORDER_SYNCED_TO_QUICKBOOKS",
            "ORDER_SYNC_TO_QUICKBOOKS_FAILED",
            "ORDER_PAYMENT_SYNCED_TO_QUICKBOOKS",
        ],
    ),
    (
        "appointment",
        &[
            "APPOINTMENT_ACCEPTED",
            "APPOINTMENT_DECLINED",
            "APPOINTMENT_SCHEDULED",
            "APPOINTMENT_REQUESTED",
            "APPOINTMENT_RESCHEDULED",
            "APPOINTMENT_POSTPONED",
            "APPOINTMENT_CANCELED",
            "APPOINTMENT_ASSIGNED",
            "APPOINTMENT_UNASSIGNED",
            "APPOINTMENT_CREATOR_REMINDER_SENT",
            "APPOINTMENT_CUSTOMER_REMINDER_SENT",
        ],
    ),
    (
        "listing",
        &[
            "LISTING_CREATED",
            "LISTING_UPDATED",
            "LISTING_DELIVERED",
            "LISTING_CONTENT_DOWNLOADED",
            "LISTING_VIEWED",
        ],
    ),
    ("other", &["MARKETING_MATERIAL_CREATED", "NOTIFICATION_SENT"]),
    (
        "customer team",
        &[
            "CUSTOMER_TEAM_CREATED",
            "CUSTOMER_TEAM_ARCHIVED",
            "CUSTOMER_TEAM_PRICING_PLAN_APPLIED",
            "CUSTOMER_TEAM_PRICING_PLAN_REMOVED",
            "CUSTOMER_TEAM_INTERNAL_NOTE_UPDATED",
            "CUSTOMER_TEAM_PRESELECTED_PRODUCTS_UPDATED",
            "CUSTOMER_TEAM_DOWNLOAD_SETTINGS_UPDATED",
            "CUSTOMER_TEAM_BILLING_TEAM_MEMBERSHIP_UPDATED",
            "CUSTOMER_TEAM_BILLING_TEAM_MEMBERSHIP_REMOVED",
            "CUSTOMER_TEAM_PRICE_OVERRIDES_UPDATED",
        ],
    ),
    (
        "team membership",
        &[
            "CUSTOMER_TEAM_MEMBERSHIP_CREATED",
            "CUSTOMER_TEAM_MEMBERSHIP_ARCHIVED",
            "CUSTOMER_TEAM_MEMBERSHIP_DELETED",
            "CUSTOMER_TEAM_MEMBERSHIP_REACTIVATED",
            "CUSTOMER_TEAM_MEMBERSHIP_INVITATION_ACCEPTED",
            "CUSTOMER_TEAM_MEMBERSHIP_REVOKED",
            "DEFAULT_CUSTOMER_TEAM_MEMBERSHIP_ADDED",
            "DEFAULT_CUSTOMER_TEAM_MEMBERSHIP_REMOVED",
        ],
    ),
    (
        "media request",
        &[
            "MEDIA_REQUEST_CREATED",
            "MEDIA_REQUEST_CANCELED",
            "MEDIA_REQUEST_ACCEPTED",
            "MEDIA_REQUEST_ASSIGNED",
            "MEDIA_REQUEST_DECLINED",
            "MEDIA_REQUEST_DELIVERED",
            "MEDIA_REQUEST_TRANSFERRED",
        ],
    ),
];
