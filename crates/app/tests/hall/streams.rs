//! Streams: what is kept for a reader, and for how long.

use std::time::Duration;

use hookyard_app::{Stream, StreamError, StreamItem, StreamQuery, StreamStep};

use crate::world::World;

const DAY: Duration = Duration::from_secs(24 * 3600);

fn behind(place: Option<String>) -> StreamQuery {
    StreamQuery { last_event_id: place, ..StreamQuery::default() }
}

async fn open(world: &World, query: StreamQuery) -> Result<Stream, StreamError> {
    world.app.open_stream(&world.operator, "acme", query).await
}

async fn next(stream: &mut Stream) -> StreamStep {
    let next = tokio::time::timeout(Duration::from_secs(20), stream.next()).await;
    next.expect("nothing comes").unwrap().expect("it has ended")
}

/// The ids of the events among what comes next.
async fn next_events(stream: &mut Stream) -> Vec<String> {
    let step = next(stream).await;
    let StreamStep::Items(items) = step else { panic!("no items: {step:?}") };
    let ids = items.into_iter().filter_map(|(item, _)| match item {
        StreamItem::Accepted { event, .. } => Some(event.id.to_string()),
        StreamItem::Finished { .. } | StreamItem::Changed(_) => None,
    });
    ids.collect()
}

#[tokio::test]
async fn a_reader_where_nothing_happens_for_days_has_lost_nothing() {
    let world = World::new().await;
    world.publish("a.b").await;
    let mut stream = open(&world, behind(None)).await.unwrap();
    for _ in 0..3 {
        world.clock.forward(3 * DAY);
        // It looks around, and finds nothing.
        let nothing = tokio::time::timeout(Duration::from_millis(100), stream.next()).await;
        assert!(nothing.is_err(), "{nothing:?}");
        let place = stream.position().to_string();
        let event = world.publish("a.b").await;
        assert_eq!(next_events(&mut stream).await, std::slice::from_ref(&event));
        let mut other = open(&world, behind(Some(place))).await.unwrap();
        assert_eq!(next_events(&mut other).await, [event]);
    }
    world.end().await;
}

#[tokio::test]
async fn a_reader_that_is_overrun_is_told_so_and_goes_on() {
    let world = World::new().await;
    let mut stream = open(&world, behind(None)).await.unwrap();
    world.publish("lost.one").await;
    world.clock.forward(2 * DAY);
    let kept = world.publish("kept.one").await;
    let step = next(&mut stream).await;
    let StreamStep::Lagged { position, before } = step else { panic!("{step:?}") };
    assert_eq!(before, world.app.now().minus(DAY));
    assert_eq!(next_events(&mut stream).await, std::slice::from_ref(&kept));
    let mut again = open(&world, behind(Some(position.to_string()))).await.unwrap();
    assert_eq!(next_events(&mut again).await, [kept]);
    world.end().await;
}

#[tokio::test]
async fn events_alone_can_be_read_for_as_long_as_the_tenant_keeps_them() {
    let world = World::new().await;
    let place = open(&world, behind(None)).await.unwrap().position().to_string();
    let event = world.publish("a.b").await;
    world.clock.forward(20 * DAY);
    let everything = open(&world, behind(Some(place.clone()))).await;
    assert!(matches!(everything, Err(StreamError::Expired { kept }) if kept == DAY));
    let events = |place: &str| StreamQuery {
        kinds: Some("event.accepted".into()),
        ..behind(Some(place.to_owned()))
    };
    let mut stream = open(&world, events(&place)).await.unwrap();
    assert_eq!(next_events(&mut stream).await, [event]);
    world.clock.forward(20 * DAY);
    let events = open(&world, events(&place)).await;
    assert!(matches!(events, Err(StreamError::Expired { kept }) if kept == 30 * DAY));
    let changes = StreamQuery { kinds: Some("endpoint.changed".into()), ..behind(Some(place)) };
    assert!(open(&world, changes).await.is_ok(), "changes are kept for ever");
    world.end().await;
}
