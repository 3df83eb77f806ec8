//! Endpoints: where deliveries go.

use hookyard_api::endpoints::{
    Endpoint, EndpointPage, EndpointPatch, NewEndpoint, RotateSecret, TestEndpoint, TestResult,
    VerifyResult,
};
use serde_json::json;

use super::{
    ADDS, CHANGES, Hints, LOOKS, PAGE_MOST, PAGE_USUAL, READ, Result, SENDS, Tool, WRITE, page,
    read,
};
use crate::arguments::Arguments;
use crate::asking::{Ask, Asking, all, one};
use crate::schema::{self, Takes};
use crate::shown::{Deleted, ShownTest};
use crate::told::{Failure, Told, UNTRUSTED};

const LIST: &str = "webhooks_endpoints_list";
const ID: &str = "The endpoint, `wh_…`.";
const SITE: &str = "Only events of this site; left out is every site of the workspace. Another name of `scope`, under which it is shown.";

/// The tools.
pub const ALL: &[Tool] = &[
    Tool {
        name: "webhooks.endpoints.create",
        title: "Register a webhook endpoint",
        description: "Register a URL that gets events from now on, each signed with the endpoint's secret. `events` is a list of \
            exact types (`webhooks_event_types_list` shows them), prefix patterns such as `order.*`, or `*` for everything; \
            an explicit list is best. Wire format and retries are the tenant's usual ones unless you name a `profile` or your \
            own policy. The answer holds `secret`, this once: give it to the receiver. Status `pending` means that the receiver \
            has to pass a challenge first (`webhooks_endpoints_verify`).",
        hints: Hints { open_world: true, ..ADDS },
        needs: WRITE,
        takes: || Takes::new_thing::<NewEndpoint>().text("site_slug", SITE).once().schema(),
        answers: schema::answer::<Endpoint>,
        run: |asking, arguments| Box::pin(create(asking, arguments)),
    },
    Tool {
        name: "webhooks.endpoints.list",
        title: "List webhook endpoints",
        description: "List the endpoints, newest first, each with its state, its policy in force, how many events in a row failed \
            and how many deliveries it had. Secrets are never listed.",
        hints: LOOKS,
        needs: READ,
        takes: || Takes::new().page(PAGE_USUAL, PAGE_MOST).schema(),
        answers: schema::answer::<EndpointPage>,
        run: |asking, arguments| Box::pin(list(asking, arguments)),
    },
    Tool {
        name: "webhooks.endpoints.get",
        title: "Get a webhook endpoint",
        description: "Show one endpoint: URL, types, state and why it is disabled if it is, policy in force, counts. Its secret is \
            not shown.",
        hints: LOOKS,
        needs: READ,
        takes: || Takes::new().id(ID).schema(),
        answers: schema::answer::<Endpoint>,
        run: |asking, arguments| Box::pin(act(asking, arguments, Act::Get)),
    },
    Tool {
        name: "webhooks.endpoints.update",
        title: "Change a webhook endpoint",
        description: "Change an endpoint. What you leave out stays; `null` sets back to the profile's value; `events` and `headers` \
            replace all that were there. The very next event obeys. To switch it off or on use `webhooks_endpoints_disable` and \
            `webhooks_endpoints_enable`.",
        hints: Hints { open_world: true, ..CHANGES },
        needs: WRITE,
        takes: || {
            let site = json!({ "type": ["string", "null"], "description": SITE });
            Takes::change::<EndpointPatch>().id(ID).may("site_slug", site).schema()
        },
        answers: schema::answer::<Endpoint>,
        run: |asking, arguments| Box::pin(update(asking, arguments)),
    },
    Tool {
        name: "webhooks.endpoints.delete",
        title: "Delete a webhook endpoint",
        description: "Remove an endpoint for good. What it is still owed is discarded; its past deliveries stay listed. To stop it \
            for a while use `webhooks_endpoints_disable`.",
        hints: CHANGES,
        needs: WRITE,
        takes: || Takes::new().id(ID).schema(),
        answers: schema::answer::<Deleted>,
        run: |asking, arguments| Box::pin(act(asking, arguments, Act::Delete)),
    },
    Tool {
        name: "webhooks.endpoints.enable",
        title: "Enable a webhook endpoint",
        description: "Switch a disabled endpoint on again. It gets events from now on; what it missed is not sent by itself \
            (`webhooks_deliveries_replay`). Where its profile wants a challenge it is `pending` until that is passed.",
        hints: Hints { read_only: false, destructive: false, idempotent: true, open_world: true },
        needs: WRITE,
        takes: || Takes::new().id(ID).schema(),
        answers: schema::answer::<Endpoint>,
        run: |asking, arguments| Box::pin(act(asking, arguments, Act::Post("enable"))),
    },
    Tool {
        name: "webhooks.endpoints.disable",
        title: "Disable a webhook endpoint",
        description: "Switch an endpoint off. While it is off, its events are discarded, not kept: they are listed with the reason, \
            and can be replayed later one by one.",
        hints: CHANGES,
        needs: WRITE,
        takes: || Takes::new().id(ID).schema(),
        answers: schema::answer::<Endpoint>,
        run: |asking, arguments| Box::pin(act(asking, arguments, Act::Post("disable"))),
    },
    Tool {
        name: "webhooks.endpoints.test",
        title: "Send a test to a webhook endpoint",
        description: "Send one signed request to the endpoint now, whatever its state, and answer what its receiver said. It is not \
            tried again. Left out, `type` and `data` are the sample of the first type it subscribed to.",
        hints: SENDS,
        needs: WRITE,
        takes: || Takes::new_thing::<TestEndpoint>().id(ID).once().schema(),
        answers: schema::answer::<ShownTest>,
        run: |asking, arguments| Box::pin(test(asking, arguments)),
    },
    Tool {
        name: "webhooks.endpoints.verify",
        title: "Verify a webhook endpoint",
        description: "Send the endpoint the challenge of its profile now. If its receiver echoes it, a `pending` endpoint becomes \
            `active`; `reason` says why it did not.",
        hints: Hints { idempotent: true, ..SENDS },
        needs: WRITE,
        takes: || Takes::new().id(ID).schema(),
        answers: schema::answer::<VerifyResult>,
        run: |asking, arguments| Box::pin(act(asking, arguments, Act::Post("verify"))),
    },
    Tool {
        name: "webhooks.endpoints.rotate_secret",
        title: "Rotate a webhook endpoint's secret",
        description: "Give the endpoint a new signing secret; the answer holds it, this once. During the overlap both secrets sign; \
            how long that is depends on the profile (with `aly` and `aryeo` the old one ends at once), or say `overlap_s`. Have \
            the receiver take the new one before the overlap ends.",
        hints: Hints { idempotent: false, ..CHANGES },
        needs: WRITE,
        takes: || Takes::new_thing::<RotateSecret>().id(ID).once().schema(),
        answers: schema::answer::<Endpoint>,
        run: |asking, arguments| Box::pin(rotate_secret(asking, arguments)),
    },
];

/// What takes no more than an id.
enum Act {
    Get,
    Delete,
    Post(&'static str),
}

async fn create(asking: &Asking, mut arguments: Arguments) -> Result {
    let tenant = asking.tenant(&mut arguments)?;
    let once = arguments.text("idempotency_key")?;
    arguments.rename("site_slug", "scope")?;
    let ask = Ask::post(all(&tenant, "endpoints")).body(arguments.body()).once(once);
    Ok(Told::json(&asking.send(ask).await?)?.with_secret_noted())
}

async fn list(asking: &Asking, mut arguments: Arguments) -> Result {
    let tenant = asking.tenant(&mut arguments)?;
    let (limit, cursor) = page(&mut arguments)?;
    let ask = Ask::get(all(&tenant, "endpoints"));
    Told::json(&asking.send(ask.query("limit", Some(limit)).query("cursor", cursor)).await?)
}

async fn act(asking: &Asking, mut arguments: Arguments, act: Act) -> Result {
    let tenant = asking.tenant(&mut arguments)?;
    let id = arguments.id("id")?;
    let path = one(&tenant, "endpoints", &id);
    let ask = match act {
        Act::Get => Ask::get(path),
        Act::Delete => Ask::delete(path),
        Act::Post(verb) => Ask::post(format!("{path}/{verb}")),
    };
    let answer = asking.send(ask).await.map_err(lost)?;
    match act {
        Act::Delete => Told::new(&Deleted { id, deleted: true }),
        Act::Get | Act::Post(_) => Told::json(&answer),
    }
}

async fn update(asking: &Asking, mut arguments: Arguments) -> Result {
    let tenant = asking.tenant(&mut arguments)?;
    let id = arguments.id("id")?;
    arguments.rename("site_slug", "scope")?;
    let ask = Ask::patch(one(&tenant, "endpoints", &id)).body(arguments.body());
    Told::json(&asking.send(ask).await.map_err(lost)?)
}

async fn test(asking: &Asking, mut arguments: Arguments) -> Result {
    let tenant = asking.tenant(&mut arguments)?;
    let id = arguments.id("id")?;
    let once = arguments.text("idempotency_key")?;
    let path = one(&tenant, "endpoints", &id) + "/test";
    let ask = Ask::post(path).body(arguments.body()).once(once);
    let tested: TestResult = read(&asking.send(ask).await.map_err(lost)?)?;
    let shown = ShownTest {
        event_id: tested.event_id,
        delivery_id: tested.delivery_id,
        succeeded: tested.succeeded,
        attempt: tested.attempt.into(),
    };
    Ok(Told::new(&shown)?.with_note(UNTRUSTED))
}

async fn rotate_secret(asking: &Asking, mut arguments: Arguments) -> Result {
    let tenant = asking.tenant(&mut arguments)?;
    let id = arguments.id("id")?;
    let once = arguments.text("idempotency_key")?;
    let path = one(&tenant, "endpoints", &id) + "/rotate-secret";
    let ask = Ask::post(path).body(arguments.body()).once(once);
    Ok(Told::json(&asking.send(ask).await.map_err(lost)?)?.with_secret_noted())
}

fn lost(failure: Failure) -> Failure {
    failure.or_look_at(LIST)
}
