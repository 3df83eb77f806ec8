//! What is sealed of endpoints and sources, and sealing it anew when the master key was rotated.

use std::fmt::Display;

use anyhow::Context as _;
use hookyard_domain::endpoint::Endpoint;
use hookyard_domain::limit;
use hookyard_domain::page::PageRequest;
use hookyard_domain::secret::{Sealed, SealedSecrets};
use hookyard_domain::source::Source;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Chance;
use hookyard_rules::seal::Keyring;
use hookyard_store::Store;

use crate::secrets::next_page;

/// One sealed value.
pub struct Piece<'a> {
    /// Whose it is, for people.
    pub owner: String,
    /// What it is, for people.
    pub what: &'static str,
    /// The value.
    pub sealed: &'a mut Sealed,
    /// Where it belongs; sealed for anywhere else it does not open.
    pub place: String,
}

/// Everything sealed of an endpoint.
pub fn of_endpoint(endpoint: &mut Endpoint) -> Vec<Piece<'_>> {
    let (id, headers) = (endpoint.id, endpoint.headers.as_mut());
    pieces(("endpoint", id), &mut endpoint.secrets, ("headers", headers))
}

/// Everything sealed of a source.
pub fn of_source(source: &mut Source) -> Vec<Piece<'_>> {
    let (id, token) = (source.id, source.verify_token.as_mut());
    pieces(("source", id), &mut source.secrets, ("verify_token", token))
}

fn pieces<'a>(
    (noun, id): (&str, impl Display),
    secrets: &'a mut SealedSecrets,
    (name, more): (&'static str, Option<&'a mut Sealed>),
) -> Vec<Piece<'a>> {
    let previous = secrets.previous.as_mut().map(|(sealed, _)| sealed);
    let all = [
        ("secret", secrets.current.as_mut(), id.to_string()),
        ("previous secret", previous, id.to_string()),
        (name, more, format!("{id}.{name}")),
    ];
    let there = all.into_iter().filter_map(|(what, sealed, place)| {
        Some(Piece { owner: format!("{noun} {id}"), what, sealed: sealed?, place })
    });
    there.collect()
}

/// How it went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anew {
    /// Endpoints that were sealed with the newest key.
    pub endpoints: u64,
    /// Sources that were.
    pub sources: u64,
    /// Values that none of the keys opens; they stay as they are.
    pub shut: u64,
}

/// Seals with the newest key whatever an older one has sealed, so that the older one can be taken away. Before serving:
/// nobody changes an endpoint or a source meanwhile.
pub async fn anew(
    store: &dyn Store,
    keyring: &Keyring,
    chance: &dyn Chance,
) -> anyhow::Result<Anew> {
    let mut done = Anew::default();
    if !keyring.is_rotating() {
        return Ok(done);
    }
    let tools = (keyring, chance);
    let mut tenants = Some(PageRequest::first(limit::PAGE_MAX));
    while let Some(page) = tenants.take() {
        let page = store.tenants(page).await.context("reading the tenants")?;
        for tenant in &page.rows {
            endpoints_anew(store, tools, tenant.no, &mut done).await?;
            sources_anew(store, tools, tenant.no, &mut done).await?;
        }
        tenants = next_page(page.next);
    }
    Ok(done)
}

async fn endpoints_anew(
    store: &dyn Store,
    tools: (&Keyring, &dyn Chance),
    tenant: TenantNo,
    done: &mut Anew,
) -> anyhow::Result<()> {
    let mut endpoints = Some(PageRequest::first(limit::PAGE_MAX));
    while let Some(page) = endpoints.take() {
        let page = store.endpoints(tenant, page).await.context("reading the endpoints")?;
        for mut endpoint in page.rows {
            let id = endpoint.id;
            if pieces_anew(tools, of_endpoint(&mut endpoint), &mut done.shut) {
                let kept = store.reseal_endpoint(endpoint).await;
                let kept = kept.with_context(|| format!("sealing endpoint {id} anew"))?;
                done.endpoints += u64::from(kept);
            }
        }
        endpoints = next_page(page.next);
    }
    Ok(())
}

async fn sources_anew(
    store: &dyn Store,
    tools: (&Keyring, &dyn Chance),
    tenant: TenantNo,
    done: &mut Anew,
) -> anyhow::Result<()> {
    let mut sources = Some(PageRequest::first(limit::PAGE_MAX));
    while let Some(page) = sources.take() {
        let page = store.sources(tenant, page).await.context("reading the sources")?;
        for mut source in page.rows {
            let id = source.id;
            if pieces_anew(tools, of_source(&mut source), &mut done.shut) {
                let kept = store.reseal_source(source).await;
                let kept = kept.with_context(|| format!("sealing source {id} anew"))?;
                done.sources += u64::from(kept);
            }
        }
        sources = next_page(page.next);
    }
    Ok(())
}

/// Whether anything was sealed anew.
fn pieces_anew(
    (keyring, chance): (&Keyring, &dyn Chance),
    pieces: Vec<Piece<'_>>,
    shut: &mut u64,
) -> bool {
    let mut changed = false;
    for Piece { owner, what, sealed, place } in pieces {
        if keyring.is_newest(sealed) {
            continue;
        }
        match keyring.open(sealed, place.as_bytes()) {
            Ok(plain) => {
                let mut nonce = [0; 12];
                chance.fill(&mut nonce);
                *sealed = keyring.seal(&plain, place.as_bytes(), nonce);
                changed = true;
            }
            Err(error) => {
                *shut += 1;
                tracing::error!(owner, %error, what, "something sealed cannot be read");
            }
        }
    }
    changed
}
