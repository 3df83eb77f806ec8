//! Linear's requests to a URL that names no source: whichever source's secret they verify with is meant.
//!
//! Anybody may send here, and each secret that is tried costs an HMAC over the body. So the body is small, what no secret
//! could mend is refused before any is tried, no tenant has more than its share of the tries, and strangers keep one core
//! busy at most, beside those that serve everybody else.

use std::sync::Arc;
use std::time::Duration;

use hookyard_domain::id::SourceId;
use hookyard_domain::source::SourceStatus;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_rules::inbound::{self, Claim, Verified};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::find::Found;
use super::{ReceiveError, ReceivedRequest, Reception, Rejection, check_method, received, secrets};
use crate::caller::Who;
use crate::sources::preset_of;
use crate::{App, Caller};

const PROVIDER: &str = "linear";

/// Bytes of a request that names no source: Linear's own are far smaller.
pub const LINEAR_BYTES_MAX: u64 = 256 * 1024;

/// Sources that are tried for one request.
const TRIED_MAX: u32 = 1000;
/// Sources of one tenant that are tried for a request without a key, its oldest.
const TRIED_EACH: u32 = 20;

/// How long a request waits for its turn before it is told to come again.
const TURN_WITHIN: Duration = Duration::from_secs(5);

/// Whose turn it is to be held against many secrets: one request after the other.
pub(crate) struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

/// One request's turn. It goes along with the work, which runs to its end even if nobody waits for it any more.
struct Turn {
    _permit: OwnedSemaphorePermit,
}

impl Turns {
    async fn next(&self) -> Result<Turn, ReceiveError> {
        let turn = Arc::clone(&self.0).acquire_owned();
        match tokio::time::timeout(TURN_WITHIN, turn).await {
            Ok(Ok(permit)) => Ok(Turn { _permit: permit }),
            Ok(Err(closed)) => Err(ReceiveError::Internal(closed.into())),
            Err(late) => Err(ReceiveError::Unavailable(late.into())),
        }
    }
}

impl Turn {
    /// Does what keeps a core busy where it holds up nobody.
    async fn spend<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(Self, T), ReceiveError> {
        let done = tokio::task::spawn_blocking(move || (self, work())).await;
        done.map_err(|error| ReceiveError::Internal(error.into()))
    }
}

impl App {
    /// Takes a request of Linear's that names no source: for the caller's own sources of that provider, or without a caller
    /// for everybody's, whose secret it verifies with. Each of them records it; the first one that could is answered.
    pub async fn receive_linear(
        &self,
        caller: Option<&Caller>,
        request: ReceivedRequest,
    ) -> Result<Reception, ReceiveError> {
        check_method(preset_of(PROVIDER), &request.method)?;
        if request.body.len() as u64 > LINEAR_BYTES_MAX {
            return Err(ReceiveError::TooLarge { limit_bytes: LINEAR_BYTES_MAX });
        }
        let (told, matching) = self.linear_matches(caller, &request).await?;
        let mut first = Err(ReceiveError::Rejected(Rejection::WrongSignature));
        for (at, found) in matching.iter().enumerate() {
            let answer = self.record_within(found, &request, &told).await;
            if let Err(error) = &answer {
                tracing::warn!(
                    source.id = %found.id,
                    error = error as &dyn std::error::Error,
                    "a source could not record a request of Linear's"
                );
            }
            if at == 0 || first.is_err() && answer.is_ok() {
                first = answer;
            }
        }
        first
    }

    async fn record_within(
        &self,
        found: &Found,
        request: &ReceivedRequest,
        told: &Verified,
    ) -> Result<Reception, ReceiveError> {
        let limit_bytes = found.payload_bytes_max();
        if request.body.len() as u64 > limit_bytes {
            return Err(ReceiveError::TooLarge { limit_bytes });
        }
        let recorded = self.record(found, request.clone(), told.clone()).await?;
        // Linear asks again.
        recorded.ok_or_else(|| crate::publish::source_changed().into())
    }

    /// What the request tells, and the sources whose secrets it was made with.
    async fn linear_matches(
        &self,
        caller: Option<&Caller>,
        request: &ReceivedRequest,
    ) -> Result<(Verified, Vec<Found>), ReceiveError> {
        let turn = self.0.linear.next().await?;
        let (now, request) = (self.now(), request.clone());
        let claim = move || {
            let received = received(&request, &request.url);
            inbound::claim(&preset_of(PROVIDER).recipe, &received, now)
        };
        let (turn, claim) = turn.spend(claim).await?;
        let claim = claim.map_err(ReceiveError::Rejected)?;
        let candidates = self.linear_sources(caller).await?;
        let told = claim.told().clone();
        let (_, tried) = turn.spend(move || claimed(&claim, candidates, now)).await?;
        Ok((told, tried.map_err(ReceiveError::Rejected)?))
    }

    async fn linear_sources(&self, caller: Option<&Caller>) -> Result<Vec<Found>, ReceiveError> {
        let own = caller.and_then(|it| match &it.who {
            Who::Operator => None,
            Who::Key(powers) => Some(powers.no),
            Who::Portal(powers) => Some(powers.no),
        });
        let ids = match own {
            Some(tenant) => self.linear_sources_of(tenant).await?,
            None => self.store().sources_of_provider(PROVIDER, TRIED_EACH, TRIED_MAX).await?,
        };
        let mut found = Vec::with_capacity(ids.len());
        for (tenant, id) in ids {
            // Of whichever profile: Linear makes the secret, and the native API is where it can be given to a source.
            let takes = |it: &Found| it.source.source.status != SourceStatus::Disabled;
            found.extend(self.found_in(tenant, id).await?.filter(takes));
        }
        Ok(found)
    }

    async fn linear_sources_of(
        &self,
        tenant: TenantNo,
    ) -> Result<Vec<(TenantNo, SourceId)>, ReceiveError> {
        let Some(snapshot) = self.engine().snapshot(tenant).await? else { return Ok(Vec::new()) };
        let takes = |it: &hookyard_domain::source::Source| {
            it.settings.provider == PROVIDER && it.status != SourceStatus::Disabled
        };
        let all = snapshot.sources().filter(|it| takes(&it.source));
        let most = usize::try_from(TRIED_MAX).unwrap_or(usize::MAX);
        let mut ids: Vec<_> = all.map(|it| (tenant, it.source.id)).collect();
        ids.sort_unstable();
        ids.truncate(most);
        Ok(ids)
    }
}

/// The sources whose secrets it was made with.
fn claimed(claim: &Claim, from: Vec<Found>, now: Timestamp) -> Result<Vec<Found>, Rejection> {
    let mut tried = 0_usize;
    let mut fits = |found: &Found| {
        // One whose secret cannot be opened must not shut out the others.
        let secrets = secrets(&found.source, now).unwrap_or_default();
        tried += secrets.len();
        secrets.iter().any(|it| claim.is_by(it))
    };
    let matching: Vec<Found> = from.into_iter().filter(|it| fits(it)).collect();
    match (matching.is_empty(), tried) {
        (false, _) => Ok(matching),
        (true, 0) => Err(Rejection::NoSecret),
        (true, _) => Err(Rejection::WrongSignature),
    }
}
