//! What most tests of delivering begin with: a server, a tenant, and the few calls they all make.

use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::world::{Client, OPERATOR_KEY, Server, World, until};

/// A server with the tenant `acme`.
pub struct Scene {
    // In this order: the folder goes last, since the server shows its log when a test fails.
    pub server: Server,
    pub acme: Acme,
    pub world: World,
    /// Its database, unless its store is in the folder.
    pub cluster: Option<Cluster>,
}

/// The node of a scene over PostgreSQL.
const NODE: &str = "one";

/// Makes of each `async fn name(scene: Scene)` two tests: over the embedded store, and over PostgreSQL.
macro_rules! on_both_stores {
    ($($name:ident),+ $(,)?) => {
        mod embedded {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::scene::Scene::new().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::scene::Scene::shared().await).await;
            })+
        }
    };
}
pub(crate) use on_both_stores;

impl Scene {
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With more arguments for `serve`.
    pub async fn with(args: &[&str]) -> Self {
        let world = World::new();
        let server = world.serve_with(args, &[("HOOKYARD_OPERATOR_KEY", OPERATOR_KEY)]).await;
        let acme = Acme(server.operator().tenant("acme").await);
        Self::of(world, server, acme)
    }

    /// Of what a test has started by itself.
    pub fn of(world: World, server: Server, acme: Acme) -> Self {
        Self { world, server, acme, cluster: None }
    }

    /// One node over PostgreSQL.
    pub async fn shared() -> Self {
        let cluster = Cluster::new().await;
        let server = cluster.node(NODE).await;
        let acme = Acme(server.operator().tenant("acme").await);
        Self { world: World::new(), server, acme, cluster: Some(cluster) }
    }

    /// Kills the server as a power cut would and starts it again.
    pub async fn after_kill_9(self) -> Self {
        let Self { server, acme, world, cluster } = self;
        server.kill_9().await;
        Self::again(acme, world, cluster).await
    }

    /// Stops the server in good order and starts it again.
    pub async fn after_stop(self) -> Self {
        let Self { server, acme, world, cluster } = self;
        assert!(server.stop().await.success());
        Self::again(acme, world, cluster).await
    }

    async fn again(acme: Acme, world: World, cluster: Option<Cluster>) -> Self {
        let server = match &cluster {
            Some(cluster) => cluster.node(NODE).await,
            None => world.serve().await,
        };
        let acme = Acme(server.client(&acme.0.key));
        Self { server, acme, world, cluster }
    }
}

/// The tenant `acme`, through a key that may do everything.
#[derive(Clone, Debug)]
pub struct Acme(pub Client);

impl Acme {
    pub fn path(rest: &str) -> String {
        format!("/v1/tenants/acme{rest}")
    }

    /// Makes an endpoint; answers all that was answered, its secret too.
    #[track_caller]
    pub fn endpoint(&self, settings: Value) -> impl Future<Output = Value> {
        let place = std::panic::Location::caller();
        async move {
            let made = self.0.post(&Self::path("/endpoints"), &settings).await;
            assert_eq!(made.status, 201, "{place}: {made:?}");
            made.json()
        }
    }

    /// An endpoint for everything, that tries again after a second.
    pub async fn endpoint_at(&self, url: &str) -> Value {
        self.endpoint(json!({ "url": url, "events": "*", "retry": quick(10) })).await
    }

    /// The endpoint as it is now.
    pub async fn endpoint_now(&self, id: &Value) -> Value {
        self.0.get(&Self::path(&format!("/endpoints/{}", text(id)))).await.expect(200)
    }

    /// `pause`, `resume`, `enable`, `disable`, `test`, `verify`, `rotate-secret` …
    pub async fn ask(&self, endpoint: &Value, verb: &str) -> Value {
        let path = Self::path(&format!("/endpoints/{}/{verb}", text(endpoint)));
        self.0.post(&path, &json!({})).await.expect(200)
    }

    /// Publishes; answers the event's id.
    pub async fn publish(&self, event: Value) -> String {
        let made = self.0.post(&Self::path("/events"), &event).await.expect(202);
        text(&made["id"]).to_owned()
    }

    /// Publishes `order.created` with the number `n`; answers the event's id.
    pub async fn order(&self, n: u64) -> String {
        self.publish(order(n)).await
    }

    /// Publishes many orders at once; answers their events' ids.
    pub async fn orders(&self, numbers: std::ops::Range<u64>) -> Vec<String> {
        let batch: Vec<_> = numbers.map(order).collect();
        let made = self.0.post(&Self::path("/events/batch"), &json!(batch)).await.expect(202);
        let results = made["results"].as_array().unwrap();
        assert_eq!(results.len(), batch.len());
        results.iter().map(|it| text(&it["id"]).to_owned()).collect()
    }

    /// Every delivery that the query finds, page by page, newest event first.
    pub async fn deliveries(&self, query: &str) -> Vec<Value> {
        self.all(&Self::path(&format!("/deliveries?limit=250&{query}"))).await
    }

    /// The deliveries of an event.
    pub async fn deliveries_of(&self, event: &str) -> Vec<Value> {
        self.all(&Self::path(&format!("/events/{event}/deliveries?limit=250"))).await
    }

    /// The attempts of a delivery, the first one first.
    pub async fn attempts(&self, delivery: &Value) -> Vec<Value> {
        let path = Self::path(&format!("/deliveries/{}/attempts?limit=250", text(delivery)));
        let mut all = self.all(&path).await;
        all.reverse();
        all
    }

    async fn all(&self, path: &str) -> Vec<Value> {
        let mut rows = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.0.get(&format!("{path}{cursor}")).await.expect(200);
            rows.extend(page["data"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return rows,
            }
        }
    }

    /// Waits until the only delivery of an event is in a state; answers it.
    pub async fn delivery_is(&self, event: &str, status: &str) -> Value {
        until(&format!("the delivery of {event} is {status}"), async || {
            let [delivery] = &self.deliveries_of(event).await[..] else { return None };
            (delivery["status"] == status).then(|| delivery.clone())
        })
        .await
    }

    /// Waits until so many deliveries are in a state.
    pub async fn count_is(&self, query: &str, count: usize) -> Vec<Value> {
        until(&format!("{count} deliveries with {query}"), async || {
            let found = self.deliveries(query).await;
            (found.len() == count).then_some(found)
        })
        .await
    }
}

/// An event to publish.
pub fn order(n: u64) -> Value {
    json!({ "type": "order.created", "data": { "n": n } })
}

/// A retry policy of `retries` retries, a second apart.
pub fn quick(retries: usize) -> Value {
    json!({ "delays_s": vec![1; retries], "jitter": 0.0 })
}

/// The text of a JSON string.
#[track_caller]
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}
