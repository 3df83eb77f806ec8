//! News: who reads a tenant's feed is told that there may be something new in it.
//!
//! A hint that saves time, never one to rely on: what other nodes write is not heard of here.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hookyard_domain::tenant::TenantNo;
use hookyard_store::ledger::Batch;
use tokio::sync::watch;

/// Whoever reads feeds on this node.
#[derive(Default)]
pub(crate) struct News(Mutex<HashMap<TenantNo, watch::Sender<()>>>);

impl News {
    fn lock(&self) -> MutexGuard<'_, HashMap<TenantNo, watch::Sender<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears of a tenant from now on.
    pub(crate) fn hear(&self, tenant: TenantNo) -> watch::Receiver<()> {
        let mut readers = self.lock();
        readers.retain(|_, told| told.receiver_count() > 0);
        readers.entry(tenant).or_default().subscribe()
    }

    /// Something was changed in a tenant.
    pub(crate) fn tell(&self, tenant: TenantNo) {
        if let Some(told) = self.lock().get(&tenant) {
            told.send_replace(());
        }
    }

    /// A batch is on disk.
    pub(crate) fn tell_of(&self, batch: &Batch) {
        let readers = self.lock();
        if readers.is_empty() {
            return;
        }
        let accepts = batch.accepts.iter().map(|it| it.tenant);
        let mut last = None;
        for tenant in accepts.chain(batch.records.iter().map(|it| it.tenant)) {
            // Most batches are of few tenants, one behind the other.
            if last.replace(tenant) != Some(tenant)
                && let Some(told) = readers.get(&tenant)
            {
                told.send_replace(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use hookyard_testkit::make;

    use super::*;

    const ONE: TenantNo = TenantNo(1);
    const TWO: TenantNo = TenantNo(2);

    #[test]
    fn only_readers_of_the_tenants_of_a_batch_are_told() {
        let news = News::default();
        let (mut one, mut two) = (news.hear(ONE), news.hear(TWO));
        let accepts = vec![make::accept(ONE, 1, &[])];
        news.tell_of(&Batch { accepts, ..Batch::default() });
        assert!(one.has_changed().unwrap() && !two.has_changed().unwrap());
        one.mark_unchanged();
        news.tell(TWO);
        assert!(!one.has_changed().unwrap() && two.has_changed().unwrap());
        two.mark_unchanged();
    }

    #[test]
    fn nothing_is_kept_of_tenants_that_nobody_reads() {
        let news = News::default();
        drop(news.hear(ONE));
        let _two = news.hear(TWO);
        assert_eq!(news.lock().keys().collect::<Vec<_>>(), [&TWO]);
    }
}
