//! Deliveries as a file.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Home, Tenant, text, wrong};

async fn discarding(home: &Home, name: &str, types: &[&str]) -> Tenant {
    let tenant = home.tenant(name).await;
    let made = tenant.endpoint("http://127.0.0.1:9/", json!({})).await;
    tenant.act(&format!("/endpoints/{}/disable", text(&made["id"]))).await.expect(200);
    let batch: Vec<_> = types.iter().map(|it| json!({ "type": it, "data": 1 })).collect();
    tenant.post("/events/batch", &Value::Array(batch)).await.expect(202);
    crate::world::until("all have ended", || async {
        let rows = tenant.all("/deliveries?status=discarded").await;
        (rows.len() == types.len()).then_some(())
    })
    .await;
    tenant
}

/// A CSV file as RFC 4180 reads it: rows by the names of their columns.
fn parse(file: &str) -> Vec<BTreeMap<String, String>> {
    let mut lines = file.split("\r\n");
    let head: Vec<_> = lines.next().unwrap().split(',').map(ToOwned::to_owned).collect();
    let unquoted = |cell: &str| match cell.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').unwrap().replace("\"\"", "\""),
        None => cell.to_owned(),
    };
    let rows = lines.filter(|it| !it.is_empty());
    rows.map(|row| head.iter().cloned().zip(row.split(',').map(unquoted)).collect()).collect()
}

#[tokio::test]
async fn an_export_as_csv_has_a_line_for_each_delivery() {
    let home = Home::open().await;
    let tenant = discarding(&home, "export-csv", &["a.b", "c"]).await;
    let listed = tenant.all("/deliveries").await;
    for query in ["", "?format=csv"] {
        let answer = tenant.get(&format!("/deliveries/export{query}")).await;
        assert_eq!(answer.status, 200);
        assert!(answer.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
        assert!(answer.headers["content-disposition"].to_str().unwrap().contains("attachment"));
        let rows = parse(std::str::from_utf8(&answer.body).unwrap());
        assert_eq!(rows.len(), 2);
        for (row, listed) in rows.iter().zip(&listed) {
            assert_eq!(row.len(), listed.as_object().unwrap().len());
            for (name, value) in listed.as_object().unwrap() {
                let want = value.as_str().map_or(value.to_string(), ToOwned::to_owned);
                let want = if value.is_null() { "" } else { &*want };
                assert_eq!(row[name], want, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn an_export_as_ndjson_is_the_list_line_by_line() {
    let home = Home::open().await;
    let types = vec!["a.b"; 600];
    let tenant = discarding(&home, "export-ndjson", &types).await;
    let answer = tenant.get("/deliveries/export?format=ndjson").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "application/x-ndjson");
    let file = std::str::from_utf8(&answer.body).unwrap();
    let rows: Vec<Value> = file.lines().map(|it| serde_json::from_str(it).unwrap()).collect();
    assert_eq!(rows.len(), 600, "more than a page");
    assert_eq!(rows, tenant.all("/deliveries").await);
}

#[tokio::test]
async fn an_export_obeys_the_filters_of_the_list() {
    let home = Home::open().await;
    let tenant = discarding(&home, "export-filter", &["a.b", "a.c", "d"]).await;
    for (query, lines) in [
        ("type=a.*", 2),
        ("status=discarded", 3),
        ("status=succeeded", 0),
        ("since=2090-01-01T00:00:00Z", 0),
    ] {
        let answer = tenant.get(&format!("/deliveries/export?format=ndjson&{query}")).await;
        assert_eq!(String::from_utf8_lossy(&answer.body).lines().count(), lines, "{query}");
    }
    let unknown = tenant.get("/deliveries/export?format=xml").await;
    wrong(&unknown, &[("format", "unknown_format")]);
    let bad = tenant.get("/deliveries/export?status=x").await;
    wrong(&bad, &[("status", "unknown_value")]);
    let empty = home.tenant("export-empty").await.get("/deliveries/export").await;
    assert_eq!(String::from_utf8_lossy(&empty.body).lines().count(), 1, "the head alone");
}

#[tokio::test]
async fn no_cell_of_an_export_is_a_formula_to_a_spreadsheet() {
    let home = Home::open().await;
    let tenant = discarding(&home, "export-formula", &["-2-3", "--x.y"]).await;
    let answer = tenant.get("/deliveries/export").await;
    let file = String::from_utf8(answer.body.to_vec()).unwrap();
    let rows = parse(&file);
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert!(row["event_type"].starts_with("'-"), "{row:?}");
        for cell in row.values() {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t']), "{row:?}");
        }
    }
}
