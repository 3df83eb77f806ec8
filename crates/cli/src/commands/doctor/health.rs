//! A database that is served from: what is late, its partitions and standbys, and what whoever looks after it
//! should change.

use std::time::Duration;

use hookyard_domain::time::Timestamp;

use super::Check;
use crate::compose::shared::{self, Health};
use crate::config::settings::Database;

/// Statements over history lock a table for each day that is kept, and its indexes.
const LOCKS_MIN: i64 = 256;
/// Connections of a node beside those that are set: one that commits, one for its signs of life, one that listens.
const CONNECTIONS_MORE: i64 = 3;
/// What is due for longer than this waits for something: a paused or failing endpoint, or too little of everything.
const LATE: Duration = Duration::from_secs(300);
/// A standby that is further behind would take noticeably long to take over.
const LAG_MAX: i64 = 64 * 1024 * 1024;
const MIB: i64 = 1024 * 1024;

/// The checks; `now` is the database's own time.
pub async fn checks(database: &Database, now: Timestamp) -> Vec<Check> {
    let health = match shared::health(database).await {
        Ok(health) => health,
        Err(error) => return vec![Check::fail("database settings", format!("{error:#}"))],
    };
    vec![due(&health, now), partitions(&health), standbys(&health), settings(&health, database)]
}

fn due(health: &Health, now: Timestamp) -> Check {
    const WHAT: &str = "oldest due delivery";
    let Some(since) = health.oldest_due.filter(|since| *since <= now) else {
        return Check::ok(WHAT, "none");
    };
    let late = now.since(since);
    let said = format!("due for {} s", late.as_secs());
    match late > LATE {
        true => Check::warn(
            WHAT,
            format!("{said}: an endpoint is paused or failing, or the nodes do not keep up"),
        ),
        false => Check::ok(WHAT, said),
    }
}

fn partitions(health: &Health) -> Check {
    const WHAT: &str = "partitions";
    let days = health.days;
    let said = format!(
        "{} in each table, made {} days ahead; {} MiB in all",
        days.spans,
        days.ahead,
        health.bytes / MIB
    );
    if days.ahead < 1 {
        let said = format!("{said}; a node makes them in idle moments, and none did");
        return Check::warn(WHAT, said);
    }
    if days.unmade > 0 {
        let said = format!(
            "{said}; {} days have none, since events were there before them: they are pruned one by one",
            days.unmade
        );
        return Check::warn(WHAT, said);
    }
    Check::ok(WHAT, said)
}

fn standbys(health: &Health) -> Check {
    const WHAT: &str = "standbys";
    let all: Vec<String> = health
        .standbys
        .iter()
        .map(|it| {
            let kind = if it.is_synchronous { "synchronous" } else { "asynchronous" };
            format!("{} ({kind}, {} KiB behind)", it.name, it.lag_bytes / 1024)
        })
        .collect();
    let said = if all.is_empty() { "none".to_owned() } else { all.join(", ") };
    let confirmed = health.standbys.iter().any(|it| it.is_synchronous);
    if health.waits_for_standbys && !confirmed {
        return Check::fail(
            WHAT,
            format!("{said}; `synchronous_standby_names` waits for one: nothing can be committed"),
        );
    }
    if all.is_empty() {
        let said = "none that this user can see; when this server is lost, so is what it holds";
        return Check::warn(WHAT, said);
    }
    if !confirmed {
        return Check::warn(
            WHAT,
            format!(
                "{said}; a fail-over may lose events that were acknowledged: set `synchronous_standby_names`"
            ),
        );
    }
    if health.standbys.iter().any(|it| it.is_synchronous && it.lag_bytes > LAG_MAX) {
        return Check::warn(WHAT, format!("{said}: far behind"));
    }
    Check::ok(WHAT, said)
}

fn settings(health: &Health, database: &Database) -> Check {
    const WHAT: &str = "database settings";
    if health.off.iter().any(|it| it == "fsync") {
        return Check::fail(WHAT, "`fsync` is off: a crash may destroy everything; switch it on");
    }
    let mut advice = Vec::new();
    for name in &health.off {
        advice.push(match name.as_str() {
            "synchronous_commit" => {
                "switch `synchronous_commit` on: what was acknowledged may be lost".to_owned()
            }
            other => format!("switch `{other}` on"),
        });
    }
    if health.locks < LOCKS_MIN {
        advice.push(format!(
            "set `max_locks_per_transaction` to {LOCKS_MIN} or more (it is {}, and needs a restart)",
            health.locks
        ));
    }
    let each =
        i64::try_from(database.connections).unwrap_or(i64::MAX).saturating_add(CONNECTIONS_MORE);
    let wanted = each.saturating_mul(health.nodes_alive.max(1));
    if !database.pooler && wanted > health.connections {
        advice.push(format!(
            "raise `max_connections` ({}): {} nodes may open {wanted}; or lower `--database-connections`, or put a pooler \
             between",
            health.connections,
            health.nodes_alive.max(1)
        ));
    }
    match advice.is_empty() {
        true => Check::ok(WHAT, "as they should be"),
        false => Check::warn(WHAT, advice.join("; ")),
    }
}
