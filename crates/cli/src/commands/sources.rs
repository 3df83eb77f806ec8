//! `hookyard sources`: inbound receivers.

use hookyard_api::client::{Call, calls};
use hookyard_api::sources::Source;

use crate::exit::Exit;
use crate::output::{self, Column};
use crate::remote::{self, Common, Fields, Session, id, input};

/// Arguments of `sources`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Make a source; its secret is shown this once
    Create(Create),
    /// List the sources
    List(List),
    /// Show a source
    Get(One),
    /// Change a source
    Update(Update),
    /// Delete a source; the events it received stay listed
    Delete(One),
    /// Give a source a fresh secret, shown this once
    RotateSecret(RotateSecret),
}

#[derive(clap::Args)]
struct Create {
    /// For people
    #[arg(long)]
    name: String,
    #[command(flatten)]
    settings: Settings,
}

#[derive(clap::Args)]
struct Settings {
    /// Who sends: a provider such as github or stripe [default: custom]
    #[arg(long)]
    provider: Option<String>,
    /// The secret that requests are verified with; `@FILE` or `-` reads it
    #[arg(long)]
    secret: Option<String>,
    /// The scope its events get
    #[arg(long, visible_alias = "site-slug")]
    scope: Option<String>,
    /// The text you give the provider for its handshake; `@FILE` or `-` reads it
    #[arg(long, value_name = "TOKEN")]
    verify_token: Option<String>,
    /// The URL the provider was told, where that is another than the receive URL
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// A type that is passed on, a prefix such as `order.*`, or `*`; repeatable, or with commas [default: all]
    #[arg(long = "event", value_name = "TYPE", value_delimiter = ',')]
    events: Vec<String>,
    /// For people
    #[arg(long)]
    description: Option<String>,
    /// Your own JSON object; `@FILE` or `-` reads it
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
}

#[derive(clap::Args)]
struct List {
    /// Rows at most [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

#[derive(clap::Args)]
struct One {
    /// The source, `src_…`
    #[arg(value_parser = id)]
    id: String,
}

#[derive(clap::Args)]
struct Update {
    /// The source, `src_…`
    #[arg(value_parser = id)]
    id: String,
    /// For people
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    settings: Settings,
    /// active, paused or disabled
    #[arg(long)]
    status: Option<String>,
    /// Set a field back to nothing; repeatable
    #[arg(long, value_name = "FIELD")]
    clear: Vec<String>,
}

#[derive(clap::Args)]
struct RotateSecret {
    /// The source, `src_…`
    #[arg(value_parser = id)]
    id: String,
    /// How long both secrets are believed, such as `24h` [default: the profile's]
    #[arg(long, value_name = "SPAN", value_parser = input::seconds)]
    overlap: Option<u64>,
    /// A secret of your own; `@FILE` or `-` reads it [default: a fresh one]
    #[arg(long)]
    secret: Option<String>,
}

const COLUMNS: &[Column<Source>] = &[
    ("ID", |it| it.id.clone()),
    ("NAME", |it| it.name.clone()),
    ("PROVIDER", |it| it.provider.clone()),
    ("STATUS", |it| output::word(&it.status)),
    ("EVENTS", |it| it.event_count.to_string()),
    ("LAST EVENT", |it| it.last_event_at.clone().unwrap_or_default()),
    ("RECEIVE URL", |it| it.receive_url.clone()),
];

/// Does what was asked for.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    remote::with(args.common, async |session| {
        let tenant = session.tenant()?;
        match args.verb {
            Verb::Create(it) => {
                let fields = Fields::default().set("name", Some(it.name))?;
                let form = it.settings.fields(fields)?.form()?;
                shown_with_secret(session, calls::create_source(tenant, form)).await
            }
            Verb::List(it) => session.list(calls::sources(tenant), it.limit, COLUMNS).await,
            Verb::Get(it) => session.show(calls::get_source(tenant, &it.id)).await,
            Verb::Update(it) => {
                let fields = Fields::default().set("name", it.name)?.set("status", it.status)?;
                let form = it.settings.fields(fields)?.clear(&it.clear)?.change()?;
                session.show(calls::update_source(tenant, &it.id, form)).await
            }
            Verb::Delete(it) => session.delete(calls::delete_source(tenant, &it.id), &it.id).await,
            Verb::RotateSecret(it) => {
                let form = Fields::default()
                    .set("overlap_s", it.overlap)?
                    .set("secret", it.secret.as_deref().map(input::secret).transpose()?)?
                    .form()?;
                shown_with_secret(session, calls::rotate_source_secret(tenant, &it.id, form)).await
            }
        }
    })
    .await
}

async fn shown_with_secret(session: &Session, call: Call<Source>) -> anyhow::Result<Exit> {
    let made = session.ask(&call).await?;
    session.out.document(&made.text);
    remote::note_secret(made.value.secret.as_ref(), "secret");
    Ok(Exit::Ok)
}

impl Settings {
    fn fields(self, fields: Fields) -> anyhow::Result<Fields> {
        fields
            .set("provider", self.provider)?
            .set("secret", self.secret.as_deref().map(input::secret).transpose()?)?
            .set("scope", self.scope)?
            .set("verify_token", self.verify_token.as_deref().map(input::secret).transpose()?)?
            .set("public_url", self.public_url)?
            .set("events", input::some(self.events))?
            .set("description", self.description)?
            .set("metadata", input::maybe_json("--metadata", self.metadata.as_deref())?)
    }
}
