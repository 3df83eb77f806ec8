//! The nodes: processes that serve from one store, each under a name of its own.
//!
//! What a node accepted is its own to deliver, and so are the retries it recorded or was asked for. When it has left, or
//! shows no sign of life, the others take that over piece by piece; whatever it tells afterwards is refused with
//! [`crate::StoreError::Fenced`]. A store that one process has for itself has one node, which nobody takes over.

use std::time::Duration;

use hookyard_domain::endpoint::EndpointNo;
use hookyard_domain::id::DeliveryId;
use hookyard_domain::node::Node;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Timestamp;

use crate::Answer;

/// What was taken over at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TakenOver {
    /// Nodes that were found silent now, and fenced off.
    pub lost: u32,
    /// Deliveries that have another owner now.
    pub deliveries: u64,
    /// Endpoints of those that are this node's to send to now.
    pub lanes: Vec<(TenantNo, EndpointNo)>,
    /// There is more to be taken.
    pub more: bool,
}

/// A tenant of which something was changed: its configuration, or its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub tenant: TenantNo,
    /// The version of its configuration.
    pub version: u64,
    /// When, by the store's own clock.
    pub at: Timestamp,
}

/// A hint of what happened on another node. It may be lost: whoever needs to know looks as well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Something of a tenant was changed.
    Moved(Moved),
    /// This node has something to send to an endpoint.
    Due {
        /// Whose.
        tenant: TenantNo,
        /// Which.
        endpoint: EndpointNo,
    },
    /// A delivery was cancelled.
    Cancelled {
        /// Where it would have gone.
        endpoint: EndpointNo,
        /// Which.
        delivery: DeliveryId,
    },
    /// A node left, and can be taken over.
    Nodes,
    /// Hints may have been lost.
    Lagged,
}

/// The nodes.
pub trait Nodes {
    /// Shows that this node is there; answers how many have shown so within `silent`.
    fn beat(&self, silent: Duration) -> Answer<'_, u32>;
    /// Takes a piece of what other nodes owe, those that have left and, if it is given, those that were silent for `silent`:
    /// about `limit` deliveries, each one's next attempt made by this node from then on, in its turn. What has no row gets
    /// one. No two nodes take the same.
    fn take_over(&self, silent: Option<Duration>, limit: u32) -> Answer<'_, TakenOver>;
    /// Comes back after others took over; false when another process has the node's name by now.
    fn rejoin(&self) -> Answer<'_, bool>;
    /// Leaves in good order: what is owed is the others' at once, and nothing is accepted from this process any more.
    fn leave(&self) -> Answer<'_, ()>;
    /// Waits for the next hint.
    fn next_signal(&self) -> Answer<'_, Signal>;
    /// Tenants that were changed within that time, by whatever node.
    fn moved(&self, within: Duration) -> Answer<'_, Vec<Moved>>;
    /// Whether this node is the one that alone sends to the endpoint, as of the last commit that named it among
    /// [`crate::ledger::Accept::singles`]. `None` where there is but one node: nothing is given to it then.
    fn sends_alone(&self, endpoint: EndpointNo) -> Option<bool>;
    /// Endpoints that this node alone sends to, of those that have something waiting for it.
    fn given(&self) -> Answer<'_, Vec<(TenantNo, EndpointNo)>>;
    /// All nodes, by their number; none where one process has the store for itself.
    fn nodes(&self) -> Answer<'_, Vec<Node>>;
}
