//! Which events are refused, and what makes two of them the same.

use super::*;

fn good() -> NewEvent {
    NewEvent {
        event_type: "order.created".into(),
        data: Bytes::from_static(b"{\"a\": 1}"),
        ..NewEvent::default()
    }
}

#[track_caller]
fn refused(event: NewEvent, pointer: &str, code: &str) {
    let Err(AppError::Invalid(wrong)) = check(event, 100, None) else { panic!("refused") };
    let wrong: Vec<_> = wrong.iter().map(|it| (&*it.pointer, it.code)).collect();
    assert_eq!(wrong, [(pointer, code)]);
}

#[test]
fn data_is_kept_byte_for_byte() {
    let (incoming, _) = check(good(), 100, None).unwrap();
    assert_eq!(&incoming.content.data[..], b"{\"a\": 1}");
}

#[test]
fn wrong_fields_are_pointed_out() {
    refused(NewEvent { event_type: String::new(), ..good() }, "/type", "required");
    refused(NewEvent { event_type: "a b".into(), ..good() }, "/type", "bad_event_type");
    refused(NewEvent { event_type: "order.*".into(), ..good() }, "/type", "bad_event_type");
    refused(NewEvent { data: Bytes::new(), ..good() }, "/data", "required");
    refused(NewEvent { scope: Some(String::new()), ..good() }, "/scope", "bad_scope");
    refused(NewEvent { publisher_id: Some(String::new()), ..good() }, "/id", "too_short");
    refused(NewEvent { publisher_id: Some("x".repeat(256)), ..good() }, "/id", "too_long");
    let at = Some("yesterday".into());
    refused(NewEvent { occurred_at: at, ..good() }, "/occurred_at", "bad_time");
    let list = Some(Bytes::from_static(b" []"));
    refused(NewEvent { previous: list.clone(), ..good() }, "/previous", "not_an_object");
    assert!(check(NewEvent { changes: list, ..good() }, 100, None).is_ok());
    let object = Some(Bytes::from_static(b"{}"));
    refused(NewEvent { changes: object, ..good() }, "/changes", "not_a_list");
    let changes =
        |it: &'static str| NewEvent { changes: Some(Bytes::from_static(it.as_bytes())), ..good() };
    refused(changes("[1]"), "/changes/0", "not_an_object");
    refused(changes(r#"[{"kind":"A"},{"kind":5}]"#), "/changes/1/kind", "not_a_text");
    refused(changes(r#"[{"target":{}}]"#), "/changes/0/kind", "required");
    refused(changes(r#"[{"kind":""}]"#), "/changes/0/kind", "required");
    let kinds =
        r#"[{"kind":"StopReordered"},{"kind":"New","target":{"type":"Stop","id":7},"x":1}]"#;
    assert!(check(changes(kinds), 100, None).is_ok());
    let headers = Headers(vec![("Host".into(), "x".into())]);
    refused(NewEvent { headers, ..good() }, "/headers/Host", "reserved_header");
    let headers = Headers(vec![("X-Trace".into(), "x".into()), ("X-Api-Key".into(), "x".into())]);
    refused(NewEvent { headers, ..good() }, "/headers/X-Api-Key", "credential_header");
}

#[test]
fn what_changed_is_told_in_one_place() {
    let told = NewEvent { data: Bytes::from_static(br#"{"n":1,"diff":{"changes":[]}}"#), ..good() };
    assert!(check(told.clone(), 100, None).is_ok());
    let previous = Some(Bytes::from_static(br#"{"n":0}"#));
    refused(NewEvent { previous: previous.clone(), ..told.clone() }, "/data/diff", "ambiguous");
    let changes = Some(Bytes::from_static(br#"[{"kind":"RateChanged"}]"#));
    refused(NewEvent { changes, ..told }, "/data/diff", "ambiguous");
    assert!(check(NewEvent { previous, ..good() }, 100, None).is_ok());
}

#[test]
fn each_payload_has_to_fit() {
    let large = Bytes::from(vec![b' '; 101]);
    let fits = Bytes::from(vec![b'1'; 100]);
    assert!(check(NewEvent { data: fits, ..good() }, 100, None).is_ok());
    for event in [
        NewEvent { data: large.clone(), ..good() },
        NewEvent { previous: Some(large.clone()), ..good() },
        NewEvent { changes: Some(large.clone()), ..good() },
    ] {
        let error = check(event, 100, None).unwrap_err();
        assert!(matches!(error, AppError::TooLarge { limit_bytes: 100 }));
    }
}

#[test]
fn content_differs_by_every_field() {
    let text = || Some("x".to_owned());
    let bytes = || Some(Bytes::from_static(b"x"));
    let headers = |name: &str| Headers(vec![(name.into(), "x".into())]);
    let events = [
        good(),
        NewEvent { event_type: "order.paid".into(), ..good() },
        NewEvent { data: Bytes::from_static(b"{\"a\":1}"), ..good() },
        NewEvent { scope: text(), ..good() },
        NewEvent { publisher_id: text(), ..good() },
        NewEvent { occurred_at: text(), ..good() },
        NewEvent { previous: bytes(), ..good() },
        NewEvent { changes: bytes(), ..good() },
        NewEvent { headers: headers("a"), ..good() },
        NewEvent { headers: headers("b"), ..good() },
    ];
    let hashes: std::collections::BTreeSet<_> = events.iter().map(content).collect();
    assert_eq!(hashes.len(), events.len());
    assert_eq!(content(&good()), content(&good()));
}
