//! Logins that were saved: a TOML file in the user's configuration folder, readable by its owner alone.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::exit::Exit;
use crate::output;

/// The login that is used where none is named.
pub const DEFAULT: &str = "default";

/// What was saved under one name.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The server's URL.
    pub server: String,
    /// The tenant, where one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
}

/// Everything that was saved.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saved {
    /// By name.
    #[serde(default)]
    pub profiles: BTreeMap<String, Profile>,
}

type Lookup<'a> = dyn Fn(&str) -> Option<OsString> + 'a;

/// The file: `$XDG_CONFIG_HOME/hookyard/logins.toml`, else below `~/.config`. None where there is no home.
pub fn file(lookup: &Lookup<'_>) -> Option<PathBuf> {
    let absolute = |name: &str| lookup(name).map(PathBuf::from).filter(|it| it.is_absolute());
    let folder = absolute("XDG_CONFIG_HOME").or_else(|| Some(absolute("HOME")?.join(".config")))?;
    Some(folder.join("hookyard/logins.toml"))
}

/// Reads the file; one that is not there holds nothing.
pub fn load(lookup: &Lookup<'_>) -> anyhow::Result<Saved> {
    let Some(path) = file(lookup) else { return Ok(Saved::default()) };
    let shown = path.display();
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Saved::default()),
        Err(error) => return Err(error).with_context(|| format!("reading {shown}")),
    };
    if fs::metadata(&path).is_ok_and(|it| it.permissions().mode() & 0o077 != 0) {
        output::talk(format!(
            "warning: other users can read {shown}, keys and all; `chmod 600` it"
        ));
    }
    // The parser would show the line, and the key may stand in it.
    toml::from_str(&text).map_err(|error| {
        let at = error.span().map_or(0, |it| it.start.min(text.len()));
        let line = text.as_bytes()[..at].iter().filter(|it| **it == b'\n').count() + 1;
        Exit::Usage
            .because(format!("{shown}, line {line}: this is not what `hookyard login` writes"))
    })
}

/// Writes the file anew, whole or not at all.
pub fn save(saved: &Saved, path: &Path) -> anyhow::Result<()> {
    let folder = path.parent().context("the file of logins has no folder")?;
    let shown = path.display();
    let mut builder = fs::DirBuilder::new();
    let made = builder.recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("making {}", folder.display()))?;
    let text = toml::to_string(saved).context("writing the logins as TOML")?;
    let write = || -> std::io::Result<()> {
        // Made with mode 0600.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("writing {shown}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_stands_where_the_user_keeps_configuration() {
        let find = |pairs: &[(&str, &str)]| {
            file(&|name| pairs.iter().find(|it| it.0 == name).map(|it| it.1.into()))
        };
        let under = |path: &str| Some(PathBuf::from(path));
        assert_eq!(find(&[("HOME", "/h")]), under("/h/.config/hookyard/logins.toml"));
        let both = [("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")];
        assert_eq!(find(&both), under("/x/hookyard/logins.toml"));
        // A relative path there is to be ignored (XDG Base Directory Specification).
        let relative = [("HOME", "/h"), ("XDG_CONFIG_HOME", "x")];
        assert_eq!(find(&relative), under("/h/.config/hookyard/logins.toml"));
        assert_eq!(find(&[]), None);
    }

    #[test]
    fn what_is_saved_is_for_its_owner_alone_and_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let lookup = |name: &str| (name == "XDG_CONFIG_HOME").then(|| folder.path().into());
        let path = file(&lookup).unwrap();
        let profile =
            Profile { server: "https://a".into(), tenant: None, api_key: Some("k".into()) };
        let saved = Saved { profiles: BTreeMap::from([("x".to_owned(), profile)]) };
        save(&saved, &path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let mode = fs::metadata(path.parent().unwrap()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        assert_eq!(load(&lookup).unwrap().profiles["x"].api_key.as_deref(), Some("k"));
    }

    #[test]
    fn a_broken_file_is_named_by_its_line_and_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let lookup = |name: &str| (name == "XDG_CONFIG_HOME").then(|| folder.path().into());
        let path = file(&lookup).unwrap();
        fs::create_dir(path.parent().unwrap()).unwrap();
        fs::write(&path, "[profiles.a]\nserver = \"https://a\"\napi_key = \"hush\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let Err(error) = load(&lookup) else { panic!("it was read") };
        let error = format!("{error:#}");
        assert!(error.contains("line 3") && !error.contains("hush"), "{error}");
    }
}
