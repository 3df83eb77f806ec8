//! `hookyard listen`: live events to a port of this machine, signed as deliveries are; nothing missed, in order.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use hookyard_api::client::{Message, calls};
use hookyard_api::stream::StreamData;
use hookyard_domain::profile::Profile;
use hookyard_domain::secret::Secret;
use hookyard_rules::redact;

use crate::clock::SystemChance;
use crate::config::sources::environment;
use crate::exit::Exit;
use crate::forward::{self, Bringer, Look, Place, Port, Recorded, State, Target};
use crate::output;
use crate::remote::{self, Common, Follower, Session, input};
use crate::server::Signals;

/// A server breaks its silence every 15 seconds.
const SILENCE_DEFAULT_S: u64 = 45;

/// Arguments of `listen`.
#[derive(clap::Args)]
pub struct Args {
    /// Where events go: a URL of this machine, or only its port
    #[arg(long, value_name = "URL")]
    forward_to: Target,
    /// Only events of this type, or below a prefix such as `order.*`; repeatable, or with commas
    #[arg(long = "event", value_name = "TYPE", value_delimiter = ',')]
    events: Vec<String>,
    /// Only events that this source received
    #[arg(long)]
    source: Option<String>,
    /// Only events of this scope
    #[arg(long, visible_alias = "site-slug")]
    scope: Option<String>,
    /// As this webhook gets them: those that go to it, with its profile, headers and secret
    #[arg(long, value_name = "WEBHOOK", conflicts_with_all = ["profile", "scope"])]
    webhook: Option<String>,
    #[command(flatten)]
    look: LookArgs,
    /// Where to begin: where the last run ended, or now
    #[arg(long, value_enum, default_value_t = From::Last, value_name = "PLACE")]
    from: From,
    /// The name that its place is kept under; one listener for each
    #[arg(long, default_value = "default", value_parser = remote::id)]
    name: String,
    /// Keep each event as a file in this folder, for `hookyard events replay DIR --forward-to URL`
    #[arg(long, value_name = "DIR")]
    record: Option<PathBuf>,
    /// Show headers and bodies
    #[arg(long, short)]
    verbose: bool,
    /// Take the connection for lost when the server is silent for so long
    #[arg(long, value_name = "SPAN", value_parser = input::seconds, default_value_t = SILENCE_DEFAULT_S, hide_default_value = true)]
    silence: u64,
    #[command(flatten)]
    common: Common,
}

/// How requests look, whoever brings them.
#[derive(clap::Args)]
pub struct LookArgs {
    /// Whose format: standard, aly, alvys, alumia, aryeo [default: the tenant's, or that it was recorded in]
    #[arg(long)]
    pub profile: Option<Profile>,
    /// The signing secret; `@FILE` or `-` reads it [default: one of this machine's own, always the same]
    #[arg(long, value_name = "SECRET")]
    pub secret: Option<String>,
    /// A header of your own with each request; repeatable
    #[arg(long = "header", value_name = "NAME=VALUE", value_parser = input::header)]
    pub headers: Vec<(String, String)>,
    /// How long an answer may take
    #[arg(long, value_name = "SPAN", value_parser = input::seconds, default_value = "30")]
    pub timeout: u64,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum From {
    /// Where the last run ended; now, if there was none
    Last,
    /// Now
    Now,
}

/// Runs until it is interrupted.
pub async fn run(args: Args) -> anyhow::Result<Exit> {
    let Args { forward_to, events, source, scope, webhook, look, from, name, record, .. } = args;
    let (verbose, silence) = (args.verbose, Duration::from_secs(args.silence.max(1)));
    remote::with_silence(args.common, silence, async |session| {
        let mut signals = Signals::listen()?;
        let tenant = session.tenant()?;
        let state = State::open(&environment)?;
        let timeout = Duration::from_secs(look.timeout);
        let (look, secret) = dress(session, tenant, &state, look, webhook.as_deref()).await?;
        let mut place = state.place(&session.server(), tenant, &name)?;
        let cursor = begin(from, &place);
        announce(session, &forward_to, (look.profile(), &secret), &place, cursor.is_some());
        let call = calls::stream(tenant)
            .query("kinds", Some("event.accepted"))
            .query("payload", Some("true"))
            .query("type", (!events.is_empty()).then(|| events.join(",")))
            .query("source", source)
            .query("scope", scope)
            .query("endpoint", webhook);
        let mut bringer = Bringer {
            port: Port::new(forward_to),
            look,
            timeout,
            json: session.out.json,
            verbose,
            patient: true,
        };
        let following = Follower::new(session, call, cursor).run(async |message: &Message| {
            let heard = heard(session, tenant, message, &mut bringer, record.as_ref()).await?;
            if heard {
                place.moved(&message.id, remote::now())?;
            }
            Ok(heard)
        });
        let done = tokio::select! {
            done = following => done,
            _ = signals.next() => Ok(()),
        };
        place.write()?;
        done.map(|()| Exit::Ok)
    })
    .await
}

/// Brings what a message tells; false when nobody reads what is printed any more.
async fn heard(
    session: &Session,
    tenant: &str,
    message: &Message,
    bringer: &mut Bringer,
    record: Option<&PathBuf>,
) -> anyhow::Result<bool> {
    let Some(StreamData::Accepted(told)) = &message.data else { return Ok(true) };
    let told = match &told.payload {
        Some(_) => (**told).clone(),
        // It was too large to be told.
        None => match forward::with_payload(session, tenant, told).await? {
            Some(whole) => whole,
            None => {
                let why = "not forwarded: the server does not keep it any more";
                return Ok(bringer.say_not_brought(told, why));
            }
        },
    };
    let recorded = Recorded { told, profile: bringer.look.profile() };
    if let Some(folder) = record {
        forward::record(folder, &recorded)?;
    }
    Ok(bringer.bring(&recorded.told).await?.is_heard)
}

/// How requests look, and the secret they are signed with.
async fn dress(
    session: &Session,
    tenant: &str,
    state: &State,
    args: LookArgs,
    webhook: Option<&str>,
) -> anyhow::Result<(Look, Secret)> {
    let given = args.secret.as_deref().map(input::secret).transpose()?.map(Secret::new);
    let Some(webhook) = webhook else {
        let profile = match args.profile {
            Some(profile) => profile,
            None => tenants_profile(session, tenant).await?,
        };
        return own_look(state, profile, given, args.headers);
    };
    let endpoint = session.ask(&calls::get_endpoint(tenant, webhook)).await?.value;
    let secret = match given {
        Some(secret) => secret,
        None => {
            let shown = session.ask(&calls::reveal_secret(tenant, webhook)).await;
            let shown =
                shown.context("asking for the webhook's secret; `--secret` gives another")?;
            Secret::new(shown.value.secret)
        }
    };
    let headers = endpoint.headers.map(|it| it.0).unwrap_or_default();
    let headers = shown_headers(session, headers, &args);
    let look = Look::new(endpoint.profile.into(), &secret)?
        .with_previous_attributes(endpoint.include_previous_attributes)
        .with_headers(headers)
        .with_headers(args.headers);
    Ok((look, secret))
}

/// Those of a webhook's headers whose values the server shows. The others are left out: what stands in their place would
/// be taken for the credential.
fn shown_headers(
    session: &Session,
    all: Vec<(String, String)>,
    args: &LookArgs,
) -> Vec<(String, String)> {
    let (hidden, shown): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|it| it.1 == redact::REDACTED);
    for (name, _) in hidden {
        if !args.headers.iter().any(|it| it.0.eq_ignore_ascii_case(&name)) {
            let text = format!(
                "without `{name}`, which the server shows to nobody; `--header '{name}=VALUE'` sets it"
            );
            forward::say_state(session.out.json, "left out", &text);
        }
    }
    shown
}

/// The profile of a tenant's endpoints that name none.
pub async fn tenants_profile(session: &Session, tenant: &str) -> anyhow::Result<Profile> {
    let who = session.ask(&calls::whoami()).await?.value;
    let profile = match who.profile {
        None if who.operator => Some(session.ask(&calls::get_tenant(tenant)).await?.value.profile),
        told => told,
    };
    Ok(profile.map(Into::into).unwrap_or_default())
}

/// The look of a webhook that is none of the server's.
pub fn own_look(
    state: &State,
    profile: Profile,
    secret: Option<Secret>,
    headers: Vec<(String, String)>,
) -> anyhow::Result<(Look, Secret)> {
    let secret = match secret {
        Some(secret) => secret,
        None => state.secret(profile, &*SystemChance::open()?)?,
    };
    let look = Look::new(profile, &secret)?.with_previous_attributes(true).with_headers(headers);
    Ok((look, secret))
}

fn begin(from: From, place: &Place) -> Option<String> {
    match from {
        From::Now => None,
        From::Last => place.found().map(|(cursor, _)| cursor.to_owned()),
    }
}

fn announce(
    session: &Session,
    to: &Target,
    (profile, secret): (Profile, &Secret),
    place: &Place,
    resumes: bool,
) {
    let since = place.found().filter(|_| resumes).map(|(_, at)| at);
    if session.out.json {
        let said = serde_json::json!({
            "state": "starting", "forward_to": to.to_string(), "profile": profile.as_str(),
            "secret": secret.reveal(), "resumes_from": since,
        });
        output::talk(said.to_string());
        return;
    }
    output::talk(format!("Forwarding to {to} as `{profile}`"));
    output::talk(format!("Signing secret: {}", secret.reveal()));
    if let Some(at) = since {
        output::talk(format!("Going on behind what was read at {at}; `--from now` begins now"));
    }
}
