//! Receiving: believed or not, once, held, forwarded; handshakes; Linear's requests that name no source.

use std::time::Duration;

use bytes::Bytes;
use hookyard_app::receive::Rejection;
use hookyard_app::{
    Caller, ForwardInput, LimitsInput, NewSource, NewTenant, PageQuery, ReceiveDoor, ReceiveError,
    ReceivedRequest, Reception, SignInput, SourcePatch, TenantPatch, TestSource,
};
use hookyard_domain::event::Event;
use hookyard_domain::headers::Headers;
use hookyard_domain::profile::Profile;
use hookyard_domain::secret::Secret;
use tokio::task::JoinSet;

use crate::world::{Receiver, World, code, endpoint, until};

const SECRET: &str = "the secret of both sides";
const BODY: &str = r#"{"type":"order.created","n":1}"#;

/// A request to a source.
#[derive(Clone)]
pub struct Sent {
    pub method: &'static str,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Sent {
    pub fn new(body: &str) -> Self {
        let url = "https://hooks.example/in/x".to_owned();
        let body = Bytes::copy_from_slice(body.as_bytes());
        Self { method: "POST", url, headers: Vec::new(), body }
    }

    /// Signed as its provider signs.
    pub fn signed(world: &World, scheme: &str, secret: &str, body: &str) -> Self {
        let sent = Self::new(body);
        let input = SignInput {
            scheme: scheme.into(),
            secret: secret.into(),
            payload: sent.body.clone(),
            url: Some(sent.url.clone()),
            ..SignInput::default()
        };
        let headers = world.app.sign(&world.operator, input).unwrap();
        Self { headers: headers.0, ..sent }
    }

    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn request(self) -> ReceivedRequest {
        ReceivedRequest {
            method: self.method.into(),
            url: self.url,
            headers: Headers(self.headers),
            body: self.body,
            origin: Some("203.0.113.9".into()),
        }
    }
}

pub async fn receive(world: &World, id: &str, sent: Sent) -> Result<Reception, ReceiveError> {
    world.app.receive(ReceiveDoor::Native, id, sent.request()).await
}

/// The event's id, and whether it was there before.
#[track_caller]
fn recorded(answer: Result<Reception, ReceiveError>) -> (String, bool) {
    match answer.unwrap() {
        Reception::Recorded { id, repeat, .. } => (id.to_string(), repeat),
        Reception::Challenge(reply) => panic!("an event wanted, got {reply:?}"),
    }
}

#[track_caller]
fn rejected(answer: Result<Reception, ReceiveError>) -> Rejection {
    match answer {
        Err(ReceiveError::Rejected(rejection)) => rejection,
        other => panic!("a rejection wanted, got {other:?}"),
    }
}

async fn source(world: &World, caller: &Caller, new: NewSource) -> String {
    let new = NewSource { name: "A".into(), ..new };
    let made = world.app.create_source(caller, "acme", new).await.unwrap();
    made.details.source.id.to_string()
}

async fn source_of(world: &World, provider: &str, secret: Option<&str>) -> String {
    let secret = secret.map(Into::into);
    let new = NewSource { provider: Some(provider.into()), secret, ..NewSource::default() };
    source(world, &world.operator, new).await
}

async fn event(world: &World, id: &str) -> Event {
    world.app.event(&world.operator, "acme", id).await.unwrap().event
}

async fn count(world: &World, source: &str) -> usize {
    let page = PageQuery::default();
    world.app.source_events(&world.operator, "acme", source, page).await.unwrap().rows.len()
}

#[tokio::test]
async fn a_good_request_is_on_disk_byte_for_byte_with_type_scope_and_headers() {
    let world = World::new().await;
    let new = NewSource {
        secret: Some(SECRET.into()),
        scope: Some("north".into()),
        ..NewSource::default()
    };
    let id = source(&world, &world.operator, new).await;
    let body = "{ \"type\":\"order.created\",\t\"n\": 1.0 }\r\n";
    let sent = Sent::signed(&world, "custom", SECRET, body)
        .with("content-type", "application/json; charset=utf-8")
        .with("x-shop", "7")
        .with("authorization", "Basic abc")
        .with("user-agent", "shop/1");
    let (made, repeat) = recorded(receive(&world, &id, sent).await);
    assert!(!repeat);
    let content = event(&world, &made).await.content;
    assert_eq!(content.data, body);
    assert_eq!(content.event_type.as_str(), "order.created");
    assert_eq!(content.scope.unwrap().as_str(), "north");
    assert_eq!(content.source.unwrap().to_string(), id);
    assert_eq!(content.content_type.as_deref(), Some("application/json; charset=utf-8"));
    let names: Vec<_> = content.headers.0.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["x-webhook-signature", "x-shop"]);
    let details = world.app.source(&world.operator, "acme", &id).await.unwrap();
    assert_eq!(details.activity.event_count, 1);
    assert!(details.activity.last_event_at.is_some());
    world.end().await;
}

#[tokio::test]
async fn what_is_not_believed_is_refused_with_the_reason_and_kept_nowhere() {
    let world = World::new().await;
    let id = source_of(&world, "custom", Some(SECRET)).await;
    let missing = rejected(receive(&world, &id, Sent::new(BODY)).await);
    assert!(matches!(missing, Rejection::MissingSignature(_)), "{missing:?}");
    let other = Sent::signed(&world, "custom", "another", BODY);
    assert_eq!(rejected(receive(&world, &id, other).await), Rejection::WrongSignature);
    let changed = Sent { body: "{}".into(), ..Sent::signed(&world, "custom", SECRET, BODY) };
    assert_eq!(rejected(receive(&world, &id, changed).await), Rejection::WrongSignature);
    let unset = source_of(&world, "stripe", None).await;
    let sent = Sent::signed(&world, "stripe", SECRET, BODY);
    assert_eq!(rejected(receive(&world, &unset, sent).await), Rejection::NoSecret);
    assert_eq!(count(&world, &id).await + count(&world, &unset).await, 0);
    world.end().await;
}

#[tokio::test]
async fn unknown_sources_are_not_there_and_a_new_one_works_at_once() {
    let world = World::new().await;
    for unknown in ["src_01jv0g6xwre3zb0g8v4q5n6m7k", "src_", "wh_01jv0g6xwre3zb0g8v4q5n6m7k", ""] {
        for _ in 0..2 {
            let answer = receive(&world, unknown, Sent::new(BODY)).await;
            assert!(matches!(answer, Err(ReceiveError::NotFound)), "{unknown}: {answer:?}");
        }
    }
    let id = source_of(&world, "custom", Some(SECRET)).await;
    let sent = || Sent::signed(&world, "custom", SECRET, BODY);
    recorded(receive(&world, &id, sent()).await);
    world.app.delete_source(&world.operator, "acme", &id).await.unwrap();
    let gone = receive(&world, &id, sent()).await;
    assert!(matches!(gone, Err(ReceiveError::NotFound)), "{gone:?}");
    world.app.delete_tenant(&world.operator, "acme").await.unwrap();
    assert!(matches!(receive(&world, &id, sent()).await, Err(ReceiveError::NotFound)));
    world.end().await;
}

#[tokio::test]
async fn the_same_again_is_the_first_event_and_per_source() {
    let world = World::new().await;
    let (one, two) = (
        source_of(&world, "custom", Some(SECRET)).await,
        source_of(&world, "custom", Some(SECRET)).await,
    );
    let sent = || Sent::signed(&world, "custom", SECRET, BODY).with("x-webhook-id", "m-1");
    let (first, _) = recorded(receive(&world, &one, sent()).await);
    assert_eq!(recorded(receive(&world, &one, sent()).await), (first.clone(), true));
    let (other, repeat) = recorded(receive(&world, &two, sent()).await);
    assert!(other != first && !repeat);
    assert_eq!((count(&world, &one).await, count(&world, &two).await), (1, 1));
    world.end().await;
}

#[tokio::test]
async fn content_without_an_id_is_the_same_for_a_while_only() {
    let world = World::new().await;
    let id = source_of(&world, "dropbox", Some(SECRET)).await;
    let sent = || Sent::signed(&world, "dropbox", SECRET, r#"{"list_folder":{}}"#);
    let (first, _) = recorded(receive(&world, &id, sent()).await);
    world.clock.forward(Duration::from_secs(60));
    assert_eq!(recorded(receive(&world, &id, sent()).await), (first.clone(), true));
    world.clock.forward(Duration::from_secs(3600));
    let (later, repeat) = recorded(receive(&world, &id, sent()).await);
    assert!(later != first && !repeat);
    world.end().await;
}

#[tokio::test]
async fn only_types_on_the_list_are_passed_on_but_all_are_recorded() {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    world.endpoint(endpoint(&receiver.url, &["*"])).await;
    let new = NewSource {
        secret: Some(SECRET.into()),
        events: Some(vec!["order.*".into()]),
        ..NewSource::default()
    };
    let id = source(&world, &world.operator, new).await;
    let of_type =
        |name: &str| Sent::signed(&world, "custom", SECRET, &format!(r#"{{"type":"{name}"}}"#));
    let (passed, _) = recorded(receive(&world, &id, of_type("order.created")).await);
    let (kept, _) = recorded(receive(&world, &id, of_type("cart.created")).await);
    assert_eq!(world.deliveries(&passed).await.len(), 1);
    assert_eq!(world.deliveries(&kept).await.len(), 0);
    assert_eq!(count(&world, &id).await, 2);
    world.end().await;
}

#[tokio::test]
async fn a_paused_source_records_and_passes_on_at_resume_in_order_and_once() {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    world.endpoint(endpoint(&receiver.url, &["*"])).await;
    let id = source_of(&world, "custom", Some(SECRET)).await;
    let (app, caller) = (&world.app, &world.operator);
    app.pause_source(caller, "acme", &id).await.unwrap();
    let body = |n: u32| format!(r#"{{"type":"a","n":{n}}}"#);
    for n in 0..30 {
        let sent = Sent::signed(&world, "custom", SECRET, &body(n));
        let (made, _) = recorded(receive(&world, &id, sent).await);
        assert!(world.deliveries(&made).await.is_empty());
    }
    app.resume_source(caller, "acme", &id).await.unwrap();
    // Pausing again at once must not double what is being released.
    app.pause_source(caller, "acme", &id).await.unwrap();
    app.resume_source(caller, "acme", &id).await.unwrap();
    let all = until(async || {
        let bodies = receiver.bodies();
        (bodies.len() >= 30).then_some(bodies)
    })
    .await;
    let found = |n: u32| all.iter().filter(|it| it.contains(&body(n))).count();
    assert!((0..30).all(|n| found(n) == 1), "{all:#?}");
    recorded(receive(&world, &id, Sent::signed(&world, "custom", SECRET, &body(99))).await);
    until(async || receiver.bodies().iter().any(|it| it.contains(&body(99))).then_some(())).await;
    assert_eq!(receiver.bodies().len(), 31);
    world.end().await;
}

#[tokio::test]
async fn a_disabled_source_takes_nothing_and_a_vendor_s_door_finds_its_own_alone() {
    let world = World::new().await;
    let id = source_of(&world, "custom", Some(SECRET)).await;
    let sent = || Sent::signed(&world, "custom", SECRET, BODY);
    let alumia =
        async |id: &str| world.app.receive(ReceiveDoor::Alumia, id, sent().request()).await;
    assert!(matches!(alumia(&id).await, Err(ReceiveError::NotFound)));
    world.app.disable_source(&world.operator, "acme", &id).await.unwrap();
    let answer = receive(&world, &id, sent()).await;
    assert!(matches!(answer, Err(ReceiveError::Disabled)), "{answer:?}");
    assert_eq!(count(&world, &id).await, 0);
    let surface = world.caller("acme", &["admin"]).await.through(Profile::Alumia);
    let new = NewSource { secret: Some(SECRET.into()), ..NewSource::default() };
    let own = source(&world, &surface, new).await;
    recorded(alumia(&own).await);
    recorded(receive(&world, &own, sent()).await);
    world.end().await;
}

#[tokio::test]
async fn methods_that_a_provider_never_uses_are_refused() {
    let world = World::new().await;
    let of = |method: &'static str, url: &str| Sent {
        method,
        url: format!("https://h.example/in/x{url}"),
        ..Sent::new("")
    };
    let custom = source_of(&world, "custom", Some(SECRET)).await;
    for method in ["GET", "HEAD", "DELETE", "PATCH", "TRACE"] {
        let answer = receive(&world, &custom, of(method, "")).await;
        assert!(
            matches!(answer, Err(ReceiveError::BadMethod { allow: "POST, PUT" })),
            "{answer:?}"
        );
        let asked = world.app.receive_bytes_max(ReceiveDoor::Native, &custom, method).await;
        assert!(asked.is_err());
    }
    let put = Sent { method: "PUT", ..Sent::signed(&world, "custom", SECRET, BODY) };
    recorded(receive(&world, &custom, put).await);
    let dropbox = source_of(&world, "dropbox", Some(SECRET)).await;
    let answer = receive(&world, &dropbox, of("GET", "?challenge=abc")).await.unwrap();
    assert!(matches!(answer, Reception::Challenge(reply) if reply.body == "abc"));
    assert_eq!(rejected(receive(&world, &dropbox, of("GET", "")).await).code(), "bad_handshake");
    assert_eq!(count(&world, &dropbox).await, 0);
    let trello = source_of(&world, "trello", Some(SECRET)).await;
    assert!(matches!(receive(&world, &trello, of("HEAD", "")).await, Ok(Reception::Challenge(_))));
    world.end().await;
}

#[tokio::test]
async fn a_secret_of_the_handshake_is_kept_before_the_answer_and_not_replaced_by_a_stranger() {
    let world = World::new().await;
    let id = source_of(&world, "asana", None).await;
    let hello = |secret: &str| Sent::new("{}").with("X-Hook-Secret", secret);
    let answer = receive(&world, &id, hello("handed-over")).await.unwrap();
    let Reception::Challenge(reply) = answer else { panic!("{answer:?}") };
    assert!(reply.headers.contains(&("X-Hook-Secret", "handed-over".to_owned())));
    let secret = world.app.reveal_source_secret(&world.operator, "acme", &id).await.unwrap();
    assert_eq!(secret, Secret::new("handed-over".into()));
    assert_eq!(rejected(receive(&world, &id, hello("stranger")).await).code(), "bad_handshake");
    assert!(
        receive(&world, &id, hello("handed-over")).await.is_ok(),
        "asked again, answered again"
    );
    let event = r#"{"events":[{"action":"changed","resource":{"resource_type":"task"}}]}"#;
    recorded(receive(&world, &id, Sent::signed(&world, "asana", "handed-over", event)).await);
    let log = world.audit().await;
    assert!(!format!("{log:?}").contains("handed-over"));
    let learned = log.iter().find(|it| it.action == "source.secret_learned").unwrap();
    assert_eq!((&*learned.actor, learned.origin.as_deref()), ("provider", Some("203.0.113.9")));

    // After a rotation the next handshake brings the next secret, and the overlap still believes the old one.
    let input = hookyard_app::RotateInput { overlap_s: Some(60), secret: None };
    world.app.rotate_source_secret(&world.operator, "acme", &id, input).await.unwrap();
    assert!(receive(&world, &id, hello("next")).await.is_ok());
    for secret in ["handed-over", "next"] {
        let body = format!("{event}{}", " ".repeat(secret.len()));
        recorded(receive(&world, &id, Sent::signed(&world, "asana", secret, &body)).await);
    }
    world.end().await;
}

#[tokio::test]
async fn many_handshakes_at_once_leave_one_secret_and_one_answer() {
    let world = World::new().await;
    let id = source_of(&world, "notion", None).await;
    let body = |n: u32| format!(r#"{{"verification_token":"token-{n}"}}"#);
    let mut asked = JoinSet::new();
    for n in 0..8 {
        let (app, id, request) = (world.app.clone(), id.clone(), Sent::new(&body(n)).request());
        asked.spawn(async move { (n, app.receive(ReceiveDoor::Native, &id, request).await) });
    }
    let asked = asked.join_all().await;
    let answered: Vec<_> = asked.iter().filter(|it| it.1.is_ok()).map(|it| it.0).collect();
    let secret = world.app.reveal_source_secret(&world.operator, "acme", &id).await.unwrap();
    let [winner] = answered[..] else { panic!("{answered:?}") };
    assert_eq!(secret.reveal(), format!("token-{winner}"));
    world.end().await;
}

#[tokio::test]
async fn providers_that_sign_the_url_are_told_which() {
    let world = World::new().await;
    let new = NewSource {
        provider: Some("square".into()),
        secret: Some(SECRET.into()),
        public_url: Some("https://hooks.example/in/x".into()),
        ..NewSource::default()
    };
    let id = source(&world, &world.operator, new).await;
    let sent = Sent {
        url: "http://10.0.0.1:8080/elsewhere".into(),
        ..Sent::signed(&world, "square", SECRET, r#"{"type":"a","event_id":"1"}"#)
    };
    recorded(receive(&world, &id, sent.clone()).await);
    let none = SourcePatch { public_url: Some(None), ..SourcePatch::default() };
    world.app.change_source(&world.operator, "acme", &id, none).await.unwrap();
    assert_eq!(rejected(receive(&world, &id, sent.clone()).await), Rejection::WrongSignature);
    let direct = Sent { url: "https://hooks.example/in/x".into(), ..sent };
    assert!(recorded(receive(&world, &id, direct).await).1);
    world.end().await;
}

#[tokio::test]
async fn limits_of_the_tenant_count_for_what_is_received() {
    let world = World::new().await;
    let id = source_of(&world, "custom", Some(SECRET)).await;
    let limits = LimitsInput {
        payload_bytes: Some(Some(100)),
        publish_per_s: Some(Some(2)),
        ..LimitsInput::default()
    };
    let patch = TenantPatch { limits: Some(Some(limits)), ..TenantPatch::default() };
    world.app.update_tenant(&world.operator, "acme", patch).await.unwrap();
    let asked = world.app.receive_bytes_max(ReceiveDoor::Native, &id, "POST").await;
    assert_eq!(asked.unwrap(), 100);
    let long = Sent::signed(&world, "custom", SECRET, &"x".repeat(101));
    let answer = receive(&world, &id, long).await;
    assert!(matches!(answer, Err(ReceiveError::TooLarge { limit_bytes: 100 })), "{answer:?}");
    // What is not believed takes nobody's share.
    for _ in 0..5 {
        rejected(receive(&world, &id, Sent::signed(&world, "custom", "other", BODY)).await);
    }
    let sent = |n: u32| Sent::signed(&world, "custom", SECRET, &format!(r#"{{"n":{n}}}"#));
    recorded(receive(&world, &id, sent(1)).await);
    recorded(receive(&world, &id, sent(2)).await);
    let answer = receive(&world, &id, sent(3)).await;
    assert!(matches!(answer, Err(ReceiveError::RateLimited { .. })), "{answer:?}");
    world.clock.forward(Duration::from_secs(1));
    recorded(receive(&world, &id, sent(3)).await);
    world.end().await;
}

#[tokio::test]
async fn a_test_goes_the_whole_way_and_a_verdict_goes_nowhere() {
    let world = World::new().await;
    let receiver = Receiver::start().await;
    let surface = world.caller("acme", &["admin"]).await.through(Profile::Alumia);
    let new = NewSource {
        secret: Some(SECRET.into()),
        events: Some(vec!["order.*".into()]),
        forward: Some(ForwardInput { url: receiver.url.clone() }),
        ..NewSource::default()
    };
    let id = source(&world, &surface, new).await;
    let test = |payload: Option<&'static str>| TestSource {
        event_type: None,
        payload: payload.map(|it| Bytes::from_static(it.as_bytes())),
    };
    let sent =
        world.app.test_source(&surface, "acme", &id, test(Some("plain text"))).await.unwrap();
    assert_eq!(sent.deliveries, 1);
    let made = event(&world, &sent.id.to_string()).await;
    assert_eq!(made.content.event_type.as_str(), "order.test");
    until(async || receiver.bodies().contains(&"plain text".to_owned()).then_some(())).await;

    let verdict = async |sent: Sent| {
        world.app.verify_received(&surface, "acme", &id, sent.request()).await.unwrap()
    };
    assert!(verdict(Sent::signed(&world, "custom", SECRET, BODY)).await.valid);
    let bad = verdict(Sent::signed(&world, "custom", "other", BODY)).await;
    assert_eq!((bad.valid, bad.reason.as_deref()), (false, Some("the signature differs")));
    assert_eq!(count(&world, &id).await, 1);
    world.app.disable_source(&surface, "acme", &id).await.unwrap();
    assert!(verdict(Sent::signed(&world, "custom", SECRET, BODY)).await.valid);
    let test = world.app.test_source(&surface, "acme", &id, test(None)).await;
    assert_eq!(code(test), "source_disabled");
    world.end().await;
}

#[tokio::test]
async fn linear_s_requests_find_their_sources_by_the_secret() {
    let world = World::new().await;
    world.tenant(NewTenant { id: "other".into(), ..NewTenant::default() }).await;
    let acme = world.caller("acme", &["read", "write"]).await.through(Profile::Alumia);
    let other = world.caller("other", &["read", "write"]).await.through(Profile::Alumia);
    let make = async |caller: &Caller, secret: &str| {
        let tenant = caller.own_tenant().unwrap().to_string();
        let new = NewSource {
            name: "Linear".into(),
            provider: Some("linear".into()),
            secret: Some(secret.into()),
            ..NewSource::default()
        };
        let made = world.app.create_source(caller, &tenant, new).await.unwrap();
        made.details.source.id.to_string()
    };
    let first = make(&acme, "shared-secret").await;
    make(&other, "shared-secret").await;
    make(&other, "own-secret").await;
    let now = world.app.now().as_millis();
    let body = format!(r#"{{"type":"Issue","action":"create","webhookTimestamp":{now}}}"#);
    let sent = |secret: &str, id: &str| {
        Sent::signed(&world, "linear", secret, &body).with("Linear-Delivery", id).request()
    };
    let seen = async |caller: &Caller| {
        let tenant = caller.own_tenant().unwrap().to_string();
        let query = hookyard_app::EventQuery::default();
        let page = PageQuery::default();
        world.app.events(caller, &tenant, query, page).await.unwrap().rows.len()
    };
    let take = async |caller, request| world.app.receive_linear(caller, request).await;
    let (made, _) = recorded(take(None, sent("shared-secret", "d1")).await);
    assert_eq!(event(&world, &made).await.content.source.unwrap().to_string(), first);
    assert_eq!((seen(&acme).await, seen(&other).await), (1, 1), "each of them records it");
    let (again, repeat) = recorded(take(None, sent("shared-secret", "d1")).await);
    assert_eq!((again, repeat), (made, true));
    recorded(take(Some(&other), sent("shared-secret", "d2")).await);
    assert_eq!((seen(&acme).await, seen(&other).await), (1, 2), "a caller's own alone");
    assert_eq!(
        rejected(take(Some(&acme), sent("own-secret", "d3")).await),
        Rejection::WrongSignature
    );
    assert_eq!(rejected(take(None, sent("nobody-s", "d4")).await), Rejection::WrongSignature);
    world.app.disable_source(&acme, "acme", &first).await.unwrap();
    assert_eq!(rejected(take(Some(&acme), sent("shared-secret", "d5")).await), Rejection::NoSecret);
    world.end().await;
}

/// A Linear source with that secret, made natively.
async fn linear(world: &World, tenant: &str, secret: &str) -> String {
    let new = NewSource {
        name: "Linear".into(),
        provider: Some("linear".into()),
        secret: Some(secret.into()),
        ..NewSource::default()
    };
    let made = world.app.create_source(&world.operator, tenant, new).await.unwrap();
    made.details.source.id.to_string()
}

/// A request as Linear signs it now.
fn by_linear(world: &World, secret: &str, padding: usize) -> ReceivedRequest {
    let now = world.app.now().as_millis();
    let padding = " ".repeat(padding);
    let body = format!(r#"{{"type":"Issue","action":"create","webhookTimestamp":{now}}}{padding}"#);
    Sent::signed(world, "linear", secret, &body).request()
}

async fn events_of(world: &World, tenant: &str, source: &str) -> usize {
    let page = PageQuery::default();
    world.app.source_events(&world.operator, tenant, source, page).await.unwrap().rows.len()
}

#[tokio::test]
async fn a_tenant_full_of_linear_sources_shuts_nobody_else_out_of_the_door_without_a_key() {
    let world = World::new().await;
    world.tenant(NewTenant { id: "other".into(), ..NewTenant::default() }).await;
    let mut made = Vec::new();
    for n in 0..25 {
        made.push(linear(&world, "acme", &format!("secret-{n}")).await);
    }
    let theirs = linear(&world, "other", "theirs").await;
    let take = async |caller: Option<&Caller>, secret: &str| {
        world.app.receive_linear(caller, by_linear(&world, secret, 0)).await
    };
    recorded(take(None, "theirs").await);
    assert_eq!(events_of(&world, "other", &theirs).await, 1);
    recorded(take(None, "secret-19").await);
    assert_eq!(rejected(take(None, "secret-20").await), Rejection::WrongSignature);
    let acme = world.caller("acme", &["read"]).await;
    recorded(take(Some(&acme), "secret-20").await);
    // One that is off leaves its place to the next.
    world.app.disable_source(&world.operator, "acme", &made[0]).await.unwrap();
    recorded(take(None, "secret-20").await);
    world.end().await;
}

#[tokio::test]
async fn what_one_source_cannot_record_the_others_of_the_same_secret_record_all_the_same() {
    let world = World::new().await;
    let mut made = Vec::new();
    for tenant in ["acme", "second", "third"] {
        if tenant != "acme" {
            world.tenant(NewTenant { id: tenant.into(), ..NewTenant::default() }).await;
        }
        made.push(linear(&world, tenant, "shared").await);
    }
    let limit = async |tenant: &str| {
        let limits = LimitsInput { payload_bytes: Some(Some(10)), ..LimitsInput::default() };
        let patch = TenantPatch { limits: Some(Some(limits)), ..TenantPatch::default() };
        world.app.update_tenant(&world.operator, tenant, patch).await.unwrap();
    };
    limit("acme").await;
    let take =
        async |padding| world.app.receive_linear(None, by_linear(&world, "shared", padding)).await;
    recorded(take(0).await);
    for (tenant, source, many) in
        [("acme", &made[0], 0), ("second", &made[1], 1), ("third", &made[2], 1)]
    {
        assert_eq!(events_of(&world, tenant, source).await, many, "{tenant}");
    }
    limit("second").await;
    recorded(take(1).await);
    limit("third").await;
    let answer = take(2).await;
    assert!(matches!(answer, Err(ReceiveError::TooLarge { limit_bytes: 10 })), "{answer:?}");
    world.end().await;
}

#[tokio::test]
async fn what_no_secret_could_mend_is_refused_before_any_is_looked_for() {
    let world = World::new().await;
    let take = async |request| rejected(world.app.receive_linear(None, request).await).code();
    // There is no source at all, so the next thing to miss would be a secret.
    assert_eq!(take(by_linear(&world, "any", 0)).await, "no_secret");
    assert_eq!(take(Sent::new("{}").request()).await, "missing_signature");
    let malformed = Sent::new("{}").with("Linear-Signature", "zz").request();
    assert_eq!(take(malformed).await, "malformed_signature");
    let old = by_linear(&world, "any", 0);
    world.clock.forward(Duration::from_secs(61));
    assert_eq!(take(old).await, "stale");
    let long = by_linear(&world, "any", 256 * 1024);
    let answer = world.app.receive_linear(None, long).await;
    assert!(matches!(answer, Err(ReceiveError::TooLarge { limit_bytes: 262_144 })), "{answer:?}");
    world.end().await;
}

#[tokio::test]
async fn many_requests_of_linear_s_at_once_are_all_recorded() {
    let world = World::new().await;
    let source = linear(&world, "acme", "secret").await;
    let mut all = JoinSet::new();
    for n in 0..40 {
        let (app, request) = (world.app.clone(), by_linear(&world, "secret", n * 1000));
        all.spawn(async move { app.receive_linear(None, request).await });
    }
    assert!(all.join_all().await.iter().all(Result::is_ok));
    assert_eq!(events_of(&world, "acme", &source).await, 40);
    world.end().await;
}

#[tokio::test]
async fn a_delivery_is_known_by_either_of_its_names_when_it_comes_back() {
    let world = World::new().await;
    let id = source_of(&world, "github", Some(SECRET)).await;
    let sent = |body: &str| Sent::signed(&world, "github", SECRET, body);
    let (first, _) =
        recorded(receive(&world, &id, sent("{}").with("X-GitHub-Delivery", "1")).await);
    let by_id = sent("{ }").with("X-GitHub-Delivery", &first);
    assert_eq!(recorded(receive(&world, &id, by_id).await), (first.clone(), true));
    let forwarded = sent("{  }").with("webhook-id", &first).with("X-GitHub-Delivery", "2");
    assert_eq!(recorded(receive(&world, &id, forwarded).await), (first, true));
    assert_eq!(count(&world, &id).await, 1);
    world.end().await;
}

#[tokio::test]
async fn a_public_key_proves_nothing_to_who_holds_it() {
    let public = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=";
    let world = World::new().await;
    let gitlab = source_of(&world, "gitlab", Some(public)).await;
    let token = Sent::new("{}").with("X-Gitlab-Token", public);
    assert_eq!(rejected(receive(&world, &gitlab, token).await).code(), "bad_secret");
    let custom = source_of(&world, "custom", Some(public)).await;
    // The HMAC-SHA256 of `{}` with that text as its key.
    let mac = "7e373f17048265efad479a84b4d444450bc9edbc28935d31c2059f05968b53f7";
    let bare = Sent::new("{}").with("X-Webhook-Signature", mac);
    assert_eq!(rejected(receive(&world, &custom, bare).await).code(), "bad_secret");
    assert_eq!(count(&world, &gitlab).await + count(&world, &custom).await, 0);
    let new = NewSource {
        name: "A".into(),
        provider: Some("github".into()),
        secret: Some(public.into()),
        ..NewSource::default()
    };
    let made = world.app.create_source(&world.operator, "acme", new).await;
    assert_eq!(crate::world::wrong(made), [("/secret".to_owned(), "bad_secret")]);
    world.end().await;
}

#[tokio::test]
async fn an_event_that_is_delivered_to_its_own_source_does_not_go_round() {
    let world = World::new().await;
    let (id, other) = (
        source_of(&world, "custom", Some(SECRET)).await,
        source_of(&world, "custom", Some(SECRET)).await,
    );
    let sent =
        |key: &str| Sent::signed(&world, "custom", SECRET, BODY).with("Idempotency-Key", key);
    let (first, _) = recorded(receive(&world, &id, sent("m-1")).await);
    assert_eq!(recorded(receive(&world, &id, sent(&first)).await), (first.clone(), true));
    let (elsewhere, repeat) = recorded(receive(&world, &other, sent(&first)).await);
    assert!(elsewhere != first && !repeat, "another source is another hop");
    assert_eq!(count(&world, &id).await, 1);
    world.end().await;
}
