//! `hookyard event-types`: a tenant's catalogue.

use hookyard_api::client::calls;
use hookyard_api::event_types::EventType;

use crate::exit::Exit;
use crate::output::Column;
use crate::remote::{self, Common, Fields, input};

/// Arguments of `event-types`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// List the event types
    List(List),
    /// Load a built-in catalogue, or the event types of an OpenAPI or JSON Schema document
    Import(Import),
}

#[derive(clap::Args)]
struct List {
    /// Rows at most [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

#[derive(clap::Args)]
struct Import {
    /// aly, alvys or aryeo, or a document: `@FILE` or `-`
    #[arg(value_name = "CATALOGUE")]
    what: String,
}

const COLUMNS: &[Column<EventType>] = &[
    ("NAME", |it| it.name.clone()),
    ("GROUP", |it| it.group.clone().unwrap_or_default()),
    ("DEPRECATED", |it| if it.deprecated { "yes".to_owned() } else { String::new() }),
    ("DESCRIPTION", |it| it.description.clone().unwrap_or_default()),
];

/// Does what was asked for.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    remote::with(args.common, async |session| {
        let tenant = session.tenant()?;
        match args.verb {
            Verb::List(it) => session.list(calls::event_types(tenant), it.limit, COLUMNS).await,
            Verb::Import(it) if it.what == "-" || it.what.starts_with('@') => {
                let document = input::json("the document", &it.what)?;
                session.show(calls::import_document(tenant, &document)).await
            }
            Verb::Import(it) => {
                let form = Fields::default().set("catalogue", Some(it.what))?.form()?;
                session.show(calls::import_catalogue(tenant, form)).await
            }
        }
    })
    .await
}
