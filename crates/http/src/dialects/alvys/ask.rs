//! What handlers of this surface take from a request, and how they answer.

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::response::Response;
use hookyard_app::{AppError, Caller};
use hookyard_domain::invalid::Invalid;
use hookyard_domain::profile::Profile;
use http::header::{ETAG, IF_MATCH};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::errors::Refused;
use crate::ask;
use crate::state::DoorState;

/// Rows of a page when none are asked for, and at most (vendors.md §2.8).
const PAGE_SIZE: (u32, u32) = (50, 100);

/// What a handler answers.
pub type Reply = Result<Response, Refused>;

/// A JSON answer.
pub fn reply(status: StatusCode, value: &impl Serialize) -> Reply {
    Ok(ask::reply(status, value)?)
}

/// The same with the revision that `If-Match` wants back.
pub fn reply_at(status: StatusCode, revision: u64, value: &impl Serialize) -> Reply {
    let mut response = reply(status, value)?;
    let tag = HeaderValue::try_from(format!("\"{revision}\""));
    response.headers_mut().insert(ETAG, tag.map_err(|error| AppError::Internal(error.into()))?);
    Ok(response)
}

/// Who asks, for which tenant, and what the path names.
pub struct At {
    /// Who asks; they see the webhooks of this surface.
    pub caller: Caller,
    /// The tenant of their key.
    pub tenant: String,
    /// The webhook, where the path names one.
    pub id: String,
    /// The row of the delivery log, where the path names one.
    pub log: String,
}

impl FromRequestParts<DoorState> for At {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &DoorState) -> Result<Self, Refused> {
        let (caller, tenant) = ask::member(parts, state, Profile::Alvys).await?;
        let [id, log] = ask::path(parts, state).await.ok_or(Refused::NoRoute)?;
        Ok(Self { caller, tenant, id, log })
    }
}

/// A JSON body.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<DoorState> for Json<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &DoorState) -> Result<Self, Refused> {
        Ok(Self(ask::json(request).await?))
    }
}

/// The revisions that `If-Match` names; `None`: any will do. A weak tag never matches (RFC 9110 §13.1.1).
pub fn if_match(headers: &HeaderMap) -> Option<Vec<u64>> {
    let mut given = headers.get_all(IF_MATCH).iter().peekable();
    given.peek()?;
    let mut revisions = Vec::new();
    for tag in given.flat_map(|it| it.to_str().unwrap_or_default().split(',')) {
        let tag = tag.trim();
        if tag == "*" {
            return None;
        }
        let bare = tag.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        revisions.extend(bare.and_then(|it| it.parse::<u64>().ok()));
    }
    Some(revisions)
}

/// The parameters of a query. What is left over at the end is refused, so that a misspelt filter does not show everything.
pub struct Params {
    given: Vec<(String, String)>,
    wrong: Vec<Invalid>,
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let bad =
            |_| Refused::Fields(vec![Invalid::new("$", "bad_query", "the query is unreadable")]);
        let Query(mut given) =
            Query::<Vec<(String, String)>>::try_from_uri(&parts.uri).map_err(bad)?;
        // The version stands in the path; a client may name it here too.
        given.retain(|(name, _)| !name.eq_ignore_ascii_case("api-version"));
        Ok(Self { given, wrong: Vec::new() })
    }
}

impl Params {
    /// Takes one parameter.
    pub fn take(&mut self, name: &str) -> Option<String> {
        let at = self.given.iter().position(|(it, _)| it == name)?;
        Some(self.given.remove(at).1).filter(|it| !it.is_empty())
    }

    /// Takes one that may be there several times, with brackets or without.
    pub fn take_all(&mut self, name: &str) -> Vec<String> {
        let is_it = |it: &str| it == name || it.strip_suffix("[]") == Some(name);
        let (taken, left) =
            std::mem::take(&mut self.given).into_iter().partition(|(it, _)| is_it(it));
        self.given = left;
        let taken: Vec<(String, String)> = taken;
        taken.into_iter().map(|(_, value)| value).filter(|it| !it.is_empty()).collect()
    }

    /// Takes a whole number between two bounds, both included.
    pub fn number(&mut self, name: &str, least: u32, most: u32) -> Option<u32> {
        let text = self.take(name)?;
        let number = text.parse().ok().filter(|it| (least..=most).contains(it));
        if number.is_none() {
            self.wrong(name, format!("use a whole number, {least} to {most}"));
        }
        number
    }

    /// Takes those of a page.
    pub fn page(&mut self) -> (u32, u32) {
        let page = self.number("Page", 0, i32::MAX.unsigned_abs()).unwrap_or(0);
        (page, self.number("PageSize", 1, PAGE_SIZE.1).unwrap_or(PAGE_SIZE.0))
    }

    /// Notes a wrong parameter.
    pub fn wrong(&mut self, name: &str, message: impl Into<String>) {
        self.wrong.push(Invalid::new(name, "bad_parameter", message));
    }

    /// Nothing may be wrong or left.
    pub fn end(mut self) -> Result<(), Refused> {
        let message = "there is no such parameter here, or it is there twice";
        let left = self.given.into_iter();
        self.wrong.extend(left.map(|(name, _)| Invalid::new(name, "unknown_parameter", message)));
        if self.wrong.is_empty() { Ok(()) } else { Err(Refused::Fields(self.wrong)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[&'static str], want: Option<Vec<u64>>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IF_MATCH, HeaderValue::from_static(value));
        }
        assert_eq!(if_match(&headers), want, "{values:?}");
    }

    #[test]
    fn if_match_names_revisions_and_anything_else_matches_nothing() {
        check(&[], None);
        check(&["*"], None);
        check(&["\"3\""], Some(vec![3]));
        check(&["\"3\", \"4\"", "\"5\""], Some(vec![3, 4, 5]));
        check(&["W/\"3\""], Some(vec![]));
        check(&["3"], Some(vec![]));
        check(&[""], Some(vec![]));
        check(&["\"x\""], Some(vec![]));
    }

    fn params(query: &str) -> Params {
        let uri = format!("/x?{query}").parse().unwrap();
        Params { given: Query::try_from_uri(&uri).unwrap().0, wrong: Vec::new() }
    }

    #[test]
    fn pages_have_bounds_and_unknown_parameters_are_refused() {
        let mut good = params("Page=2&PageSize=100");
        assert_eq!(good.page(), (2, 100));
        assert!(good.end().is_ok());
        for bad in ["PageSize=101", "PageSize=0", "Page=-1", "Page=x", "page=1"] {
            let mut params = params(bad);
            params.page();
            assert!(params.end().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_list_is_read_with_brackets_and_without() {
        let mut params = params("Status[]=failed&Status=timeout&Other=1");
        assert_eq!(params.take_all("Status"), ["failed", "timeout"]);
        assert_eq!(params.take("Other").as_deref(), Some("1"));
        assert!(params.end().is_ok());
    }
}
