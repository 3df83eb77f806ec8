//! What was posted: one JSON-RPC message, its arguments kept byte for byte.
//!
//! What the protocol's library would refuse without a word that helps is told here.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

/// The method by which a tool is called.
const CALL: &str = "tools/call";

/// A message as it goes on to the protocol.
pub struct Message {
    /// Its text.
    pub text: String,
    /// The arguments of a tool's call, as they were written.
    pub arguments: Option<Box<RawValue>>,
}

/// A message that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable {
    code: i32,
    why: String,
}

#[derive(Deserialize)]
struct Posted<'a> {
    #[serde(borrow)]
    jsonrpc: Option<Cow<'a, str>>,
    #[serde(borrow, default, deserialize_with = "there")]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

/// `null` is there too.
fn there<'de: 'a, 'a, D: Deserializer<'de>>(from: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(from).map(Some)
}

#[derive(Deserialize, Serialize)]
struct Call<'a> {
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    name: Option<&'a RawValue>,
    #[serde(borrow, skip_serializing_if = "Option::is_none")]
    arguments: Option<&'a RawValue>,
    #[serde(borrow, rename = "_meta", skip_serializing_if = "Option::is_none")]
    meta: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Passed<'a> {
    jsonrpc: &'static str,
    id: &'a RawValue,
    method: &'static str,
    params: &'a Call<'a>,
}

impl Unreadable {
    /// The answer, which has no id to go by.
    pub fn answer(&self) -> String {
        json!({ "jsonrpc": "2.0", "id": null, "error": { "code": self.code, "message": self.why } })
            .to_string()
    }
}

/// Reads what was posted. A call is passed on with an id and a version even if it came without, as the vendors' pages show
/// it, and what stands in the place of its arguments is left for the tool to judge.
pub fn read(body: &[u8]) -> Result<Message, Unreadable> {
    let bad = |code, why: &str| Unreadable { code, why: why.to_owned() };
    let text = std::str::from_utf8(body).map_err(|_| bad(-32700, "the message is not UTF-8"))?;
    if text.trim_start().starts_with('[') {
        return Err(bad(-32600, "post one message at a time: the protocol has no batches"));
    }
    let posted: Posted<'_> = serde_json::from_str(text).map_err(|error| {
        let code = if error.is_data() { -32600 } else { -32700 };
        Unreadable { code, why: format!("the message is no JSON-RPC: {error}") }
    })?;
    if posted.jsonrpc.as_deref().is_some_and(|it| it != "2.0") {
        return Err(bad(-32600, "`jsonrpc` has to be \"2.0\""));
    }
    if posted.id.is_some_and(|it| it.get() == "null") {
        return Err(bad(-32600, "`id` is a text or a number; `null` is neither"));
    }
    if posted.method.as_deref() != Some(CALL) {
        let whole = posted.jsonrpc.is_some() && posted.method.is_some();
        if !whole {
            return Err(bad(-32600, "a message has `\"jsonrpc\": \"2.0\"` and a `method`"));
        }
        return Ok(Message { text: text.to_owned(), arguments: None });
    }
    call(&posted)
}

fn call(posted: &Posted<'_>) -> Result<Message, Unreadable> {
    let zero = RawValue::from_string("0".to_owned()).ok();
    let invalid = |why: &str| Unreadable { code: -32602, why: why.to_owned() };
    let params = posted.params.ok_or_else(|| invalid("`params` names the tool: {\"name\": …}"))?;
    let mut call: Call<'_> = serde_json::from_str(params.get())
        .map_err(|_| invalid("`params` has to be an object: {\"name\": …, \"arguments\": {…}}"))?;
    if !call.name.is_some_and(|it| it.get().starts_with('"')) {
        return Err(invalid("`params.name` has to be the tool's name"));
    }
    let arguments = call.arguments.take();
    let id = posted.id.or(zero.as_deref()).ok_or_else(|| invalid("`id` is missing"))?;
    let passed = Passed { jsonrpc: "2.0", id, method: CALL, params: &call };
    let text = serde_json::to_string(&passed).map_err(|error| invalid(&error.to_string()))?;
    Ok(Message { text, arguments: arguments.map(ToOwned::to_owned) })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_arguments_of_a_call_keep_their_text() {
        let body = br#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"x","arguments":{"data": 1.10},"_meta":{"k":1}}}"#;
        let message = read(body).unwrap();
        assert_eq!(message.arguments.unwrap().get(), r#"{"data": 1.10}"#);
        let passed: Value = serde_json::from_str(&message.text).unwrap();
        let params = json!({ "name": "x", "_meta": { "k": 1 } });
        assert_eq!(
            passed,
            json!({ "jsonrpc": "2.0", "id": "a", "method": "tools/call", "params": params })
        );
    }

    #[test]
    fn a_call_as_the_vendors_page_shows_it_is_answered() {
        let message =
            read(br#"{"method":"tools/call","params":{"name":"webhooks.endpoints.list"}}"#);
        let passed: Value = serde_json::from_str(&message.unwrap().text).unwrap();
        assert_eq!((&passed["id"], &passed["jsonrpc"]), (&json!(0), &json!("2.0")));
    }

    #[test]
    fn other_messages_pass_as_they_are() {
        for text in [
            r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{ "a":1}}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        ] {
            assert_eq!(read(text.as_bytes()).unwrap().text, text);
        }
    }

    #[track_caller]
    fn check(body: &[u8], code: i32, says: &str) {
        let unreadable = read(body).err().unwrap();
        let answer: Value = serde_json::from_str(&unreadable.answer()).unwrap();
        assert_eq!((&answer["error"]["code"], &answer["id"]), (&json!(code), &Value::Null));
        assert!(unreadable.why.contains(says), "{}", unreadable.why);
    }

    #[test]
    fn what_is_no_message_is_told_so() {
        check(b"{", -32700, "no JSON-RPC");
        check(b"\xff", -32700, "UTF-8");
        check(b"[]", -32600, "one message at a time");
        check(b"7", -32600, "no JSON-RPC");
        check(br#"{"method":"ping"}"#, -32600, "jsonrpc");
        check(br#"{"jsonrpc":"1.0","method":"ping"}"#, -32600, "2.0");
        for method in ["tools/call", "initialize"] {
            let body = format!(
                r#"{{"jsonrpc":"2.0","id":null,"method":"{method}","params":{{"name":"x"}}}}"#
            );
            check(body.as_bytes(), -32600, "`null` is neither");
        }
        check(br#"{"method":"tools/call"}"#, -32602, "params");
        check(br#"{"method":"tools/call","params":[]}"#, -32602, "object");
        check(br#"{"method":"tools/call","params":{"name":1}}"#, -32602, "params.name");
    }
}
