//! A tenant's catalogue of event types.

use std::time::Duration;

use hookyard_app::{EventTypeInput, Import, PageQuery};
use serde_json::json;

use crate::world::{World, code, wrong};

fn input(name: &str) -> EventTypeInput {
    EventTypeInput { name: name.into(), ..EventTypeInput::default() }
}

#[tokio::test]
async fn an_entry_is_made_once_replaced_at_will_and_taken_away() {
    let world = World::new().await;
    let (app, operator) = (&world.app, &world.operator);
    let made = app.create_event_type(operator, "acme", input("order.created")).await.unwrap();
    let again = app.create_event_type(operator, "acme", input("order.created")).await;
    assert_eq!(code(again), "event_type_exists");
    world.clock.forward(Duration::from_secs(1));
    let new = EventTypeInput { description: Some("An order".into()), ..input("ignored") };
    let (_, fresh) = app.put_event_type(operator, "acme", "order.created", new).await.unwrap();
    assert!(!fresh, "it was there");
    let (_, fresh) = app.put_event_type(operator, "acme", "new.one", input("")).await.unwrap();
    assert!(fresh, "it was not there");
    let kept = app.event_type(operator, "acme", "order.created").await.unwrap();
    assert_eq!((kept.description.as_deref(), kept.created_at), (Some("An order"), made.created_at));
    assert!(kept.updated_at > made.updated_at);
    app.delete_event_type(operator, "acme", "order.created").await.unwrap();
    assert_eq!(code(app.event_type(operator, "acme", "order.created").await), "not_found");
    world.end().await;
}

#[tokio::test]
async fn schema_and_sample_must_be_json() {
    let world = World::new().await;
    let new =
        EventTypeInput { schema: Some("[1]".into()), sample: Some("{".into()), ..input("a b") };
    let mut got = wrong(world.app.create_event_type(&world.operator, "acme", new).await);
    got.sort();
    let got: Vec<_> = got.iter().map(|(pointer, code)| (&**pointer, *code)).collect();
    let want = [("/name", "bad_event_type"), ("/sample", "not_json"), ("/schema", "not_a_schema")];
    assert_eq!(got, want);
    world.end().await;
}

#[tokio::test]
async fn catalogues_and_documents_are_loaded_again_without_harm() {
    let world = World::new().await;
    let (app, operator) = (&world.app, &world.operator);
    for _ in 0..2 {
        let aly = Import::Catalogue("aly".into());
        let imported = app.import_event_types(operator, "acme", aly).await.unwrap();
        assert_eq!(imported.names.len(), 24);
    }
    let document = json!({ "$defs": { "parcel.sent": { "type": "object" } } });
    app.import_event_types(operator, "acme", Import::Document(document)).await.unwrap();
    let page = PageQuery { limit: Some("250".into()), cursor: None };
    let all = app.event_types(operator, "acme", page).await.unwrap();
    assert_eq!(all.rows.len(), 25);
    let unknown = Import::Catalogue("acme".into());
    let got = wrong(app.import_event_types(operator, "acme", unknown).await);
    assert_eq!(got, [("/catalogue".to_owned(), "unknown_value")]);
    world.end().await;
}
