//! `hookyard keys`: a tenant's API keys.

use hookyard_api::client::calls;
use hookyard_api::keys::ApiKey;

use crate::exit::Exit;
use crate::output::{self, Column};
use crate::remote::{self, Common, Fields, id, input};

/// Arguments of `keys`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Make a key; it is shown this once
    Create(Create),
    /// List the keys; their texts are never shown again
    List(List),
    /// Revoke a key, from the next request on
    Revoke(Revoke),
}

#[derive(clap::Args)]
struct Create {
    /// For people
    #[arg(long)]
    name: String,
    /// What it may do: read, write, publish, admin; repeatable, or with commas
    #[arg(long = "scope", value_name = "SCOPE", required = true, value_delimiter = ',')]
    scopes: Vec<String>,
    /// When it stops working: a time, or in so long, such as `90d` [default: never]
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
}

#[derive(clap::Args)]
struct List {
    /// Rows at most [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

#[derive(clap::Args)]
struct Revoke {
    /// The key's id, `key_…`
    #[arg(value_parser = id)]
    id: String,
}

const COLUMNS: &[Column<ApiKey>] = &[
    ("ID", |it| it.id.clone()),
    ("NAME", |it| it.name.clone()),
    ("SCOPES", |it| it.scopes.iter().map(output::word).collect::<Vec<_>>().join(",")),
    ("HINT", |it| it.hint.clone()),
    ("EXPIRES", |it| it.expires_at.clone().unwrap_or_else(|| "never".to_owned())),
    ("CREATED", |it| it.created_at.clone()),
];

/// Does what was asked for.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    remote::with(args.common, async |session| {
        let tenant = session.tenant()?;
        match args.verb {
            Verb::Create(it) => {
                let until = it.expires.map(|it| input::ahead(&it, remote::now())).transpose()?;
                let fields = Fields::default()
                    .set("name", Some(it.name))?
                    .set("scopes", Some(it.scopes))?
                    .set("expires_at", until)?;
                let made = session.ask(&calls::create_key(tenant, fields.form()?)).await?;
                session.out.document(&made.text);
                remote::note_secret(made.value.key.as_ref(), "key");
                Ok(Exit::Ok)
            }
            Verb::List(it) => session.list(calls::keys(tenant), it.limit, COLUMNS).await,
            Verb::Revoke(it) => session.delete(calls::revoke_key(tenant, &it.id), &it.id).await,
        }
    })
    .await
}
