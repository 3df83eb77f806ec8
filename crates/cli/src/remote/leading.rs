//! Flags of every remote command that stand before it: `hookyard --tenant acme webhooks list`.

use std::ffi::OsString;

/// Those with a value, and the one without.
const WITH_VALUE: [&str; 5] = ["--server", "--api-key", "--tenant", "--login", "--idempotency-key"];
const ALONE: &str = "--json";

/// The same line with such flags moved behind the command, which knows them. What is no such flag stays where it is, so
/// that a local command refuses them as it does anywhere.
pub fn flags_last(line: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let mut rest = line.peekable();
    let mut all: Vec<OsString> = rest.next().into_iter().collect();
    let mut flags = Vec::new();
    while let Some(flag) = rest.next_if(is_flag) {
        let takes_next = WITH_VALUE.iter().any(|it| flag == *it);
        flags.push(flag);
        if takes_next {
            flags.extend(rest.next());
        }
    }
    match rest.next_if(|it| !it.to_string_lossy().starts_with('-')) {
        Some(command) => all.extend([command].into_iter().chain(flags)),
        None => all.extend(flags),
    }
    all.extend(rest);
    all
}

fn is_flag(word: &OsString) -> bool {
    let word = word.to_string_lossy();
    let name = word.split_once('=').map_or(&*word, |(name, _)| name);
    word == ALONE || WITH_VALUE.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, want: &str) {
        let words = line.split(' ').map(OsString::from);
        let moved: Vec<_> =
            flags_last(words).iter().map(|it| it.to_string_lossy().into_owned()).collect();
        assert_eq!(moved.join(" "), want);
    }

    #[test]
    fn flags_before_a_command_go_behind_it() {
        check("hookyard --json webhooks list", "hookyard webhooks --json list");
        check(
            "hookyard --tenant acme --server=http://x jobs list --json",
            "hookyard jobs --tenant acme --server=http://x list --json",
        );
        check("hookyard webhooks list --json", "hookyard webhooks list --json");
        check("hookyard --help", "hookyard --help");
        check("hookyard --json --help", "hookyard --json --help");
        check("hookyard --tenant", "hookyard --tenant");
        check("hookyard", "hookyard");
    }
}
