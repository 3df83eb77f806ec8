//! `hookyard sign`: the headers that the gateway or a provider would send with a body. Asks no server.

use hookyard_domain::headers::Headers;
use hookyard_domain::id::{EventId, EventKey};
use hookyard_domain::time::Timestamp;
use hookyard_rules::inbound::{self, Outgoing};
use hookyard_rules::signing;

use super::scheme::{Line, Named};
use crate::exit::Exit;
use crate::output;
use crate::remote::{self, input};

/// Arguments of `sign`.
#[derive(clap::Args)]
pub struct Args {
    /// A profile such as standard or aly, or a provider such as github
    #[arg(long)]
    scheme: String,
    /// The signing secret in the scheme's own form; `@FILE` or `-` reads it
    #[arg(long)]
    secret: String,
    /// The exact body: a text, `@FILE` or `-`
    #[arg(long, value_name = "BODY")]
    data: String,
    /// The id that is signed along [default: a fresh one]
    #[arg(long, value_parser = visible)]
    id: Option<String>,
    /// The time that is signed along: seconds since 1970, or as in `2026-05-19T08:00:00Z` [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    timestamp: Option<Timestamp>,
    #[command(flatten)]
    line: Line,
    /// Print one JSON document
    #[arg(long)]
    json: bool,
}

/// Prints the headers.
pub fn run(args: &Args) -> Exit {
    match signed(args) {
        Ok(headers) if args.json => {
            let headers = hookyard_api::json::Headers::from(headers);
            output::say(serde_json::json!({ "headers": headers }).to_string());
            Exit::Ok
        }
        Ok(headers) => {
            for (name, value) in headers.0 {
                output::say(format!("{name}: {value}"));
            }
            Exit::Ok
        }
        Err(error) => remote::report(&error, args.json),
    }
}

fn signed(args: &Args) -> anyhow::Result<Headers> {
    let named = Named::find(&args.scheme)?;
    let (secret, body) = (input::secret(&args.secret)?, input::bytes(&args.data)?);
    if secret.is_empty() {
        return Err(Exit::Usage.because("a secret is needed"));
    }
    let now = args.timestamp.unwrap_or_else(remote::now);
    match named {
        Named::Profile(scheme) => {
            let signed = signing::sign_offline(scheme, &secret, args.id.as_deref(), now, &body);
            let signed = signed.map_err(|bad| Exit::Usage.because(bad.to_string()))?;
            Ok(Headers(signed.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
        }
        Named::Provider(preset) => {
            let fresh = || EventId::of(EventKey::at(now), 0).to_string();
            let id = args.id.clone().unwrap_or_else(fresh);
            let (url, method) = (&*args.line.url, &*args.line.method);
            let outgoing = Outgoing { id: &id, now, method, url, body: &body };
            inbound::sign(&preset.recipe, &secret, &outgoing)
                .map_err(|bad| Exit::Usage.because(bad.to_string()))
        }
    }
}

fn visible(text: &str) -> Result<String, String> {
    let good = !text.is_empty() && text.bytes().all(|it| it.is_ascii_graphic());
    let message = "use visible ASCII characters, without spaces";
    if good { Ok(text.to_owned()) } else { Err(message.to_owned()) }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    match text.parse::<i64>() {
        Ok(seconds) if (0..=Timestamp::MAX.as_secs()).contains(&seconds) => {
            Ok(Timestamp::from_secs(seconds))
        }
        Ok(_) => Err("use seconds since 1970".to_owned()),
        Err(_) => text.parse().map_err(|_| {
            "use seconds since 1970, or a time such as `2026-05-19T08:00:00Z`".to_owned()
        }),
    }
}
