//! CPU time and memory of a process, from `/proc`. Where there is no `/proc`, every reading is `None`.

use std::fs;
use std::time::Duration;

use tokio::time::sleep;

/// A clock tick in `/proc/<pid>/stat`: Linux fixes `USER_HZ` at 100 per second for user space.
const TICK_MS: f64 = 10.0;
/// How often a process is looked at while waiting for it to become idle, and for how long at most.
const LOOK_EVERY: Duration = Duration::from_millis(150);
const LOOKS_MAX: usize = 40;

/// A process that is measured.
#[derive(Clone, Copy, Debug)]
pub(super) enum Process {
    /// This one: generator and sink.
    Own,
    /// Another one on this machine.
    Pid(u32),
    /// All of this name on this machine, with those of theirs that have ended.
    Named(&'static str),
}

impl Process {
    fn folders(self) -> Vec<String> {
        match self {
            Self::Own => vec!["/proc/self".to_owned()],
            Self::Pid(pid) => vec![format!("/proc/{pid}")],
            Self::Named(name) => named(name),
        }
    }

    /// CPU time of all its threads so far, in user and kernel mode.
    pub(super) fn cpu_ms(self) -> Option<f64> {
        // Of a family, those that ended count where they are waited for: at its head.
        let family = matches!(self, Self::Named(_));
        let stats = self.folders().into_iter().map(|it| fs::read_to_string(it + "/stat").ok());
        let times: Vec<f64> = stats.flatten().filter_map(|it| cpu_ms_in(&it, family)).collect();
        (!times.is_empty()).then(|| times.iter().sum())
    }

    /// The most memory it has ever held resident, in MiB.
    pub(super) fn peak_memory_mib(self) -> Option<f64> {
        let folder = self.folders().into_iter().next()?;
        peak_memory_mib_in(&fs::read_to_string(folder + "/status").ok()?)
    }

    /// Waits until it uses (next to) no CPU, so that work left over counts where it was caused.
    pub(super) async fn idle(self) {
        let mut before = self.cpu_ms();
        for _ in 0..LOOKS_MAX {
            sleep(LOOK_EVERY).await;
            let now = self.cpu_ms();
            if now.zip(before).is_none_or(|(now, before)| now - before <= TICK_MS) {
                return;
            }
            before = now;
        }
    }
}

/// The folders of all processes with that name.
fn named(name: &str) -> Vec<String> {
    let all = fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter_map(|it| it.path().to_str().map(ToOwned::to_owned))
        .filter(|it| fs::read_to_string(format!("{it}/comm")).is_ok_and(|it| it.trim_end() == name))
        .collect()
}

fn cpu_ms_in(stat: &str, with_ended: bool) -> Option<f64> {
    // The name of the program stands in parentheses and may hold anything, spaces too.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_ascii_whitespace().skip(11);
    let user: f64 = times.next()?.parse().ok()?;
    let system: f64 = times.next()?.parse().ok()?;
    let ended: f64 = times.take(2).filter_map(|it| it.parse::<f64>().ok()).sum();
    let ended = if with_ended { ended } else { 0.0 };
    Some((user + system + ended) * TICK_MS)
}

fn peak_memory_mib_in(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_time_is_read_past_a_strange_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 4 0 99";
        assert_eq!(cpu_ms_in(stat, false), Some(3000.0));
        assert_eq!(cpu_ms_in(&stat.replace(" 50 0 0 ", " 50 20 10 "), true), Some(3300.0));
        assert_eq!(cpu_ms_in("nonsense", false), None);
    }

    #[test]
    fn peak_memory_is_read_in_mib() {
        assert_eq!(peak_memory_mib_in("Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t 1 kB\n"), Some(2.0));
        assert_eq!(peak_memory_mib_in("Name:\tx\n"), None);
    }
}
