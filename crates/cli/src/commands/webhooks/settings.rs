//! What can be set of a webhook, at its creation and later.

use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::remote::{Fields, input};

/// Options of `create` and `update` alike.
#[derive(clap::Args)]
pub struct Settings {
    /// For people
    #[arg(long)]
    name: Option<String>,
    /// For people
    #[arg(long)]
    description: Option<String>,
    /// Only events of this scope [default: every scope]
    #[arg(long, visible_alias = "site-slug", value_name = "SCOPE")]
    scope: Option<String>,
    /// Wire format and policy: standard, aly, alvys, alumia, aryeo [default: the tenant's]
    #[arg(long)]
    profile: Option<String>,
    /// A header that goes out with every delivery; repeatable; `update` replaces all of them
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = input::header)]
    headers: Vec<(String, String)>,
    /// Seconds before each retry (`10,100`), a profile's name, `none`, or JSON
    #[arg(long, value_name = "POLICY")]
    retry: Option<String>,
    /// How long one attempt may take, such as `15s`
    #[arg(long, value_name = "SPAN", value_parser = input::seconds)]
    timeout: Option<u64>,
    /// Attempts per second, and how many at once after a pause
    #[arg(long, value_name = "PER_S[:BURST]", value_parser = rate)]
    rate_limit: Option<Value>,
    /// One delivery after the other, in order
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    ordered: Option<bool>,
    /// Attempts at once
    #[arg(long, value_name = "N")]
    max_in_flight: Option<i64>,
    /// Give the values before a change with it
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    include_previous_attributes: Option<bool>,
    /// When it is switched off by itself: `never`, after so many failed events (`10`) or so long (`5d`)
    #[arg(long, value_name = "WHEN", value_parser = auto_disable)]
    auto_disable: Option<Value>,
    /// Whether it must prove itself: none, challenge
    #[arg(long, value_name = "HOW")]
    verify: Option<String>,
    /// Your own JSON object; `@FILE` or `-` reads it
    #[arg(long, value_name = "JSON")]
    metadata: Option<String>,
}

impl Settings {
    /// Adds what was given.
    pub fn fields(self, fields: Fields) -> anyhow::Result<Fields> {
        fields
            .set("name", self.name)?
            .set("description", self.description)?
            .set("scope", self.scope)?
            .set("profile", self.profile)?
            .set("headers", input::headers(self.headers))?
            .set("retry", self.retry.as_deref().map(retry).transpose()?)?
            .set("timeout_s", self.timeout)?
            .set("rate_limit", self.rate_limit)?
            .set("ordered", self.ordered)?
            .set("max_in_flight", self.max_in_flight)?
            .set("include_previous_attributes", self.include_previous_attributes)?
            .set("auto_disable", self.auto_disable)?
            .set("verify", self.verify)?
            .set("metadata", input::maybe_json("--metadata", self.metadata.as_deref())?)
    }
}

fn retry(text: &str) -> anyhow::Result<Box<RawValue>> {
    if text.starts_with(['{', '@']) || text == "-" {
        return input::json("--retry", text);
    }
    let delays: Result<Vec<f64>, _> = match text {
        "none" => Ok(Vec::new()),
        text => text.split(',').map(|it| it.trim().parse()).collect(),
    };
    let policy = delays.map_or_else(|_| json!({ "preset": text }), |it| json!({ "delays_s": it }));
    Ok(to_raw_value(&policy)?)
}

fn rate(text: &str) -> Result<Value, String> {
    const FORM: &str = "use PER_S or PER_S:BURST";
    let (per_s, burst) = text.split_once(':').map_or((text, None), |it| (it.0, Some(it.1)));
    let mut rate = json!({ "per_s": per_s.parse::<f64>().map_err(|_| FORM)? });
    if let Some(burst) = burst {
        rate["burst"] = json!(burst.parse::<i64>().map_err(|_| FORM)?);
    }
    Ok(rate)
}

fn auto_disable(text: &str) -> Result<Value, String> {
    if ["never", "false"].contains(&text) {
        return Ok(Value::Bool(false));
    }
    if let Ok(events) = text.parse::<i64>() {
        return Ok(json!({ "after_events": events }));
    }
    let seconds = input::seconds(text);
    let seconds = seconds.map_err(|_| "use `never`, a number of events, or a span such as `5d`")?;
    Ok(json!({ "after_s": seconds }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_have_short_forms() {
        for (text, want) in [
            ("10,100", r#"{"delays_s":[10.0,100.0]}"#),
            ("none", r#"{"delays_s":[]}"#),
            ("aly", r#"{"preset":"aly"}"#),
            (r#"{"delays_s": [1]}"#, r#"{"delays_s": [1]}"#),
        ] {
            assert_eq!(retry(text).unwrap().get(), want, "{text}");
        }
        assert_eq!(rate("20:40"), Ok(json!({ "per_s": 20.0, "burst": 40 })));
        assert_eq!(rate("0.5"), Ok(json!({ "per_s": 0.5 })));
        assert!(rate("fast").is_err() && rate("1:").is_err());
        assert_eq!(auto_disable("never"), Ok(json!(false)));
        assert_eq!(auto_disable("10"), Ok(json!({ "after_events": 10 })));
        assert_eq!(auto_disable("5d"), Ok(json!({ "after_s": 432_000 })));
        assert!(auto_disable("often").is_err());
    }
}
