//! `hookyard events`: published, looked at, and sent once more.

use std::path::Path;
use std::time::Duration;

use hookyard_api::client::calls;
use hookyard_api::events::Event;
use hookyard_domain::secret::Secret;

use super::listen::{LookArgs, own_look, tenants_profile};
use super::webhooks;
use crate::config::sources::environment;
use crate::exit::Exit;
use crate::forward::{self, Bringer, Port, Recorded, State, Target};
use crate::output::{self, Column};
use crate::remote::{self, Common, Fields, Session, id, input};

/// Arguments of `events`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Publish an event: when this ends with 0, it is on disk
    Publish(Publish),
    /// List events, newest first
    List(List),
    /// Show an event
    Get(One),
    /// Send an event once more, as fresh deliveries; or bring one, or what was recorded, to a port of this machine
    Replay(Box<Replay>),
}

#[derive(clap::Args)]
struct Publish {
    /// Its type, such as `order.created`
    #[arg(value_name = "TYPE")]
    event_type: String,
    /// What happened: JSON, `@FILE` or `-`; its exact bytes are delivered
    #[arg(long, value_name = "JSON")]
    data: String,
    /// The subdivision of the tenant it belongs to
    #[arg(long, visible_alias = "site-slug")]
    scope: Option<String>,
    /// Your own id for it; the same one again publishes nothing
    #[arg(long)]
    id: Option<String>,
    /// When it happened: a time, or so long ago [default: now]
    #[arg(long, value_name = "WHEN")]
    occurred_at: Option<String>,
    /// The object before the change: JSON, `@FILE` or `-`
    #[arg(long, value_name = "JSON")]
    previous: Option<String>,
    /// What changed: a JSON list, `@FILE` or `-`
    #[arg(long, value_name = "JSON")]
    changes: Option<String>,
    /// A header that goes out with every delivery of it; repeatable
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = input::header)]
    headers: Vec<(String, String)>,
}

#[derive(clap::Args)]
struct List {
    /// Only of this type, or below a prefix such as `order.*`
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Only of this scope
    #[arg(long, visible_alias = "site-slug")]
    scope: Option<String>,
    /// Only received by this source
    #[arg(long)]
    source: Option<String>,
    /// Only accepted since: a time, or so long ago, such as `1h`
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Only accepted before: a time, or so long ago
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// Only with this text in their data or as their publisher's id
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
    /// Rows at most [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

#[derive(clap::Args)]
struct One {
    /// The event, `evt_…`
    #[arg(value_parser = id)]
    id: String,
}

#[derive(clap::Args)]
struct Replay {
    /// The event, `evt_…`; with `--forward-to` also a file or folder that `hookyard listen --record` made
    #[arg(value_parser = id)]
    id: String,
    /// Only to this webhook; repeatable [default: every one that wants it today]
    #[arg(long = "webhook", value_name = "WEBHOOK")]
    webhooks: Vec<String>,
    /// Bring it to this URL of this machine instead, signed as `hookyard listen` does
    #[arg(long, value_name = "URL", conflicts_with = "webhooks")]
    forward_to: Option<Target>,
    #[command(flatten)]
    look: LookArgs,
    /// Show headers and bodies, with `--forward-to`
    #[arg(long, short)]
    verbose: bool,
}

const COLUMNS: &[Column<Event>] = &[
    ("ID", |it| it.id.clone()),
    ("TYPE", |it| it.event_type.clone()),
    ("SCOPE", |it| it.scope.clone().unwrap_or_default()),
    ("PUBLISHER'S ID", |it| it.publisher_id.clone().unwrap_or_default()),
    ("DELIVERIES", |it| it.deliveries.to_string()),
    ("CREATED", |it| it.created_at.clone()),
];

/// Does what was asked for.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    // What was recorded is there without a server.
    if let Verb::Replay(it) = &args.verb
        && let Some(to) = &it.forward_to
        && !it.id.starts_with("evt_")
    {
        let json = args.common.json;
        let done = match forward::recorded(Path::new(&it.id)) {
            Ok(events) => bring(it, to, &events, json).await,
            Err(error) => Err(error),
        };
        return Ok(done.unwrap_or_else(|error| remote::report(&error, json)));
    }
    remote::with(args.common, async |session| {
        let tenant = session.tenant()?;
        match args.verb {
            Verb::Publish(it) => {
                let form = it.fields()?.form()?;
                session.show(calls::publish(tenant, form)).await
            }
            Verb::List(it) => list(session, tenant, it).await,
            Verb::Get(it) => session.show(calls::get_event(tenant, &it.id)).await,
            Verb::Replay(it) => replay(session, tenant, *it).await,
        }
    })
    .await
}

impl Publish {
    fn fields(self) -> anyhow::Result<Fields> {
        let at = self.occurred_at.map(|it| input::ago(&it, remote::now())).transpose()?;
        Fields::default()
            .set("type", Some(self.event_type))?
            .set("data", Some(input::json("--data", &self.data)?))?
            .set("scope", self.scope)?
            .set("id", self.id)?
            .set("occurred_at", at)?
            .set("previous", input::maybe_json("--previous", self.previous.as_deref())?)?
            .set("changes", input::maybe_json("--changes", self.changes.as_deref())?)?
            .set("headers", input::headers(self.headers))
    }
}

async fn list(session: &Session, tenant: &str, it: List) -> anyhow::Result<Exit> {
    let moment = |text: Option<String>| text.map(|it| input::ago(&it, remote::now())).transpose();
    let call = calls::events(tenant)
        .query("type", it.event_type)
        .query("scope", it.scope)
        .query("source", it.source)
        .query("since", moment(it.since)?)
        .query("until", moment(it.until)?)
        .query("q", it.q);
    session.list(call, it.limit, COLUMNS).await
}

/// Brings events to a port, each in the format that was asked for, else in its own; ends with 0 if each was answered with
/// success.
async fn bring(it: &Replay, to: &Target, events: &[Recorded], json: bool) -> anyhow::Result<Exit> {
    let Some(first) = events.first() else { return Ok(Exit::Ok) };
    let secret = it.look.secret.as_deref().map(input::secret).transpose()?.map(Secret::new);
    let state = State::open(&environment)?;
    let look = |event: &Recorded| {
        let profile = it.look.profile.unwrap_or(event.profile);
        own_look(&state, profile, secret.clone(), it.look.headers.clone()).map(|(look, _)| look)
    };
    let mut bringer = Bringer {
        port: Port::new(to.clone()),
        look: look(first)?,
        timeout: Duration::from_secs(it.look.timeout),
        json,
        verbose: it.verbose,
        patient: false,
    };
    let mut exit = Exit::Ok;
    for event in events {
        if it.look.profile.is_none() && event.profile != bringer.look.profile() {
            bringer.look = look(event)?;
        }
        let brought = bringer.bring(&event.told).await?;
        if brought.nobody {
            return Ok(Exit::Network);
        }
        if !brought.succeeded {
            exit = Exit::Failure;
        }
    }
    Ok(exit)
}

async fn replay(session: &Session, tenant: &str, it: Replay) -> anyhow::Result<Exit> {
    if let Some(to) = &it.forward_to {
        let told = forward::told_of(session.ask(&calls::get_event(tenant, &it.id)).await?.value);
        let profile = match it.look.profile {
            Some(profile) => profile,
            None => tenants_profile(session, tenant).await?,
        };
        return bring(&it, to, &[Recorded { told, profile }], session.out.json).await;
    }
    let form = Fields::default().set("endpoints", input::some(it.webhooks))?.form()?;
    let fresh = session.ask(&calls::replay(tenant, &it.id, form)).await?;
    if session.out.json {
        session.out.document(&fresh.text);
    } else if fresh.value.deliveries.is_empty() {
        output::talk("No webhook that is on wants it.");
    } else {
        session.out.table(webhooks::DELIVERY_COLUMNS, &fresh.value.deliveries);
    }
    Ok(Exit::Ok)
}
