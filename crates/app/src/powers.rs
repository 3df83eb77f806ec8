//! What a wish needs of its caller, and what keys and portal sessions give.

use hookyard_domain::key::KeyScope;
use hookyard_domain::portal::Capability;
use hookyard_domain::subscription::Scope;

use crate::caller::{KeyPowers, PortalPowers, Who};
use crate::error::Needs;

/// What a wish needs.
///
/// A portal session may be limited to a scope. Only wishes that keep to what their caller sees ([`crate::Caller::sees`]) may
/// say so here; whoever asks for a key's scope gets callers of the tenant as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Power {
    /// This scope of a key, in the tenant as a whole.
    Whole(KeyScope),
    /// To look at what the caller sees.
    Look,
    /// To change endpoints the caller sees.
    Manage,
    /// To send again what the caller sees.
    Replay,
}

impl From<KeyScope> for Power {
    fn from(scope: KeyScope) -> Self {
        Self::Whole(scope)
    }
}

impl Power {
    /// The scope a key needs for it.
    const fn key_scope(self) -> KeyScope {
        match self {
            Self::Whole(scope) => scope,
            Self::Look => KeyScope::Read,
            Self::Manage | Self::Replay => KeyScope::Write,
        }
    }

    /// What is missing of it in the tenant the caller belongs to.
    pub(crate) fn missing(self, who: &Who) -> Option<Needs> {
        match who {
            Who::Operator => None,
            Who::Key(powers) => {
                let scope = self.key_scope();
                (!powers.may(scope)).then_some(Needs::Scope(scope))
            }
            Who::Portal(powers) => self.missing_in_portal(powers),
        }
    }

    fn missing_in_portal(self, powers: &PortalPowers) -> Option<Needs> {
        let capability = match self {
            Self::Whole(KeyScope::Read) if powers.scope.is_none() => Capability::Read,
            Self::Whole(KeyScope::Read) => return Some(Needs::WholeTenant),
            Self::Whole(scope @ (KeyScope::Write | KeyScope::Publish | KeyScope::Admin)) => {
                return Some(Needs::Scope(scope));
            }
            Self::Look => Capability::Read,
            Self::Manage => Capability::Manage,
            Self::Replay => Capability::Replay,
        };
        (!powers.capabilities.contains(&capability)).then_some(Needs::Capability(capability))
    }
}

impl KeyPowers {
    pub(crate) fn may(&self, needs: KeyScope) -> bool {
        self.scopes.iter().any(|it| *it == needs || *it == KeyScope::Admin)
    }
}

impl Who {
    /// The one scope they are limited to.
    pub(crate) fn scope(&self) -> Option<&Scope> {
        match self {
            Self::Operator | Self::Key(_) => None,
            Self::Portal(powers) => powers.scope.as_ref(),
        }
    }

    /// The scopes of keys they have.
    pub(crate) fn key_scopes(&self) -> Vec<KeyScope> {
        match self {
            Self::Operator => KeyScope::ALL.to_vec(),
            Self::Key(powers) => powers.scopes.clone(),
            Self::Portal(_) => Vec::new(),
        }
    }

    /// The same in the portal's words.
    pub(crate) fn capabilities(&self) -> Vec<Capability> {
        let of = |it: &Capability| match it {
            Capability::Read => Power::Look,
            Capability::Manage => Power::Manage,
            Capability::Replay => Power::Replay,
        };
        Capability::ALL.into_iter().filter(|it| of(it).missing(self).is_none()).collect()
    }
}
