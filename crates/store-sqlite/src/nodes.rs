//! The one node there is: the process that has the folder.

use std::time::Duration;

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::node::Node;
use hookyard_domain::tenant::TenantNo;
use hookyard_store::Answer;
use hookyard_store::nodes::{Moved, Nodes, Signal, TakenOver};

use crate::SqliteStore;

impl Nodes for SqliteStore {
    fn beat(&self, _: Duration) -> Answer<'_, u32> {
        Box::pin(async { Ok(1) })
    }

    fn take_over(&self, _: Option<Duration>, _: u32) -> Answer<'_, TakenOver> {
        Box::pin(async { Ok(TakenOver::default()) })
    }

    fn rejoin(&self) -> Answer<'_, bool> {
        Box::pin(async { Ok(true) })
    }

    fn leave(&self) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }

    fn next_signal(&self) -> Answer<'_, Signal> {
        Box::pin(std::future::pending())
    }

    fn moved(&self, _: Duration) -> Answer<'_, Vec<Moved>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn sends_alone(&self, _: EndpointNo) -> Option<bool> {
        None
    }

    fn given(&self) -> Answer<'_, Vec<(TenantNo, EndpointNo)>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// It has no name, and nobody else to tell it from.
    fn nodes(&self) -> Answer<'_, Vec<Node>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}
