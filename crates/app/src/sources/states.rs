//! Switching a source on and off, holding it and letting it go.

use hookyard_domain::id::SourceId;
use hookyard_domain::key::KeyScope;
use hookyard_domain::source::SourceStatus;

use super::SourceDetails;
use super::change::{Change, Changed};
use crate::checks::path_id;
use crate::{App, AppError, Caller};

impl App {
    /// Switches a source on. One that is held stays held.
    pub async fn enable_source(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<SourceDetails, AppError> {
        self.switch_source(caller, tenant, (id, "source.enabled"), |old| {
            Ok(match old {
                SourceStatus::Active | SourceStatus::Disabled => SourceStatus::Active,
                SourceStatus::Paused => SourceStatus::Paused,
            })
        })
        .await
    }

    /// Switches a source off: it refuses every request.
    pub async fn disable_source(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<SourceDetails, AppError> {
        let to = |_| Ok(SourceStatus::Disabled);
        self.switch_source(caller, tenant, (id, "source.disabled"), to).await
    }

    /// Holds a source: what it receives is recorded, and passed on when it is resumed.
    pub async fn pause_source(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<SourceDetails, AppError> {
        let to = |old| unless_off(old, SourceStatus::Paused);
        self.switch_source(caller, tenant, (id, "source.paused"), to).await
    }

    /// Lets a held source go: what it recorded meanwhile is passed on, in order.
    pub async fn resume_source(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<SourceDetails, AppError> {
        let to = |old| unless_off(old, SourceStatus::Active);
        self.switch_source(caller, tenant, (id, "source.resumed"), to).await
    }

    async fn switch_source(
        &self,
        caller: &Caller,
        tenant: &str,
        (id, action): (&str, &'static str),
        to: impl Fn(SourceStatus) -> Result<SourceStatus, AppError> + Send + Sync,
    ) -> Result<SourceDetails, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Write).await?;
        let id: SourceId = path_id(id, "source")?;
        let change = Change { caller, tenant: no, id, action };
        let source = self
            .alter_source(change, |old, now| {
                let mut new = Changed::of(old, now);
                new.set_status(to(old.source.status)?);
                Ok(new)
            })
            .await?;
        self.source_details(source).await
    }
}

fn unless_off(old: SourceStatus, to: SourceStatus) -> Result<SourceStatus, AppError> {
    match old {
        SourceStatus::Active | SourceStatus::Paused => Ok(to),
        SourceStatus::Disabled => {
            Err(AppError::conflict("source_disabled", "the source is disabled; enable it first"))
        }
    }
}
