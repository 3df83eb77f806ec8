//! Events, looked at.

use hookyard_domain::delivery::Delivery;
use hookyard_domain::id::EventId;
use hookyard_domain::key::KeyScope;
use hookyard_domain::limit;
use hookyard_domain::page::Page;
use hookyard_rules::redact;
use hookyard_store::history::{EventFilter, ListedEvent};

use crate::checks::{Checks, path_id};
use crate::pages::PageQuery;
use crate::{App, AppError, Caller};

/// Which events, as it was written.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    /// `type`: one type, or a pattern.
    pub event_type: Option<String>,
    /// Of this scope.
    pub scope: Option<String>,
    /// Received by this source.
    pub source: Option<String>,
    /// Accepted at or after.
    pub since: Option<String>,
    /// Accepted before.
    pub until: Option<String>,
    /// With this text.
    pub q: Option<String>,
}

impl EventQuery {
    fn check(self, checks: &mut Checks) -> EventFilter {
        EventFilter {
            event_type: checks.parse("type", "bad_event_type", self.event_type.as_deref()),
            scope: checks.parse("scope", "bad_scope", self.scope.as_deref()),
            source: checks.parse("source", "bad_id", self.source.as_deref()),
            since: checks.time("since", self.since.as_deref()),
            until: checks.time("until", self.until.as_deref()),
            text: checks.text("q", self.q, limit::PUBLISHER_ID_CHARS_MAX),
        }
    }
}

impl App {
    /// A tenant's events, newest first.
    pub async fn events(
        &self,
        caller: &Caller,
        tenant: &str,
        query: EventQuery,
        page: PageQuery,
    ) -> Result<Page<ListedEvent>, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Read).await?;
        let mut checks = Checks::default();
        let filter = query.check(&mut checks);
        let page = page.check(&mut checks);
        checks.done()?;
        Ok(self.store().events(no, filter, page).await?.map(shown))
    }

    /// One event.
    pub async fn event(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<ListedEvent, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Read).await?;
        let id: EventId = path_id(id, "event")?;
        let event = self.store().event(no, id).await?;
        event.map(shown).ok_or(AppError::NotFound { what: "event" })
    }

    /// The deliveries of one event, replays first.
    pub async fn deliveries_of_event(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
        page: PageQuery,
    ) -> Result<Page<Delivery>, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Read).await?;
        let id: EventId = path_id(id, "event")?;
        let mut checks = Checks::default();
        let page = page.check(&mut checks);
        checks.done()?;
        let page = self.store().deliveries_of(no, id, page).await?;
        let page = page.ok_or(AppError::NotFound { what: "event" })?;
        Ok(page.map(|it| self.as_it_is(it)))
    }
}

/// As it may be read: header values that may be credentials are masked.
pub(crate) fn shown(mut listed: ListedEvent) -> ListedEvent {
    let content = &mut listed.event.content;
    content.headers = redact::headers(std::mem::take(&mut content.headers));
    listed
}
