//! The data folder: who may read it, and the master key's file in it.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::fs::Mode;

/// The file of the master key, where no `HOOKYARD_MASTER_KEY` is set.
pub const KEY_FILE: &str = "master.key";

/// From here on the process makes files and folders for its owner alone, backups too: payloads are nobody else's business.
pub fn keep_private() {
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
}

/// Makes the folder, for its owner alone, if it is not there.
pub fn prepare(folder: &Path) -> anyhow::Result<()> {
    let shown = folder.display();
    let mut builder = fs::DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("making the data folder {shown}"))?;
    let found =
        fs::metadata(folder).with_context(|| format!("looking at the data folder {shown}"))?;
    if open_to_others(&found) {
        tracing::warn!(folder = %shown, "the data folder can be read by other users; `chmod 700` it");
    }
    Ok(())
}

/// Other users may read or change it.
pub fn open_to_others(found: &fs::Metadata) -> bool {
    found.permissions().mode() & 0o077 != 0
}

/// The path of the master key's file.
pub fn key_file(folder: &Path) -> PathBuf {
    folder.join(KEY_FILE)
}

/// The text of the master key's file; `None` when there is no such file.
pub fn read_key_file(folder: &Path) -> std::io::Result<Option<String>> {
    match fs::read_to_string(key_file(folder)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes the master key's file, which must not be there, and has it on disk before anything is sealed with it.
pub fn write_key_file(folder: &Path, text: &str) -> std::io::Result<()> {
    let path = key_file(folder);
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_file_is_for_its_owner_alone_and_never_written_over() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read_key_file(folder.path()).unwrap(), None);
        write_key_file(folder.path(), "one").unwrap();
        let found = fs::metadata(key_file(folder.path())).unwrap();
        assert_eq!(found.permissions().mode() & 0o777, 0o600);
        assert!(write_key_file(folder.path(), "two").is_err());
        assert_eq!(read_key_file(folder.path()).unwrap().as_deref(), Some("one\n"));
    }

    #[test]
    fn a_new_data_folder_is_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("a/b");
        prepare(&data).unwrap();
        assert!(!open_to_others(&fs::metadata(&data).unwrap()));
    }
}
