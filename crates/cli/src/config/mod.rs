//! Settings: where they come from ([`sources`]), as they are written ([`raw`]), as they are used ([`settings`]).

pub mod raw;
pub mod settings;
pub mod sources;
