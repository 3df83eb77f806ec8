//! Presets, proven by other people's code: the providers' own libraries (`tests/verifiers/inbound.py`, `…/node/inbound.mjs`)
//! sign what the gateway must take, and judge what the gateway signs. What was tampered with, neither of them takes.

mod library;
mod samples;

use http::Method;
use serde_json::{Value, json};

use crate::scene::{Acme, Scene, text};
use library::{Language, Library, Request};

/// A provider whose library is asked.
struct Provider {
    name: &'static str,
    /// What the library is written in.
    language: Language,
    /// What the receiver holds.
    secret: &'static str,
    /// What the sender signs with: the same, or the private half.
    signs_with: &'static str,
    /// What somebody else would sign with.
    other: &'static str,
    /// The header with the signature.
    signature: &'static str,
    /// The header with the time of the signature, if there is one.
    time: Option<&'static str>,
    /// How old a signature is that is fresh.
    age_s: i64,
    /// How old one is that is too old for the library, if any is.
    stale_s: Option<i64>,
    /// The URL is signed too.
    signs_url: bool,
    samples: &'static [Sample],
}

impl Provider {
    const USUAL: Self = Self {
        name: "",
        language: Language::Python,
        secret: "",
        signs_with: "",
        other: "",
        signature: "",
        time: None,
        age_s: 0,
        stale_s: None,
        signs_url: false,
        samples: &[],
    };
}

/// Something a provider sends.
struct Sample {
    /// The URL that the receiver believes to have.
    url: &'static str,
    /// The URL that the sender signs, if it is another.
    signed_url: Option<&'static str>,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    /// Some of the body, and what stands in its place when the body was tampered with.
    change: (&'static str, &'static str),
    /// The type of the event that it becomes.
    event_type: &'static str,
}

impl Sample {
    fn request(&self) -> Request {
        let headers = self.headers.iter().map(|(name, value)| ((*name).into(), (*value).into()));
        Request {
            url: self.signed_url.unwrap_or(self.url).to_owned(),
            headers: headers.collect(),
            body: self.body.to_owned(),
        }
    }
}

/// The gateway's side.
struct Gateway {
    scene: Scene,
    provider: &'static Provider,
}

/// A source that expects a sample.
struct Source {
    id: String,
    door: String,
}

impl Gateway {
    /// A source of the provider that was told the sample's URL.
    async fn source(&self, sample: &Sample) -> Source {
        let wanted = json!({
            "name": self.provider.name, "provider": self.provider.name,
            "secret": self.provider.secret, "public_url": sample.url,
        });
        let made = self.scene.acme.0.post(&Acme::path("/sources"), &wanted).await.expect(201);
        let (_, path) = text(&made["receive_url"]).split_once("/in/").unwrap();
        Source { id: text(&made["id"]).to_owned(), door: format!("/in/{path}") }
    }

    /// The ids and types of what a source has received, newest first.
    async fn events(&self, source: &Source) -> Vec<(String, String)> {
        let path = Acme::path(&format!("/sources/{}/events", source.id));
        let page = self.scene.acme.0.get(&path).await.expect(200);
        let part = |event: &Value, name: &str| text(&event[name]).to_owned();
        let all = page["data"].as_array().unwrap();
        all.iter().map(|it| (part(it, "id"), part(it, "type"))).collect()
    }

    /// Whether a source takes a request. The signature checker must say the same of it.
    async fn takes(&self, source: &Source, request: &Request) -> bool {
        let Request { url, headers, body } = request;
        let query = url.split_once('?').map_or_else(String::new, |(_, it)| format!("?{it}"));
        let sent: Vec<_> = headers.iter().map(|it| (it.0.as_str(), it.1.as_str())).collect();
        let path = format!("{}{query}", source.door);
        let stranger = self.scene.server.client("");
        let answer = stranger.send(Method::POST, &path, &sent, body.clone().into()).await;
        let is_taken = answer.status == 200;
        assert!(is_taken || answer.status == 401, "{answer:?} {request:#?}");
        if is_taken {
            let newest = self.events(source).await.swap_remove(0).0;
            let wanted = if self.provider.name == "adyen" { "[accepted]" } else { &newest };
            let said = String::from_utf8_lossy(&answer.body);
            assert!(said.contains(wanted), "{wanted} is not in {said}");
        }

        let (scheme, secret) = (self.provider.name, self.provider.secret);
        let question = json!({
            "scheme": scheme, "secret": secret, "url": url, "headers": headers, "payload": body,
        });
        let verdict = self.scene.acme.0.post("/v1/signatures/verify", &question).await.expect(200);
        assert_eq!(verdict["valid"], is_taken, "{verdict} {answer:?} {request:#?}");
        is_taken
    }

    /// The request as the gateway would have signed it in the provider's place.
    async fn signs(&self, request: &Request) -> Request {
        let Request { url, headers, body } = request;
        let (scheme, secret) = (self.provider.name, self.provider.signs_with);
        let mut question =
            json!({ "scheme": scheme, "secret": secret, "url": url, "payload": body });
        if let Some(id) = headers.get("webhook-id") {
            question["id"] = json!(id);
        }
        let made = self.scene.acme.0.post("/v1/signatures/sign", &question).await.expect(200);
        let mut signed = request.clone();
        for (name, value) in made["headers"].as_object().unwrap() {
            signed.headers.insert(name.to_ascii_lowercase(), text(value).to_owned());
        }
        signed
    }
}

/// Both sides, and what they must agree about.
struct Proof {
    gateway: Gateway,
    library: Library,
    provider: &'static Provider,
}

impl Proof {
    async fn of(provider: &'static Provider) -> Self {
        let library = Library::of(provider.name, provider.language);
        Self { gateway: Gateway { scene: Scene::new().await, provider }, library, provider }
    }

    async fn signed(&mut self, sample: &Sample, secret: &str, age_s: i64) -> Request {
        let mut signed = self.library.sign(&sample.request(), secret, age_s).await;
        if sample.signed_url.is_some() {
            sample.url.clone_into(&mut signed.url);
        }
        signed
    }

    async fn both_take(&mut self, what: &str, source: &Source, request: &Request) {
        assert!(self.gateway.takes(source, request).await, "{what}: {request:#?}");
        assert!(self.library.takes(request, self.provider.secret).await, "{what}: {request:#?}");
    }

    async fn neither_takes(&mut self, what: &str, source: &Source, request: &Request) {
        assert!(!self.gateway.takes(source, request).await, "{what}: {request:#?}");
        assert!(!self.library.takes(request, self.provider.secret).await, "{what}: {request:#?}");
    }

    /// What is wrong with each, and the request.
    async fn tampered(&mut self, sample: &Sample, good: &Request) -> Vec<(&'static str, Request)> {
        let provider = self.provider;
        let (from, to) = sample.change;
        let body = good.body.replacen(from, to, 1);
        assert_ne!(body, good.body, "{from} is not there");
        let mut all = vec![("another body", Request { body, ..good.clone() })];
        let foreign = self.signed(sample, provider.other, provider.age_s).await;
        all.push(("another secret", foreign));
        if let Some(stale_s) = provider.stale_s {
            all.push(("too old", self.signed(sample, provider.signs_with, stale_s).await));
        }
        if provider.signs_url {
            let mut elsewhere = sample.request();
            elsewhere.url = elsewhere.url.replace("/in", "/iN");
            let signed = self.library.sign(&elsewhere, provider.signs_with, provider.age_s).await;
            all.push(("another URL", Request { headers: signed.headers, ..good.clone() }));
        }
        if let Some(name) = provider.time {
            let mut later = good.clone();
            let time = later.headers.get_mut(name).unwrap();
            *time = a_second_later(time);
            all.push(("another time", later));
        }
        let mut unsigned = good.clone();
        if unsigned.headers.remove(provider.signature).is_some() {
            all.push(("no signature", unsigned));
        }
        all
    }
}

/// The first number in the text, a second later.
fn a_second_later(text: &str) -> String {
    let is_digit = |it: char| it.is_ascii_digit();
    let start = text.find(is_digit).unwrap();
    let end = text[start..].find(|it| !is_digit(it)).map_or(text.len(), |it| start + it);
    let unit = if end - start > 10 { 1000 } else { 1 };
    let later = text[start..end].parse::<u64>().unwrap() + unit;
    format!("{}{later}{}", &text[..start], &text[end..])
}

async fn prove(provider: &'static Provider) {
    let mut proof = Proof::of(provider).await;
    for sample in provider.samples {
        let source = proof.gateway.source(sample).await;
        let good = proof.signed(sample, provider.signs_with, provider.age_s).await;
        for (what, tampered) in proof.tampered(sample, &good).await {
            proof.neither_takes(what, &source, &tampered).await;
        }
        let kept = proof.gateway.events(&source).await;
        assert!(kept.is_empty(), "nothing of that may be kept: {kept:?}");
        // Anew: five seconds are all that Paddle allows.
        let signed = proof.signed(sample, provider.signs_with, provider.age_s).await;
        proof.both_take("signed by the library", &source, &signed).await;
        let first = proof.gateway.events(&source).await;
        assert_eq!((first.len(), &*first[0].1), (1, sample.event_type));
        proof.both_take("the same again", &source, &signed).await;
        // What the gateway cannot sign: Adyen's items, and Twilio's newer algorithm.
        let is_plain = !signed.headers.contains_key(samples::SETTINGS);
        if is_plain && signed.headers.contains_key(provider.signature) {
            let ours = proof.gateway.signs(&signed).await;
            proof.both_take("the same, signed by the gateway", &source, &ours).await;
        }
        assert_eq!(proof.gateway.events(&source).await, first, "a repetition is no event");
    }
}

#[tokio::test]
async fn adyen_is_taken_as_its_library_signs_it() {
    prove(&samples::ADYEN).await;
}

#[tokio::test]
async fn discord_is_taken_as_its_library_takes_it() {
    prove(&samples::DISCORD).await;
}

#[tokio::test]
async fn github_is_taken_as_its_library_signs_it() {
    prove(&samples::GITHUB).await;
}

#[tokio::test]
async fn hubspot_is_taken_as_its_library_signs_it() {
    prove(&samples::HUBSPOT).await;
}

#[tokio::test]
async fn linear_is_taken_as_its_library_takes_it() {
    prove(&samples::LINEAR).await;
}

#[tokio::test]
async fn paddle_is_taken_as_its_library_takes_it() {
    prove(&samples::PADDLE).await;
}

#[tokio::test]
async fn sendgrid_is_taken_as_its_library_takes_it() {
    prove(&samples::SENDGRID).await;
}

#[tokio::test]
async fn slack_is_taken_as_its_library_signs_it() {
    prove(&samples::SLACK).await;
}

#[tokio::test]
async fn square_is_taken_as_its_library_takes_it() {
    prove(&samples::SQUARE).await;
}

#[tokio::test]
async fn a_sender_of_one_s_own_is_taken_as_the_reference_library_signs_it() {
    prove(&samples::CUSTOM).await;
}

#[tokio::test]
async fn standard_webhooks_are_taken_as_the_reference_library_signs_them() {
    prove(&samples::STANDARD).await;
}

#[tokio::test]
async fn stripe_is_taken_as_its_library_signs_it() {
    prove(&samples::STRIPE).await;
}

#[tokio::test]
async fn twilio_is_taken_as_its_library_signs_it() {
    prove(&samples::TWILIO).await;
}

#[tokio::test]
async fn while_a_secret_of_stripe_is_replaced_one_of_two_signatures_is_enough() {
    let mut proof = Proof::of(&samples::STRIPE).await;
    let provider = proof.provider;
    let sample = &provider.samples[0];
    let source = proof.gateway.source(sample).await;
    let mut good = proof.signed(sample, provider.signs_with, 0).await;
    let zeros = "0".repeat(64);
    let header = good.headers.get_mut(provider.signature).unwrap();
    let both = header.replace(",v1=", &format!(",v1={zeros},v1="));
    let only_v0 = header.replace(",v1=", ",v0=");
    *header = both;
    proof.both_take("a v1 of another secret first", &source, &good).await;
    good.headers.insert(provider.signature.to_owned(), only_v0);
    proof.neither_takes("v0 alone", &source, &good).await;
}

#[tokio::test]
async fn an_algorithm_of_twilio_that_is_not_known_is_refused_and_none_is_the_old_one() {
    let mut proof = Proof::of(&samples::TWILIO).await;
    let provider = proof.provider;
    let sample = &provider.samples[0];
    let source = proof.gateway.source(sample).await;
    let good = proof.signed(sample, provider.signs_with, 0).await;
    for (settings, is_good) in [
        ("key=webhooks_sharedkey_1", true),
        ("key=webhooks_sharedkey_1,algorithm=HMAC_SHA1", true),
        ("key=webhooks_sharedkey_1,algorithm=HMAC_SHA256", false),
        ("key=webhooks_sharedkey_1,algorithm=HMAC_SHA512", false),
    ] {
        let mut request = good.clone();
        request.headers.insert(samples::SETTINGS.to_owned(), settings.to_owned());
        match is_good {
            true => proof.both_take(settings, &source, &request).await,
            false => proof.neither_takes(settings, &source, &request).await,
        }
    }
}

#[tokio::test]
async fn a_request_of_linear_without_a_time_is_refused() {
    let mut proof = Proof::of(&samples::LINEAR).await;
    let provider = proof.provider;
    let sample = Sample { body: r#"{"action":"create","type":"Issue"}"#, ..provider.samples[0] };
    let source = proof.gateway.source(&sample).await;
    let timeless = proof.signed(&sample, provider.signs_with, 0).await;
    proof.neither_takes("no time", &source, &timeless).await;
}
