//! A stream that is followed for as long as it takes: connects again from where it stood, and says when it is not connected.

use std::time::Duration;

use hookyard_api::client::{Call, ClientError, Following, Message, Messages};
use hookyard_api::stream::StreamData;
use tokio::time::{Instant, sleep};

use super::{Fault, Session};
use crate::forward::say_state;
use crate::output;

/// Before it connects again the first time; doubled each time it does not help.
const WAIT_FIRST: Duration = Duration::from_millis(250);
/// Between two tries at most.
const WAIT_MAX: Duration = Duration::from_secs(5);

/// A stream, and the place its reader has reached.
pub struct Follower<'a> {
    session: &'a Session,
    call: Call<Messages>,
    /// Behind this it goes on; `None` is from now on.
    place: Option<String>,
}

impl<'a> Follower<'a> {
    /// A reader that stands at `place`.
    pub fn new(session: &'a Session, call: Call<Messages>, place: Option<String>) -> Self {
        Self { session, call, place }
    }

    /// Shows `each` every message, in order, until it wants no more (false). A message that was not shown to its end is
    /// shown again.
    ///
    /// # Errors
    /// The server cannot be reached the first time, or refuses for good; or `each` fails.
    pub async fn run(
        mut self,
        mut each: impl AsyncFnMut(&Message) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let mut wait = WAIT_FIRST;
        let mut lost_at: Option<Instant> = None;
        let mut has_been_connected = false;
        loop {
            let why = match self.session.client.follow(&self.call, self.place.as_deref()).await {
                Ok(mut following) => {
                    self.say_connected(lost_at.take());
                    has_been_connected = true;
                    let began = self.place.clone();
                    match self.read(&mut following, &mut each).await? {
                        None => return Ok(()),
                        Some(why) => {
                            // A server that breaks off at once is as good as none.
                            if self.place != began {
                                wait = WAIT_FIRST;
                            }
                            why
                        }
                    }
                }
                Err(ClientError::Refused(it)) if it.status == 410 && self.place.is_some() => {
                    self.place = None;
                    let why = "what happened since then is not kept by the server any more";
                    self.say("missed", &format!("{why}: events were missed; going on from now"));
                    continue;
                }
                Err(cause) if !has_been_connected || !may_pass(&cause) => {
                    return Err(Fault::new(cause, None).into());
                }
                Err(cause) => {
                    let wanted = retry_after(&cause);
                    wait = wait.max(wanted.unwrap_or_default());
                    Fault::new(cause, None).to_string()
                }
            };
            lost_at.get_or_insert_with(Instant::now);
            let shown = wait.as_secs_f64();
            self.say("not connected", &format!("not connected: {why}; trying again in {shown} s"));
            sleep(wait).await;
            wait = (wait * 2).min(WAIT_MAX);
        }
    }

    /// Reads until the connection is lost, and answers why; `None` when nobody wants more.
    async fn read(
        &mut self,
        following: &mut Following,
        each: &mut impl AsyncFnMut(&Message) -> anyhow::Result<bool>,
    ) -> anyhow::Result<Option<String>> {
        loop {
            let message = match following.next().await {
                Ok(Some(message)) => message,
                Ok(None) => return Ok(Some("the server ended the stream".to_owned())),
                Err(cause) if may_pass(&cause) => return Ok(Some(cause.to_string())),
                Err(cause) => return Err(Fault::new(cause, None).into()),
            };
            if let Some(StreamData::Lagged(it)) = &message.data {
                let before = output::printable(&it.lost_before);
                self.say("missed", &format!("events were missed: those before {before}"));
            }
            match each(&message).await {
                Ok(true) => self.place = Some(message.id),
                Ok(false) => return Ok(None),
                // What it asked the server for can be had when the server is there again.
                Err(error) => match error.downcast_ref::<Fault>() {
                    Some(fault) if may_pass(fault.cause()) => return Ok(Some(fault.to_string())),
                    Some(_) | None => return Err(error),
                },
            }
        }
    }

    fn say_connected(&self, lost_at: Option<Instant>) {
        let server = self.session.client.server();
        let text = match lost_at {
            None => format!("connected to {server}"),
            Some(at) => {
                format!("connected again after {} s: nothing is missed", at.elapsed().as_secs())
            }
        };
        self.say("connected", &text);
    }

    fn say(&self, state: &str, text: &str) {
        say_state(self.session.out.json, state, text);
    }
}

/// It can be another the next time.
fn may_pass(cause: &ClientError) -> bool {
    match cause {
        ClientError::Connect(_) | ClientError::Broken(_) | ClientError::TimedOut(_) => true,
        ClientError::Refused(it) => it.status == 429 || it.status >= 500,
        ClientError::Strange(_) | ClientError::Unsendable(_) => false,
    }
}

fn retry_after(cause: &ClientError) -> Option<Duration> {
    match cause {
        ClientError::Refused(it) => it.retry_after.map(Duration::from_secs),
        ClientError::Connect(_)
        | ClientError::Broken(_)
        | ClientError::TimedOut(_)
        | ClientError::Strange(_)
        | ClientError::Unsendable(_) => None,
    }
}
