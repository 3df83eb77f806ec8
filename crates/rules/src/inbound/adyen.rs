//! Adyen's payment notifications: each item of the body carries a signature over eight of its own fields.

use std::borrow::Cow;

use serde_json::Value;

use super::key::{self, Key};
use super::recipe::{Crypt, Digest, Encoding, KeyForm};
use super::verify::Proven;
use super::view::{View, scalar};
use super::{Rejection, Trust};

pub(super) const PLACE: &str = "body field `additionalData.hmacSignature` of an item";

const ITEMS: &str = "/notificationItems";
const ITEM: &str = "/NotificationRequestItem";
const SIGNATURE: &str = "/additionalData/hmacSignature";
/// What is signed, joined by colons; what is missing is empty.
const FIELDS: [&str; 8] = [
    "/pspReference",
    "/originalReference",
    "/merchantAccountCode",
    "/merchantReference",
    "/amount/value",
    "/amount/currency",
    "/eventCode",
    "/success",
];
const CRYPT: Crypt = Crypt::Hmac(Digest::Sha256, KeyForm::Hex);

fn items<'a>(view: &'a View<'_>) -> impl Iterator<Item = &'a Value> {
    let list = view.json(ITEMS).and_then(Value::as_array).into_iter().flatten();
    list.map(|it| it.pointer(ITEM).unwrap_or(&Value::Null))
}

/// An item with a signature makes all of them need one.
pub(super) fn is_present(view: &View<'_>) -> bool {
    items(view).any(|it| it.pointer(SIGNATURE).is_some())
}

pub(super) fn check_secret(secret: &str) -> Result<(), &'static str> {
    Key::from_secret(CRYPT, secret).map(|_| ())
}

pub(super) fn check(view: &View<'_>, trust: &Trust<'_>) -> Result<Proven, Rejection> {
    let mut bad = None;
    for (place, secret) in trust.secrets.iter().enumerate() {
        match Key::from_secret(CRYPT, secret) {
            Err(why) => bad = Some(Rejection::BadSecret(why)),
            Ok(key) => match all_fit(&key, view)? {
                true => return Ok(Proven::by(place)),
                false => bad = Some(Rejection::WrongSignature),
            },
        }
    }
    Err(bad.unwrap_or(Rejection::NoSecret))
}

fn all_fit(key: &Key, view: &View<'_>) -> Result<bool, Rejection> {
    for item in items(view) {
        let text = item.pointer(SIGNATURE).and_then(Value::as_str);
        let text = text.ok_or_else(|| Rejection::MissingSignature(PLACE.to_owned()))?;
        let bytes = key::decode(Encoding::Base64, text).filter(|it| it.len() == 32);
        let bytes = bytes.ok_or_else(|| Rejection::MalformedSignature {
            place: PLACE.to_owned(),
            why: key.expected(CRYPT, Encoding::Base64),
        })?;
        if !key.fits(&[Cow::Owned(message(item).into_bytes())], &[bytes]) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn message(item: &Value) -> String {
    let field = |it: &&str| item.pointer(it).and_then(scalar).unwrap_or_default();
    FIELDS.iter().map(field).collect::<Vec<_>>().join(":")
}
