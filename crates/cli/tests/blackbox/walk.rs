//! The shortest walk through the API: things are made, changed and taken away.

use serde_json::json;

use crate::world::World;

#[tokio::test]
async fn endpoints_and_event_types_can_be_made_changed_and_taken_away() {
    let world = World::new();
    let server = world.serve().await;
    let acme = server.operator().tenant("acme").await;
    let wanted = json!({ "url": "http://127.0.0.1:9/", "events": ["order.*"] });
    let made = acme.post("/v1/tenants/acme/endpoints", &wanted).await.expect(201);
    let endpoint = format!("/v1/tenants/acme/endpoints/{}", made["id"].as_str().unwrap());
    let changed = acme.patch(&endpoint, &json!({ "name": "Mine" })).await.expect(200);
    assert_eq!((&changed["name"], &changed["url"]), (&json!("Mine"), &made["url"]));
    assert_eq!(acme.delete(&endpoint).await.status, 204);
    assert_eq!(acme.get(&endpoint).await.status, 404);

    let event_type = "/v1/tenants/acme/event-types/order.created";
    let wanted = json!({ "name": "order.created", "description": "An order came in" });
    acme.put(event_type, &wanted).await.expect(201);
    assert_eq!(acme.get(event_type).await.expect(200)["description"], "An order came in");
    assert_eq!(acme.delete(event_type).await.status, 204);
    assert_eq!(acme.get(event_type).await.status, 404);
}
