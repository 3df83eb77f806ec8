//! Sources: inbound receivers, looked at here; made, changed and tried in the files beside. What they do is `receive`.

mod change;
mod create;
mod forward;
mod input;
mod learn;
mod secrets;
mod states;
mod trial;

use std::fmt;

use bytes::Bytes;
use hookyard_domain::endpoint::{Activity, DisabledReason, Endpoint, EndpointStatus};
use hookyard_domain::id::SourceId;
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::secret::Secret;
use hookyard_domain::source::{Source, SourceActivity, SourceStatus};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_rules::inbound::{Preset, presets};
use hookyard_store::history::{EventFilter, ListedEvent};

use crate::checks::{Checks, path_id};
use crate::pages::PageQuery;
use crate::powers::Power;
use crate::{App, AppError, Caller};

/// A source to be made.
#[derive(Clone, Default)]
pub struct NewSource {
    /// For people.
    pub name: String,
    /// Who sends: a preset's name, `custom` when not given.
    pub provider: Option<String>,
    /// A secret of the caller's own, or the provider's.
    pub secret: Option<String>,
    /// The scope its events get.
    pub scope: Option<String>,
    /// The text the user gives the provider for its handshake.
    pub verify_token: Option<String>,
    /// The URL the provider was told, where that is not the receive URL itself.
    pub public_url: Option<String>,
    /// Types that are passed on; none or an empty list is all.
    pub events: Option<Vec<String>>,
    /// For people.
    pub description: Option<String>,
    /// The owner's own JSON object, as text.
    pub metadata: Option<String>,
    /// Where its events are passed on to as they came (the `alumia` surface).
    pub forward: Option<ForwardInput>,
}

/// Where a source's events are passed on to as they came. An empty text is nowhere; so is the receive URL, which only its door
/// knows.
#[derive(Clone, Debug, Default)]
pub struct ForwardInput {
    /// The URL.
    pub url: String,
}

/// What to change of a source. `None` stays as it is, null is nothing.
#[derive(Clone, Default)]
pub struct SourcePatch {
    /// For people.
    pub name: Option<String>,
    /// Who sends; null is `custom`.
    pub provider: Option<Option<String>>,
    /// A secret of the caller's own, or the provider's. It counts at once, and the old one no more.
    pub secret: Option<String>,
    /// The scope its events get.
    pub scope: Option<Option<String>>,
    /// The text the user gives the provider for its handshake.
    pub verify_token: Option<Option<String>>,
    /// The URL the provider was told.
    pub public_url: Option<Option<String>>,
    /// Types that are passed on; null or an empty list is all.
    pub events: Option<Option<Vec<String>>>,
    /// For people.
    pub description: Option<Option<String>>,
    /// The owner's own JSON object, as text.
    pub metadata: Option<Option<String>>,
    /// `active`, `paused` or `disabled`.
    pub status: Option<String>,
    /// Where its events are passed on to; null stops that.
    pub forward: Option<Option<ForwardInput>>,
}

/// What to send as a test.
#[derive(Clone, Default)]
pub struct TestSource {
    /// A type; one that the source passes on when not given.
    pub event_type: Option<String>,
    /// The exact bytes of the body; one of ours when not given.
    pub payload: Option<Bytes>,
}

// Inputs hold secrets as they were written, so nothing of those is printed.

impl fmt::Debug for NewSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("NewSource");
        shown.field("name", &self.name).field("provider", &self.provider).finish_non_exhaustive()
    }
}

impl fmt::Debug for SourcePatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("SourcePatch");
        shown.field("name", &self.name).field("provider", &self.provider).finish_non_exhaustive()
    }
}

impl fmt::Debug for TestSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestSource").field("event_type", &self.event_type).finish_non_exhaustive()
    }
}

/// A source as it is shown.
#[derive(Clone, Debug)]
pub struct SourceDetails {
    /// What is kept of it.
    pub source: Source,
    /// What is counted of it.
    pub activity: SourceActivity,
    /// The endpoint that passes its events on, if there is one.
    pub forward: Option<(Endpoint, Activity)>,
    /// Until when requests signed with the secret before the last rotation are believed too.
    pub overlap_until: Option<Timestamp>,
}

impl SourceDetails {
    /// The state of source and forwarding together: a source that is on, and whose forwarding is off, does not do what its
    /// owner set it up for.
    #[must_use]
    pub fn status(&self) -> SourceStatus {
        let forward = self.forward.as_ref().map(|(endpoint, _)| endpoint.status);
        match (self.source.status, forward) {
            (SourceStatus::Disabled, _)
            | (_, Some(EndpointStatus::Disabled | EndpointStatus::Pending)) => {
                SourceStatus::Disabled
            }
            (SourceStatus::Paused, _) | (_, Some(EndpointStatus::Paused)) => SourceStatus::Paused,
            (SourceStatus::Active, Some(EndpointStatus::Active) | None) => SourceStatus::Active,
        }
    }

    /// Why forwarding alone is off, while what the source receives is recorded.
    #[must_use]
    pub fn forwarding_off(&self) -> Option<DisabledReason> {
        let (endpoint, _) = self.forward.as_ref()?;
        match (self.source.status, endpoint.status) {
            (SourceStatus::Disabled, _) | (_, EndpointStatus::Active | EndpointStatus::Paused) => {
                None
            }
            (_, EndpointStatus::Disabled) => endpoint.disabled_reason,
            (_, EndpointStatus::Pending) => Some(DisabledReason::VerificationFailed),
        }
    }
}

/// A source with the one chance to see its secret: at creation and rotation.
#[derive(Clone, Debug)]
pub struct SourceMade {
    /// The source.
    pub details: SourceDetails,
    /// Its secret; `None` while its provider has still to hand one over.
    pub secret: Option<Secret>,
}

/// Whether a request would be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedVerdict {
    /// It would.
    pub valid: bool,
    /// Why not.
    pub reason: Option<String>,
}

const NONE: AppError = AppError::NotFound { what: "source" };

/// Who sends to a source that names no provider, or one that nobody knows.
const CUSTOM: &str = "custom";

/// How requests of this provider are proven. A name of nobody's is a label of the user's for a sender of their own.
pub(crate) fn preset_of(provider: &str) -> &'static Preset {
    presets::named(provider).or_else(|| presets::named(CUSTOM)).unwrap_or(&presets::ALL[0])
}

impl App {
    /// A tenant's sources, newest first.
    pub async fn sources(
        &self,
        caller: &Caller,
        tenant: &str,
        page: PageQuery,
    ) -> Result<Page<SourceDetails>, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let mut checks = Checks::default();
        let page = page.check(&mut checks);
        checks.done()?;
        let page = self.sources_seen(caller, no, page).await?;
        let ids: Vec<_> = page.rows.iter().map(|it| it.id).collect();
        let activities = self.store().source_activity(no, &ids).await?;
        let mut rows = Vec::with_capacity(page.rows.len());
        for (source, activity) in page.rows.into_iter().zip(activities) {
            let forward = self.forward_shown(&source).await?;
            let overlap_until = source.secrets.overlap_at(self.now());
            rows.push(SourceDetails { source, activity, forward, overlap_until });
        }
        Ok(Page { rows, next: page.next })
    }

    /// One source.
    pub async fn source(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<SourceDetails, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let source = self.seen_source(caller, no, path_id(id, "source")?).await?;
        self.source_details(source).await
    }

    /// What a source received, newest first.
    pub async fn source_events(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
        page: PageQuery,
    ) -> Result<Page<ListedEvent>, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let source = self.seen_source(caller, no, path_id(id, "source")?).await?;
        let mut checks = Checks::default();
        let page = page.check(&mut checks);
        checks.done()?;
        let scope = caller.who.scope().cloned();
        let filter = EventFilter { source: Some(source.id), scope, ..EventFilter::default() };
        Ok(self.store().events(no, filter, page).await?.map(crate::events::shown))
    }

    /// A page of those the caller sees; the place it ends at is the store's own.
    async fn sources_seen(
        &self,
        caller: &Caller,
        no: TenantNo,
        wanted: PageRequest,
    ) -> Result<Page<Source>, AppError> {
        let most = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        let mut rows = Vec::new();
        let mut cursor = wanted.cursor;
        loop {
            // Never more than are missing, so that the page ends where the last row looked at ends.
            let limit = u32::try_from(most.saturating_sub(rows.len())).unwrap_or(u32::MAX);
            let page = self.store().sources(no, PageRequest { limit, cursor }).await?;
            rows.extend(
                page.rows
                    .into_iter()
                    .filter(|it| caller.sees(it.settings.profile, it.settings.scope.as_ref())),
            );
            if page.next.is_none() || rows.len() >= most {
                return Ok(Page { rows, next: page.next });
            }
            cursor = page.next;
        }
    }

    pub(crate) async fn seen_source(
        &self,
        caller: &Caller,
        no: TenantNo,
        id: SourceId,
    ) -> Result<Source, AppError> {
        let found = self.store().source(no, id).await?;
        found.filter(|it| caller.sees(it.settings.profile, it.settings.scope.as_ref())).ok_or(NONE)
    }

    async fn source_details(&self, source: Source) -> Result<SourceDetails, AppError> {
        let activity = self.store().source_activity(source.tenant, &[source.id]).await?;
        let activity = activity.first().copied().unwrap_or_default();
        let forward = self.forward_shown(&source).await?;
        let overlap_until = source.secrets.overlap_at(self.now());
        Ok(SourceDetails { source, activity, forward, overlap_until })
    }
}
