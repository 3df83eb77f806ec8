//! `hookyard mcp`: a server's tools for agents, on stdin and stdout.

use anyhow::Context as _;
use hookyard_mcp::stdio::Relay;
use tokio::io::{BufReader, stdin, stdout};

use crate::exit::Exit;
use crate::remote::{self, Common};

/// Arguments of `mcp`.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    common: Common,
}

/// Passes messages on until stdin ends.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    remote::with(args.common, async |session| {
        let tenant = session.tenant_if_any().map(ToOwned::to_owned);
        let relay = Relay::new(session.client().clone(), tenant);
        relay.run(BufReader::new(stdin()), stdout()).await.context("speaking with the agent")?;
        Ok(Exit::Ok)
    })
    .await
}
