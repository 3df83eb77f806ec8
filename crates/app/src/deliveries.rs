//! Deliveries: looked at, tried again by hand, cancelled, exported.

use hookyard_domain::attempt::Attempt;
use hookyard_domain::delivery::{Delivery, DeliveryStatus};
use hookyard_domain::endpoint::{Endpoint, EndpointStatus};
use hookyard_domain::id::{AttemptId, DeliveryId, EndpointId, SourceId};
use hookyard_domain::limit::PAGE_MAX;
use hookyard_domain::page::{Cursor, Page, PageRequest};
use hookyard_domain::tenant::TenantNo;
use hookyard_rules::redact;
use hookyard_store::history::DeliveryFilter;
use hookyard_store::ledger::Moved;
use serde_json::{Value, json};

use crate::audit::Act;
use crate::checks::{Checks, path_id};
use crate::endpoints::off;
use crate::pages::PageQuery;
use crate::powers::Power;
use crate::seen::Eyes;
use crate::{App, AppError, Caller};

const NONE: AppError = AppError::NotFound { what: "delivery" };

/// Which deliveries, as it was written.
#[derive(Clone, Debug, Default)]
pub struct DeliveryQuery {
    /// To this endpoint, even a deleted one.
    pub endpoint: Option<String>,
    /// In this state.
    pub status: Option<String>,
    /// `type`: one type, or a pattern.
    pub event_type: Option<String>,
    /// Of events accepted at or after.
    pub since: Option<String>,
    /// Of events accepted before.
    pub until: Option<String>,
}

/// An export under way.
#[derive(Debug)]
pub struct Export {
    caller: Caller,
    tenant: TenantNo,
    filter: DeliveryFilter,
    next: Next,
    eyes: Eyes,
}

#[derive(Debug)]
enum Next {
    First,
    From(Cursor),
    Ended,
}

impl App {
    /// A tenant's deliveries, newest event first.
    pub async fn deliveries(
        &self,
        caller: &Caller,
        tenant: &str,
        query: DeliveryQuery,
        page: PageQuery,
    ) -> Result<Page<Delivery>, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let mut checks = Checks::default();
        let page = page.check(&mut checks);
        let filter = self.delivery_filter(caller, no, &mut checks, query).await?;
        checks.done()?;
        let page = self.deliveries_seen(caller, no, filter, page).await?;
        Ok(page.map(|it| self.as_it_is(it)))
    }

    /// The deliveries to the endpoint that the query names, even a deleted one. One that never was is not found.
    pub async fn deliveries_to(
        &self,
        caller: &Caller,
        tenant: &str,
        query: DeliveryQuery,
        page: PageQuery,
    ) -> Result<Page<Delivery>, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let endpoint = query.endpoint.as_deref().unwrap_or_default();
        self.is_or_was(caller, no, path_id(endpoint, "endpoint")?).await?;
        self.deliveries(caller, tenant, query, page).await
    }

    /// The endpoint of that id; `None` when it was deleted.
    pub(crate) async fn is_or_was(
        &self,
        caller: &Caller,
        no: TenantNo,
        id: EndpointId,
    ) -> Result<Option<Endpoint>, AppError> {
        const NONE: AppError = AppError::NotFound { what: "endpoint" };
        match self.store().endpoint(no, id).await? {
            Some(endpoint) => {
                let settings = &endpoint.settings;
                let sees = caller.sees(settings.profile, settings.scope.as_ref());
                if sees { Ok(Some(endpoint)) } else { Err(NONE) }
            }
            None => match self.store().endpoint_no(no, id).await? {
                Some(it) if caller.sees(it.profile, it.scope.as_ref()) => Ok(None),
                Some(_) | None => Err(NONE),
            },
        }
    }

    async fn delivery_filter(
        &self,
        caller: &Caller,
        no: TenantNo,
        checks: &mut Checks,
        query: DeliveryQuery,
    ) -> Result<DeliveryFilter, AppError> {
        let endpoint: Option<EndpointId> =
            checks.parse("endpoint", "bad_id", query.endpoint.as_deref());
        let endpoint = match endpoint {
            None => None,
            Some(id) => {
                let found = self.store().endpoint_no(no, id).await?;
                let found = found.filter(|it| caller.sees_scope(it.scope.as_ref()));
                if found.is_none() {
                    checks.wrong("endpoint", "not_found", "there is no such endpoint");
                }
                found.map(|it| it.no)
            }
        };
        let all = &DeliveryStatus::ALL;
        Ok(DeliveryFilter {
            endpoint,
            status: checks.one_of("status", query.status.as_deref(), all, DeliveryStatus::as_str),
            event_type: checks.parse("type", "bad_event_type", query.event_type.as_deref()),
            since: checks.time("since", query.since.as_deref()),
            until: checks.time("until", query.until.as_deref()),
        })
    }

    /// One delivery.
    pub async fn delivery(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<Delivery, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        self.seen_delivery(caller, no, delivery_id(id)?).await
    }

    /// The attempts of a delivery, newest first, with the delivery's id, of which theirs are made.
    pub async fn attempts(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
        page: PageQuery,
    ) -> Result<(DeliveryId, Page<Attempt>), AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let id: DeliveryId = delivery_id(id)?;
        let mut checks = Checks::default();
        let page = page.check(&mut checks);
        checks.done()?;
        if caller.who.scope().is_some() {
            self.seen_delivery(caller, no, id).await?;
        }
        let page = self.store().attempts(no, id, page).await?.ok_or(NONE)?;
        // Those of former versions were kept with these headers in the open.
        let forwards = self.is_forwarded(no, id).await?;
        let mask = if forwards { redact::forwarded } else { redact::received };
        let shown = |mut it: Attempt| {
            it.request_headers = mask(it.request_headers);
            it
        };
        Ok((id, page.map(shown)))
    }

    /// Whether a delivery passed on what a source received. Its endpoint may be gone, its source goes by the same bytes of id.
    async fn is_forwarded(&self, no: TenantNo, id: DeliveryId) -> Result<bool, AppError> {
        let Some(delivery) = self.store().delivery(no, id).await? else { return Ok(false) };
        let source = SourceId::from_u128(delivery.endpoint.as_u128());
        Ok(self.store().source(no, source).await?.is_some())
    }

    /// Makes a delivery due at once, whether it waits or ended without success.
    pub async fn retry_delivery(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<Delivery, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Replay).await?;
        let id: DeliveryId = delivery_id(id)?;
        self.engine().settled().await;
        let delivery = self.seen_delivery(caller, no, id).await?;
        let endpoint = self.store().endpoint(no, delivery.endpoint).await?;
        takes_deliveries(endpoint.as_ref())?;
        let now = self.now();
        let subject = id.to_string();
        let act = Act {
            action: "delivery.retried",
            subject: &subject,
            before: before(&delivery),
            ..Act::default()
        };
        let entry = self.entry(caller, now, act);
        let moved = self.store().requeue(no, id, now, entry).await;
        if let (Err(_), Some(endpoint)) = (&moved, &endpoint) {
            // The answer may be lost, and the delivery due.
            self.engine().requeued(no, endpoint.no).await;
        }
        match moved? {
            Moved::Done(endpoint) => self.engine().requeued(no, endpoint).await,
            Moved::Refused(DeliveryStatus::Succeeded) => {
                return Err(AppError::conflict(
                    "already_succeeded",
                    "the delivery has succeeded; replay its event to send it again",
                ));
            }
            Moved::Refused(status) => return Err(refused(status)),
            Moved::Absent => return Err(NONE),
        }
        self.load_delivery(no, id).await
    }

    /// Cancels a delivery that has not ended. An attempt that is under way is not called back.
    pub async fn cancel_delivery(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<Delivery, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Replay).await?;
        let id: DeliveryId = delivery_id(id)?;
        self.engine().settled().await;
        let delivery = self.seen_delivery(caller, no, id).await?;
        let now = self.now();
        let subject = id.to_string();
        let act = Act {
            action: "delivery.cancelled",
            subject: &subject,
            before: before(&delivery),
            ..Act::default()
        };
        let entry = self.entry(caller, now, act);
        match self.store().cancel(no, id, now, entry).await? {
            Moved::Done(endpoint) => self.engine().cancelled(endpoint, id),
            Moved::Refused(status) => return Err(refused(status)),
            Moved::Absent => return Err(NONE),
        }
        self.load_delivery(no, id).await
    }

    /// Begins an export of everything a query finds.
    pub async fn export_deliveries(
        &self,
        caller: &Caller,
        tenant: &str,
        query: DeliveryQuery,
    ) -> Result<Export, AppError> {
        let no = self.tenant_for(caller, tenant, Power::Look).await?;
        let mut checks = Checks::default();
        let filter = self.delivery_filter(caller, no, &mut checks, query).await?;
        checks.done()?;
        Ok(Export {
            caller: caller.clone(),
            tenant: no,
            filter,
            next: Next::First,
            eyes: Eyes::default(),
        })
    }

    /// The next piece of an export, which may be empty; `None` at the end.
    pub async fn next_export_page(
        &self,
        export: &mut Export,
    ) -> Result<Option<Vec<Delivery>>, AppError> {
        let cursor = match export.next {
            Next::First => None,
            Next::From(cursor) => Some(cursor),
            Next::Ended => return Ok(None),
        };
        let page = PageRequest { limit: PAGE_MAX, cursor };
        let page = self.store().deliveries(export.tenant, export.filter.clone(), page).await?;
        export.next = page.next.map_or(Next::Ended, Next::From);
        let Export { caller, tenant, eyes, .. } = export;
        let rows = self.only_seen(caller, *tenant, eyes, page.rows).await?;
        Ok(Some(rows.into_iter().map(|it| self.as_it_is(it)).collect()))
    }

    pub(crate) async fn load_delivery(
        &self,
        no: TenantNo,
        id: DeliveryId,
    ) -> Result<Delivery, AppError> {
        let delivery = self.store().delivery(no, id).await?.ok_or(NONE)?;
        Ok(self.as_it_is(delivery))
    }

    /// The store knows what was recorded; only the engine knows what is under way.
    pub(crate) fn as_it_is(&self, mut delivery: Delivery) -> Delivery {
        if delivery.status == DeliveryStatus::Pending && self.engine().is_sending(delivery.id) {
            delivery.status = DeliveryStatus::Sending;
        }
        delivery
    }
}

/// The id of a delivery in a path: its own, or the one that receivers of the profile `aly` know it by.
pub(crate) fn delivery_id(text: &str) -> Result<DeliveryId, AppError> {
    // `X-Aly-Delivery-Id` is new for every attempt: it is the attempt's id.
    let sent = text.strip_prefix("del_").and_then(|it| format!("att_{it}").parse().ok());
    match sent {
        Some(attempt) => Ok(AttemptId::delivery(attempt).0),
        None => path_id(text, "delivery"),
    }
}

/// An endpoint that is off or gone would only have the delivery discarded.
pub(crate) fn takes_deliveries(endpoint: Option<&Endpoint>) -> Result<(), AppError> {
    match endpoint {
        None => Err(AppError::conflict("endpoint_deleted", "the endpoint was deleted")),
        Some(endpoint) => match endpoint.status {
            EndpointStatus::Active | EndpointStatus::Paused => Ok(()),
            EndpointStatus::Pending | EndpointStatus::Disabled => Err(off(endpoint)),
        },
    }
}

fn refused(status: DeliveryStatus) -> AppError {
    let message = format!("the delivery has ended already: it is {}", status.as_str());
    AppError::conflict("already_ended", message)
}

fn before(delivery: &Delivery) -> Option<Value> {
    Some(json!({ "status": delivery.status, "attempts": delivery.attempts }))
}

#[cfg(test)]
mod tests {
    use hookyard_domain::id::{EventId, EventKey, TargetNo};

    use super::*;

    #[test]
    fn a_delivery_goes_by_its_own_id_and_by_the_one_that_was_sent() {
        let delivery = EventId::of(EventKey(7 << 12), 0).delivery(TargetNo(3));
        let attempt = delivery.attempt(5).to_string();
        let sent = attempt.replacen("att_", "del_", 1);
        for text in [delivery.to_string(), sent] {
            assert_eq!(delivery_id(&text).unwrap(), delivery, "{text}");
        }
        for text in ["del_8c...", "del_", &attempt, ""] {
            assert!(matches!(delivery_id(text), Err(AppError::NotFound { what: "delivery" })));
        }
    }
}
