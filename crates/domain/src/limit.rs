//! Every limit of the product, named, with its unit and its reason.

use std::time::Duration;

/// Rows of a page when none are asked for (contract §3).
pub const PAGE_DEFAULT: u32 = 50;
/// Rows of a page at most (contract §3).
pub const PAGE_MAX: u32 = 250;
/// Bytes of one event's `data` unless the tenant's limits say otherwise (contract §3).
pub const PAYLOAD_BYTES_DEFAULT: u64 = 1024 * 1024;
/// Bytes of one event's `data` that no tenant's limit may pass: a payload is held in memory whole.
pub const PAYLOAD_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Bytes around an event's `data` in a publish request: type, ids, headers.
pub const PUBLISH_OVERHEAD_BYTES: u64 = 64 * 1024;
/// Events in one batch (contract §3).
pub const BATCH_EVENTS_MAX: usize = 1000;
/// Bytes of one batch request.
pub const BATCH_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Bytes of any other request body.
pub const BODY_BYTES_MAX: u64 = 1024 * 1024;
/// Bytes of one message of the Model Context Protocol: an agent writes kilobytes; larger payloads go to the native API.
pub const MCP_BODY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Nesting of a JSON body that is still read; deeper is refused before it can use up the stack.
pub const JSON_DEPTH_MAX: usize = 64;
/// Bytes of a receiver's answer that are read (contract §4).
pub const RESPONSE_READ_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a receiver's answer that are kept (contract §3).
pub const RESPONSE_KEPT_BYTES_MAX: usize = 4 * 1024;
/// Bytes of a receiver's header block that are read.
pub const RESPONSE_HEAD_BYTES_MAX: usize = 32 * 1024;
/// Characters of an endpoint's URL (vendors.md §2.8: 1 to 2048).
pub const URL_CHARS_MAX: usize = 2048;
/// Characters of a name.
pub const NAME_CHARS_MAX: usize = 120;
/// Characters of a description (contract §4).
pub const DESCRIPTION_CHARS_MAX: usize = 2000;
/// Characters of an event type.
pub const EVENT_TYPE_CHARS_MAX: usize = 128;
/// Patterns in an endpoint's `events`.
pub const PATTERNS_MAX: usize = 500;
/// Characters of a scope.
pub const SCOPE_CHARS_MAX: usize = 128;
/// Characters of a publisher's own event id, and of an idempotency key.
pub const PUBLISHER_ID_CHARS_MAX: usize = 255;
/// Sources of one tenant: each stands in every node's memory.
pub const SOURCES_MAX: u32 = 10_000;
/// Characters of a source's provider, or of the label in its place (contract §4).
pub const PROVIDER_CHARS_MAX: usize = 100;
/// Bytes of all headers that are kept of a received request.
pub const RECEIVED_HEADERS_BYTES_MAX: usize = 16 * 1024;
/// Custom headers of an endpoint or an event. Any number is allowed (vendors.md ARY-DEL-5) that a receiver could take:
/// most servers refuse far fewer.
pub const HEADERS_MAX: usize = 500;
/// Bytes of one custom header's name: servers refuse longer ones.
pub const HEADER_NAME_BYTES_MAX: usize = 256;
/// Bytes of one custom header's value.
pub const HEADER_VALUE_BYTES_MAX: usize = 4096;
/// Bytes of an endpoint's `metadata`.
pub const METADATA_BYTES_MAX: usize = 16 * 1024;
/// Endpoints of a tenant that has no limit of its own.
pub const ENDPOINTS_DEFAULT: u32 = 10_000;
/// Endpoints of one scope that a link to the portal may fill up to.
pub const ENDPOINTS_BY_PORTAL_MAX: u32 = 100;
/// Bytes of an event type's `schema` and `sample` each.
pub const SCHEMA_BYTES_MAX: usize = 256 * 1024;
/// Retries in a policy.
pub const RETRIES_MAX: usize = 100;
/// The shortest delay before a retry: retries go by way of the store.
pub const RETRY_DELAY_MIN: Duration = Duration::from_secs(1);
/// The longest delay before a retry.
pub const RETRY_DELAY_MAX: Duration = Duration::from_secs(7 * 24 * 3600);
/// The furthest a receiver's `Retry-After` may push an attempt (contract §4).
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3600);
/// The longest time one attempt may take.
pub const TIMEOUT_S_MAX: u32 = 120;
/// The longest time a handshake may take (vendors.md ALV-VER-2).
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(3);
/// Attempts at once to one endpoint, unless it says otherwise.
pub const IN_FLIGHT_PER_ENDPOINT_DEFAULT: u32 = 64;
/// Attempts at once to one endpoint at most.
pub const IN_FLIGHT_PER_ENDPOINT_MAX: u32 = 1000;
/// The longest overlap of two secrets.
pub const OVERLAP_MAX: Duration = Duration::from_secs(7 * 24 * 3600);
/// The shortest secret that is accepted where the profile does not ask for more.
pub const SECRET_CHARS_MIN: usize = 1;
/// The longest secret that is accepted.
pub const SECRET_CHARS_MAX: usize = 512;
/// Days that events, deliveries and attempts are kept, unless the tenant says otherwise (contract §3).
pub const RETENTION_DAYS_DEFAULT: u32 = 30;
/// Days that anything may be kept: ten years.
pub const RETENTION_DAYS_MAX: u32 = 3650;
/// How long an `Idempotency-Key` is remembered (contract §3).
pub const IDEMPOTENCY_KEPT: Duration = Duration::from_secs(24 * 3600);
/// Characters of the operator's key at least (contract §1).
pub const OPERATOR_KEY_CHARS_MIN: usize = 20;
/// How long a browser stays signed in.
pub const SESSION: Duration = Duration::from_secs(24 * 3600);
/// Seconds of a portal session unless its maker says otherwise.
pub const PORTAL_S_DEFAULT: u32 = 3600;
/// Seconds of a portal session at least: shorter is over before it is looked at.
pub const PORTAL_S_MIN: u32 = 60;
/// Seconds of a portal session at most: its link may lie about anywhere.
pub const PORTAL_S_MAX: u32 = 24 * 3600;
/// Minutes are counted apart for so long: longer than the shortest range looks back.
pub const MINUTES_KEPT: Duration = Duration::from_secs(2 * 3600);
/// Five minutes are counted apart for so long: longer than the ranges that show them look back.
pub const FIVE_MINUTES_KEPT: Duration = Duration::from_secs(25 * 3600);
/// Hours are counted apart for so long: longer than the longest range looks back.
pub const HOURS_KEPT: Duration = Duration::from_secs(32 * 24 * 3600);
/// Deliveries that a backlog is counted up to: who has more needs no exact number.
pub const BACKLOG_COUNTED_MAX: u32 = 10_000;
/// Failing endpoints an overview names.
pub const FAILING_SHOWN_MAX: usize = 20;
/// How long it is kept which attempts ended when: so far back a stream can be read on from.
pub const FEED_KEPT: Duration = Duration::from_secs(24 * 3600);
/// Streams open at once on a node: each holds a connection and a page of the feed.
pub const STREAMS_MAX: u32 = 256;
/// Streams of one tenant open at once on a node.
pub const STREAMS_PER_TENANT_MAX: u32 = 32;
/// Those of them that one key, or one link to the portal, may have.
pub const STREAMS_PER_READER_MAX: u32 = 8;
/// Bytes of the text that says where a stream stands: it comes back in a header.
pub const STREAM_ID_BYTES_MAX: usize = 4096;
/// Things that a stream reads at once.
pub const STREAM_PAGE_MAX: u32 = 256;
/// Bytes of payload after which a stream reads no more at once.
pub const STREAM_PAGE_BYTES_MAX: u64 = 256 * 1024;
/// Bytes of a payload that a stream carries; a larger one is left out, and named so.
pub const STREAM_PAYLOAD_BYTES_MAX: usize = 1024 * 1024;
/// Jobs of one tenant that run at once.
pub const JOBS_RUNNING_MAX: u32 = 20;
/// Deliveries a second that a job makes due, unless it says otherwise: what a lane takes in without effort.
pub const JOB_RATE_DEFAULT: u32 = 1_000;
/// Deliveries a second that a job makes due at most.
pub const JOB_RATE_MAX: u32 = 10_000;
/// How long jobs that ended are kept.
pub const JOBS_KEPT: Duration = Duration::from_secs(30 * 24 * 3600);
