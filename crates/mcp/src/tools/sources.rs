//! Sources: where other providers' webhooks come in.

use hookyard_api::sources::{NewSource, RotateSourceSecret, Source, SourcePage, SourcePatch};

use super::{ADDS, CHANGES, Hints, LOOKS, PAGE_MOST, PAGE_USUAL, READ, Result, Tool, WRITE, page};
use crate::arguments::Arguments;
use crate::asking::{Ask, Asking, all, one};
use crate::schema::{self, Takes};
use crate::shown::Deleted;
use crate::told::{Failure, Told};

const LIST: &str = "webhooks_sources_list";
const ID: &str = "The source, `src_…`.";

/// The tools.
pub const ALL: &[Tool] = &[
    Tool {
        name: "webhooks.sources.create",
        title: "Create a source",
        description: "Make a URL that another provider (GitHub, Stripe, Linear, … or `custom`) sends its webhooks to. Its requests are \
            verified, kept as events and delivered to the endpoints that want them. Give the provider `receive_url`, and `secret` \
            if the answer holds one, this once; where the provider makes the secret, set it later with \
            `webhooks_sources_update`.",
        hints: ADDS,
        needs: WRITE,
        takes: || Takes::new_thing::<NewSource>().once().schema(),
        answers: schema::answer::<Source>,
        run: |asking, arguments| Box::pin(create(asking, arguments)),
    },
    Tool {
        name: "webhooks.sources.list",
        title: "List sources",
        description: "List the sources, newest first, each with its provider, state, receive URL, and how many events it recorded. \
            Secrets are never listed.",
        hints: LOOKS,
        needs: READ,
        takes: || Takes::new().page(PAGE_USUAL, PAGE_MOST).schema(),
        answers: schema::answer::<SourcePage>,
        run: |asking, arguments| Box::pin(list(asking, arguments)),
    },
    Tool {
        name: "webhooks.sources.get",
        title: "Get a source",
        description: "Show one source: provider, state, receive URL, whether it has a secret (without one it believes nobody), counts. \
            What it received: `webhooks_events_list` with `source`.",
        hints: LOOKS,
        needs: READ,
        takes: || Takes::new().id(ID).schema(),
        answers: schema::answer::<Source>,
        run: |asking, arguments| Box::pin(get(asking, arguments)),
    },
    Tool {
        name: "webhooks.sources.update",
        title: "Change a source",
        description: "Change a source. What you leave out stays; `null` sets back to nothing. `status` pauses (recorded, passed on in \
            order when it is active again) or disables it (refuses everything). The very next request obeys.",
        hints: CHANGES,
        needs: WRITE,
        takes: || Takes::change::<SourcePatch>().id(ID).schema(),
        answers: schema::answer::<Source>,
        run: |asking, arguments| Box::pin(update(asking, arguments)),
    },
    Tool {
        name: "webhooks.sources.delete",
        title: "Delete a source",
        description: "Remove a source for good: its URL answers 404 at once, and the provider's webhooks are lost from then on. Its \
            events stay listed.",
        hints: CHANGES,
        needs: WRITE,
        takes: || Takes::new().id(ID).schema(),
        answers: schema::answer::<Deleted>,
        run: |asking, arguments| Box::pin(delete(asking, arguments)),
    },
    Tool {
        name: "webhooks.sources.rotate_secret",
        title: "Rotate a source's secret",
        description: "Give the source a new secret; the answer holds it, this once. During the overlap both are believed: change it at \
            the provider before that ends. Where the provider makes the secret, pass it as `secret`.",
        hints: Hints { idempotent: false, ..CHANGES },
        needs: WRITE,
        takes: || Takes::new_thing::<RotateSourceSecret>().id(ID).once().schema(),
        answers: schema::answer::<Source>,
        run: |asking, arguments| Box::pin(rotate_secret(asking, arguments)),
    },
];

async fn create(asking: &Asking, mut arguments: Arguments) -> Result {
    let tenant = asking.tenant(&mut arguments)?;
    let once = arguments.text("idempotency_key")?;
    let ask = Ask::post(all(&tenant, "sources")).body(arguments.body()).once(once);
    Ok(Told::json(&asking.send(ask).await?)?.with_secret_noted())
}

async fn list(asking: &Asking, mut arguments: Arguments) -> Result {
    let tenant = asking.tenant(&mut arguments)?;
    let (limit, cursor) = page(&mut arguments)?;
    let ask = Ask::get(all(&tenant, "sources"));
    Told::json(&asking.send(ask.query("limit", Some(limit)).query("cursor", cursor)).await?)
}

async fn get(asking: &Asking, mut arguments: Arguments) -> Result {
    let tenant = asking.tenant(&mut arguments)?;
    let id = arguments.id("id")?;
    Told::json(&asking.send(Ask::get(one(&tenant, "sources", &id))).await.map_err(lost)?)
}

async fn update(asking: &Asking, mut arguments: Arguments) -> Result {
    let tenant = asking.tenant(&mut arguments)?;
    let id = arguments.id("id")?;
    let ask = Ask::patch(one(&tenant, "sources", &id)).body(arguments.body());
    Told::json(&asking.send(ask).await.map_err(lost)?)
}

async fn delete(asking: &Asking, mut arguments: Arguments) -> Result {
    let tenant = asking.tenant(&mut arguments)?;
    let id = arguments.id("id")?;
    asking.send(Ask::delete(one(&tenant, "sources", &id))).await.map_err(lost)?;
    Told::new(&Deleted { id, deleted: true })
}

async fn rotate_secret(asking: &Asking, mut arguments: Arguments) -> Result {
    let tenant = asking.tenant(&mut arguments)?;
    let id = arguments.id("id")?;
    let once = arguments.text("idempotency_key")?;
    let path = one(&tenant, "sources", &id) + "/rotate-secret";
    let ask = Ask::post(path).body(arguments.body()).once(once);
    Ok(Told::json(&asking.send(ask).await.map_err(lost)?)?.with_secret_noted())
}

fn lost(failure: Failure) -> Failure {
    failure.or_look_at(LIST)
}
