//! Sessions: a key exchanged for a cookie, and links to the portal.

use hookyard_domain::portal as domain;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::keys::KeyScope;
use crate::policies::Profile;

mirror! {
    /// One power of a portal session.
    Capability = domain::Capability {
        /// Look at endpoints, events, deliveries and numbers.
        Read,
        /// Make, change, test and delete endpoints; see and rotate their secrets.
        Manage,
        /// Retry and cancel deliveries, replay events, recover endpoints.
        Replay,
    }
}

/// A link to the portal to be made.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPortalSession {
    /// Everything is limited to this scope; left out is all of the tenant.
    #[schema(min_length = 1, max_length = 128, example = "site-1")]
    pub scope: Option<String>,
    /// Seconds until it ends; left out is an hour.
    #[schema(value_type = Option<u32>, minimum = 60, maximum = 86400, example = 3600)]
    pub expires_in: Option<i64>,
    /// What it may do; left out is everything.
    #[schema(value_type = Option<Vec<Capability>>, min_items = 1, example = json!(["read"]))]
    pub capabilities: Option<Vec<String>>,
}

/// A link to the portal.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct PortalSession {
    /// Where to send the customer, or what to show in an iframe. The token stands behind the `#`, which browsers send to
    /// nobody.
    #[schema(format = "uri", example = "https://hooks.example.com/portal#token=hkp_…")]
    pub url: String,
    /// A bearer key with just these powers; the same as in the link.
    pub token: String,
    /// When it ends.
    #[schema(format = "date-time", example = "2026-05-19T09:35:14.000Z")]
    pub expires_at: String,
}

/// What is exchanged for a session.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// The operator's key, a tenant's key, or a portal token.
    #[serde(default)]
    #[schema(required = true, min_length = 1, max_length = 4096)]
    pub key: String,
}

/// Who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// The operator, in every tenant.
    Operator,
    /// The bearer of a tenant's key.
    Key,
    /// A customer with a link to the portal.
    Portal,
}

/// The tenant somebody is signed in to.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SessionTenant {
    /// Its name in paths.
    #[schema(example = "acme")]
    pub id: String,
    /// Its name for people.
    pub name: Option<String>,
    /// The profile of endpoints that name none.
    pub profile: Profile,
}

/// Somebody who is signed in.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Who.
    pub kind: SessionKind,
    /// The one tenant they are signed in to; `null` for the operator.
    pub tenant: Option<SessionTenant>,
    /// The scope everything is limited to; `null` is all of the tenant.
    pub scope: Option<String>,
    /// The key's powers; empty for a portal session, everything for the operator.
    pub scopes: Vec<KeyScope>,
    /// The same in the portal's words.
    pub capabilities: Vec<Capability>,
    /// When it ends.
    #[schema(format = "date-time", example = "2026-05-19T20:35:14.000Z")]
    pub expires_at: String,
}

/// The session of a request.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct SessionState {
    /// It; `null` when nobody is signed in.
    pub session: Option<Session>,
}
