//! The light: sources, input section, mesh, reference and detectors, as heaters set them.
//!
//! Light of equal power enters every mode. The input section gives each mode its amplitude (an interferometer of which one output is
//! thrown away) and its phase; the mesh follows; each output meets a detector, or half of it the reference first. Heaters follow their power
//! with a time constant, `τ dw/dt = P - w`.

use isoform_core::draw::Key;
use isoform_physics::photonics::decomposition::Layout;
use isoform_physics::photonics::heaters::{self, Heaters};
use isoform_physics::photonics::matrix::{Complex, Matrix};
use isoform_physics::photonics::phases::{Convention, Phases, attenuator};
use std::f64::consts::TAU;
use std::time::Duration;

/// Which heater does what, by its channel.
///
/// The channels are, in this order: for each mode the amplitude and the phase of its input; for each element of the mesh, in the order in
/// which light meets them, its phase between and its phase before the couplers; the output phase of each mode; the phase of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// How many modes.
    pub modes: usize,
    /// Whether there is a reference.
    pub reference: bool,
}

impl Section {
    /// How many heaters.
    #[must_use]
    pub fn heaters(self) -> usize {
        self.modes * (self.modes + 2) + usize::from(self.reference)
    }

    /// The phases of all heaters for a field that goes in, a mesh, and a phase of the reference. A field has at most magnitude one.
    #[must_use]
    pub fn phases(self, input: &[Complex], mesh: &Phases, reference: f64) -> Vec<f64> {
        let mut phases = Vec::with_capacity(self.heaters());
        for field in input {
            let (between, adds) = attenuator(field.norm());
            phases.extend([between, (field.arg() - adds).rem_euclid(TAU)]);
        }
        phases.extend(mesh.list());
        phases.extend(self.reference.then_some(reference));
        phases
    }

    /// The phases of a mesh that realises a matrix.
    #[must_use]
    pub fn mesh(unitary: &Matrix) -> Phases {
        Phases::of(unitary, Layout::Rectangle, Convention::SingleArm)
    }
}

/// One heater: its warmth in watts at an instant, and the power that it takes since.
#[derive(Debug, Clone, Copy, Default)]
struct Heater {
    warmth: f64,
    power: f64,
    since: Duration,
}

/// The light of a bench in software.
#[derive(Debug)]
pub struct Chip {
    section: Section,
    truth: Heaters,
    heaters: Vec<Heater>,
    /// A mesh of its layout, whatever its phases.
    mesh: Phases,
    /// The time constant of a heater in seconds.
    tau: f64,
    /// The power of one mode at full amplitude, in watts.
    power: f64,
    /// The amplitude of the reference in units of a mode at full amplitude.
    reference: f64,
    /// The standard deviation of a reading, in watts.
    noise: f64,
    key: Key,
    readings: u64,
}

/// What a chip is made of.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Modes and reference.
    pub section: Section,
    /// The truth about the heaters.
    pub truth: Heaters,
    /// The time constant of a heater in seconds.
    pub tau: f64,
    /// The power of one mode at full amplitude, in watts.
    pub power: f64,
    /// The amplitude of the reference in units of a mode at full amplitude.
    pub reference: f64,
    /// The standard deviation of a reading, in watts.
    pub noise: f64,
    /// Of the noise.
    pub seed: u64,
}

impl Chip {
    /// A chip at room temperature.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            heaters: vec![Heater::default(); parts.section.heaters()],
            mesh: Section::mesh(&Matrix::identity(parts.section.modes)),
            section: parts.section,
            truth: parts.truth,
            tau: parts.tau,
            power: parts.power,
            reference: parts.reference,
            noise: parts.noise,
            key: Key::new(parts.seed, 0),
            readings: 0,
        }
    }

    /// How many heaters.
    #[must_use]
    pub fn heaters(&self) -> usize {
        self.heaters.len()
    }

    /// How many detectors.
    #[must_use]
    pub fn detectors(&self) -> usize {
        self.section.modes
    }

    /// The resistance of a heater in ohm.
    #[must_use]
    pub fn ohms(&self, heater: usize) -> f64 {
        self.truth.ohms[heater]
    }

    /// Gives a heater another power, in watts.
    pub fn heat(&mut self, heater: usize, power: f64, now: Duration) {
        let warmth = self.warmth(&self.heaters[heater], now);
        self.heaters[heater] = Heater { warmth, power, since: now };
    }

    fn warmth(&self, heater: &Heater, now: Duration) -> f64 {
        let passed = now.saturating_sub(heater.since).as_secs_f64();
        heaters::warmth(heater.warmth, heater.power, passed, self.tau)
    }

    /// The fields at the ends of the modes, in units of full amplitude, and the phase of the reference.
    fn fields(&self, now: Duration) -> (Vec<Complex>, f64) {
        let watts: Vec<f64> = self.heaters.iter().map(|h| self.warmth(h, now)).collect();
        let phases = self.truth.phases(&watts);
        let modes = self.section.modes;
        let (input, rest) = phases.split_at(2 * modes);
        let (mesh, reference) = rest.split_at(modes * modes);
        let interferometer = |internal| Convention::SingleArm.element(internal, 0.0, [0.0; 2]);
        let mut field: Vec<Complex> =
            input.chunks_exact(2).map(|p| interferometer(p[0])[0][0] * Complex::from_polar(1.0, p[1])).collect();
        self.mesh.with(mesh).pass(&mut field);
        (field, reference.first().copied().unwrap_or(0.0))
    }

    /// What the detectors read, in watts.
    #[expect(clippy::cast_possible_truncation, reason = "there are few modes")]
    pub fn read(&mut self, now: Duration) -> Vec<f64> {
        let (fields, phase) = self.fields(now);
        let reference = Complex::from_polar(self.reference, phase);
        self.readings += 1;
        let mut noise = vec![0.0; fields.len()];
        for (lane, value) in noise.iter_mut().enumerate() {
            let mut one = [0.0_f32];
            self.key.fill_normal(lane as u32, 0, self.readings, &mut one);
            *value = f64::from(one[0]) * self.noise;
        }
        let light = |e: Complex| if self.section.reference { (e + reference).norm_sqr() / 2.0 } else { e.norm_sqr() };
        fields.into_iter().zip(noise).map(|(e, n)| self.power * light(e) + n).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::f64::consts::FRAC_PI_2;

    fn chip(section: Section, noise: f64) -> Chip {
        let truth = Heaters::uniform(section.heaters(), 157.0, 1000.0, 0.3, 0.01);
        Chip::new(Parts { section, truth, tau: 1e-5, power: 1e-3, reference: 1.0, noise, seed: 7 })
    }

    fn drive(chip: &mut Chip, phases: &[f64], now: Duration) {
        let volts = chip.truth.volts(phases).expect("warm");
        for (heater, v) in volts.iter().enumerate() {
            chip.heat(heater, v * v / 1000.0, now);
        }
    }

    #[test]
    fn heaters_settle_with_their_time_constant() {
        let section = Section { modes: 1, reference: false };
        let mut chip = chip(section, 0.0);
        chip.heat(0, 1.0, Duration::ZERO);
        let after = |micros| chip.warmth(&chip.heaters[0], Duration::from_micros(micros));
        assert!((after(10) - (1.0 - (-1.0_f64).exp())).abs() < 1e-12);
        assert!((after(1000) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn noise_is_that_of_its_seed() {
        let section = Section { modes: 2, reference: false };
        let (mut a, mut b) = (chip(section, 1e-6), chip(section, 1e-6));
        let first = a.read(Duration::ZERO);
        assert_eq!(first, b.read(Duration::ZERO));
        assert_ne!(first, a.read(Duration::ZERO));
        let readings: Vec<f64> = (0..2000).map(|_| a.read(Duration::ZERO)[0]).collect();
        let mean = readings.iter().sum::<f64>() / 2000.0;
        let variance = readings.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 1999.0;
        // 1999 degrees of freedom: five standard errors of the variance are 5 √(2/1999) = 0.158 of it
        assert!((variance / 1e-12 - 1.0).abs() < 0.158, "{variance}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_driven_chip_is_the_matrix(numbers in proptest::collection::vec(-1.0..1.0_f64, 18), x in proptest::collection::vec(-0.7..0.7_f64, 6), step in 0..4_u32) {
            let Some(wanted) = Matrix::orthonormal(3, &numbers) else { return Ok(()) };
            let section = Section { modes: 3, reference: true };
            let mut chip = chip(section, 0.0);
            let input: Vec<Complex> = x.chunks_exact(2).map(|p| Complex::new(p[0], p[1])).collect();
            let phase = f64::from(step) * FRAC_PI_2;
            drive(&mut chip, &section.phases(&input, &Section::mesh(&wanted), phase), Duration::ZERO);
            let seen = chip.read(Duration::from_millis(10));
            for (row, watts) in seen.iter().enumerate() {
                let field = (0..3).fold(Complex::ZERO, |sum, c| sum + wanted.at(row, c) * input[c]);
                let light = (field + Complex::from_polar(1.0, phase)).norm_sqr() / 2.0;
                prop_assert!((watts / 1e-3 - light).abs() < 1e-9, "{watts} is not {light}");
            }
        }
    }
}
