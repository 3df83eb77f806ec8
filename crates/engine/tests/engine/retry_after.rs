//! `Retry-After`: a lower bound for the next attempt, in seconds or as a date, at most 24 hours.

use std::time::Duration;

use hookyard_domain::profile::Profile;
use hookyard_testkit::sink::Reply;

use crate::world::{World, only};

/// How long the engine waits after an answer with that header, under a policy of 10 s.
async fn wait_after(status: u16, header: &str) -> Duration {
    let world = World::new().await;
    world.sink.script([Reply::status(status).with("Retry-After", header)]);
    world.endpoint(|it| it.profile = Profile::Aryeo).await;
    let waiting = world.attempted(only(world.publish().await), 1).await;
    waiting.next_attempt_at.unwrap().since(waiting.updated_at)
}

#[tokio::test]
async fn it_moves_the_next_attempt_back_but_never_forward_and_at_most_a_day() {
    // The clock shows 2026-05-19T08:35:14Z.
    for (header, seconds) in [
        ("60", 60),
        ("0", 10),
        ("9", 10),
        ("86400", 86_400),
        ("86401", 86_400),
        ("99999999999999999999999", 86_400),
        ("Tue, 19 May 2026 08:36:14 GMT", 60),
        ("Tuesday, 19-May-26 08:36:14 GMT", 60),
        ("Tue May 19 08:36:14 2026", 60),
        ("Tue, 19 May 2026 08:35:15 GMT", 10),
        ("Mon, 18 May 2026 08:35:15 GMT", 10),
        ("Sat, 19 May 2029 08:35:15 GMT", 86_400),
        ("-60", 10),
        ("1.5e3", 10),
        ("soon", 10),
        ("", 10),
    ] {
        let wait = wait_after(503, header).await;
        assert_eq!(wait, Duration::from_secs(seconds), "Retry-After: {header}");
    }
}

#[tokio::test]
async fn it_counts_with_every_answer_that_is_tried_again() {
    for status in [302, 404, 429, 500, 503] {
        assert_eq!(wait_after(status, "60").await, Duration::from_secs(60), "{status}");
    }
}
