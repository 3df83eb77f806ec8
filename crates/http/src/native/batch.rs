//! Publishing many events at once, as a JSON array or one JSON object per line.

use axum::extract::{Request, State};
use bytes::Bytes;
use hookyard_api::events::{BatchResult, BatchResults, NewEvent};
use hookyard_api::json::Object;
use hookyard_app::{Accepted, AppError, IdempotencyKey};
use hookyard_domain::invalid::Invalid;
use hookyard_domain::limit;
use http::StatusCode;

use super::extract::{AtTenant, Reply, reply};
use super::problem::{Refused, problem};
use super::publish;
use crate::body::{self, BodyError};
use crate::idempotency::KEY;
use crate::state::DoorState;

type Item = Result<hookyard_app::NewEvent, Vec<Invalid>>;

/// Publish a batch of events
///
/// At most 1,000, as a JSON array, or as one JSON object per line with the content type `application/x-ndjson`. A bad one
/// fails alone: the result at its place says why.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/events/batch", operation_id = "publish_events", tag = "Events",
    request_body(content((Vec<NewEvent> = "application/json"), (String = "application/x-ndjson"))),
    responses((status = 202, description = "One result for each event, in order.", body = BatchResults)),
)]
pub async fn publish_batch(
    State(state): State<DoorState>,
    at: AtTenant,
    request: Request,
) -> Reply {
    let (parts, body) = request.into_parts();
    let app = state.app();
    // Asked for the right to publish before a large body is read.
    app.payload_bytes_max(&at.caller, &at.tenant).await?;
    let form = form(&parts.headers)?;
    let bytes = body::read(&parts.headers, body, limit::BATCH_BYTES_MAX).await?;
    let items = match form {
        Form::Array => of_array(&bytes)?,
        Form::Lines => of_lines(&bytes)?,
    };
    let key = parts.headers.get(KEY);
    let key = key.map(|it| IdempotencyKey::from_header(it.as_bytes())).transpose()?;
    let accepted = app.publish_batch(&at.caller, &at.tenant, items, key).await?;
    let results = accepted.into_iter().enumerate().map(|(index, it)| result(index, it)).collect();
    reply(StatusCode::ACCEPTED, &BatchResults { results })
}

enum Form {
    Array,
    Lines,
}

fn form(headers: &http::HeaderMap) -> Result<Form, BodyError> {
    body::require_plain(headers)?;
    let lines = ["application/x-ndjson", "application/ndjson", "application/jsonl"];
    let given = body::content_type(headers).unwrap_or_default();
    if lines.iter().any(|it| it.eq_ignore_ascii_case(given)) {
        return Ok(Form::Lines);
    }
    let expected = "`application/json` or `application/x-ndjson`";
    body::require_json(headers).map_err(|_| BodyError::ContentType { expected })?;
    Ok(Form::Array)
}

fn of_array(bytes: &Bytes) -> Result<Vec<Item>, Refused> {
    let raw = body::items(bytes)?;
    if raw.len() > limit::BATCH_EVENTS_MAX {
        return Err(Refused::TooManyEvents);
    }
    Ok(raw.into_iter().map(|it| item(bytes, it.get().as_bytes())).collect())
}

fn of_lines(bytes: &Bytes) -> Result<Vec<Item>, Refused> {
    let lines = bytes.split(|it| *it == b'\n').map(<[u8]>::trim_ascii);
    let filled: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
    if filled.len() > limit::BATCH_EVENTS_MAX {
        return Err(Refused::TooManyEvents);
    }
    Ok(filled.into_iter().map(|line| item(bytes, line)).collect())
}

fn item(bytes: &Bytes, json: &[u8]) -> Item {
    match body::json::<Object<NewEvent<'_>>>(json) {
        Ok(Object(event)) => Ok(publish::event(bytes, event)),
        Err(BodyError::Form(fault)) => Err(vec![fault]),
        Err(error @ BodyError::TooDeep) => {
            Err(vec![Invalid::new("", "nested_too_deep", error.to_string())])
        }
        Err(error) => Err(vec![Invalid::new("", "malformed_json", error.to_string())]),
    }
}

fn result(index: usize, outcome: Result<Accepted, AppError>) -> BatchResult {
    match outcome {
        Ok(accepted) => BatchResult {
            index,
            status: publish::status(&accepted.repeat).as_u16(),
            id: Some(accepted.id.to_string()),
            deliveries: Some(accepted.deliveries),
            error: None,
        },
        Err(error) => {
            let error = problem(Refused::App(error));
            BatchResult {
                index,
                status: error.status,
                id: None,
                deliveries: None,
                error: Some(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn shape(items: &[Item]) -> Vec<Result<&str, &str>> {
        let of = |it: &'_ Item| match it {
            Ok(event) => Ok(event.event_type.clone()),
            Err(faults) => Err(faults[0].pointer.clone()),
        };
        items.iter().map(|it| of(it).map(|it| &*it.leak()).map_err(|it| &*it.leak())).collect()
    }

    #[test]
    fn a_bad_item_of_an_array_fails_alone() {
        let bytes = Bytes::from_static(
            br#"[{"type":"a","data":1}, {"type":"b"}, 7, {"type":"c","data":{"x": 1}}]"#,
        );
        let items = of_array(&bytes).unwrap();
        assert_eq!(shape(&items), [Ok("a"), Err("/data"), Err(""), Ok("c")]);
        assert_eq!(items[3].as_ref().unwrap().data, r#"{"x": 1}"#);
        assert!(of_array(&Bytes::from_static(b"[{]")).is_err());
        assert!(of_array(&Bytes::from_static(b"{}")).is_err());
    }

    #[test]
    fn an_item_that_is_nested_too_deep_fails_alone() {
        let deep = |levels: usize| {
            format!(r#"{{"type":"a","data":{}{}}}"#, "[".repeat(levels), "]".repeat(levels))
        };
        let (most, more) = (deep(limit::JSON_DEPTH_MAX - 1), deep(limit::JSON_DEPTH_MAX));
        let far = deep(200_000);
        let items = of_array(&Bytes::from(format!("[{more},{most},{far}]"))).unwrap();
        assert_eq!(shape(&items), [Err(""), Ok("a"), Err("")]);
        assert_eq!(items[2].as_ref().unwrap_err()[0].code, "nested_too_deep");
        assert!(of_array(&Bytes::from("[".repeat(200_000))).is_err());
    }

    #[test]
    fn blank_lines_are_skipped_and_a_bad_line_fails_alone() {
        let bytes = Bytes::from_static(
            b"{\"type\":\"a\",\"data\":1}\r\n\n  \n{nope\n{\"type\":\"b\",\"data\":null}",
        );
        assert_eq!(shape(&of_lines(&bytes).unwrap()), [Ok("a"), Err(""), Ok("b")]);
    }

    #[test]
    fn more_events_than_a_batch_holds_are_refused_as_a_whole() {
        let many = "{\"type\":\"a\",\"data\":1}\n".repeat(limit::BATCH_EVENTS_MAX);
        assert_eq!(of_lines(&Bytes::from(many.clone())).unwrap().len(), limit::BATCH_EVENTS_MAX);
        let one_more = Bytes::from(format!("{many}{{}}"));
        assert!(matches!(of_lines(&one_more), Err(Refused::TooManyEvents)));
        let array = format!("[{}1]", "1,".repeat(limit::BATCH_EVENTS_MAX));
        assert!(matches!(of_array(&Bytes::from(array)), Err(Refused::TooManyEvents)));
    }
}
