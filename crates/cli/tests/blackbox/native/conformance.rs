//! The API against its own document: requests generated from `/openapi.json` by schemathesis, good ones and bad ones. No answer
//! may be one that the document does not know, in status, content type, headers or form; nothing that breaks the document may be
//! taken; nothing may be a 5xx.

use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::time::timeout;

use super::{Tenant, text};
use crate::python::python;
use crate::world::{OPERATOR_KEY, Server, World};

/// The same requests at every run.
const SEED: &str = "20260519";
/// Requests made up for each operation, besides those at the bounds of each field.
const EXAMPLES: &str = "4";
const PATIENCE: Duration = Duration::from_secs(180);
/// Left out: the document cannot say everything that is checked, and ids that look alike are taken for links.
const LEFT_OUT: &str = "positive_data_acceptance,ensure_resource_availability";
const HOOKS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifiers/conformance.py");

/// The settings: whose things the operations are asked for. What is deleted or limited is nobody else's.
async fn settings(server: &Server) -> String {
    let operator = server.operator();
    for name in ["acme", "deleted", "limited"] {
        operator.tenant(name).await;
    }
    let acme = Tenant { name: "acme".into(), client: operator };
    let unreachable = "http://127.0.0.1:9/hooks";
    let endpoint = acme.endpoint(unreachable, json!({})).await;
    let deleted = acme.endpoint(unreachable, json!({})).await;
    let source = acme.post("/sources", &json!({ "name": "A" })).await.expect(201);
    let gone = acme.post("/sources", &json!({ "name": "B" })).await.expect(201);
    let event = acme.publish("order.created", json!({ "id": "ord_1" })).await;
    let delivery = acme.all("/deliveries").await;
    let key = acme.with_scopes(&["read"]).await;
    let keys = acme.all("/api-keys").await;
    drop(key);
    acme.put("/event-types/order.created", &json!({ "group": "Orders" })).await.expect(201);
    let of = |which: &str, parameters: &str| {
        format!(
            "[[operations]]\n{which}\nparameters = {{ \"path.tenant\" = \"acme\", {parameters} }}\n"
        )
    };
    let id = |id: &serde_json::Value| format!("\"path.id\" = \"{}\"", text(id));
    let mut lines = vec![
        format!("hooks = \"{HOOKS}\""),
        format!("headers = {{ Authorization = \"Bearer {OPERATOR_KEY}\" }}"),
        format!("[parameters]\n\"path.tenant\" = \"acme\""),
    ];
    for (operation, tenant) in [("delete_tenant", "deleted"), ("update_tenant", "limited")] {
        lines.push(format!(
            "[[operations]]\ninclude-operation-id = \"{operation}\"\nparameters = {{ \"path.tenant\" = \"{tenant}\" }}"
        ));
    }
    let on_endpoint = "include-path-regex = \"/endpoints/.id.\"\nexclude-method = \"DELETE\"";
    lines.push(of(on_endpoint, &id(&endpoint["id"])));
    lines.push(of("include-operation-id = \"delete_endpoint\"", &id(&deleted["id"])));
    let on_source = "include-path-regex = \"/sources/.id.\"\nexclude-method = \"DELETE\"";
    lines.push(of(on_source, &id(&source["id"])));
    lines.push(of("include-operation-id = \"delete_source\"", &id(&gone["id"])));
    let receiving = format!("\"path.source_id\" = \"{}\"", text(&source["id"]));
    lines.push(of("include-path-regex = \"/in/\"", &receiving));
    lines.push(of("include-operation-id = \"delete_api_key\"", &id(&keys[0]["id"])));
    lines.push(of("include-path-regex = \"/events/.id.\"", &id(&event["id"])));
    lines.push(of("include-path-regex = \"/deliveries/.id.\"", &id(&delivery[0]["id"])));
    let named = "\"path.name\" = \"order.created\"";
    lines.push(of("include-path-regex = \"/event-types/.name.\"", named));
    lines.join("\n")
}

#[tokio::test]
async fn the_api_keeps_to_its_own_document() {
    let world = World::new();
    let server = world.serve().await;
    std::fs::write(world.path("schemathesis.toml"), settings(&server).await).unwrap();
    let mut command = tokio::process::Command::new(python());
    command.args(["-m", "schemathesis.cli", "--config-file", "schemathesis.toml", "run"]);
    command.arg(format!("http://{}/openapi.json", server.address));
    command.args(["--seed", SEED, "--max-examples", EXAMPLES, "--no-shrink", "--warnings", "off"]);
    command.args(["--phases", "examples,coverage,fuzzing,stateful", "--exclude-checks", LEFT_OUT]);
    command.current_dir(world.path("")).env("PYTHONDONTWRITEBYTECODE", "1").kill_on_drop(true);
    let output = command.stdin(Stdio::null()).output();
    let output = timeout(PATIENCE, output).await.expect("it does not end").unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    let operations = server.client("").get("/openapi.json").await.expect(200);
    let count: usize = operations["paths"]
        .as_object()
        .unwrap()
        .values()
        .map(|it| it.as_object().unwrap().len())
        .sum();
    assert!(said.contains(&format!("Tested: {count}")), "every operation was asked for: {said}");
    assert_eq!(server.client("").get("/readyz").await.status, 200);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}
