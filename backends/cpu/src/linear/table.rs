//! A map known by its terms: a list for each output, and a list for each input for rows that are sparse.

use super::{Scratch, is_sparse};
use isoform_core::linear::LinearMap;

/// Terms in order: those of item `k` stand from `starts[k]` to `starts[k + 1]`.
#[derive(Debug)]
struct Terms {
    starts: Vec<usize>,
    others: Vec<u32>,
    weights: Vec<f32>,
}

impl Terms {
    fn of(&self, item: usize) -> impl Iterator<Item = (usize, f32)> + '_ {
        let range = self.starts[item]..self.starts[item + 1];
        self.others[range.clone()].iter().map(|&o| o as usize).zip(self.weights[range].iter().copied())
    }
}

/// The terms of a map, twice.
#[derive(Debug)]
pub(super) struct Table {
    by_output: Terms,
    by_input: Terms,
    bias: Vec<f32>,
}

impl Table {
    pub(super) fn new(map: &LinearMap) -> Self {
        let (inputs, outputs) = (map.input().len(), map.output().len());
        let mut terms: Vec<(u32, u32, f32)> = Vec::new();
        map.for_each_term(|o, i, w| terms.push((o as u32, i as u32, w as f32)));
        let list = |count: usize, key: fn(&(u32, u32, f32)) -> (u32, u32), terms: &[(u32, u32, f32)]| {
            let mut starts = vec![0; count + 1];
            terms.iter().for_each(|t| starts[key(t).0 as usize + 1] += 1);
            (0..count).for_each(|k| starts[k + 1] += starts[k]);
            Terms { starts, others: terms.iter().map(|t| key(t).1).collect(), weights: terms.iter().map(|t| t.2).collect() }
        };
        let by_output = list(outputs, |t| (t.0, t.1), &terms);
        // stable, so that outputs ascend for each input
        terms.sort_by_key(|t| t.1);
        let by_input = list(inputs, |t| (t.1, t.0), &terms);
        let bias = (0..outputs).map(|o| map.bias_at(o) as f32 + 0.0).collect();
        Self { by_output, by_input, bias }
    }

    pub(super) fn is_finite(&self) -> bool {
        self.by_output.weights.iter().chain(&self.bias).all(|w| w.is_finite())
    }

    #[inline(always)]
    pub(super) fn apply(&self, x: &[f32], y: &mut [f32], scratch: &mut Scratch) {
        let count = scratch.list(x).count;
        if is_sparse(count, x.len()) {
            y.copy_from_slice(&self.bias);
            for &i in &scratch.active[..count] {
                let value = x[i as usize];
                self.by_input.of(i as usize).for_each(|(o, w)| y[o] += w * value);
            }
        } else {
            for (o, (y, &bias)) in y.iter_mut().zip(&self.bias).enumerate() {
                *y = self.by_output.of(o).fold(bias, |sum, (i, w)| sum + w * x[i]);
            }
        }
    }
}
