//! `hookyard jobs`: work on many deliveries that goes on by itself.

use hookyard_api::client::calls;
use hookyard_api::jobs::Job;

use crate::exit::Exit;
use crate::output::{self, Column};
use crate::remote::{self, Common, id};

/// Arguments of `jobs`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// List the jobs, newest first
    List(List),
    /// Show a job
    Get(One),
    /// End a job; what it has done stays done
    Cancel(One),
}

#[derive(clap::Args)]
struct List {
    /// Rows at most [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

#[derive(clap::Args)]
struct One {
    /// The job, `job_…`
    #[arg(value_parser = id)]
    id: String,
}

const COLUMNS: &[Column<Job>] = &[
    ("ID", |it| it.id.clone()),
    ("KIND", |it| output::word(&it.kind)),
    ("STATUS", |it| output::word(&it.status)),
    ("DONE", |it| format!("{} of {}", it.done, it.total)),
    ("WEBHOOK", |it| it.endpoint_id.clone()),
    ("CREATED", |it| it.created_at.clone()),
    ("ERROR", |it| it.error.clone().unwrap_or_default()),
];

/// Does what was asked for.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    remote::with(args.common, async |session| {
        let tenant = session.tenant()?;
        match args.verb {
            Verb::List(it) => session.list(calls::jobs(tenant), it.limit, COLUMNS).await,
            Verb::Get(it) => session.show(calls::get_job(tenant, &it.id)).await,
            Verb::Cancel(it) => session.show(calls::cancel_job(tenant, &it.id)).await,
        }
    })
    .await
}
