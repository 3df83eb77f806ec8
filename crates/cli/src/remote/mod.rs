//! What the remote commands share: whom they speak to, with which key and tenant, and how they ask and print.
//!
//! A command parses its flags, makes one call through [`Session`] and prints what came back; every refusal leaves through
//! `fault`, with its exit code.

mod fault;
mod fields;
mod follow;
pub mod input;
mod leading;
pub mod profiles;
mod target;

use std::time::Duration;

use hookyard_api::client::calls::Rows;
use hookyard_api::client::{Call, Client, ClientError, File, Kept};
use hookyard_domain::time::{Chance, Clock as _, Timestamp};
use serde::de::DeserializeOwned;

pub use self::fault::{Fault, report};
pub use self::fields::Fields;
pub use self::follow::Follower;
pub use self::leading::flags_last;
pub use self::target::{find_server, variable};

use self::target::Target;
use crate::clock::{SystemChance, SystemClock};
use crate::config::sources::environment;
use crate::exit::Exit;
use crate::output::{self, Column, Printer};

/// Rows of one page of a list that is wanted whole.
const PAGE_ROWS: u32 = 100;
/// The server's own bound for a page.
const PAGE_ROWS_MAX: u32 = 250;

/// Flags of every remote command.
#[derive(clap::Args)]
#[command(next_help_heading = "Server")]
pub struct Common {
    /// Where the server is [env: HOOKYARD_URL] [default: the login's, else http://127.0.0.1:8080]
    #[arg(long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// The key; `@FILE` or `-` reads it [env: HOOKYARD_API_KEY]
    #[arg(long, global = true, value_name = "KEY")]
    pub api_key: Option<String>,
    /// The tenant [env: HOOKYARD_TENANT]
    #[arg(long, global = true, value_name = "ID")]
    pub tenant: Option<String>,
    /// Use what `hookyard login NAME` saved; wins over the environment
    #[arg(long, global = true, value_name = "NAME")]
    pub login: Option<String>,
    /// Print one JSON document, a list as JSON Lines, a failure as JSON on stderr
    #[arg(long, global = true)]
    pub json: bool,
    /// A POST with the same key is done once [default: a fresh one for each command]
    #[arg(long, global = true, value_name = "KEY")]
    pub idempotency_key: Option<String>,
}

/// A conversation with one server.
pub struct Session {
    client: Client,
    tenant: Option<String>,
    idempotency_key: String,
    /// How things are printed.
    pub out: Printer,
}

/// Runs a remote command; what goes wrong is said here, in the form that was asked for.
pub async fn with(
    common: Common,
    command: impl AsyncFnOnce(&Session) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let json = common.json;
    let done = match Session::open(common) {
        Ok(session) => command(&session).await,
        Err(error) => Err(error),
    };
    Ok(done.unwrap_or_else(|error| report(&error, json)))
}

/// The same for a command that follows a stream, and takes it for lost after so long a silence.
pub async fn with_silence(
    common: Common,
    silence_max: Duration,
    command: impl AsyncFnOnce(&Session) -> anyhow::Result<Exit>,
) -> anyhow::Result<Exit> {
    let json = common.json;
    let done = match Session::open(common) {
        Ok(session) => command(&session.with_silence_max(silence_max)).await,
        Err(error) => Err(error),
    };
    Ok(done.unwrap_or_else(|error| report(&error, json)))
}

impl Session {
    fn open(common: Common) -> anyhow::Result<Self> {
        let idempotency_key = match &common.idempotency_key {
            Some(key) => key.clone(),
            None => fresh_key(&*SystemChance::open()?),
        };
        let out = Printer::new(common.json, &environment);
        let Target { server, key, tenant } = Target::find(&common, &environment)?;
        Ok(Self { client: Client::new(server, key), tenant, idempotency_key, out })
    }

    /// The server that is spoken to, as it is written.
    pub fn server(&self) -> String {
        self.client.server().to_string()
    }

    /// The same that takes a stream for lost after so long a silence.
    fn with_silence_max(self, silence_max: Duration) -> Self {
        Self { client: self.client.with_silence_max(silence_max), ..self }
    }

    /// The tenant that is meant.
    pub fn tenant(&self) -> anyhow::Result<&str> {
        self.tenant.as_deref().ok_or_else(|| {
            Exit::Usage.because(
                "which tenant? Give `--tenant ID`, set HOOKYARD_TENANT, or save one with `hookyard login --tenant ID`",
            )
        })
    }

    /// The tenant that is meant, if anything says so.
    pub fn tenant_if_any(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// What speaks to the server.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Makes a call.
    pub async fn ask<T: DeserializeOwned>(&self, call: &Call<T>) -> anyhow::Result<Kept<T>> {
        let key = call.takes_idempotency_key().then_some(&*self.idempotency_key);
        let answer = self.client.send(call, key).await;
        answer.map_err(|cause| Fault::new(cause, key).into())
    }

    /// Makes a call and prints what it answers.
    pub async fn show<T: DeserializeOwned>(&self, call: Call<T>) -> anyhow::Result<Exit> {
        self.out.document(&self.ask(&call).await?.text);
        Ok(Exit::Ok)
    }

    /// Takes a thing away and says so.
    pub async fn delete(&self, call: Call<()>, id: &str) -> anyhow::Result<Exit> {
        self.ask(&call).await?;
        self.out.done(id, "deleted");
        Ok(Exit::Ok)
    }

    /// Prints a list, page by page, up to `limit` rows.
    pub async fn list<T: DeserializeOwned>(
        &self,
        call: Call<Rows<T>>,
        limit: Option<u32>,
        columns: &[Column<T>],
    ) -> anyhow::Result<Exit> {
        self.list_of(call, limit, columns, |_| true).await
    }

    /// Prints those rows of a list that are wanted, where the server has no filter for that.
    pub async fn list_of<T: DeserializeOwned>(
        &self,
        call: Call<Rows<T>>,
        limit: Option<u32>,
        columns: &[Column<T>],
        wanted: impl Fn(&T) -> bool,
    ) -> anyhow::Result<Exit> {
        let mut table = output::Table::new(columns);
        let mut left = limit.unwrap_or(u32::MAX);
        let mut call = call;
        loop {
            let rows = if limit.is_some() { left.min(PAGE_ROWS_MAX) } else { PAGE_ROWS };
            call = call.query("limit", Some(rows));
            let mut page = self.ask(&call).await?.value;
            page.data.retain(|it| wanted(&it.value));
            left = left.saturating_sub(u32::try_from(page.data.len()).unwrap_or(u32::MAX));
            let heard = self.out.rows(&mut table, &page.data);
            match page.next_cursor {
                Some(next) if heard && left > 0 => call = call.query("cursor", Some(next)),
                Some(_) | None => break,
            }
        }
        if !table.has_begun() && !self.out.json {
            output::talk("Nothing found.");
        }
        Ok(Exit::Ok)
    }

    /// Hands a file over as it comes.
    pub async fn stream(
        &self,
        call: &Call<File>,
        take: impl FnMut(&[u8]) -> bool,
    ) -> anyhow::Result<()> {
        let done = self.client.stream(call, take).await;
        done.map_err(|cause: ClientError| Fault::new(cause, None).into())
    }
}

/// Now.
pub fn now() -> Timestamp {
    SystemClock.now()
}

fn fresh_key(chance: &dyn Chance) -> String {
    let mut random = [0_u8; 16];
    chance.fill(&mut random);
    random.iter().fold("cli-".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// Says on stderr that a secret has been shown, if one has.
pub fn note_secret(secret: Option<&String>, what: &str) {
    if secret.is_some() {
        output::talk(format!("Keep the {what}: it is shown this once."));
    }
}

/// An id in an argument; nothing is asked of the server where there is none.
pub fn id(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("give an id".to_owned()) } else { Ok(text.to_owned()) }
}
