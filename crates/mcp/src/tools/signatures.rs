//! Signatures: why one does not verify.

use hookyard_api::signatures::{Verdict, Verify};

use super::{LOOKS, NOTHING, Result, Tool};
use crate::arguments::Arguments;
use crate::asking::{Ask, Asking};
use crate::schema::{self, Takes};
use crate::told::Told;

/// The tools.
pub const ALL: &[Tool] = &[Tool {
    name: "webhooks.signatures.verify",
    title: "Verify a webhook signature",
    description: "Say whether the signature in `headers` fits the exact `payload` text under `secret`, and precisely which part does \
        not: a missing header, a wrong secret, a changed body, a clock that is off. `scheme` is a profile (`standard`, `aly`, \
        `alvys`, `alumia`, `aryeo`) or a provider's name. Nothing is kept.",
    hints: LOOKS,
    needs: NOTHING,
    takes: || Takes::new_thing::<Verify>().schema(),
    answers: schema::answer::<Verdict>,
    run: |asking, arguments| Box::pin(verify(asking, arguments)),
}];

async fn verify(asking: &Asking, mut arguments: Arguments) -> Result {
    // It belongs to no tenant; whoever names one all the same is understood.
    arguments.text("tenant")?;
    let ask = Ask::post("/v1/signatures/verify".to_owned()).body(arguments.body());
    Told::json(&asking.send(ask).await?)
}
