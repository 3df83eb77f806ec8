//! Keys, methods, paths and bodies that will not do (vendors.md §3.6).

use http::Method;
use serde_json::json;

use super::{Alumia, HOOKS, JSON, data, path, refused, wrong};
use crate::scene::{Acme, Scene, text};

#[tokio::test]
async fn a_key_must_be_good_for_what_it_is_used_for() {
    let scene = Scene::new().await;
    let acme = &scene.acme.0;
    let made = Alumia(acme).create(json!({ "name": "n" })).await;
    for key in ["", "alm_live_wrong"] {
        let answer = acme.with_key(key).get(HOOKS).await;
        refused(&answer, 401, "UNAUTHORIZED");
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    let basic = [("authorization", "Basic YTpi")];
    let answer = acme.with_key("").send(Method::GET, HOOKS, &basic, "".into()).await;
    refused(&answer, 401, "UNAUTHORIZED");
    refused(&scene.server.operator().get(HOOKS).await, 403, "FORBIDDEN");

    let wanted = json!({ "name": "looks", "scopes": ["read"] });
    let key = acme.post(&Acme::path("/api-keys"), &wanted).await.expect(201)["key"].clone();
    let reader = acme.with_key(text(&key));
    data(&reader.get(HOOKS).await, 200);
    data(&reader.get(&path(&made, "/events")).await, 200);
    let test = json!({ "webhookId": made["id"] });
    refused(&reader.post(HOOKS, &json!({ "name": "n" })).await, 403, "FORBIDDEN");
    refused(&reader.patch(&path(&made, ""), &json!({ "name": "m" })).await, 403, "FORBIDDEN");
    refused(&reader.post(&path(&made, "/rotate"), &json!({})).await, 403, "FORBIDDEN");
    refused(&reader.post(&format!("{HOOKS}/test"), &test).await, 403, "FORBIDDEN");
    refused(&reader.delete(&path(&made, "")).await, 403, "FORBIDDEN");
    assert_eq!(Alumia(acme).now(&made).await["name"], "n");
}

#[tokio::test]
async fn ids_that_are_none_and_paths_that_are_none_are_not_found_in_alumias_form() {
    let scene = Scene::new().await;
    let acme = &scene.acme.0;
    let made = Alumia(acme).create(json!({ "name": "n" })).await;
    let id = text(&made["id"]);
    let unknown = "0196f0e4-5e04-7c1e-8a3d-9f2b6c4d5e6f";
    let src = hookyard_domain::id::SourceId::from_uuid(id).unwrap().to_string();
    for bad in
        [unknown, "1", "receive", "rotate", "%00", "..%2Fevents", &src, &id[1..], &format!("{id}0")]
    {
        refused(&acme.get(&format!("{HOOKS}/{bad}")).await, 404, "NOT_FOUND");
        refused(&acme.get(&format!("{HOOKS}/{bad}/events")).await, 404, "NOT_FOUND");
        refused(&acme.delete(&format!("{HOOKS}/{bad}")).await, 404, "NOT_FOUND");
        let receive = format!("{HOOKS}/receive/{bad}");
        let answer = acme.with_key("").send(Method::POST, &receive, &[JSON], "{}".into()).await;
        refused(&answer, 404, "NOT_FOUND");
    }
    // The same id, written otherwise.
    data(&acme.get(&format!("{HOOKS}/{}", id.to_uppercase())).await, 200);
    for none in [
        format!("{HOOKS}/"),
        format!("{HOOKS}/{id}/"),
        format!("{HOOKS}/{id}/secret"),
        format!("{HOOKS}/{id}/events/1"),
        format!("{HOOKS}/events/"),
        format!("{HOOKS}/receive"),
        format!("{HOOKS}/receive/"),
        format!("{HOOKS}/receive/{id}/more"),
        format!("{HOOKS}/linear/x"),
    ] {
        refused(&acme.get(&none).await, 404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn literal_routes_go_before_ids_and_other_methods_are_405() {
    let scene = Scene::new().await;
    let acme = &scene.acme.0;
    let made = Alumia(acme).create(json!({ "name": "n" })).await;
    for (rest, bad, allow) in [
        ("", "PUT PATCH DELETE", "GET,HEAD,POST"),
        ("/events", "POST PATCH DELETE", "GET,HEAD"),
        ("/test", "GET PATCH DELETE", "POST"),
        ("/verify", "GET PATCH DELETE", "POST"),
        ("/linear", "GET PATCH DELETE", "POST"),
        (&format!("/{}", text(&made["id"])), "POST PUT", "DELETE,GET,HEAD,PATCH"),
        (&format!("/{}/rotate", text(&made["id"])), "GET DELETE", "POST"),
        (&format!("/{}/events", text(&made["id"])), "POST", "GET,HEAD"),
        (&format!("/{}/deliveries", text(&made["id"])), "POST", "GET,HEAD"),
    ] {
        for method in bad.split(' ') {
            let path = format!("{HOOKS}{rest}");
            let method: Method = method.parse().unwrap();
            let answer = acme.send(method.clone(), &path, &[JSON], "{}".into()).await;
            refused(&answer, 405, "METHOD_NOT_ALLOWED");
            let mut got: Vec<_> = answer.headers["allow"].to_str().unwrap().split(',').collect();
            got.sort_unstable();
            assert_eq!(got.join(","), allow, "{method} {path}");
        }
    }
    let receive = super::path_of(&made["receiveUrl"]);
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = acme.with_key("").send(method, receive, &[], "".into()).await;
        refused(&answer, 405, "METHOD_NOT_ALLOWED");
        assert_eq!(answer.headers["allow"], "POST");
    }
    assert_eq!(Alumia(acme).now(&made).await["name"], "n");
}

#[tokio::test]
async fn a_body_must_be_json_of_the_right_form() {
    let scene = Scene::new().await;
    let acme = &scene.acme.0;
    let made = Alumia(acme).create(json!({ "name": "n" })).await;
    for bad in ["", "{", "nope", "{\"name\":\"\u{1}\"}", "[]", "\"n\"", "null"] {
        for (method, path) in [
            (Method::POST, HOOKS.to_owned()),
            (Method::PATCH, path(&made, "")),
            (Method::POST, format!("{HOOKS}/test")),
            (Method::POST, format!("{HOOKS}/verify")),
        ] {
            let answer = acme.send(method, &path, &[JSON], bad.to_owned().into()).await;
            refused(&answer, 400, "BAD_REQUEST");
        }
    }
    let deep = format!("{{\"name\":\"n\",\"x\":{}{}}}", "[".repeat(100), "]".repeat(100));
    let answer = acme.send(Method::POST, HOOKS, &[JSON], deep.into()).await;
    refused(&answer, 400, "BAD_REQUEST");
    let twice = r#"{"name":"a","name":"b"}"#;
    wrong(&acme.send(Method::POST, HOOKS, &[JSON], twice.into()).await, &["name"]);
    let long = format!("{{\"name\":\"n\",\"x\":\"{}\"}}", "x".repeat(1024 * 1024));
    let answer = acme.send(Method::POST, HOOKS, &[JSON], long.into()).await;
    refused(&answer, 413, "PAYLOAD_TOO_LARGE");
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let answer = acme.send(Method::POST, HOOKS, &form, "name=n".into()).await;
    refused(&answer, 415, "UNSUPPORTED_MEDIA_TYPE");
    // What is not known is passed over; a rotation takes any body or none.
    let more = json!({ "name": "m", "color": "red", "id": "mine", "secret": "mine" });
    let other = data(&acme.post(HOOKS, &more).await, 201);
    assert_ne!((&other["id"], &other["secret"]), (&json!("mine"), &json!("mine")));
    data(&acme.post(&path(&other, "/rotate"), &json!({ "any": 1 })).await, 200);
    assert_eq!(Alumia(acme).get("").await["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_idempotency_key_makes_a_post_happen_once() {
    let scene = Scene::new().await;
    let acme = &scene.acme.0;
    let headers = [JSON, ("idempotency-key", "once")];
    let send = |body: &str| acme.send(Method::POST, HOOKS, &headers, body.to_owned().into());
    let first = send(r#"{"name":"n"}"#).await;
    let again = send(r#"{"name":"n"}"#).await;
    assert_eq!(data(&first, 201), data(&again, 201), "its secret too");
    assert_eq!(again.headers["idempotency-replayed"], "true");
    refused(&send(r#"{"name":"other"}"#).await, 409, "CONFLICT");
    assert_eq!(Alumia(acme).get("").await["items"].as_array().unwrap().len(), 1);
}
