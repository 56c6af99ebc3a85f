//! Keyed randomness: named streams, point hashes, alias tables.
//!
//! Everything random in a corpus comes from here, and everything here is a pure
//! function of a seed and a name. A [`Key`] names a source (`root/noise/2024-08-12`).
//! A [`Rows`] stream has a fixed number of words per row, so any row can be computed
//! alone. Single facts come from [`Key::at`]; a key with several of them is a [`Draws`],
//! whose draws have names. All arithmetic is integer: no float library call, whose last
//! bit may differ between platforms, decides output.

use std::marker::PhantomData;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Words of 64 bits that one row draws: one ChaCha block.
pub const DRAWS: usize = 8;

/// A named source of randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(u64);

const SECRET: [u64; 3] = [
    0xa076_1d64_78bd_642f,
    0xe703_7ed1_a0b4_28db,
    0x8ebc_6af0_9c88_c6e3,
];

/// Folded 64×64→128 multiplication (wyhash's mixer).
#[inline]
const fn fold(a: u64, b: u64) -> u64 {
    let product = (a as u128).wrapping_mul(b as u128);
    (product as u64) ^ ((product >> 64) as u64)
}

impl Key {
    /// The key of a seed.
    pub fn root(seed: u64) -> Self {
        Key(fold(seed ^ SECRET[0], SECRET[1]))
    }

    /// The key of a named part.
    pub fn child(self, name: &str) -> Self {
        let mut state = self.0 ^ SECRET[2];
        for chunk in name.as_bytes().chunks(8) {
            let mut word = [0u8; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            state = fold(state ^ u64::from_le_bytes(word), SECRET[1]);
        }
        Key(fold(state ^ name.len() as u64, SECRET[0]))
    }

    /// The key of a numbered part.
    #[inline]
    pub const fn with(self, number: u64) -> Self {
        Key(self.at(number))
    }

    /// A point hash: 64 uniform bits of one coordinate.
    #[inline]
    pub const fn at(self, a: u64) -> u64 {
        fold(self.0 ^ SECRET[0] ^ a, SECRET[1] ^ a.rotate_left(32))
    }

    /// A point hash of two coordinates.
    #[inline]
    pub const fn at2(self, a: u64, b: u64) -> u64 {
        Key(self.at(a)).at(b)
    }

    /// Uniform in `0..n` (n > 0).
    #[inline]
    pub const fn below(self, a: u64, n: u64) -> u64 {
        below(self.at(a), n)
    }

    /// A random GUID (RFC 9562, version 4) in lower case.
    pub fn guid(self) -> String {
        let (a, b) = (self.at(0), self.at(1));
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | (b >> 48) & 0x3fff,
            b & 0xffff_ffff_ffff
        )
    }

    /// The row stream of this key.
    pub fn rows(self) -> Rows {
        let mut seed = [0u8; 32];
        for (i, word) in seed.chunks_exact_mut(8).enumerate() {
            word.copy_from_slice(&self.at(i as u64 ^ 0x524f_5753).to_le_bytes());
        }
        Rows {
            rng: ChaCha8Rng::from_seed(seed),
            next: 0,
        }
    }
}

/// The named draws of one key: an enum with a number per draw, declared by `slots!`.
pub trait Slot: Copy {
    /// The coordinate at which the key is drawn.
    fn number(self) -> u64;
}

/// Declares draws of a key. The compiler refuses two draws of one enum with the same number (E0081);
/// enums that share a key are kept apart by hand.
macro_rules! slots {
    ($(#[$doc:meta])* $visibility:vis enum $name:ident {
        $($(#[$about:meta])* $slot:ident = $number:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u64)]
        $visibility enum $name {
            $($(#[$about])* $slot = $number,)*
        }
        #[cfg(test)]
        impl $name {
            /// Every draw, for tests.
            #[allow(dead_code, reason = "not every key has a test")]
            const ALL: &[Self] = &[$(Self::$slot,)*];
        }
        impl $crate::random::Slot for $name {
            #[inline]
            fn number(self) -> u64 {
                self as u64
            }
        }
    };
}
pub(crate) use slots;

/// A key that is drawn only at the slots of `S`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draws<S> {
    key: Key,
    slots: PhantomData<S>,
}

impl<S: Slot> Draws<S> {
    /// The named draws of a key.
    #[inline]
    pub const fn new(key: Key) -> Self {
        Draws {
            key,
            slots: PhantomData,
        }
    }

    /// The key itself, for draws at coordinates (an index, a round) that have no name.
    #[inline]
    pub const fn key(self) -> Key {
        self.key
    }

    /// 64 uniform bits of a draw.
    #[inline]
    pub fn bits(self, slot: S) -> u64 {
        self.key.at(slot.number())
    }

    /// Uniform in `0..n` (n > 0).
    #[inline]
    pub fn below(self, slot: S, n: u64) -> u64 {
        self.key.below(slot.number(), n)
    }

    /// A key below this one, for draws that a slot has many of.
    #[inline]
    pub fn part(self, slot: S) -> Key {
        self.key.with(slot.number())
    }

    /// Uniform in `0..n` (n > 0), from a key of the slot's own: point hashes of neighbouring
    /// slots differ by even steps, which shows where draws make up the letters of one text.
    #[inline]
    pub fn apart(self, slot: S, n: u64) -> u64 {
        self.part(slot).below(0, n)
    }

    /// The `n`-th of the 256 keys that begin at a slot. Families of a key are 256 numbers apart.
    #[inline]
    pub fn nth(self, family: S, n: u8) -> Key {
        self.key.with(family.number() | u64::from(n))
    }
}

/// Uniform choice from a list.
///
/// # Panics
/// Where the list is empty.
#[inline]
pub fn choose<T>(list: &[T], bits: u64) -> &T {
    &list[below(bits, list.len() as u64) as usize]
}

/// Maps 64 uniform bits to `0..n` by multiplication; the bias is below n / 2⁶⁴.
#[inline]
pub const fn below(bits: u64, n: u64) -> u64 {
    ((bits as u128 * n as u128) >> 64) as u64
}

/// True with probability `per_million` / 10⁶.
#[inline]
pub const fn chance(bits: u64, per_million: u32) -> bool {
    below(bits, 1_000_000) < per_million as u64
}

/// A stream with [`DRAWS`] words a row, entered anywhere.
#[derive(Debug, Clone)]
pub struct Rows {
    rng: ChaCha8Rng,
    next: u64,
}

impl Rows {
    /// The words of row `ordinal`. Sequential access costs one block; a jump, one seek.
    #[inline]
    pub fn row(&mut self, ordinal: u64) -> [u64; DRAWS] {
        if ordinal != self.next {
            self.rng.set_word_pos(ordinal as u128 * (DRAWS as u128 * 2));
        }
        self.next = ordinal + 1;
        // The same words as from `next_u64`, but at once.
        let mut bytes = [0; 8 * DRAWS];
        self.rng.fill_bytes(&mut bytes);
        let (words, _) = bytes.as_chunks::<8>();
        std::array::from_fn(|at| u64::from_le_bytes(words[at]))
    }
}

/// Weighted choice in constant time, built in integers (Vose's method).
#[derive(Debug, Clone)]
pub struct Alias {
    /// (threshold over 32 bits, alias).
    cells: Vec<(u32, u32)>,
}

impl Alias {
    /// A table over weights; an empty or all-zero list gives a table that always draws 0.
    pub fn new(weights: &[u64]) -> Self {
        let n = weights.len().max(1);
        let total: u128 = weights.iter().map(|&w| w as u128).sum();
        if total == 0 {
            return Alias {
                cells: vec![(u32::MAX, 0)],
            };
        }
        // Scaled so that the average cell holds exactly `total`.
        let mut mass: Vec<u128> = weights.iter().map(|&w| w as u128 * n as u128).collect();
        let (mut small, mut large) = (Vec::new(), Vec::new());
        for (i, &m) in mass.iter().enumerate() {
            if m < total {
                small.push(i)
            } else {
                large.push(i)
            }
        }
        let mut cells: Vec<(u32, u32)> = (0..n).map(|i| (u32::MAX, i as u32)).collect();
        while let (Some(&s), Some(&l)) = (small.last(), large.last()) {
            small.pop();
            cells[s] = (((mass[s] << 32) / total) as u32, l as u32);
            mass[l] -= total - mass[s];
            if mass[l] < total {
                large.pop();
                small.push(l);
            }
        }
        Alias { cells }
    }

    /// Draws an index with 64 uniform bits.
    #[inline]
    pub fn draw(&self, bits: u64) -> usize {
        let cell = below(bits, self.cells.len() as u64) as usize;
        let (threshold, alias) = self.cells[cell];
        // The low half is independent of the cell as long as there are fewer than 2³² cells.
        if (bits as u32) < threshold || threshold == u32::MAX {
            cell
        } else {
            alias as usize
        }
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Never: a table has at least one entry.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}

/// A keyed permutation of `0..n`, computable at a point in both directions
/// (a four-round Feistel network with cycle walking).
#[derive(Debug, Clone, Copy)]
pub struct Permutation {
    key: Key,
    n: u64,
    half: u32,
}

impl Permutation {
    /// A permutation of `0..n`; n may be 0, then it is never called.
    pub fn new(key: Key, n: u64) -> Self {
        let bits = 64 - n.saturating_sub(1).leading_zeros();
        Permutation {
            key,
            n,
            half: bits.div_ceil(2).max(1),
        }
    }

    #[inline]
    fn round(&self, value: u64, round: u64) -> u64 {
        self.key.at(value ^ (round << 56)) & ((1 << self.half) - 1)
    }

    /// Where `index` goes.
    #[inline]
    pub fn forward(&self, index: u64) -> u64 {
        let mut x = index;
        loop {
            let (mut left, mut right) = (x >> self.half, x & ((1 << self.half) - 1));
            for round in 0..4 {
                (left, right) = (right, left ^ self.round(right, round));
            }
            x = (left << self.half) | right;
            if x < self.n {
                return x;
            }
        }
    }

    /// What goes to `index`.
    #[inline]
    pub fn backward(&self, index: u64) -> u64 {
        let mut x = index;
        loop {
            let (mut left, mut right) = (x >> self.half, x & ((1 << self.half) - 1));
            for round in (0..4).rev() {
                (left, right) = (right ^ self.round(left, round), left);
            }
            x = (left << self.half) | right;
            if x < self.n {
                return x;
            }
        }
    }
}

/// Log-uniform in `low..=high`, in integers: the logarithm is piecewise linear between powers of two.
#[inline]
pub fn log_uniform(bits: u64, low: u64, high: u64) -> u64 {
    if high <= low {
        return low;
    }
    let (a, b) = (log2(low.max(1)), log2(high));
    exp2(a + below(bits, b - a + 1)).clamp(low, high)
}

/// Piecewise-linear binary logarithm, 48 fractional bits.
#[inline]
fn log2(x: u64) -> u64 {
    let exponent = 63 - x.leading_zeros() as u64;
    let mantissa = if exponent >= 48 {
        x >> (exponent - 48)
    } else {
        x << (48 - exponent)
    };
    (exponent << 48) + (mantissa - (1 << 48))
}

/// Inverse of [`log2`].
#[inline]
fn exp2(l: u64) -> u64 {
    let (exponent, mantissa) = (l >> 48, (1u64 << 48) + (l & ((1 << 48) - 1)));
    if exponent >= 48 {
        mantissa << (exponent - 48).min(15)
    } else {
        mantissa >> (48 - exponent)
    }
}

/// Quantiles of a log-normal distribution (σ = 1.6) at 256 equal steps, mean 1024:
/// minute factors and volumes of real feeds are heavy-tailed, Poisson is plainly unreal.
#[rustfmt::skip]
pub const HEAVY_TAIL: [u32; 256] = [
    3, 5, 7, 9, 10, 12, 13, 14, 16, 17, 18, 20,
    21, 22, 23, 25, 26, 27, 29, 30, 31, 33, 34, 35,
    37, 38, 39, 41, 42, 43, 45, 46, 48, 49, 50, 52,
    53, 55, 56, 58, 59, 61, 63, 64, 66, 67, 69, 71,
    72, 74, 76, 77, 79, 81, 83, 84, 86, 88, 90, 92,
    94, 96, 97, 99, 101, 103, 105, 107, 110, 112, 114, 116,
    118, 120, 122, 125, 127, 129, 132, 134, 136, 139, 141, 144,
    146, 149, 151, 154, 157, 159, 162, 165, 167, 170, 173, 176,
    179, 182, 185, 188, 191, 194, 197, 200, 204, 207, 210, 214,
    217, 221, 224, 228, 232, 235, 239, 243, 247, 251, 255, 259,
    263, 267, 271, 275, 280, 284, 289, 293, 298, 302, 307, 312,
    317, 322, 327, 332, 338, 343, 348, 354, 359, 365, 371, 377,
    383, 389, 395, 402, 408, 415, 421, 428, 435, 442, 450, 457,
    464, 472, 480, 488, 496, 504, 513, 521, 530, 539, 548, 558,
    567, 577, 587, 597, 607, 618, 629, 640, 651, 663, 675, 687,
    700, 713, 726, 739, 753, 767, 782, 797, 812, 828, 844, 861,
    878, 895, 913, 932, 951, 971, 991, 1012, 1034, 1056, 1080, 1103,
    1128, 1154, 1180, 1207, 1236, 1265, 1296, 1327, 1360, 1395, 1430, 1468,
    1506, 1547, 1589, 1633, 1680, 1729, 1780, 1833, 1890, 1949, 2012, 2079,
    2149, 2224, 2304, 2389, 2480, 2577, 2682, 2795, 2917, 3050, 3195, 3354,
    3529, 3723, 3939, 4182, 4457, 4773, 5140, 5572, 6090, 6726, 7531, 8594,
    10086, 12391, 16667, 29894,
];

/// One heavy-tailed value with mean 1024.
#[inline]
pub const fn heavy_tail(bits: u64) -> u32 {
    HEAVY_TAIL[(bits >> 56) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_and_numbers_give_independent_keys() {
        let root = Key::root(42);
        assert_ne!(root.child("noise"), root.child("alerts"));
        assert_ne!(root.child("ab").child("c"), root.child("a").child("bc"));
        assert_ne!(root.child("a"), root.child("a\0"));
        assert_ne!(Key::root(1), Key::root(2));
    }

    #[test]
    fn any_row_alone_is_the_row_in_its_place() {
        let key = Key::root(7).child("rows");
        let mut stream = key.rows();
        let all: Vec<_> = (0..100).map(|j| stream.row(j)).collect();
        for j in (0..100).rev() {
            assert_eq!(key.rows().row(j), all[j as usize]);
        }
    }

    #[test]
    fn alias_keeps_its_weights() {
        let weights = [5u64, 0, 1, 94, 900];
        let alias = Alias::new(&weights);
        let mut counts = [0u64; 5];
        let key = Key::root(1);
        for i in 0..1_000_000 {
            counts[alias.draw(key.at(i))] += 1;
        }
        assert_eq!(counts[1], 0);
        for (count, weight) in counts.iter().zip(weights) {
            assert!(count.abs_diff(weight * 1000) < 2000, "{counts:?}");
        }
    }

    #[test]
    fn point_hashes_are_uniform() {
        let key = Key::root(3);
        let mut buckets = [0u32; 64];
        for i in 0..64_000 {
            buckets[key.below(i, 64) as usize] += 1;
        }
        assert!(
            buckets.iter().all(|b| (850..1150).contains(b)),
            "{buckets:?}"
        );
    }

    proptest! {
        #[test]
        fn permutation_is_a_bijection(n in 1u64..5000, seed: u64) {
            let permutation = Permutation::new(Key::root(seed), n);
            let mut seen = vec![false; n as usize];
            for i in 0..n {
                let to = permutation.forward(i);
                prop_assert!(!std::mem::replace(&mut seen[to as usize], true));
                prop_assert_eq!(permutation.backward(to), i);
            }
        }

        #[test]
        fn log_uniform_stays_in_range(bits: u64, low in 0u64..1 << 40, span in 0u64..1 << 40) {
            let x = log_uniform(bits, low, low + span);
            prop_assert!((low..=low + span).contains(&x));
        }
    }
}
