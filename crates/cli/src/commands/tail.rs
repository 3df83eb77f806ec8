//! `hookyard tail`: the attempts at deliveries, as they end.

use std::time::Duration;

use hookyard_api::client::{Message, calls};
use hookyard_api::stream::{FinishedAttempt, StreamData};

use crate::exit::Exit;
use crate::output::{self, Column, Table};
use crate::remote::{self, Common, Follower, input};
use crate::server::Signals;

/// A server breaks its silence every 15 seconds.
const SILENCE_DEFAULT_S: u64 = 45;

/// Arguments of `tail`.
#[derive(clap::Args)]
pub struct Args {
    /// Only attempts to this webhook
    #[arg(long, value_name = "WEBHOOK")]
    webhook: Option<String>,
    /// Only events of this type, or below a prefix such as `order.*`; repeatable, or with commas
    #[arg(long = "event", value_name = "TYPE", value_delimiter = ',')]
    events: Vec<String>,
    /// Only events that this source received
    #[arg(long)]
    source: Option<String>,
    /// Only events of this scope
    #[arg(long, visible_alias = "site-slug")]
    scope: Option<String>,
    /// Only attempts that failed
    #[arg(long)]
    failed: bool,
    /// End after so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// Take the connection for lost when the server is silent for so long
    #[arg(long, value_name = "SPAN", value_parser = input::seconds, default_value_t = SILENCE_DEFAULT_S, hide_default_value = true)]
    silence: u64,
    #[command(flatten)]
    common: Common,
}

const COLUMNS: &[Column<FinishedAttempt>] = &[
    ("TIME", |it| it.started_at.clone()),
    ("TYPE", |it| it.event_type.clone()),
    ("WEBHOOK", |it| it.endpoint_id.clone()),
    ("DELIVERY", |it| it.delivery_id.clone()),
    ("ATTEMPT", |it| it.number.to_string()),
    ("OUTCOME", |it| output::word(&it.outcome)),
    ("ANSWER", |it| it.status_code.map(|it| it.to_string()).unwrap_or_default()),
    ("TOOK", |it| format!("{} ms", it.duration_ms)),
    ("NEXT", |it| it.next_attempt_at.clone().unwrap_or_else(|| output::word(&it.delivery_status))),
];

/// Runs until it is interrupted.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let silence = Duration::from_secs(args.silence.max(1));
    let (failed, limit) = (args.failed, args.limit);
    remote::with_silence(args.common, silence, async |session| {
        let mut signals = Signals::listen()?;
        let call = calls::stream(session.tenant()?)
            .query("kinds", Some("attempt.finished"))
            .query("type", (!args.events.is_empty()).then(|| args.events.join(",")))
            .query("source", args.source)
            .query("scope", args.scope)
            .query("endpoint", args.webhook);
        let mut table = Table::new(COLUMNS);
        let mut left = limit.unwrap_or(u64::MAX);
        let following = Follower::new(session, call, None).run(async |message: &Message| {
            let Some(StreamData::Finished(it)) = &message.data else { return Ok(true) };
            if failed && output::word(&it.outcome) == "succeeded" {
                return Ok(true);
            }
            let heard = if session.out.json {
                output::write(format!("{}\n", message.text))
            } else {
                session.out.more(&mut table, std::slice::from_ref(&**it))
            };
            left -= 1;
            Ok(heard && left > 0)
        });
        tokio::select! {
            done = following => done?,
            _ = signals.next() => {}
        }
        Ok(Exit::Ok)
    })
    .await
}
