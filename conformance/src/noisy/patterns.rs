//! Rows of inputs that a medium is held under: all inputs alike, mixtures, and patterns that move every output.

use super::rest::{apart, settled};
use crate::agreement::{UNMOVED, half_span};
use crate::bench::{Bench, narrow};
use crate::chance::Chance;
use isoform_core::program::Program;

/// What the rows of [`Bench::stimuli`] are called.
pub(crate) const STIMULI: [&str; 5] =
    ["the reference", "the lower rail", "the upper rail", "the first mixture", "the second mixture"];
/// Patterns of inputs of which the most moving one is taken.
const PATTERNS: usize = 32;
/// Patterns that are taken beside all inputs alike, at the most.
const BESIDE: usize = 4;
/// The part of what a pattern moves an output by, less than which all inputs alike leave it nearly where it is.
const NEARLY: f64 = 0.5;

impl Bench<'_> {
    /// Rows of inputs: a reference in the middle of the range, both ends, and two that differ from channel to channel.
    pub(crate) fn stimuli(&self, inputs: usize, chance: &mut Chance) -> Vec<Vec<f32>> {
        let [low, high] = self.span();
        let level = |share: f64| vec![narrow(low + share * (high - low), low, high); inputs];
        let mut mixed = || (0..inputs).map(|_| narrow(chance.within(low, high), low, high)).collect::<Vec<_>>();
        let (one, other) = (mixed(), mixed());
        vec![level(0.5), level(0.0), level(1.0), one, other]
    }

    /// A row of inputs at either end of the range that moves every output far from the reference, and its mirror image. Of the patterns that are tried
    /// it is the one whose least moved output, among those that move at all, moves furthest in parts of what any pattern moves it by.
    pub(crate) fn moving(&self, program: &Program, chance: &mut Chance) -> [Vec<f32>; 2] {
        self.pattern(program, chance, |_, _| true).unwrap_or_else(|| self.alike(program.input_channels()))
    }

    /// The same of the outputs that count, which are told with the most that a pattern moves them by; none if none counts.
    fn pattern(&self, program: &Program, chance: &mut Chance, counts: impl Fn(usize, f64) -> bool) -> Option<[Vec<f32>; 2]> {
        let ([low, high], inputs) = (self.span(), program.input_channels());
        let row =
            |pattern: &[bool]| pattern.iter().map(|up| narrow(if *up { high } else { low }, low, high)).collect::<Vec<f32>>();
        let still = settled(program, &vec![narrow(0.5 * (low + high), low, high); inputs]);
        let patterns: Vec<Vec<bool>> =
            (0..PATTERNS).map(|_| (0..inputs).map(|_| chance.within(0.0, 1.0) < 0.5).collect()).collect();
        let moved = |pattern: &[bool]| apart(&settled(program, &row(pattern)), &still);
        let all: Vec<Vec<f64>> = patterns.iter().map(|pattern| moved(pattern)).collect();
        // what does not count is no number, and compares with nothing
        let most = |output: usize| {
            let most = all.iter().map(|moves| moves[output]).fold(0.0, f64::max);
            if counts(output, most) { most } else { f64::NAN }
        };
        let most: Vec<f64> = (0..still.len()).map(most).collect();
        if most.iter().all(|most| most.is_nan()) {
            return None;
        }
        let worth = |moves: &[f64]| {
            let parts = moves.iter().zip(&most).filter(|(_, most)| **most > 0.0).map(|(moves, most)| moves / most);
            parts.fold(f64::INFINITY, f64::min)
        };
        let best = patterns.iter().zip(&all).max_by(|(_, a), (_, b)| worth(a).total_cmp(&worth(b)));
        let (mut best, mut furthest) = best.map_or((Vec::new(), 0.0), |(pattern, moves)| (pattern.clone(), worth(moves)));
        // one input after the other is turned where that is better
        for input in 0..inputs.min(PATTERNS) {
            best[input] = !best[input];
            let found = worth(&moved(&best));
            if found > furthest {
                furthest = found;
            } else {
                best[input] = !best[input];
            }
        }
        Some([row(&best), row(&best.iter().map(|up| !up).collect::<Vec<_>>())])
    }

    /// All inputs at the lower end of the range, and all at the upper one.
    pub(crate) fn alike(&self, inputs: usize) -> [Vec<f32>; 2] {
        let [low, high] = self.span();
        [low, high].map(|end| vec![narrow(end, low, high); inputs])
    }

    /// A row of inputs on the way from one to another.
    pub(crate) fn between(&self, share: f64, [from, to]: [&[f32]; 2]) -> Vec<f32> {
        let [low, high] = self.span();
        let level = |(from, to): (&f32, &f32)| narrow(f64::from(*from) + share * (f64::from(*to) - f64::from(*from)), low, high);
        from.iter().zip(to).map(level).collect()
    }

    /// Patterns that move the outputs which all inputs alike leave nearly where they are, since weights of either sign cancel, each with its mirror image;
    /// as few as it takes, and none where there are no such outputs. Their draws are their own.
    pub(crate) fn beside_alike(&self, program: &Program, margin: f64) -> Vec<[Vec<f32>; 2]> {
        let inputs = program.input_channels();
        let mut found: Vec<[Vec<f32>; 2]> = Vec::new();
        if inputs < 2 {
            return found;
        }
        let ends = self.alike(inputs);
        let ends = [0.0, 0.5, 1.0].map(|share| settled(program, &self.between(share, [&ends[0], &ends[1]])));
        let mut moved: Vec<f64> = (0..ends[0].len()).map(|output| half_span(ends.iter().map(|end| end[output]))).collect();
        let mut chance = Chance::new(self.seed, "patterns that move what all inputs alike leave");
        while found.len() < BESIDE {
            let left = |output: usize, most: f64| {
                // a course from nought sees half of it, and what is less than the margin to either side says nothing
                let little = if moved[output] <= 2.0 * margin { moved[output] < most } else { moved[output] < NEARLY * most };
                most > UNMOVED * margin && little
            };
            let Some(pattern) = self.pattern(program, &mut chance, left) else { break };
            let by = apart(&settled(program, &pattern[0]), &ends[1]);
            if moved.iter().zip(&by).all(|(moved, by)| by <= moved) {
                break;
            }
            moved.iter_mut().zip(by).for_each(|(moved, by)| *moved = moved.max(by));
            found.push(pattern);
        }
        found
    }
}
