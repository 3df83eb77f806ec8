//! Whom a command speaks to: flags, then the login that was named, then the environment, then the default login.

use std::ffi::OsString;

use hookyard_api::client::Server;
use hookyard_domain::secret::Secret;

use super::profiles::{self, Profile};
use super::{Common, input};
use crate::exit::Exit;

/// The server where nobody names one: what `hookyard serve` and `hookyard dev` listen on.
const SERVER_DEFAULT: &str = "http://127.0.0.1:8080";

/// A server, a key, and the tenant that is meant.
pub struct Target {
    pub server: Server,
    pub key: Secret,
    pub tenant: Option<String>,
}

type Lookup<'a> = dyn Fn(&str) -> Option<OsString> + 'a;

impl Target {
    /// Finds all three.
    pub fn find(flags: &Common, lookup: &Lookup<'_>) -> anyhow::Result<Self> {
        let (named, usual) = logins(flags, lookup)?;
        let url = flags.server.clone().or_else(|| named.as_ref().map(|it| it.server.clone()));
        let url = match url {
            Some(url) => Some(url),
            None => variable(lookup, "HOOKYARD_URL")?,
        };
        let url = url.or_else(|| usual.as_ref().map(|it| it.server.clone()));
        let server = parse(url.as_deref().unwrap_or(SERVER_DEFAULT))?;
        // A key and a tenant belong to the server they were saved with, and are not said to another.
        let of = |profile: Option<Profile>| {
            profile.filter(|it| parse(&it.server).ok().as_ref() == Some(&server))
        };
        let (named, usual) = (of(named).unwrap_or_default(), of(usual).unwrap_or_default());
        let key = first([
            flags.api_key.as_deref().map(input::secret).transpose()?,
            named.api_key,
            variable(lookup, "HOOKYARD_API_KEY")?,
            usual.api_key,
        ]);
        let tenant = first([
            flags.tenant.clone(),
            named.tenant,
            variable(lookup, "HOOKYARD_TENANT")?,
            usual.tenant,
        ]);
        let key = key.ok_or_else(|| {
            Exit::Unauthenticated.because(format!(
                "no API key for {server}: set HOOKYARD_API_KEY, give `--api-key @FILE`, or save one with `hookyard login`"
            ))
        })?;
        Ok(Self { server, key: Secret::new(key), tenant })
    }
}

/// The server that `login` is about.
pub fn find_server(flag: Option<&str>, lookup: &Lookup<'_>) -> anyhow::Result<Server> {
    let url = match flag {
        Some(url) => Some(url.to_owned()),
        None => variable(lookup, "HOOKYARD_URL")?,
    };
    parse(url.as_deref().unwrap_or(SERVER_DEFAULT))
}

/// The login that a flag names, else the default one.
fn logins(
    flags: &Common,
    lookup: &Lookup<'_>,
) -> anyhow::Result<(Option<Profile>, Option<Profile>)> {
    let Some(name) = &flags.login else {
        return Ok((None, profiles::load(lookup)?.profiles.remove(profiles::DEFAULT)));
    };
    match profiles::load(lookup)?.profiles.remove(name) {
        Some(profile) => Ok((Some(profile), None)),
        None => {
            let message = format!(
                "there is no login `{name}`; `hookyard login --list` shows those there are"
            );
            Err(Exit::Usage.because(message))
        }
    }
}

fn parse(url: &str) -> anyhow::Result<Server> {
    url.parse().map_err(|bad| Exit::Usage.because(format!("the server's URL is wrong: {bad}")))
}

fn first<const N: usize>(all: [Option<String>; N]) -> Option<String> {
    all.into_iter().flatten().find(|it| !it.is_empty())
}

/// A variable of the environment; an empty one says nothing. Its value is never repeated: it may be the key.
pub fn variable(lookup: &Lookup<'_>, name: &str) -> anyhow::Result<Option<String>> {
    let Some(value) = lookup(name).filter(|it| !it.is_empty()) else { return Ok(None) };
    let value = value.into_string();
    value.map(Some).map_err(|_| Exit::Usage.because(format!("{name} is not UTF-8 text")))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "[profiles.default]\nserver = \"https://a\"\napi_key = \"file\"\ntenant = \"filed\"\n\
        [profiles.other]\nserver = \"https://b\"\napi_key = \"other\"\n";

    fn common(pairs: &[(&str, &str)]) -> Common {
        let get = |name: &str| pairs.iter().find(|it| it.0 == name).map(|it| it.1.to_owned());
        Common {
            server: get("server"),
            api_key: get("api_key"),
            tenant: get("tenant"),
            login: get("login"),
            json: false,
            idempotency_key: None,
        }
    }

    /// Server, key and tenant that come of flags and variables, with the file above.
    fn find(
        flags: &[(&str, &str)],
        env: &[(&str, &str)],
    ) -> anyhow::Result<(String, String, String)> {
        let folder = tempfile::tempdir().unwrap();
        let saved = toml::from_str(FILE).unwrap();
        profiles::save(&saved, &folder.path().join("hookyard/logins.toml")).unwrap();
        let lookup = |name: &str| {
            if name == "XDG_CONFIG_HOME" {
                return Some(folder.path().into());
            }
            env.iter().find(|it| it.0 == name).map(|it| it.1.into())
        };
        let found = Target::find(&common(flags), &lookup)?;
        let tenant = found.tenant.unwrap_or_default();
        Ok((found.server.to_string(), found.key.reveal().to_owned(), tenant))
    }

    #[track_caller]
    fn check(flags: &[(&str, &str)], env: &[(&str, &str)], want: (&str, &str, &str)) {
        let (server, key, tenant) = find(flags, env).unwrap();
        assert_eq!((&*server, &*key, &*tenant), want);
    }

    #[test]
    fn a_flag_wins_over_the_environment_which_wins_over_the_login() {
        check(&[], &[], ("https://a", "file", "filed"));
        let env = [("HOOKYARD_API_KEY", "env"), ("HOOKYARD_TENANT", "set"), ("HOOKYARD_URL", "")];
        check(&[], &env, ("https://a", "env", "set"));
        check(&[("tenant", "flag"), ("api_key", "k")], &env, ("https://a", "k", "flag"));
        check(&[("login", "other")], &env, ("https://b", "other", "set"));
    }

    #[test]
    fn a_saved_key_is_not_said_to_another_server() {
        let error = find(&[("server", "https://elsewhere")], &[]).unwrap_err();
        assert_eq!(Exit::of(&error), Exit::Unauthenticated);
        assert!(error.to_string().contains("https://elsewhere"), "{error}");
        check(
            &[("server", "https://elsewhere"), ("api_key", "k")],
            &[],
            ("https://elsewhere", "k", ""),
        );
        check(&[("server", "https://a/")], &[], ("https://a", "file", "filed"));
    }

    #[test]
    fn a_login_that_is_not_there_and_a_bad_url_are_usage_errors() {
        for flags in [("login", "none"), ("server", "ftp://a"), ("server", "https://u:hush@a")] {
            let error = find(&[flags], &[]).unwrap_err();
            assert_eq!(Exit::of(&error), Exit::Usage, "{error}");
            assert!(!error.to_string().contains("hush"), "{error}");
        }
    }
}
