//! The data folder: may it be written to, is there room, does the store open, do the keys fit, is the clock sane.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use hookyard_domain::page::PageRequest;
use hookyard_domain::time::{Clock as _, Timestamp};
use hookyard_store::Store;
use hookyard_store::history::EventFilter;

use super::Check;
use crate::clock::SystemClock;
use crate::compose::{self, Folder};
use crate::config::settings::Settings;
use crate::data;
use crate::secrets::{self, Given, Master, Operator};

/// Below this the next burst may fill the disk.
const FREE_BYTES_COMFORTABLE: u64 = 1024 * 1024 * 1024;
/// Below this SQLite may not even fold its log in.
const FREE_BYTES_MIN: u64 = 64 * 1024 * 1024;
/// 2026-01-01: no machine that runs this binary lives before it.
pub(super) const EPOCH: Timestamp = Timestamp::from_secs(1_767_225_600);
/// How far ahead of the clock a row or file may be before the clock is doubted.
const AHEAD: std::time::Duration = std::time::Duration::from_secs(60);

/// The checks, in the order they build on each other.
pub async fn checks(settings: &Settings, given: Given) -> Vec<Check> {
    let folder = settings.data.as_path();
    let mut checks = vec![data_folder(folder), disk_space(folder)];
    match compose::folder(folder) {
        Ok(Folder::Empty) => {
            checks.push(Check::ok("store", "none yet; the first start makes it"));
            checks.push(clock(None, folder));
        }
        Ok(Folder::InUse) => {
            checks.push(Check::ok("store", "in use by a running server, so it was not opened"));
            checks.push(clock(None, folder));
        }
        Ok(Folder::Free) => checks.extend(open_and_look(folder, given).await),
        Err(error) => checks.push(Check::fail("store", format!("{error:#}"))),
    }
    checks
}

/// The folder, or where it would be made.
fn data_folder(folder: &Path) -> Check {
    const WHAT: &str = "data folder";
    let shown = folder.display();
    let Ok(found) = fs::metadata(folder) else {
        return match nearest(folder) {
            Some(parent) if writable(&parent) => {
                Check::ok(WHAT, format!("{shown} is not there yet; the first start makes it"))
            }
            _ => Check::fail(WHAT, format!("{shown} is not there and cannot be made by this user")),
        };
    };
    if !found.is_dir() {
        return Check::fail(WHAT, format!("{shown} is not a folder"));
    }
    if !writable(folder) {
        return Check::fail(WHAT, format!("{shown} cannot be written to by this user"));
    }
    if data::open_to_others(&found) {
        return Check::warn(
            WHAT,
            format!("{shown} can be read by other users; `chmod 700 {shown}`"),
        );
    }
    Check::ok(WHAT, format!("{shown}, writable, for its owner alone"))
}

/// The folder itself, or the nearest one above it that exists.
fn nearest(folder: &Path) -> Option<PathBuf> {
    let absolute = std::path::absolute(folder).ok()?;
    absolute.ancestors().find(|it| it.is_dir()).map(Path::to_owned)
}

/// Tried with a file, since permissions alone do not tell of read-only disks.
fn writable(folder: &Path) -> bool {
    tempfile::tempfile_in(folder).is_ok()
}

fn disk_space(folder: &Path) -> Check {
    const WHAT: &str = "disk space";
    let free = nearest(folder).and_then(|it| rustix::fs::statvfs(&it).ok());
    let Some(free) = free.map(|it| it.f_bavail.saturating_mul(it.f_frsize)) else {
        return Check::warn(WHAT, "cannot be asked for");
    };
    let said = format!("{} MiB free", free / (1024 * 1024));
    match free {
        FREE_BYTES_COMFORTABLE.. => Check::ok(WHAT, said),
        FREE_BYTES_MIN.. => Check::warn(WHAT, format!("{said}; less than 1 GiB")),
        _ => Check::fail(WHAT, format!("{said}; make room before events are accepted")),
    }
}

async fn open_and_look(folder: &Path, given: Given) -> Vec<Check> {
    // Opening it would bring it up to date, and a look must change nothing.
    match compose::schema_version(folder) {
        Ok(found) if found < compose::schema_version_known() => {
            let known = compose::schema_version_known();
            let said = format!(
                "has schema version {found}; the next start, or `hookyard migrate`, brings it to {known}"
            );
            return vec![Check::warn("store", said), clock(None, folder)];
        }
        Ok(_) => {}
        Err(error) => return vec![Check::fail("store", format!("{error:#}"))],
    }
    let store = match compose::open_store(folder).await {
        Ok(store) => store,
        Err(error) => return vec![Check::fail("store", format!("{error:#}"))],
    };
    let mut checks = vec![store_check(folder, &store).await];
    let (master, operator) = given.apart();
    checks.push(operator_key(&operator, &*store).await);
    checks.push(master_key(folder, master, &*store).await);
    checks.push(clock(newest_event(&*store).await, folder));
    checks
}

async fn store_check(folder: &Path, store: &Arc<dyn Store>) -> Check {
    const WHAT: &str = "store";
    if let Err(error) = store.ping().await {
        return Check::fail(
            WHAT,
            format!("cannot be written to: {:#}", anyhow::Error::from(error)),
        );
    }
    match compose::quick_check(folder).await {
        Ok(problems) if problems.is_empty() => {
            Check::ok(WHAT, "opens, can be written to, is whole")
        }
        Ok(problems) => Check::fail(WHAT, format!("is damaged: {}", problems.join("; "))),
        Err(error) => Check::fail(WHAT, format!("cannot be read: {error:#}")),
    }
}

pub(super) async fn operator_key(given: &Operator, store: &dyn Store) -> Check {
    const WHAT: &str = "operator key";
    if given.is_given() {
        return Check::ok(WHAT, "given by HOOKYARD_OPERATOR_KEY");
    }
    match store.operator_key().await {
        Ok(Some(_)) => Check::ok(WHAT, "made at the first start"),
        Ok(None) => Check::ok(WHAT, "none yet; the next start makes one and prints it once"),
        Err(error) => {
            Check::fail(WHAT, format!("cannot be read: {:#}", anyhow::Error::from(error)))
        }
    }
}

async fn master_key(folder: &Path, given: Master, store: &dyn Store) -> Check {
    const WHAT: &str = "master key";
    let found = async {
        match given.found(folder)? {
            Some(keyring) => secrets::fit(store, &keyring, u64::MAX).await.map(Some),
            None if secrets::any_sealed(store).await? => anyhow::bail!(
                "there is none, but the store holds secrets sealed with one; put `{}` back into the data folder, or set \
                 HOOKYARD_MASTER_KEY",
                data::KEY_FILE
            ),
            None => Ok(None),
        }
    };
    match found.await {
        Ok(Some(tried)) => {
            Check::ok(WHAT, format!("opens the secrets of the store ({tried} endpoints)"))
        }
        Ok(None) => Check::ok(WHAT, "none yet; the next start makes one"),
        Err(error) => Check::fail(WHAT, format!("{error:#}")),
    }
}

/// When the newest event of any tenant was accepted.
async fn newest_event(store: &dyn Store) -> Option<Timestamp> {
    let tenants = store.retained().await.ok()?;
    let mut newest = None;
    for tenant in tenants {
        let page = store.events(tenant.tenant, EventFilter::default(), PageRequest::first(1)).await;
        let at = page.ok().and_then(|it| it.rows.first().map(|row| row.event.accepted_at));
        newest = newest.max(at);
    }
    newest
}

fn clock(newest_event: Option<Timestamp>, folder: &Path) -> Check {
    const WHAT: &str = "clock";
    let now = SystemClock.now();
    if now < EPOCH {
        return Check::fail(WHAT, format!("says {now}, which is long past; set it"));
    }
    let limit = now.plus(AHEAD);
    if let Some(at) = newest_event.filter(|it| *it > limit) {
        return Check::fail(
            WHAT,
            format!("says {now}, but the newest event was accepted at {at}; set it"),
        );
    }
    if let Some(at) = newest_file(folder).filter(|it| *it > limit) {
        return Check::warn(
            WHAT,
            format!("says {now}, but a file of the data folder was written at {at}"),
        );
    }
    Check::ok(WHAT, format!("says {now}"))
}

fn newest_file(folder: &Path) -> Option<Timestamp> {
    let written = |entry: std::io::Result<fs::DirEntry>| {
        let at = entry.ok()?.metadata().ok()?.modified().ok()?;
        jiff::Timestamp::try_from(at).ok().map(|it| Timestamp::from_millis(it.as_millisecond()))
    };
    fs::read_dir(folder).ok()?.filter_map(written).max()
}
