//! Pages as callers ask for them.

use hookyard_domain::limit::{PAGE_DEFAULT, PAGE_MAX};
use hookyard_domain::page::PageRequest;

use crate::checks::Checks;

/// `?limit=` and `?cursor=` as they were written.
#[derive(Clone, Debug, Default)]
pub struct PageQuery {
    /// Rows at most.
    pub limit: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

impl PageQuery {
    pub(crate) fn check(self, checks: &mut Checks) -> PageRequest {
        let limit = match self.limit.as_deref().map(str::parse) {
            None => PAGE_DEFAULT,
            Some(Ok(limit)) if (1..=PAGE_MAX).contains(&limit) => limit,
            Some(_) => {
                checks.wrong("limit", "out_of_range", format!("use 1 to {PAGE_MAX}"));
                PAGE_DEFAULT
            }
        };
        let cursor = checks.parse("cursor", "bad_cursor", self.cursor.as_deref());
        PageRequest { limit, cursor }
    }
}
