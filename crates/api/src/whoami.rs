//! Who a key speaks for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::keys::KeyScope;
use crate::policies::Profile;

/// Whose key it is, and what it may do.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Whoami {
    /// It is the operator's, which may do everything in every tenant.
    pub operator: bool,
    /// The tenant it belongs to; `null` for the operator's.
    #[schema(example = "acme")]
    pub tenant: Option<String>,
    /// The profile of that tenant's endpoints that name none; `null` for the operator's key.
    #[serde(default)]
    pub profile: Option<Profile>,
    /// The key's id; `null` for the operator's and for a portal's token.
    #[schema(example = "key_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub key_id: Option<String>,
    /// What it may do; a portal's token has powers of its own, which `/session` tells, and none of these.
    pub scopes: Vec<KeyScope>,
}
