//! Streams: a tenant's feed, followed as it grows.
//!
//! What is read is read from the store, from the place where the reader stands; hints only make it faster. So nothing is
//! missed over restarts and among nodes, and a slow reader holds no more than one page.

use std::time::Duration;

use hookyard_domain::attempt::Attempt;
use hookyard_domain::audit::AuditEntry;
use hookyard_domain::delivery::Delivery;
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::event::Event;
use hookyard_domain::feed::{FeedPlace, FeedPosition};
use hookyard_domain::id::{EndpointId, EventKey, SourceId};
use hookyard_domain::limit;
use hookyard_domain::subscription::{Pattern, Scope};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::feed::{FeedEntry, FeedFilter, FeedItem};
use hookyard_store::ledger::Share;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::checks::Checks;
use crate::powers::Power;
use crate::seats::Seat;
use crate::seen::Eyes;
use crate::{App, AppError, Caller, Who};

/// How long a reader that nobody tells anything waits before it looks: other nodes are not heard.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Between two looks at least, so that a busy tenant's reader does not look after each commit.
const LOOK_GAP: Duration = Duration::from_millis(25);
/// After so long without anything, the reader's place is told again.
const STILL_AFTER: Duration = Duration::from_secs(15);
/// How often it is asked whether the reader may still read.
const ASK_AGAIN_EVERY: Duration = Duration::from_secs(15);
/// The names of what a stream tells.
const KINDS: [&str; 3] = ["event.accepted", "attempt.finished", "endpoint.changed"];

/// Which part of the feed, as it was written.
#[derive(Clone, Debug, Default)]
pub struct StreamQuery {
    /// Names of kinds, with commas; all when left out.
    pub kinds: Option<String>,
    /// `type`: types and patterns, with commas.
    pub event_type: Option<String>,
    /// Of this scope.
    pub scope: Option<String>,
    /// Received by this source.
    pub source: Option<String>,
    /// Owed or sent to this endpoint, or changes of it.
    pub endpoint: Option<String>,
    /// `true` for events with what they carry.
    pub payload: Option<String>,
    /// Where the reader stands; the end when left out.
    pub last_event_id: Option<String>,
}

/// Why there is no stream.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// As everywhere.
    #[error(transparent)]
    App(#[from] AppError),
    /// What happened since the reader's place is not kept any more.
    #[error("what happened since then is kept for {} hours only", .kept.as_secs() / 3600)]
    Expired {
        /// How long it is kept.
        kept: Duration,
    },
    /// The place was never told by this store.
    #[error("this place in the stream was never told by this store")]
    Unknown,
    /// As many are open as may be.
    #[error("{limit} streams are open already, as many as may be")]
    TooMany {
        /// How many may be.
        limit: u32,
    },
}

impl From<hookyard_store::StoreError> for StreamError {
    fn from(error: hookyard_store::StoreError) -> Self {
        Self::App(error.into())
    }
}

/// One thing that a stream tells.
#[derive(Clone, Debug)]
pub enum StreamItem {
    /// An event was accepted.
    Accepted {
        /// The event; values of headers that may be credentials are masked.
        event: Box<Event>,
        /// How many deliveries it had from the beginning.
        deliveries: u32,
        /// Bytes of what it carries, about.
        bytes: u64,
        /// What it carries is here.
        is_whole: bool,
    },
    /// An attempt ended.
    Finished {
        /// Its delivery, as it stands now.
        delivery: Box<Delivery>,
        /// The attempt.
        attempt: Box<Attempt>,
    },
    /// An endpoint was changed.
    Changed(EndpointChange),
}

/// That an endpoint was changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointChange {
    /// Which.
    pub endpoint: EndpointId,
    /// What was done: `endpoint.paused` …; `source.…` where it forwards for a source that was changed.
    pub action: String,
    /// When.
    pub at: Timestamp,
    /// The endpoint after, as the audit log keeps it: a JSON object.
    pub after: Option<String>,
}

/// What comes next in a stream.
#[derive(Clone, Debug)]
pub enum StreamStep {
    /// These, each with the place behind it.
    Items(Vec<(StreamItem, FeedPosition)>),
    /// Nothing for a while; the reader stands here.
    Still(FeedPosition),
    /// The reader was too slow: what happened before this time and was not read is lost. It goes on from here.
    Lagged {
        /// Where it goes on.
        position: FeedPosition,
        /// What happened before is lost.
        before: Timestamp,
    },
}

/// A reader of a tenant's feed.
pub struct Stream {
    app: App,
    caller: Caller,
    tenant: TenantNo,
    name: String,
    filter: FeedFilter,
    /// Changes of this endpoint alone.
    of: Option<EndpointId>,
    position: FeedPosition,
    news: watch::Receiver<()>,
    looked: Option<Instant>,
    told_at: Instant,
    asked_at: Instant,
    taken_away: u64,
    _seat: Seat,
}

impl App {
    /// Opens a stream: from where the reader stands, or from now on.
    pub async fn open_stream(
        &self,
        caller: &Caller,
        tenant: &str,
        query: StreamQuery,
    ) -> Result<Stream, StreamError> {
        let taken_away = self.taken_away();
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let mut checks = Checks::default();
        let (filter, of) = self.stream_filter(caller, no, &mut checks, &query).await?;
        let from: Option<FeedPosition> =
            checks.parse("last_event_id", "bad_cursor", query.last_event_id.as_deref());
        checks.done()?;
        let seat = self.0.seats.take(no, &caller.who)?;
        // Before the end is asked for, so that nothing falls in between.
        let news = self.engine().news(no);
        let position = match from {
            Some(position) => position,
            None => FeedPosition { seen_at: self.now(), ..self.store().feed_end(no).await? },
        };
        let now = Instant::now();
        let stream = Stream {
            app: self.clone(),
            caller: caller.clone(),
            tenant: no,
            name: tenant.to_owned(),
            filter,
            of,
            position,
            news,
            looked: None,
            told_at: now,
            asked_at: now,
            taken_away,
            _seat: seat,
        };
        if stream.lost().await?.is_some() {
            return Err(StreamError::Expired { kept: stream.kept().await? });
        }
        let nothing = Share { deliveries: 1, bytes: 1 };
        let first =
            self.store().feed(no, &FeedFilter::default(), &stream.position, nothing).await?;
        first.map(|_| stream).ok_or(StreamError::Unknown)
    }

    async fn stream_filter(
        &self,
        caller: &Caller,
        no: TenantNo,
        checks: &mut Checks,
        query: &StreamQuery,
    ) -> Result<(FeedFilter, Option<EndpointId>), AppError> {
        let wanted = kinds(checks, query.kinds.as_deref());
        let of: Option<EndpointId> = checks.parse("endpoint", "bad_id", query.endpoint.as_deref());
        let filter = FeedFilter {
            accepted: wanted[0],
            finished: wanted[1],
            changed: wanted[2],
            types: types(checks, query.event_type.as_deref()),
            scope: own_scope(caller, checks, query.scope.as_deref()),
            source: checks.parse("source", "bad_id", query.source.as_deref()),
            endpoint: match of {
                Some(id) => self.stream_endpoint(caller, no, checks, id).await?,
                None => None,
            },
            payload: payload(checks, query.payload.as_deref()),
        };
        Ok((filter, of))
    }

    async fn stream_endpoint(
        &self,
        caller: &Caller,
        no: TenantNo,
        checks: &mut Checks,
        id: EndpointId,
    ) -> Result<Option<EndpointNo>, AppError> {
        let found = self.store().endpoint_no(no, id).await?;
        let found = found.filter(|it| caller.sees_scope(it.scope.as_ref()));
        if found.is_none() {
            checks.wrong("endpoint", "not_found", "there is no such endpoint");
        }
        Ok(found.map(|it| it.no))
    }
}

/// Whoever is limited to a scope is told of that one alone.
fn own_scope(caller: &Caller, checks: &mut Checks, given: Option<&str>) -> Option<Scope> {
    let given: Option<Scope> = checks.parse("scope", "bad_scope", given);
    let Some(only) = caller.who.scope() else { return given };
    if given.is_some_and(|it| it != *only) {
        checks.wrong("scope", "not_found", "there is no such scope");
    }
    Some(only.clone())
}

fn kinds(checks: &mut Checks, text: Option<&str>) -> [bool; 3] {
    let Some(text) = text else { return [true; 3] };
    let mut wanted = [false; 3];
    for name in text.split(',') {
        match KINDS.iter().position(|it| *it == name.trim()) {
            Some(at) => wanted[at] = true,
            None => {
                let message = format!("use names of {} with commas between", KINDS.join(", "));
                checks.wrong("kinds", "unknown_value", message);
            }
        }
    }
    wanted
}

fn types(checks: &mut Checks, text: Option<&str>) -> Vec<Pattern> {
    let parts: Vec<_> = text.into_iter().flat_map(|it| it.split(',')).collect();
    if parts.len() > limit::PATTERNS_MAX {
        let most = limit::PATTERNS_MAX;
        checks.wrong("type", "too_many", format!("use {most} types at most"));
        return Vec::new();
    }
    parts
        .into_iter()
        .filter_map(|it| checks.parse("type", "bad_event_type", Some(it.trim())))
        .collect()
}

fn payload(checks: &mut Checks, text: Option<&str>) -> Option<u64> {
    match text {
        None | Some("false") => None,
        Some("true") => u64::try_from(limit::STREAM_PAYLOAD_BYTES_MAX).ok(),
        Some(_) => {
            checks.wrong("payload", "unknown_value", "use `true` or `false`");
            None
        }
    }
}

impl Stream {
    /// Where the reader stands.
    #[must_use]
    pub fn position(&self) -> &FeedPosition {
        &self.position
    }

    /// Waits for what comes next. `None` is the end: the reader may not read any more.
    ///
    /// Whoever gives up waiting misses nothing: the reader moves only with what it answers.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn next(&mut self) -> Result<Option<StreamStep>, AppError> {
        loop {
            self.wait_for_the_gap().await;
            if !self.may_go_on().await? {
                return Ok(None);
            }
            if let Some((position, before)) = self.lost().await? {
                self.position = position.clone();
                self.told_at = Instant::now();
                return Ok(Some(StreamStep::Lagged { position, before }));
            }
            self.news.mark_unchanged();
            let now = self.app.now();
            self.looked = Some(Instant::now());
            let share =
                Share { deliveries: limit::STREAM_PAGE_MAX, bytes: limit::STREAM_PAGE_BYTES_MAX };
            let page = self.app.store().feed(self.tenant, &self.filter, &self.position, share);
            let Some(page) = page.await? else { return Ok(None) };
            let mut items = self.items(page.entries).await?;
            self.position = page.position;
            if !page.more {
                self.position.seen_at = now;
            }
            if !items.is_empty() {
                self.told_at = Instant::now();
                if let Some((_, last)) = items.last_mut() {
                    last.clone_from(&self.position);
                }
                return Ok(Some(StreamStep::Items(items)));
            }
            if self.told_at.elapsed() >= STILL_AFTER {
                self.told_at = Instant::now();
                return Ok(Some(StreamStep::Still(self.position.clone())));
            }
            if page.more {
                self.looked = None;
                continue;
            }
            let left = STILL_AFTER.saturating_sub(self.told_at.elapsed());
            // Either way it looks again; an error would mean that there is nobody to tell any more.
            let _ = tokio::time::timeout(LOOK_EVERY.min(left), self.news.changed()).await;
        }
    }

    async fn wait_for_the_gap(&self) {
        if let Some(looked) = self.looked {
            tokio::time::sleep_until(looked + LOOK_GAP).await;
        }
    }

    /// The key, or the tenant, may have been taken away since.
    async fn may_go_on(&mut self) -> Result<bool, AppError> {
        let taken_away = self.app.taken_away();
        if self.taken_away == taken_away && self.asked_at.elapsed() < ASK_AGAIN_EVERY {
            return Ok(true);
        }
        self.taken_away = taken_away;
        self.asked_at = Instant::now();
        match self.app.tenant_for(&self.caller, &self.name, Power::Look).await {
            Ok(no) if no == self.tenant => {}
            Ok(_) | Err(AppError::NotFound { .. } | AppError::Forbidden { .. }) => {
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        match &self.caller.who {
            Who::Operator => Ok(self.app.engine().snapshot(self.tenant).await?.is_some()),
            Who::Key(powers) => {
                let now = self.app.now();
                let key = self.app.store().key(self.tenant, powers.id).await?;
                Ok(key.is_some_and(|it| it.expires_at.is_none_or(|end| end > now)))
            }
            Who::Portal(powers) if powers.expires_at <= self.app.now() => Ok(false),
            Who::Portal(powers) => match self.app.issuer_stands(&powers.by).await {
                Ok(()) => Ok(true),
                Err(AppError::Unauthenticated) => Ok(false),
                Err(error) => Err(error),
            },
        }
    }

    /// How long what the reader reads is kept.
    async fn kept(&self) -> Result<Duration, AppError> {
        if self.filter.finished {
            return Ok(limit::FEED_KEPT);
        }
        let snapshot = self.app.engine().snapshot(self.tenant).await?;
        let days = snapshot.map_or(limit::RETENTION_DAYS_DEFAULT, |it| it.tenant.retention_days);
        Ok(Duration::from_secs(24 * 3600) * days)
    }

    /// Where the reader goes on if what it has not read is not all kept any more, and before when something is lost.
    async fn lost(&self) -> Result<Option<(FeedPosition, Timestamp)>, AppError> {
        if !self.filter.finished && !self.filter.accepted {
            return Ok(None);
        }
        let before = self.app.now().minus(self.kept().await?);
        let oldest = EventKey::at(before);
        let is_recent = self.position.nodes.values().all(|it| it.key >= oldest);
        if is_recent || self.position.seen_at >= before {
            return Ok(None);
        }
        let end = self.app.store().feed_end(self.tenant).await?;
        let mut position = self.position.clone();
        let mut lost = false;
        for (node, end) in end.nodes {
            let place = position.nodes.entry(node).or_default();
            // Of a node that was silent since there is nothing to be lost.
            if place.key < oldest && place.key < end.key {
                lost = true;
                *place = FeedPlace { key: oldest.min(end.key), done: 0 };
            }
        }
        Ok(lost.then_some((position, before)))
    }

    /// The entries as they are told.
    async fn items(
        &self,
        entries: Vec<FeedEntry>,
    ) -> Result<Vec<(StreamItem, FeedPosition)>, AppError> {
        let mut items = Vec::with_capacity(entries.len());
        let mut eyes = Eyes::default();
        for entry in entries {
            let item = match entry.item {
                FeedItem::Accepted { mut event, deliveries, bytes, is_whole } => {
                    let headers = std::mem::take(&mut event.content.headers);
                    let was_received = event.content.source.is_some();
                    event.content.headers = crate::events::shown_headers(was_received, headers);
                    Some(StreamItem::Accepted { event, deliveries, bytes, is_whole })
                }
                FeedItem::Finished { delivery, attempt } => {
                    let seen = vec![self.app.as_it_is(*delivery)];
                    let (caller, no) = (&self.caller, self.tenant);
                    let seen = self.app.only_seen(caller, no, &mut eyes, seen).await?;
                    let delivery = seen.into_iter().next().map(Box::new);
                    delivery.map(|delivery| StreamItem::Finished { delivery, attempt })
                }
                FeedItem::Changed(change) => self.change(*change).await?.map(StreamItem::Changed),
            };
            items.extend(item.map(|item| (item, entry.position)));
        }
        Ok(items)
    }

    /// What an entry of the audit log says of an endpoint. One of a source says something of the endpoint that forwards for
    /// it, which goes by the same bytes of id.
    async fn change(&self, entry: AuditEntry) -> Result<Option<EndpointChange>, AppError> {
        let source = entry.subject.parse::<SourceId>().ok();
        let endpoint = match source {
            Some(source) => Some(EndpointId::from_u128(source.as_u128())),
            None => entry.subject.parse::<EndpointId>().ok(),
        };
        let Some(endpoint) = endpoint.filter(|it| self.of.is_none_or(|of| of == *it)) else {
            return Ok(None);
        };
        if source.is_some() && self.app.store().endpoint_no(self.tenant, endpoint).await?.is_none()
        {
            return Ok(None);
        }
        if !self.app.sees_endpoint(&self.caller, self.tenant, endpoint).await? {
            return Ok(None);
        }
        let after = entry.after.filter(|_| source.is_none());
        Ok(Some(EndpointChange { endpoint, action: entry.action, at: entry.at, after }))
    }
}
