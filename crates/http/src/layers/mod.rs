//! What every request passes, in this order: its id, the guard, its line in the log, its count.
//!
//! One service instead of a layer each, since every layer of the router costs each request an allocation or two.

pub mod limits;
pub mod log;
pub mod request_id;

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::Response;
use http::HeaderValue;
use http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, X_CONTENT_TYPE_OPTIONS};
use tower::{Layer, Service};

use crate::state::DoorState;

/// Wraps every route.
#[derive(Clone)]
pub struct Front(DoorState);

impl Front {
    /// The layer of one process.
    #[must_use]
    pub fn new(state: DoorState) -> Self {
        Self(state)
    }
}

impl<S> Layer<S> for Front {
    type Service = FrontService<S>;

    fn layer(&self, inner: S) -> FrontService<S> {
        FrontService { state: self.0.clone(), inner }
    }
}

/// The service [`Front`] makes.
#[derive(Clone)]
pub struct FrontService<S> {
    state: DoorState,
    inner: S,
}

impl<S> Service<Request> for FrontService<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
    S::Future: Future<Output = Result<Response, Infallible>> + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, ctx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(ctx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let id = request_id::of(&request, &self.state);
        let line = log::Line::begin(&request, &id);
        let state = self.state.clone();
        let is_somebodys =
            [AUTHORIZATION, COOKIE].iter().any(|it| request.headers().contains_key(it));
        let answer = limits::check(&request).map(|()| self.inner.call(request));
        Box::pin(async move {
            let mut response = match answer {
                Ok(answer) => limits::guard(answer, &id).await,
                Err(refused) => refused,
            };
            state.answered().count(response.status());
            if let Some(line) = line {
                line.end(&response);
            }
            let headers = response.headers_mut();
            headers.insert(request_id::NAME, id);
            headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            // What is somebody's is kept by nobody on the way, unless its route says otherwise.
            if is_somebodys && !headers.contains_key(CACHE_CONTROL) {
                headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            }
            Ok(response)
        })
    }
}
