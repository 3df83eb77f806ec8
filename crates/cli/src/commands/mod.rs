//! The closed list of commands; one file each.

mod backup;
mod bench;
mod completions;
mod dev;
mod doctor;
mod event_types;
mod events;
mod healthcheck;
mod jobs;
mod keys;
mod listen;
mod login;
mod man;
mod mcp;
mod migrate;
mod nodes;
mod openapi;
mod restore;
mod scheme;
mod serve;
mod sign;
mod sources;
mod tail;
mod tenants;
mod verify;
mod webhooks;

use std::future::Future;

use anyhow::Context as _;
use clap::{Parser, Subcommand};

use crate::exit::Exit;

/// Hookyard, a webhook gateway: accepts events, signs them and delivers them.
#[derive(Parser)]
#[command(name = "hookyard", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Try it: serve, publish a sample event, deliver it to a built-in receiver, show what happened
    Dev(dev::Args),
    /// Run the server
    Serve(serve::Args),
    /// Copy the embedded store to a file, also while the server runs
    Backup(backup::Args),
    /// Put a backup into an empty data folder
    Restore(restore::Args),
    /// Bring the store's schema up to date (also done at every start)
    Migrate(migrate::Args),
    /// Check configuration, data folder, store, keys, clock and network
    Doctor(doctor::Args),
    /// Print an OpenAPI document
    Openapi(openapi::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
    /// Write manual pages into a folder
    Man(man::Args),
    /// Ask a server on this machine whether it is ready
    Healthcheck(healthcheck::Args),
    /// Measure: generate load, receive it, report
    Bench(bench::BenchArgs),
    /// Save a server, a key and a tenant, for the commands below
    Login(login::Args),
    /// Tenants, with the operator's key
    Tenants(tenants::Args),
    /// Nodes: the processes that serve, with the operator's key
    Nodes(nodes::Args),
    /// API keys of a tenant
    Keys(keys::Args),
    /// Webhooks: where events go, and what was delivered
    Webhooks(webhooks::Args),
    /// Sources: where other providers' webhooks come in
    Sources(sources::Args),
    /// Publish events, look at them, send them once more
    Events(events::Args),
    /// Jobs: work on many deliveries that goes on by itself
    Jobs(jobs::Args),
    /// The catalogue of event types
    EventTypes(event_types::Args),
    /// Give an agent the tools of a server: speaks the Model Context Protocol on stdin and stdout
    Mcp(mcp::Args),
    /// Live events to a port of this machine, signed; goes on where it stopped, with nothing missed
    Listen(Box<listen::Args>),
    /// Follow the attempts at deliveries as they end
    Tail(tail::Args),
    /// Sign a body as the gateway or a provider would; asks no server
    Sign(sign::Args),
    /// Say whether a signature verifies, and which part differs; asks no server
    Verify(verify::Args),
}

/// Runs the command that was asked for.
pub fn run(cli: Cli) -> anyhow::Result<Exit> {
    match cli.command {
        Command::Dev(args) => block_on(dev::run(args)),
        Command::Serve(args) => block_on(serve::run(args)),
        Command::Backup(args) => block_on(backup::run(args)),
        Command::Restore(args) => block_on(restore::run(args)),
        Command::Migrate(args) => block_on(migrate::run(args)),
        Command::Doctor(args) => block_on(doctor::run(args)),
        Command::Openapi(args) => openapi::run(&args),
        Command::Completions(args) => Ok(completions::run(&args)),
        Command::Man(args) => man::run(&args),
        Command::Healthcheck(args) => block_on(healthcheck::run(args)),
        Command::Bench(args) => block_on(async { bench::run(args).await.map(|()| Exit::Ok) }),
        Command::Login(args) => block_on(login::run(args)),
        Command::Tenants(args) => block_on(tenants::run(args)),
        Command::Nodes(args) => block_on(nodes::run(args)),
        Command::Keys(args) => block_on(keys::run(args)),
        Command::Webhooks(args) => block_on(webhooks::run(args)),
        Command::Sources(args) => block_on(sources::run(args)),
        Command::Events(args) => block_on(events::run(args)),
        Command::Jobs(args) => block_on(jobs::run(args)),
        Command::EventTypes(args) => block_on(event_types::run(args)),
        Command::Mcp(args) => block_on(mcp::run(args)),
        Command::Listen(args) => block_on(listen::run(*args)),
        Command::Tail(args) => block_on(tail::run(args)),
        Command::Sign(args) => Ok(sign::run(&args)),
        Command::Verify(args) => Ok(verify::run(&args)),
    }
}

fn block_on(command: impl Future<Output = anyhow::Result<Exit>>) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("starting the runtime")?;
    let answer = runtime.block_on(command);
    // What is still blocked at this point, as a look-up of a name, is nobody's any more.
    runtime.shutdown_background();
    answer
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
