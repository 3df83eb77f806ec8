//! Runs a recipe over a received request.

use std::borrow::Cow;
use std::time::Duration;

use hookyard_domain::limit;
use hookyard_domain::time::Timestamp;

use super::key::{self, Key};
use super::recipe::{
    At, Crypt, Format, Part, Place, Proof, Recipe, Signature, Stamp, StampAt, Unit,
};
use super::view::View;
use super::{Received, Rejection, Trust, adyen, dedupe, token, twilio};

/// A request that is believed, and what it tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The event's type in the form event types have here, where the request tells one.
    pub event_type: Option<String>,
    /// What repetitions of the same event share; `None` where every request is an event of its own.
    pub dedupe_id: Option<String>,
    /// For how long `dedupe_id` tells repetitions apart; `None` is for ever. The sender's own ids do for ever, a hash of
    /// the content only as long as the same content may not happen again.
    pub dedupe_within: Option<Duration>,
    /// When it was signed, where that is told and covered by the signature.
    pub signed_at: Option<Timestamp>,
    /// Which of the secrets it was; 0 is the newest.
    pub secret: usize,
}

/// What a good proof says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Proven {
    pub(super) secret: usize,
    pub(super) signed_at: Option<Timestamp>,
}

impl Proven {
    pub(super) const fn by(secret: usize) -> Self {
        Self { secret, signed_at: None }
    }
}

/// Verifies a request as its receiver. Of several proofs that are present one good one is enough.
///
/// # Errors
/// Why it is not believed; with several proofs, why the first that is present is not.
pub fn verify(
    recipe: &Recipe,
    received: &Received<'_>,
    trust: &Trust<'_>,
) -> Result<Verified, Rejection> {
    if trust.secrets.is_empty() {
        return Err(Rejection::NoSecret);
    }
    if trust.secrets.iter().any(|it| it.is_empty()) {
        return Err(Rejection::EmptySecret);
    }
    let view = View::new(received);
    let mut first = None;
    for proof in recipe.proofs.iter().filter(|it| is_present(it, &view)) {
        match prove(proof, &view, trust) {
            Ok(proven) => return Ok(read(recipe, &view, proven)),
            Err(rejection) => {
                first.get_or_insert(rejection);
            }
        }
    }
    Err(first.unwrap_or_else(|| missing(recipe)))
}

/// Whether a secret has the form that one of the proofs needs, so that a bad one is found out when it is given.
///
/// # Errors
/// What it lacks for the first proof.
pub fn check_secret(recipe: &Recipe, secret: &str) -> Result<(), Rejection> {
    if secret.is_empty() {
        return Err(Rejection::EmptySecret);
    }
    let mut bad = None;
    for proof in recipe.proofs {
        let key = match proof {
            Proof::Signature(signature) => Key::from_secret(signature.crypt, secret).map(|_| ()),
            Proof::Adyen => adyen::check_secret(secret),
            Proof::Token(_) | Proof::Twilio => key::shared(secret).map(|_| ()),
        };
        match key {
            Ok(()) => return Ok(()),
            Err(why) => {
                bad.get_or_insert(why);
            }
        }
    }
    bad.map_or(Ok(()), |why| Err(Rejection::BadSecret(why)))
}

fn is_present(proof: &Proof, view: &View<'_>) -> bool {
    match proof {
        Proof::Signature(signature) => !values(signature, view).is_empty(),
        Proof::Token(place) => token::is_present(*place, view),
        Proof::Twilio => view.header(twilio::SIGNATURE).is_some(),
        Proof::Adyen => adyen::is_present(view),
    }
}

fn prove(proof: &Proof, view: &View<'_>, trust: &Trust<'_>) -> Result<Proven, Rejection> {
    match proof {
        Proof::Signature(signature) => signed(signature, view, trust),
        Proof::Token(place) => token::check(*place, view, trust),
        Proof::Twilio => twilio::check(view, trust),
        Proof::Adyen => adyen::check(view, trust),
    }
}

pub(super) fn missing(recipe: &Recipe) -> Rejection {
    let mut places: Vec<String> = recipe.proofs.iter().map(place_of).collect();
    places.dedup();
    Rejection::MissingSignature(places.join(" or the "))
}

fn place_of(proof: &Proof) -> String {
    match proof {
        Proof::Signature(signature) => where_signed(signature),
        Proof::Token(place) => place.to_string(),
        Proof::Twilio => Place::Header(twilio::SIGNATURE).to_string(),
        Proof::Adyen => adyen::PLACE.to_owned(),
    }
}

pub(super) fn where_signed(signature: &Signature) -> String {
    match signature.at {
        At::Header(name) => Place::Header(name).to_string(),
        At::Numbered(prefix) => format!("header `{prefix}1`"),
        At::Field(place) => place.to_string(),
    }
}

/// The texts that stand where the signature should.
pub(super) fn values<'a>(signature: &Signature, view: &'a View<'_>) -> Vec<Cow<'a, str>> {
    match signature.at {
        At::Header(name) => view.headers(name).map(Cow::Borrowed).collect(),
        At::Field(place) => view.text(place).into_iter().collect(),
        At::Numbered(prefix) => {
            let is_one = |name: &str| {
                let (start, number) = name.split_at_checked(prefix.len()).unwrap_or_default();
                let digits = number.bytes().all(|it| it.is_ascii_digit());
                start.eq_ignore_ascii_case(prefix) && !number.is_empty() && digits
            };
            let all = view.received.headers.0.iter().filter(|(name, _)| is_one(name));
            all.map(|(_, value)| Cow::Borrowed(value.trim())).collect()
        }
    }
}

fn signed(signature: &Signature, view: &View<'_>, trust: &Trust<'_>) -> Result<Proven, Rejection> {
    let values = values(signature, view);
    let keys = keys(signature.crypt, trust)?;
    // Which entries count may depend on the kind of key, so each key reads the header for itself.
    let mut readable = Vec::with_capacity(keys.len());
    let mut unreadable = None;
    for (place, key) in keys {
        match given(signature, &values, &key) {
            Ok(given) => readable.push((place, key, given)),
            Err(why) => unreadable = Some(why),
        }
    }
    if let (true, Some(why)) = (readable.is_empty(), unreadable) {
        return Err(Rejection::MalformedSignature { place: where_signed(signature), why });
    }
    let stamp = signature.stamp.map(|it| stamp(signature, &it, &values, view)).transpose()?;
    let text = stamp.as_ref().map(|it| it.0.as_str());
    let pieces = pieces(signature.message, view, text).map_err(Rejection::MissingPart)?;
    let mut readable = readable.iter();
    let (secret, ..) = readable
        .find(|(_, key, given)| key.fits(&pieces, given))
        .ok_or(Rejection::WrongSignature)?;
    let signed_at = stamp.map(|it| it.1).filter(|_| signature.signs_its_time());
    check_time(signature, signed_at, trust.tolerance, trust.now)?;
    Ok(Proven { secret: *secret, signed_at })
}

/// Whether the time is near enough, where it is signed along and the recipe names a limit.
pub(super) fn check_time(
    signature: &Signature,
    signed_at: Option<Timestamp>,
    tolerance: Option<Duration>,
    now: Timestamp,
) -> Result<(), Rejection> {
    let own = signature.stamp.and_then(|it| it.tolerance_s).map(Duration::from_secs);
    match (signed_at, tolerance.or(own)) {
        (Some(at), Some(tolerance)) => fresh(at, tolerance, now),
        (Some(_), None) | (None, _) => Ok(()),
    }
}

/// The keys in the secrets, with their places. A secret of another form does not spoil a good one: while a source moves
/// from one proof to another, it holds one of each.
fn keys(crypt: Crypt, trust: &Trust<'_>) -> Result<Vec<(usize, Key)>, Rejection> {
    let mut keys = Vec::with_capacity(trust.secrets.len());
    let mut bad = None;
    for (place, secret) in trust.secrets.iter().enumerate() {
        match Key::from_secret(crypt, secret) {
            Ok(key) => keys.push((place, key)),
            Err(why) => bad = Some(why),
        }
    }
    match bad {
        Some(why) if keys.is_empty() => Err(Rejection::BadSecret(why)),
        Some(_) | None => Ok(keys),
    }
}

/// The bytes of the signatures given, those that can be read. Versions to come are none of a verifier's business.
pub(super) fn given(
    signature: &Signature,
    values: &[Cow<'_, str>],
    key: &Key,
) -> Result<Vec<Vec<u8>>, String> {
    let mut given = Vec::new();
    let mut wrong = None;
    for value in values {
        let texts: Vec<&str> = match signature.format {
            Format::Bare => vec![value.as_ref()],
            Format::Prefixed(prefix) => match value.strip_prefix(prefix) {
                Some(text) => vec![text],
                None => {
                    wrong = Some(format!("it does not begin with `{prefix}`"));
                    continue;
                }
            },
            Format::PrefixAllowed(prefix) => vec![value.strip_prefix(prefix).unwrap_or(value)],
            Format::Pairs { separator, name } => pairs(value, separator, name),
            Format::Entries => entries(value, key.version()),
        };
        if texts.is_empty() {
            wrong.get_or_insert_with(|| lacks(signature.format, key));
        }
        for text in texts {
            let bytes = key::decode(signature.encoding, text.trim());
            let long = key.signature_bytes(signature.crypt);
            match bytes.filter(|it| long.is_none_or(|long| it.len() == long)) {
                Some(bytes) => given.push(bytes),
                None => wrong = Some(key.expected(signature.crypt, signature.encoding)),
            }
        }
    }
    match wrong {
        Some(why) if given.is_empty() => Err(why),
        Some(_) | None => Ok(given),
    }
}

fn lacks(format: Format, key: &Key) -> String {
    match format {
        Format::Pairs { name, .. } => format!("it has no `{name}=`"),
        Format::Entries => {
            format!("it has no `{},` entry, as this kind of secret needs", key.version())
        }
        Format::Bare | Format::Prefixed(_) | Format::PrefixAllowed(_) => "it is empty".to_owned(),
    }
}

fn pairs<'a>(value: &'a str, separator: char, wanted: &str) -> Vec<&'a str> {
    let all = value.split(separator).filter_map(|it| it.trim().split_once('='));
    all.filter(|(name, _)| *name == wanted).map(|(_, text)| text).collect()
}

fn entries<'a>(value: &'a str, version: &str) -> Vec<&'a str> {
    let all = value.split_ascii_whitespace().filter_map(|it| it.split_once(','));
    all.filter(|(name, _)| *name == version).map(|(_, text)| text).collect()
}

/// The time as it was written, and what it says. Where a recipe names one it must be there: without it, what was signed
/// once could be sent again for ever.
pub(super) fn stamp(
    signature: &Signature,
    stamp: &Stamp,
    values: &[Cow<'_, str>],
    view: &View<'_>,
) -> Result<(String, Timestamp), Rejection> {
    let (text, place) = match stamp.at {
        StampAt::Field(place) => (view.text(place).map(Cow::into_owned), place.to_string()),
        StampAt::Beside(name) => {
            let separator = match signature.format {
                Format::Pairs { separator, .. } => separator,
                Format::Bare | Format::Prefixed(_) | Format::PrefixAllowed(_) | Format::Entries => {
                    ','
                }
            };
            let found = values.iter().find_map(|it| pairs(it, separator, name).first().copied());
            let place = format!("`{name}=` of the {}", where_signed(signature));
            (found.map(str::to_owned), place)
        }
    };
    let Some(text) = text else { return Err(Rejection::MissingTimestamp(place)) };
    match moment(&text, stamp.unit) {
        Some(at) => Ok((text, at)),
        None => Err(Rejection::MalformedTimestamp { place, expected: stamp.unit.as_str() }),
    }
}

fn moment(text: &str, unit: Unit) -> Option<Timestamp> {
    let number = || {
        let digits = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
        digits.then(|| text.parse::<i64>().ok()).flatten()
    };
    match unit {
        Unit::Seconds => number().map(Timestamp::from_secs),
        Unit::Millis => number().map(Timestamp::from_millis),
        Unit::Iso => text.parse().ok(),
    }
}

fn fresh(at: Timestamp, tolerance: Duration, now: Timestamp) -> Result<(), Rejection> {
    let allowed_s = tolerance.as_secs();
    let off_ms = now.as_millis().saturating_sub(at.as_millis());
    // Whole seconds were rounded down by their sender, so whole seconds are what is compared.
    let off_s = off_ms.unsigned_abs() / 1000;
    match off_ms {
        _ if off_s <= allowed_s => Ok(()),
        0.. => Err(Rejection::Stale { off_s, allowed_s }),
        i64::MIN..0 => Err(Rejection::Early { off_s, allowed_s }),
    }
}

/// What was signed, in pieces, or which of them is not there.
pub(super) fn pieces<'a>(
    message: &[Part],
    view: &'a View<'_>,
    stamp: Option<&'a str>,
) -> Result<Vec<Cow<'a, [u8]>>, String> {
    let received = view.received;
    let url = || match received.url {
        "" => Err("public URL".to_owned()),
        url => Ok(url),
    };
    let one = |part: &Part| {
        Ok(match *part {
            Part::Text(it) => Cow::Borrowed(it.as_bytes()),
            Part::Stamp => Cow::Borrowed(stamp.unwrap_or_default().as_bytes()),
            Part::Body => Cow::Borrowed(received.body),
            Part::Method => Cow::Borrowed(received.method.as_bytes()),
            Part::Url => Cow::Borrowed(url()?.as_bytes()),
            Part::UrlUnescaped => Cow::Owned(unescaped(url()?).into_bytes()),
            Part::Field(place) => match view.text(place).ok_or_else(|| place.to_string())? {
                Cow::Borrowed(it) => Cow::Borrowed(it.as_bytes()),
                Cow::Owned(it) => Cow::Owned(it.into_bytes()),
            },
        })
    };
    message.iter().map(one).collect()
}

/// The URL after the escapes that `HubSpot` names were undone.
fn unescaped(url: &str) -> String {
    const UNDONE: [(&str, &str); 12] = [
        ("%3A", ":"),
        ("%2F", "/"),
        ("%3F", "?"),
        ("%40", "@"),
        ("%21", "!"),
        ("%24", "$"),
        ("%27", "'"),
        ("%28", "("),
        ("%29", ")"),
        ("%2A", "*"),
        ("%2C", ","),
        ("%3B", ";"),
    ];
    let mut rest = url;
    let mut text = String::with_capacity(url.len());
    while let Some(at) = rest.find('%') {
        text.push_str(&rest[..at]);
        let escape = rest.get(at..at + 3).unwrap_or_default();
        let undone = UNDONE.iter().find(|(it, _)| it.eq_ignore_ascii_case(escape));
        let (instead, long) = undone.map_or(("%", 1), |(_, it)| (*it, 3));
        text.push_str(instead);
        rest = &rest[at + long..];
    }
    text.push_str(rest);
    text
}

pub(super) fn read(recipe: &Recipe, view: &View<'_>, proven: Proven) -> Verified {
    let (dedupe_id, dedupe_within) = match dedupe::id(&recipe.dedupe, view) {
        Some((id, within)) => (Some(id), within),
        None => (None, None),
    };
    Verified {
        event_type: event_type(recipe, view),
        dedupe_id,
        dedupe_within,
        signed_at: proven.signed_at,
        secret: proven.secret,
    }
}

fn event_type(recipe: &Recipe, view: &View<'_>) -> Option<String> {
    let texts = recipe.event_type.iter().find_map(|list| {
        let (first, others) = list.split_first()?;
        let mut texts = vec![view.text(*first)?];
        texts.extend(others.iter().filter_map(|it| view.text(*it)));
        Some(texts)
    });
    normalised(&texts?.join("."))
}

/// A provider's type as an event type of ours: `orders/create` becomes `orders.create`, `repo:push` becomes `repo.push`.
fn normalised(text: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => name.push(char),
            '.' | '/' | ':' if !name.is_empty() && !name.ends_with('.') => name.push('.'),
            '.' | '/' | ':' | '#' => {}
            _ => name.push('_'),
        }
    }
    name.truncate(limit::EVENT_TYPE_CHARS_MAX);
    let name = name.trim_end_matches('.');
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests;
