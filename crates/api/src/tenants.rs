//! Tenants.

use hookyard_domain::tenant as domain;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::json::Object;
use crate::patch::Patch;
use crate::policies::Profile;

/// A tenant: what the vendors call organisation, workspace, account or company.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Tenant {
    /// The name its operator gave it.
    #[schema(example = "acme")]
    pub id: String,
    /// For people.
    pub name: Option<String>,
    /// The profile of endpoints that name none.
    pub profile: Profile,
    /// What it may use; `null` is the product's default.
    pub limits: TenantLimits,
    /// Days that its events and deliveries are kept.
    pub retention_days: u32,
    /// When it was made.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub created_at: String,
    /// When it was changed last.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub updated_at: String,
}

/// A page of tenants.
pub type TenantPage = crate::page::Page<Tenant>;

/// What a tenant may use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantLimits {
    /// Endpoints at most; `null` is 10,000, or the profile's limit if that is lower.
    pub endpoints: Option<u32>,
    /// Entries of one endpoint's `events` at most.
    pub event_types_per_endpoint: Option<u32>,
    /// Bytes of one event's `data` at most; `null` is 1 MiB.
    #[schema(maximum = 16_777_216)]
    pub payload_bytes: Option<u64>,
    /// Events published per second at most; `null` is unlimited.
    pub publish_per_s: Option<u32>,
}

impl From<domain::TenantLimits> for TenantLimits {
    fn from(it: domain::TenantLimits) -> Self {
        Self {
            endpoints: it.endpoints,
            event_types_per_endpoint: it.event_types_per_endpoint,
            payload_bytes: it.payload_bytes,
            publish_per_s: it.publish_per_s,
        }
    }
}

impl From<domain::Tenant> for Tenant {
    fn from(it: domain::Tenant) -> Self {
        Self {
            id: it.id.to_string(),
            name: it.name,
            profile: it.profile.into(),
            limits: it.limits.into(),
            retention_days: it.retention_days,
            created_at: it.created_at.to_string(),
            updated_at: it.updated_at.to_string(),
        }
    }
}

/// A tenant to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTenant {
    /// Its name in every path; cannot be changed.
    #[serde(default)]
    #[schema(required = true, pattern = "^[a-z0-9][a-z0-9_-]{0,63}$", example = "acme")]
    pub id: String,
    /// For people.
    #[schema(min_length = 1, max_length = 120, example = "Acme Inc.")]
    pub name: Option<String>,
    /// The profile of endpoints that name none; `standard` when left out.
    #[schema(value_type = Option<Profile>)]
    pub profile: Option<String>,
    /// What it may use.
    #[schema(value_type = Option<TenantLimits>)]
    pub limits: Option<Object<TenantLimitsForm>>,
    /// Days that its events and deliveries are kept.
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 3650, default = 30)]
    pub retention_days: Option<i64>,
}

/// What a tenant may use, as it is asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantLimitsForm {
    /// Endpoints at most.
    #[serde(default)]
    pub endpoints: Patch<i64>,
    /// Entries of one endpoint's `events` at most.
    #[serde(default)]
    pub event_types_per_endpoint: Patch<i64>,
    /// Bytes of one event's `data` at most.
    #[serde(default)]
    pub payload_bytes: Patch<i64>,
    /// Events published per second at most.
    #[serde(default)]
    pub publish_per_s: Patch<i64>,
}

/// Changes of a tenant; what is left out stays, `null` sets back to the default.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantPatch {
    /// For people.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 120)]
    pub name: Patch<String>,
    /// The profile of endpoints that name none. Endpoints that are there already keep theirs.
    #[serde(default)]
    #[schema(value_type = Option<Profile>)]
    pub profile: Patch<String>,
    /// What it may use; a limit that is left out stays.
    #[serde(default)]
    #[schema(value_type = Option<TenantLimits>)]
    pub limits: Patch<Object<TenantLimitsForm>>,
    /// Days that its events and deliveries are kept.
    #[serde(default)]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 3650)]
    pub retention_days: Patch<i64>,
}
