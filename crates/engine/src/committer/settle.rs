//! What a receipt means: for the publisher who waits for it, and for the lanes.

use std::sync::Arc;

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::event::Event;
use hookyard_domain::id::{EventKey, TargetNo};
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;
use hookyard_store::Store;
use hookyard_store::ledger::{Accept, Receipt, Target};

use super::Settled;
use crate::lanes::Given;

/// What goes on to the lanes.
#[derive(Default)]
pub(super) struct Offers {
    pub(super) all: Vec<(Arc<Event>, TargetNo, EndpointNo)>,
    /// What had its row at once: the lane is to look, or to pass it.
    pub(super) given: Vec<Given>,
}

pub(super) fn settle(
    store: &dyn Store,
    accept: Accept,
    receipt: Receipt,
    now: Timestamp,
    offers: &mut Offers,
) -> Settled {
    let deliveries = u32::try_from(accept.targets.len()).unwrap_or(u32::MAX);
    match receipt {
        Receipt::Stale => return Settled::Stale(Box::new(accept)),
        Receipt::Accepted { id } if accept.sent_by_publisher.is_some() => {
            let sent = |target: &Target| passed(accept.tenant, target.endpoint, id.key());
            offers.given.extend(accept.targets.iter().map(sent));
        }
        Receipt::Accepted { id } if deliveries > 0 => {
            let event = Arc::new(Event {
                id,
                tenant: accept.tenant,
                accepted_at: now,
                content: accept.content,
            });
            for (no, target) in (0..).zip(&accept.targets) {
                let endpoint = target.endpoint;
                let alone = match accept.singles.contains(&endpoint) {
                    true => store.sends_alone(endpoint),
                    false => None,
                };
                match alone {
                    _ if target.discarded.is_some() => {
                        offers.given.push(passed(event.tenant, endpoint, id.key()));
                    }
                    None => offers.all.push((Arc::clone(&event), TargetNo(no), endpoint)),
                    Some(mine) => offers.given.push(Given {
                        tenant: event.tenant,
                        endpoint,
                        key: id.key(),
                        mine,
                    }),
                }
            }
        }
        Receipt::Accepted { .. }
        | Receipt::Duplicate { .. }
        | Receipt::KeyReused
        | Receipt::NoTenant => {}
    }
    Settled::Done { receipt, deliveries }
}

/// What has its row and is not for the lane to send.
fn passed(tenant: TenantNo, endpoint: EndpointNo, key: EventKey) -> Given {
    Given { tenant, endpoint, key, mine: false }
}
