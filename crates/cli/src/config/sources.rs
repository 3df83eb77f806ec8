//! Where settings come from, strongest first: flag, environment, file, default.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::raw::{DatabaseUrl, Lookup, Raw};
use super::settings::Settings;
use crate::exit::Exit;

/// Every setting, for commands that serve.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(
    after_help = "Every option can also be set as HOOKYARD_<OPTION> in the environment (HOOKYARD_LISTEN, \
    HOOKYARD_ALLOW_NETWORK with commas …) and, but for --config, as a key of the TOML file. A flag wins over the \
    environment, the environment over the file.\n\nSecrets come by the environment only: HOOKYARD_OPERATOR_KEY (20 \
    characters or more; unset, one is made at the first start and printed once) and HOOKYARD_MASTER_KEY (base64 of 32 \
    bytes; a comma-separated list while rotating, newest first; unset, `master.key` is made in the data folder)."
)]
pub struct Flags {
    /// Settings file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Everything that can be set.
    #[command(flatten)]
    pub raw: Raw,
}

/// The settings that say where the store is, for commands that only need it.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct PlaceFlags {
    /// Settings file (TOML)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder of the embedded store [default: ./hookyard-data]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Shared store, for several nodes: postgres://…
    #[arg(long, value_name = "URL")]
    pub database_url: Option<DatabaseUrl>,
}

impl From<PlaceFlags> for Flags {
    fn from(flags: PlaceFlags) -> Self {
        let PlaceFlags { config, data, database_url } = flags;
        Self { config, raw: Raw { data, database_url, ..Raw::default() } }
    }
}

/// The process's environment: the one place that reads it.
#[expect(clippy::disallowed_methods, reason = "this is where settings are read")]
pub fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Merges every source.
pub fn load(flags: Flags, lookup: &Lookup<'_>) -> anyhow::Result<Settings> {
    load_over(Raw::default(), flags, lookup)
}

/// Merges every source over a command's own defaults.
pub fn load_over(defaults: Raw, flags: Flags, lookup: &Lookup<'_>) -> anyhow::Result<Settings> {
    let named = lookup("HOOKYARD_CONFIG").filter(|it| !it.is_empty()).map(PathBuf::from);
    let file = flags.config.or(named).map(|path| read(&path)).transpose()?.unwrap_or_default();
    flags.raw.or(Raw::from_env(lookup)?).or(file).or(defaults).try_into()
}

/// Reads the settings file.
fn read(path: &Path) -> anyhow::Result<Raw> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Exit::Usage.because(format!("cannot read the settings file {shown}: {error}"))
    })?;
    toml::from_str(&text).map_err(|error| {
        let start = error.span().map_or(0, |it| it.start.min(text.len()));
        let number = text[..start].matches('\n').count();
        // The parser's message names the key only where it is unknown.
        let key =
            text.lines().nth(number).and_then(|line| line.split_once('=')).map_or("", |it| it.0);
        let (number, key, message) = (number + 1, key.trim(), error.message());
        Exit::Usage.because(format!("settings file {shown}, line {number}, `{key}`: {message}"))
    })
}

#[cfg(test)]
mod tests {
    use clap::{Args as _, FromArgMatches as _};

    use super::*;
    use crate::config::raw::{Listen, LogFormat};

    fn flags(line: &[&str]) -> Flags {
        let command = Flags::augment_args(clap::Command::new("hookyard").no_binary_name(true));
        Flags::from_arg_matches(&command.try_get_matches_from(line).unwrap()).unwrap()
    }

    fn env<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<OsString> + 'a {
        |name| pairs.iter().find(|(it, _)| *it == name).map(|(_, value)| OsString::from(value))
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[track_caller]
    fn refused(line: &[&str], pairs: &[(&str, &str)]) -> String {
        let error = load(flags(line), &env(pairs)).unwrap_err();
        assert_eq!(Exit::of(&error), Exit::Usage, "{error:#}");
        format!("{error:#}")
    }

    #[test]
    fn a_flag_wins_over_the_environment_which_wins_over_the_file_which_wins_over_the_default() {
        let file = file("listen = \"127.0.0.1:3\"\nlog = \"warn\"\ndata = \"/file\"\n");
        let path = file.path().to_str().unwrap();
        let settings = load(
            flags(&["--listen", "127.0.0.1:1", "--config", path]),
            &env(&[("HOOKYARD_LISTEN", "127.0.0.1:2"), ("HOOKYARD_LOG", "debug")]),
        )
        .unwrap();
        assert_eq!(settings.listen.port(), 1);
        assert_eq!(settings.log, "debug");
        assert_eq!(settings.data, PathBuf::from("/file"));
        assert_eq!(settings.shutdown_grace.as_secs(), 30);
        assert_eq!(settings.log_format, LogFormat::Text);
    }

    #[test]
    fn every_flag_is_a_variable_and_a_key_of_the_file() {
        let samples = [
            ("listen", "127.0.0.1:1", "\"127.0.0.1:1\""),
            ("data", "/d", "\"/d\""),
            ("database-url", "postgres://h/d", "\"postgres://h/d\""),
            ("database-ca", "/ca.pem", "\"/ca.pem\""),
            ("database-connections", "9", "9"),
            ("database-statement-timeout", "7", "7"),
            ("database-pooler", "true", "true"),
            ("node-name", "one", "\"one\""),
            ("node-lease", "20", "20"),
            ("public-url", "https://h", "\"https://h\""),
            ("allow-network", "10.0.0.0/8,fd00::/8", "[\"10.0.0.0/8\", \"fd00::/8\"]"),
            ("allow-http", "true", "true"),
            (
                "portal-frame-ancestors",
                "self,https://a.example",
                "[\"self\", \"https://a.example\"]",
            ),
            ("shutdown-grace", "5", "5"),
            ("max-in-flight", "6", "6"),
            ("log", "warn", "\"warn\""),
            ("log-format", "json", "\"json\""),
        ];
        let command = Raw::augment_args(clap::Command::new("hookyard"));
        let known: Vec<_> = command.get_arguments().filter_map(|it| it.get_long()).collect();
        assert_eq!(known, samples.map(|(flag, ..)| flag), "every flag needs a sample here");
        for (flag, in_env, in_file) in samples {
            let name = format!("HOOKYARD_{}", flag.to_uppercase().replace('-', "_"));
            let by_env = Raw::from_env(&env(&[(&name, in_env)])).unwrap();
            let by_file: Raw = toml::from_str(&format!("{flag} = {in_file}")).unwrap();
            let underscored = flag.replace('-', "_");
            let underscored: Raw = toml::from_str(&format!("{underscored} = {in_file}")).unwrap();
            assert_eq!(by_file, underscored, "{flag}");
            assert_ne!(by_env, Raw::default(), "{flag}");
            assert_eq!(by_env, by_file, "{flag}");
            assert_eq!(by_env, Raw::default().or(by_file), "{flag}");
        }
    }

    #[test]
    fn the_file_can_be_named_by_the_environment() {
        let file = file("listen = \"127.0.0.1:3\"\n");
        let pairs = [("HOOKYARD_CONFIG", file.path().to_str().unwrap())];
        assert_eq!(load(flags(&[]), &env(&pairs)).unwrap().listen.port(), 3);
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_key_file_and_line() {
        let file = file("data = \"/d\"\nlissten = \"127.0.0.1:3\"\n");
        let path = file.path().to_str().unwrap();
        let error = refused(&["--config", path], &[]);
        assert!(error.contains("lissten") && error.contains(path), "{error}");
        assert!(error.contains("line 2"), "{error}");
    }

    #[test]
    fn a_wrong_value_is_an_error_that_names_where_it_stands() {
        let file = file("listen = \"nowhere\"\n");
        let path = file.path().to_str().unwrap();
        let error = refused(&["--config", path], &[]);
        assert!(error.contains("`listen`") && error.contains("address and a port"), "{error}");
        assert!(refused(&["--config", "/no/such"], &[]).contains("/no/such"));
        assert!(refused(&[], &[("HOOKYARD_LISTEN", "x")]).contains("HOOKYARD_LISTEN=`x`"));
        assert!(refused(&[], &[("HOOKYARD_ALLOW_HTTP", "yes")]).contains("HOOKYARD_ALLOW_HTTP"));
        assert!(refused(&["--shutdown-grace", "4000"], &[]).contains("0 to 3600"));
        assert!(refused(&["--max-in-flight", "0"], &[]).contains("1 to 1000000"));
        assert!(refused(&["--log", "a=b=c"], &[]).contains("--log"));
    }

    #[test]
    fn the_database_has_settings_of_its_own_which_need_it() {
        let url = ["--database-url", "postgres://me:hunter2@h/d"];
        let database = load(flags(&url), &env(&[])).unwrap().database.unwrap();
        assert_eq!((database.connections, database.lease.as_secs()), (8, 15));
        assert!(!format!("{database:?}").contains("hunter2"), "{database:?}");
        assert!(refused(&["--node-name", "one"], &[]).contains("--database-url"));
        assert!(refused(&[], &[("HOOKYARD_NODE_LEASE", "9")]).contains("`--node-lease`"));
        let pairs = [("HOOKYARD_DATABASE_URL", "mysql://me:hunter2@h/d")];
        let text = refused(&[], &pairs);
        assert!(text.contains("postgres://") && !text.contains("hunter2"), "{text}");
        for bad in ["--node-name=a b", "--node-lease=1", "--database-connections=0"] {
            let name = bad.split_once('=').unwrap().0;
            let text = refused(&[url[0], url[1], bad], &[]);
            assert!(text.contains(name) && !text.contains("hunter2"), "{text}");
        }
    }

    #[test]
    fn an_empty_variable_says_nothing_and_a_switch_can_be_turned_off_again() {
        let pairs = [("HOOKYARD_LISTEN", ""), ("HOOKYARD_ALLOW_HTTP", "1")];
        let settings = load(flags(&["--allow-http=false"]), &env(&pairs)).unwrap();
        assert!(!settings.allow_http);
        assert_eq!(Some(Listen(settings.listen)), "127.0.0.1:8080".parse().ok());
        assert!(load(flags(&[]), &env(&pairs)).unwrap().allow_http);
    }
}
