//! Events, looked at.

use hookyard_domain::delivery::Delivery;
use hookyard_domain::headers::Headers;
use hookyard_domain::id::EventId;
use hookyard_domain::limit;
use hookyard_domain::page::Page;
use hookyard_domain::tenant::TenantNo;
use hookyard_rules::redact;
use hookyard_store::history::{EventFilter, ListedEvent};

use crate::checks::{Checks, path_id};
use crate::error::Needs;
use crate::pages::PageQuery;
use crate::powers::Power;
use crate::seen::Eyes;
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
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let mut checks = Checks::default();
        let mut filter = query.check(&mut checks);
        let page = page.check(&mut checks);
        checks.done()?;
        if let Some(only) = caller.who.scope() {
            if filter.scope.as_ref().is_some_and(|it| it != only) {
                return Err(AppError::Forbidden { needs: Needs::WholeTenant });
            }
            filter.scope = Some(only.clone());
        }
        Ok(self.store().events(no, filter, page).await?.map(shown))
    }

    /// One event.
    pub async fn event(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<ListedEvent, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let id: EventId = path_id(id, "event")?;
        Ok(shown(self.seen_event(caller, no, id).await?))
    }

    /// An event that the caller sees.
    pub(crate) async fn seen_event(
        &self,
        caller: &Caller,
        no: TenantNo,
        id: EventId,
    ) -> Result<ListedEvent, AppError> {
        let found = self.store().event(no, id).await?;
        let seen = found.filter(|it| caller.sees_scope(it.event.content.scope.as_ref()));
        seen.ok_or(AppError::NotFound { what: "event" })
    }

    /// The deliveries of one event, replays first.
    pub async fn deliveries_of_event(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
        page: PageQuery,
    ) -> Result<Page<Delivery>, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let id: EventId = path_id(id, "event")?;
        let mut checks = Checks::default();
        let page = page.check(&mut checks);
        checks.done()?;
        if caller.who.scope().is_some() {
            self.seen_event(caller, no, id).await?;
        }
        let page = self.store().deliveries_of(no, id, page).await?;
        let Page { rows, next } = page.ok_or(AppError::NotFound { what: "event" })?;
        let rows = self.only_seen(caller, no, &mut Eyes::default(), rows).await?;
        Ok(Page { rows, next }.map(|it| self.as_it_is(it)))
    }
}

/// An event's headers as they may be read: of a received one also without what proved its sender to the source.
pub(crate) fn shown_headers(was_received: bool, headers: Headers) -> Headers {
    if was_received { redact::received(headers) } else { redact::headers(headers) }
}

/// As it may be read: header values that may be credentials are masked.
pub(crate) fn shown(mut listed: ListedEvent) -> ListedEvent {
    let content = &mut listed.event.content;
    content.headers = shown_headers(content.source.is_some(), std::mem::take(&mut content.headers));
    listed
}
