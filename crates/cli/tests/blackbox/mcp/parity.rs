//! One record, whichever way it was made and whichever way it is read: ALY-REG-1.

use http::Method;
use serde_json::{Value, json};

use super::{call, done, post};
use crate::cli::Shell;
use crate::scene::{Acme, text};
use crate::world::Client;

/// The vendor's surface.
const HOOKS: &str = "/api/storefront/v1/merchant/webhooks";
/// The call as the vendor's page shows it.
const CALL: &str = r#"{ "method": "tools/call", "params": { "name": "webhooks.endpoints.create", "arguments": { "url": "https://my-app.example/aly/webhooks", "events": ["order.created", "order.fulfilled"], "site_slug": "acme" } }}"#;

/// A shell with a tenant whose endpoints are Aly's.
async fn shell() -> Shell {
    let shell = Shell::new().await;
    let patch = json!({ "profile": "aly" });
    shell.scene.server.operator().patch("/v1/tenants/acme", &patch).await.expect(200);
    shell
}

fn arguments() -> Value {
    let call: Value = serde_json::from_str(CALL).unwrap();
    call["params"]["arguments"].clone()
}

// ALY-REG-1: the call of the page, to the letter and as a client sends it.
#[tokio::test]
async fn the_call_of_the_vendors_page_registers_what_it_says() {
    let shell = shell().await;
    let acme = &shell.scene.acme.0;
    let whole = CALL.replacen('{', r#"{"jsonrpc":"2.0","id":0,"#, 1);
    for body in [CALL, &whole] {
        let answer = post(acme, "", &[], body).await.expect(200);
        assert_eq!((&answer["jsonrpc"], &answer["id"]), (&json!("2.0"), &json!(0)));
        let made = done(&answer["result"]);
        let asked = arguments();
        assert_eq!((&made["url"], &made["events"]), (&asked["url"], &asked["events"]));
        assert_eq!((&made["scope"], &made["profile"]), (&asked["site_slug"], &json!("aly")));
        assert!(
            text(&made["secret"]).starts_with("whsec_") && made["status"] == "active",
            "{made}"
        );
    }
}

/// The endpoint as the four ways show it: API, command line, agents' tools, vendor's surface.
async fn read(shell: &Shell, acme: &Client, id: &str) -> [Value; 4] {
    let api = acme.get(&Acme::path(&format!("/endpoints/{id}"))).await.expect(200);
    let line = shell.json(&["webhooks", "get", id]).await;
    let tool = done(&call(acme, "webhooks_endpoints_get", json!({ "id": id })).await);
    let vendor = acme.get(&format!("{HOOKS}/{id}")).await.expect(200);
    [api, line, tool, vendor]
}

/// What the vendor's surface has to say of a record.
fn of_vendor(record: &Value) -> Value {
    json!({
        "id": record["id"], "url": record["url"], "events": record["events"],
        "site_slug": record["scope"], "active": record["status"] == "active",
        "created_at": record["created_at"],
    })
}

// ALY-REG-1: four ways to register, one record.
#[tokio::test]
async fn an_endpoint_is_the_same_record_by_every_way_it_is_made_and_read() {
    let shell = shell().await;
    let acme = &shell.scene.acme.0;
    let asked = arguments();
    let mut native = asked.clone();
    let fields = native.as_object_mut().unwrap();
    let site = fields.remove("site_slug").unwrap();
    fields.insert("scope".to_owned(), site);
    let (url, site) = (text(&asked["url"]), text(&asked["site_slug"]));
    let line = ["webhooks", "create", "--site-slug", site, "--url", url];
    let line = [&line[..], &["--event", "order.created", "--event", "order.fulfilled"]].concat();
    let made = [
        acme.post(&Acme::path("/endpoints"), &native).await.expect(201),
        shell.json(&line).await,
        done(&call(acme, "webhooks.endpoints.create", asked.clone()).await),
        acme.send(
            Method::POST,
            HOOKS,
            &[("content-type", "application/json")],
            asked.to_string().into(),
        )
        .await
        .expect(201),
    ];
    let mut records = Vec::new();
    for made in &made {
        assert!(text(&made["secret"]).starts_with("whsec_"), "{made}");
        let [api, line, tool, vendor] = read(&shell, acme, text(&made["id"])).await;
        assert_eq!(line, api, "read by the command line");
        assert_eq!(tool, api, "read by a tool");
        for (name, value) in of_vendor(&api).as_object().unwrap() {
            assert_eq!(&vendor[name], value, "read by the vendor's surface: {name}");
        }
        records.push(api);
    }
    // But for what is each one's own, all four are the same, field by field.
    for record in &mut records {
        for own in ["id", "created_at", "updated_at"] {
            record.as_object_mut().unwrap().remove(own);
        }
    }
    for record in &records[1..] {
        assert_eq!(record, &records[0]);
    }
}
