//! What the machine gives: network, names, open files.

use std::fs;

use rustix::process::{Resource, getrlimit};

use super::Check;
use crate::config::settings::Settings;

/// Files a server of ordinary load opens: two sockets for each attempt in flight and their callers.
const OPEN_FILES_COMFORTABLE: u64 = 4096;
/// Below this even a small server runs dry.
const OPEN_FILES_MIN: u64 = 256;

/// The checks.
pub fn checks(settings: &Settings) -> [Check; 3] {
    [egress(settings), names(), open_files()]
}

fn egress(settings: &Settings) -> Check {
    let http = if settings.allow_http { "https and http" } else { "https only" };
    let ranges = &settings.allow_networks;
    let said = match ranges.is_empty() {
        true => format!("{http}, public addresses only"),
        false => {
            let ranges: Vec<_> = ranges.iter().map(ToString::to_string).collect();
            format!("{http}, public addresses and {}", ranges.join(", "))
        }
    };
    let everything = ranges.iter().any(|it| it.prefix_len() == 0);
    if everything {
        return Check::warn(
            "egress",
            format!("{said}: tenants can reach every private address of this network"),
        );
    }
    Check::ok("egress", said)
}

/// The resolver reads the same file.
fn names() -> Check {
    const WHAT: &str = "name resolution";
    const FILE: &str = "/etc/resolv.conf";
    let text = match fs::read_to_string(FILE) {
        Ok(text) => text,
        Err(error) => {
            return Check::warn(
                WHAT,
                format!("{FILE} cannot be read ({error}): endpoint URLs with names fail"),
            );
        }
    };
    let servers: Vec<_> = servers(&text).collect();
    match servers.is_empty() {
        true => Check::warn(
            WHAT,
            format!("{FILE} names no `nameserver`: endpoint URLs with names fail"),
        ),
        false => Check::ok(WHAT, format!("by {}", servers.join(", "))),
    }
}

fn servers(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| line.trim_start().strip_prefix("nameserver")).map(str::trim)
}

fn open_files() -> Check {
    const WHAT: &str = "open files";
    // The server raises its own limit as far as it may.
    let Some(most) = getrlimit(Resource::Nofile).maximum else {
        return Check::ok(WHAT, "no limit");
    };
    let said = format!("at most {most}");
    match most {
        OPEN_FILES_COMFORTABLE.. => Check::ok(WHAT, said),
        OPEN_FILES_MIN.. => Check::warn(
            WHAT,
            format!("{said}; raise it (`ulimit -n`) to {OPEN_FILES_COMFORTABLE} or more"),
        ),
        _ => Check::fail(
            WHAT,
            format!("{said}; a server needs {OPEN_FILES_MIN} at the very least (`ulimit -n`)"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_servers_are_read_as_the_resolver_does() {
        let text = "# nameserver 1.1.1.1\nsearch x\n nameserver 9.9.9.9\nnameserver ::1\n";
        assert_eq!(servers(text).collect::<Vec<_>>(), ["9.9.9.9", "::1"]);
    }
}
