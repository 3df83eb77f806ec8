//! Numbers over time grow coarser with age: minutes become five minutes, those become hours, and old hours are forgotten.

use std::time::Duration;

use hookyard_domain::limit;
use hookyard_domain::statistics::Span;
use hookyard_domain::time::Timestamp;
use hookyard_store::statistics::Fold;
use hookyard_store::{Store, StoreError};

/// How often: often enough that a round is small.
pub(crate) const EVERY: Duration = Duration::from_secs(60);
/// Pieces folded or forgotten at a time; others may write in between.
const BITE: u32 = 1000;
/// Bites of one round at most: whatever is left is there a minute later.
const BITES_MAX: u32 = 200;

/// Folds and forgets what is old enough at `now`.
pub(crate) async fn run_once(store: &dyn Store, now: Timestamp) -> Result<(), StoreError> {
    for (from, into, kept) in [
        (Span::Minute, Span::FiveMinutes, limit::MINUTES_KEPT),
        (Span::FiveMinutes, Span::Hour, limit::FIVE_MINUTES_KEPT),
    ] {
        let before = begin_of(into, now.minus(kept));
        for _ in 0..BITES_MAX {
            if store.fold(Fold { from, into, before, limit: BITE }).await? < BITE {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    let before = now.minus(limit::HOURS_KEPT);
    for _ in 0..BITES_MAX {
        if store.forget_pieces(before, BITE).await? < BITE {
            break;
        }
    }
    Ok(())
}

/// Where the span that a time falls into begins: a span is folded when all of it is old enough.
fn begin_of(span: Span, time: Timestamp) -> Timestamp {
    let span_s = i64::try_from(span.seconds()).unwrap_or(1);
    Timestamp::from_secs(time.as_secs().div_euclid(span_s).saturating_mul(span_s))
}
