//! Providers whose requests a source can receive.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A provider, and what its user does.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Provider {
    /// Its name: a source's `provider`, a signature's `scheme`.
    #[schema(example = "github")]
    pub name: String,
    /// Its name for people.
    #[schema(example = "GitHub")]
    pub title: String,
    /// Where the provider describes its signatures.
    #[schema(format = "uri")]
    pub docs_url: String,
    /// What to paste where, step by step. `{url}` stands for the source's receive URL, `{secret}` for its secret.
    #[schema(example = json!(["Payload URL: {url}", "Secret: {secret}"]))]
    pub setup: Vec<String>,
    /// Where the secret comes from: `gateway` (chosen or made here, pasted at the provider), `provider` (shown there,
    /// pasted here) or `handshake` (the provider sends it by itself).
    #[schema(example = "gateway")]
    pub secret_from: String,
    /// Whether the provider signs the public URL too, so that it must be known exactly.
    pub signs_url: bool,
    /// Whether the provider begins with a handshake, which a source answers by itself.
    pub handshake: bool,
}

/// Every provider.
pub type ProviderPage = crate::page::Page<Provider>;
