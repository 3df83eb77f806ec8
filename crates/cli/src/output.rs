//! What the process says: data on stdout, talk on stderr. A closed pipe is no reason to panic.

mod table;

use std::io::Write as _;

pub use self::table::{Column, Printer, Table, printable, word};

/// Writes a line of data, at once.
pub fn say(line: impl AsRef<str>) {
    let mut out = std::io::stdout().lock();
    // Nobody is left to be told when stdout is closed, as in `hookyard openapi | head`.
    let _ = writeln!(out, "{}", line.as_ref()).and_then(|()| out.flush());
}

/// Writes lines of data; false when nobody reads any more.
pub fn write(text: impl AsRef<[u8]>) -> bool {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_ref()).and_then(|()| out.flush()).is_ok()
}

/// Writes a line of talk.
pub fn talk(line: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr().lock(), "{}", line.as_ref());
}

/// Writes an error with its causes as one line.
pub fn complain(error: &anyhow::Error) {
    talk(format!("error: {}", one_line(&format!("{error:#}"))));
}

fn one_line(text: &str) -> String {
    text.split('\n').map(str::trim).filter(|it| !it.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_many_lines_becomes_one() {
        assert_eq!(one_line("a:\n  | b\n\n c\n"), "a: | b c");
    }
}
