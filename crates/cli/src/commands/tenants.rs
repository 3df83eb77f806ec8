//! `hookyard tenants`: made, looked at, changed and taken away by the operator.

use std::io::IsTerminal as _;

use hookyard_api::client::calls;
use hookyard_api::tenants::Tenant;
use serde_json::{Map, Value};

use crate::exit::Exit;
use crate::output::{self, Column};
use crate::remote::{self, Common, Fields, Session, id};

/// Arguments of `tenants`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Make a tenant
    Create(Create),
    /// List the tenants
    List(List),
    /// Show a tenant
    Get(Get),
    /// Change a tenant
    Update(Update),
    /// Delete a tenant with all it has; asks first on a terminal
    Delete(Delete),
}

#[derive(clap::Args)]
struct Create {
    /// Its name in every path: `a-z 0-9 _ -`, 64 characters at most
    #[arg(value_parser = id)]
    id: String,
    #[command(flatten)]
    settings: Settings,
}

#[derive(clap::Args)]
struct Settings {
    /// For people
    #[arg(long)]
    name: Option<String>,
    /// Profile of endpoints that name none: standard, aly, alvys, alumia, aryeo
    #[arg(long)]
    profile: Option<String>,
    /// Days that events and deliveries are kept
    #[arg(long, value_name = "DAYS")]
    retention_days: Option<i64>,
    /// A limit: endpoints, event_types_per_endpoint, payload_bytes, publish_per_s; `none` lifts it; repeatable
    #[arg(long = "limits", value_name = "NAME=N", value_parser = limit)]
    limits: Vec<(String, Value)>,
}

#[derive(clap::Args)]
struct List {
    /// Rows at most [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

#[derive(clap::Args)]
struct Get {
    /// The tenant
    #[arg(value_parser = id)]
    id: String,
}

#[derive(clap::Args)]
struct Update {
    /// The tenant
    #[arg(value_parser = id)]
    id: String,
    #[command(flatten)]
    settings: Settings,
    /// Set a field back to its default; repeatable
    #[arg(long, value_name = "FIELD")]
    clear: Vec<String>,
}

#[derive(clap::Args)]
struct Delete {
    /// The tenant
    #[arg(value_parser = id)]
    id: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

const COLUMNS: &[Column<Tenant>] = &[
    ("ID", |it| it.id.clone()),
    ("NAME", |it| it.name.clone().unwrap_or_default()),
    ("PROFILE", |it| output::word(&it.profile)),
    ("KEPT DAYS", |it| it.retention_days.to_string()),
    ("CREATED", |it| it.created_at.clone()),
];

/// Does what was asked for.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    remote::with(args.common, async |session| match args.verb {
        Verb::Create(it) => {
            let fields = it.settings.fields(Fields::default().set("id", Some(it.id))?)?;
            session.show(calls::create_tenant(fields.form()?)).await
        }
        Verb::List(it) => session.list(calls::tenants(), it.limit, COLUMNS).await,
        Verb::Get(it) => session.show(calls::get_tenant(&it.id)).await,
        Verb::Update(it) => {
            let fields = it.settings.fields(Fields::default())?.clear(&it.clear)?;
            session.show(calls::update_tenant(&it.id, fields.change()?)).await
        }
        Verb::Delete(it) => delete(session, it).await,
    })
    .await
}

async fn delete(session: &Session, it: Delete) -> anyhow::Result<Exit> {
    let asks = !it.yes && std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if asks {
        output::talk(format!(
            "Tenant `{}` goes with its endpoints, keys, events and deliveries. Type its name to delete it:",
            it.id
        ));
        let mut typed = String::new();
        std::io::stdin().read_line(&mut typed)?;
        if typed.trim() != it.id {
            return Err(Exit::Failure.because("not deleted"));
        }
    }
    session.delete(calls::delete_tenant(&it.id), &it.id).await
}

impl Settings {
    fn fields(self, fields: Fields) -> anyhow::Result<Fields> {
        let limits: Map<String, Value> = self.limits.into_iter().collect();
        fields
            .set("name", self.name)?
            .set("profile", self.profile)?
            .set("retention_days", self.retention_days)?
            .set("limits", (!limits.is_empty()).then_some(limits))
    }
}

/// `NAME=N` or `NAME=none`.
fn limit(text: &str) -> Result<(String, Value), String> {
    const FORM: &str = "use NAME=N or NAME=none";
    let (name, value) = text.split_once('=').ok_or(FORM)?;
    let value = match value {
        "none" => Value::Null,
        number => Value::from(number.parse::<i64>().map_err(|_| FORM)?),
    };
    Ok((name.replace('-', "_"), value))
}
