//! The promises of the port, kept by PostgreSQL.

mod place;

use std::sync::Arc;

use hookyard_store::Store;
use hookyard_testkit::conformance::Cellar;

use crate::place::Place;

async fn cellar() -> Cellar {
    let place = Place::new().await;
    Cellar::new(move || {
        let place = Arc::clone(&place);
        async move { place.open("one").await as Arc<dyn Store> }
    })
    .await
}

hookyard_testkit::conformance_tests!(cellar);
