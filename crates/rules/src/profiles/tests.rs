//! The values of contract.md §4, the envelopes byte for byte, and the headers.

use hookyard_domain::event::EventContent;
use hookyard_domain::headers::Headers;
use hookyard_domain::id::{EventId, EventKey, SourceId, TargetNo};
use hookyard_domain::secret::{Secret, Secrets};
use hookyard_domain::tenant::TenantNo;
use proptest::prelude::*;

use super::*;

fn event(data: &str, scope: Option<&str>, received: bool) -> Event {
    let accepted_at: Timestamp = "2026-07-03T14:26:12.500Z".parse().unwrap();
    Event {
        id: EventId::of(EventKey::at(accepted_at), 3),
        tenant: TenantNo(1),
        accepted_at,
        content: EventContent {
            event_type: "order.created".parse().unwrap(),
            scope: scope.map(|it| it.parse().unwrap()),
            occurred_at: Some("2026-07-03T14:26:11Z".parse().unwrap()),
            data: Bytes::copy_from_slice(data.as_bytes()),
            previous: None,
            changes: None,
            headers: Headers::default(),
            publisher_id: Some("mine".into()),
            source: received.then(|| SourceId::from_u128(1)),
            content_type: received.then(|| "text/csv".to_owned()),
        },
    }
}

pub(crate) fn settings(profile: Profile) -> EndpointSettings {
    let url = url::Url::parse("https://example.com/").unwrap();
    EndpointSettings {
        url: hookyard_domain::url::EndpointUrl::new(url),
        events: vec![],
        name: None,
        description: None,
        scope: None,
        source: None,
        profile,
        retry: None,
        timeout_s: None,
        rate_limit: None,
        ordered: false,
        max_in_flight: None,
        include_previous_attributes: false,
        auto_disable: None,
        verify: None,
        metadata: None,
    }
}

/// Data whose bytes no serializer would print again: blanks, order, escapes, a number too large, a key twice.
const ODD: &str = r#"{ "b":1e2,"a" : "\u00fc\/", "n":12345678901234567890123, "a":null }"#;

fn text(bytes: &Bytes) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn every_envelope_holds_the_exact_bytes_of_data() {
    let event = event(ODD, Some("acme"), false);
    let id = event.id.to_string();
    for (profile, want) in [
        (
            Profile::Standard,
            format!(
                r#"{{"type":"order.created","timestamp":"2026-07-03T14:26:11.000Z","data":{ODD}}}"#
            ),
        ),
        (
            Profile::Aly,
            format!(
                r#"{{"id":"{id}","type":"order.created","created_at":"2026-07-03T14:26:11.000Z","site_slug":"acme","data":{ODD}}}"#
            ),
        ),
        (
            Profile::Alvys,
            format!(
                r#"{{"id":"{id}","type":"order.created","timestamp":"2026-07-03T14:26:11.0000000+00:00","version":"v1","data":{ODD}}}"#
            ),
        ),
        (
            Profile::Alumia,
            format!(
                r#"{{"id":"{id}","type":"order.created","createdAt":"2026-07-03T14:26:11.000Z","data":{ODD}}}"#
            ),
        ),
        (Profile::Aryeo, ODD.to_owned()),
    ] {
        assert_eq!(text(&body(&settings(profile), &event)), want, "{profile}");
    }
}

#[test]
fn an_event_without_a_scope_or_a_time_of_its_own_says_null_and_when_it_was_accepted() {
    let mut event = event("1", None, false);
    event.content.occurred_at = None;
    let got = body(&settings(Profile::Aly), &event);
    assert!(text(&got).contains(r#""created_at":"2026-07-03T14:26:12.500Z","site_slug":null,"#));
}

/// The tail of an endpoint's body of a change of a load, from `data` on.
fn changed(profile: Profile, event_type: &str, asked: bool) -> String {
    let mut event = event(r#"{"load":{"id":"l1","n":2}}"#, None, false);
    event.content.event_type = event_type.parse().unwrap();
    event.content.previous = Some(Bytes::from_static(br#"{"id":"l1","n":1}"#));
    event.content.changes = Some(Bytes::from_static(br#"[{"kind":"RateChanged"}]"#));
    let settings = EndpointSettings { include_previous_attributes: asked, ..settings(profile) };
    let body = body(&settings, &event);
    let body = text(&body);
    body.split_once(r#""data":"#).map_or(body, |it| it.1).to_owned()
}

#[test]
fn every_profile_tells_what_changed_and_who_asked_what_was_before() {
    const CHANGES: &str = r#"{"load":{"id":"l1","n":2},"diff":{"changes":[{"kind":"RateChanged"}]"#;
    for profile in Profile::ALL {
        let end = if profile == Profile::Aryeo { "}" } else { "}}" };
        let got = changed(profile, "load.changed", false);
        assert_eq!(got, format!("{CHANGES}}}{end}"), "{profile}");
        let got = changed(profile, "load.changed", true);
        let attributes = r#","previousAttributes":{"n":1}}"#;
        assert_eq!(got, format!("{CHANGES}{attributes}{end}"), "{profile}");
    }
}

#[test]
fn alv_diff_1_alvys_tells_it_with_changed_loads_and_trips_only() {
    for (event_type, tells) in [
        ("load.changed", true),
        ("trip.changed", true),
        ("load.status.changed", false),
        ("trip.status.changed", false),
        ("load.document.uploaded", false),
    ] {
        let got = changed(Profile::Alvys, event_type, true);
        assert_eq!(got.contains("diff"), tells, "{event_type}");
        assert!(changed(Profile::Standard, event_type, true).contains("diff"), "{event_type}");
    }
}

/// What an endpoint of Alvys gets as `data`.
fn alvys_data(event_type: &str, data: &str, previous: Option<&'static str>, asked: bool) -> String {
    let mut event = event(data, None, false);
    event.content.event_type = event_type.parse().unwrap();
    event.content.previous = previous.map(|it| Bytes::from_static(it.as_bytes()));
    let settings =
        EndpointSettings { include_previous_attributes: asked, ..settings(Profile::Alvys) };
    let body = body(&settings, &event);
    let (_, data) = text(&body).split_once(r#""data":"#).unwrap();
    data.strip_suffix('}').unwrap().to_owned()
}

#[test]
fn alv_diff_4_previous_values_in_the_publishers_own_diff_go_to_who_asked_alone() {
    const TOLD: &str = r#"{ "load":{"n": 2.0}, "diff":{"changes":[ {"kind":"RateChanged"} ],"previousAttributes":{"n":1},"x":1}}"#;
    for (data, want) in [
        (TOLD, r#"{"load":{"n": 2.0},"diff":{"changes":[ {"kind":"RateChanged"} ],"x":1}}"#),
        (r#"{"n":2,"diff":{"previousAttributes":{"n":1}}}"#, r#"{"n":2,"diff":{"changes":[]}}"#),
        (
            r#"{"diff":{"previousAttributes":1},"diff":{"changes":[],"\u0070reviousAttributes":2}}"#,
            r#"{"diff":{"changes":[]}}"#,
        ),
        (
            r#"{"diff":{"previousAttributes":1},"diff":{"changes":[]}}"#,
            r#"{"diff":{"changes":[]}}"#,
        ),
    ] {
        assert_eq!(alvys_data("load.changed", data, None, true), data);
        assert_eq!(alvys_data("load.changed", data, None, false), want);
        assert_eq!(
            alvys_data("load.status.changed", data, None, false),
            data,
            "not a diff's event"
        );
    }
    for same in [r#"{ "n":2, "diff":{"changes":[]} }"#, r#"{"n":2,"diff":1}"#, r#"{"n": 2}"#] {
        assert_eq!(alvys_data("load.changed", same, None, false), same);
    }
}

#[test]
fn alv_diff_12_that_something_differs_is_told_to_everybody() {
    let (data, before) = (r#"{"load":{"n":2}}"#, Some(r#"{"n":1}"#));
    let got = alvys_data("load.changed", data, before, false);
    assert_eq!(got, r#"{"load":{"n":2},"diff":{"changes":[]}}"#);
    let got = alvys_data("load.changed", data, before, true);
    assert_eq!(got, r#"{"load":{"n":2},"diff":{"changes":[],"previousAttributes":{"n":1}}}"#);
    for asked in [true, false] {
        let same = alvys_data("load.changed", data, Some(r#"{"n":2}"#), asked);
        assert_eq!(same, data);
    }
}

#[test]
fn received_bytes_go_on_unchanged_under_alumia_without_a_copy() {
    let event = event("a=1&b=2", None, true);
    let got = body(&settings(Profile::Alumia), &event);
    assert_eq!(got.as_ptr(), event.content.data.as_ptr());
    assert_eq!(got, event.content.data);
    assert_eq!(body(&settings(Profile::Aryeo), &event).as_ptr(), event.content.data.as_ptr());
}

#[test]
fn received_bytes_that_are_no_json_become_a_string_inside_an_envelope() {
    let got = body(&settings(Profile::Standard), &event("a=\"1\"&b", None, true));
    let read: serde_json::Value = serde_json::from_slice(&got).unwrap();
    assert_eq!(read["data"], "a=\"1\"&b");
    let got = body(&settings(Profile::Standard), &event(ODD, None, true));
    assert!(text(&got).ends_with(&format!(r#""data":{ODD}}}"#)));
}

proptest! {
    #[test]
    fn any_scope_is_escaped_so_that_it_reads_back(scope in "[\\PC]{1,40}") {
        let event = event("{}", Some(&scope), false);
        let read: serde_json::Value = serde_json::from_slice(&body(&settings(Profile::Aly), &event)).unwrap();
        prop_assert_eq!(&read["site_slug"], &serde_json::Value::from(scope));
    }
}

fn dressed(profile: Profile, attempt: u32, secret: Option<&str>) -> (Event, SignedHeaders) {
    let event = event("{}", None, false);
    let current = secret.map(|it| Secret::new(it.to_owned()));
    let secrets = Secrets { current, previous: None };
    let signer = Signer::prepare(of(profile).scheme, &secrets).unwrap();
    let body = body(&settings(profile), &event);
    let now = Timestamp::from_secs(1_800_000_000);
    let delivery = event.id.delivery(TargetNo(0));
    let dress = Dress { event: &event, delivery, attempt, now, body: &body };
    let headers = headers(profile, &signer, &dress);
    (event, headers)
}

fn names(headers: &SignedHeaders) -> Vec<&'static str> {
    headers.iter().map(|it| it.0).collect()
}

fn value<'a>(headers: &'a SignedHeaders, name: &str) -> &'a str {
    headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str()).unwrap()
}

#[test]
fn standard_and_alumia_send_the_three_headers_of_standard_webhooks() {
    for profile in [Profile::Standard, Profile::Alumia] {
        let (event, headers) = dressed(profile, 2, Some("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        assert_eq!(
            names(&headers),
            ["Content-Type", "webhook-id", "webhook-timestamp", "webhook-signature"]
        );
        assert_eq!(value(&headers, "Content-Type"), "application/json");
        assert_eq!(value(&headers, "webhook-id"), event.id.to_string());
        assert_eq!(value(&headers, "webhook-timestamp"), "1800000000");
    }
}

#[test]
fn aly_sends_its_headers_with_a_delivery_id_of_each_attempt() {
    let (event, first) = dressed(Profile::Aly, 1, Some("whsec_test"));
    assert_eq!(
        names(&first),
        [
            "Content-Type",
            "X-Aly-Delivery-Id",
            "X-Aly-Event-Id",
            "X-Aly-Event-Type",
            "X-Aly-Attempt",
            "X-Aly-Timestamp",
            "X-Aly-Signature",
        ]
    );
    assert_eq!(value(&first, "X-Aly-Event-Id"), event.id.to_string());
    assert_eq!(value(&first, "X-Aly-Event-Type"), "order.created");
    assert_eq!(value(&first, "X-Aly-Attempt"), "1");
    assert!(value(&first, "X-Aly-Signature").starts_with("t=1800000000,v1="));
    let (_, second) = dressed(Profile::Aly, 2, Some("whsec_test"));
    let ids = [&first, &second].map(|it| value(it, "X-Aly-Delivery-Id"));
    assert_ne!(ids[0], ids[1]);
    for id in ids {
        let digits = id.strip_prefix("del_").unwrap();
        assert!(digits.len() == 26 && digits.bytes().all(|it| it.is_ascii_alphanumeric()), "{id}");
    }
}

#[test]
fn alvys_sends_its_headers() {
    let (event, headers) = dressed(Profile::Alvys, 3, Some("secret"));
    assert_eq!(
        names(&headers),
        [
            "Content-Type",
            "X-Alvys-Event",
            "X-Alvys-Event-Id",
            "X-Alvys-Attempt",
            "X-Alvys-Timestamp",
            "X-Alvys-Signature",
        ]
    );
    assert_eq!(value(&headers, "X-Alvys-Event"), "order.created");
    assert_eq!(value(&headers, "X-Alvys-Event-Id"), event.id.to_string());
    assert_eq!(value(&headers, "X-Alvys-Attempt"), "3");
}

#[test]
fn aryeo_sends_a_signature_only_and_none_without_a_secret() {
    assert_eq!(names(&dressed(Profile::Aryeo, 1, Some("s")).1), ["Content-Type", "Signature"]);
    assert_eq!(names(&dressed(Profile::Aryeo, 1, None).1), ["Content-Type"]);
}

#[test]
fn alvys_dispatches_events_of_a_tender_or_a_document_one_after_another() {
    let about = |event_type: &str, data: &str| {
        let mut event = event(data, None, false);
        event.content.event_type = event_type.parse().unwrap();
        series(&event)
    };
    for (event_type, data, want) in [
        ("tender.accepted", r#"{"tenderId":"t1","loadId":"l"}"#, Some("tender t1")),
        ("tender.change.created", r#"{"tender":{"Id":"t1"}}"#, Some("tender t1")),
        ("load.document.uploaded", r#"{"loadNumber":1,"document":{"id":"d"}}"#, Some("document d")),
        ("tender.accepted", r#"{"tenderId":7,"loadId":8}"#, Some("tender 7")),
        ("tender.accepted", r#"{"tenderId":"t1","tender":"T-1"}"#, Some("tender t1")),
        (
            "tender.accepted",
            r#"{"tenderId":"t1","tender":{"number":1},"document":[]}"#,
            Some("tender t1"),
        ),
        ("tender.accepted", r#"{"tenderId":{"no":1},"tender":{"id":9}}"#, Some("tender 9")),
        ("tender.accepted", r#"{"tenderId":"","tender":{"id":null,"Id":"t2"}}"#, Some("tender t2")),
        (
            "trip.document.deleted",
            r#"{"tripId":1,"document":{"id":5},"tender":"x"}"#,
            Some("document 5"),
        ),
        ("tender.accepted", r#"{"loadId":"l"}"#, None),
        ("tender.accepted", r#"{"tenderId":[1],"tender":{"id":true}}"#, None),
        ("tender.accepted", "[]", None),
        ("load.changed", r#"{"tenderId":"t1","document":{"id":"d"}}"#, None),
    ] {
        assert_eq!(about(event_type, data).as_deref(), want, "{event_type} {data}");
    }
    let kept: Vec<_> = Profile::ALL.into_iter().filter(|it| keeps_series(*it)).collect();
    assert_eq!(kept, [Profile::Alvys]);
}

#[test]
fn what_was_received_goes_on_with_its_own_content_type_where_it_goes_on_as_it_came() {
    for profile in Profile::ALL {
        let as_it_came = matches!(profile, Profile::Alumia | Profile::Aryeo);
        for (received, want) in [(true, "text/csv"), (false, "application/json")] {
            let event = event("a,b", None, received);
            let want = if as_it_came { want } else { "application/json" };
            assert_eq!(content_type(profile, &event), want, "{profile}");
        }
    }
}

#[test]
fn what_a_delivery_carries_verifies_for_its_receiver() {
    for profile in Profile::ALL {
        let secret = crate::signing::generate(profile, &[9; 32]);
        let (event, headers) = dressed(profile, 1, Some(secret.reveal()));
        let seen = Headers(headers.iter().map(|it| (it.0.to_owned(), it.1.clone())).collect());
        let body = body(&settings(profile), &event);
        let now = Timestamp::from_secs(1_800_000_100);
        let got = crate::signing::verify_signature(
            of(profile).scheme,
            secret.reveal(),
            &seen,
            &body,
            Duration::from_secs(300),
            now,
        );
        assert!(got.valid, "{got:?}");
    }
}

fn seconds(profile: Profile) -> Vec<u64> {
    preset(profile).delays_ms.iter().map(|it| it / 1000).collect()
}

#[test]
fn each_profile_retries_as_the_contract_says() {
    let standard = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
    assert_eq!(seconds(Profile::Standard), standard);
    assert_eq!(seconds(Profile::Alumia), standard);
    assert_eq!(seconds(Profile::Alvys), [10, 30, 60]);
    assert_eq!(seconds(Profile::Aryeo), [10, 100]);
    assert_eq!(seconds(Profile::Aly)[..6], [30, 120, 600, 1800, 3600, 7200]);
    assert!(seconds(Profile::Aly)[6..].iter().all(|it| *it == 14_400));
    let jitter = Profile::ALL.map(|it| preset(it).jitter);
    assert_eq!(jitter, [0.2, 0.1, 0.0, 0.2, 0.0]);
    let attempts = Profile::ALL.map(|it| preset(it).attempts_max());
    assert_eq!(attempts, [10, 24, 4, 10, 3]);
}

#[test]
fn the_24_attempts_of_aly_span_71_point_7_hours() {
    assert_eq!(seconds(Profile::Aly).iter().sum::<u64>(), 258_150);
}

#[test]
fn the_other_values_are_the_contracts_too() {
    assert_eq!(Profile::ALL.map(|it| of(it).profile), Profile::ALL);
    assert_eq!(Profile::ALL.map(|it| of(it).timeout_s), [15, 5, 30, 15, 3]);
    let day = Some(Duration::from_secs(86_400));
    assert_eq!(Profile::ALL.map(|it| of(it).overlap), [day, None, day, None, None]);
    let (gone, never) = (Terminal::Gone, Terminal::Never);
    let terminal = [gone, never, Terminal::ClientErrors, gone, never];
    assert_eq!(Profile::ALL.map(|it| of(it).terminal), terminal);
    let five_days = AutoDisable::AfterSeconds(432_000);
    let off = AutoDisable::Never;
    let auto = [five_days, off, AutoDisable::AfterEvents(10), five_days, off];
    assert_eq!(Profile::ALL.map(|it| of(it).auto_disable), auto);
    let challenged = Profile::ALL.map(|it| of(it).verify == Verify::Challenge);
    assert_eq!(challenged, [false, false, true, false, false]);
    let limits = Profile::ALL.map(|it| (of(it).endpoints_max, of(it).events_max));
    let (none, fifty) = ((None, None), (Some(50), Some(50)));
    assert_eq!(limits, [none, none, fifty, none, none]);
    let unsigned = Profile::ALL.map(|it| !of(it).secret_required);
    assert_eq!(unsigned, [false, false, false, false, true]);
}

#[test]
fn what_an_endpoint_sets_goes_before_its_profile() {
    let mut settings = settings(Profile::Alvys);
    assert_eq!(retry_policy(&settings), preset(Profile::Alvys));
    assert_eq!(timeout(&settings), Duration::from_secs(30));
    assert_eq!(auto_disable(&settings), AutoDisable::AfterEvents(10));
    assert_eq!(verify(&settings), Verify::Challenge);
    let own = RetryPolicy { delays_ms: vec![1_000], jitter: 0.5 };
    settings.retry = Some(own.clone());
    settings.timeout_s = Some(7);
    settings.auto_disable = Some(AutoDisable::Never);
    settings.verify = Some(Verify::None);
    assert_eq!(retry_policy(&settings), own);
    assert_eq!(timeout(&settings), Duration::from_secs(7));
    assert_eq!(auto_disable(&settings), AutoDisable::Never);
    assert_eq!(verify(&settings), Verify::None);
}
