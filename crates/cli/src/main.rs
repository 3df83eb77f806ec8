//! The front door: the binary `hookyard`. It composes the house, runs commands, prints and exits.
//!
//! The one room that names adapters, doors, settings and the clock. Start reading at [`commands`], then [`compose`].
//!
//! **Never** here: rules about delivery.

mod clock;
mod commands;
mod compose;
mod config;
mod data;
mod exit;
mod forward;
mod local;
mod output;
mod remote;
mod sealed;
mod secrets;
mod server;
mod telemetry;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    // clap ends the process itself where the arguments are wrong (2) or help is asked for (0).
    match commands::run(commands::Cli::parse_from(remote::flags_last(std::env::args_os()))) {
        Ok(exit) => exit.into(),
        Err(error) => {
            output::complain(&error);
            exit::Exit::of(&error).into()
        }
    }
}
