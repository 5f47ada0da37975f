//! Random numbers that are a function of their place, not of the order in which they are drawn.
//!
//! A draw is addressed by (seed, node, lane, stream, tick). Nothing is carried from one draw to the next, so a realization can
//! be split over threads, moved to another substrate or resumed from a saved state, and every lane meets the same noise.
//!
//! The integers come from Philox4x32-10 (Salmon, Moraes, Dror and Shaw, *Parallel random numbers: as easy as 1, 2, 3*, SC11,
//! 2011), which needs nothing but 32-bit integers and is bit-equal on every substrate:
//!
//! - the key of a node is the first two words of the block with key `seed` and counter `(node, 0, 0, NODE)`;
//! - the counter of a draw is `(lane / 4, stream, tick low, tick high)`, and the draw is word `lane % 4` of that block.
//!
//! Under one key, no two addresses share a word. The keys of two nodes agree with a chance of 2^-64.

mod normal;

pub use self::normal::{NORMAL_LARGEST, NORMAL_ULP, normal};

use self::normal::Normal;
use crate::single::{Single, Word};

const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const ROUNDS: u32 = 10;
/// Keeps the counters from which keys are made apart from those of other uses of a seed ("node" in ASCII).
const NODE: u32 = 0x6e6f_6465;

/// Blocks that are computed side by side, so that the rounds become vector code.
const SIDE_BY_SIDE: usize = 16;
/// The lanes of so many blocks.
const LANES: usize = 4 * SIDE_BY_SIDE;

/// One block of Philox4x32-10.
#[must_use]
#[inline(always)]
pub fn philox<W: Word>(counter: [W; 4], key: [W; 2]) -> [W; 4] {
    let [mut a, mut b, mut c, mut d] = counter;
    let [mut k, mut l] = key;
    for _ in 0..ROUNDS {
        let ([x_low, x_high], [y_low, y_high]) = (a.times(MULTIPLIERS[0]), c.times(MULTIPLIERS[1]));
        (a, b, c, d) = (y_high.xor(b).xor(k), y_low, x_high.xor(d).xor(l), x_low);
        (k, l) = (k.plus(W::lit(WEYL[0])), l.plus(W::lit(WEYL[1])));
    }
    [a, b, c, d]
}

/// The key under which the draws of one node of a run are made.
///
/// A substrate makes it once per node and hands its [`words`](Self::words) to the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u32; 2]);

impl Key {
    /// The key of the node with number `node` in a run with seed `seed`.
    #[must_use]
    pub fn new(seed: u64, node: u32) -> Self {
        let [k, l, ..] = philox([node, 0, 0, NODE], [seed as u32, (seed >> 32) as u32]);
        Self([k, l])
    }

    /// The two words of the Philox key.
    #[must_use]
    pub fn words(self) -> [u32; 2] {
        self.0
    }

    /// The 32 random bits of one lane.
    ///
    /// `lane` is the flat index `batch * channels + channel`, `stream` the index of the draw in the signature, `tick` counts
    /// from the reset of the realization.
    #[must_use]
    #[inline]
    pub fn bits(self, lane: u32, stream: u32, tick: u64) -> u32 {
        philox([lane >> 2, stream, tick as u32, (tick >> 32) as u32], self.0)[(lane & 3) as usize]
    }

    /// The bits of consecutive lanes, from `first` on; `out[i]` is that of lane `first + i`, modulo 2^32.
    #[inline(always)]
    pub fn fill_bits(self, first: u32, stream: u32, tick: u64, out: &mut [u32]) {
        self.fill::<_, Bits>(first, stream, tick, out);
    }

    /// [`uniform`] numbers for consecutive lanes, from `first` on.
    #[inline(always)]
    pub fn fill_uniform(self, first: u32, stream: u32, tick: u64, out: &mut [f32]) {
        self.fill::<_, Uniform>(first, stream, tick, out);
    }

    /// [`normal`] numbers for consecutive lanes, from `first` on.
    #[inline(always)]
    pub fn fill_normal(self, first: u32, stream: u32, tick: u64, out: &mut [f32]) {
        self.fill::<_, Normal>(first, stream, tick, out);
    }

    #[inline(always)]
    fn fill<T, M: Make<T>>(self, first: u32, stream: u32, tick: u64, out: &mut [T]) {
        // A block starts at every fourth lane; the lanes before the first such are drawn singly.
        let lead = (first.wrapping_neg() & 3) as usize;
        let (lead, body) = out.split_at_mut(lead.min(out.len()));
        let mut lane = first;
        for slot in lead.chunks_exact_mut(1) {
            M::make(&[self.bits(lane, stream, tick)], slot);
            lane = lane.wrapping_add(1);
        }
        let mut chunks = body.chunks_exact_mut(LANES);
        for chunk in &mut chunks {
            M::make(self.blocks(lane >> 2, stream, tick).as_flattened(), chunk);
            lane = lane.wrapping_add(LANES as u32);
        }
        let rest = chunks.into_remainder();
        if !rest.is_empty() {
            M::make(self.blocks(lane >> 2, stream, tick).as_flattened(), rest);
        }
    }

    /// Consecutive blocks, the words of which are those of consecutive lanes.
    #[inline(always)]
    fn blocks(self, first: u32, stream: u32, tick: u64) -> [[u32; 4]; SIDE_BY_SIDE] {
        let mut blocks = [[0; 4]; SIDE_BY_SIDE];
        for (i, block) in blocks.iter_mut().enumerate() {
            // The counter has 30 bits, for the lane has 32.
            let counter = first.wrapping_add(i as u32) & (u32::MAX >> 2);
            *block = philox([counter, stream, tick as u32, (tick >> 32) as u32], self.0);
        }
        blocks
    }
}

/// How numbers are made of bits. (A trait, since its method is compiled into whoever calls it, for the instructions that are allowed there;
/// closures are not always.)
trait Make<T> {
    fn make(bits: &[u32], out: &mut [T]);
}

struct Bits;
struct Uniform;

impl Make<u32> for Bits {
    #[inline(always)]
    fn make(bits: &[u32], out: &mut [u32]) {
        out.copy_from_slice(&bits[..out.len()]);
    }
}

impl Make<f32> for Uniform {
    #[inline(always)]
    fn make(bits: &[u32], out: &mut [f32]) {
        for (slot, &bits) in out.iter_mut().zip(bits) {
            *slot = uniform(bits);
        }
    }
}

/// The 32 random bits at an address; see [`Key::bits`].
#[must_use]
pub fn bits(seed: u64, node: u32, lane: u32, stream: u32, tick: u64) -> u32 {
    Key::new(seed, node).bits(lane, stream, tick)
}

/// A uniform number between nought and one, neither of which occurs.
///
/// It is the middle of one of 2^23 equal cells: an odd multiple of 2^-24, which single precision holds exactly, so the
/// numbers are bit-equal on every substrate and lie symmetrically about one half. (The middles of 2^24 cells need 25 bits, and
/// the last would round to one.)
#[must_use]
#[inline(always)]
pub fn uniform<W: Word>(bits: W) -> W::Single {
    bits.right(8).or(W::lit(1)).signed_value() * W::Single::lit(1.0 / 16_777_216.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::SQRT_2;

    #[test]
    fn philox_gives_the_published_answers() {
        // From `kat_vectors` of Random123, the reference implementation of the authors.
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([u32::MAX; 4], [u32::MAX; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn values_are_stable() {
        assert_eq!(Key::new(0, 0).words(), [0xf2c6_682b, 0xd5ca_d732]);
        assert_eq!(Key::new(7, 3).words(), [0x7f75_5fa9, 0x661d_945d]);
        assert_eq!(Key::new(u64::MAX, u32::MAX).words(), [0x5cda_4241, 0x0733_78ce]);
        let drawn = [0, 1, 2, 3, 4, 5].map(|lane| bits(7, 3, lane, 1, 5));
        assert_eq!(drawn, [0x5c61_f1c0, 0xe77c_90f1, 0x000d_7577, 0x827a_cb51, 0xfe40_a0d9, 0xf2ad_364a]);
        assert_eq!(
            drawn.map(|b| uniform(b).to_bits()),
            [0x3eb8_c3e2, 0x3f67_7c91, 0x3957_5000, 0x3f02_7acb, 0x3f7e_40a1, 0x3f72_ad37]
        );
        assert_eq!(
            drawn.map(|b| normal(b).to_bits()),
            [0x3f8a_c830, 0xbe78_315d, 0x3a06_f205, 0xc015_a67c, 0xbc8c_2e60, 0xbe05_f7e4]
        );
    }

    #[test]
    fn a_block_of_lanes_holds_the_draws_of_its_lanes() {
        let key = Key::new(11, 2);
        let tick = (9 << 32) + 4;
        for first in [0, 1, 2, 3, 5, 1000, u32::MAX - 100] {
            for length in [0, 1, 2, 3, 4, 63, 64, 65, 67, 130, 203] {
                let mut drawn = vec![0; length];
                key.fill_bits(first, 6, tick, &mut drawn);
                let singly: Vec<u32> = (0..length).map(|i| key.bits(first.wrapping_add(i as u32), 6, tick)).collect();
                assert_eq!(drawn, singly, "{length} lanes from {first}");
                let mut numbers = vec![0.0; length];
                key.fill_uniform(first, 6, tick, &mut numbers);
                assert_eq!(numbers, singly.iter().map(|&b| uniform(b)).collect::<Vec<_>>());
                key.fill_normal(first, 6, tick, &mut numbers);
                assert_eq!(numbers, singly.iter().map(|&b| normal(b)).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn every_coordinate_of_the_address_matters() {
        let here = bits(1, 2, 3, 4, 5);
        let elsewhere = [
            bits(2, 2, 3, 4, 5),
            bits(1 + (1 << 32), 2, 3, 4, 5),
            bits(1, 3, 3, 4, 5),
            bits(1, 2, 4, 4, 5),
            bits(1, 2, 3 + (1 << 31), 4, 5),
            bits(1, 2, 3, 5, 5),
            bits(1, 2, 3, 4, 6),
            bits(1, 2, 3, 4, 5 + (1 << 32)),
        ];
        assert!(!elsewhere.contains(&here));
    }

    #[test]
    fn uniform_numbers_are_symmetric_and_never_nought_or_one() {
        assert_eq!(uniform(0), 2.0_f32.powi(-24));
        assert_eq!(uniform(u32::MAX), 1.0 - 2.0_f32.powi(-24));
        for bits in (0..=u32::MAX).step_by(4093) {
            assert_eq!(uniform(bits) + uniform(!bits), 1.0);
        }
    }

    // The seeds below are fixed, so the tests cannot fail by chance. A perfect generator would fail each assertion for one
    // seed in a million; that is where the three limits come from.

    /// Of a standard normal number: P(|z| > 4.892) = 1e-6.
    const NORMAL_LIMIT: f64 = 4.892;
    /// Of Kolmogorov's distribution: 2 exp(-2 K²) = 1e-6.
    const KOLMOGOROV_LIMIT: f64 = 2.694;

    fn normals(count: usize, at: impl Fn(u32) -> u32) -> Vec<f64> {
        (0..count as u32).map(|i| f64::from(normal(at(i)))).collect()
    }

    /// √n times the largest distance between the empirical and the stated distribution.
    fn kolmogorov(mut sample: Vec<f64>, distribution: impl Fn(f64) -> f64) -> f64 {
        sample.sort_by(f64::total_cmp);
        let n = sample.len() as f64;
        let distances = sample.iter().enumerate().map(|(i, &x)| {
            let p = distribution(x);
            (p - i as f64 / n).max((i as f64 + 1.0) / n - p)
        });
        n.sqrt() * distances.fold(0.0, f64::max)
    }

    #[test]
    fn draws_along_each_axis_follow_the_normal_distribution() {
        const N: usize = 200_000;
        let along: [(&str, Vec<f64>); 5] = [
            ("lanes", normals(N, |i| bits(1, 0, i, 0, 0))),
            ("streams", normals(N, |i| bits(1, 0, 0, i, 0))),
            ("ticks", normals(N, |i| bits(1, 0, 0, 0, u64::from(i)))),
            ("nodes", normals(N, |i| bits(1, i, 0, 0, 0))),
            ("seeds", normals(N, |i| bits(u64::from(i), 0, 0, 0, 0))),
        ];
        let n = N as f64;
        for (axis, sample) in along {
            let mean = sample.iter().sum::<f64>() / n;
            let variance = sample.iter().map(|z| z * z).sum::<f64>() / n;
            let successive = sample.windows(2).map(|z| z[0] * z[1]).sum::<f64>();
            assert!((mean * n.sqrt()).abs() < NORMAL_LIMIT, "mean {mean} along {axis}");
            assert!(((variance - 1.0) * (n / 2.0).sqrt()).abs() < NORMAL_LIMIT, "variance {variance} along {axis}");
            assert!((successive / (n - 1.0).sqrt()).abs() < NORMAL_LIMIT, "neighbours correlate along {axis}");
            let distance = kolmogorov(sample, |z| 0.5 * libm::erfc(-z / SQRT_2));
            assert!(distance < KOLMOGOROV_LIMIT, "Kolmogorov's distance is {distance} along {axis}");
        }
    }

    #[test]
    fn uniform_draws_fill_the_unit_interval_evenly() {
        const N: usize = 200_000;
        let mut drawn = vec![0.0; N];
        Key::new(5, 1).fill_uniform(0, 0, 0, &mut drawn);
        let distance = kolmogorov(drawn.into_iter().map(f64::from).collect(), |u| u);
        assert!(distance < KOLMOGOROV_LIMIT, "Kolmogorov's distance is {distance}");
    }

    #[test]
    fn each_bit_is_set_half_the_time() {
        const N: usize = 200_000;
        let mut drawn = vec![0; N];
        Key::new(9, 4).fill_bits(0, 0, 0, &mut drawn);
        for bit in 0..32 {
            let set = drawn.iter().filter(|&&d| d >> bit & 1 == 1).count() as f64;
            let n = N as f64;
            assert!(((2.0 * set - n) / n.sqrt()).abs() < NORMAL_LIMIT, "bit {bit} is set {set} times of {N}");
        }
    }
}
