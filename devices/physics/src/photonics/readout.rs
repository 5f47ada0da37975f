//! What detectors make of fields: values with noise, for blocks of them.

use super::blocks::{Block, ROWS};
use crate::instruction_sets::for_each_instruction_set;
use isoform_core::draw::Key;

/// What a detector adds to fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detector {
    /// The variance of its noise is `dark + slope p` at a power `p`, a field of one behind a chip without gain being its unit.
    pub(super) variance: [f32; 2],
    /// The gain of the chip, which is digital: the detectors see fields without.
    pub(super) gain: f32,
    /// What a field of one stands for.
    pub(super) range: f32,
}

impl Detector {
    /// The power that it sees.
    #[inline(always)]
    pub(super) fn power(&self, re: f32, im: f32) -> f32 {
        // the square of a small gain would be nought
        let by = 1.0 / self.gain.max(f32::MIN_POSITIVE);
        let (re, im) = (re * by, im * by);
        re * re + im * im
    }

    /// The deviation of its noise.
    #[inline(always)]
    pub(super) fn deviation(&self, re: f32, im: f32) -> f32 {
        let [dark, slope] = self.variance;
        (dark + slope * self.power(re, im)).sqrt()
    }

    /// Both parts of fields, two blocks of normal numbers for each.
    pub(super) fn read_fields(self, seen: &[[Block; 2]], noise: &[Block], y: &mut [Block]) {
        fields_avx512(self, seen, noise, y);
    }
}

/// Normal numbers for consecutive lanes, as [`Key::fill_normal`].
pub(super) fn fill_normal(key: Key, first: u32, stream: u32, tick: u64, out: &mut [f32]) {
    normal_avx512(key, first, stream, tick, out);
}

for_each_instruction_set!(fields, fields_avx512, fields_avx2, fields_plain, (of: Detector, seen: &[[Block; 2]], noise: &[Block], y: &mut [Block]));
for_each_instruction_set!(normal, normal_avx512, normal_avx2, normal_plain, (key: Key, first: u32, stream: u32, tick: u64, out: &mut [f32]));

#[inline(always)]
fn fields(of: Detector, seen: &[[Block; 2]], noise: &[Block], y: &mut [Block]) {
    let scale = of.gain * of.range;
    let (y, noise) = (y.as_chunks_mut::<2>().0, noise.as_chunks::<2>().0);
    for (([re, im], [a, b]), [y0, y1]) in seen.iter().zip(noise).zip(y) {
        for k in 0..ROWS {
            let sigma = of.deviation(re[k], im[k]);
            y0[k] = re[k] * of.range + sigma * a[k] * scale;
            y1[k] = im[k] * of.range + sigma * b[k] * scale;
        }
    }
}

#[inline(always)]
fn normal(key: Key, first: u32, stream: u32, tick: u64, out: &mut [f32]) {
    key.fill_normal(first, stream, tick, out);
}
