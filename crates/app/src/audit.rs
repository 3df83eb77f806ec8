//! The audit log: who did what. Entries are made here, and written by the store together with the change itself.

use std::time::Duration;

use hookyard_domain::audit::AuditEntry;
use hookyard_domain::endpoint::Endpoint;
use hookyard_domain::event_type::CatalogueEntry;
use hookyard_domain::key::{Key, KeyScope};
use hookyard_domain::page::Page;
use hookyard_domain::retry::{AutoDisable, RetryPolicy};
use hookyard_domain::source::Source;
use hookyard_domain::tenant::Tenant;
use hookyard_domain::time::Timestamp;
use hookyard_rules::redact;
use serde_json::{Map, Value, json};

use crate::checks::Checks;
use crate::pages::PageQuery;
use crate::{App, AppError, Caller};

/// What an entry tells, apart from who and when.
#[derive(Default)]
pub(crate) struct Act<'a> {
    pub(crate) action: &'static str,
    pub(crate) subject: &'a str,
    pub(crate) before: Option<Value>,
    pub(crate) after: Option<Value>,
}

impl App {
    /// A tenant's audit log, newest first.
    pub async fn audit(
        &self,
        caller: &Caller,
        tenant: &str,
        page: PageQuery,
    ) -> Result<Page<AuditEntry>, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Admin).await?;
        let mut checks = Checks::default();
        let page = page.check(&mut checks);
        checks.done()?;
        Ok(self.store().audit(no, page).await?)
    }

    pub(crate) fn entry(&self, caller: &Caller, now: Timestamp, act: Act<'_>) -> AuditEntry {
        AuditEntry {
            id: self.fresh_id(now),
            at: now,
            actor: caller.actor(),
            origin: caller.origin.clone(),
            action: act.action.into(),
            subject: act.subject.into(),
            before: act.before.map(|it| it.to_string()),
            after: act.after.map(|it| it.to_string()),
        }
    }
}

pub(crate) fn tenant(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id,
        "name": tenant.name,
        "profile": tenant.profile,
        "limits": tenant.limits,
        "retention_days": tenant.retention_days,
    })
}

pub(crate) fn key(key: &Key) -> Value {
    json!({
        "id": key.id.to_string(),
        "name": key.name,
        "scopes": key.scopes,
        "hint": key.hint,
        "expires_at": key.expires_at.map(|it| it.to_string()),
    })
}

pub(crate) fn event_type(entry: &CatalogueEntry) -> Value {
    json!({
        "name": entry.name,
        "description": entry.description,
        "group": entry.group,
        "has_schema": entry.schema.is_some(),
        "has_sample": entry.sample.is_some(),
        "deprecated": entry.deprecated,
    })
}

/// A span as the API shows it: seconds, with a fraction only where there is one.
fn seconds(ms: u64) -> Value {
    if ms.is_multiple_of(1000) {
        json!(ms / 1000)
    } else {
        json!(Duration::from_millis(ms).as_secs_f64())
    }
}

fn retry(policy: &RetryPolicy) -> Value {
    let delays: Vec<_> = policy.delays_ms.iter().map(|it| seconds(*it)).collect();
    json!({ "delays_s": delays, "jitter": policy.jitter })
}

fn auto_disable(when: &AutoDisable) -> Value {
    match when {
        AutoDisable::Never => json!(false),
        AutoDisable::AfterEvents(events) => json!({ "after_events": events }),
        AutoDisable::AfterSeconds(s) => json!({ "after_s": s }),
    }
}

/// Header names; what they hold is for nobody's eyes.
fn masked(names: &[String]) -> Value {
    names.iter().map(|it| (it.clone(), json!(redact::REDACTED))).collect::<Map<_, _>>().into()
}

/// An endpoint in the API's words without its secrets; its headers masked, `None` when they cannot be opened.
pub(crate) fn endpoint(endpoint: &Endpoint, headers: Option<&[String]>) -> Value {
    let settings = &endpoint.settings;
    json!({
        "id": endpoint.id.to_string(),
        "url": settings.url,
        "events": settings.events,
        "name": settings.name,
        "description": settings.description,
        "scope": settings.scope,
        "profile": settings.profile,
        "headers": headers.map(masked),
        "retry": settings.retry.as_ref().map(retry),
        "timeout_s": settings.timeout_s,
        "rate_limit": settings.rate_limit,
        "ordered": settings.ordered,
        "max_in_flight": settings.max_in_flight,
        "include_previous_attributes": settings.include_previous_attributes,
        "auto_disable": settings.auto_disable.as_ref().map(auto_disable),
        "verify": settings.verify,
        "metadata": settings.metadata.as_deref().and_then(|it| serde_json::from_str::<Value>(it).ok()),
        "status": endpoint.status,
        "disabled_reason": endpoint.disabled_reason,
    })
}

/// A source without its secrets: whether there are any is all that is told.
pub(crate) fn source(source: &Source, forward: Option<&Endpoint>) -> Value {
    let settings = &source.settings;
    json!({
        "id": source.id.to_string(),
        "name": settings.name,
        "provider": settings.provider,
        "profile": settings.profile,
        "scope": settings.scope,
        "public_url": settings.public_url,
        "events": settings.events,
        "description": settings.description,
        "metadata": settings.metadata.as_deref().and_then(|it| serde_json::from_str::<Value>(it).ok()),
        "has_secret": source.secrets.current.is_some(),
        "has_verify_token": source.verify_token.is_some(),
        "status": source.status,
        "forward_url": forward.map(|it| &it.settings.url),
    })
}
