//! The shared store: can it be reached and written to, is it up to date, do the keys fit, do the clocks agree.

use std::time::Duration;

use hookyard_domain::node::NodeStatus;
use hookyard_domain::time::{Clock as _, Timestamp};

use super::place::{EPOCH, operator_key};
use super::{Check, health};
use crate::clock::SystemClock;
use crate::compose::shared::{self, Report};
use crate::config::settings::Database;
use crate::secrets::{self, Given, Master};

/// The oldest server that Hookyard is tested with, as PostgreSQL numbers them.
const SERVER_MIN: u32 = 150_000;
/// How far the clocks may be apart before it is worth a word: events of several nodes are ordered by theirs.
const CLOCKS_APART: Duration = Duration::from_millis(500);

/// The checks, in the order they build on each other.
pub async fn checks(database: &Database, given: Given) -> Vec<Check> {
    let before = SystemClock.now();
    let report = match shared::look(database).await {
        Ok(report) => report,
        Err(error) => return vec![Check::fail("database", format!("{error:#}"))],
    };
    let mut checks = vec![server(&report)];
    let known = shared::schema_version_known();
    let (schema, usable) = schema(report.schema, known);
    checks.push(schema);
    checks.push(clock(report.now, (before, SystemClock.now())));
    if !usable {
        return checks;
    }
    let (master, operator) = given.apart();
    match shared::visit(database).await {
        Ok(store) => {
            checks.push(operator_key(&operator, &*store).await);
            checks.push(master_key(master, &*store).await);
            checks.push(nodes(&*store, database.lease).await);
        }
        Err(error) => checks.push(Check::fail("store", format!("{error:#}"))),
    }
    checks.extend(health::checks(database, report.now).await);
    checks
}

fn server(report: &Report) -> Check {
    const WHAT: &str = "database";
    let said = format!("PostgreSQL {}", report.server);
    if !report.is_writable {
        return Check::fail(
            WHAT,
            format!(
                "{said}, a standby or read only: name every host and add `target_session_attrs=read-write`"
            ),
        );
    }
    if report.server_no < SERVER_MIN {
        return Check::warn(WHAT, format!("{said}; 15 or newer is what Hookyard is tested with"));
    }
    Check::ok(WHAT, format!("{said}, can be written to"))
}

/// What is to be said of the schema, and whether the store can be read by this binary.
fn schema(found: u32, known: u32) -> (Check, bool) {
    const WHAT: &str = "store";
    match found {
        0 => (Check::ok(WHAT, "none yet; the first start makes it"), false),
        _ if found < known => {
            let said = format!(
                "has schema version {found}; the next start, or `hookyard migrate`, brings it to {known}"
            );
            (Check::warn(WHAT, said), false)
        }
        _ if found > known => {
            let said =
                format!("has schema version {found}, this binary knows {known}; use a newer one");
            (Check::fail(WHAT, said), false)
        }
        _ => (Check::ok(WHAT, format!("schema version {found}")), true),
    }
}

/// The database's time lies between two looks at ours, or the clocks differ.
fn clock(theirs: Timestamp, (before, after): (Timestamp, Timestamp)) -> Check {
    const WHAT: &str = "clock";
    if after < EPOCH {
        return Check::fail(WHAT, format!("says {after}, which is long past; set it"));
    }
    let apart = before.since(theirs).max(theirs.since(after));
    if apart > CLOCKS_APART {
        return Check::warn(
            WHAT,
            format!("says {after}, the database's says {theirs}; set both by NTP"),
        );
    }
    Check::ok(WHAT, format!("says {after}, as the database's does"))
}

async fn master_key(given: Master, store: &dyn hookyard_store::Store) -> Check {
    const WHAT: &str = "master key";
    let Some(keyring) = given.given() else {
        return Check::fail(WHAT, "HOOKYARD_MASTER_KEY is not set; every node needs the same one");
    };
    match secrets::fit(store, &keyring, u64::MAX).await {
        Ok(tried) => Check::ok(WHAT, format!("opens the secrets of the store ({tried} endpoints)")),
        Err(error) => Check::fail(WHAT, format!("{error:#}")),
    }
}

/// Who serves, and who is missed.
async fn nodes(store: &dyn hookyard_store::Store, lease: Duration) -> Check {
    const WHAT: &str = "nodes";
    let nodes = match store.nodes().await {
        Ok(nodes) => nodes,
        Err(error) => return Check::fail(WHAT, format!("{:#}", anyhow::Error::from(error))),
    };
    let mut serving = Vec::new();
    let mut missed = Vec::new();
    for node in nodes {
        let name = node.name.unwrap_or_default();
        match node.status {
            NodeStatus::Serving if node.silent_for <= lease => serving.push(name),
            // Nobody was there to take over from it yet, or somebody is at it.
            NodeStatus::Serving | NodeStatus::Left | NodeStatus::Lost => missed.push(name),
            NodeStatus::Gone => {}
        }
    }
    let list = |names: &[String]| match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    };
    let said = format!("serving: {}", list(&serving));
    match (missed.is_empty(), serving.is_empty()) {
        (true, _) => Check::ok(WHAT, said),
        (false, true) => Check::ok(
            WHAT,
            format!(
                "{said}; stopped, with what they owe left to the next start: {}",
                list(&missed)
            ),
        ),
        (false, false) => Check::warn(
            WHAT,
            format!("{said}; not there, and not taken over whole yet: {}", list(&missed)),
        ),
    }
}
