//! Bodies: their exact bytes with a limit, and JSON that says where it is wrong.

use std::time::Duration;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use hookyard_domain::invalid::Invalid;
use hookyard_domain::limit;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::error::Category;
use serde_json::value::RawValue;

/// How long a body may pause between two pieces; a client that drips may not hold a connection for ever.
pub const PAUSE_MAX: Duration = Duration::from_secs(30);

/// How long a body may take in all, at whatever pace: the largest one by a slow line.
const WHOLE_WITHIN: Duration = Duration::from_secs(5 * 60);

/// Why a body could not be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is longer than is read.
    #[error("the body is longer than {limit_bytes} bytes")]
    TooLarge {
        /// How long it may be.
        limit_bytes: u64,
    },
    /// It paused for too long.
    #[error("the body did not arrive in time")]
    TimedOut,
    /// It broke off.
    #[error("the body broke off")]
    BrokeOff,
    /// Its content type is another one.
    #[error("the content type has to be {expected}")]
    ContentType {
        /// What it should be.
        expected: &'static str,
    },
    /// It is packed.
    #[error("the body has to come without a `Content-Encoding`")]
    Packed,
    /// There is none where one is needed.
    #[error("a JSON body is required")]
    Missing,
    /// It is no JSON.
    #[error("the body is no JSON: {what} at line {line}, column {column}")]
    Malformed {
        /// What the parser says.
        what: String,
        /// From 1.
        line: usize,
        /// From 1; 0 at the very beginning.
        column: usize,
    },
    /// It is nested too deep.
    #[error("the JSON is nested deeper than {} levels", limit::JSON_DEPTH_MAX)]
    TooDeep,
    /// It is JSON, but not of the form that is needed.
    #[error("{0}")]
    Form(Invalid),
}

/// Reads a whole body of at most `limit_bytes`. A body that came in one piece is not copied.
///
/// # Errors
/// When it is too long, too slow or breaks off.
pub async fn read(headers: &HeaderMap, body: Body, limit_bytes: u64) -> Result<Bytes, BodyError> {
    let read = read_within(headers, body, limit_bytes, |_| Ok(()));
    tokio::time::timeout(WHOLE_WITHIN, read).await.unwrap_or(Err(BodyError::TimedOut))
}

/// As [`read`], and asks before it holds more bytes than it did: `hold` gets how many it would be in all.
///
/// # Errors
/// As [`read`], or what `hold` says.
pub(crate) async fn read_within<E: From<BodyError>>(
    headers: &HeaderMap,
    mut body: Body,
    limit_bytes: u64,
    mut hold: impl FnMut(usize) -> Result<(), E>,
) -> Result<Bytes, E> {
    let too_large = || BodyError::TooLarge { limit_bytes };
    let announced = headers.get(CONTENT_LENGTH).and_then(|it| it.to_str().ok()?.parse().ok());
    if announced.is_some_and(|it: u64| it > limit_bytes) {
        return Err(too_large().into());
    }
    // The usual body comes in one piece and is kept as it is; only a second piece makes a copy.
    let mut first = Bytes::new();
    let mut whole = BytesMut::new();
    while let Some(piece) = next_piece(&mut body).await? {
        let so_far = first.len().max(whole.len()) + piece.len();
        if u64::try_from(so_far).is_ok_and(|it| it > limit_bytes) {
            return Err(too_large().into());
        }
        if first.is_empty() {
            hold(so_far)?;
            first = piece;
            continue;
        }
        if whole.capacity() < so_far {
            // Room for what came, and as much again at most: an announced length costs its sender nothing.
            let in_all = announced.and_then(|it| usize::try_from(it).ok()).unwrap_or(usize::MAX);
            let most = in_all.min(usize::try_from(limit_bytes).unwrap_or(usize::MAX));
            let room = so_far.max(most.min(so_far.saturating_mul(2)));
            hold(room)?;
            whole.reserve(room - whole.len());
        }
        if whole.is_empty() {
            whole.extend_from_slice(&first);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(if whole.is_empty() { first } else { whole.freeze() })
}

async fn next_piece(body: &mut Body) -> Result<Option<Bytes>, BodyError> {
    loop {
        let frame =
            tokio::time::timeout(PAUSE_MAX, body.frame()).await.map_err(|_| BodyError::TimedOut)?;
        match frame {
            None => return Ok(None),
            Some(Err(_)) => return Err(BodyError::BrokeOff),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    return Ok(Some(data));
                }
            }
        }
    }
}

/// The essence of the content type, without parameters; `None` when none is given.
#[must_use]
pub fn content_type(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(CONTENT_TYPE)?.to_str().unwrap_or("unreadable");
    Some(value.split(';').next().unwrap_or(value).trim())
}

/// Lets pass what calls itself JSON, or does not say what it is.
///
/// # Errors
/// When the content type is something else.
pub fn require_json(headers: &HeaderMap) -> Result<(), BodyError> {
    require_plain(headers)?;
    match content_type(headers) {
        None | Some("" | "application/json") => Ok(()),
        Some(it) if is_json(it) => Ok(()),
        Some(_) => Err(BodyError::ContentType { expected: "`application/json`" }),
    }
}

/// Lets pass what is not packed: no body that means something is read as its packed bytes.
///
/// # Errors
/// When the body says that it is.
pub fn require_plain(headers: &HeaderMap) -> Result<(), BodyError> {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    let is_plain =
        |it: &HeaderValue| it.is_empty() || it.as_bytes().eq_ignore_ascii_case(b"identity");
    if codings.all(is_plain) { Ok(()) } else { Err(BodyError::Packed) }
}

fn is_json(content_type: &str) -> bool {
    let it = content_type.to_ascii_lowercase();
    it == "application/json" || (it.starts_with("application/") && it.ends_with("+json"))
}

/// Reads JSON. What is wrong is named by line and column when it is no JSON, by its pointer when it has the wrong form.
///
/// # Errors
/// When it is empty, no JSON, too deep or of the wrong form.
pub fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, BodyError> {
    if bytes.is_empty() {
        return Err(BodyError::Missing);
    }
    check_depth(bytes)?;
    serde_json::from_slice(bytes).map_err(|error| explain::<T>(bytes, &error))
}

/// Reads a JSON array whose items are left as they are. How deep each of them is, is for the reader of the item to say:
/// what is left as it is uses up no stack.
///
/// # Errors
/// When it is empty, no JSON or no array.
pub fn items(bytes: &[u8]) -> Result<Vec<&RawValue>, BodyError> {
    if bytes.is_empty() {
        return Err(BodyError::Missing);
    }
    serde_json::from_slice(bytes).map_err(|error| explain::<Vec<&RawValue>>(bytes, &error))
}

/// Refuses JSON that is nested too deep. Where it cannot be, since there are too few brackets, this is one count.
fn check_depth(bytes: &[u8]) -> Result<(), BodyError> {
    let opening = bytes.iter().filter(|it| matches!(it, b'[' | b'{')).count();
    if opening <= limit::JSON_DEPTH_MAX {
        return Ok(());
    }
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'[' | b'{' => {
                depth += 1;
                if depth > limit::JSON_DEPTH_MAX {
                    return Err(BodyError::TooDeep);
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

/// Says what is wrong. Reads a second time with the path kept, which good bodies need not pay for.
fn explain<'a, T: Deserialize<'a>>(bytes: &'a [u8], error: &serde_json::Error) -> BodyError {
    // A form can be found wrong before the text turns out to be no JSON at all, which is then what counts.
    if let Err(error) = std::str::from_utf8(bytes) {
        // What is skipped is not looked at by the parser.
        return not_utf8(&bytes[..error.valid_up_to()]);
    }
    let no_json = serde_json::from_slice::<IgnoredAny>(bytes).err();
    let error = no_json.as_ref().unwrap_or(error);
    match error.classify() {
        Category::Syntax | Category::Eof | Category::Io => {
            let (line, column) = (error.line(), error.column());
            BodyError::Malformed { what: bare(&error.to_string()).to_owned(), line, column }
        }
        Category::Data => {
            let mut reader = serde_json::Deserializer::from_slice(bytes);
            let path = match serde_path_to_error::deserialize::<_, T>(&mut reader) {
                Ok(_) => String::new(),
                Err(error) => pointer(error.path()),
            };
            BodyError::Form(fault(path, bare(&error.to_string())))
        }
    }
}

/// A text that stops being UTF-8 after `good`.
fn not_utf8(good: &[u8]) -> BodyError {
    let line = good.iter().filter(|it| **it == b'\n').count() + 1;
    let column = good.rsplit(|it| *it == b'\n').next().map_or(0, <[u8]>::len) + 1;
    BodyError::Malformed { what: "it is not UTF-8".into(), line, column }
}

/// A message of the parser without its " at line … column …".
fn bare(message: &str) -> &str {
    message.rfind(" at line ").map_or(message, |at| &message[..at])
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => push_name(&mut pointer, key),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// Adds a name to a pointer, escaped as RFC 6901 wants it.
fn push_name(pointer: &mut String, name: &str) {
    pointer.push('/');
    pointer.push_str(&escaped(name));
}

/// The fault of a member that there is no place for.
#[must_use]
pub fn unknown_field(name: &str) -> Invalid {
    Invalid::new(format!("/{}", escaped(name)), "unknown_field", "there is no such field")
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// The fault behind a message of `serde`; those about a field name it in backticks.
fn fault(mut path: String, message: &str) -> Invalid {
    let name = message.split('`').nth(1).unwrap_or_default();
    let last = path.rsplit('/').next().unwrap_or_default().to_owned();
    if message.starts_with("missing field") {
        push_name(&mut path, name);
        return Invalid::new(path, "required", "this field is required");
    }
    if message.starts_with("unknown field") {
        if last != escaped(name) {
            push_name(&mut path, name);
        }
        let known = message.split_once(", expected ").map_or("", |(_, known)| known);
        let message = if known.is_empty() || known.starts_with("there are no") {
            "there is no such field".to_owned()
        } else {
            format!("there is no such field; known here: {}", known.trim_start_matches("one of "))
        };
        return Invalid::new(path, "unknown_field", message);
    }
    if message.starts_with("duplicate field") {
        if last != escaped(name) {
            push_name(&mut path, name);
        }
        return Invalid::new(path, "duplicate_field", "this field is there twice");
    }
    if message.starts_with("invalid type") {
        return Invalid::new(path, "wrong_type", message);
    }
    Invalid::new(path, "invalid_value", message)
}

#[cfg(test)]
mod tests {
    use hookyard_api::endpoints::{EndpointPatch, NewEndpoint};
    use hookyard_api::events::NewEvent;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_drips_is_given_up_in_the_end() {
        let drops = futures_util::stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(20)).await;
            Some((Ok::<_, std::convert::Infallible>(Bytes::from_static(b"x")), ()))
        });
        let begun = tokio::time::Instant::now();
        let read = read(&HeaderMap::new(), Body::from_stream(drops), 1000).await;
        assert_eq!(read, Err(BodyError::TimedOut));
        assert_eq!(begun.elapsed(), WHOLE_WITHIN);
    }

    #[track_caller]
    fn check<'a, T: Deserialize<'a>>(body: &'a str, pointer: &str, code: &str) {
        let error = json::<T>(body.as_bytes()).err().expect(body);
        let BodyError::Form(fault) = error else { panic!("{body}: {error:?}") };
        assert_eq!((fault.pointer.as_str(), fault.code), (pointer, code), "{body}");
        assert!(!fault.message.contains(" at line "), "{}", fault.message);
    }

    #[test]
    fn what_is_wrong_in_a_body_is_named_by_its_pointer() {
        check::<NewEndpoint>(r#"{"url":1}"#, "/url", "wrong_type");
        check::<NewEndpoint>(r#"{"urls":"x"}"#, "/urls", "unknown_field");
        check::<NewEndpoint>(r#"{"a/b~c":"x"}"#, "/a~1b~0c", "unknown_field");
        check::<NewEndpoint>(r#"{"url":"x","url":"y"}"#, "/url", "duplicate_field");
        check::<NewEndpoint>(r#"{"events":["a",2]}"#, "/events/1", "wrong_type");
        check::<NewEndpoint>(
            r#"{"retry":{"delays_s":[1,"2"]}}"#,
            "/retry/delays_s/1",
            "wrong_type",
        );
        check::<NewEndpoint>(r#"{"retry":{"delay":1}}"#, "/retry/delay", "unknown_field");
        check::<NewEndpoint>(r#"{"rate_limit":{}}"#, "/rate_limit/per_s", "required");
        check::<NewEndpoint>(r#"{"auto_disable":true}"#, "/auto_disable", "invalid_value");
        check::<NewEndpoint>(r#"{"auto_disable":{"x":1}}"#, "/auto_disable/x", "unknown_field");
        check::<NewEndpoint>(r#"{"headers":{"A":1}}"#, "/headers/A", "wrong_type");
        check::<NewEndpoint>(r#"{"timeout_s":1.5}"#, "/timeout_s", "wrong_type");
        check::<NewEndpoint>("[1]", "/0", "wrong_type");
        check::<NewEndpoint>(r#""text""#, "", "wrong_type");
        check::<EndpointPatch>(r#"{"ordered":"yes"}"#, "/ordered", "wrong_type");
        check::<EndpointPatch>(r#"{"id":"wh_1"}"#, "/id", "unknown_field");
        check::<NewEvent<'_>>(r#"{"data":1}"#, "/type", "required");
        check::<NewEvent<'_>>(r#"{"type":"a"}"#, "/data", "required");
        check::<NewEvent<'_>>(r#"{"type":1,"data":1}"#, "/type", "wrong_type");
        check::<NewEvent<'_>>(r#"{"type":"a","data":1,"foo":{}}"#, "/foo", "unknown_field");
    }

    #[test]
    fn what_is_no_json_is_named_by_line_and_column() {
        let error = json::<NewEvent<'_>>(b"{\"type\": \"a\",\n \"data\": nope}").unwrap_err();
        let BodyError::Malformed { line, column, what } = error else { panic!("{error:?}") };
        assert_eq!((line, column, what.as_str()), (2, 11, "expected ident"));
        for bad in ["{", "{}}", "{\"type\":\"a\",\"data\":{]}", "\u{feff}{}", "{'a':1}"] {
            let error = json::<NewEvent<'_>>(bad.as_bytes()).unwrap_err();
            assert!(matches!(error, BodyError::Malformed { .. }), "{bad}: {error:?}");
        }
        let error = json::<NewEvent<'_>>(b"{\"type\":\"a\",\"data\":\"\xff\"}").unwrap_err();
        assert!(matches!(error, BodyError::Malformed { .. }), "{error:?}");
        let error = json::<NewEndpoint>(b"{\n\"foo\":\"\xff\"}").unwrap_err();
        assert!(matches!(error, BodyError::Malformed { line: 2, column: 8, .. }), "{error:?}");
        assert_eq!(json::<NewEvent<'_>>(b"").unwrap_err(), BodyError::Missing);
    }

    #[test]
    fn deep_nesting_is_refused_but_brackets_in_texts_and_side_by_side_are_not() {
        let deep = |levels: usize| {
            format!("{{\"type\":\"a\",\"data\":{}{}}}", "[".repeat(levels), "]".repeat(levels))
        };
        assert!(json::<NewEvent<'_>>(deep(limit::JSON_DEPTH_MAX - 1).as_bytes()).is_ok());
        let too_deep = deep(limit::JSON_DEPTH_MAX);
        assert_eq!(json::<NewEvent<'_>>(too_deep.as_bytes()).unwrap_err(), BodyError::TooDeep);
        let wide = format!("{{\"type\":\"a\",\"data\":[{}[]]}}", "[],".repeat(500));
        assert!(json::<NewEvent<'_>>(wide.as_bytes()).is_ok());
        let text = format!("{{\"type\":\"a\",\"data\":\"\\\"{}\"}}", "[".repeat(500));
        assert!(json::<NewEvent<'_>>(text.as_bytes()).is_ok());
    }

    #[test]
    fn json_content_types_pass_and_others_do_not() {
        let with = |value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, http::HeaderValue::from_static(value));
            require_json(&headers).is_ok()
        };
        assert!(require_json(&HeaderMap::new()).is_ok());
        assert!(with("application/json"));
        assert!(with("Application/JSON; charset=utf-8"));
        assert!(with("application/merge-patch+json"));
        assert!(!with("text/plain"));
        assert!(!with("application/x-www-form-urlencoded"));
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_refused_whether_it_says_its_length_or_not() {
        let read_it =
            async |body: Body, limit_bytes| read(&HeaderMap::new(), body, limit_bytes).await;
        assert_eq!(read_it(Body::from("abcd"), 4).await.unwrap(), "abcd");
        let too_large = Err(BodyError::TooLarge { limit_bytes: 3 });
        assert_eq!(read_it(Body::from("abcd"), 3).await, too_large);
        let pieces = ["ab", "", "cd"].map(|it| Ok::<_, std::convert::Infallible>(Bytes::from(it)));
        let body = || Body::from_stream(futures_util::stream::iter(pieces.clone()));
        assert_eq!(read_it(body(), 4).await.unwrap(), "abcd");
        assert_eq!(read_it(body(), 3).await, too_large);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, http::HeaderValue::from_static("4"));
        assert_eq!(read(&headers, Body::empty(), 3).await, too_large);
    }

    #[tokio::test]
    async fn memory_grows_with_what_came_and_not_with_what_was_announced() {
        const ANNOUNCED: usize = 16 * 1024 * 1024;
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_LENGTH, http::HeaderValue::from(ANNOUNCED));
        let body = |pieces: usize| {
            let piece = Ok::<_, std::convert::Infallible>(Bytes::from_static(&[7; 1000]));
            Body::from_stream(futures_util::stream::iter(vec![piece; pieces]))
        };
        for (pieces, most) in [(1, 1000), (2, 4000), (3, 4000), (100, 200_000)] {
            let mut held = 0;
            let hold = |bytes| {
                held = held.max(bytes);
                Ok::<_, BodyError>(())
            };
            let read = read_within(&headers, body(pieces), ANNOUNCED as u64, hold).await.unwrap();
            assert_eq!(read.len(), pieces * 1000);
            assert!((read.len()..=most).contains(&held), "{pieces}: {held}");
            // What is asked for is what the buffer has: nothing is held that was not asked for.
            if let Ok(buffer) = read.try_into_mut() {
                assert!(buffer.capacity() <= held, "{pieces}: {} {held}", buffer.capacity());
            }
        }
    }

    #[tokio::test]
    async fn a_body_for_which_there_is_no_room_is_not_read_on() {
        let budget = crate::budget::Budget::new(2500);
        let pieces = || {
            let piece = Ok::<_, std::convert::Infallible>(Bytes::from_static(&[7; 1000]));
            Body::from_stream(futures_util::stream::iter(vec![piece; 3]))
        };
        let full = || BodyError::Missing;
        let read = async |share: &mut crate::budget::Share| {
            let hold = |bytes| share.hold(bytes).map_err(|_| full());
            read_within(&HeaderMap::new(), pieces(), 10_000, hold).await
        };
        let mut share = budget.share();
        assert_eq!(read(&mut share).await, Err(full()));
        drop(share);
        assert_eq!(budget.share().hold(2500), Ok(()), "what it held is free again");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_stops_coming_is_given_up() {
        let never = futures_util::stream::pending::<Result<Bytes, std::convert::Infallible>>();
        let read = read(&HeaderMap::new(), Body::from_stream(never), 10).await;
        assert_eq!(read, Err(BodyError::TimedOut));
    }
}
