//! The operations: one function each, named after what it does.

use serde_json::value::RawValue;

use super::call::{Call, File, Form, Kept, Relayed};
use super::following::Messages;
use crate::attempts::Attempt;
use crate::deliveries::Delivery;
use crate::endpoints::{
    Endpoint, EndpointPatch, NewEndpoint, RevealedSecret, RotateSecret, TestEndpoint, TestResult,
    VerifyResult,
};
use crate::event_types::{EventType, ImportCatalogue, Imported};
use crate::events::{Event, NewEvent, Published, Replay, Replayed};
use crate::jobs::{Job, RecoverEndpoint};
use crate::keys::{ApiKey, NewApiKey};
use crate::nodes::Node;
use crate::page::Page;
use crate::paths::{self, escaped};
use crate::providers::Provider;
use crate::sources::{NewSource, RotateSourceSecret, Source, SourcePatch};
use crate::tenants::{NewTenant, Tenant, TenantPatch};
use crate::whoami::Whoami;

/// A page whose rows keep their text.
pub type Rows<T> = Page<Kept<T>>;

fn tenant(id: &str) -> String {
    paths::tenant(&escaped(id))
}

fn all(of: &str, name: &str) -> String {
    paths::collection(&escaped(of), name)
}

fn one(of: &str, collection: &str, id: &str) -> String {
    paths::item(&escaped(of), collection, &escaped(id))
}

/// Makes a tenant.
pub fn create_tenant(new: Form<NewTenant>) -> Call<Tenant> {
    Call::post(format!("{}/tenants", paths::V1)).with(new)
}

/// Lists the tenants.
pub fn tenants() -> Call<Rows<Tenant>> {
    Call::get(format!("{}/tenants", paths::V1))
}

/// Reads a tenant.
pub fn get_tenant(id: &str) -> Call<Tenant> {
    Call::get(tenant(id))
}

/// Changes a tenant.
pub fn update_tenant(id: &str, patch: Form<TenantPatch>) -> Call<Tenant> {
    Call::patch(tenant(id)).with(patch)
}

/// Takes a tenant away.
pub fn delete_tenant(id: &str) -> Call<()> {
    Call::delete(tenant(id))
}

/// Lists the nodes.
pub fn nodes() -> Call<Rows<Node>> {
    Call::get(format!("{}/nodes", paths::V1))
}

/// Makes an API key.
pub fn create_key(of: &str, new: Form<NewApiKey>) -> Call<ApiKey> {
    Call::post(all(of, "api-keys")).with(new)
}

/// Lists a tenant's API keys.
pub fn keys(of: &str) -> Call<Rows<ApiKey>> {
    Call::get(all(of, "api-keys"))
}

/// Revokes an API key.
pub fn revoke_key(of: &str, id: &str) -> Call<()> {
    Call::delete(one(of, "api-keys", id))
}

/// Makes an endpoint.
pub fn create_endpoint(of: &str, new: Form<NewEndpoint>) -> Call<Endpoint> {
    Call::post(all(of, "endpoints")).with(new)
}

/// Lists a tenant's endpoints.
pub fn endpoints(of: &str) -> Call<Rows<Endpoint>> {
    Call::get(all(of, "endpoints"))
}

/// Reads an endpoint.
pub fn get_endpoint(of: &str, id: &str) -> Call<Endpoint> {
    Call::get(one(of, "endpoints", id))
}

/// Changes an endpoint.
pub fn update_endpoint(of: &str, id: &str, patch: Form<EndpointPatch>) -> Call<Endpoint> {
    Call::patch(one(of, "endpoints", id)).with(patch)
}

/// Takes an endpoint away.
pub fn delete_endpoint(of: &str, id: &str) -> Call<()> {
    Call::delete(one(of, "endpoints", id))
}

/// Switches an endpoint on.
pub fn enable_endpoint(of: &str, id: &str) -> Call<Endpoint> {
    Call::post(one(of, "endpoints", id) + "/enable")
}

/// Switches an endpoint off.
pub fn disable_endpoint(of: &str, id: &str) -> Call<Endpoint> {
    Call::post(one(of, "endpoints", id) + "/disable")
}

/// Challenges an endpoint.
pub fn verify_endpoint(of: &str, id: &str) -> Call<VerifyResult> {
    Call::post(one(of, "endpoints", id) + "/verify")
}

/// Sends an endpoint one request.
pub fn test_endpoint(of: &str, id: &str, test: Form<TestEndpoint>) -> Call<TestResult> {
    Call::post(one(of, "endpoints", id) + "/test").with(test)
}

/// Gives an endpoint another secret.
pub fn rotate_secret(of: &str, id: &str, how: Form<RotateSecret>) -> Call<Endpoint> {
    Call::post(one(of, "endpoints", id) + "/rotate-secret").with(how)
}

/// Makes failed deliveries of an endpoint due again.
pub fn recover_endpoint(of: &str, id: &str, what: Form<RecoverEndpoint>) -> Call<Job> {
    Call::post(one(of, "endpoints", id) + "/recover").with(what)
}

/// Lists a tenant's jobs.
pub fn jobs(of: &str) -> Call<Rows<Job>> {
    Call::get(all(of, "jobs"))
}

/// Reads a job.
pub fn get_job(of: &str, id: &str) -> Call<Job> {
    Call::get(one(of, "jobs", id))
}

/// Ends a job.
pub fn cancel_job(of: &str, id: &str) -> Call<Job> {
    Call::post(one(of, "jobs", id) + "/cancel")
}

/// Shows an endpoint's secret; it is written down who asked.
pub fn reveal_secret(of: &str, id: &str) -> Call<RevealedSecret> {
    Call::post(one(of, "endpoints", id) + "/reveal-secret")
}

/// Lists a tenant's deliveries.
pub fn deliveries(of: &str) -> Call<Rows<Delivery>> {
    Call::get(all(of, "deliveries"))
}

/// Every delivery as a file.
pub fn export_deliveries(of: &str) -> Call<File> {
    Call::get(all(of, "deliveries") + "/export")
}

/// Reads a delivery.
pub fn get_delivery(of: &str, id: &str) -> Call<Delivery> {
    Call::get(one(of, "deliveries", id))
}

/// Lists a delivery's attempts.
pub fn attempts(of: &str, id: &str) -> Call<Rows<Attempt>> {
    Call::get(one(of, "deliveries", id) + "/attempts")
}

/// Makes a source.
pub fn create_source(of: &str, new: Form<NewSource>) -> Call<Source> {
    Call::post(all(of, "sources")).with(new)
}

/// Lists a tenant's sources.
pub fn sources(of: &str) -> Call<Rows<Source>> {
    Call::get(all(of, "sources"))
}

/// Reads a source.
pub fn get_source(of: &str, id: &str) -> Call<Source> {
    Call::get(one(of, "sources", id))
}

/// Changes a source.
pub fn update_source(of: &str, id: &str, patch: Form<SourcePatch>) -> Call<Source> {
    Call::patch(one(of, "sources", id)).with(patch)
}

/// Takes a source away.
pub fn delete_source(of: &str, id: &str) -> Call<()> {
    Call::delete(one(of, "sources", id))
}

/// Gives a source another secret.
pub fn rotate_source_secret(of: &str, id: &str, how: Form<RotateSourceSecret>) -> Call<Source> {
    Call::post(one(of, "sources", id) + "/rotate-secret").with(how)
}

/// Publishes an event.
pub fn publish(of: &str, new: Form<NewEvent<'_>>) -> Call<Published> {
    Call::post(all(of, "events")).with(new)
}

/// Lists a tenant's events.
pub fn events(of: &str) -> Call<Rows<Event>> {
    Call::get(all(of, "events"))
}

/// Reads an event.
pub fn get_event(of: &str, id: &str) -> Call<Event> {
    Call::get(one(of, "events", id))
}

/// Sends an event once more.
pub fn replay(of: &str, id: &str, whom: Form<Replay>) -> Call<Replayed> {
    Call::post(one(of, "events", id) + "/replay").with(whom)
}

/// Follows what happens in a tenant.
pub fn stream(of: &str) -> Call<Messages> {
    Call::get(all(of, "stream"))
}

/// Lists a tenant's event types.
pub fn event_types(of: &str) -> Call<Rows<EventType>> {
    Call::get(all(of, "event-types"))
}

/// Loads a built-in catalogue of event types.
pub fn import_catalogue(of: &str, name: Form<ImportCatalogue>) -> Call<Imported> {
    Call::post(all(of, "event-types") + "/import").with(name)
}

/// Loads the event types of a document.
pub fn import_document(of: &str, document: &RawValue) -> Call<Imported> {
    Call::post(all(of, "event-types") + "/import").with_json(document)
}

/// Lists the providers; any good key may.
pub fn providers() -> Call<Rows<Provider>> {
    Call::get(format!("{}/providers", paths::V1))
}

/// A message to the server's tools for agents. `tenant` is whose things are meant where the key does not say.
pub fn mcp(message: &RawValue, tenant: Option<&str>) -> Call<Relayed> {
    Call::post("/mcp".to_owned()).with_json(message).query("tenant", tenant)
}

/// Says whose key it is; any good key may.
pub fn whoami() -> Call<Whoami> {
    Call::get(format!("{}/whoami", paths::V1))
}
