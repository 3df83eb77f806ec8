//! The start-up secrets: the operator's key and the master key (contract §1).

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use hookyard_domain::key::KeyHash;
use hookyard_domain::limit;
use hookyard_domain::page::PageRequest;
use hookyard_domain::secret::Secret;
use hookyard_domain::tenant::TenantNo;
use hookyard_domain::time::Chance;
use hookyard_rules::keys;
use hookyard_rules::seal::{self, Keyring, OpenError};
use hookyard_store::Store;

use crate::config::raw::Lookup;
use crate::config::settings::Settings;
use crate::exit::Exit;
use crate::sealed::Piece;
use crate::{data, sealed};

const OPERATOR_KEY: &str = "HOOKYARD_OPERATOR_KEY";
const MASTER_KEY: &str = "HOOKYARD_MASTER_KEY";
/// Endpoints and sources that a start tries the master key on: enough to notice a wrong one, too few to make the start slow.
const TRIED_AT_START: u64 = 1000;

/// What the environment gives.
pub struct Given {
    operator: Operator,
    master: Master,
}

/// The operator's key, if it is given.
pub struct Operator(Option<Secret>);

/// The master keys, if they are given.
pub struct Master(Option<Keyring>);

impl Given {
    /// Reads and checks both. An empty variable is a mistake here, never "unset".
    pub fn from_env(lookup: &Lookup<'_>) -> anyhow::Result<Self> {
        let text = |name: &str| {
            let bad = |_| Exit::Usage.because(format!("{name} is not UTF-8"));
            lookup(name).map(|it| it.into_string().map(Secret::new).map_err(bad)).transpose()
        };
        let operator = text(OPERATOR_KEY)?.map(usable).transpose()?;
        let bad = |error| Exit::Usage.because(format!("{MASTER_KEY}: {error}"));
        let master = text(MASTER_KEY)?;
        let master = master.map(|it| Keyring::parse(it.reveal()).map_err(bad)).transpose()?;
        Ok(Self { operator: Operator(operator), master: Master(master) })
    }

    /// The operator's key; where none is given, one that lives as long as this process.
    pub fn operator_or_passing(&mut self, chance: &dyn Chance) -> Secret {
        self.operator.0.get_or_insert_with(|| fresh_key(chance)).clone()
    }

    /// Every node of a shared store must seal with the same key, so none is made for it.
    pub fn fit_for(&self, settings: &Settings) -> anyhow::Result<()> {
        if settings.database.is_some() && self.master.0.is_none() {
            return Err(Exit::Usage.because(format!(
                "{MASTER_KEY} is not set, and with `--database-url` none is made: give every node the same base64 of 32 \
                 bytes, as from `openssl rand -base64 32`"
            )));
        }
        Ok(())
    }

    /// Each for itself.
    pub fn apart(self) -> (Master, Operator) {
        (self.master, self.operator)
    }
}

impl Operator {
    /// A key is given.
    pub fn is_given(&self) -> bool {
        self.0.is_some()
    }

    /// The hash of the key. Where none is given and the store has none, one is made; it is answered in the open this once.
    pub async fn hash(
        self,
        store: &dyn Store,
        chance: &dyn Chance,
    ) -> anyhow::Result<(KeyHash, Option<Secret>)> {
        if let Some(given) = self.0 {
            return Ok((keys::hash(given.reveal()), None));
        }
        if let Some(kept) = store.operator_key().await.context("reading the operator's key")? {
            return Ok((KeyHash(kept), None));
        }
        let made = fresh_key(chance);
        let hash = keys::hash(made.reveal());
        let kept = store.keep_operator_key(hash.0).await.context("keeping the operator's key")?;
        // Another node may have been first; its key is the one that was shown.
        Ok((KeyHash(kept), (kept == hash.0).then_some(made)))
    }
}

impl Master {
    /// The keys given, else the one of the key file, which is made where there is nothing yet to fit.
    pub async fn keyring(
        self,
        folder: &Path,
        store: &dyn Store,
        chance: &dyn Chance,
    ) -> anyhow::Result<Arc<Keyring>> {
        let Some(keyring) = self.found(folder)? else {
            return made(folder, store, chance).await.map(Arc::new);
        };
        fit(store, &keyring, TRIED_AT_START).await?;
        Ok(Arc::new(keyring))
    }

    /// The keys given, which must fit; what a shared store takes.
    pub async fn shared(self, store: &dyn Store) -> anyhow::Result<Arc<Keyring>> {
        let Some(keyring) = self.0 else {
            return Err(Exit::Usage.because(format!("{MASTER_KEY} is not set")));
        };
        fit(store, &keyring, TRIED_AT_START).await?;
        Ok(Arc::new(keyring))
    }

    /// The keys given.
    pub fn given(self) -> Option<Keyring> {
        self.0
    }

    /// The same without making anything: `None` where a start would make a key.
    pub fn found(self, folder: &Path) -> anyhow::Result<Option<Keyring>> {
        self.0.map_or_else(|| from_file(folder), |given| Ok(Some(given)))
    }
}

/// Long enough, and of characters that a header can carry.
fn usable(key: Secret) -> anyhow::Result<Secret> {
    let text = key.reveal();
    if text.chars().count() < limit::OPERATOR_KEY_CHARS_MIN {
        let least = limit::OPERATOR_KEY_CHARS_MIN;
        return Err(Exit::Usage.because(format!(
            "{OPERATOR_KEY} is too short: use {least} characters or more, or unset it to have one made at the first start"
        )));
    }
    if !text.bytes().all(|it| it.is_ascii_graphic()) {
        return Err(Exit::Usage.because(format!(
            "{OPERATOR_KEY} holds a space or a character that is not ASCII, which no header can carry"
        )));
    }
    Ok(key)
}

fn fresh_key(chance: &dyn Chance) -> Secret {
    let mut random = [0; 32];
    chance.fill(&mut random);
    Secret::new(keys::api_key(&random))
}

fn from_file(folder: &Path) -> anyhow::Result<Option<Keyring>> {
    let path = data::key_file(folder);
    let refused = |why: String| {
        Exit::Usage.because(format!("the master key in {} is unusable: {why}", path.display()))
    };
    let text = data::read_key_file(folder).map_err(|error| refused(error.to_string()))?;
    let text = text.map(Secret::new);
    text.map(|it| Keyring::parse(it.reveal().trim()).map_err(|error| refused(error.to_string())))
        .transpose()
}

/// A new master key, unless the store holds secrets that only an old one opens.
async fn made(folder: &Path, store: &dyn Store, chance: &dyn Chance) -> anyhow::Result<Keyring> {
    let path = data::key_file(folder);
    let shown = path.display();
    if any_sealed(store).await? {
        return Err(Exit::Usage.because(format!(
            "{shown} is missing, but the store holds secrets that were sealed with it; put the file back, or set {MASTER_KEY}"
        )));
    }
    let mut random = zeroize::Zeroizing::new([0; 32]);
    chance.fill(&mut *random);
    let text = seal::master_key(&random);
    data::write_key_file(folder, &text).with_context(|| format!("writing {shown}"))?;
    tracing::info!(file = %shown, "made a master key; keep a copy of the file apart from backups of the store");
    Keyring::parse(&text).with_context(|| format!("reading {shown} again"))
}

/// Tries the keys on what is sealed of at most `most` endpoints and sources; answers on how many.
pub async fn fit(store: &dyn Store, keyring: &Keyring, most: u64) -> anyhow::Result<u64> {
    let mut tried = 0;
    let mut tenants = Some(PageRequest::first(limit::PAGE_MAX));
    while let Some(page) = tenants.take() {
        let page = store.tenants(page).await.context("reading the tenants")?;
        for tenant in &page.rows {
            tried += fit_endpoints(store, keyring, tenant.no, most - tried).await?;
            tried += fit_sources(store, keyring, tenant.no, most - tried).await?;
            if tried >= most {
                return Ok(tried);
            }
        }
        tenants = next_page(page.next);
    }
    Ok(tried)
}

async fn fit_endpoints(
    store: &dyn Store,
    keyring: &Keyring,
    tenant: TenantNo,
    most: u64,
) -> anyhow::Result<u64> {
    let mut tried = 0;
    let mut endpoints = Some(PageRequest::first(limit::PAGE_MAX));
    while let Some(page) = endpoints.take() {
        let page = store.endpoints(tenant, page).await.context("reading the endpoints")?;
        for mut endpoint in page.rows {
            if tried >= most {
                return Ok(tried);
            }
            tried += u64::from(fits(keyring, sealed::of_endpoint(&mut endpoint))?);
        }
        endpoints = next_page(page.next);
    }
    Ok(tried)
}

async fn fit_sources(
    store: &dyn Store,
    keyring: &Keyring,
    tenant: TenantNo,
    most: u64,
) -> anyhow::Result<u64> {
    let mut tried = 0;
    let mut sources = Some(PageRequest::first(limit::PAGE_MAX));
    while let Some(page) = sources.take() {
        let page = store.sources(tenant, page).await.context("reading the sources")?;
        for mut source in page.rows {
            if tried >= most {
                return Ok(tried);
            }
            tried += u64::from(fits(keyring, sealed::of_source(&mut source))?);
        }
        sources = next_page(page.next);
    }
    Ok(tried)
}

pub(crate) fn next_page(cursor: Option<hookyard_domain::page::Cursor>) -> Option<PageRequest> {
    cursor.map(|it| PageRequest { limit: limit::PAGE_MAX, cursor: Some(it) })
}

/// Whether there was something to try the keys on.
fn fits(keyring: &Keyring, pieces: Vec<Piece<'_>>) -> anyhow::Result<bool> {
    let mut tried = false;
    for Piece { owner, what, sealed, place } in pieces {
        tried = true;
        match keyring.open(sealed, place.as_bytes()) {
            Ok(_) => {}
            Err(OpenError::UnknownKey) => return Err(misfit(&owner, what)),
            // One damaged row is its owner's trouble, and no reason to leave everybody else without a server.
            Err(
                error @ (OpenError::CutShort | OpenError::UnknownVersion(_) | OpenError::Refused),
            ) => {
                tracing::error!(owner, %error, what, "something sealed cannot be read");
            }
        }
    }
    Ok(tried)
}

fn misfit(owner: &str, what: &str) -> anyhow::Error {
    Exit::Usage.because(format!(
        "the master key does not fit the store: the {what} of {owner} was sealed with another one; put the right `{}` \
         back, or add the old key at the end of {MASTER_KEY}",
        data::KEY_FILE
    ))
}

/// The store holds a secret of any endpoint or source.
pub async fn any_sealed(store: &dyn Store) -> anyhow::Result<bool> {
    let mut tenants = Some(PageRequest::first(limit::PAGE_MAX));
    while let Some(page) = tenants.take() {
        let page = store.tenants(page).await.context("reading the tenants")?;
        for tenant in &page.rows {
            let endpoints = store.endpoints(tenant.no, PageRequest::first(1)).await;
            let sources = store.sources(tenant.no, PageRequest::first(1)).await;
            if !endpoints.context("reading the endpoints")?.rows.is_empty()
                || !sources.context("reading the sources")?.rows.is_empty()
            {
                return Ok(true);
            }
        }
        tenants = next_page(page.next);
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn given(name: &'static str, value: &'static str) -> anyhow::Result<Given> {
        Given::from_env(&move |it| (it == name).then(|| OsString::from(value)))
    }

    #[track_caller]
    fn refused(name: &'static str, value: &'static str, part: &str) {
        let Err(error) = given(name, value) else { panic!("`{value}` is taken") };
        assert_eq!(Exit::of(&error), Exit::Usage);
        let text = format!("{error:#}");
        assert!(text.contains(name) && text.contains(part), "{text}");
        assert!(value.is_empty() || !text.contains(value), "the secret is shown: {text}");
    }

    #[test]
    fn an_operator_key_has_twenty_characters_that_a_header_can_carry() {
        assert!(given(OPERATOR_KEY, "exactly-20-character").unwrap().operator.is_given());
        refused(OPERATOR_KEY, "only-19-characters-", "20 characters");
        refused(OPERATOR_KEY, "", "20 characters");
        refused(OPERATOR_KEY, "twenty characters and a space", "space");
    }

    #[test]
    fn a_master_key_is_a_list_of_32_bytes_in_base64() {
        let key = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
        assert!(given(MASTER_KEY, key).is_ok());
        assert!(
            given(
                MASTER_KEY,
                concat!(
                    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                    ",",
                    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
                )
            )
            .is_ok()
        );
        refused(MASTER_KEY, "", "32 bytes");
        refused(MASTER_KEY, "c2hvcnQ=", "32");
        refused(MASTER_KEY, "!!!!", "base64");
    }

    #[test]
    fn a_passing_operator_key_stays_the_same_within_the_process() {
        struct FixedChance;
        impl Chance for FixedChance {
            fn fill(&self, bytes: &mut [u8]) {
                bytes.fill(7);
            }
        }
        let mut given = Given::from_env(&|_| None).unwrap();
        let key = given.operator_or_passing(&FixedChance);
        assert!(key.reveal().len() >= limit::OPERATOR_KEY_CHARS_MIN);
        assert_eq!(given.operator_or_passing(&FixedChance), key);
    }
}
