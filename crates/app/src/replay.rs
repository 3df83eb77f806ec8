//! Replay: an event that was accepted once is delivered again, as fresh deliveries.

use std::collections::BTreeSet;

use hookyard_domain::delivery::Delivery;
use hookyard_domain::endpoint::{Endpoint, EndpointNo};
use hookyard_domain::event::Event;
use hookyard_domain::id::{EndpointId, EventId};
use hookyard_domain::limit;
use hookyard_rules::matching;
use serde_json::json;

use crate::audit::Act;
use crate::checks::{Checks, path_id};
use crate::deliveries::{delivery_id, takes_deliveries};
use crate::powers::Power;
use crate::{App, AppError, Caller};

impl App {
    /// Delivers an event again: to the endpoints named, else to every one that wants it by its settings of today. Those
    /// that are off are left out, unless they were named, which is an error.
    pub async fn replay(
        &self,
        caller: &Caller,
        tenant: &str,
        event: &str,
        endpoints: Option<Vec<String>>,
    ) -> Result<Vec<Delivery>, AppError> {
        const NONE: AppError = AppError::NotFound { what: "event" };
        let no = self.tenant_for(caller, tenant, Power::Replay).await?;
        let id: EventId = path_id(event, "event")?;
        let found = self.seen_event(caller, no, id).await?;
        let config = self.store().tenant_config(no).await?;
        let mut all = config.ok_or(AppError::NotFound { what: "tenant" })?.endpoints;
        all.retain(|it| caller.sees_scope(it.settings.scope.as_ref()));
        let chosen = match &endpoints {
            Some(ids) => named(&all, ids)?,
            None => wanting(&all, &found.event),
        };
        if chosen.is_empty() {
            return Ok(Vec::new());
        }
        let act = Act {
            action: "event.replayed",
            subject: event,
            after: Some(json!({
                "endpoints": chosen.iter().map(|it| it.id.to_string()).collect::<Vec<_>>(),
            })),
            ..Act::default()
        };
        let now = self.now();
        let entry = self.entry(caller, now, act);
        let numbers: Vec<EndpointNo> = chosen.iter().map(|it| it.no).collect();
        let made = self.store().replay(no, id, &numbers, now, entry).await;
        // Whatever was answered: the answer may be lost, and the deliveries due.
        for endpoint in numbers {
            self.engine().requeued(no, endpoint).await;
        }
        let made = made?;
        if made.is_empty() {
            return Err(NONE);
        }
        let mut deliveries = Vec::with_capacity(made.len());
        for id in made {
            deliveries.push(self.load_delivery(no, id).await?);
        }
        Ok(deliveries)
    }
}

impl App {
    /// Delivers again what one delivery of an endpoint brought: the same event, as a fresh delivery.
    pub async fn replay_delivery(
        &self,
        caller: &Caller,
        tenant: &str,
        endpoint: &str,
        delivery: &str,
    ) -> Result<Delivery, AppError> {
        const NONE: AppError = AppError::NotFound { what: "delivery" };
        let no = self.tenant_for(caller, tenant, Power::Replay).await?;
        let endpoint_id: EndpointId = path_id(endpoint, "endpoint")?;
        let kept = self.is_or_was(caller, no, endpoint_id).await?;
        let old = self.seen_delivery(caller, no, delivery_id(delivery)?).await?;
        if old.endpoint != endpoint_id {
            return Err(NONE);
        }
        takes_deliveries(kept.as_ref())?;
        let event = old.id.event().to_string();
        let fresh = self.replay(caller, tenant, &event, Some(vec![endpoint.to_owned()])).await?;
        fresh.into_iter().next().ok_or(NONE)
    }
}

fn wanting<'a>(all: &'a [Endpoint], event: &Event) -> Vec<&'a Endpoint> {
    let content = &event.content;
    let (event_type, scope) = (&content.event_type, content.scope.as_ref());
    let wants = |it: &&Endpoint| matching::gets(&it.settings, event_type, scope, content.source);
    let takes = |it: &&Endpoint| takes_deliveries(Some(it)).is_ok();
    all.iter().filter(takes).filter(wants).collect()
}

fn named<'a>(all: &'a [Endpoint], ids: &[String]) -> Result<Vec<&'a Endpoint>, AppError> {
    let mut checks = Checks::default();
    if ids.is_empty() {
        checks.wrong("/endpoints", "too_short", "name at least one endpoint, or leave it out");
    }
    if ids.len() > limit::PATTERNS_MAX {
        let most = limit::PATTERNS_MAX;
        checks.wrong("/endpoints", "too_many", format!("use {most} endpoints at most"));
    }
    let mut chosen = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, text) in ids.iter().enumerate().take(limit::PATTERNS_MAX) {
        let pointer = format!("/endpoints/{at}");
        let Some(id): Option<EndpointId> = checks.parse(&pointer, "bad_id", Some(text)) else {
            continue;
        };
        match all.iter().find(|it| it.id == id) {
            None => checks.wrong(pointer, "not_found", "there is no such endpoint"),
            Some(endpoint) if seen.insert(id) => chosen.push(endpoint),
            Some(_) => {}
        }
    }
    checks.done()?;
    chosen.iter().try_for_each(|it| takes_deliveries(Some(it)))?;
    Ok(chosen)
}
