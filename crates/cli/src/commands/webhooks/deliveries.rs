//! `hookyard webhooks deliveries`: what was delivered, sent again, or taken home as a file.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Context as _;
use hookyard_api::attempts::Attempt;
use hookyard_api::client::{Call, calls};
use hookyard_api::deliveries::Delivery;

use crate::exit::Exit;
use crate::output::{self, Column};
use crate::remote::{self, Fields, Session, id, input};

/// Arguments of `webhooks deliveries`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// List deliveries, newest event first
    List(List),
    /// Show a delivery and its attempts
    #[command(override_usage = "hookyard webhooks deliveries get [OPTIONS] [WEBHOOK] <DELIVERY>")]
    Get(Get),
    /// Deliver the same event to the same webhook again, as a fresh delivery
    #[command(
        override_usage = "hookyard webhooks deliveries replay [OPTIONS] [WEBHOOK] <DELIVERY>"
    )]
    Replay(Which),
    /// Write every delivery that is found to stdout or a file
    Export(Export),
}

#[derive(clap::Args)]
struct Filter {
    /// Only in this state: pending, sending, succeeded, failed, cancelled, discarded
    #[arg(long)]
    status: Option<String>,
    /// Only of this event type, or below a prefix such as `order.*`
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only of events accepted since: a time, or so long ago, such as `1h`
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Only of events accepted before: a time, or so long ago
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
}

#[derive(clap::Args)]
struct List {
    /// Only to this webhook, even a deleted one
    #[arg(value_parser = id)]
    webhook: Option<String>,
    #[command(flatten)]
    filter: Filter,
    /// Rows at most [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

#[derive(clap::Args)]
struct Get {
    #[command(flatten)]
    which: Which,
    /// With --json: the attempts as JSON Lines, instead of the delivery
    #[arg(long)]
    attempts: bool,
}

#[derive(clap::Args)]
struct Which {
    /// The delivery, `dlv_…`, or what a receiver saw as X-Aly-Delivery-Id, `del_…`; its webhook may stand before it
    #[arg(value_name = "ID", num_args = 1..=2, required = true, value_parser = id)]
    ids: Vec<String>,
}

#[derive(clap::Args)]
struct Export {
    /// Only to this webhook, even a deleted one
    #[arg(value_parser = id)]
    webhook: Option<String>,
    #[command(flatten)]
    filter: Filter,
    /// csv or ndjson [default: csv, with --json ndjson]
    #[arg(long)]
    format: Option<String>,
    /// A file that must not be there yet [default: stdout]
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// How deliveries are listed.
pub const COLUMNS: &[Column<Delivery>] = &[
    ("ID", |it| it.id.clone()),
    ("STATUS", |it| output::word(&it.status)),
    ("TYPE", |it| it.event_type.clone()),
    ("WEBHOOK", |it| it.endpoint_id.clone()),
    ("ATTEMPTS", |it| it.attempts.to_string()),
    ("ANSWER", |it| it.last_status_code.map(|it| it.to_string()).unwrap_or_default()),
    ("CREATED", |it| it.created_at.clone()),
];

const ATTEMPT_COLUMNS: &[Column<Attempt>] = &[
    ("ATTEMPT", |it| it.number.to_string()),
    ("STARTED", |it| it.started_at.clone()),
    ("OUTCOME", |it| output::word(&it.outcome)),
    ("ANSWER", |it| it.status_code.map(|it| it.to_string()).unwrap_or_default()),
    ("TOOK", |it| format!("{} ms", it.duration_ms)),
    ("TRIGGER", |it| output::word(&it.trigger)),
    ("ERROR", |it| it.error.clone().unwrap_or_default()),
];

/// Does what was asked for.
pub async fn run(session: &Session, tenant: &str, args: Args) -> anyhow::Result<Exit> {
    match args.verb {
        Verb::List(it) => {
            let call = it.filter.applied(calls::deliveries(tenant), it.webhook)?;
            session.list(call, it.limit, COLUMNS).await
        }
        Verb::Get(it) => get(session, tenant, it).await,
        Verb::Replay(it) => replay(session, tenant, it).await,
        Verb::Export(it) => export(session, tenant, it).await,
    }
}

impl Filter {
    fn applied<T>(self, call: Call<T>, webhook: Option<String>) -> anyhow::Result<Call<T>> {
        let moment =
            |text: Option<String>| text.map(|it| input::ago(&it, remote::now())).transpose();
        Ok(call
            .query("endpoint", webhook)
            .query("status", self.status)
            .query("type", self.event_type)
            .query("since", moment(self.since)?)
            .query("until", moment(self.until)?))
    }
}

impl Which {
    /// Webhook, if one was named, and delivery.
    fn split(&self) -> (Option<&str>, &str) {
        match &*self.ids {
            [webhook, delivery] => (Some(webhook), delivery),
            ids => (None, ids.first().map_or("", |it| it)),
        }
    }

    /// The delivery, if it is one of the webhook that was named.
    async fn found(
        &self,
        session: &Session,
        tenant: &str,
    ) -> anyhow::Result<hookyard_api::client::Kept<Delivery>> {
        let (webhook, delivery) = self.split();
        let found = session.ask(&calls::get_delivery(tenant, delivery)).await?;
        if webhook.is_some_and(|it| it != found.value.endpoint_id) {
            let message = format!("`{delivery}` is no delivery of that webhook");
            return Err(Exit::NotFound.because(message));
        }
        Ok(found)
    }
}

async fn get(session: &Session, tenant: &str, it: Get) -> anyhow::Result<Exit> {
    let found = it.which.found(session, tenant).await?;
    if !(it.attempts && session.out.json) {
        session.out.document(&found.text);
    }
    if found.value.attempts == 0 || (session.out.json && !it.attempts) {
        return Ok(Exit::Ok);
    }
    if !session.out.json {
        output::say("");
    }
    session.list(calls::attempts(tenant, &found.value.id), None, ATTEMPT_COLUMNS).await
}

async fn replay(session: &Session, tenant: &str, it: Which) -> anyhow::Result<Exit> {
    let old = it.found(session, tenant).await?.value;
    let form = Fields::default().set("endpoints", Some([old.endpoint_id]))?.form()?;
    let fresh = session.ask(&calls::replay(tenant, &old.event_id, form)).await?;
    if session.out.json {
        session.out.document(&fresh.text);
    } else {
        session.out.table(COLUMNS, &fresh.value.deliveries);
    }
    Ok(Exit::Ok)
}

async fn export(session: &Session, tenant: &str, it: Export) -> anyhow::Result<Exit> {
    let usual = if session.out.json { "ndjson" } else { "csv" };
    let format = it.format.unwrap_or_else(|| usual.to_owned());
    let call = it.filter.applied(calls::export_deliveries(tenant), it.webhook)?;
    let call = call.query("format", Some(format));
    let Some(path) = it.output else {
        session.stream(&call, |piece| output::write(piece)).await?;
        return Ok(Exit::Ok);
    };
    let shown = path.display();
    let made = File::options().write(true).create_new(true).open(&path);
    let mut file =
        made.map_err(|error| Exit::Refused.because(format!("cannot make {shown}: {error}")))?;
    let mut written = Ok(());
    let done = session
        .stream(&call, |piece| {
            written = file.write_all(piece);
            written.is_ok()
        })
        .await;
    let whole = match done {
        Ok(()) => written.with_context(|| format!("writing {shown}")),
        Err(error) => Err(error),
    };
    if whole.is_err() {
        // Half a file is not to be taken for a whole one.
        let _ = std::fs::remove_file(&path);
    }
    whole.map(|()| Exit::Ok)
}
