//! Which tenant a source belongs to, remembered: requests to sources that are not there ask the store once.

use std::sync::Arc;

use hookyard_domain::id::SourceId;
use hookyard_domain::profile::Profile;
use hookyard_domain::source::SourceStatus;
use hookyard_domain::tenant::TenantNo;
use hookyard_engine::{PreparedSource, Snapshot};
use hookyard_rules::inbound::Preset;

use super::{ReceiveDoor, ReceiveError};
use crate::App;
use crate::cache::Known;
use crate::publish::payload_bytes_max;
use crate::sources::preset_of;

/// Whose each source is. What is not there is remembered apart, so that strangers' guesses push nothing out.
pub(crate) struct Whereabouts {
    there: Known<SourceId, TenantNo>,
    nowhere: Known<SourceId, ()>,
}

/// A source that was found, in the configuration of this moment.
pub(super) struct Found {
    pub(super) id: SourceId,
    pub(super) tenant: TenantNo,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) source: Arc<PreparedSource>,
    pub(super) preset: &'static Preset,
}

impl Found {
    pub(super) fn payload_bytes_max(&self) -> u64 {
        payload_bytes_max(&self.snapshot.tenant)
    }
}

impl Whereabouts {
    /// Remembers at most `most` of each kind.
    pub(crate) fn new(most: usize) -> Self {
        Self { there: Known::new(most), nowhere: Known::new(most) }
    }

    /// The source was made or taken away.
    pub(crate) fn forget(&self, id: SourceId) {
        self.there.forget(|it, _| *it == id);
        self.nowhere.forget(|it, ()| *it == id);
    }

    /// Another node changed the tenant: sources may have been made, or taken away.
    pub(crate) fn moved(&self, no: TenantNo) {
        self.forget_tenant(no);
        self.nowhere.forget(|_, ()| true);
    }

    /// The tenant was taken away.
    pub(crate) fn forget_tenant(&self, no: TenantNo) {
        self.there.forget(|_, it| *it == no);
    }
}

impl App {
    /// The source of that id, if it is there at this door and takes anything.
    pub(super) async fn find(&self, door: ReceiveDoor, id: &str) -> Result<Found, ReceiveError> {
        let id: SourceId = id.parse().map_err(|_| ReceiveError::NotFound)?;
        let found = self.find_any(id).await?.ok_or(ReceiveError::NotFound)?;
        let settings = &found.source.source.settings;
        match door {
            ReceiveDoor::Native => {}
            ReceiveDoor::Alumia if settings.profile == Profile::Alumia => {}
            ReceiveDoor::Alumia => return Err(ReceiveError::NotFound),
        }
        match found.source.source.status {
            SourceStatus::Active | SourceStatus::Paused => Ok(found),
            SourceStatus::Disabled => Err(ReceiveError::Disabled),
        }
    }

    async fn find_any(&self, id: SourceId) -> Result<Option<Found>, ReceiveError> {
        let known = &self.0.sources;
        let asked = match known.there.get(&id) {
            Ok(tenant) => return self.found_in(tenant, id).await,
            Err(asked) => asked,
        };
        let asked_nowhere = match known.nowhere.get(&id) {
            Ok(()) => return Ok(None),
            Err(asked) => asked,
        };
        let Some(tenant) = self.store().source_tenant(id).await? else {
            known.nowhere.put(asked_nowhere, id, ());
            return Ok(None);
        };
        if self.found_in(tenant, id).await?.is_none() {
            // Another node made it, or this one could not read its configuration when it did.
            self.engine().config_changed(tenant).await;
        }
        known.there.put(asked, id, tenant);
        self.found_in(tenant, id).await
    }

    pub(super) async fn found_in(
        &self,
        tenant: TenantNo,
        id: SourceId,
    ) -> Result<Option<Found>, ReceiveError> {
        let Some(snapshot) = self.engine().snapshot(tenant).await? else { return Ok(None) };
        let Some(source) = snapshot.source(id).cloned() else { return Ok(None) };
        let preset = preset_of(&source.source.settings.provider);
        Ok(Some(Found { id, tenant, snapshot, source, preset }))
    }
}
