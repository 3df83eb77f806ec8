//! What repetitions of the same event share: the sender's id, or a hash of the content where there is none.

use std::borrow::Cow;
use std::time::Duration;

use aws_lc_rs::digest;
use hookyard_domain::limit;

use super::key;
use super::recipe::{Dedupe, Encoding, Place};
use super::view::View;

/// How long the same content is taken for the same event where the sender gives no id: longer than senders' first
/// retries, shorter than an event that happens again.
pub const CONTENT_WITHIN: Duration = Duration::from_secs(10 * 60);

/// The id, and for how long it counts when that is not for ever.
pub(super) fn id(rule: &Dedupe, view: &View<'_>) -> Option<(String, Option<Duration>)> {
    let given = rule.ids.iter().find_map(|places| {
        let texts: Option<Vec<_>> = places.iter().map(|it| text(*it, view)).collect();
        texts.filter(|it| !it.is_empty()).map(|it| it.join(":"))
    });
    if let Some(id) = given {
        return Some((fitting(id), None));
    }
    let within = rule.content_within?;
    Some((hash(view.received.body), Some(within)))
}

/// As for an event's type, but the items of a list need not agree: together they are the event.
fn text<'a>(place: Place, view: &'a View<'_>) -> Option<Cow<'a, str>> {
    match place {
        Place::Each(list, field) => view.each(list, field).map(|it| Cow::Owned(it.join(","))),
        Place::Header(_) | Place::Json(_) | Place::Form(_) | Place::Fixed(_) => view.text(place),
    }
}

/// An id that can be kept: long or odd ones are kept as their hash.
fn fitting(id: String) -> String {
    let good =
        id.len() <= limit::PUBLISHER_ID_CHARS_MAX && id.bytes().all(|it| it.is_ascii_graphic());
    if good { id } else { hash(id.as_bytes()) }
}

fn hash(bytes: &[u8]) -> String {
    let hash = digest::digest(&digest::SHA256, bytes);
    format!("sha256:{}", key::encode(Encoding::Hex, hash.as_ref()))
}
