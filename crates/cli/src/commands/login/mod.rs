//! `hookyard login`: a server, a key and a tenant, saved under a name. The key is never shown.

mod prompt;

use hookyard_api::client::{Client, Server, calls};
use hookyard_api::whoami::Whoami;
use hookyard_domain::secret::Secret;
use serde_json::json;

use crate::config::sources::environment;
use crate::exit::Exit;
use crate::output::{self, Column, Printer};
use crate::remote::profiles::{self, Profile, Saved};
use crate::remote::{self, Fault, input};

/// Arguments of `login`.
#[derive(clap::Args)]
pub struct Args {
    /// The name to save it under; other commands take it as `--login NAME`
    #[arg(default_value = profiles::DEFAULT, value_parser = remote::id)]
    name: String,
    /// Where the server is [env: HOOKYARD_URL] [default: http://127.0.0.1:8080]
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// The key; `@FILE` or `-` reads it [env: HOOKYARD_API_KEY] [default: asks]
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,
    /// The tenant [env: HOOKYARD_TENANT]
    #[arg(long, value_name = "ID")]
    tenant: Option<String>,
    /// List what is saved, without the keys
    #[arg(long, conflicts_with_all = ["remove", "server", "api_key", "tenant"])]
    list: bool,
    /// Forget what is saved under the name
    #[arg(long, conflicts_with_all = ["server", "api_key", "tenant"])]
    remove: bool,
    /// Print one JSON document, a list as JSON Lines
    #[arg(long)]
    json: bool,
}

/// A saved login, without its key.
struct Row {
    name: String,
    server: String,
    tenant: Option<String>,
}

const COLUMNS: &[Column<Row>] = &[
    ("LOGIN", |it| it.name.clone()),
    ("SERVER", |it| it.server.clone()),
    ("TENANT", |it| it.tenant.clone().unwrap_or_default()),
];

/// Saves, lists or forgets.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let json = args.json;
    let done = if args.list {
        list(&args)
    } else if args.remove {
        remove(&args)
    } else {
        login(args).await
    };
    Ok(done.unwrap_or_else(|error| remote::report(&error, json)))
}

async fn login(args: Args) -> anyhow::Result<Exit> {
    let server = remote::find_server(args.server.as_deref(), &environment)?;
    let tenant = match args.tenant {
        Some(tenant) => Some(tenant),
        None => remote::variable(&environment, "HOOKYARD_TENANT")?,
    };
    let key = match (&args.api_key, remote::variable(&environment, "HOOKYARD_API_KEY")?) {
        (Some(given), _) => input::secret(given)?,
        (None, Some(key)) => key,
        (None, None) => prompt::ask(&format!("API key for {server}: "))?,
    };
    if key.is_empty() {
        return Err(Exit::Usage.because("no key was given"));
    }
    let who = check(&server, &key, tenant.as_deref()).await?;
    let tenant = tenant.or_else(|| who.tenant.clone());
    let path = profiles::file(&environment)
        .ok_or_else(|| Exit::Usage.because("neither XDG_CONFIG_HOME nor HOME is set"))?;
    let mut saved = profiles::load(&environment)?;
    let row = Row { name: args.name, server: server.to_string(), tenant };
    let profile =
        Profile { server: row.server.clone(), tenant: row.tenant.clone(), api_key: Some(key) };
    saved.profiles.insert(row.name.clone(), profile);
    profiles::save(&saved, &path)?;
    if args.json {
        let mut saved = row.to_json();
        saved["operator"] = json!(who.operator);
        saved["scopes"] = json!(who.scopes);
        output::say(saved.to_string());
    } else {
        output::say(format!("Saved `{}` for {} in {}", row.name, row.server, path.display()));
        output::talk(told(&who));
    }
    Ok(Exit::Ok)
}

/// Whose key it is, in words.
fn told(who: &Whoami) -> String {
    if who.operator {
        return "It is the operator's key, which may do everything in every tenant.".to_owned();
    }
    let scopes: Vec<_> = who.scopes.iter().map(output::word).collect();
    let tenant = output::printable(who.tenant.as_deref().unwrap_or_default());
    format!("It is a key of the tenant `{tenant}`; its scopes: {}.", scopes.join(", "))
}

/// The server knows the key; and if a tenant is named, it is one of the key's.
async fn check(server: &Server, key: &str, tenant: Option<&str>) -> anyhow::Result<Whoami> {
    let client = Client::new(server.clone(), Secret::new(key.to_owned()));
    let fault = |cause| anyhow::Error::from(Fault::new(cause, None));
    let who = client.send(&calls::whoami(), None).await.map_err(fault)?.value;
    match tenant {
        Some(tenant) if who.operator => {
            client.send(&calls::get_tenant(tenant), None).await.map_err(fault)?;
        }
        Some(tenant) if who.tenant.as_deref() != Some(tenant) => {
            let message = format!("the key is not one of the tenant `{tenant}`");
            return Err(Exit::NotFound.because(message));
        }
        Some(_) | None => {}
    }
    Ok(who)
}

fn list(args: &Args) -> anyhow::Result<Exit> {
    let Saved { profiles } = profiles::load(&environment)?;
    let rows: Vec<_> = profiles
        .into_iter()
        .map(|(name, it)| Row { name, server: it.server, tenant: it.tenant })
        .collect();
    if args.json {
        rows.iter().for_each(|row| output::say(row.to_json().to_string()));
    } else if rows.is_empty() {
        output::talk("Nothing is saved.");
    } else {
        Printer::new(false, &environment).table(COLUMNS, &rows);
    }
    Ok(Exit::Ok)
}

fn remove(args: &Args) -> anyhow::Result<Exit> {
    let name = &args.name;
    let mut saved = profiles::load(&environment)?;
    let path = profiles::file(&environment);
    match (saved.profiles.remove(name), path) {
        (Some(_), Some(path)) => profiles::save(&saved, &path)?,
        _ => return Err(Exit::NotFound.because(format!("there is no login `{name}`"))),
    }
    Printer::new(args.json, &environment).done(name, "removed");
    Ok(Exit::Ok)
}

impl Row {
    fn to_json(&self) -> serde_json::Value {
        json!({ "login": self.name, "server": self.server, "tenant": self.tenant })
    }
}
