//! Who and what gets in.

use http::Method;
use serde_json::{Value, json};

use super::{ask, names, post};
use crate::scene::Scene;
use crate::world::{OPERATOR_KEY, World};

const LIST: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;

#[tokio::test]
async fn without_a_good_key_nobody_gets_in_and_a_client_learns_where_to_look() {
    let scene = Scene::new().await;
    let base = format!("http://{}", scene.server.address);
    let metadata = format!("{base}/.well-known/oauth-protected-resource/mcp");
    for (key, error) in [("", ""), ("hk_wrong", ", error=\"invalid_token\"")] {
        let refused = post(&scene.server.client(key), "", &[], LIST).await;
        let challenge =
            format!("Bearer realm=\"hookyard\"{error}, resource_metadata=\"{metadata}\"");
        assert_eq!(refused.headers["www-authenticate"], challenge);
        assert_eq!(refused.headers["content-type"], "application/problem+json");
        assert_eq!(refused.expect(401)["code"], "unauthenticated");
    }
    let path = "/.well-known/oauth-protected-resource";
    for path in [path, &format!("{path}/mcp")] {
        let found = scene.server.client("").get(path).await.expect(200);
        assert_eq!(found["resource"], format!("{base}/mcp"));
        assert_eq!(found["bearer_methods_supported"], json!(["header"]));
        assert_eq!(found["scopes_supported"], json!(["read", "write", "publish", "admin"]));
    }
}

#[tokio::test]
async fn a_name_that_is_not_ours_and_a_strange_page_do_not_get_in() {
    let world = World::new();
    let args = ["--public-url", "https://hooks.example.com"];
    let server = world.serve_with(&args, &[("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY)]).await;
    let acme = server.operator().tenant("acme").await;
    let own = server.address.to_string();
    let page = format!("http://{own}");
    for (host, origin, code) in [
        (&*own, None, None),
        (&own, Some(&*page), None),
        ("hooks.example.com", Some("https://hooks.example.com"), None),
        ("evil.example", None, Some("host_not_allowed")),
        ("evil.example", Some("http://evil.example"), Some("host_not_allowed")),
        (&own, Some("https://evil.example"), Some("origin_not_allowed")),
        (&own, Some("null"), Some("origin_not_allowed")),
    ] {
        let mut headers = vec![("host", host)];
        headers.extend(origin.map(|it| ("origin", it)));
        let answer = raw(&server.address.to_string(), &acme.key, &headers).await;
        match code {
            None => assert!(answer.starts_with("HTTP/1.1 200"), "{host} {origin:?}: {answer}"),
            Some(code) => {
                assert!(answer.starts_with("HTTP/1.1 403"), "{host} {origin:?}: {answer}");
                assert!(answer.contains(code), "{answer}");
            }
        }
    }
    let found = server.client("").get("/.well-known/oauth-protected-resource").await.expect(200);
    assert_eq!(found["resource"], "https://hooks.example.com/mcp");
}

/// A request whose `Host` is not the one of the connection.
async fn raw(address: &str, key: &str, headers: &[(&str, &str)]) -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let lines: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "POST /mcp HTTP/1.1\r\n{lines}authorization: Bearer {key}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{LIST}",
        LIST.len()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn there_are_no_sessions_and_no_streams() {
    let scene = Scene::new().await;
    let acme = &scene.acme.0;
    for method in [Method::GET, Method::DELETE] {
        let headers = [("accept", "text/event-stream"), ("mcp-session-id", "a")];
        let answer = acme.send(method, "/mcp", &headers, "".into()).await;
        assert_eq!(answer.headers["allow"], "POST");
        answer.expect(405);
    }
    // Each message stands for itself: no handshake is needed, and a session that is named is nobody's.
    let answer = post(acme, "", &[("mcp-session-id", "a")], LIST).await;
    assert!(!answer.headers.contains_key("mcp-session-id"));
    assert_eq!(answer.headers["content-type"], "application/json");
    answer.expect(200);
    let notified = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    let answer = post(acme, "", &[], notified).await;
    assert_eq!((answer.status, answer.body.len()), (202, 0));
}

#[tokio::test]
async fn both_eras_begin_as_they_should() {
    let scene = Scene::new().await;
    let acme = &scene.acme.0;
    for (asked, agreed) in
        [("2025-11-25", "2025-11-25"), ("2025-06-18", "2025-06-18"), ("1999-01-01", "2025-11-25")]
    {
        let hello = json!({
            "protocolVersion": asked, "capabilities": {}, "clientInfo": { "name": "a", "version": "1" },
        });
        let begun = ask(acme, "", "initialize", hello).await;
        assert_eq!(begun["protocolVersion"], agreed);
        assert_eq!(
            (&begun["serverInfo"]["name"], begun.get("resultType")),
            (&json!("hookyard"), None)
        );
    }
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { "name": "a", "version": "1" },
    });
    let message = |method: &str, meta: &Value| {
        json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": { "_meta": meta } })
            .to_string()
    };
    let headers = |method| [("mcp-protocol-version", "2026-07-28"), ("mcp-method", method)];
    let found =
        post(acme, "", &headers("server/discover"), &message("server/discover", &meta)).await;
    let found = found.expect(200)["result"].clone();
    assert_eq!(found["resultType"], "complete");
    let versions = found["supportedVersions"].as_array().unwrap();
    assert!(versions.contains(&json!("2026-07-28")) && versions.contains(&json!("2025-11-25")));
    let listed = post(acme, "", &headers("tools/list"), &message("tools/list", &meta)).await;
    let listed = listed.expect(200)["result"].clone();
    assert_eq!(
        (&listed["cacheScope"], &listed["resultType"]),
        (&json!("private"), &json!("complete"))
    );
    // A header that says something else than the body.
    let other = post(acme, "", &headers("tools/call"), &message("tools/list", &meta)).await;
    assert_eq!(other.expect(400)["error"]["code"], -32020);
    let mut unknown = meta.clone();
    unknown["io.modelcontextprotocol/protocolVersion"] = json!("2030-01-01");
    let headers = [("mcp-protocol-version", "2030-01-01"), ("mcp-method", "tools/list")];
    let refused = post(acme, "", &headers, &message("tools/list", &unknown)).await;
    assert_eq!(refused.expect(400)["error"]["code"], -32022);
}

#[tokio::test]
async fn what_is_no_message_is_answered_in_the_protocols_words() {
    let scene = Scene::new().await;
    let acme = &scene.acme.0;
    for (body, code) in
        [("{", -32700), ("[]", -32600), ("7", -32600), (r#"{"method":"tools/list"}"#, -32600)]
    {
        let answer = post(acme, "", &[], body).await.expect(400);
        assert_eq!(
            (&answer["error"]["code"], &answer["id"]),
            (&json!(code), &Value::Null),
            "{body}"
        );
    }
    let unknown = json!({ "jsonrpc": "2.0", "id": 1, "method": "resources/list", "params": {} });
    let answer = post(acme, "", &[], &unknown.to_string()).await;
    assert!(answer.json()["error"].is_object() || answer.json()["result"].is_object());
    let large = format!("{LIST}{}", " ".repeat(4 * 1024 * 1024));
    assert_eq!(post(acme, "", &[], &large).await.expect(413)["code"], "too_large");
}

#[tokio::test]
async fn names_are_listed_with_underscores_or_on_request_with_dots() {
    let scene = Scene::new().await;
    let plain = names(&scene.acme.0, "").await;
    let dotted = names(&scene.acme.0, "?names=dotted").await;
    assert!(plain.contains(&"webhooks_event_types_list".to_owned()), "{plain:?}");
    assert!(dotted.contains(&"webhooks.event_types.list".to_owned()), "{dotted:?}");
    assert!(plain.iter().all(|it| !it.contains('.')) && plain.len() == dotted.len());
    assert_eq!(plain, dotted.iter().map(|it| it.replace('.', "_")).collect::<Vec<_>>());
}
