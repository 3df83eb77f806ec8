//! What sources received and what was forwarded of it, as lists: the newest over all of them, and the attempts of one.

use std::cmp::Reverse;
use std::fmt;
use std::str::FromStr;

use hookyard_domain::attempt::Attempt;
use hookyard_domain::delivery::{Delivery, DeliveryStatus};
use hookyard_domain::id::{AttemptId, DeliveryId, EndpointId, SourceId};
use hookyard_domain::key::KeyScope;
use hookyard_domain::limit::PAGE_MAX;
use hookyard_domain::page::{BadCursor, Cursor, PageRequest};
use hookyard_domain::source::Source;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::history::{DeliveryFilter, EventFilter, ListedEvent};

use crate::checks::{Checks, path_id};
use crate::{App, AppError, Caller, PageQuery};

/// Pages of deliveries that one page of attempts looks through: what is still held has none.
const PAGES_MAX: usize = 20;

/// An event with the source that received it.
#[derive(Clone, Debug)]
pub struct ReceivedEvent {
    /// The source as it is today.
    pub source: Source,
    /// The event.
    pub listed: ListedEvent,
}

/// One attempt to forward an event; or that it ended before there was any.
#[derive(Clone, Debug)]
pub struct SentAttempt {
    /// What was tried.
    pub delivery: Delivery,
    /// The attempt; `None` of what ended without one.
    pub attempt: Option<Attempt>,
}

impl SentAttempt {
    /// 0 stands for what ended without an attempt.
    fn number(&self) -> u32 {
        self.attempt.as_ref().map_or(0, |it| it.number)
    }
}

/// A page of attempts, the newest event first, its last attempt first.
#[derive(Clone, Debug, Default)]
pub struct SentPage {
    /// The attempts.
    pub rows: Vec<SentAttempt>,
    /// How many rows there could be.
    pub limit: u32,
    /// The cursor of the next page; `None` at the end.
    pub next: Option<String>,
}

/// A place among the attempts: in a page of deliveries, below an attempt of one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Place {
    page: Option<Cursor>,
    below: Option<AttemptId>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { page, below } = self;
        page.map_or(Ok(()), |it| it.fmt(f))?;
        f.write_str(".")?;
        below.map_or(Ok(()), |it| it.fmt(f))
    }
}

impl FromStr for Place {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (page, below) = text.split_once('.').ok_or(BadCursor)?;
        let page = (!page.is_empty()).then(|| page.parse()).transpose()?;
        let below = (!below.is_empty()).then(|| below.parse()).transpose();
        Ok(Self { page, below: below.map_err(|_| BadCursor)? })
    }
}

impl Place {
    /// The attempts of a delivery that are still to come stand below this number; 0: they were all shown.
    fn numbers_below(self, delivery: DeliveryId) -> u32 {
        match self.below.map(|it| it.delivery()) {
            Some((seen, number)) if seen == delivery => number,
            Some((seen, _)) if seen < delivery => 0,
            Some(_) | None => u32::MAX,
        }
    }
}

impl App {
    /// The newest events over all sources that the caller sees, at most `most`.
    pub async fn newest_received(
        &self,
        caller: &Caller,
        tenant: &str,
        most: u32,
    ) -> Result<Vec<ReceivedEvent>, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Read).await?;
        let most = most.min(PAGE_MAX);
        let full = usize::try_from(most).unwrap_or(usize::MAX);
        let mut newest: Vec<ReceivedEvent> = Vec::new();
        for (source, last) in self.by_last_event(caller, no).await? {
            let since = newest.get(full.saturating_sub(1)).map(|it| it.listed.event.accepted_at);
            if since.is_some_and(|oldest| last < oldest) {
                break;
            }
            let filter = EventFilter { source: Some(source.id), since, ..EventFilter::default() };
            let page = self.store().events(no, filter, PageRequest::first(most)).await?;
            let rows = page.rows.into_iter().map(crate::events::shown);
            newest.extend(rows.map(|listed| ReceivedEvent { source: source.clone(), listed }));
            newest.sort_by_key(|it| Reverse(it.listed.event.id.key()));
            newest.truncate(full);
        }
        Ok(newest)
    }

    /// The sources that the caller sees and that ever received something, whoever received last first.
    async fn by_last_event(
        &self,
        caller: &Caller,
        no: TenantNo,
    ) -> Result<Vec<(Source, hookyard_domain::time::Timestamp)>, AppError> {
        let mut found = Vec::new();
        let mut request = PageRequest::first(PAGE_MAX);
        loop {
            let page = self.store().sources(no, request.clone()).await?;
            let seen = page
                .rows
                .into_iter()
                .filter(|it| caller.sees(it.settings.profile, it.settings.scope.as_ref()));
            let sources: Vec<Source> = seen.collect();
            let ids: Vec<SourceId> = sources.iter().map(|it| it.id).collect();
            let activities = self.store().source_activity(no, &ids).await?;
            let ever = sources.into_iter().zip(activities);
            found.extend(ever.filter_map(|(it, activity)| Some((it, activity.last_event_at?))));
            if page.next.is_none() {
                break;
            }
            request.cursor = page.next;
        }
        found.sort_by_key(|(_, last)| Reverse(*last));
        Ok(found)
    }

    /// The attempts to forward what a source received, also of a forwarding that is over.
    pub async fn sent_attempts(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
        page: PageQuery,
    ) -> Result<SentPage, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Read).await?;
        let source = self.seen_source(caller, no, path_id(id, "source")?).await?;
        let mut checks = Checks::default();
        let place = checks.parse::<Place>("cursor", "bad_cursor", page.cursor.as_deref());
        let limit = PageQuery { cursor: None, ..page }.check(&mut checks).limit;
        checks.done()?;
        let endpoint = EndpointId::from_u128(source.id.as_u128());
        let Some(endpoint) = self.store().endpoint_no(no, endpoint).await? else {
            return Ok(SentPage { limit, ..SentPage::default() });
        };
        let filter = DeliveryFilter { endpoint: Some(endpoint.no), ..DeliveryFilter::default() };
        let mut sent = SentPage { limit, ..SentPage::default() };
        let mut place = place.unwrap_or_default();
        for _ in 0..PAGES_MAX {
            let request = PageRequest { limit, cursor: place.page };
            let found = self.store().deliveries(no, filter.clone(), request).await?;
            for delivery in found.rows {
                if self.add_attempts(no, &mut sent, &delivery, place).await? {
                    let last = sent.rows.last();
                    let below = last.map(|it| it.delivery.id.attempt(it.number()));
                    sent.next = Some(Place { below, ..place }.to_string());
                    return Ok(sent);
                }
            }
            let Some(next) = found.next else { return Ok(sent) };
            place = Place { page: Some(next), below: None };
        }
        sent.next = Some(place.to_string());
        Ok(sent)
    }

    /// Adds the attempts of a delivery that are still to come; true when there are more than the page can have.
    async fn add_attempts(
        &self,
        no: TenantNo,
        sent: &mut SentPage,
        delivery: &Delivery,
        place: Place,
    ) -> Result<bool, AppError> {
        let below = place.numbers_below(delivery.id);
        let full = usize::try_from(sent.limit).unwrap_or(usize::MAX);
        if delivery.attempts == 0 {
            let ended =
                matches!(delivery.status, DeliveryStatus::Discarded | DeliveryStatus::Cancelled);
            if !ended || below == 0 {
                return Ok(false);
            }
            if sent.rows.len() == full {
                return Ok(true);
            }
            sent.rows.push(SentAttempt { delivery: delivery.clone(), attempt: None });
            return Ok(false);
        }
        if below <= 1 {
            return Ok(false);
        }
        let mut request = PageRequest::first(PAGE_MAX);
        // A delivery that was pruned in the meantime has no attempts any more.
        while let Some(found) = self.store().attempts(no, delivery.id, request.clone()).await? {
            for attempt in found.rows.into_iter().filter(|it| it.number < below) {
                if sent.rows.len() == full {
                    return Ok(true);
                }
                sent.rows.push(SentAttempt { delivery: delivery.clone(), attempt: Some(attempt) });
            }
            if found.next.is_none() {
                break;
            }
            request.cursor = found.next;
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests {
    use hookyard_domain::id::{EventId, EventKey, TargetNo};

    use super::*;

    #[test]
    fn a_place_reads_back_and_garbage_does_not() {
        let attempt = EventId::of(EventKey(7 << 12), 0).delivery(TargetNo(3)).attempt(5);
        for place in [
            Place { page: None, below: Some(attempt) },
            Place { page: Some(Cursor(1, 2)), below: Some(attempt) },
            Place { page: Some(Cursor(1, 2)), below: None },
        ] {
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for bad in ["", "x", "1.2", ".att_x", "zz.", "0000000000000001"] {
            assert_eq!(bad.parse::<Place>(), Err(BadCursor), "{bad}");
        }
    }

    #[test]
    fn what_was_shown_is_passed_over_and_what_is_older_is_not() {
        let event = EventId::of(EventKey(7 << 12), 0);
        let older = EventId::of(EventKey(6 << 12), 0).delivery(TargetNo(9));
        let delivery = |n| event.delivery(TargetNo(n));
        let place = Place { page: None, below: Some(delivery(3).attempt(5)) };
        assert_eq!(place.numbers_below(delivery(4)), 0);
        assert_eq!(place.numbers_below(delivery(3)), 5);
        assert_eq!(place.numbers_below(delivery(2)), u32::MAX);
        assert_eq!(place.numbers_below(older), u32::MAX);
        assert_eq!(Place::default().numbers_below(older), u32::MAX);
    }
}
