//! `claims`: what asking for due deliveries costs everyone else while an endpoint is dead and the history is large, and what
//! dropping a day of that history does. The shared store alone is measured, as a node asks it.

use anyhow::bail;
use serde::Serialize;
use tokio::time::Instant;

use super::args::ClaimsPlan;
use super::measure::ratio;
use crate::compose;
use crate::compose::{Rehearsal, Room};
use crate::output::{say, talk};

/// Questions of a phase; their median counts.
const QUESTIONS: usize = 400;

/// What it found.
#[derive(Debug, Serialize)]
struct Found {
    ended_rows: u32,
    due_rows_of_the_dead_endpoint: u32,
    empty: Times,
    full: Times,
    full_to_empty_p50_ratio: f64,
    plan: Vec<String>,
    filled_bytes: i64,
    drop_of_a_day_ms: f64,
    bytes_after_the_drop: i64,
    dead_rows_after_the_drop: i64,
}

/// How long one question for what is due took.
#[derive(Debug, Serialize)]
struct Times {
    p50_ms: f64,
    p99_ms: f64,
}

/// Runs and reports.
pub(super) async fn run(plan: ClaimsPlan) -> anyhow::Result<()> {
    let rehearsal = compose::rehearse(&plan.url).await?;
    let empty = times(&rehearsal).await?;
    talk(format!("filling in {} deliveries", plan.history + plan.parked));
    rehearsal.fill(plan.history, plan.parked).await?;
    let full = times(&rehearsal).await?;
    let explained = rehearsal.explain().await?;
    let before = rehearsal.room().await?;
    let started = Instant::now();
    if !rehearsal.drop_the_day().await? {
        bail!("the day of the ended deliveries was not dropped");
    }
    let drop_ms = started.elapsed().as_secs_f64() * 1000.0;
    let Room { bytes, dead_rows } = rehearsal.room().await?;
    let found = Found {
        ended_rows: plan.history,
        due_rows_of_the_dead_endpoint: plan.parked,
        full_to_empty_p50_ratio: ratio(full.p50_ms, empty.p50_ms),
        empty,
        full,
        plan: explained,
        filled_bytes: before.bytes,
        drop_of_a_day_ms: drop_ms,
        bytes_after_the_drop: bytes,
        dead_rows_after_the_drop: dead_rows,
    };
    if plan.json {
        say(serde_json::to_string_pretty(&found)?);
    } else {
        say(found.table());
    }
    Ok(())
}

async fn times(rehearsal: &Rehearsal) -> anyhow::Result<Times> {
    let mut all = Vec::with_capacity(QUESTIONS);
    // The first ones make plans and fill caches.
    for at in 0..QUESTIONS + QUESTIONS / 4 {
        let started = Instant::now();
        rehearsal.ask().await?;
        if at >= QUESTIONS / 4 {
            all.push(started.elapsed().as_secs_f64() * 1000.0);
        }
    }
    all.sort_by(f64::total_cmp);
    let at = |percent: usize| all[(all.len() * percent / 100).min(all.len() - 1)];
    Ok(Times { p50_ms: at(50), p99_ms: at(99) })
}

impl Found {
    fn table(&self) -> String {
        let mib = |bytes: i64| bytes / (1024 * 1024);
        let mut lines = vec![
            format!(
                "claims: {} ended deliveries, {} due of a dead endpoint; a healthy endpoint asks for what is due",
                self.ended_rows, self.due_rows_of_the_dead_endpoint
            ),
            format!(
                "p50, ms: empty {:.3}, full {:.3}, ratio {:.2}",
                self.empty.p50_ms, self.full.p50_ms, self.full_to_empty_p50_ratio
            ),
            format!("p99, ms: empty {:.3}, full {:.3}", self.empty.p99_ms, self.full.p99_ms),
            format!(
                "dropping the day of the ended ones: {:.0} ms; {} MiB before, {} MiB after, {} dead rows",
                self.drop_of_a_day_ms,
                mib(self.filled_bytes),
                mib(self.bytes_after_the_drop),
                self.dead_rows_after_the_drop
            ),
        ];
        lines.extend(self.plan.iter().map(|line| format!("  {line}")));
        lines.join("\n")
    }
}
