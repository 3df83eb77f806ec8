//! Who a key speaks for.

use axum::extract::State;
use hookyard_api::keys::KeyScope;
use hookyard_api::whoami::Whoami;
use hookyard_app::Who;
use http::StatusCode;

use super::extract::{Reply, reply};
use crate::auth::Asker;
use crate::state::DoorState;

/// Say whose key this is
///
/// Any good key may ask: its tenant, that one's profile, and what it may do there.
#[utoipa::path(
    get, path = "/v1/whoami", operation_id = "whoami", tag = "API keys",
    responses((status = 200, description = "Whose key it is.", body = Whoami)),
)]
pub async fn read(State(state): State<DoorState>, Asker(caller): Asker) -> Reply {
    let tenant = state.app().tenant_of(&caller.who).await?;
    let (key_id, scopes) = match &caller.who {
        Who::Operator => (None, vec![KeyScope::Admin]),
        Who::Key(powers) => {
            (Some(powers.id.to_string()), powers.scopes.iter().copied().map(Into::into).collect())
        }
        Who::Portal(_) => (None, Vec::new()),
    };
    let who = Whoami {
        operator: matches!(caller.who, Who::Operator),
        profile: tenant.as_ref().map(|it| it.profile.into()),
        tenant: tenant.map(|it| it.id.to_string()),
        key_id,
        scopes,
    };
    reply(StatusCode::OK, &who)
}
