//! Providers that send the secret itself: GitLab's token, Microsoft Graph's `clientState`.

use std::borrow::Cow;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use super::key;
use super::recipe::Place;
use super::verify::Proven;
use super::view::View;
use super::{Rejection, Trust};

pub(super) fn is_present(place: Place, view: &View<'_>) -> bool {
    !texts(place, view).is_empty()
}

/// The token must stand in every item, where it stands in items. A public key is nobody's token.
pub(super) fn check(place: Place, view: &View<'_>, trust: &Trust<'_>) -> Result<Proven, Rejection> {
    let given = texts(place, view);
    let mut wrong = None;
    for (place, secret) in trust.secrets.iter().enumerate() {
        match key::shared(secret) {
            Ok(secret) if is_everywhere(&given, secret) => return Ok(Proven::by(place)),
            Ok(_) => wrong = Some(Rejection::WrongToken),
            Err(why) => {
                wrong.get_or_insert(Rejection::BadSecret(why));
            }
        }
    }
    Err(wrong.unwrap_or(Rejection::WrongToken))
}

fn is_everywhere(given: &[Cow<'_, str>], secret: &str) -> bool {
    !given.is_empty() && given.iter().all(|it| same(it.as_bytes(), secret.as_bytes()))
}

fn texts<'a>(place: Place, view: &'a View<'_>) -> Vec<Cow<'a, str>> {
    match place {
        Place::Each(list, field) => view.each(list, field).unwrap_or_default(),
        Place::Header(_) | Place::Json(_) | Place::Form(_) | Place::Fixed(_) => {
            view.text(place).into_iter().collect()
        }
    }
}

/// Whether two texts are the same, in a time that does not tell where they differ.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    verify_slices_are_equal(a, b).is_ok()
}
