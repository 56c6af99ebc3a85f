//! Processor time and memory of a group of processes, on Linux.

use serde::{Deserialize, Serialize};

/// What a group of processes has used so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Usage {
    pub cpu_ms: u64,
    /// The sum of each process's peak.
    pub peak_kib: u64,
}

/// Milliseconds per tick: Linux shows 100 ticks per second to programs.
const TICK_MS: u64 = 10;

/// Sums the processes of a group, and their children that have ended.
pub fn usage(group: u32) -> Option<Usage> {
    let mut sum = Usage::default();
    let mut found = false;
    for entry in std::fs::read_dir("/proc").ok()?.flatten() {
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else {
            continue;
        };
        // The name of the program, in parentheses, may contain spaces.
        let Some((_, rest)) = stat.rsplit_once(") ") else {
            continue;
        };
        let fields: Vec<&str> = rest.split(' ').collect();
        let number = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok());
        if number(2) != Some(group.into()) {
            continue;
        }
        found = true;
        // utime, stime, cutime, cstime
        sum.cpu_ms += (11..15).filter_map(number).sum::<u64>() * TICK_MS;
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
        sum.peak_kib += peak.unwrap_or(0);
    }
    found.then_some(sum)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_busy_group_uses_time_and_memory() {
        use std::os::unix::process::CommandExt as _;
        let mut child = std::process::Command::new("sh")
            .args([
                "-c",
                "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; read line",
            ])
            .stdin(std::process::Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap();
        let enough = (0..500).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(20));
            usage(child.id()).is_some_and(|u| u.cpu_ms >= TICK_MS && u.peak_kib > 0)
        });
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(enough);
        assert_eq!(usage(child.id()), None);
    }
}
