//! Brings events to a port, waits for it where that was asked for, and says what came of each.

use std::time::Duration;

use hookyard_api::stream::AcceptedEvent;
use serde_json::json;
use tokio::time::sleep;

use super::{Answer, Look, Parcel, Port, Sent};
use crate::output;
use crate::remote;

/// Before it looks again whether somebody listens, doubled each time.
const WAIT_FIRST: Duration = Duration::from_millis(100);
/// Between two looks at most.
const WAIT_MAX: Duration = Duration::from_secs(2);

/// Everything that is needed to bring an event.
pub struct Bringer {
    pub port: Port,
    pub look: Look,
    /// For an answer.
    pub timeout: Duration,
    pub json: bool,
    pub verbose: bool,
    /// It waits until somebody listens there.
    pub patient: bool,
}

/// What came of it.
pub struct Brought {
    /// The answer was 2xx.
    pub succeeded: bool,
    /// Nobody listens there.
    pub nobody: bool,
    /// What was printed was read.
    pub is_heard: bool,
}

impl Bringer {
    /// Brings an event and prints a line for it.
    pub async fn bring(&mut self, told: &AcceptedEvent) -> anyhow::Result<Brought> {
        let parcel = match Parcel::pack(told, &self.look) {
            Ok(parcel) => parcel,
            Err(error) => {
                let is_heard = self.say_not_brought(told, &format!("not forwarded: {error:#}"));
                return Ok(Brought { succeeded: false, nobody: false, is_heard });
            }
        };
        let sent = self.send(&parcel).await?;
        let succeeded = matches!(&sent, Sent::Answered(it, _) if (200..300).contains(&it.status));
        let nobody = matches!(&sent, Sent::Nobody(_));
        let mut is_heard = output::write(self.line(told, &sent));
        if self.verbose && !self.json {
            is_heard &= output::write(self.details(&parcel, &sent)?);
        }
        Ok(Brought { succeeded, nobody, is_heard })
    }

    /// Prints that an event was not brought.
    pub fn say_not_brought(&self, told: &AcceptedEvent, why: &str) -> bool {
        output::write(self.line(told, &Sent::Nobody(why.to_owned())))
    }

    async fn send(&mut self, parcel: &Parcel) -> anyhow::Result<Sent> {
        let (look, within) = (&self.look, self.timeout);
        let mut wait = WAIT_FIRST;
        let mut is_said = false;
        loop {
            let make =
                |to: &super::Target| parcel.request(look, &to.path, &to.authority, remote::now());
            match self.port.bring(make, within).await? {
                Sent::Nobody(why) if self.patient => {
                    if !is_said {
                        let to = self.port.target();
                        let text = format!("nobody listens at {to} ({why}): waiting for it");
                        say_state(self.json, "waiting", &text);
                    }
                    is_said = true;
                    sleep(wait).await;
                    wait = (wait * 2).min(WAIT_MAX);
                }
                sent @ (Sent::Answered(..) | Sent::Unanswered(..) | Sent::Nobody(_)) => {
                    if is_said {
                        let text = format!("{} is there again", self.port.target());
                        say_state(self.json, "forwarding", &text);
                    }
                    return Ok(sent);
                }
            }
        }
    }

    fn line(&self, told: &AcceptedEvent, sent: &Sent) -> String {
        let (status, took, error) = match sent {
            Sent::Answered(answer, took) => (Some(answer.status), Some(took), None),
            Sent::Unanswered(why, took) => (None, Some(took), Some(why)),
            Sent::Nobody(why) => (None, None, Some(why)),
        };
        if self.json {
            let line = json!({
                "event": told.id, "type": told.event_type, "scope": told.scope, "source": told.source,
                "accepted_at": told.accepted_at, "status": status,
                "duration_ms": took.map(Duration::as_millis), "error": error,
            });
            return format!("{line}\n");
        }
        let came = match (status, error) {
            (Some(status), _) => status.to_string(),
            (None, error) => error.map(|it| output::printable(it)).unwrap_or_default(),
        };
        let took = took.map(|it| format!("  {} ms", it.as_millis())).unwrap_or_default();
        let (kind, id) = (output::printable(&told.event_type), output::printable(&told.id));
        format!("{}  {kind}  {id}  {came}{took}\n", remote::now())
    }

    fn details(&self, parcel: &Parcel, sent: &Sent) -> anyhow::Result<String> {
        let to = self.port.target();
        // As it was sent, but for the time, which may be another second's.
        let request = parcel.request(&self.look, &to.path, &to.authority, remote::now())?;
        let mut text = format!("  > POST {}\n", output::printable(&to.path));
        headers(&mut text, '>', request.headers());
        body(&mut text, '>', parcel.body());
        if let Sent::Answered(Answer { status, headers: answered, body: said }, _) = sent {
            text.push_str(&format!("  < {status}\n"));
            headers(&mut text, '<', answered);
            body(&mut text, '<', said);
        }
        Ok(text)
    }
}

fn headers(text: &mut String, mark: char, headers: &http::HeaderMap) {
    for (name, value) in headers {
        let value = output::printable(&String::from_utf8_lossy(value.as_bytes()));
        text.push_str(&format!("  {mark} {name}: {value}\n"));
    }
}

fn body(text: &mut String, mark: char, body: &[u8]) {
    for line in String::from_utf8_lossy(body).lines() {
        text.push_str(&format!("  {mark} {}\n", output::printable(line)));
    }
}

/// Says in which state things are, in the form that was asked for.
pub fn say_state(as_json: bool, state: &str, text: &str) {
    if as_json {
        output::talk(json!({ "state": state, "message": text }).to_string());
    } else {
        output::talk(text);
    }
}
