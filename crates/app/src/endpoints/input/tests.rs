//! Which fields of an endpoint are refused, and with which code.

use hookyard_domain::tenant::{TenantLimits, TenantNo};
use hookyard_domain::time::Timestamp;

use super::*;

fn tenant() -> Tenant {
    Tenant {
        no: TenantNo(1),
        id: "acme".parse().unwrap(),
        name: None,
        profile: Profile::Aly,
        limits: TenantLimits::default(),
        retention_days: 30,
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
    }
}

fn bounds<'a>(
    tenant: &'a Tenant,
    egress: &'a EgressPolicy,
    own_types: &'a BTreeSet<EventType>,
) -> Bounds<'a> {
    Bounds { tenant, egress, surface: None, own_types }
}

fn good() -> NewEndpoint {
    NewEndpoint {
        url: "https://example.com/hooks".into(),
        events: vec!["order.*".into()],
        ..NewEndpoint::default()
    }
}

fn read(new: NewEndpoint) -> Result<EndpointSettings, Vec<(String, &'static str)>> {
    let tenant = tenant();
    let egress = EgressPolicy::default();
    let mut checks = Checks::default();
    let checked = new.check(&mut checks, bounds(&tenant, &egress, &BTreeSet::new()));
    match checks.done_with(checked) {
        Ok((settings, _)) => Ok(settings),
        Err(AppError::Invalid(wrong)) => {
            Err(wrong.into_iter().map(|it| (it.pointer, it.code)).collect())
        }
        Err(other) => panic!("{other}"),
    }
}

#[track_caller]
fn refused(new: NewEndpoint, pointer: &str, code: &str) {
    let wrong = read(new).unwrap_err();
    let wrong: Vec<_> = wrong.iter().map(|(pointer, code)| (&**pointer, *code)).collect();
    assert_eq!(wrong, [(pointer, code)]);
}

fn retry(delays_s: &[f64], jitter: f64) -> NewEndpoint {
    let retry =
        RetryInput { delays_s: Some(delays_s.to_vec()), jitter: Some(jitter), preset: None };
    NewEndpoint { retry: Some(retry), ..good() }
}

#[test]
fn what_is_not_said_is_the_tenants_profile_and_its_values() {
    let settings = read(good()).unwrap();
    assert_eq!(settings.profile, Profile::Aly);
    assert_eq!((settings.retry, settings.timeout_s, settings.verify), (None, None, None));
}

#[test]
fn every_wrong_field_is_told_at_once() {
    let new = NewEndpoint {
        url: String::new(),
        events: vec!["order.created".into(), "or*er".into()],
        name: Some("x".repeat(121)),
        scope: Some(String::new()),
        profile: Some("acme".into()),
        timeout_s: Some(0),
        ..NewEndpoint::default()
    };
    let mut wrong = read(new).unwrap_err();
    wrong.sort();
    let wrong: Vec<_> = wrong.iter().map(|(pointer, code)| (&**pointer, *code)).collect();
    assert_eq!(
        wrong,
        [
            ("/events/1", "bad_event_type"),
            ("/name", "too_long"),
            ("/profile", "unknown_profile"),
            ("/scope", "bad_scope"),
            ("/timeout_s", "out_of_range"),
            ("/url", "required"),
        ]
    );
}

#[test]
fn urls_that_may_not_be_called_are_refused() {
    for (url, code) in [
        ("nonsense", "bad_url"),
        ("http://example.com", "http_not_allowed"),
        ("ftp://example.com", "scheme_not_allowed"),
        ("https://user:pass@example.com", "userinfo_not_allowed"),
        ("https://10.0.0.1/", "private_address"),
        ("https://localhost/", "private_address"),
    ] {
        refused(NewEndpoint { url: url.into(), ..good() }, "/url", code);
    }
}

#[test]
fn events_are_needed_and_said_once() {
    refused(NewEndpoint { events: vec![], ..good() }, "/events", "required");
    let many = vec!["a".to_owned(); limit::PATTERNS_MAX + 1];
    refused(NewEndpoint { events: many, ..good() }, "/events", "too_many");
    let twice = ["b", "a.*", "b", "*"].map(str::to_owned).to_vec();
    let settings = read(NewEndpoint { events: twice, ..good() }).unwrap();
    let events: Vec<_> = settings.events.iter().map(ToString::to_string).collect();
    assert_eq!(events, ["b", "a.*", "*"]);
}

#[test]
fn a_leading_zero_stands_for_the_first_attempt() {
    let policy = |delays: &[f64]| read(retry(delays, 0.5)).unwrap().retry.unwrap();
    assert_eq!(policy(&[0.0, 10.0, 100.0]).delays_ms, [10_000, 100_000]);
    assert_eq!(policy(&[1.5]).delays_ms, [1_500]);
    assert_eq!(policy(&[]).attempts_max(), 1);
    assert_eq!(policy(&[0.0]).attempts_max(), 1);
}

#[test]
fn delays_and_jitter_have_bounds() {
    refused(retry(&[10.0, 0.0], 0.0), "/retry/delays_s/1", "out_of_range");
    refused(retry(&[0.5], 0.0), "/retry/delays_s/0", "out_of_range");
    refused(retry(&[604_801.0], 0.0), "/retry/delays_s/0", "out_of_range");
    refused(retry(&[f64::NAN], 0.0), "/retry/delays_s/0", "out_of_range");
    refused(retry(&[-1.0], 0.0), "/retry/delays_s/0", "out_of_range");
    refused(retry(&[1.0], 1.1), "/retry/jitter", "out_of_range");
    refused(retry(&[1.0], f64::NAN), "/retry/jitter", "out_of_range");
    refused(retry(&[1.0; 102], 0.0), "/retry/delays_s", "too_many");
}

#[test]
fn a_preset_is_a_profiles_schedule_and_stands_alone() {
    let with = |retry: RetryInput| NewEndpoint { retry: Some(retry), ..good() };
    let preset = |name: &str| RetryInput { preset: Some(name.into()), ..RetryInput::default() };
    let policy = read(with(preset("aryeo"))).unwrap().retry.unwrap();
    assert_eq!(policy.delays_ms, [10_000, 100_000]);
    refused(with(preset("acme")), "/retry/preset", "unknown_profile");
    refused(with(RetryInput::default()), "/retry", "required");
    let both = RetryInput { delays_s: Some(vec![1.0]), ..preset("aly") };
    refused(with(both), "/retry", "ambiguous");
    let jitter = RetryInput { jitter: Some(0.1), ..preset("aly") };
    refused(with(jitter), "/retry/jitter", "not_with_preset");
}

#[test]
fn rates_bounds_and_switches_are_checked() {
    let rate = |per_s: f64, burst: Option<i64>| NewEndpoint {
        rate_limit: Some(RateLimitInput { per_s, burst }),
        ..good()
    };
    assert!(read(rate(0.1, None)).is_ok());
    for per_s in [0.0, 0.0009, -1.0, 10_001.0, f64::NAN, f64::INFINITY] {
        refused(rate(per_s, None), "/rate_limit/per_s", "out_of_range");
    }
    refused(rate(1.0, Some(0)), "/rate_limit/burst", "out_of_range");
    for timeout_s in [0, 121, -5, i64::MAX] {
        let new = NewEndpoint { timeout_s: Some(timeout_s), ..good() };
        refused(new, "/timeout_s", "out_of_range");
    }
    let new = NewEndpoint { max_in_flight: Some(1001), ..good() };
    refused(new, "/max_in_flight", "out_of_range");
    refused(NewEndpoint { verify: Some("maybe".into()), ..good() }, "/verify", "unknown_value");
}

#[test]
fn auto_disable_is_one_of_its_forms() {
    let with = |it: AutoDisableInput| NewEndpoint { auto_disable: Some(it), ..good() };
    let on = |after_events, after_s| with(AutoDisableInput::On { after_events, after_s });
    let read = |new| read(new).unwrap().auto_disable.unwrap();
    assert_eq!(read(with(AutoDisableInput::Off)), AutoDisable::Never);
    assert_eq!(read(on(Some(10), None)), AutoDisable::AfterEvents(10));
    assert_eq!(read(on(None, Some(60))), AutoDisable::AfterSeconds(60));
    refused(on(Some(1), Some(1)), "/auto_disable", "ambiguous");
    refused(on(None, None), "/auto_disable", "required");
    refused(on(Some(0), None), "/auto_disable/after_events", "out_of_range");
}

#[test]
fn headers_and_metadata_are_checked_where_they_stand() {
    let header = |name: &str| NewEndpoint {
        headers: Some(Headers(vec![(name.into(), "x".into())])),
        ..good()
    };
    assert!(read(header("X-Team")).is_ok());
    refused(header("Host"), "/headers/Host", "reserved_header");
    let metadata = |text: &str| NewEndpoint { metadata: Some(text.into()), ..good() };
    assert!(read(metadata(r#"{"team":"core"}"#)).is_ok());
    for bad in ["[]", "1", "{", ""] {
        refused(metadata(bad), "/metadata", "not_an_object");
    }
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(limit::METADATA_BYTES_MAX));
    refused(metadata(&large), "/metadata", "too_long");
}

#[test]
fn masked_header_values_sent_back_stay_what_they_are() {
    let pairs = |list: &[(&str, &str)]| {
        Headers(list.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect())
    };
    let old = pairs(&[("Authorization", "Bearer abc"), ("X-Team", "core")]);
    let mut checks = Checks::default();
    let given = pairs(&[("authorization", MASKED), ("X-Team", "web")]);
    let new = unmask(&mut checks, given, &old);
    assert_eq!(new, pairs(&[("authorization", "Bearer abc"), ("X-Team", "web")]));
    unmask(&mut checks, pairs(&[("X-Token", MASKED)]), &old);
    let Err(AppError::Invalid(wrong)) = checks.done() else { panic!("refused") };
    assert_eq!((&*wrong[0].pointer, wrong[0].code), ("/headers/X-Token", "redacted"));
}
