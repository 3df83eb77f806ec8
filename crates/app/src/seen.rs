//! What a caller who is limited to a scope sees of deliveries: those to endpoints of that scope, deleted ones included.

use std::collections::HashMap;

use hookyard_domain::delivery::Delivery;
use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::{DeliveryId, EndpointId};
use hookyard_domain::page::{Page, PageRequest};
use hookyard_domain::tenant::TenantNo;
use hookyard_store::history::DeliveryFilter;

use crate::{App, AppError, Caller};

/// Pages looked at for one page of what is seen: where little is, it ends early, with a cursor to go on from.
const PAGES_MAX: usize = 20;

/// What was found out of endpoints for one request.
#[derive(Debug, Default)]
pub(crate) struct Eyes(HashMap<EndpointNo, bool>);

impl App {
    /// Whether deliveries to an endpoint are there for the caller.
    pub(crate) async fn sees_endpoint(
        &self,
        caller: &Caller,
        no: TenantNo,
        id: EndpointId,
    ) -> Result<bool, AppError> {
        if caller.who.scope().is_none() {
            return Ok(true);
        }
        let found = self.store().endpoint_no(no, id).await?;
        Ok(found.is_some_and(|it| caller.sees_scope(it.scope.as_ref())))
    }

    /// A delivery that the caller sees.
    pub(crate) async fn seen_delivery(
        &self,
        caller: &Caller,
        no: TenantNo,
        id: DeliveryId,
    ) -> Result<Delivery, AppError> {
        let delivery = self.load_delivery(no, id).await?;
        if self.sees_endpoint(caller, no, delivery.endpoint).await? {
            return Ok(delivery);
        }
        Err(AppError::NotFound { what: "delivery" })
    }

    /// Those of some deliveries that the caller sees.
    pub(crate) async fn only_seen(
        &self,
        caller: &Caller,
        no: TenantNo,
        eyes: &mut Eyes,
        rows: Vec<Delivery>,
    ) -> Result<Vec<Delivery>, AppError> {
        if caller.who.scope().is_none() {
            return Ok(rows);
        }
        let mut seen = Vec::with_capacity(rows.len());
        for row in rows {
            let sees = match eyes.0.get(&row.endpoint_no) {
                Some(sees) => *sees,
                None => {
                    let sees = self.sees_endpoint(caller, no, row.endpoint).await?;
                    eyes.0.insert(row.endpoint_no, sees);
                    sees
                }
            };
            if sees {
                seen.push(row);
            }
        }
        Ok(seen)
    }

    /// A page of the deliveries the caller sees; the place it ends at is the store's own.
    pub(crate) async fn deliveries_seen(
        &self,
        caller: &Caller,
        no: TenantNo,
        filter: DeliveryFilter,
        wanted: PageRequest,
    ) -> Result<Page<Delivery>, AppError> {
        if caller.who.scope().is_none() {
            return Ok(self.store().deliveries(no, filter, wanted).await?);
        }
        let most = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        let mut eyes = Eyes::default();
        let mut all = Page { rows: Vec::new(), next: wanted.cursor };
        for _ in 0..PAGES_MAX {
            // Never more than are missing, so that the page ends where the last row looked at ends.
            let limit = u32::try_from(most.saturating_sub(all.rows.len())).unwrap_or(u32::MAX);
            let request = PageRequest { limit, cursor: all.next };
            let page = self.store().deliveries(no, filter.clone(), request).await?;
            all.next = page.next;
            all.rows.extend(self.only_seen(caller, no, &mut eyes, page.rows).await?);
            if all.next.is_none() || all.rows.len() >= most {
                break;
            }
        }
        Ok(all)
    }
}
