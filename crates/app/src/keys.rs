//! A tenant's API keys. Their text is answered once; what is kept is a hash and the first characters.

use hookyard_domain::id::KeyId;
use hookyard_domain::key::{Key, KeyScope};
use hookyard_domain::limit;
use hookyard_domain::page::Page;
use hookyard_domain::secret::Secret;
use hookyard_rules::keys;

use crate::audit::{self, Act};
use crate::checks::{Checks, path_id};
use crate::pages::PageQuery;
use crate::{App, AppError, Caller};

/// A key to be made.
#[derive(Clone, Debug, Default)]
pub struct NewKey {
    /// For people.
    pub name: String,
    /// What it may do, at least one.
    pub scopes: Vec<String>,
    /// When it stops working.
    pub expires_at: Option<String>,
}

/// A key that was made, with the one chance to see its text.
#[derive(Clone, Debug)]
pub struct KeyMade {
    /// The key.
    pub key: Key,
    /// Its text.
    pub text: Secret,
}

impl App {
    /// Makes a key.
    pub async fn create_key(
        &self,
        caller: &Caller,
        tenant: &str,
        new: NewKey,
    ) -> Result<KeyMade, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Admin).await?;
        let now = self.now();
        let mut checks = Checks::default();
        if new.name.is_empty() {
            checks.required("/name");
        }
        let given = Some(new.name).filter(|it| !it.is_empty());
        let name = checks.text("/name", given, limit::NAME_CHARS_MAX);
        if new.scopes.is_empty() {
            checks.required("/scopes");
        }
        let mut scopes = Vec::new();
        for (at, scope) in new.scopes.iter().enumerate() {
            let pointer = format!("/scopes/{at}");
            let all = &KeyScope::ALL;
            scopes.extend(checks.one_of(&pointer, Some(scope), all, KeyScope::as_str));
        }
        let expires_at = checks.time("/expires_at", new.expires_at.as_deref());
        if expires_at.is_some_and(|it| it <= now) {
            checks.wrong("/expires_at", "in_the_past", "use a time that is still to come");
        }
        let name = checks.done_with(name)?;
        let text = Secret::new(keys::api_key(&self.dice()));
        let key = Key {
            id: self.fresh_id(now),
            tenant: no,
            name,
            scopes: Checks::distinct(scopes),
            hash: keys::hash(text.reveal()),
            hint: keys::hint(text.reveal()),
            expires_at,
            created_at: now,
        };
        let subject = key.id.to_string();
        let act = Act {
            action: "key.created",
            subject: &subject,
            after: Some(audit::key(&key)),
            ..Act::default()
        };
        self.store().create_key(key.clone(), self.entry(caller, now, act)).await?;
        Ok(KeyMade { key, text })
    }

    /// A tenant's keys, newest first.
    pub async fn keys(
        &self,
        caller: &Caller,
        tenant: &str,
        page: PageQuery,
    ) -> Result<Page<Key>, AppError> {
        let no = self.tenant_for(caller, tenant, KeyScope::Admin).await?;
        let mut checks = Checks::default();
        let page = page.check(&mut checks);
        checks.done()?;
        Ok(self.store().keys(no, page).await?)
    }

    /// Takes a key away; it stops working at once.
    pub async fn delete_key(
        &self,
        caller: &Caller,
        tenant: &str,
        id: &str,
    ) -> Result<(), AppError> {
        const NONE: AppError = AppError::NotFound { what: "API key" };
        let no = self.tenant_for(caller, tenant, KeyScope::Admin).await?;
        let id: KeyId = path_id(id, "API key")?;
        let old = self.store().key(no, id).await?.ok_or(NONE)?;
        let subject = id.to_string();
        let act = Act {
            action: "key.revoked",
            subject: &subject,
            before: Some(audit::key(&old)),
            ..Act::default()
        };
        let entry = self.entry(caller, self.now(), act);
        let deleted = self.store().delete_key(no, id, entry).await;
        // Forgotten whatever the store said: what it did is not known when it answers with an error.
        self.forget_key(id);
        if deleted? { Ok(()) } else { Err(NONE) }
    }
}
