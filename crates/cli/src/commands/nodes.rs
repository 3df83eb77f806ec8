//! `hookyard nodes`: the processes that serve from one store.

use hookyard_api::client::calls;
use hookyard_api::nodes::Node;

use crate::exit::Exit;
use crate::output::{self, Column};
use crate::remote::{self, Common};

/// Arguments of `nodes`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// List the nodes, those that are gone too
    List,
}

const COLUMNS: &[Column<Node>] = &[
    ("ID", |it| it.id.clone()),
    ("NAME", |it| it.name.clone().unwrap_or_default()),
    ("STATUS", |it| output::word(&it.status)),
    ("SILENT FOR", |it| format!("{:.1} s", it.silent_ms as f64 / 1000.0)),
    ("LAST HEARD", |it| it.heartbeat_at.clone()),
    ("STARTED", |it| it.started_at.clone()),
    ("ANSWERED", |it| if it.answering { "this one".to_owned() } else { String::new() }),
];

/// Does what was asked for.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    remote::with(args.common, async |session| match args.verb {
        Verb::List => session.list(calls::nodes(), None, COLUMNS).await,
    })
    .await
}
