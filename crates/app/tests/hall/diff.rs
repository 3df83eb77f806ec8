//! What changed, as receivers are told of it.

use bytes::Bytes;
use hookyard_app::{NewEndpoint, NewEvent};

use crate::world::{Receiver, World, endpoint, event, until};

#[tokio::test]
async fn who_asked_gets_previous_values_and_who_did_not_gets_the_changes_alone() {
    for profile in ["standard", "alvys"] {
        let world = World::new().await;
        let (curious, content) = (Receiver::start().await, Receiver::start().await);
        for (receiver, asked) in [(&curious, Some(true)), (&content, None)] {
            let new = NewEndpoint {
                profile: Some(profile.into()),
                verify: Some("none".into()),
                include_previous_attributes: asked,
                ..endpoint(&receiver.url, &["load.changed"])
            };
            world.endpoint(new).await;
        }
        let new = NewEvent {
            data: Bytes::from_static(br#"{"load":{"id":"l1","poNumber":"PO-7","miles":1.10}}"#),
            previous: Some(Bytes::from_static(br#"{"id":"l1","poNumber":null,"miles":1.05}"#)),
            changes: Some(Bytes::from_static(br#"[{"kind":"MileageChanged"}]"#)),
            ..event("load.changed")
        };
        world.app.publish(&world.operator, "acme", new, None).await.unwrap();
        let data = async |receiver: &Receiver| {
            let body = until(async || receiver.bodies().pop()).await;
            body.split_once(r#""data":"#).unwrap().1.to_owned()
        };
        let head = r#"{"load":{"id":"l1","poNumber":"PO-7","miles":1.10},"diff":{"changes":[{"kind":"MileageChanged"}]"#;
        let attributes = r#","previousAttributes":{"poNumber":null,"miles":1.05}}}}"#;
        assert_eq!(data(&curious).await, format!("{head}{attributes}"), "{profile}");
        assert_eq!(data(&content).await, format!("{head}}}}}}}"), "{profile}");
        world.end().await;
    }
}
