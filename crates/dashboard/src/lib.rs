//! The dashboard's pages as they were built from `ui`, embedded. `cli` hands them to `http`, which serves them.
//!
//! **Never** here: a server, a decision. Start reading at `build.rs` for how they come in, at `ui/src/main.tsx` for what they
//! do.

include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// A file that is served as it is.
#[derive(Clone, Copy, Debug)]
pub struct File {
    /// Its path below the root, without a slash in front.
    pub path: &'static str,
    /// Its bytes.
    pub plain: &'static [u8],
    /// The same compressed, where that is smaller.
    pub brotli: Option<&'static [u8]>,
    /// The same compressed, where that is smaller.
    pub gzip: Option<&'static [u8]>,
}

/// Every file but the page itself.
#[must_use]
pub const fn files() -> &'static [File] {
    FILES
}

/// The page, with `__CSP_NONCE__` in the places of its nonce; where the pages are not built in, a notice that says why.
#[must_use]
pub fn index() -> String {
    match (INDEX, MISSING) {
        (Some(index), _) => index.to_owned(),
        (None, why) => notice(why.unwrap_or("nobody knows why")),
    }
}

/// Why the pages are not built in; `None` when they are.
#[must_use]
pub const fn missing() -> Option<&'static str> {
    MISSING
}

fn notice(why: &str) -> String {
    include_str!("notice.html").replace("{{why}}", &why.replace('&', "&amp;").replace('<', "&lt;"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_page_or_a_notice_that_says_what_is_missing() {
        match missing() {
            Some(why) => {
                assert!(index().contains("The dashboard is not part of this build"));
                assert!(why.len() > 10 && files().is_empty(), "{why}");
            }
            None => {
                assert!(index().contains("__CSP_NONCE__"));
                assert!(files().iter().any(|it| it.path.starts_with("assets/")));
            }
        }
    }

    #[test]
    fn a_notice_shows_its_reason_as_text() {
        assert!(notice("<b> & more").contains("&lt;b> &amp; more"));
    }
}
