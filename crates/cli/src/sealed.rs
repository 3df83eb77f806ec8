//! What of an endpoint is sealed, and sealing it anew when the master key was rotated.

use anyhow::Context as _;
use hookyard_domain::endpoint::Endpoint;
use hookyard_domain::limit;
use hookyard_domain::page::PageRequest;
use hookyard_domain::secret::Sealed;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Chance;
use hookyard_rules::seal::Keyring;
use hookyard_store::Store;

use crate::secrets::next_page;

/// One sealed value.
pub struct Piece<'a> {
    /// What it is, for people.
    pub what: &'static str,
    /// The value.
    pub sealed: &'a Sealed,
    /// Where it belongs; sealed for anywhere else it does not open.
    pub place: String,
}

/// Everything sealed of an endpoint.
pub fn pieces(endpoint: &Endpoint) -> Vec<Piece<'_>> {
    let secrets = &endpoint.secrets;
    let previous = secrets.previous.as_ref();
    [
        ("secret", secrets.current.as_ref(), secret_place(endpoint)),
        ("previous secret", previous.map(|(sealed, _)| sealed), secret_place(endpoint)),
        ("headers", endpoint.headers.as_ref(), headers_place(endpoint)),
    ]
    .into_iter()
    .filter_map(|(what, sealed, place)| Some(Piece { what, sealed: sealed?, place }))
    .collect()
}

fn secret_place(endpoint: &Endpoint) -> String {
    endpoint.id.to_string()
}

fn headers_place(endpoint: &Endpoint) -> String {
    format!("{}.headers", endpoint.id)
}

/// How it went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Anew {
    /// Endpoints that were sealed with the newest key.
    pub endpoints: u64,
    /// Values that none of the keys opens; they stay as they are.
    pub shut: u64,
}

/// Seals with the newest key whatever an older one has sealed, so that the older one can be taken away. Before serving:
/// nobody changes an endpoint meanwhile.
pub async fn anew(
    store: &dyn Store,
    keyring: &Keyring,
    chance: &dyn Chance,
) -> anyhow::Result<Anew> {
    let mut done = Anew::default();
    if !keyring.is_rotating() {
        return Ok(done);
    }
    let mut tenants = Some(PageRequest::first(limit::PAGE_MAX));
    while let Some(page) = tenants.take() {
        let page = store.tenants(page).await.context("reading the tenants")?;
        for tenant in &page.rows {
            anew_of_tenant(store, (keyring, chance), tenant.no, &mut done).await?;
        }
        tenants = next_page(page.next);
    }
    Ok(done)
}

async fn anew_of_tenant(
    store: &dyn Store,
    (keyring, chance): (&Keyring, &dyn Chance),
    tenant: TenantNo,
    done: &mut Anew,
) -> anyhow::Result<()> {
    let mut endpoints = Some(PageRequest::first(limit::PAGE_MAX));
    while let Some(page) = endpoints.take() {
        let page = store.endpoints(tenant, page).await.context("reading the endpoints")?;
        for mut endpoint in page.rows {
            let id = endpoint.id;
            if anew_of_endpoint((keyring, chance), &mut endpoint, &mut done.shut) {
                let kept = store.reseal_endpoint(endpoint).await;
                let kept = kept.with_context(|| format!("sealing endpoint {id} anew"))?;
                done.endpoints += u64::from(kept);
            }
        }
        endpoints = next_page(page.next);
    }
    Ok(())
}

/// Whether anything was sealed anew.
fn anew_of_endpoint(
    (keyring, chance): (&Keyring, &dyn Chance),
    endpoint: &mut Endpoint,
    shut: &mut u64,
) -> bool {
    let (secret, headers) = (secret_place(endpoint), headers_place(endpoint));
    let secrets = &mut endpoint.secrets;
    let all = [
        (secrets.current.as_mut(), &secret),
        (secrets.previous.as_mut().map(|(sealed, _)| sealed), &secret),
        (endpoint.headers.as_mut(), &headers),
    ];
    let mut changed = false;
    for (sealed, place) in all {
        let Some(sealed) = sealed.filter(|it| !keyring.is_newest(it)) else { continue };
        match keyring.open(sealed, place.as_bytes()) {
            Ok(plain) => {
                let mut nonce = [0; 12];
                chance.fill(&mut nonce);
                *sealed = keyring.seal(&plain, place.as_bytes(), nonce);
                changed = true;
            }
            Err(error) => {
                *shut += 1;
                tracing::error!(endpoint.id = %endpoint.id, %error, "something sealed of an endpoint cannot be read");
            }
        }
    }
    changed
}
