//! The surface against its own document.

use super::super::document;
use super::Aly;
use crate::scene::{Scene, order, text};

/// Whose things the operations are asked for. What is deleted is nobody else's.
async fn operations(scene: &Scene) -> String {
    let aly = Aly(&scene.acme.0);
    let unreachable = "http://127.0.0.1:9/hooks";
    let [kept, deleted] = [aly.webhook_at(unreachable).await, aly.webhook_at(unreachable).await];
    scene.acme.publish(order(1)).await;
    let delivery = aly.deliveries(&kept, "").await.remove(0);
    let (kept, deleted, delivery) =
        (text(&kept["id"]), text(&deleted["id"]), text(&delivery["id"]));
    format!(
        r#"
[[operations]]
include-path-regex = "/webhooks/.id."
exclude-method = "DELETE"
parameters = {{ "path.id" = "{kept}", "path.delivery" = "{delivery}" }}
[[operations]]
include-method = "DELETE"
parameters = {{ "path.id" = "{deleted}" }}
"#
    )
}

#[tokio::test]
async fn the_surface_keeps_to_its_own_document() {
    let scene = Scene::new().await;
    document::is_kept(&scene, "aly", &operations(&scene).await).await;
}
