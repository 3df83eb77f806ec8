//! The surface against its own document.

use serde_json::json;

use super::super::document;
use super::{Consumer, get, tender, webhook};
use crate::scene::{Scene, text};

/// What a request that breaks the document is answered: 412 as well, since a precondition goes before the body (RFC 9110 §13.2.1).
const REFUSED: &str = r#"["400", "401", "403", "404", "405", "406", "409", "412", "415", "422", "428", "429", "5xx"]"#;

#[tokio::test]
async fn the_surface_keeps_to_its_own_document() {
    let scene = Scene::new().await;
    let consumer = Consumer::good().await;
    // What is deleted or changed is nobody else's, so that the log is there for as long as it is asked for.
    let [logged, changed, deleted] = [
        webhook(&scene, &consumer, json!({})).await,
        webhook(&scene, &consumer, json!({})).await,
        webhook(&scene, &consumer, json!({ "SubsidiaryId": "another" })).await,
    ];
    let event = tender(&scene, "tender.accepted").await;
    scene.acme.count_is("status=succeeded", 2).await;
    let log = get(&scene, &format!("/{}/delivery-logs", text(&logged["Id"]))).await;
    let row = log["Items"][0].clone();
    assert_eq!(row["EventId"], event.as_str());
    let operations = format!(
        r#"
[checks]
negative_data_rejection.expected-statuses = {REFUSED}
[[operations]]
include-path-regex = "/webhooks/.webhookId."
parameters = {{ "path.webhookId" = "{}", "path.logId" = "{}" }}
[[operations]]
include-path-regex = "/webhooks/.id."
exclude-method = "DELETE"
parameters = {{ "path.id" = "{}" }}
[[operations]]
include-method = "DELETE"
parameters = {{ "path.id" = "{}" }}
"#,
        text(&logged["Id"]),
        text(&row["Id"]),
        text(&changed["Id"]),
        text(&deleted["Id"])
    );
    document::is_kept(&scene, "alvys", &operations).await;
}
