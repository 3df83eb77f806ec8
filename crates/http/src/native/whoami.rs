//! Who a key speaks for.

use hookyard_api::keys::KeyScope;
use hookyard_api::whoami::Whoami;
use hookyard_app::Who;
use http::StatusCode;

use super::extract::{Reply, reply};
use crate::auth::Asker;

/// Say whose key this is
///
/// Any good key may ask: its tenant, and what it may do there.
#[utoipa::path(
    get, path = "/v1/whoami", operation_id = "whoami", tag = "API keys",
    responses((status = 200, description = "Whose key it is.", body = Whoami)),
)]
pub async fn read(Asker(caller): Asker) -> Reply {
    let who = match &caller.who {
        Who::Operator => {
            Whoami { operator: true, tenant: None, key_id: None, scopes: vec![KeyScope::Admin] }
        }
        Who::Key(powers) => Whoami {
            operator: false,
            tenant: Some(powers.tenant.to_string()),
            key_id: Some(powers.id.to_string()),
            scopes: powers.scopes.iter().copied().map(Into::into).collect(),
        },
        Who::Portal(powers) => Whoami {
            operator: false,
            tenant: Some(powers.tenant.to_string()),
            key_id: None,
            scopes: Vec::new(),
        },
    };
    reply(StatusCode::OK, &who)
}
