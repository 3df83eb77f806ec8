//! Recovering an endpoint after an outage of its receiver: a job that makes many deliveries due again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::receiver::{Receiver, Reply};
use crate::scene::{Acme, Scene, on_both_stores, order, text};
use crate::world::{Client, until};

const AGO: &str = "2020-01-01T00:00:00Z";

on_both_stores!(
    what_failed_in_an_outage_is_sent_again_the_oldest_first,
    a_job_goes_on_after_a_power_cut_and_does_everything,
    a_cancelled_job_leaves_the_rest_as_it_is,
    a_job_takes_the_states_and_as_many_as_it_is_asked_for,
    a_job_fails_when_its_endpoint_is_switched_off,
    a_recovery_that_makes_no_sense_is_refused_field_by_field,
);

/// A receiver that is out of order until it is mended.
struct Outage {
    scene: Scene,
    receiver: Receiver,
    mended: Arc<AtomicBool>,
    endpoint: Value,
    events: Vec<String>,
}

impl Outage {
    /// So many deliveries failed for good.
    async fn of(many: usize, scene: Scene) -> Self {
        let mended = Arc::new(AtomicBool::new(false));
        let works = Arc::clone(&mended);
        let receiver = Receiver::scripted(move |_, _| {
            Reply::Status(if works.load(Ordering::SeqCst) { 200 } else { 500 })
        })
        .await;
        let settings = json!({ "url": receiver.url(), "events": "*", "retry": { "delays_s": [] } });
        let endpoint = scene.acme.endpoint(settings).await["id"].clone();
        let batch: Vec<Value> = (0..many).map(|n| order(n as u64)).collect();
        let answer = scene.acme.0.post(&Acme::path("/events/batch"), &Value::Array(batch)).await;
        let results = answer.expect(202)["results"].as_array().unwrap().clone();
        let events = results.iter().map(|it| text(&it["id"]).to_owned()).collect();
        scene.acme.count_is("status=failed", many).await;
        Self { scene, receiver, mended, endpoint, events }
    }

    fn mend(&self) {
        self.mended.store(true, Ordering::SeqCst);
    }

    fn acme(&self) -> &Client {
        &self.scene.acme.0
    }

    fn path(&self) -> String {
        Acme::path(&format!("/endpoints/{}/recover", text(&self.endpoint)))
    }

    async fn recover(&self, what: Value) -> Value {
        self.acme().post(&self.path(), &what).await.expect(202)
    }

    async fn job(&self, id: &Value) -> Value {
        self.acme().get(&Acme::path(&format!("/jobs/{}", text(id)))).await.expect(200)
    }

    async fn ended(&self, job: &Value) -> Value {
        until("the job has ended", async || {
            Some(self.job(&job["id"]).await).filter(|it| it["status"] != "running")
        })
        .await
    }
}

async fn what_failed_in_an_outage_is_sent_again_the_oldest_first(scene: Scene) {
    let outage = Outage::of(40, scene).await;
    outage.mend();
    let job = outage.recover(json!({ "since": AGO })).await;
    assert!(text(&job["id"]).starts_with("job_"), "{job}");
    assert_eq!((&job["kind"], &job["status"]), (&json!("recover"), &json!("running")));
    assert_eq!((&job["total"], &job["done"]), (&json!(40), &json!(0)));
    assert_eq!(job["endpoint_id"], outage.endpoint);
    let ended = outage.ended(&job).await;
    assert_eq!(
        (&ended["status"], &ended["total"], &ended["done"]),
        (&json!("done"), &json!(40), &json!(40))
    );
    assert!(ended["finished_at"].is_string() && ended["error"].is_null(), "{ended}");
    let succeeded = outage.scene.acme.count_is("status=succeeded", 40).await;
    assert!(
        succeeded.iter().all(|it| it["attempts"] == 2 && it["trigger"] == "manual"),
        "{succeeded:?}"
    );
    let list = outage.acme().get(&Acme::path("/jobs")).await.expect(200);
    assert_eq!(list["data"], json!([ended]));
    let audit = outage.acme().get(&Acme::path("/audit")).await.expect(200);
    let entry = audit["data"].as_array().unwrap().iter().find(|it| it["action"] == "job.created");
    let entry = entry.unwrap_or_else(|| panic!("no entry: {audit}"));
    assert_eq!((&entry["subject"], &entry["after"]["endpoint_id"]), (&job["id"], &outage.endpoint));
    drop(outage.receiver);
}

async fn a_job_goes_on_after_a_power_cut_and_does_everything(scene: Scene) {
    let mut outage = Outage::of(60, scene).await;
    outage.mend();
    let job = outage.recover(json!({ "since": AGO, "rate_per_s": 20 })).await;
    until("it is under way", async || {
        (outage.job(&job["id"]).await["done"].as_u64() >= Some(10)).then_some(())
    })
    .await;
    outage.scene = outage.scene.after_kill_9().await;
    let begun = outage.job(&job["id"]).await;
    assert_eq!(begun["status"], "running", "{begun}");
    assert!(begun["done"].as_u64() >= Some(10) && begun["done"].as_u64() < Some(60), "{begun}");
    let ended = outage.ended(&job).await;
    assert_eq!((&ended["status"], &ended["done"]), (&json!("done"), &json!(60)));
    outage.scene.acme.count_is("status=succeeded", 60).await;
}

async fn a_cancelled_job_leaves_the_rest_as_it_is(scene: Scene) {
    let outage = Outage::of(20, scene).await;
    outage.mend();
    let job = outage.recover(json!({ "since": AGO, "rate_per_s": 1 })).await;
    until("it has begun", async || {
        (outage.job(&job["id"]).await["done"].as_u64() >= Some(1)).then_some(())
    })
    .await;
    let path = Acme::path(&format!("/jobs/{}/cancel", text(&job["id"])));
    let cancelled = outage.acme().post(&path, &json!({})).await.expect(200);
    assert_eq!(cancelled["status"], "cancelled");
    let done = cancelled["done"].as_u64().unwrap();
    assert!((1..20).contains(&done), "{cancelled}");
    assert_eq!(outage.acme().post(&path, &json!({})).await.expect(200), cancelled, "it has ended");
    let done = usize::try_from(done).unwrap();
    outage.scene.acme.count_is("status=succeeded", done).await;
    assert_eq!(outage.scene.acme.deliveries("status=failed").await.len(), 20 - done);
}

async fn a_job_takes_the_states_and_as_many_as_it_is_asked_for(scene: Scene) {
    let outage = Outage::of(4, scene).await;
    let ask = async |verb| outage.scene.acme.ask(&outage.endpoint, verb).await;
    ask("disable").await;
    let off = outage.scene.acme.0.post(&Acme::path("/events"), &order(9)).await.expect(202);
    outage.scene.acme.delivery_is(text(&off["id"]), "discarded").await;
    ask("enable").await;
    outage.mend();
    let first = outage.recover(json!({ "since": AGO, "limit": 1 })).await;
    assert_eq!(first["total"], 1);
    outage.ended(&first).await;
    let oldest = outage.scene.acme.count_is("status=succeeded", 1).await.remove(0);
    assert_eq!(text(&oldest["event_id"]), outage.events[0]);
    let discarded = outage.recover(json!({ "since": AGO, "status": "discarded" })).await;
    outage.ended(&discarded).await;
    outage.scene.acme.delivery_is(text(&off["id"]), "succeeded").await;
    let rest = outage.recover(json!({ "since": AGO, "status": ["all"] })).await;
    assert_eq!(rest["total"], 3);
    outage.ended(&rest).await;
    outage.scene.acme.count_is("status=succeeded", 5).await;
    let soon = outage.recover(json!({ "since": "2090-01-01T00:00:00Z" })).await;
    assert_eq!(outage.ended(&soon).await["done"], 0);
}

async fn a_job_fails_when_its_endpoint_is_switched_off(scene: Scene) {
    let outage = Outage::of(10, scene).await;
    let job = outage.recover(json!({ "since": AGO, "rate_per_s": 1 })).await;
    outage.scene.acme.ask(&outage.endpoint, "disable").await;
    let ended = outage.ended(&job).await;
    assert_eq!(
        (&ended["status"], &ended["error"]),
        (&json!("failed"), &json!("the endpoint was disabled"))
    );
    let refused = outage.acme().post(&outage.path(), &json!({ "since": AGO })).await;
    assert_eq!((refused.status, &refused.json()["code"]), (409, &json!("endpoint_disabled")));
}

async fn a_recovery_that_makes_no_sense_is_refused_field_by_field(scene: Scene) {
    let outage = Outage::of(1, scene).await;
    for (what, pointer) in [
        (json!({ "since": "yesterday" }), "/since"),
        (json!({ "since": AGO, "until": "2019-01-01T00:00:00Z" }), "/until"),
        (json!({ "since": AGO, "status": "succeeded" }), "/status"),
        (json!({ "since": AGO, "status": [] }), "/status"),
        (json!({ "since": AGO, "rate_per_s": 0 }), "/rate_per_s"),
        (json!({ "since": AGO, "limit": -1 }), "/limit"),
        (json!({ "since": AGO, "colour": 1 }), "/colour"),
        (json!({}), "/since"),
    ] {
        let refused = outage.acme().post(&outage.path(), &what).await.expect(422);
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{what}: {refused}");
    }
    let unknown = Acme::path("/jobs/job_00000000000000000000000005");
    outage.acme().get(&unknown).await.expect(404);
    outage.acme().post(&format!("{unknown}/cancel"), &json!({})).await.expect(404);
    let job = outage.recover(json!({ "since": AGO })).await;
    let other = outage.scene.server.operator().tenant("other").await;
    let theirs = format!("/v1/tenants/other/jobs/{}", text(&job["id"]));
    other.get(&theirs).await.expect(404);
    let reads = json!({ "name": "r", "scopes": ["read"] });
    let made = outage.acme().post(&Acme::path("/api-keys"), &reads).await.expect(201);
    let reader = outage.acme().with_key(text(&made["key"]));
    assert_eq!(reader.post(&outage.path(), &json!({ "since": AGO })).await.status, 403);
    reader.get(&Acme::path("/jobs")).await.expect(200);
}
