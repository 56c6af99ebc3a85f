//! The builds of Windows' own files on one system.
//!
//! A patched Windows mixes the builds of many patch months: a file has the build of the last month that
//! changed it. On recorded hosts the commonest of 38 to 50 builds has 15 to 19% of the files, and 8 to
//! 15% are as released; on servers more are.

use crate::numbers::decimal;
use crate::random::{Key, choose};

/// Revisions of patch months by base build, ascending; the first is the release.
const REVISIONS: [(u32, &[u32]); 5] = [
    (
        17763,
        &[
            1, 107, 134, 168, 194, 253, 292, 316, 348, 404, 437, 475, 529, 557, 592, 615, 678, 719,
            737, 774, 805, 831, 864, 914, 973, 1007, 1039, 1075, 1131, 1158, 1192, 1217, 1282,
            1339, 1369, 1397, 1432, 1457, 1518, 1577, 1613, 1697, 1728, 1757, 1821, 1852, 1879,
            1911, 1971, 2028, 2061, 2114, 2145, 2183, 2237, 2268, 2300, 2366, 2452, 2565, 2628,
            2686, 2746, 2803, 2867, 2928, 2989, 3046, 3113, 3165, 3232, 3287, 3346, 3406, 3469,
            3532, 3650, 3770, 3887, 4010, 4131, 4252, 4377, 4499, 4645, 4737, 4851, 4974, 5122,
            5206, 5329, 5458, 5576, 5696, 5820, 5936, 6054,
        ],
    ),
    (
        19041,
        &[
            1, 84, 264, 388, 423, 508, 546, 572, 610, 630, 662, 685, 746, 789, 804, 844, 867, 906,
            928, 964, 985, 1023, 1081, 1110, 1151, 1202, 1237, 1266, 1288, 1320, 1348, 1387, 1415,
            1466, 1503, 1526, 1566, 1586, 1620, 1645, 1682, 1706, 1741, 1766, 1806, 1826, 1865,
            1889, 1949, 2006, 2075, 2130, 2193, 2251, 2311, 2364, 2486, 2546, 2604, 2673, 2728,
            2788, 2846, 2913, 2965, 3031, 3086, 3155, 3208, 3271, 3324, 3393, 3448, 3570, 3636,
            3693, 3758, 3803, 3930, 3996, 4046, 4123, 4170, 4239, 4291, 4355, 4412, 4474, 4529,
            4597, 4651, 4717,
        ],
    ),
    (
        20348,
        &[
            1, 143, 169, 202, 230, 261, 288, 320, 350, 380, 405, 437, 469, 502, 524, 558, 587, 617,
            643, 681, 707, 740, 768, 803, 825, 859, 887, 946, 1006, 1070, 1129, 1194, 1251, 1311,
            1366, 1426, 1487, 1547, 1607, 1668, 1726, 1787, 1850, 1906, 1970, 2031, 2113, 2159,
            2227, 2322, 2402, 2461, 2527, 2582,
        ],
    ),
    (
        22621,
        &[
            1, 105, 160, 232, 317, 382, 457, 521, 607, 675, 755, 819, 900, 963, 1037, 1105, 1194,
            1265, 1344, 1413, 1485, 1555, 1635, 1702, 1778, 1848, 1928, 1992, 2070, 2134, 2215,
            2283, 2361, 2428, 2506, 2715, 2792, 2861, 3007, 3085, 3155, 3235, 3296, 3374, 3447,
            3527, 3593, 3672, 3737, 3810, 3880,
        ],
    ),
    (26100, &[1, 268, 560, 712, 863, 994, 1150, 1297, 1301]),
];

/// Files of 100 that are as released, and files that have the latest build: clients, servers.
const RELEASED: [u64; 2] = [11, 42];
const LATEST: u64 = 12;

/// The builds that the files of one system may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revisions {
    base: u32,
    /// Revisions up to the system's own, ascending.
    all: &'static [u32],
    own: u32,
    /// `(WinBuild.160101.0800)`
    suffix: &'static str,
    is_server: bool,
}

impl Revisions {
    /// Those of a system whose latest files have this version: `10.0.19041.4717 (WinBuild.160101.0800)`.
    /// `None` if the revisions of its base build are not known: all of its files have this version.
    pub fn new(latest: &'static str, is_server: bool) -> Option<Self> {
        let (number, suffix) = latest.strip_prefix("10.0.")?.split_once(' ')?;
        let (base, own) = number.split_once('.')?;
        let (base, own) = (base.parse().ok()?, own.parse().ok()?);
        let (_, all) = REVISIONS.iter().find(|(known, _)| *known == base)?;
        let until = all.partition_point(|&revision| revision <= own);
        Some(Revisions {
            base,
            all: &all[..until.max(1)],
            own,
            suffix,
            is_server,
        })
    }

    /// Appends the version of a file, by its name or key.
    pub fn push(&self, file: &str, out: &mut Vec<u8>) {
        let key = Key::root(u64::from(self.base)).child(file);
        let revision = match key.below(0, 100) {
            share if share < RELEASED[usize::from(self.is_server)] => self.all[0],
            share if share >= 100 - LATEST => self.own,
            _ => *choose(self.all, key.at(1)),
        };
        out.extend_from_slice(b"10.0.");
        out.extend_from_slice(decimal(self.base.into(), &mut [0; 20]));
        out.push(b'.');
        out.extend_from_slice(decimal(revision.into(), &mut [0; 20]));
        out.push(b' ');
        out.extend_from_slice(self.suffix.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn version(revisions: &Revisions, file: u32) -> String {
        let mut out = Vec::new();
        revisions.push(&file.to_string(), &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_patched_client_mixes_many_builds() {
        let latest = "10.0.19041.4717 (WinBuild.160101.0800)";
        let revisions = Revisions::new(latest, false).unwrap();
        let mut builds: BTreeMap<String, u32> = BTreeMap::new();
        for file in 0..400 {
            *builds.entry(version(&revisions, file)).or_default() += 1;
        }
        let most = builds.values().max().copied().unwrap_or(0);
        assert!(
            builds.len() > 37 && (40..80).contains(&most),
            "{} {most}",
            builds.len()
        );
        assert!(
            builds
                .keys()
                .all(|b| b.starts_with("10.0.19041.") && b.ends_with(" (WinBuild.160101.0800)"))
        );
    }

    #[test]
    fn no_file_is_newer_than_its_system() {
        let latest = "10.0.17763.1007 (WinBuild.160101.0800)";
        let revisions = Revisions::new(latest, true).unwrap();
        for file in 0..300 {
            let version = version(&revisions, file);
            let number = version.split([' ', '.']).nth(3).unwrap();
            assert!(number.parse::<u32>().unwrap() <= 1007, "{version}");
        }
    }

    #[test]
    fn systems_without_known_revisions_have_one_build() {
        assert!(Revisions::new("6.1.7601.24545 (win7sp1_ldr_escrow.200102-1707)", false).is_none());
        assert!(Revisions::new("-", false).is_none());
    }
}
