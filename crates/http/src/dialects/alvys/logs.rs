//! Delivery logs, one row per attempt, and the health that is counted from them.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use hookyard_app::{App, AppError, AttemptLog, LogQuery, LoggedAttempt, PageQuery};
use hookyard_domain::attempt::Attempt;
use hookyard_domain::delivery::{Delivery, DeliveryStatus};
use hookyard_domain::id::AttemptId;
use hookyard_domain::limit;
use http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::ask::{At, Params, Reply, reply};
use super::errors::Refused;
use super::rows::{
    DeliveryLog, DeliveryLogDetail, HealthMetrics, HealthPeriod, LastDelivery, LogStatus,
    WebhookHealth,
};
use super::wire::{Facet, PagedResponse, name, status};
use crate::csv;
use crate::state::DoorState;

/// Rows of an export at most (vendors.md §2.8), and of any log that is looked through.
const ROWS_MAX: u64 = 25_000;
const CSV_HEAD: &str = "Id,EventId,EventType,Status,HttpStatusCode,DurationMs,AttemptNumber,Timestamp,\
    ConsumerUrl,ErrorMessage\r\n";
const NO_ROW: AppError = AppError::NotFound { what: "attempt" };

/// List delivery logs
///
/// One row per attempt: the newest event first, its last attempt first. What was `skipped` because the webhook was off has no
/// attempt, and its rows are listed when they are asked for. A log goes back 25,000 rows; narrow it by dates to see what is
/// older. The dates are those at which events were accepted, in UTC where they name no offset.
#[utoipa::path(
    get, path = "/{webhookId}/delivery-logs", operation_id = "ListDeliveryLogs", tag = "Delivery logs",
    params(
        ("Page" = Option<u32>, Query, description = "From 0."),
        ("PageSize" = Option<u32>, Query, description = "1 to 100, 50 when not given."),
        ("Status" = Option<Vec<LogStatus>>, Query, description = "What came of it; may be repeated."),
        ("EventType" = Option<Vec<String>>, Query, description = "Of events of this type; may be repeated."),
        ("StartDate" = Option<String>, Query, description = "Of events accepted at or after; UTC where it names no offset."),
        ("EndDate" = Option<String>, Query, description = "Of events accepted before; UTC where it names no offset."),
    ),
    responses((status = 200, description = "A page.", body = PagedResponse<DeliveryLog>)),
)]
pub async fn list(State(state): State<DoorState>, at: At, mut query: Params) -> Reply {
    let (page, page_size) = query.page();
    let (filter, statuses) = filter(&mut query, &at);
    query.end()?;
    let app = state.app();
    let url = url(app, &at).await?;
    let log = app.attempt_log(&at.caller, &at.tenant, filter, ROWS_MAX).await?;
    let from = u64::from(page) * u64::from(page_size);
    let window = Window { from, rows: u64::from(page_size) };
    let (total, items, facets) = if statuses.is_empty() {
        let total = log.tried.iter().map(|it| u64::from(it.attempts)).sum();
        let rows = window.of_deliveries(app, &at, &log.tried).await?.into_iter();
        (total, rows.map(|it| DeliveryLog::new(it, &url)).collect(), by_type_of(&log.tried))
    } else {
        let rows = matching(app, &at, &log, &statuses, &url).await?;
        let facets = by_type(rows.iter().map(|it| (it.event_type.as_str(), 1)));
        (rows.len() as u64, window.of(rows), facets)
    };
    reply(StatusCode::OK, &PagedResponse { page, page_size, total, items, facets: Some(facets) })
}

/// Export delivery logs
///
/// The pages from 0 to `Page`, all when it is not given; 25,000 rows at most.
#[utoipa::path(
    get, path = "/{webhookId}/delivery-logs/export", operation_id = "ExportDeliveryLogs", tag = "Delivery logs",
    params(
        ("Format" = Option<String>, Query, description = "`csv` or `json`; else what `Accept` says, else JSON."),
        ("Page" = Option<u32>, Query, description = "The last page, from 0."),
        ("PageSize" = Option<u32>, Query, description = "1 to 100, 50 when not given."),
        ("Status" = Option<Vec<LogStatus>>, Query, description = "What came of it; may be repeated."),
        ("EventType" = Option<Vec<String>>, Query, description = "Of events of this type; may be repeated."),
        ("StartDate" = Option<String>, Query, description = "Of events accepted at or after; UTC where it names no offset."),
        ("EndDate" = Option<String>, Query, description = "Of events accepted before; UTC where it names no offset."),
    ),
    responses((status = 200, description = "The rows.", content(
        (Vec<DeliveryLog> = "application/json"), (String = "text/csv")
    ))),
)]
pub async fn export(
    State(state): State<DoorState>,
    at: At,
    headers: HeaderMap,
    mut query: Params,
) -> Reply {
    let format = format(&mut query, &headers);
    let last = query.number("Page", 0, i32::MAX.unsigned_abs());
    let (_, page_size) = query.page();
    let (filter, statuses) = filter(&mut query, &at);
    query.end()?;
    let most = last.map_or(ROWS_MAX, |it| (u64::from(it) + 1) * u64::from(page_size)).min(ROWS_MAX);
    let app = state.app();
    let url = url(app, &at).await?;
    let log = app.attempt_log(&at.caller, &at.tenant, filter, ROWS_MAX).await?;
    let window = Window { from: 0, rows: most };
    let rows = if statuses.is_empty() {
        let rows = window.of_deliveries(app, &at, &log.tried).await?.into_iter();
        rows.map(|it| DeliveryLog::new(it, &url)).collect()
    } else {
        window.of(matching(app, &at, &log, &statuses, &url).await?)
    };
    match format {
        Format::Json => reply(StatusCode::OK, &rows),
        Format::Csv => {
            let mut text = CSV_HEAD.to_owned();
            rows.iter().for_each(|it| csv_line(&mut text, it));
            let mut response = Response::new(Body::from(text));
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
            let name = HeaderValue::from_static("attachment; filename=\"delivery-logs.csv\"");
            headers.insert(CONTENT_DISPOSITION, name);
            Ok(response)
        }
    }
}

/// Get a delivery log
#[utoipa::path(
    get, path = "/{webhookId}/delivery-logs/{logId}", operation_id = "GetDeliveryLog", tag = "Delivery logs",
    responses((status = 200, description = "The attempt.", body = DeliveryLogDetail)),
)]
pub async fn read(State(state): State<DoorState>, at: At) -> Reply {
    let app = state.app();
    let webhook = app.endpoint(&at.caller, &at.tenant, &at.id).await?.endpoint;
    let id: AttemptId = at.log.parse().map_err(|_| NO_ROW)?;
    let (delivery, number) = id.delivery();
    let text = delivery.to_string();
    let delivery = app.delivery(&at.caller, &at.tenant, &text).await?;
    if delivery.endpoint != webhook.id {
        return Err(NO_ROW.into());
    }
    let url = webhook.settings.url.to_string();
    let (log, body) = if number == 0 {
        let is_skipped = delivery.attempts == 0 && delivery.status == DeliveryStatus::Discarded;
        let log = is_skipped.then(|| DeliveryLog::skipped(&delivery, &url)).ok_or(NO_ROW)?;
        (log, String::new())
    } else {
        let attempt = attempt(app, &at, &text, number).await?;
        let body = String::from_utf8_lossy(&attempt.response_body).into_owned();
        let logged = LoggedAttempt::new(delivery.id, delivery.event_type.clone(), attempt);
        (DeliveryLog::new(logged, &url), body)
    };
    let event = app.event(&at.caller, &at.tenant, &delivery.id.event().to_string()).await?.event;
    let entity_type = delivery.event_type.as_str().split('.').next().unwrap_or_default().to_owned();
    let detail = DeliveryLogDetail {
        http_method: (log.status != LogStatus::Skipped).then(|| "POST".to_owned()),
        log,
        event_timestamp: Some(event.occurred_at().to_string()),
        response_body: (!body.is_empty()).then_some(body),
        entity_id: entity_id(&entity_type, &event.content.data),
        entity_type,
    };
    reply(StatusCode::OK, &detail)
}

async fn attempt(app: &App, at: &At, delivery: &str, number: u32) -> Result<Attempt, AppError> {
    let mut page = PageQuery { limit: Some(limit::PAGE_MAX.to_string()), cursor: None };
    loop {
        let (_, found) = app.attempts(&at.caller, &at.tenant, delivery, page.clone()).await?;
        if let Some(attempt) = found.rows.into_iter().find(|it| it.number == number) {
            return Ok(attempt);
        }
        page.cursor = Some(found.next.ok_or(NO_ROW)?.to_string());
    }
}

/// Get a webhook's health
///
/// Counted over the events accepted in the last `Days` days; over the newest 25,000 attempts, when there are more.
#[utoipa::path(
    get, path = "/{webhookId}/health", operation_id = "GetWebhookHealth", tag = "Delivery logs",
    params(("Days" = Option<u32>, Query, description = "1, 7 or 30; 7 when not given.")),
    responses((status = 200, description = "The numbers.", body = WebhookHealth)),
)]
pub async fn health(State(state): State<DoorState>, at: At, mut query: Params) -> Reply {
    let days = match query.take("Days").as_deref() {
        Some("1") => 1,
        None | Some("7") => 7,
        Some("30") => 30,
        Some(_) => {
            query.wrong("Days", "use 1, 7 or 30");
            0
        }
    };
    query.end()?;
    let app = state.app();
    let webhook = app.endpoint(&at.caller, &at.tenant, &at.id).await?;
    let end = app.now();
    let since = end.minus(Duration::from_secs(u64::from(days) * 24 * 3600));
    let filter =
        LogQuery { endpoint: at.id.clone(), since: Some(since.to_string()), ..LogQuery::default() };
    let log = app.attempt_log(&at.caller, &at.tenant, filter, ROWS_MAX).await?;
    let rows = app.logged_attempts(&at.caller, &at.tenant, &log.tried).await?;
    let last = rows.iter().max_by_key(|it| it.started_at).map(|it| LastDelivery {
        timestamp: it.started_at.to_string(),
        status: LogStatus::of(it.outcome),
        event_type: it.event_type.to_string(),
    });
    let health = WebhookHealth {
        webhook_id: webhook.endpoint.id.to_string(),
        period: HealthPeriod {
            days,
            start_date: log.cut_at.unwrap_or(since).to_string(),
            end_date: end.to_string(),
        },
        metrics: metrics(&rows, log.discarded),
        last_delivery: last,
        consecutive_failures: webhook.activity.consecutive_failures,
        status: status(&webhook).0,
        webhook_name: name(&webhook.endpoint.settings),
    };
    reply(StatusCode::OK, &health)
}

fn metrics(rows: &[LoggedAttempt], skipped_count: u64) -> HealthMetrics {
    let mut metrics = HealthMetrics { skipped_count, ..HealthMetrics::default() };
    let mut took_ms = 0_u64;
    for row in rows {
        metrics.total_attempts += 1;
        took_ms += u64::from(row.took_ms);
        metrics.max_duration_ms = metrics.max_duration_ms.max(row.took_ms);
        match LogStatus::of(row.outcome) {
            LogStatus::Success => metrics.success_count += 1,
            LogStatus::Failed => metrics.failure_count += 1,
            LogStatus::Timeout => metrics.timeout_count += 1,
            LogStatus::Skipped => metrics.skipped_count += 1,
        }
    }
    if metrics.total_attempts > 0 {
        let total = metrics.total_attempts;
        metrics.success_rate = hundredths(metrics.success_count * 100, total);
        metrics.avg_duration_ms = hundredths(took_ms, total);
    }
    metrics
}

/// A quotient, rounded to two decimals.
#[expect(clippy::cast_precision_loss, reason = "counts and milliseconds of 25,000 rows fit")]
fn hundredths(part: u64, whole: u64) -> f64 {
    (part as f64 / whole as f64 * 100.0).round() / 100.0
}

fn filter(query: &mut Params, at: &At) -> (LogQuery, Vec<LogStatus>) {
    let mut statuses = Vec::new();
    for text in query.take_all("Status") {
        match LogStatus::ALL.into_iter().find(|it| it.as_str().eq_ignore_ascii_case(&text)) {
            Some(status) => statuses.push(status),
            None => query.wrong("Status", "use `success`, `failed`, `timeout` or `skipped`"),
        }
    }
    let filter = LogQuery {
        endpoint: at.id.clone(),
        event_types: query.take_all("EventType"),
        since: query.take("StartDate").map(in_utc),
        until: query.take("EndDate").map(in_utc),
    };
    (filter, statuses)
}

/// A date or a time without an offset, as .NET writes one, is in UTC.
fn in_utc(text: String) -> String {
    match text.split_once(['T', 't', ' ']) {
        None => text + "T00:00:00Z",
        Some((_, time)) if time.contains(['Z', 'z', '+', '-']) => text,
        Some(_) => text + "Z",
    }
}

async fn url(app: &App, at: &At) -> Result<String, AppError> {
    let details = app.endpoint(&at.caller, &at.tenant, &at.id).await?;
    Ok(details.endpoint.settings.url.to_string())
}

async fn matching(
    app: &App,
    at: &At,
    log: &AttemptLog,
    statuses: &[LogStatus],
    url: &str,
) -> Result<Vec<DeliveryLog>, AppError> {
    let tried = app.logged_attempts(&at.caller, &at.tenant, &log.tried).await?.into_iter();
    let tried = tried.filter(|it| statuses.contains(&LogStatus::of(it.outcome)));
    let tried = tried.map(|it| (it.delivery, DeliveryLog::new(it, url)));
    let skipped = log.skipped.iter().filter(|_| statuses.contains(&LogStatus::Skipped));
    let skipped = skipped.map(|it| (it.id, DeliveryLog::skipped(it, url)));
    let mut rows: Vec<_> = tried.chain(skipped).collect();
    // Newest event first; the attempts of one stay in their order.
    rows.sort_by_key(|it| std::cmp::Reverse(it.0));
    Ok(rows.into_iter().map(|it| it.1).collect())
}

/// Some rows of a log.
#[derive(Clone, Copy)]
struct Window {
    from: u64,
    rows: u64,
}

impl Window {
    fn of<T>(self, rows: Vec<T>) -> Vec<T> {
        let number = |it| usize::try_from(it).unwrap_or(usize::MAX);
        rows.into_iter().skip(number(self.from)).take(number(self.rows)).collect()
    }

    /// The same, reading the attempts of those deliveries alone that stand in it.
    async fn of_deliveries(
        self,
        app: &App,
        at: &At,
        tried: &[Delivery],
    ) -> Result<Vec<LoggedAttempt>, Refused> {
        let until = self.from.saturating_add(self.rows);
        let (mut row, mut first, mut inside) = (0_u64, None, Vec::new());
        for delivery in tried {
            let next = row + u64::from(delivery.attempts);
            if next > self.from && row < until {
                first.get_or_insert(row);
                inside.push(delivery.clone());
            }
            row = next;
            if row >= until {
                break;
            }
        }
        let rows = app.logged_attempts(&at.caller, &at.tenant, &inside).await?;
        let from = self.from - first.unwrap_or(self.from);
        Ok(Self { from, rows: self.rows }.of(rows))
    }
}

fn by_type_of(tried: &[Delivery]) -> BTreeMap<String, Vec<Facet>> {
    by_type(tried.iter().map(|it| (it.event_type.as_str(), u64::from(it.attempts))))
}

/// How many rows there are of each event type, the most first.
fn by_type<'a>(rows: impl Iterator<Item = (&'a str, u64)>) -> BTreeMap<String, Vec<Facet>> {
    let mut counts = BTreeMap::<&str, u64>::new();
    for (event_type, rows) in rows {
        *counts.entry(event_type).or_default() += rows;
    }
    let facet = |(value, count): (&str, u64)| Facet { value: value.to_owned(), count };
    let mut facets: Vec<_> = counts.into_iter().map(facet).collect();
    facets.sort_by_key(|it| std::cmp::Reverse(it.count));
    BTreeMap::from([("EventType".to_owned(), facets)])
}

/// The id that an event's data gives the thing it is about: `{"loadId": …}`, or `{"load": {"id": …}}`.
fn entity_id(entity: &str, data: &[u8]) -> String {
    let data: serde_json::Value = serde_json::from_slice(data).unwrap_or_default();
    let found = [&data[format!("{entity}Id")], &data[entity]["id"], &data["document"]["parentId"]];
    let text = found.into_iter().find_map(|it| match it {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => None,
    });
    text.unwrap_or_default()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Csv,
    Json,
}

/// `Format` goes before `Accept`; JSON when neither says anything (vendors.md §2.8).
fn format(query: &mut Params, headers: &HeaderMap) -> Format {
    match query.take("Format") {
        Some(it) if it.eq_ignore_ascii_case("csv") => Format::Csv,
        Some(it) if it.eq_ignore_ascii_case("json") => Format::Json,
        Some(_) => {
            query.wrong("Format", "use `csv` or `json`");
            Format::Json
        }
        None => accepted(headers).unwrap_or(Format::Json),
    }
}

fn accepted(headers: &HeaderMap) -> Option<Format> {
    let accept = headers.get_all(ACCEPT).iter().filter_map(|it| it.to_str().ok());
    accept.flat_map(|it| it.split(',')).find_map(|it| {
        let it = it.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match it.as_str() {
            "text/csv" | "application/csv" => Some(Format::Csv),
            "application/json" => Some(Format::Json),
            other => other.ends_with("+json").then_some(Format::Json),
        }
    })
}

fn csv_line(text: &mut String, it: &DeliveryLog) {
    let cells = [
        it.id.as_str(),
        it.event_id.as_str(),
        it.event_type.as_str(),
        it.status.as_str(),
        &it.http_status_code.map(|it| it.to_string()).unwrap_or_default(),
        &it.duration_ms.to_string(),
        &it.attempt_number.to_string(),
        it.timestamp.as_str(),
        it.consumer_url.as_str(),
        it.error_message.as_deref().unwrap_or_default(),
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
    fn the_entity_is_found_in_the_shapes_that_the_vendor_documents() {
        let check = |entity, data: &str, want| assert_eq!(entity_id(entity, data.as_bytes()), want);
        check("tender", r#"{"tenderId":"t1","loadId":"l1"}"#, "t1");
        check("load", r#"{"load":{"id":"l1"}}"#, "l1");
        check("load", r#"{"loadNumber":7,"document":{"parentId":"l2"}}"#, "l2");
        check("load", r#"{"load":null}"#, "");
        check("load", "[1]", "");
    }

    #[test]
    fn a_time_without_an_offset_is_in_utc() {
        for (text, want) in [
            ("2026-01-01T00:00:00", "2026-01-01T00:00:00Z"),
            ("2026-01-01T00:00:00.1234567", "2026-01-01T00:00:00.1234567Z"),
            ("2026-01-01", "2026-01-01T00:00:00Z"),
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            ("2026-01-01T00:00:00-05:00", "2026-01-01T00:00:00-05:00"),
        ] {
            let read = in_utc(text.to_owned());
            assert_eq!(read, want);
            assert!(read.parse::<hookyard_domain::time::Timestamp>().is_ok(), "{read}");
        }
        assert!(in_utc("yesterday".into()).parse::<hookyard_domain::time::Timestamp>().is_err());
    }

    #[test]
    fn accept_decides_the_form_of_an_export_in_its_order() {
        let check = |accept: &'static str, want| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(accepted(&headers), want, "{accept}");
        };
        check("text/csv", Some(Format::Csv));
        check("text/html, application/csv;q=0.9, application/json", Some(Format::Csv));
        check("application/problem+json", Some(Format::Json));
        check("*/*", None);
    }
}
