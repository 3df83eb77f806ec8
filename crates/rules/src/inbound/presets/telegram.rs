//! Telegram bots. The secret itself is sent.

use super::super::recipe::{Dedupe, Place, Proof, Recipe};
use super::{Preset, SecretFrom};

pub(super) const PRESET: Preset = Preset {
    name: "telegram",
    title: "Telegram",
    docs: "https://core.telegram.org/bots/api#setwebhook",
    setup: &["Call setWebhook of the bot.", "url: {url}", "secret_token: {secret}"],
    secret_from: SecretFrom::Gateway,
    challenge: None,
    receipt: None,
    recipe: Recipe {
        proofs: &[Proof::Token(Place::Header("X-Telegram-Bot-Api-Secret-Token"))],
        event_type: &[&[Place::Fixed("update")]],
        dedupe: Dedupe::by(&[&[Place::Json("/update_id")]]),
    },
};

#[cfg(test)]
mod tests {
    use super::super::testing::{Vector, check_secrets};
    use super::PRESET;

    #[test]
    fn the_token_verifies_and_the_update_is_read() {
        let headers = &[("X-Telegram-Bot-Api-Secret-Token", "tok-1")];
        let vector =
            Vector { secret: "tok-1", headers, body: r#"{"update_id":7}"#, ..Vector::default() };
        check_secrets(&PRESET, vector);
        assert_eq!(vector.run(&PRESET).unwrap().dedupe_id.as_deref(), Some("7"));
    }
}
