//! Paths of the native API, for links and clients. The table of routes itself stands in `http`.

use std::fmt::{Display, Write as _};

/// The prefix of the native API.
pub const V1: &str = "/v1";

/// A tenant.
#[must_use]
pub fn tenant(tenant: &impl Display) -> String {
    format!("{V1}/tenants/{tenant}")
}

/// A collection of a tenant, such as `endpoints`.
#[must_use]
pub fn collection(of: &impl Display, name: &str) -> String {
    format!("{}/{name}", tenant(of))
}

/// A thing of a tenant's collection.
#[must_use]
pub fn item(of: &impl Display, collection: &str, id: &impl Display) -> String {
    format!("{}/{collection}/{id}", tenant(of))
}

/// A text as one segment of a path or one value of a query: all but the unreserved characters of RFC 3986 §2.3 is escaped,
/// and so is a segment that whoever is on the way would take for "here" or "above".
#[must_use]
pub fn escaped(text: &str) -> String {
    if text.bytes().all(|it| it == b'.') {
        return "%2E".repeat(text.len());
    }
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_id_leaves_its_place_in_the_path() {
        for (text, want) in
            [("wh_1", "wh_1"), ("../x", "..%2Fx"), ("..", "%2E%2E"), ("a b?", "a%20b%3F")]
        {
            assert_eq!(escaped(text), want);
        }
    }
}
