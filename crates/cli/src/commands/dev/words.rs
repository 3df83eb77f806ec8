//! What `dev` says when the sample event has arrived.

use std::path::Path;

use super::inbox;
use super::sample;
use super::story::{Story, TENANT};

/// Where things are.
pub struct Places<'a> {
    /// The server.
    pub base: &'a str,
    /// The data folder, when it stays.
    pub kept: Option<&'a Path>,
    /// The dashboard's pages are part of this build.
    pub has_dashboard: bool,
}

/// The whole text.
pub fn tell(story: &Story, places: &Places<'_>) -> String {
    let Places { base, kept, has_dashboard } = places;
    let Story { key, event, delivery, took_ms, .. } = story;
    let signature = match &story.refused {
        None => "verified ✓ by the receiver".to_owned(),
        Some(reason) => format!("does NOT verify: {reason}"),
    };
    let answer = story.status_code.map_or_else(String::new, |code| format!(" ({code})"));
    let outcome = &story.outcome;
    let data = kept.map_or_else(
        || "in a temporary folder, gone when this ends".to_owned(),
        |it| format!("in {}", it.display()),
    );
    let dashboard = if *has_dashboard { "" } else { "  (not in this build; the page says why)" };
    let event_type = sample::EVENT_TYPE;
    let inbox = inbox::PATH;
    let next = next(key, base);
    format!(
        "Hookyard is running on {base}, its data {data}.

Delivered
  event        {event}  {event_type}
  delivery     {delivery}  to {base}{inbox}
  signature    {signature}
  attempt 1    {outcome}{answer} in {took_ms} ms

Yours
  tenant       {TENANT}
  API key      {key}
  dashboard    {base}/{dashboard}
  API docs     {base}/docs
  inbox        {base}{inbox}

{next}
Ctrl-C ends it."
    )
}

/// Three commands that work as they stand.
fn next(key: &str, base: &str) -> String {
    let tenant = format!("{base}/v1/tenants/{TENANT}");
    format!(
        "Try next
  # Publish another event
  curl -sS {tenant}/events -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
    -d '{{\"type\": \"order.fulfilled\", \"scope\": \"acme\", \"data\": {{\"order\": {{\"id\": \"ord_4b7e1c\"}}}}}}'

  # See what was delivered
  curl -sS {tenant}/deliveries -H 'Authorization: Bearer {key}'

  # Add an endpoint of your own (put your receiver's URL in)
  curl -sS {tenant}/endpoints -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
    -d '{{\"url\": \"http://127.0.0.1:3000/webhooks\", \"events\": [\"order.*\"]}}'
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story(refused: Option<&str>) -> Story {
        Story {
            key: "hk_secret".into(),
            event: "evt_1".into(),
            delivery: "dlv_1".into(),
            refused: refused.map(ToOwned::to_owned),
            outcome: "succeeded".into(),
            status_code: Some(200),
            took_ms: 3,
        }
    }

    fn places(has_dashboard: bool) -> Places<'static> {
        Places { base: "http://127.0.0.1:8080", kept: None, has_dashboard }
    }

    #[test]
    fn it_tells_what_was_delivered_where_things_are_and_three_commands() {
        let text = tell(&story(None), &places(true));
        for part in [
            "evt_1  order.created",
            "dlv_1  to http://127.0.0.1:8080/dev/inbox",
            "verified ✓",
            "succeeded (200) in 3 ms",
            "API key      hk_secret",
            "http://127.0.0.1:8080/docs",
            "dashboard    http://127.0.0.1:8080/\n",
            "temporary folder",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(text.matches("  curl -sS ").count(), 3);
    }

    #[test]
    fn a_signature_that_does_not_verify_is_said_with_its_reason() {
        let kept = Places { kept: Some(Path::new("/d")), ..places(false) };
        let text = tell(&story(Some("no match")), &kept);
        assert!(text.contains("does NOT verify: no match") && !text.contains('✓'));
        assert!(text.contains("its data in /d") && text.contains("not in this build"));
    }
}
