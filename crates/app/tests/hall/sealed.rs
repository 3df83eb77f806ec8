//! What is sealed of an endpoint: looked at without a change, and mended when the master key does not open it any more.

use hookyard_app::{AppError, EndpointPatch, NewEndpoint, PageQuery};
use hookyard_domain::endpoint::Endpoint;
use hookyard_domain::headers::Headers;
use hookyard_domain::secret::Secret;
use hookyard_rules::seal::{Keyring, master_key};
use hookyard_store::endpoints::Endpoints;

use crate::world::{World, endpoint, wrong};

const URL: &str = "https://127.0.0.1/hooks";

fn headers(name: &str, value: &str) -> Headers {
    Headers(vec![(name.to_owned(), value.to_owned())])
}

/// An endpoint whose headers were sealed with a master key that is not there any more.
async fn locked(world: &World) -> Endpoint {
    let new = NewEndpoint { headers: Some(headers("X-Team", "a")), ..endpoint(URL, &["*"]) };
    let made = world.endpoint(new).await.details.endpoint;
    let lost = Keyring::parse(&master_key(&[9; 32])).unwrap();
    let place = format!("{}.headers", made.id);
    let sealed = lost.seal(br#"[["X-Team","a"]]"#, place.as_bytes(), [1; 12]);
    let locked = Endpoint { headers: Some(sealed), ..made };
    assert!(world.store.reseal_endpoint(locked.clone()).await.unwrap());
    locked
}

#[tokio::test]
async fn one_endpoint_that_cannot_be_opened_does_not_hide_the_others() {
    let world = World::new().await;
    let locked = locked(&world).await;
    let new = NewEndpoint { headers: Some(headers("X-Team", "b")), ..endpoint(URL, &["*"]) };
    let open = world.endpoint(new).await.details.endpoint;
    let list = world.app.endpoints(&world.operator, "acme", PageQuery::default()).await.unwrap();
    let shown: Vec<_> = list.rows.into_iter().map(|it| (it.endpoint.id, it.headers)).collect();
    assert_eq!(shown, [(open.id, Some(headers("X-Team", "b"))), (locked.id, None)]);
    world.end().await;
}

#[tokio::test]
async fn an_endpoint_that_cannot_be_opened_can_be_changed_mended_and_taken_away() {
    let world = World::new().await;
    let id = locked(&world).await.id.to_string();
    let patch = async |patch: EndpointPatch| {
        world.app.update_endpoint(&world.operator, "acme", &id, patch).await
    };
    let renamed = EndpointPatch { name: Some(Some("A".into())), ..EndpointPatch::default() };
    assert_eq!(patch(renamed).await.unwrap().headers, None, "they are kept as they are");
    let masked = Some(Some(headers("X-Team", "[redacted]")));
    let masked = EndpointPatch { headers: masked, ..EndpointPatch::default() };
    assert_eq!(wrong(patch(masked).await), [("/headers/X-Team".to_owned(), "redacted")]);
    let mended = Some(Some(headers("X-Team", "c")));
    let mended = EndpointPatch { headers: mended, ..EndpointPatch::default() };
    assert_eq!(patch(mended).await.unwrap().headers, Some(headers("X-Team", "c")));

    let id = locked(&world).await.id.to_string();
    let none = EndpointPatch { headers: Some(None), ..EndpointPatch::default() };
    let none = world.app.update_endpoint(&world.operator, "acme", &id, none).await.unwrap();
    assert_eq!(none.headers, Some(Headers::default()));

    let id = locked(&world).await.id.to_string();
    world.app.delete_endpoint(&world.operator, "acme", &id).await.unwrap();
    world.end().await;
}

#[tokio::test]
async fn a_secret_is_revealed_to_many_at_once_and_nothing_is_changed_by_it() {
    let world = World::new().await;
    let made = world.endpoint(endpoint(URL, &["*"])).await;
    let id = made.details.endpoint.id.to_string();
    let reveal = || world.app.reveal_secret(&world.operator, "acme", &id);
    let shown: [Result<Secret, AppError>; 4] =
        tokio::join!(reveal(), reveal(), reveal(), reveal()).into();
    for secret in shown {
        assert_eq!(Some(secret.unwrap()), made.secret);
    }
    let looked = world.app.endpoint(&world.operator, "acme", &id).await.unwrap();
    assert_eq!(looked.endpoint, made.details.endpoint);
    let log = world.audit().await;
    let told = log.iter().filter(|it| it.action == "endpoint.secret_revealed" && it.subject == id);
    assert_eq!(told.count(), 4);
    world.end().await;
}
