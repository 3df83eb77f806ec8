//! Sources: inbound receivers.

use hookyard_domain::secret::Secret;
use hookyard_domain::source as domain;
use hookyard_domain::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::json::{Json, Texts, TextsSchema};
use crate::patch::Patch;

mirror! {
    /// The state of a source.
    SourceStatus = domain::SourceStatus {
        /// What it receives is recorded and passed on.
        Active,
        /// What it receives is recorded, and passed on in order when it is resumed.
        Paused,
        /// It refuses everything.
        Disabled,
    }
}

/// A source.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Source {
    /// Its id.
    #[schema(example = "src_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub id: String,
    /// For people.
    pub name: String,
    /// Who sends: a name of `/v1/providers`.
    #[schema(example = "github")]
    pub provider: String,
    /// The scope its events get.
    pub scope: Option<String>,
    /// The URL the provider was told, where that is not `receive_url`.
    #[schema(format = "uri")]
    pub public_url: Option<String>,
    /// Types that are passed on; empty is all.
    #[schema(example = json!(["push", "pull_request.*"]))]
    pub events: Vec<String>,
    /// For people.
    pub description: Option<String>,
    /// The owner's own object.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Json>,
    /// Its state.
    pub status: SourceStatus,
    /// Where the provider sends.
    #[schema(
        format = "uri",
        example = "https://hooks.example.com/in/src_01jv0g6xwre3zb0g8v4q5n6m7k"
    )]
    pub receive_url: String,
    /// It has a secret. Without one it believes nobody.
    pub has_secret: bool,
    /// It has a text for its provider's handshake.
    pub has_verify_token: bool,
    /// Events it recorded.
    pub event_count: u64,
    /// When it recorded the last one.
    #[schema(format = "date-time")]
    pub last_event_at: Option<String>,
    /// When it was made.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub created_at: String,
    /// When it was changed last.
    #[schema(format = "date-time", example = "2026-05-19T08:35:14.000Z")]
    pub updated_at: String,
    /// Until when requests signed with the secret before the last rotation are believed too, while they overlap.
    #[schema(format = "date-time", example = "2026-05-20T08:35:14.000Z")]
    pub previous_secret_expires_at: Option<String>,
    /// The secret, only in the answer that made or rotated it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    pub secret: Option<String>,
}

/// A page of sources.
pub type SourcePage = crate::page::Page<Source>;

impl Source {
    /// The wire form of a source, what is counted of it, where its provider sends, and until when its secrets overlap.
    #[must_use]
    pub fn new(
        source: domain::Source,
        activity: domain::SourceActivity,
        receive_url: String,
        overlap_until: Option<Timestamp>,
    ) -> Self {
        let settings = source.settings;
        Self {
            id: source.id.to_string(),
            name: settings.name,
            provider: settings.provider,
            scope: settings.scope.map(|it| it.as_str().to_owned()),
            public_url: settings.public_url,
            events: settings.events.iter().map(ToString::to_string).collect(),
            description: settings.description,
            metadata: settings.metadata.as_deref().and_then(Json::read),
            status: source.status.into(),
            receive_url,
            has_secret: source.secrets.current.is_some(),
            has_verify_token: source.verify_token.is_some(),
            event_count: activity.event_count,
            last_event_at: activity.last_event_at.map(|at| at.to_string()),
            created_at: source.created_at.to_string(),
            updated_at: source.updated_at.to_string(),
            previous_secret_expires_at: overlap_until.map(|at| at.to_string()),
            secret: None,
        }
    }

    /// The same with its secret shown, once.
    #[must_use]
    pub fn with_secret(mut self, secret: Option<&Secret>) -> Self {
        self.secret = secret.map(|it| it.reveal().to_owned());
        self
    }
}

/// A source to be made.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSource {
    /// For people.
    #[serde(default)]
    #[schema(required = true, min_length = 1, max_length = 120, example = "GitHub of the shop")]
    pub name: String,
    /// Who sends: a name of `/v1/providers`. `custom` is a sender of your own.
    #[schema(max_length = 100, default = "custom", example = "github")]
    pub provider: Option<String>,
    /// The secret that requests are verified with. Left out, it is made here where the provider takes one; where the provider
    /// makes it, it may be given later; where the provider sends it in its handshake, nothing has to be done.
    #[schema(min_length = 1, max_length = 512)]
    pub secret: Option<String>,
    /// The scope its events get.
    #[schema(min_length = 1, max_length = 128)]
    pub scope: Option<String>,
    /// The text you give the provider for its handshake (Meta).
    #[schema(min_length = 1, max_length = 512)]
    pub verify_token: Option<String>,
    /// The URL the provider was told, where that is not `receive_url`; some providers sign it.
    #[schema(max_length = 2048, format = "uri")]
    pub public_url: Option<String>,
    /// Types that are passed on, others are recorded only: exact types, prefix patterns such as `order.*`, or `*`. Left out
    /// or empty is all.
    #[schema(value_type = Option<TextsSchema>, example = json!(["push"]))]
    pub events: Option<Texts>,
    /// For people.
    #[schema(min_length = 1, max_length = 2000)]
    pub description: Option<String>,
    /// Your own object; kept, never read.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Json>,
}

/// Changes of a source; what is left out stays, `null` sets back to nothing.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SourcePatch {
    /// For people.
    #[serde(default)]
    #[schema(value_type = String, min_length = 1, max_length = 120)]
    pub name: Patch<String>,
    /// Who sends; `null` is `custom`. The secret must suit it.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 100)]
    pub provider: Patch<String>,
    /// The secret that requests are verified with; the old one ends at once (`rotate-secret` lets both overlap).
    #[serde(default)]
    #[schema(value_type = String, min_length = 1, max_length = 512)]
    pub secret: Patch<String>,
    /// The scope its events get.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 128)]
    pub scope: Patch<String>,
    /// The text you give the provider for its handshake (Meta).
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 512)]
    pub verify_token: Patch<String>,
    /// The URL the provider was told, where that is not `receive_url`.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 2048, format = "uri")]
    pub public_url: Patch<String>,
    /// Types that are passed on; `null` or empty is all.
    #[serde(default)]
    #[schema(value_type = Option<TextsSchema>)]
    pub events: Patch<Texts>,
    /// For people.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 2000)]
    pub description: Patch<String>,
    /// Your own object; replaces it.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub metadata: Patch<Json>,
    /// Its state.
    #[serde(default)]
    #[schema(value_type = SourceStatus)]
    pub status: Patch<String>,
}

/// How a source's secret is rotated. An empty body does it with the profile's overlap.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateSourceSecret {
    /// Seconds during which both secrets are believed; left out is the profile's overlap.
    #[schema(value_type = Option<u32>, maximum = 604_800, example = 86_400)]
    pub overlap_s: Option<i64>,
    /// The secret to be in force; left out it is made here, where the provider takes one. Where the provider sends it in its
    /// handshake, the next handshake brings it.
    #[schema(min_length = 1, max_length = 512)]
    pub secret: Option<String>,
}

/// A received event that is on disk, or was before.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Recorded {
    /// The event's id.
    #[schema(example = "evt_01jv0g6xwre3zb0g8v4q5n6m7k")]
    pub id: String,
}
