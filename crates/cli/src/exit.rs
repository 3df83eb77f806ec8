//! Exit codes of the whole binary (contract §1), and how an error finds its own.

use std::fmt;
use std::process::ExitCode;

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// All went well.
    Ok = 0,
    /// Any failure that has no code of its own.
    Failure = 1,
    /// Bad arguments or configuration.
    Usage = 2,
    /// The server does not know the key.
    Unauthenticated = 3,
    /// The key may not do that.
    Forbidden = 4,
    /// The thing is not there.
    NotFound = 5,
    /// A conflict, or refused: 409, 412, 422, and what would overwrite something.
    Refused = 6,
    /// Too many requests.
    RateLimited = 7,
    /// The server cannot be reached.
    Network = 8,
}

impl Exit {
    /// The code for a server's answer that is not a success.
    #[must_use]
    pub const fn of_status(status: u16) -> Self {
        match status {
            401 => Self::Unauthenticated,
            403 => Self::Forbidden,
            404 | 410 => Self::NotFound,
            409 | 412 | 422 => Self::Refused,
            429 => Self::RateLimited,
            _ => Self::Failure,
        }
    }

    /// An error that ends the process with this code.
    pub fn because(self, message: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Coded { exit: self, message: message.into() })
    }

    /// The code an error asks for; without one of its own it is a failure.
    #[must_use]
    pub fn of(error: &anyhow::Error) -> Self {
        error.downcast_ref::<Coded>().map_or(Self::Failure, |it| it.exit)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// An error that knows its exit code; anyhow finds it through every context around it.
#[derive(Debug)]
struct Coded {
    exit: Exit,
    message: String,
}

impl fmt::Display for Coded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Coded {}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn an_error_keeps_its_code_through_contexts() {
        let error = Err::<(), _>(Exit::Usage.because("bad")).context("reading it").unwrap_err();
        assert_eq!(Exit::of(&error), Exit::Usage);
        assert_eq!(format!("{error:#}"), "reading it: bad");
        assert_eq!(Exit::of(&anyhow::anyhow!("other")), Exit::Failure);
    }

    #[test]
    fn answers_of_a_server_have_the_codes_of_the_contract() {
        for (status, code) in
            [(401, 3), (403, 4), (404, 5), (409, 6), (412, 6), (422, 6), (429, 7), (500, 1)]
        {
            assert_eq!(Exit::of_status(status) as u8, code, "{status}");
        }
    }
}
