//! Deliveries as a file, page by page: however many there are, one page is in memory.

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use hookyard_api::deliveries::{Delivery, DeliveryQuery, ExportFormat, ExportQuery};
use hookyard_app::{App, AppError, Export};
use hookyard_domain::invalid::Invalid;
use http::HeaderValue;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};

use super::deliveries::filter;
use super::extract::{AtTenant, Params, Reply};
use crate::csv;
use crate::state::DoorState;

const CSV_HEAD: &str = "id,event_id,event_type,endpoint_id,status,reason,attempts,\
    last_status_code,next_attempt_at,trigger,created_at,updated_at\r\n";

/// Export deliveries
///
/// Streams every delivery the filter finds.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/deliveries/export", operation_id = "export_deliveries", tag = "Deliveries",
    params(DeliveryQuery, ExportQuery),
    responses((status = 200, description = "The file.", content(
        (String = "text/csv"), (String = "application/x-ndjson")
    ))),
)]
pub async fn export(State(state): State<DoorState>, at: AtTenant, mut query: Params) -> Reply {
    let format = format(query.take("format").as_deref())?;
    let filter = filter(&mut query);
    query.end()?;
    let app = state.app().clone();
    let export = app.export_deliveries(&at.caller, &at.tenant, filter).await?;
    let (content_type, disposition) = match format {
        ExportFormat::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"deliveries.csv\""),
        ExportFormat::Ndjson => {
            ("application/x-ndjson", "attachment; filename=\"deliveries.ndjson\"")
        }
    };
    let mut response = Response::new(file(app, export, format));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static(disposition));
    Ok(response)
}

fn format(given: Option<&str>) -> Result<ExportFormat, Invalid> {
    match given {
        None | Some("csv") => Ok(ExportFormat::Csv),
        Some("ndjson") => Ok(ExportFormat::Ndjson),
        Some(_) => Err(Invalid::new("format", "unknown_format", "use `csv` or `ndjson`")),
    }
}

/// Where the stream stands.
enum At {
    Head(App, Export),
    Page(App, Export),
    End,
}

fn file(app: App, export: Export, format: ExportFormat) -> Body {
    Body::from_stream(stream::try_unfold(At::Head(app, export), move |at| next(at, format)))
}

/// The next piece. An error ends the connection, so that half a file is not taken for a whole one.
async fn next(at: At, format: ExportFormat) -> Result<Option<(Bytes, At)>, AppError> {
    let (app, mut export) = match (at, format) {
        (At::Head(app, export), ExportFormat::Csv) => {
            return Ok(Some((Bytes::from_static(CSV_HEAD.as_bytes()), At::Page(app, export))));
        }
        (At::Head(app, export) | At::Page(app, export), _) => (app, export),
        (At::End, _) => return Ok(None),
    };
    let page = app.next_export_page(&mut export).await.inspect_err(|error| {
        tracing::warn!(%error, "an export broke off");
    })?;
    let Some(page) = page else { return Ok(Some((Bytes::new(), At::End))) };
    let mut text = String::with_capacity(page.len() * 256);
    for delivery in page {
        let delivery = Delivery::from(delivery);
        match format {
            ExportFormat::Csv => csv_line(&mut text, &delivery),
            ExportFormat::Ndjson => {
                text.push_str(&serde_json::to_string(&delivery).unwrap_or_default());
                text.push('\n');
            }
        }
    }
    Ok(Some((Bytes::from(text), At::Page(app, export))))
}

fn csv_line(text: &mut String, it: &Delivery) {
    let word = |value: Option<serde_json::Value>| match value {
        Some(serde_json::Value::String(word)) => word,
        Some(_) | None => String::new(),
    };
    let number = |it: Option<u16>| it.map(|it| it.to_string()).unwrap_or_default();
    let cells = [
        it.id.clone(),
        it.event_id.clone(),
        it.event_type.clone(),
        it.endpoint_id.clone(),
        word(serde_json::to_value(it.status).ok()),
        word(serde_json::to_value(it.reason).ok()),
        it.attempts.to_string(),
        number(it.last_status_code),
        it.next_attempt_at.clone().unwrap_or_default(),
        word(serde_json::to_value(it.trigger).ok()),
        it.created_at.clone(),
        it.updated_at.clone(),
    ];
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        csv::cell(text, cell);
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_format_is_named() {
        assert_eq!(format(None), Ok(ExportFormat::Csv));
        assert_eq!(format(Some("ndjson")), Ok(ExportFormat::Ndjson));
        assert_eq!(format(Some("xml")).unwrap_err().pointer, "format");
    }
}
