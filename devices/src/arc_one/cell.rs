//! The physics of a memristor array: what pulses, time and reading do to it.
//!
//! **Pulses.** A pulse of voltage `V` drives the resistance towards the edge of a window that the voltage opens:
//!
//! ```text
//! dR/dt = A (e^{|V|/t} - 1) (r(V) - R)²,   r(V) = a0 + a1 |V|
//! ```
//! for `V > 0` and `R < r(V)` (towards more resistance), and with its own constants for `V < 0` and `R > r(V)` (towards less); elsewhere
//! nothing moves. Source: the law of the device model of VirtualArC (`arc-instruments/arc1_pyqt`). At a constant voltage it has a closed
//! form: with `u = r - R` and `k` the factor before the bracket, `u(T) = u(0) / (1 + k |u(0)| T)`. The constants here are those of no
//! published sample: they are chosen for a steep device, in which half of a writing voltage moves some four thousand times less and the
//! reading voltage opens no window. No edge lies below 2 kΩ.
//!
//! **Relaxation.** After the last pulse that moved a cell its conductance walks with the logarithm of time. From one second on, with `t` in
//! seconds and one standard normal number `N` for each such pulse,
//!
//! ```text
//! g(t) = g(0) - 0.08900206 ln t + (0.04201137 ln t + 0.41183342) N   µS
//! ```
//! Source: the statistics of CMO/HfOx ReRAM in IBM's aihwkit (commit 4545f11b). It says nothing below a second, where the first term is left
//! out here and the second rises from nought as `ln(1 + t/10 ms)`, so that it meets the other at a second.
//!
//! **Read noise.** Each read is off by white noise and by 1/f noise, both in proportion to the conductance. The 1/f noise is a state: a sum
//! of Ornstein-Uhlenbeck processes, one a decade, that goes on between reads.

use isoform_core::draw::{Key, normal};

/// Time constants of the parts of the 1/f noise, in seconds.
const DECADES: [f64; 7] = [1e-2, 1e-1, 1e0, 1e1, 1e2, 1e3, 1e4];
/// No window reaches below this, in ohms.
const LEAST_EDGE: f64 = 2e3;
/// No conductance falls below this, in siemens.
const LEAST: f64 = 1e-7;
/// Keeps these draws apart from those of the nodes of a program ("cell" in ASCII).
const CELL: u32 = 0x6365_6c6c;

/// One direction of the law of pulses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Branch {
    /// Speed, per ohm and second.
    pub speed: f64,
    /// The voltage by which the speed grows e-fold, in volts.
    pub steepness: f64,
    /// Edge of the window at no voltage, in ohms.
    pub edge: f64,
    /// How the edge moves with the magnitude of the voltage, in ohms a volt.
    pub slope: f64,
}

impl Branch {
    /// The edge of the window at a voltage, in ohms.
    #[must_use]
    pub fn edge_at(&self, volts: f64) -> f64 {
        (self.edge + self.slope * volts.abs()).max(LEAST_EDGE)
    }
}

/// The constants of an array.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Physics {
    /// Positive voltages: more resistance.
    pub rise: Branch,
    /// Negative voltages: less resistance.
    pub fall: Branch,
    /// Standard deviation of the logarithm of the speed from cell to cell.
    pub spread: f64,
    /// Standard deviation of the logarithm of the speed from pulse to pulse.
    pub jitter: f64,
    /// Relative standard deviation of the white part of a read.
    pub white: f64,
    /// Relative standard deviation of the 1/f part of a read.
    pub flicker: f64,
}

impl Default for Physics {
    fn default() -> Self {
        Self {
            rise: Branch { speed: 1.55e-10, steepness: 0.09, edge: -50e3, slope: 120e3 },
            fall: Branch { speed: 6.2e-9, steepness: 0.09, edge: 190e3, slope: -125e3 },
            spread: 0.3,
            jitter: 0.1,
            white: 0.001,
            flicker: 0.002,
        }
    }
}

impl Physics {
    /// The resistance after a pulse of `volts` for `seconds`, with the speed multiplied by `gain`. In ohms.
    #[must_use]
    pub fn after(&self, resistance: f64, volts: f64, seconds: f64, gain: f64) -> f64 {
        let branch = if volts >= 0.0 { &self.rise } else { &self.fall };
        let edge = branch.edge_at(volts);
        let distance = edge - resistance;
        if volts == 0.0 || (distance > 0.0) != (volts > 0.0) || distance == 0.0 {
            return resistance;
        }
        let rate = gain * branch.speed * (volts.abs() / branch.steepness).exp_m1();
        edge - distance / (1.0 + rate * distance.abs() * seconds.max(0.0))
    }
}

/// Mean of the relaxation at an age in seconds, in siemens.
#[must_use]
pub fn relaxation_mean(age: f64) -> f64 {
    -0.089_002_06e-6 * age.max(1.0).ln()
}

/// Standard deviation of the relaxation at an age in seconds, in siemens.
#[must_use]
pub fn relaxation_deviation(age: f64) -> f64 {
    const SOON: f64 = 0.01;
    if age >= 1.0 {
        (0.042_011_37 * age.ln() + 0.411_833_42) * 1e-6
    } else {
        0.411_833_42e-6 * (age.max(0.0) / SOON).ln_1p() / (1.0 / SOON).ln_1p()
    }
}

/// One cell.
#[derive(Debug, Clone)]
struct Cell {
    /// Conductance as the last pulse left it, in siemens.
    left: f64,
    /// When that was, in seconds.
    since: f64,
    /// Its draw of the relaxation.
    walk: f64,
    /// Its own factor of the speed.
    gain: f64,
    flicker: [f64; DECADES.len()],
    /// When it was last read.
    seen: f64,
    /// How many draws it has taken.
    drawn: u64,
}

impl Cell {
    fn conductance(&self, now: f64) -> f64 {
        let age = now - self.since;
        (self.left + relaxation_mean(age) + relaxation_deviation(age) * self.walk).max(LEAST)
    }
}

/// An array of cells at the crossings of word lines and bit lines.
#[derive(Debug, Clone)]
pub struct Array {
    physics: Physics,
    words: usize,
    bits: usize,
    cells: Vec<Cell>,
    key: Key,
}

impl Array {
    /// An array as it comes from forming: resistances about 60 kΩ.
    #[must_use]
    pub fn new(words: usize, bits: usize, physics: Physics, seed: u64) -> Self {
        let key = Key::new(seed, CELL);
        let fresh = Cell { left: 0.0, since: -1e6, walk: 0.0, gain: 1.0, flicker: [0.0; DECADES.len()], seen: -1e6, drawn: 0 };
        let mut array = Self { physics, words, bits, cells: vec![fresh; words * bits], key };
        for index in 0..array.cells.len() {
            let (resistance, gain) = (60e3 * (0.2 * array.draw(index)).exp(), (physics.spread * array.draw(index)).exp());
            // forming is so long ago that its relaxation has come to rest
            array.cells[index].left = 1.0 / resistance - relaxation_mean(1e6);
            array.cells[index].gain = gain;
        }
        array
    }

    /// Word lines and bit lines.
    #[must_use]
    pub fn extent(&self) -> (usize, usize) {
        (self.words, self.bits)
    }

    fn draw(&mut self, index: usize) -> f64 {
        let cell = &mut self.cells[index];
        cell.drawn += 1;
        f64::from(normal(self.key.bits(u32::try_from(index).unwrap_or(u32::MAX), 0, cell.drawn)))
    }

    /// The conductance of a cell at a time in seconds, without the noise of reading. In siemens.
    ///
    /// # Panics
    /// If the cell is outside the array.
    #[must_use]
    pub fn conductance(&self, word: usize, bit: usize, now: f64) -> f64 {
        self.cells[word * self.bits + bit].conductance(now)
    }

    /// Pulses a cell; the others on its word line and on its bit line get half the voltage.
    ///
    /// # Panics
    /// If the cell is outside the array.
    pub fn pulse(&mut self, (word, bit): (usize, usize), volts: f64, seconds: f64, now: f64) {
        for other in (0..self.words).filter(|&w| w != word) {
            self.disturb(other * self.bits + bit, volts / 2.0, seconds, now);
        }
        for other in (0..self.bits).filter(|&b| b != bit) {
            self.disturb(word * self.bits + other, volts / 2.0, seconds, now);
        }
        let index = word * self.bits + bit;
        let before = 1.0 / self.cells[index].conductance(now);
        let gain = self.cells[index].gain * (self.physics.jitter * self.draw(index)).exp();
        let after = self.physics.after(before, volts, seconds, gain);
        if after != before {
            let walk = self.draw(index);
            let cell = &mut self.cells[index];
            (cell.left, cell.since, cell.walk) = (1.0 / after, now + seconds, walk);
        }
    }

    /// A pulse on a cell that is not selected: what it has relaxed so far is not undone.
    fn disturb(&mut self, index: usize, volts: f64, seconds: f64, now: f64) {
        let cell = &mut self.cells[index];
        let conductance = cell.conductance(now);
        let after = self.physics.after(1.0 / conductance, volts, seconds, cell.gain);
        cell.left += 1.0 / after - conductance;
    }

    /// Reads a cell: its resistance in ohms, with noise. The reading voltage acts on it for `seconds`.
    ///
    /// # Panics
    /// If the cell is outside the array.
    pub fn read(&mut self, (word, bit): (usize, usize), volts: f64, seconds: f64, now: f64) -> f64 {
        let index = word * self.bits + bit;
        self.disturb(index, volts, seconds, now);
        let elapsed = (now - self.cells[index].seen).max(0.0);
        let mut flicker = 0.0;
        for (part, time) in DECADES.iter().enumerate() {
            let kept = (-elapsed / time).exp();
            let fresh = self.draw(index);
            let state = &mut self.cells[index].flicker[part];
            *state = kept * *state + (1.0 - kept * kept).max(0.0).sqrt() * fresh;
            flicker += *state / (DECADES.len() as f64).sqrt();
        }
        self.cells[index].seen = now;
        let noise = self.physics.flicker * flicker + self.physics.white * self.draw(index);
        1.0 / (self.cells[index].conductance(now) * (1.0 + noise)).max(LEAST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_closed_form_solves_the_law() {
        let physics = Physics::default();
        for (start, volts, seconds) in [(20e3, 1.5, 1e-4), (80e3, -1.5, 1e-4), (15e3, 1.2, 3e-3), (100e3, -1.8, 1e-6)] {
            let branch = if volts > 0.0 { physics.rise } else { physics.fall };
            let edge = branch.edge_at(volts);
            let factor = f64::signum(volts) * branch.speed * ((f64::abs(volts) / branch.steepness).exp() - 1.0);
            // Euler's method at h and h/2, extrapolated
            let euler = |steps: u32| {
                let h = seconds / f64::from(steps);
                (0..steps).fold(start, |r, _| r + h * factor * (edge - r) * (edge - r))
            };
            let expected = 2.0 * euler(40_000) - euler(20_000);
            let moved = physics.after(start, volts, seconds, 1.0);
            assert!((moved - expected).abs() < 1e-6 * (expected - start).abs(), "{moved} against {expected}");
        }
    }

    #[test]
    fn values_are_stable() {
        let physics = Physics::default();
        assert_eq!(physics.after(20e3, 0.5, 1.0, 1.0), 20e3, "reading opens no window");
        assert_eq!(physics.after(20e3, -0.5, 1.0, 1.0), 20e3);
        assert!((physics.after(20e3, 1.5, 1e-5, 1.0) - 20_323.652_3).abs() < 1e-3);
        assert!((relaxation_deviation(1.0) * 1e6 - 0.411_833_42).abs() < 1e-12);
        assert!((relaxation_deviation(86_400.0) * 1e6 - 0.889_365_9).abs() < 1e-6);
        assert!((relaxation_mean(86_400.0) * 1e6 + 1.011_663_5).abs() < 1e-6);
    }

    #[test]
    fn flicker_is_a_state_and_white_noise_is_none() {
        // the mean of many reads at once keeps the 1/f noise: its variance over cells is that of one read
        let mut array = Array::new(32, 32, Physics { white: 0.0, ..Physics::default() }, 5);
        let mut means = Vec::new();
        for cell in 0..1024 {
            let at = (cell / 32, cell % 32);
            let truth = array.conductance(at.0, at.1, 0.0);
            let sum: f64 = (0..16).map(|_| 1.0 / array.read(at, 0.5, 0.0, 0.0)).sum();
            means.push(sum / 16.0 / truth - 1.0);
        }
        let deviation = (means.iter().map(|m| m * m).sum::<f64>() / 1024.0).sqrt();
        let four_errors = 4.0 / 2048_f64.sqrt();
        assert!((deviation / 0.002 - 1.0).abs() < four_errors, "{deviation}");
    }

    proptest! {
        #[test]
        fn no_pulse_passes_the_edge_of_its_window(
            start in 1e3..1e6_f64, volts in -2.5..2.5_f64, seconds in 0.0..10.0_f64, gain in 0.1..10.0_f64,
        ) {
            let physics = Physics::default();
            let after = physics.after(start, volts, seconds, gain);
            let branch = if volts >= 0.0 { physics.rise } else { physics.fall };
            let edge = branch.edge_at(volts);
            let (low, high) = (start.min(edge), start.max(edge));
            prop_assert!(after == start || (low..=high).contains(&after));
            let is_onward = if volts >= 0.0 { after >= start } else { after <= start };
            prop_assert!(is_onward);
        }

        #[test]
        fn two_pulses_are_one_of_their_length(start in 12e3..90e3_f64, volts in -1.8..1.8_f64, seconds in 1e-7..1e-4_f64) {
            let physics = Physics::default();
            let once = physics.after(start, volts, 2.0 * seconds, 1.0);
            let twice = physics.after(physics.after(start, volts, seconds, 1.0), volts, seconds, 1.0);
            prop_assert!((once - twice).abs() <= 1e-9 * once);
        }
    }
}
