//! How a remote command fails: one line for people or one document for programs, and its exit code.

use std::fmt;

use hookyard_api::client::{ClientError, Refusal};
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::output;

/// A call that came to nothing.
#[derive(Debug)]
pub struct Fault {
    cause: ClientError,
    /// What it was sent with, so that it can be repeated.
    idempotency_key: Option<String>,
}

impl Fault {
    /// What went wrong with a call.
    pub fn new(cause: ClientError, idempotency_key: Option<&str>) -> Self {
        Self { cause, idempotency_key: idempotency_key.map(str::to_owned) }
    }

    /// What went wrong.
    pub fn cause(&self) -> &ClientError {
        &self.cause
    }

    fn exit(&self) -> Exit {
        match &self.cause {
            ClientError::Refused(it) => Exit::of_status(it.status),
            ClientError::Connect(_) | ClientError::Broken(_) | ClientError::TimedOut(_) => {
                Exit::Network
            }
            ClientError::Strange(_) => Exit::Failure,
            ClientError::Unsendable(_) => Exit::Usage,
        }
    }

    fn to_json(&self) -> Value {
        let mut error = json!({ "exit": self.exit() as u8, "message": self.to_string() });
        if let ClientError::Refused(it) = &self.cause {
            error["status"] = json!(it.status);
            if let Some(problem) = &it.problem {
                error["code"] = json!(problem.code);
                error["errors"] = json!(problem.errors);
            }
            if let Some(seconds) = it.retry_after {
                error["retry_after_s"] = json!(seconds);
            }
        }
        if let Some(key) = &self.repeatable_with() {
            error["idempotency_key"] = json!(key);
        }
        error
    }

    /// The key to repeat it with, where nobody knows whether it was done.
    fn repeatable_with(&self) -> Option<&str> {
        let unknown = matches!(self.cause, ClientError::Broken(_) | ClientError::TimedOut(_));
        self.idempotency_key.as_deref().filter(|_| unknown)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            ClientError::Refused(it) => refused(it, f)?,
            ClientError::Connect(_)
            | ClientError::Broken(_)
            | ClientError::TimedOut(_)
            | ClientError::Strange(_)
            | ClientError::Unsendable(_) => {
                f.write_str(&output::printable(&self.cause.to_string()))?;
            }
        }
        match self.repeatable_with() {
            None => Ok(()),
            Some(key) => write!(
                f,
                "; it may have been done: repeat it with `--idempotency-key {key}`, and it is done once"
            ),
        }
    }
}

impl std::error::Error for Fault {}

fn refused(it: &Refusal, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if let Some(location) = &it.location {
        let location = output::printable(location);
        return write!(
            f,
            "the server answers {} and points to {location}: give the right address with `--server`",
            it.status
        );
    }
    let Some(problem) = &it.problem else {
        return write!(f, "{} without a word of Hookyard's: is `--server` right?", it.status);
    };
    f.write_str(&output::printable(&problem.detail))?;
    for error in &problem.errors {
        write!(
            f,
            " {}: {}.",
            output::printable(&error.pointer),
            output::printable(&error.message)
        )?;
    }
    match (it.status, it.retry_after) {
        (401, _) => f.write_str(
            " Give a good key: HOOKYARD_API_KEY, `--api-key @FILE` or `hookyard login`.",
        ),
        (_, Some(seconds)) => write!(f, " Try again in {seconds} s."),
        (_, None) => Ok(()),
    }
}

/// Says what went wrong, and how the process is to end.
pub fn report(error: &anyhow::Error, json: bool) -> Exit {
    let fault = error.downcast_ref::<Fault>();
    let exit = fault.map_or_else(|| Exit::of(error), Fault::exit);
    if json {
        let about = fault.map_or_else(|| plain(error, exit), Fault::to_json);
        output::talk(json!({ "error": about }).to_string());
    } else {
        output::complain(error);
    }
    exit
}

fn plain(error: &anyhow::Error, exit: Exit) -> Value {
    json!({ "exit": exit as u8, "message": format!("{error:#}") })
}
