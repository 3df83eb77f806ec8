//! Receiving: a provider's request to a source becomes an event, on disk before it is answered.
//!
//! A door hands in the exact bytes. Here the source is found (the store is asked once for each id), a handshake is answered,
//! the signature is verified, and the event goes the way of a published one. Nothing of a body is looked at before its
//! signature is known to be good, except where handshake or signature stand in it.

mod content;
mod find;
mod linear;
mod refused;

use bytes::Bytes;
use hookyard_domain::event::EventContent;
use hookyard_domain::headers::Headers;
use hookyard_domain::id::EventId;
use hookyard_domain::secret::Secret;
use hookyard_domain::time::Timestamp;
use hookyard_engine::{Incoming, PreparedSource};
use hookyard_rules::inbound::challenge::{self, Challenge};
use hookyard_rules::inbound::{self, Preset, Received, SecretFrom, Trust, Verified};
use hookyard_store::ledger::Once;

use crate::App;
use crate::error::AppError;
use crate::publish::{Accepted, Repeat};
use crate::sources::preset_of;
use find::Found;
pub(crate) use find::Whereabouts;
pub use hookyard_rules::inbound::{Rejection, Reply};
pub use linear::LINEAR_BYTES_MAX;
pub(crate) use linear::Turns;
pub use refused::ReceiveError;

/// How often a handshake is looked at again when its source was changed meanwhile.
const HANDSHAKE_TRIES: usize = 3;

/// Which door a request came through. A vendor's finds only the sources of its own profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReceiveDoor {
    /// `/in/src_…`.
    Native,
    /// `/api/v1/webhooks/receive/…`.
    Alumia,
}

/// A request as it was received.
#[derive(Clone, Debug)]
pub struct ReceivedRequest {
    /// Its method, in capitals.
    pub method: String,
    /// Its whole URL with its query, as the caller reached it.
    pub url: String,
    /// Its headers.
    pub headers: Headers,
    /// Its body, byte for byte.
    pub body: Bytes,
    /// The caller's address.
    pub origin: Option<String>,
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reception {
    /// It was a handshake: this is what the provider waits for. Nothing was recorded.
    Challenge(Reply),
    /// It is on disk.
    Recorded {
        /// The event.
        id: EventId,
        /// It had been received before.
        repeat: bool,
        /// The text that the provider wants to read; any 200 will do without.
        receipt: Option<&'static str>,
    },
}

impl App {
    /// Bytes that a request to a source may have; asked before its body is read, so that what will be refused is not read.
    pub async fn receive_bytes_max(
        &self,
        door: ReceiveDoor,
        id: &str,
        method: &str,
    ) -> Result<u64, ReceiveError> {
        let found = self.find(door, id).await?;
        check_method(found.preset, method)?;
        Ok(found.payload_bytes_max())
    }

    /// The methods that a source knows, as `Allow` lists them.
    pub async fn receive_methods(
        &self,
        door: ReceiveDoor,
        id: &str,
    ) -> Result<&'static str, ReceiveError> {
        Ok(allowed(self.find(door, id).await?.preset))
    }

    /// Takes a request for a source. When this answers `Recorded`, it is on disk.
    pub async fn receive(
        &self,
        door: ReceiveDoor,
        id: &str,
        request: ReceivedRequest,
    ) -> Result<Reception, ReceiveError> {
        for _ in 0..HANDSHAKE_TRIES {
            let found = self.find(door, id).await?;
            check_method(found.preset, &request.method)?;
            let limit_bytes = found.payload_bytes_max();
            if request.body.len() as u64 > limit_bytes {
                return Err(ReceiveError::TooLarge { limit_bytes });
            }
            let Some(handshake) = self.handshake(&found, &request)? else {
                if !is_event(&request.method) {
                    let why = "it lacks what this provider sends with it";
                    return Err(ReceiveError::Rejected(Rejection::BadHandshake(why)));
                }
                let verified = self.believed(&found.source, &request)?;
                match self.record(&found, request.clone(), verified).await? {
                    Some(recorded) => return Ok(recorded),
                    // Whoever signed it may not be believed any more.
                    None => continue,
                }
            };
            let Some(secret) = handshake.learned else {
                return Ok(Reception::Challenge(handshake.reply));
            };
            // Kept before it is answered: the provider takes the answer for a promise.
            let at = (found.tenant, found.id);
            if self.keep_learned(at, secret, request.origin.clone()).await? {
                return Ok(Reception::Challenge(handshake.reply));
            }
        }
        Err(ReceiveError::Unavailable("the source keeps changing".into()))
    }

    /// What is answered if the request is its provider's handshake.
    fn handshake(
        &self,
        found: &Found,
        request: &ReceivedRequest,
    ) -> Result<Option<inbound::Handshake>, ReceiveError> {
        let prepared = &found.source;
        let now = self.now();
        let mut secrets = secrets(prepared, now)?;
        if prepared.source.secrets.current.is_none()
            && found.preset.secret_from == SecretFrom::Handshake
        {
            // What an overlap still believes must not keep the next secret out.
            secrets.clear();
        }
        let url = signed_url(prepared, &request.url);
        let received = received(request, &url);
        let trust = Trust { secrets: &secrets, tolerance: None, now };
        let token = prepared.verify_token.as_ref().map(Secret::reveal);
        let answer = challenge::answer(found.preset, &received, &trust, token);
        answer.transpose().map_err(ReceiveError::Rejected)
    }

    /// What a request tells, if it is believed.
    pub(crate) fn believed(
        &self,
        prepared: &PreparedSource,
        request: &ReceivedRequest,
    ) -> Result<Verified, ReceiveError> {
        let now = self.now();
        let secrets = secrets(prepared, now)?;
        let url = signed_url(prepared, &request.url);
        let received = received(request, &url);
        let trust = Trust { secrets: &secrets, tolerance: None, now };
        let preset = preset_of(&prepared.source.settings.provider);
        inbound::verify(&preset.recipe, &received, &trust).map_err(ReceiveError::Rejected)
    }

    /// Makes an event of a request that is believed; `None` when its source was changed meanwhile.
    async fn record(
        &self,
        found: &Found,
        request: ReceivedRequest,
        verified: Verified,
    ) -> Result<Option<Reception>, ReceiveError> {
        let dedupe_id = verified.dedupe_id.as_deref();
        if let Some(id) = self.came_back(found, &request.headers, dedupe_id).await? {
            let receipt = found.preset.receipt;
            return Ok(Some(Reception::Recorded { id, repeat: true, receipt }));
        }
        let settings = &found.source.source.settings;
        let no_type = || ReceiveError::Internal("no event type could be made".into());
        let now = self.now();
        let once = verified.dedupe_id.map(|id| Once::Received {
            source: found.id,
            id,
            since: verified.dedupe_within.map(|it| now.minus(it)),
        });
        let content = EventContent {
            event_type: content::event_type(verified.event_type, &settings.provider)
                .ok_or_else(no_type)?,
            scope: settings.scope.clone(),
            occurred_at: None,
            data: request.body,
            previous: None,
            changes: None,
            headers: content::kept_headers(&request.headers),
            publisher_id: None,
            source: Some(found.id),
            content_type: content::content_type(&request.headers),
        };
        let vouched = Some(found.source.clone());
        let event = Incoming { content, once: once.into_iter().collect(), vouched };
        match self.publish_received(found.tenant, event).await {
            Ok(accepted) => Ok(accepted.map(|Accepted { id, repeat, .. }| Reception::Recorded {
                id,
                repeat: repeat != Repeat::First,
                receipt: found.preset.receipt,
            })),
            // Its state was changed meanwhile.
            Err(AppError::NotFound { .. }) => match self.found_in(found.tenant, found.id).await? {
                Some(_) => Err(ReceiveError::Disabled),
                None => Err(ReceiveError::NotFound),
            },
            Err(error) => Err(error.into()),
        }
    }

    /// The event that a request brings back: forwarded by this very source to a URL that leads here again, by whatever name.
    /// Recorded anew it would be forwarded anew, and so on for ever.
    async fn came_back(
        &self,
        found: &Found,
        headers: &Headers,
        dedupe_id: Option<&str>,
    ) -> Result<Option<EventId>, ReceiveError> {
        // What the profile of forwarding names an event by, whatever this source's provider does; and what the provider
        // names it by. A sender's own ids are hardly ever of our form, so this asks the store next to never.
        let named = [headers.get("webhook-id"), dedupe_id].into_iter().flatten();
        let mut ids: Vec<EventId> = named.filter_map(|it| it.parse().ok()).collect();
        ids.dedup();
        for id in ids {
            let event = self.store().event(found.tenant, id).await?;
            if event.is_some_and(|it| it.event.content.source == Some(found.id)) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }
}

/// The secrets that count, the newest first.
fn secrets(prepared: &PreparedSource, now: Timestamp) -> Result<Vec<&str>, ReceiveError> {
    let shut = || ReceiveError::Unavailable("the source's secret cannot be opened".into());
    let secrets = prepared.secrets.as_ref().ok_or_else(shut)?;
    let all = secrets.current.iter().chain(secrets.previous_at(now));
    Ok(all.map(Secret::reveal).collect())
}

fn received<'a>(request: &'a ReceivedRequest, url: &'a str) -> Received<'a> {
    Received { method: &request.method, url, headers: &request.headers, body: &request.body }
}

/// The URL as the provider knows it.
fn signed_url(prepared: &PreparedSource, called: &str) -> String {
    url_told(prepared.source.settings.public_url.as_deref(), called)
}

/// The URL that was told, with the query that was really called: some providers add to it.
fn url_told(told: Option<&str>, called: &str) -> String {
    let Some(told) = told else { return called.to_owned() };
    match called.split_once('?') {
        None => told.to_owned(),
        Some((_, query)) => {
            let told = told.split_once('?').map_or(told, |it| it.0);
            format!("{told}?{query}")
        }
    }
}

fn is_event(method: &str) -> bool {
    matches!(method, "POST" | "PUT")
}

fn check_method(preset: &Preset, method: &str) -> Result<(), ReceiveError> {
    let allow = allowed(preset);
    match allow.split(", ").any(|it| it == method) {
        true => Ok(()),
        false => Err(ReceiveError::BadMethod { allow }),
    }
}

/// The methods of a provider's events and of its handshake.
fn allowed(preset: &Preset) -> &'static str {
    match preset.challenge {
        Some(Challenge::Meta | Challenge::Dropbox) => "GET, POST, PUT",
        Some(Challenge::Head) => "HEAD, POST, PUT",
        Some(
            Challenge::Slack
            | Challenge::Zoom
            | Challenge::Graph
            | Challenge::Asana
            | Challenge::Twitch
            | Challenge::Notion
            | Challenge::Discord
            | Challenge::WooCommerce,
        )
        | None => "POST, PUT",
    }
}

#[cfg(test)]
mod tests {
    use hookyard_rules::inbound::presets;

    use super::*;

    #[track_caller]
    fn check(told: Option<&str>, called: &str, want: &str) {
        assert_eq!(url_told(told, called), want, "{told:?} {called}");
    }

    #[test]
    fn the_url_that_is_signed_is_the_one_that_was_told_with_the_query_that_was_called() {
        let called = "http://10.0.0.1:8080/in/src_1";
        let with_query = "http://10.0.0.1:8080/in/src_1?bodySHA256=ab&x=%20";
        check(None, with_query, with_query);
        check(Some("https://a.example/t/"), called, "https://a.example/t/");
        check(Some("https://a.example/t?x=1"), called, "https://a.example/t?x=1");
        let want = "https://a.example/t?bodySHA256=ab&x=%20";
        check(Some("https://a.example/t"), with_query, want);
        check(Some("https://a.example/t?x=1"), with_query, want);
    }

    #[test]
    fn every_provider_s_events_and_its_own_handshake_get_in_and_nothing_else() {
        for preset in presets::ALL {
            for method in ["POST", "PUT"] {
                assert!(check_method(preset, method).is_ok(), "{} {method}", preset.name);
            }
            for method in ["DELETE", "PATCH", "post", "", "POST, PUT", "OPTIONS"] {
                assert!(check_method(preset, method).is_err(), "{} {method}", preset.name);
            }
            let may = |method| check_method(preset, method).is_ok();
            assert_eq!(may("GET"), matches!(preset.name, "meta" | "dropbox"), "{}", preset.name);
            assert_eq!(may("HEAD"), allowed(preset).contains("HEAD"), "{}", preset.name);
        }
    }
}
