//! A part of `backlog` over PostgreSQL: what asking for due deliveries costs everyone else while an endpoint is dead and the
//! history is large, and what dropping a day of that history does. The shared store alone is measured, as a node asks it,
//! before there is a server.

use anyhow::bail;
use serde::Serialize;
use tokio::time::Instant;

use super::args::ClaimsPlan;
use super::measure::ratio;
use crate::compose;
use crate::compose::{Rehearsal, Room};
use crate::output::talk;

/// Questions of a phase; their median counts.
const QUESTIONS: usize = 400;

/// What was found.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Claims {
    pub(super) ended_rows: u32,
    pub(super) due_rows_of_the_dead_endpoint: u32,
    pub(super) empty: Times,
    pub(super) full: Times,
    pub(super) full_to_empty_p50_ratio: f64,
    pub(super) full_to_empty_p99_ratio: f64,
    /// How the server finds what is due, in its own words.
    pub(super) plan: Vec<String>,
    pub(super) filled_bytes: i64,
    pub(super) drop_of_a_day_ms: f64,
    pub(super) bytes_after_the_drop: i64,
    pub(super) dead_rows_after_the_drop: i64,
}

/// How long one question for what is due took.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Times {
    pub(super) p50_ms: f64,
    pub(super) p99_ms: f64,
}

/// Measures, and leaves the database as empty as it was.
pub(super) async fn run(plan: &ClaimsPlan) -> anyhow::Result<Claims> {
    let rehearsal = compose::rehearse(&plan.url).await?;
    let empty = times(&rehearsal).await?;
    talk(format!("filling in {} deliveries", u64::from(plan.history) + u64::from(plan.parked)));
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
    rehearsal.clear().await?;
    Ok(Claims {
        ended_rows: plan.history,
        due_rows_of_the_dead_endpoint: plan.parked,
        full_to_empty_p50_ratio: ratio(full.p50_ms, empty.p50_ms),
        full_to_empty_p99_ratio: ratio(full.p99_ms, empty.p99_ms),
        empty,
        full,
        plan: explained,
        filled_bytes: before.bytes,
        drop_of_a_day_ms: drop_ms,
        bytes_after_the_drop: bytes,
        dead_rows_after_the_drop: dead_rows,
    })
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
