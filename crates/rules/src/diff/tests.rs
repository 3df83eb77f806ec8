//! The rules of vendors.md §2.12 by their ids, its worked shapes, and what must hold for any object.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;

fn told(
    noun: &str,
    data: &str,
    before: Option<&str>,
    changes: Option<&str>,
    asked: bool,
) -> Option<String> {
    let (data, previous) = (data.as_bytes(), before.map(str::as_bytes));
    let change = Change { noun, data, previous, changes: changes.map(str::as_bytes), asked };
    data_with_diff(&change).map(|it| String::from_utf8(it.to_vec()).unwrap())
}

/// The diff of a load for who asked.
#[track_caller]
fn diff(before: &str, after: &str, changes: Option<&str>) -> Option<String> {
    let data = format!(r#"{{"load":{after}}}"#);
    let told = told("load", &data, Some(before), changes, true)?;
    let head = format!(r#"{{"load":{after},"diff":"#);
    Some(told.strip_prefix(&head).unwrap().strip_suffix('}').unwrap().to_owned())
}

/// The previous attributes of a load, `{}` for none.
#[track_caller]
fn check(before: &str, after: &str, want: &str) {
    let got = diff(before, after, None);
    let want = (want != "{}").then(|| format!(r#"{{"changes":[],"previousAttributes":{want}}}"#));
    assert_eq!(got, want, "{before} -> {after}");
}

// The worked shapes, exactly.

#[test]
fn worked_shape_1_a_field_that_was_null() {
    let got = diff(
        r#"{"id":"l1","poNumber":null,"updatedAt":"2026-07-03T14:26:11Z"}"#,
        r#"{"id":"l1","poNumber":"PO-7","updatedAt":"2026-07-03T14:30:00Z"}"#,
        Some(r#"[{"kind":"FieldChanged","target":{"type":"Field","id":"PONumber"}}]"#),
    );
    let want = r#"{"changes":[{"kind":"FieldChanged","target":{"type":"Field","id":"PONumber"}}],"previousAttributes":{"poNumber":null,"updatedAt":"2026-07-03T14:26:11Z"}}"#;
    assert_eq!(got.as_deref(), Some(want));
}

#[test]
fn worked_shape_2_and_alv_diff_14_a_load_whose_trip_was_edited() {
    let got = diff(
        r#"{"id":"l1","updatedAt":"2026-07-03T13:55:16Z"}"#,
        r#"{"id":"l1","updatedAt":"2026-07-03T14:00:00Z"}"#,
        Some("[]"),
    );
    let want = r#"{"changes":[],"previousAttributes":{"updatedAt":"2026-07-03T13:55:16Z"}}"#;
    assert_eq!(got.as_deref(), Some(want));
}

#[test]
fn worked_shape_3_a_reference_removed_from_a_stop() {
    let got = diff(
        r#"{"id":"t1","stops":[{"id":"6fe5","references":[]},{"id":"6fe6","references":[{"id":"r8","name":"PO","value":"1"},{"id":"r9","name":"KK","value":"2175048"}]}],"updatedAt":"2026-06-26T12:10:16Z"}"#,
        r#"{"id":"t1","stops":[{"id":"6fe5","references":[]},{"id":"6fe6","references":[{"id":"r8","name":"PO","value":"1"}]}],"updatedAt":"2026-06-26T12:11:00Z"}"#,
        Some(r#"[{"kind":"StopReferencesChanged","target":{"type":"Stop","id":"6fe6"}}]"#),
    );
    let want = r#"{"changes":[{"kind":"StopReferencesChanged","target":{"type":"Stop","id":"6fe6"}}],"previousAttributes":{"stops":{"changed":[{"id":"6fe6","references":{"removed":[{"id":"r9","name":"KK","value":"2175048"}]}}]},"updatedAt":"2026-06-26T12:10:16Z"}}"#;
    assert_eq!(got.as_deref(), Some(want));
}

// When there is a diff, and of what.

#[test]
fn alv_diff_1_the_first_event_of_a_record_has_none() {
    for changes in [None, Some("[]"), Some(" [ ] ")] {
        assert_eq!(told("load", r#"{"load":{"id":1}}"#, None, changes, true), None);
    }
}

#[test]
fn alv_diff_2_and_4_changes_go_to_everyone_and_previous_attributes_to_who_asked() {
    let (data, before) = (r#"{"load":{"n":2}}"#, Some(r#"{"n":1}"#));
    let changes = Some(r#"[{"kind":"RateChanged"}]"#);
    for (before, changes, asked, want) in [
        (
            before,
            changes,
            true,
            Some(r#"{"changes":[{"kind":"RateChanged"}],"previousAttributes":{"n":1}}"#),
        ),
        (before, changes, false, Some(r#"{"changes":[{"kind":"RateChanged"}]}"#)),
        (None, changes, true, Some(r#"{"changes":[{"kind":"RateChanged"}]}"#)),
        (before, None, true, Some(r#"{"changes":[],"previousAttributes":{"n":1}}"#)),
        (before, None, false, None),
        (before, Some("[]"), false, Some(r#"{"changes":[]}"#)),
    ] {
        let want = want.map(|it| format!(r#"{{"load":{{"n":2}},"diff":{it}}}"#));
        assert_eq!(told("load", data, before, changes, asked), want);
    }
}

#[test]
fn alv_diff_3_6_7_and_16_changes_are_passed_through_untouched() {
    for changes in [
        r#"[{"kind":"StopReordered"}]"#,
        r#"[{"kind":"StopReordered","target":{"type":"Stop","id":"6fe6"}}]"#,
        r#"[{"kind":"FieldChanged","target":{"type":"Field","id":"OrderNumber"}}]"#,
        r#"[ {"kind" : "NobodyKnowsThis", "\u0061":1.10} ]"#,
        r#"["total"]"#,
    ] {
        let got = told("order", r#"{"id":1}"#, None, Some(changes), false);
        assert_eq!(got, Some(format!(r#"{{"id":1,"diff":{{"changes":{changes}}}}}"#)));
    }
}

/// The kinds of a changed load and of a changed trip (vendors.md §2.12).
const KINDS: [&str; 2] = [
    "StatusChanged RateChanged FuelSurchargeChanged AccessorialsChanged MileageChanged InvoicedChanged \
     PaymentRecorded InvoicingChanged CustomerChanged ContractChanged ScheduleChanged DueDateChanged Delivered \
     DimensionsChanged CommodityChanged NotesChanged ReferencesChanged FieldChanged",
    "StatusChanged ReleasedChanged DispatchChanged CarrierChanged CarrierPayOnHoldChanged DriverChanged \
     TruckChanged TrailerChanged TemperatureChanged CarrierRateChanged TripValueChanged FuelSurchargeChanged \
     DriverRatesChanged CarrierPaymentRecorded DueDateChanged StopAdded StopRemoved StopReordered \
     StopAddressChanged StopTypeChanged StopCommodityChanged StopNotesChanged StopReferencesChanged \
     StopInstructionsChanged AppointmentChanged ScheduleChanged ArrivalRecorded DepartureRecorded \
     StopStatusChanged PickedUp Delivered MileageChanged TenderChanged ReferencesChanged FieldChanged",
];

#[test]
fn alv_diff_6_every_kind_that_is_documented_goes_out_and_suppresses_nothing() {
    let counts = KINDS.map(|it| it.split(' ').count());
    assert_eq!(counts, [18, 35]);
    for (noun, kinds) in ["load", "trip"].into_iter().zip(KINDS) {
        let changes: Vec<_> = kinds.split(' ').map(|kind| json!({ "kind": kind })).collect();
        let changes = json!(changes).to_string();
        let data = format!(r#"{{"{noun}":{{"n":2}}}}"#);
        let got = told(noun, &data, Some(r#"{"n":1}"#), Some(&changes), true);
        let diff = format!(r#"{{"changes":{changes},"previousAttributes":{{"n":1}}}}"#);
        assert_eq!(got, Some(format!(r#"{{"{noun}":{{"n":2}},"diff":{diff}}}"#)));
    }
}

#[test]
fn alv_diff_5_bookkeeping_fields_make_no_entry_of_changes() {
    let before = r#"{"updatedAt":"a","version":1,"etag":"x"}"#;
    let got = diff(before, r#"{"updatedAt":"b","version":2,"etag":"y"}"#, None);
    assert_eq!(got, Some(format!(r#"{{"changes":[],"previousAttributes":{before}}}"#)));
}

#[test]
fn alv_diff_12_a_difference_is_told_with_empty_changes_and_none_is_not() {
    check(r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":1}"#);
    check(r#"{"a":1,"b":[1,{"id":2}]}"#, r#"{"b":[1,{"id":2}],"a":1}"#, "{}");
    check(r#"{ "a" : 1.0, "b":{"c":"\u00e4"} }"#, r#"{"a":1,"b":{"c":"ä"}}"#, "{}");
    for asked in [true, false] {
        assert_eq!(
            told("load", r#"{"load":{"a":1}}"#, Some(r#"{"a":1}"#), Some("[]"), asked),
            None
        );
    }
}

#[test]
fn alv_diff_13_a_change_of_what_is_not_shown_is_in_changes_only() {
    let changes = r#"[{"kind":"InvoicingChanged"}]"#;
    let got = diff(r#"{"a":1}"#, r#"{"a":1}"#, Some(changes));
    assert_eq!(got, Some(format!(r#"{{"changes":{changes}}}"#)));
}

// What the previous attributes hold.

#[test]
fn alv_diff_8_each_value_is_the_whole_previous_value_in_its_own_bytes() {
    let odd =
        r#"{"a":1e2,"b":12345678901234567890123,"c":"\u00fc\/","d":[ 1.10 , 2],"e":{ "x":1 }}"#;
    let after = r#"{"a":1,"b":12345678901234567890124,"c":"u","d":[1.10],"e":{"x":2}}"#;
    check(odd, after, odd);
}

#[test]
fn alv_diff_8_what_was_not_there_was_null_and_null_is_as_good_as_not_there() {
    check(r#"{"a":null}"#, r#"{"a":1}"#, r#"{"a":null}"#);
    check("{}", r#"{"a":1,"b":[{"id":1}]}"#, r#"{"a":null,"b":null}"#);
    check(r#"{"a":1,"b":[{"id":1}]}"#, r#"{"a":null}"#, r#"{"a":1,"b":[{"id":1}]}"#);
    check(r#"{"a":null,"b":1}"#, r#"{"b":1,"c":null}"#, "{}");
}

#[test]
fn alv_diff_9_a_list_of_things_with_ids_is_compared_by_id() {
    for (before, after, want) in [
        (r#"[{"id":"a","n":1}]"#, "[]", r#"{"removed":[{"id":"a","n":1}]}"#),
        ("[]", r#"[{"id":"a","n":1}]"#, r#"{"added":[{"id":"a"}]}"#),
        (
            r#"[{"n":1,"id":"a","m":2}]"#,
            r#"[{"id":"a","n":3,"m":2}]"#,
            r#"{"changed":[{"id":"a","n":1}]}"#,
        ),
        (
            r#"[{"id":1,"n":1},{"id":2,"n":1},{"id":3,"n":1},{"id":4,"n":1}]"#,
            r#"[{"id":6},{"id":4,"n":2},{"id":1,"n":1},{"id":3},{"id":5,"n":1}]"#,
            r#"{"removed":[{"id":2,"n":1}],"changed":[{"id":3,"n":1},{"id":4,"n":1}],"added":[{"id":6},{"id":5}]}"#,
        ),
        // The number and the text are two ids; an escape makes no other text.
        (
            r#"[{"id":1},{"id":"\u0061","n":1}]"#,
            r#"[{"id":"1"},{"id":"a","n":2}]"#,
            r#"{"removed":[{"id":1}],"changed":[{"id":"\u0061","n":1}],"added":[{"id":"1"}]}"#,
        ),
    ] {
        let [before, after, want] = [before, after, want].map(|it| format!(r#"{{"rows":{it}}}"#));
        check(&before, &after, &want);
    }
}

#[test]
fn alv_diff_9_recursively_and_sparsely() {
    check(
        r#"{"stops":[{"id":1,"kind":"x","orders":[{"id":7,"items":[{"id":8,"n":1,"m":1}],"o":1}]}]}"#,
        r#"{"stops":[{"id":1,"kind":"x","orders":[{"id":7,"items":[{"id":8,"n":2,"m":1}],"o":1}]}]}"#,
        r#"{"stops":{"changed":[{"id":1,"orders":{"changed":[{"id":7,"items":{"changed":[{"id":8,"n":1}]}}]}}]}}"#,
    );
}

#[test]
fn alv_diff_9_another_order_of_the_same_things_is_no_difference() {
    check(r#"{"r":[{"id":1},{"id":2}]}"#, r#"{"r":[{"id":2},{"id":1}]}"#, "{}");
    check(
        r#"{"r":[{"id":1,"q":[{"id":3},{"id":4}]}]}"#,
        r#"{"r":[{"id":1,"q":[{"id":4},{"id":3}]}]}"#,
        "{}",
    );
}

#[test]
fn alv_diff_10_any_other_list_is_opaque() {
    for (before, after) in [
        ("[1,2]", "[2,1]"),
        ("[]", "[1]"),
        (r#"[{"n":1}]"#, r#"[{"n":2}]"#),
        (r#"[{"id":1,"n":1},{"n":1}]"#, r#"[{"id":1,"n":1}]"#),
        (r#"[{"id":1},{"id":1}]"#, r#"[{"id":1}]"#),
        (r#"[{"id":null}]"#, r#"[{"id":1}]"#),
        (r#"[{"id":{"a":1}}]"#, r#"[{"id":{"a":2}}]"#),
        (r#"[{"id":1}]"#, r#"["id"]"#),
        (r#"[{"id":1}]"#, r#"{"id":1}"#),
    ] {
        let [before, after] = [before, after].map(|it| format!(r#"{{"a":{it},"same":[1,2]}}"#));
        let want = before.replace(r#","same":[1,2]"#, "");
        check(&before, &after, &want);
    }
}

#[test]
fn alv_diff_11_audit_fields_are_previous_attributes_too() {
    check(
        r#"{"updatedAt":"a","updatedBy":"x","n":1}"#,
        r#"{"updatedAt":"b","updatedBy":"y","n":1}"#,
        r#"{"updatedAt":"a","updatedBy":"x"}"#,
    );
}

#[test]
fn alv_diff_15_a_nested_object_is_given_whole() {
    check(
        r#"{"loadedMileage":{"distance":{"value":500},"source":"Manual"},"n":{"a":1}}"#,
        r#"{"loadedMileage":{"distance":{"value":510},"source":"Manual"},"n":{"a":1}}"#,
        r#"{"loadedMileage":{"distance":{"value":500},"source":"Manual"}}"#,
    );
}

// What is compared with what, and where the diff stands.

#[test]
fn previous_is_the_object_itself_or_wrapped_as_in_data() {
    #[track_caller]
    fn check(data: &str, before: &str, want: &str) {
        let got = told("load", data, Some(before), None, true).unwrap();
        let got = got.split_once(r#""previousAttributes":"#).unwrap().1;
        assert_eq!(got, format!("{want}}}}}"), "{data} {before}");
    }
    let data = r#"{"load":{"id":1,"n":2}}"#;
    check(data, r#"{"id":1,"n":1}"#, r#"{"n":1}"#);
    check(data, r#"{"load":{"id":1,"n":1}}"#, r#"{"n":1}"#);
    check(data, r#"{}"#, r#"{"id":null,"n":null}"#);
    // Beside other members.
    check(r#"{"load":{"id":1,"n":2},"tenant":"t"}"#, r#"{"id":1,"n":1}"#, r#"{"n":1}"#);
    check(r#"{"load":{"id":1,"n":2},"tenant":"t"}"#, r#"{"load":{"id":1,"n":1}}"#, r#"{"n":1}"#);
    check(r#"{"load":{"n":2},"t":2}"#, r#"{"load":{"n":2},"t":1}"#, r#"{"t":1}"#);
    // An object with a member of its own name.
    check(
        r#"{"load":{"id":1,"load":{"kg":5}}}"#,
        r#"{"id":1,"load":{"kg":4}}"#,
        r#"{"load":{"kg":4}}"#,
    );
    // `data` is the object.
    check(r#"{"id":1,"n":2}"#, r#"{"id":1,"n":1}"#, r#"{"n":1}"#);
    check(r#"{"id":1,"load":{"n":2},"m":1}"#, r#"{"id":1,"m":2}"#, r#"{"m":2,"load":null}"#);
    // Wrapped under a name the type does not say.
    check(r#"{"invoice":{"id":1,"n":2}}"#, r#"{"id":1,"n":1}"#, r#"{"n":1}"#);
    check(r#"{"address":{"zip":2}}"#, r#"{"address":{"zip":1}}"#, r#"{"address":{"zip":1}}"#);
    check(r#"{"n":2}"#, r#"{"n":1}"#, r#"{"n":1}"#);
}

#[test]
fn data_keeps_every_byte_and_the_diff_comes_last() {
    for (data, before, after) in [
        ("{}", "{", "}"),
        ("{ }", "{ ", "}"),
        (r#"{ "b":1e2,"a" : "}" }"#, r#"{ "b":1e2,"a" : "}" ,"#, "}"),
        ("{\"a\":{\"diff\":1}}\n", "{\"a\":{\"diff\":1},", "}\n"),
        (r#"{"a":null}"#, r#"{"a":null,"#, "}"),
    ] {
        let got = told("x", data, None, Some("[1]"), false);
        assert_eq!(got, Some(format!(r#"{before}"diff":{{"changes":[1]}}{after}"#)));
    }
}

#[test]
fn what_has_a_diff_or_is_no_object_goes_out_as_it_is() {
    for data in [
        r#"{"load":{"n":2},"diff":{"changes":[]}}"#,
        r#"{"diff":null,"load":{"n":2}}"#,
        r#"{"\u0064iff":1,"load":{"n":2}}"#,
        "[1]",
        "\"{}\"",
        "1",
        "null",
        "",
        "a=1&b=2}",
        r#"{"a":1"#,
    ] {
        assert_eq!(told("load", data, Some(r#"{"n":1}"#), Some("[1]"), true), None, "{data}");
    }
}

#[test]
fn without_previous_and_changes_data_is_not_even_read() {
    assert_eq!(told("load", "no JSON at all", None, None, true), None);
}

#[test]
fn what_was_kept_and_is_no_json_is_taken_for_not_given() {
    let data = r#"{"n":2}"#;
    for bad in ["", "{", "[1]", r#"{"n":1}}"#, "null"] {
        assert_eq!(told("x", data, Some(bad), None, true), None, "{bad}");
    }
    assert_eq!(told("x", data, None, Some("[1"), true), None);
}

#[test]
fn nesting_has_a_bound_and_then_counts_as_text() {
    let nested = |value: &str| {
        let (open, close) = (r#"[{"id":1,"a":"#.repeat(3000), "}]".repeat(3000));
        format!(r#"{{"a":{open}{value}{close}}}"#)
    };
    let got = told("x", &nested("1"), Some(&nested("2")), None, true).unwrap();
    assert!(got.contains(r#""previousAttributes":{"a":{"changed":[{"id":1,"a":"#));
    assert_eq!(told("x", &nested("1"), Some(&nested("1")), None, true), None);
}

// What holds for any object.

type Row = (u8, Option<String>, Vec<u8>);

fn row() -> impl Strategy<Value = Row> {
    (0u8..3, proptest::option::of("[a-c]{0,2}"), proptest::collection::vec(0u8..6, 0..3))
}

/// An object with a member of each kind there is, each kind under names of its own.
fn object() -> impl Strategy<Value = Value> {
    let scalar = proptest::option::of(prop_oneof![
        any::<i64>().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
    ]);
    let nested = proptest::option::of((0u8..3, 0u8..3));
    let list = proptest::option::of(proptest::collection::vec(0u8..3, 0..4));
    let rows = proptest::option::of(proptest::collection::btree_map(0u8..6, row(), 0..5));
    let name = proptest::option::of("[x-z\"\\\\é]{1,2}");
    (scalar, nested, list, rows, name).prop_map(|(scalar, nested, list, rows, name)| {
        let mut object = Map::new();
        object.extend(scalar.map(|it| ("scalar".to_owned(), it)));
        object.extend(
            nested.map(|(a, b)| ("nested".to_owned(), json!({ "a": a, "b": { "id": b } }))),
        );
        object.extend(list.map(|it| ("list".to_owned(), json!(it))));
        object.extend(rows.map(|it| ("rows".to_owned(), rows_of(it))));
        object.extend(name.map(|it| (it, json!(1))));
        Value::Object(object)
    })
}

fn rows_of(rows: BTreeMap<u8, Row>) -> Value {
    let row = |(id, (n, s, inner)): (u8, Row)| {
        let inner: BTreeMap<u8, usize> =
            inner.iter().enumerate().map(|(at, it)| (*it, at)).collect();
        let inner: Vec<_> = inner.into_iter().map(|(id, n)| json!({ "id": id, "n": n })).collect();
        let mut row = json!({ "id": format!("r{id}"), "n": n, "rows": inner });
        if let Some(s) = s {
            row["s"] = s.into();
        }
        row
    };
    rows.into_iter().map(row).collect()
}

/// Takes an object back to what it was, as a receiver would; `removed` and `changed` go by the id.
fn restore(after: &Value, attributes: &Value) -> Value {
    let mut object = after.as_object().unwrap().clone();
    for (name, was) in attributes.as_object().unwrap() {
        let was = match (object.get(name), was) {
            (Some(Value::Array(rows)), Value::Object(by_id)) => restore_rows(rows, by_id),
            _ => was.clone(),
        };
        object.insert(name.clone(), was);
    }
    object.retain(|_, it| !it.is_null());
    Value::Object(object)
}

fn restore_rows(rows: &[Value], by_id: &Map<String, Value>) -> Value {
    let of = |name: &str| by_id.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let added = of("added");
    let changed = of("changed");
    let mut rows: Vec<Value> = rows
        .iter()
        .filter(|row| added.iter().all(|it| it["id"] != row["id"]))
        .map(|row| match changed.iter().find(|it| it["id"] == row["id"]) {
            Some(sparse) => restore(row, sparse),
            None => row.clone(),
        })
        .chain(of("removed"))
        .collect();
    rows.sort_by_key(|it| it["id"].to_string());
    Value::Array(rows)
}

proptest! {
    #[test]
    fn nothing_changed_is_nothing_told_however_it_is_written(it in object()) {
        let (short, long) = (it.to_string(), serde_json::to_string_pretty(&it).unwrap());
        prop_assert_eq!(told("x", &short, Some(&short), None, true), None);
        prop_assert_eq!(told("x", &short, Some(&long), None, true), None);
        let wrapped = json!({ "load": it }).to_string();
        prop_assert_eq!(told("load", &wrapped, Some(&long), None, true), None);
    }

    #[test]
    fn a_receiver_can_restore_what_was(before in object(), after in object()) {
        let data = json!({ "load": after }).to_string();
        let before_text = serde_json::to_string_pretty(&before).unwrap();
        match told("load", &data, Some(&before_text), None, true) {
            None => prop_assert_eq!(before, after),
            Some(told) => {
                let told: Value = serde_json::from_str(&told).unwrap();
                let attributes = &told["diff"]["previousAttributes"];
                prop_assert!(attributes.as_object().is_some_and(|it| !it.is_empty()));
                prop_assert_eq!(restore(&after, attributes), before);
                prop_assert_eq!(&told["load"], &after);
            }
        }
    }

    #[test]
    fn any_two_texts_do_no_harm(data in "[\\[\\]{}\":,a1 \\\\]{0,40}", before in "\\PC{0,40}") {
        if let Some(told) = told("a", &data, Some(&before), Some("[1]"), true) {
            prop_assert!(serde_json::from_str::<Value>(&told).is_ok());
        }
    }
}
