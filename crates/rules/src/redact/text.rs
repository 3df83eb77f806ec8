//! Credentials in texts of others: payloads and answers, as they are shown to somebody who only wants to look.
//!
//! The text need not be JSON, nor whole. What is not a credential stays byte for byte.

use std::borrow::Cow;

use super::REDACTED;

/// Parts of a member's name, without its separators, that mark a credential. Fewer than for headers: payloads speak of
/// sessions, codes and keys that are none.
const WORDS: [&str; 14] = [
    "accesskey",
    "apikey",
    "authorization",
    "bearer",
    "credential",
    "masterkey",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "setcookie",
    "sharedkey",
    "signingkey",
];

/// Ends of such a name that do.
const ENDS: [&str; 4] = ["cookie", "jwt", "pwd", "token"];

/// Beginnings of well-known credentials, ours first, and the characters that follow at least.
const FORMS: [(&str, usize); 16] = [
    ("whsec_", 8),
    ("whsk_", 8),
    ("hk_", 40),
    ("hkp_", 40),
    ("hks_", 40),
    ("Bearer ", 8),
    ("sk_live_", 8),
    ("sk_test_", 8),
    ("rk_live_", 8),
    ("ghp_", 20),
    ("gho_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 16),
    ("xoxp-", 16),
    ("shpat_", 16),
];

/// The text, with the value of every member that is named like a credential replaced, and with every word that looks like
/// one.
#[must_use]
pub fn text(text: &str) -> Cow<'_, str> {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('"') {
        push_words(&mut shown, &rest[..at]);
        let literal = &rest[at..at + literal_bytes(&rest[at..])];
        let after = &rest[at + literal.len()..];
        let colon = value_at(after);
        match colon.filter(|_| is_secret_name(literal)) {
            Some(value) => {
                shown.push_str(literal);
                shown.push_str(&after[..value]);
                rest = masked(&mut shown, &after[value..]);
            }
            None => {
                push_words(&mut shown, literal);
                rest = after;
            }
        }
    }
    push_words(&mut shown, rest);
    if shown == text { Cow::Borrowed(text) } else { Cow::Owned(shown) }
}

/// Bytes of the string literal that the text begins with, both quotes counted; all of it where the end is missing.
fn literal_bytes(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Where the value begins, if a colon is next.
fn value_at(text: &str) -> Option<usize> {
    let after = text.trim_start().strip_prefix(':')?;
    Some(text.len() - after.trim_start().len())
}

/// Puts the mask in the place of a value that says something, and answers what follows. What is an object or a list is
/// looked into.
fn masked<'a>(shown: &mut String, text: &'a str) -> &'a str {
    const MASK: &str = "\"[redacted]\"";
    if text.starts_with('"') {
        shown.push_str(MASK);
        return &text[literal_bytes(text)..];
    }
    let end = text.find([',', '}', ']', '{', '[', '\n']).unwrap_or(text.len());
    let value = text[..end].trim_end();
    if !matches!(value, "" | "null" | "true" | "false") {
        shown.push_str(MASK);
        return &text[value.len()..];
    }
    text
}

fn is_secret_name(name: &str) -> bool {
    let squashed: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|it| it.to_ascii_lowercase())
        .collect();
    WORDS.iter().any(|it| squashed.contains(it)) || ENDS.iter().any(|it| squashed.ends_with(it))
}

/// A text without members: words that look like credentials are masked, and values of forms such as `password=…`.
fn push_words(shown: &mut String, text: &str) {
    let mut kept_from = 0;
    let mut before = None;
    for (at, character) in text.char_indices() {
        let begins = !before.replace(character).is_some_and(|it: char| it.is_ascii_alphanumeric());
        if at < kept_from {
            continue;
        }
        let found = if character == '=' {
            field(text, at)
        } else if begins {
            word(&text[at..]).map(|bytes| (at, at + bytes))
        } else {
            None
        };
        if let Some((from, to)) = found {
            shown.push_str(&text[kept_from..from]);
            shown.push_str(REDACTED);
            kept_from = to;
        }
    }
    shown.push_str(&text[kept_from..]);
}

/// Bytes of the credential that the text begins with.
fn word(text: &str) -> Option<usize> {
    let (form, least) = FORMS.iter().find(|(form, _)| text.starts_with(form))?;
    let tail = &text[form.len()..];
    let is_part = |it: char| it.is_ascii_alphanumeric() || "_-+/=.~".contains(it);
    let bytes = tail.find(|it| !is_part(it)).unwrap_or(tail.len());
    (bytes >= *least).then_some(form.len() + bytes)
}

/// `password=hunter2`, as in a form or a query: where the value stands.
fn field(text: &str, sign: usize) -> Option<(usize, usize)> {
    let is_part = |it: char| it.is_ascii_alphanumeric() || "_-.".contains(it);
    let name = text[..sign].rsplit(|it| !is_part(it)).next()?;
    let value = &text[sign + 1..];
    let end = value.find(|it: char| it.is_whitespace() || "&;\"',<>".contains(it));
    let bytes = end.unwrap_or(value.len());
    (bytes > 0 && is_secret_name(name)).then_some((sign + 1, sign + 1 + bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(given: &str, want: &str) {
        assert_eq!(text(given), want);
    }

    #[test]
    fn members_that_are_named_like_credentials_are_masked_and_all_else_stays_as_it_is() {
        check(r#"{"password":"a\"b","n": 1.10}"#, r#"{"password":"[redacted]","n": 1.10}"#);
        check(r#"{"client_secret" : 12 , "x":1}"#, r#"{"client_secret" : "[redacted]" , "x":1}"#);
        check(
            r#"{"accessToken":"t","token":null}"#,
            r#"{"accessToken":"[redacted]","token":null}"#,
        );
        check(r#"{"secret":{"apiKey":["k"],"v":1}}"#, r#"{"secret":{"apiKey":["k"],"v":1}}"#);
        for same in [
            r#"{"checkout_session":{"id":"cs_1"},"country_code":"US","key":"a","tokens":3}"#,
            r#"{"author":"x","text":"the password is long"}"#,
            "a=1&b=2",
            "no quote \" here",
            "",
        ] {
            check(same, same);
        }
    }

    #[test]
    fn what_looks_like_a_credential_is_masked_wherever_it_stands() {
        check(r#"{"a":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}"#, r#"{"a":"[redacted]"}"#);
        check("Authorization: Bearer abcdefgh.ij", "Authorization: [redacted]");
        check("x sk_live_4eC39HqLyjWDarjtT1zdp7dc.", "x [redacted]");
        check("hk_short and whsec_x stay", "hk_short and whsec_x stay");
        check("a=1&password=hunter2&b=2", "a=1&password=[redacted]&b=2");
    }

    #[test]
    fn what_is_cut_off_is_masked_too() {
        check(r#"{"password":"hunt"#, r#"{"password":"[redacted]""#);
        check(r#"{"password":12"#, r#"{"password":"[redacted]""#);
        check(r#"{"a":"whsec_MfKQ9r8GKY"#, r#"{"a":"[redacted]"#);
    }
}
