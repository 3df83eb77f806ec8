//! The surface against its own document.

use serde_json::json;

use super::super::document;
use super::Alumia;
use crate::scene::{Scene, text};

/// Whose things the operations are asked for. What is deleted is nobody else's.
async fn operations(scene: &Scene) -> String {
    let alumia = Alumia(&scene.acme.0);
    let kept = alumia.forwarding_to("http://127.0.0.1:9/hooks").await;
    let deleted = alumia.create(json!({ "name": "deleted" })).await;
    alumia.bring(&kept, "msg_1", "a.b").await;
    alumia.attempts(&kept, 1).await;
    let (kept, deleted) = (text(&kept["id"]), text(&deleted["id"]));
    format!(
        r#"
[[operations]]
include-path-regex = "/webhooks/.id."
exclude-method = "DELETE"
parameters = {{ "path.id" = "{kept}" }}
[[operations]]
include-path-regex = "/receive/"
parameters = {{ "path.webhookId" = "{kept}" }}
[[operations]]
include-method = "DELETE"
parameters = {{ "path.id" = "{deleted}" }}
"#
    )
}

#[tokio::test]
async fn the_surface_keeps_to_its_own_document() {
    let scene = Scene::new().await;
    document::is_kept(&scene, "alumia", &operations(&scene).await).await;
}
