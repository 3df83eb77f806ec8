//! `hookyard webhooks`: endpoints, and what was delivered to them.

mod deliveries;
mod recover;
mod settings;

use hookyard_api::client::calls;
use hookyard_api::endpoints::Endpoint;

pub use self::deliveries::COLUMNS as DELIVERY_COLUMNS;
use self::settings::Settings;
use crate::exit::Exit;
use crate::output::{self, Column};
use crate::remote::{self, Common, Fields, Session, id, input};

/// Arguments of `webhooks`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Register a webhook; its signing secret is shown this once
    Create(Box<Create>),
    /// List the webhooks
    List(List),
    /// Show a webhook
    Get(One),
    /// Change a webhook; the very next event obeys
    Update(Box<Update>),
    /// Delete a webhook; its deliveries stay listed
    Delete(One),
    /// Switch a webhook on
    Enable(One),
    /// Switch a webhook off: what it would have got is discarded
    Disable(One),
    /// Send one signed test and show the answer; ends with 1 if it failed
    Test(Test),
    /// Have a webhook prove itself with its profile's challenge; ends with 1 if it did not
    Verify(One),
    /// Give a webhook a fresh secret, shown this once
    RotateSecret(RotateSecret),
    /// Send again what failed, the oldest first, as a job that is watched; ends with 1 if the job did not do it all
    Recover(recover::Args),
    /// What was delivered, and what was not
    Deliveries(deliveries::Args),
}

#[derive(clap::Args)]
struct Create {
    /// Where deliveries go
    #[arg(long)]
    url: String,
    /// An event type, a prefix such as `order.*`, or `*` for all; repeatable, or with commas
    #[arg(long = "event", value_name = "TYPE", required = true, value_delimiter = ',')]
    events: Vec<String>,
    /// A signing secret of your own; `@FILE` or `-` reads it [default: a fresh one]
    #[arg(long)]
    secret: Option<String>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(clap::Args)]
struct List {
    /// Only those of this scope
    #[arg(long, visible_alias = "site-slug")]
    scope: Option<String>,
    /// Rows at most [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

#[derive(clap::Args)]
struct One {
    /// The webhook, `wh_…`
    #[arg(value_parser = id)]
    id: String,
}

#[derive(clap::Args)]
struct Update {
    /// The webhook, `wh_…`
    #[arg(value_parser = id)]
    id: String,
    /// Where deliveries go
    #[arg(long)]
    url: Option<String>,
    /// The types it wants from here on; repeatable, or with commas
    #[arg(long = "event", value_name = "TYPE", value_delimiter = ',')]
    events: Vec<String>,
    #[command(flatten)]
    settings: Settings,
    /// Set a field back to its profile's value; repeatable
    #[arg(long, value_name = "FIELD")]
    clear: Vec<String>,
}

#[derive(clap::Args)]
struct Test {
    /// The webhook, `wh_…`
    #[arg(value_parser = id)]
    id: String,
    /// The event type [default: the first it wants]
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// The event's data: JSON, `@FILE` or `-` [default: a sample]
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
}

#[derive(clap::Args)]
struct RotateSecret {
    /// The webhook, `wh_…`
    #[arg(value_parser = id)]
    id: String,
    /// How long both secrets sign, such as `24h` [default: the profile's]
    #[arg(long, value_name = "SPAN", value_parser = input::seconds)]
    overlap: Option<u64>,
    /// A secret of your own; `@FILE` or `-` reads it [default: a fresh one]
    #[arg(long)]
    secret: Option<String>,
}

const COLUMNS: &[Column<Endpoint>] = &[
    ("ID", |it| it.id.clone()),
    ("STATUS", |it| output::word(&it.status)),
    ("PROFILE", |it| output::word(&it.profile)),
    ("URL", |it| it.url.clone()),
    ("EVENTS", |it| it.events.join(",")),
    ("SCOPE", |it| it.scope.clone().unwrap_or_default()),
    ("NAME", |it| it.name.clone().unwrap_or_default()),
];

/// Does what was asked for.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    remote::with(args.common, async |session| {
        let tenant = session.tenant()?;
        match args.verb {
            Verb::Create(it) => create(session, tenant, *it).await,
            Verb::List(it) => {
                let wanted = |row: &Endpoint| it.scope.is_none() || row.scope == it.scope;
                session.list_of(calls::endpoints(tenant), it.limit, COLUMNS, wanted).await
            }
            Verb::Get(it) => session.show(calls::get_endpoint(tenant, &it.id)).await,
            Verb::Update(it) => update(session, tenant, *it).await,
            Verb::Delete(it) => {
                session.delete(calls::delete_endpoint(tenant, &it.id), &it.id).await
            }
            Verb::Enable(it) => session.show(calls::enable_endpoint(tenant, &it.id)).await,
            Verb::Disable(it) => session.show(calls::disable_endpoint(tenant, &it.id)).await,
            Verb::Test(it) => test(session, tenant, it).await,
            Verb::Verify(it) => {
                let found = session.ask(&calls::verify_endpoint(tenant, &it.id)).await?;
                session.out.document(&found.text);
                Ok(passed(found.value.verified))
            }
            Verb::RotateSecret(it) => rotate(session, tenant, it).await,
            Verb::Recover(it) => recover::run(session, tenant, it).await,
            Verb::Deliveries(it) => deliveries::run(session, tenant, it).await,
        }
    })
    .await
}

async fn create(session: &Session, tenant: &str, it: Create) -> anyhow::Result<Exit> {
    let fields = Fields::default()
        .set("url", Some(it.url))?
        .set("events", Some(it.events))?
        .set("secret", it.secret.as_deref().map(input::secret).transpose()?)?;
    let form = it.settings.fields(fields)?.form()?;
    shown_with_secret(session, calls::create_endpoint(tenant, form)).await
}

async fn update(session: &Session, tenant: &str, it: Update) -> anyhow::Result<Exit> {
    let fields = Fields::default().set("url", it.url)?.set("events", input::some(it.events))?;
    let form = it.settings.fields(fields)?.clear(&it.clear)?.change()?;
    session.show(calls::update_endpoint(tenant, &it.id, form)).await
}

async fn test(session: &Session, tenant: &str, it: Test) -> anyhow::Result<Exit> {
    let fields = Fields::default()
        .set("type", it.event_type)?
        .set("data", input::maybe_json("--data", it.data.as_deref())?)?;
    let done = session.ask(&calls::test_endpoint(tenant, &it.id, fields.form()?)).await?;
    session.out.document(&done.text);
    Ok(passed(done.value.succeeded))
}

async fn rotate(session: &Session, tenant: &str, it: RotateSecret) -> anyhow::Result<Exit> {
    let fields = Fields::default()
        .set("overlap_s", it.overlap)?
        .set("secret", it.secret.as_deref().map(input::secret).transpose()?)?;
    shown_with_secret(session, calls::rotate_secret(tenant, &it.id, fields.form()?)).await
}

async fn shown_with_secret(
    session: &Session,
    call: hookyard_api::client::Call<Endpoint>,
) -> anyhow::Result<Exit> {
    let made = session.ask(&call).await?;
    session.out.document(&made.text);
    remote::note_secret(made.value.secret.as_ref(), "secret");
    Ok(Exit::Ok)
}

fn passed(it_did: bool) -> Exit {
    if it_did { Exit::Ok } else { Exit::Failure }
}
