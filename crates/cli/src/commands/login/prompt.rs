//! Asks for a secret: on a terminal without showing what is typed, else the first line of stdin.

use std::io::{BufRead as _, IsTerminal as _, Read as _, Write as _};

use anyhow::Context as _;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::exit::Exit;

const CTRL_C: u8 = 0x03;
const CTRL_D: u8 = 0x04;
const BACKSPACE: [u8; 2] = [0x08, 0x7f];

/// The terminal as it was, put back when this goes.
struct Quiet(Termios);

impl Quiet {
    /// From here on nothing that is typed is shown, and each key comes by itself, those that would end the process too:
    /// ended there, it would leave the terminal silent.
    fn begin() -> anyhow::Result<Self> {
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin).context("asking the terminal for its modes")?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(&stdin, OptionalActions::Flush, &quiet).context("silencing the terminal")?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.0);
    }
}

/// The answer to a question.
pub fn ask(question: &str) -> anyhow::Result<String> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        let mut line = String::new();
        stdin.lock().read_line(&mut line).context("reading stdin")?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    // Quiet before it asks: an answer that comes at once is not to be seen, or lost, either.
    let quiet = Quiet::begin()?;
    let mut stderr = std::io::stderr();
    write!(stderr, "{question}").and_then(|()| stderr.flush()).context("asking")?;
    let typed = typed(stdin.lock().bytes());
    drop(quiet);
    let _ = writeln!(stderr);
    typed
}

fn typed(keys: impl Iterator<Item = std::io::Result<u8>>) -> anyhow::Result<String> {
    let mut typed = Vec::new();
    for key in keys {
        match key.context("reading the terminal")? {
            b'\r' | b'\n' | CTRL_D => break,
            CTRL_C => return Err(Exit::Failure.because("interrupted")),
            key if BACKSPACE.contains(&key) => drop(typed.pop()),
            key => typed.push(key),
        }
    }
    String::from_utf8(typed).map_err(|_| Exit::Usage.because("what was typed is not UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_typed_with_corrections_and_can_be_given_up() {
        let typed = |keys: &[u8]| typed(keys.iter().copied().map(Ok)).map_err(|it| it.to_string());
        assert_eq!(typed(b"abx\x7fc\nrest"), Ok("abc".to_owned()));
        assert_eq!(typed(b"\x7fa\x04"), Ok("a".to_owned()));
        assert!(typed(b"ab\x03c\n").is_err());
    }
}
