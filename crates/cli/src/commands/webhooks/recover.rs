//! `hookyard webhooks recover`: what failed is sent again, by a job that is watched while it runs.

use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

use hookyard_api::client::{Kept, calls};
use hookyard_api::jobs::{Job, JobStatus};

use crate::exit::Exit;
use crate::output;
use crate::remote::{self, Fields, Session, id, input};

/// How often the job is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Characters of the bar.
const BAR: u64 = 30;

/// Arguments of `webhooks recover`.
#[derive(clap::Args)]
pub struct Args {
    /// The webhook, `wh_…`
    #[arg(value_parser = id)]
    id: String,
    /// Of events accepted since: a time, or so long ago, such as `6h`
    #[arg(long, value_name = "WHEN")]
    since: String,
    /// Of events accepted before: a time, or so long ago [default: now]
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// In this state: failed, discarded, cancelled, pending, or all for the first three; repeatable, or with commas
    /// [default: failed]
    #[arg(long = "status", value_name = "STATUS", value_delimiter = ',')]
    statuses: Vec<String>,
    /// Deliveries a second at most [default: 1000]
    #[arg(long, value_name = "N")]
    rate: Option<u32>,
    /// Only the first so many, the oldest event first [default: all]
    #[arg(long, value_name = "N")]
    limit: Option<u32>,
    /// Do not wait until the job has ended
    #[arg(long)]
    detach: bool,
}

/// Does what was asked for.
pub async fn run(session: &Session, tenant: &str, it: Args) -> anyhow::Result<Exit> {
    let now = remote::now();
    let until = it.until.as_deref().map(|until| input::ago(until, now)).transpose()?;
    let fields = Fields::default()
        .set("since", Some(input::ago(&it.since, now)?))?
        .set("until", until)?
        .set("status", input::some(it.statuses))?
        .set("rate_per_s", it.rate)?
        .set("limit", it.limit)?;
    let made = session.ask(&calls::recover_endpoint(tenant, &it.id, fields.form()?)).await?;
    if it.detach {
        session.out.document(&made.text);
        return Ok(Exit::Ok);
    }
    watch(session, tenant, made).await
}

/// Shows how the job goes on until it has ended. Whoever stops watching does not stop it.
async fn watch(session: &Session, tenant: &str, mut job: Kept<Job>) -> anyhow::Result<Exit> {
    let mut shown = Progress::new(session.out.json);
    let id = job.value.id.clone();
    loop {
        if job.value.status != JobStatus::Running {
            shown.end();
            session.out.document(&job.text);
            return Ok(if job.value.status == JobStatus::Done { Exit::Ok } else { Exit::Failure });
        }
        shown.show(&job.value);
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = tokio::signal::ctrl_c() => {
                shown.end();
                output::talk(format!("The job goes on. `hookyard jobs cancel {id}` ends it."));
                return Ok(Exit::Failure);
            }
        }
        job = session.ask(&calls::get_job(tenant, &id)).await?;
    }
}

/// How a job goes on: a bar on a terminal, nothing elsewhere, and nothing before the one document of `--json`.
struct Progress {
    has_bar: bool,
    last: Option<u64>,
}

impl Progress {
    fn new(json: bool) -> Self {
        Self { has_bar: !json && std::io::stderr().is_terminal(), last: None }
    }

    fn show(&mut self, it: &Job) {
        let is_news = self.last.replace(it.done) != Some(it.done);
        if is_news && self.has_bar {
            let mut err = std::io::stderr().lock();
            // Nobody is left to be shown anything when stderr is closed.
            let _ = write!(err, "\r{}", bar(it.done, it.total)).and_then(|()| err.flush());
        }
    }

    fn end(&mut self) {
        if self.has_bar && self.last.take().is_some() {
            let _ = write!(std::io::stderr().lock(), "\r\u{1b}[K");
        }
    }
}

fn bar(done: u64, total: u64) -> String {
    let full = (done.min(total) * BAR).checked_div(total).unwrap_or(0);
    let (full, rest) = (usize::try_from(full), usize::try_from(BAR - full));
    format!(
        "[{}{}] {done} of {total}",
        "#".repeat(full.unwrap_or(0)),
        "-".repeat(rest.unwrap_or(0))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_full_as_the_job_is_done() {
        assert_eq!(bar(0, 0), format!("[{}] 0 of 0", "-".repeat(30)));
        assert_eq!(bar(5, 10), format!("[{}{}] 5 of 10", "#".repeat(15), "-".repeat(15)));
        assert_eq!(bar(12, 10), format!("[{}] 12 of 10", "#".repeat(30)));
    }
}
