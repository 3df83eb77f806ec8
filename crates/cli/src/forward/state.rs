//! What is remembered between two runs: the signing secret, and how far a listener has come. In the user's state folder,
//! readable by its owner alone.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use hookyard_domain::profile::Profile;
use hookyard_domain::secret::Secret;
use hookyard_domain::time::{Chance, Timestamp};
use hookyard_rules::signing;
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::exit::Exit;

/// How often a place that moves is written: what was brought since then is brought again after a power cut.
const WRITE_EVERY: Duration = Duration::from_millis(200);

/// The folder.
pub struct State(PathBuf);

impl State {
    /// `$XDG_STATE_HOME/hookyard/listen`, else below `~/.local/state`.
    pub fn open(lookup: &dyn Fn(&str) -> Option<OsString>) -> anyhow::Result<Self> {
        let absolute = |name: &str| lookup(name).map(PathBuf::from).filter(|it| it.is_absolute());
        let home = || Some(absolute("HOME")?.join(".local/state"));
        let folder = absolute("XDG_STATE_HOME").or_else(home);
        let folder = folder
            .ok_or_else(|| Exit::Usage.because("neither XDG_STATE_HOME nor HOME is set"))?
            .join("hookyard/listen");
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.with_context(|| format!("making {}", folder.display()))?;
        Ok(Self(folder))
    }

    /// The secret that a profile's events are signed with here, always the same.
    pub fn secret(&self, profile: Profile, chance: &dyn Chance) -> anyhow::Result<Secret> {
        let path = self.0.join(format!("secret-{profile}"));
        let read = || -> anyhow::Result<Option<Secret>> {
            match fs::read_to_string(&path) {
                Ok(text) => Ok(Some(Secret::new(text.trim().to_owned()))),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
            }
        };
        if let Some(secret) = read()? {
            return Ok(secret);
        }
        let mut random = [0_u8; 32];
        chance.fill(&mut random);
        let fresh = signing::generate(profile, &random);
        let mut file = tempfile::NamedTempFile::new_in(&self.0).context("keeping the secret")?;
        file.write_all(fresh.reveal().as_bytes()).context("keeping the secret")?;
        match file.persist_noclobber(&path) {
            Ok(_) => Ok(fresh),
            // Another listener was first.
            Err(_) => read()?.with_context(|| format!("keeping {}", path.display())),
        }
    }

    /// Takes the place of a listener; nobody else has it at the same time.
    pub fn place(&self, server: &str, tenant: &str, name: &str) -> anyhow::Result<Place> {
        let stem = format!("{}@{}@{}", plain(server), plain(tenant), plain(name));
        let path = self.0.join(format!("{stem}.json"));
        let lock = self.0.join(format!("{stem}.lock"));
        let held = File::create(&lock).with_context(|| format!("making {}", lock.display()))?;
        flock(&held, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
            Exit::Refused.because(format!(
                "`{name}` listens to this tenant already; give this one another name with `--name`"
            ))
        })?;
        let kept = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .with_context(|| format!("reading {}; delete it to begin anew", path.display()))?,
            Err(error) if error.kind() == ErrorKind::NotFound => Kept::default(),
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        Ok(Place { path, kept, written_at: None, is_written: true, _held: held })
    }
}

/// A text as part of a file's name, another one for each text.
fn plain(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02x}"));
        }
    }
    name
}

/// What is in the file.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    /// The `id` of the last message that was done with.
    cursor: Option<String>,
    /// When that was.
    at: Option<String>,
}

/// How far a listener has come.
pub struct Place {
    path: PathBuf,
    kept: Kept,
    written_at: Option<Instant>,
    is_written: bool,
    /// Its lock, for as long as this lives.
    _held: File,
}

impl Place {
    /// Behind which message to go on, and when it was read.
    pub fn found(&self) -> Option<(&str, &str)> {
        let Kept { cursor, at } = &self.kept;
        Some((cursor.as_deref()?, at.as_deref().unwrap_or("an unknown time")))
    }

    /// A message was done with.
    pub fn moved(&mut self, cursor: &str, now: Timestamp) -> anyhow::Result<()> {
        self.kept = Kept { cursor: Some(cursor.to_owned()), at: Some(now.to_string()) };
        self.is_written = false;
        match self.written_at {
            Some(at) if at.elapsed() < WRITE_EVERY => Ok(()),
            Some(_) | None => self.write(),
        }
    }

    /// Writes down what is not written yet.
    pub fn write(&mut self) -> anyhow::Result<()> {
        if self.is_written {
            return Ok(());
        }
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let keep = || -> anyhow::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer(&mut file, &self.kept)?;
            file.persist(&self.path)?;
            Ok(())
        };
        keep().with_context(|| format!("writing {}", self.path.display()))?;
        self.written_at = Some(Instant::now());
        self.is_written = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    struct Dice;

    impl Chance for Dice {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    fn state(folder: &Path) -> State {
        State::open(&|name| (name == "XDG_STATE_HOME").then(|| folder.into())).unwrap()
    }

    #[test]
    fn a_secret_stays_the_same_and_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let state = state(folder.path());
        let first = state.secret(Profile::Aly, &Dice).unwrap();
        assert_eq!(state.secret(Profile::Aly, &Dice).unwrap(), first);
        assert!(first.reveal().starts_with("whsec_"));
        let file = folder.path().join("hookyard/listen/secret-aly");
        assert_eq!(fs::metadata(file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_ne!(state.secret(Profile::Standard, &Dice).unwrap(), first);
    }

    #[test]
    fn a_place_is_found_again_and_taken_by_one_alone() {
        let folder = tempfile::tempdir().unwrap();
        let state = state(folder.path());
        let mut place = state.place("http://a", "acme", "x").unwrap();
        assert_eq!(place.found(), None);
        let taken = state.place("http://a", "acme", "x").err().unwrap();
        assert_eq!(Exit::of(&taken), Exit::Refused);
        for name in ["other", "X"] {
            assert_eq!(state.place("http://a", "acme", name).unwrap().found(), None);
        }
        place.moved("1.2", Timestamp::from_secs(0)).unwrap();
        place.moved("1.3", Timestamp::from_secs(1)).unwrap();
        place.write().unwrap();
        drop(place);
        let place = state.place("http://a", "acme", "x").unwrap();
        assert_eq!(place.found(), Some(("1.3", "1970-01-01T00:00:01.000Z")));
    }
}
