//! One mesh of a chip with its heaters: what they truly are, what is believed of them, and the fit that brings belief to truth.
//!
//! **Phase-to-power fit.** The heaters are set for random unitary matrices, as far as they are known; the transfer matrix is measured with known
//! inputs, one mode after the other, and taken apart, which gives the phase of every heater at once. What each is off by, weighted by how much it
//! counts, is fitted by a line over the phases that heaters have of their own: its offset and its slope correct `φ0` and `α`. Further rounds
//! start nearer, discard more of what is mistaken, and end at the noise of the measurement.
//!
//! **Trim.** What uneven couplers do looks like other phases as well: for the matrix that is wanted the phases are measured once more in the same way, and
//! moved by what they are off, as far as elements reach (Bandyopadhyay, Hamerly and Englund 2021, Optica 8, 1247).

use super::decomposition::Layout;
use super::detection::Homodyne;
use super::fabric::{Fabric, normals};
use super::heaters::{Crosstalk, Heaters, warmth};
use super::matrix::{Complex, Matrix};
use super::phases::{Convention, Phases};
use super::settings::Settings;
use isoform_core::draw::Key;
use isoform_core::error::{Error, Result};
use std::f64::consts::PI;

/// Unitary matrices of a round of a fit.
const MATRICES: usize = 8;
/// What a phase may be off in each round of a fit, in radian, and still count: more is a mistaken fold.
const ROUNDS: [f64; 4] = [1.4, 0.4, 0.1, 0.03];
/// Matrices that are measured while heaters are trimmed for one.
const TRIMS: usize = 4;
/// Time constants after which a heater counts as settled: what is left is `e^{-40}`.
pub(super) const SETTLED: f64 = 40.0;

/// How far the matrix that is measured is off with some powers, and those powers.
pub(super) type Known = (f64, Vec<f64>);

/// A mesh with its heaters.
#[derive(Debug, Clone)]
pub(super) struct Section {
    phases: Phases,
    fabric: Fabric,
    layout: Layout,
    truth: Heaters,
    /// Radian per second.
    rates: Vec<f64>,
    believed: Heaters,
    powers: Vec<f64>,
    warmth: Vec<f64>,
    /// The powers that the last calibration which was accepted came to, which the next one stays at unless it finds better ones.
    accepted: Option<Vec<f64>>,
    /// Matrices that were measured.
    measured: u64,
    /// Scratch: the phases at present.
    list: Vec<f64>,
}

impl Section {
    /// A cold mesh, of which nothing is believed but its design.
    pub(super) fn new(settings: &Settings, size: usize, key: Key) -> Self {
        let phases = Phases::of(&Matrix::identity(size), settings.layout, Convention::SingleArm);
        let heaters = size * size;
        let places = places(&phases, settings.layout);
        let believed = Heaters { crosstalk: Crosstalk::between(&places, settings.crosstalk), ..design(settings, heaters) };
        let draws = |stream: u64| normals(heaters, key, stream);
        let mut truth = believed.clone();
        // no slope is nought or below, and no offset so large that a turn is mistaken
        for (alpha, z) in truth.alpha.iter_mut().zip(draws(0)) {
            *alpha *= 1.0 + settings.spread * z.clamp(-4.0, 4.0);
        }
        truth.phi0 = draws(1).into_iter().map(|z| settings.offset * z.clamp(-4.0, 4.0)).collect();
        let mut drawn = vec![0.0_f32; heaters];
        key.fill_uniform(0, 0, 2, &mut drawn);
        let rates = drawn.into_iter().map(|u| settings.drift * (2.0 * f64::from(u) - 1.0)).collect();
        let [seed, _] = key.words();
        let fabric = Fabric::ideal(size, settings.layout)
            .with_couplers(settings.coupler, u64::from(seed))
            .with_loss(settings.loss, settings.dummies);
        Self {
            phases,
            fabric,
            layout: settings.layout,
            truth,
            rates,
            believed,
            powers: vec![0.0; heaters],
            warmth: vec![0.0; heaters],
            accepted: None,
            measured: 0,
            list: vec![0.0; heaters],
        }
    }

    /// The amplitude that it is known to let through.
    pub(super) fn amplitude(&self) -> f64 {
        self.fabric.amplitude()
    }

    /// The watts of all heaters.
    pub(super) fn watts(&self) -> f64 {
        self.powers.iter().sum()
    }

    /// What is believed, in the order in which it is fitted.
    pub(super) fn fitted(&self) -> impl Iterator<Item = f64> {
        self.believed.alpha.iter().chain(&self.believed.phi0).copied()
    }

    /// Takes the present powers for good ones.
    pub(super) fn accept(&mut self) {
        self.accepted = Some(self.powers.clone());
    }

    /// Sets the powers for phases, as far as heaters are known, in steps of the converters.
    ///
    /// # Errors
    /// `Unsupported` for a phase beyond the reach of its heater; nothing is then changed.
    pub(super) fn set(&mut self, settings: &Settings, phases: &[f64]) -> Result<()> {
        self.powers = powers(settings, &self.believed, phases)?;
        Ok(())
    }

    /// Lets heaters follow their powers.
    pub(super) fn wait(&mut self, seconds: f64, tau: f64) {
        for (warm, &power) in self.warmth.iter_mut().zip(&self.powers) {
            *warm = warmth(*warm, power, seconds, tau);
        }
    }

    /// Brings the phases up to an age in seconds.
    pub(super) fn refresh(&mut self, age: f64) {
        self.truth.phases_into(&self.warmth, &mut self.list);
        self.list.iter_mut().zip(&self.rates).for_each(|(phase, rate)| *phase += rate * age);
        self.phases.set(&self.list);
    }

    /// Lets fields pass, those of each column of a matrix at once.
    pub(super) fn pass(&self, fields: &mut Matrix) {
        self.fabric.pass(&self.phases, fields);
    }

    /// Lets one field pass while each phase is off by `jitter` times a number.
    pub(super) fn pass_shaken(&self, fields: &mut Matrix, jitter: f64, drawn: &[f32], scratch: &mut Phases, list: &mut [f64]) {
        for ((to, &phase), &z) in list.iter_mut().zip(&self.list).zip(drawn) {
            *to = phase + jitter * f64::from(z);
        }
        scratch.set(list);
        self.fabric.pass(scratch, fields);
    }

    /// Phases of its layout, to be overwritten.
    pub(super) fn scratch(&self) -> Phases {
        self.phases.clone()
    }

    /// The transfer matrix at an age without the loss that is known, as it is measured: each entry an average of many shots.
    fn measure(&mut self, settings: &Settings, age: f64, key: Key) -> Matrix {
        self.wait(SETTLED * settings.tau, settings.tau);
        self.refresh(age);
        let size = self.phases.output.len();
        let mut matrix = Matrix::identity(size);
        self.pass(&mut matrix);
        let drawn = normals(2 * size * size, key, self.measured);
        self.measured += 1;
        let (by, noise) = (1.0 / self.amplitude(), self.noise(settings));
        Matrix::from_fn(size, size, |r, c| {
            let at = 2 * (r * size + c);
            matrix.at(r, c) * by + Complex::new(drawn[at], drawn[at + 1]) * noise
        })
    }

    /// The standard deviation of each part of an entry that is measured.
    fn noise(&self, settings: &Settings) -> f64 {
        Homodyne::new(settings, self.amplitude()).sigma(1.0) / Settings::SHOTS.sqrt()
    }

    /// Phases that are measured by their matrix, next to those that are expected.
    fn seen(&self, settings: &Settings, matrix: &Matrix, expected: &Phases) -> Vec<f64> {
        // uneven couplers look like other phases where an element is nearly all bar or all cross
        let doubt = 3.0 * settings.coupler + 10.0 * self.noise(settings);
        Phases::of(matrix, self.layout, Convention::Clements).near(expected, doubt).list()
    }

    /// Fits what is believed of the heaters at an age. They are left where the fit had them last.
    ///
    /// # Errors
    /// `Unsupported` for a phase beyond the reach of its heater.
    pub(super) fn fit(&mut self, settings: &Settings, age: f64, key: Key) -> Result<()> {
        let (size, heaters) = (self.phases.output.len(), self.list.len());
        for (round, most) in (0..).zip(ROUNDS) {
            let most = most.max(10.0 * settings.coupler);
            // slopes and offsets are as likely as fabrication makes them, beside phases that are off by a part of the most
            let likely = [settings.offset, settings.spread].map(|sigma| (most / 80.0 / sigma.max(1e-4)).powi(2));
            let mut points = vec![[[0.0; 3]; MATRICES]; heaters];
            for number in 0..MATRICES {
                let draw = (round * MATRICES + number) as u64;
                let [seed, word] = key.words();
                let target = Matrix::haar(size, u64::from(seed) << 32 | u64::from(word) ^ draw);
                let target = Phases::of(&target, self.layout, Convention::SingleArm);
                self.set(settings, &target.list())?;
                let matrix = self.measure(settings, age, key);
                let expected = self.believed.phases(&self.powers);
                let found = self.seen(settings, &matrix, &target.with(&expected));
                let off: Vec<f64> = found.iter().zip(&expected).map(|(f, e)| Complex::cis(f - e).arg()).collect();
                let off = self.believed.crosstalk.undo(&off);
                for (i, points) in points.iter_mut().enumerate() {
                    let own = self.powers[i] * self.believed.alpha[i];
                    points[number] = [own, off[i], weight(i, size, &expected)];
                }
            }
            let lines: Vec<Line> = points.iter().map(|points| Line::through(points, most)).collect();
            let fits: Vec<[f64; 2]> = lines.iter().map(|line| line.solve(likely)).collect();
            let offsets: Vec<f64> = fits.iter().map(|f| f[0]).collect();
            for (i, [offset, slope]) in fits.into_iter().enumerate() {
                // no slope is further from the design than fabrication brings it
                let designed = PI / settings.watts;
                let most = 5.0 * settings.spread * designed;
                let slope = self.believed.alpha[i] * (1.0 + slope);
                self.believed.alpha[i] = slope.clamp(designed - most, designed + most);
                self.believed.phi0[i] += offset + self.believed.crosstalk.seen(i, &offsets);
            }
        }
        Ok(())
    }

    /// What the powers that were accepted come to at an age beside the matrix that is wanted, measured before anything is fitted.
    pub(super) fn standing(&mut self, settings: &Settings, age: f64, wanted: &Phases, key: Key) -> Known {
        let Some(powers) = self.accepted.clone() else { return (f64::INFINITY, Vec::new()) };
        self.powers.clone_from(&powers);
        (self.measure(settings, age, key).error(&wanted.matrix()), powers)
    }

    /// Sets all heaters for phases and moves them until the matrix that is measured is as near to that of even couplers as it gets.
    ///
    /// That does not end at the nearest matrix every time: where couplers are uneven one calibration of some ends at another one, which a program may
    /// not bear. What is known to be better by a measurement, `best` with its error, is then stayed at.
    ///
    /// # Errors
    /// `Unsupported` for a phase beyond the reach of its heater.
    pub(super) fn trim(&mut self, settings: &Settings, age: f64, wanted: &Phases, mut best: Known, key: Key) -> Result<()> {
        let goal = wanted.matrix();
        let mut command = wanted.list();
        for _ in 0..TRIMS {
            self.set(settings, &command)?;
            let matrix = self.measure(settings, age, key);
            let error = matrix.error(&goal);
            if error < best.0 {
                best = (error, self.powers.clone());
            }
            let found = self.seen(settings, &matrix, wanted);
            for (command, (wanted, found)) in command.iter_mut().zip(wanted.list().iter().zip(&found)) {
                *command += Complex::cis(wanted - found).arg();
            }
        }
        self.powers = best.1;
        self.wait(SETTLED * settings.tau, settings.tau);
        Ok(())
    }

    /// Seconds that a fit and the trim behind it take on the device.
    pub(super) fn fit_seconds(&self, settings: &Settings) -> f64 {
        fit_seconds(settings, self.phases.output.len())
    }
}

/// Seconds that a fit of a mesh of some size and the trim behind it take on the device.
pub(super) fn fit_seconds(settings: &Settings, size: usize) -> f64 {
    let bandwidth = settings.receiver.bandwidth;
    // what has no noise needs no average
    let shots = if bandwidth > 0.0 { 2.0 * Settings::SHOTS * size as f64 / bandwidth } else { 0.0 };
    (ROUNDS.len() * MATRICES + TRIMS) as f64 * (SETTLED * settings.tau + shots)
}

/// Heaters as they are designed.
pub(super) fn design(settings: &Settings, heaters: usize) -> Heaters {
    Heaters::uniform(heaters, PI / settings.watts, 1000.0, 0.0, 0.0)
}

/// The powers for phases, in steps of the converters.
pub(super) fn powers(settings: &Settings, believed: &Heaters, phases: &[f64]) -> Result<Vec<f64>> {
    let (step, most) = (settings.step() * settings.watts / PI, 2.0 * settings.watts * settings.reach);
    let own = believed.own(phases);
    let mut powers = Vec::with_capacity(own.len());
    for (heater, (own, alpha)) in own.iter().zip(&believed.alpha).enumerate() {
        let power = (own / alpha / step).round() * step;
        if power > most {
            return Err(Error::unsupported(format!(
                "heater {heater} would need {:.3} rad of its own, {power:.4} W, and reaches {most:.4} W: raise reach",
                power * alpha
            )));
        }
        powers.push(power);
    }
    Ok(powers)
}

/// How much an error of a phase shows: that before an element by how much the element mixes.
fn weight(i: usize, size: usize, phases: &[f64]) -> f64 {
    let elements = size * (size - 1);
    if i < elements { phases[i - i % 2].sin().powi(2) + 1e-6 } else { 1.0 }
}

/// Where heaters are: two for each element along its column, one at each output, with two units between columns.
fn places(phases: &Phases, layout: Layout) -> Vec<[f64; 2]> {
    let size = phases.output.len();
    let columns = layout.columns(size);
    let mut places = Vec::with_capacity(size * size);
    for (element, &column) in phases.elements.iter().zip(&columns) {
        let (along, across) = (2.0 * column as f64, element.mode as f64);
        places.extend([[along + 1.0, across], [along, across]]);
    }
    let end = columns.iter().max().map_or(0.0, |&c| 2.0 * (c as f64 + 1.0));
    places.extend((0..size).map(|mode| [end, mode as f64]));
    places
}

/// A weighted line through points.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    w: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
}

impl Line {
    /// The sums of points `[x, y, w]` whose `y` is within `most` of the median.
    fn through(points: &[[f64; 3]; MATRICES], most: f64) -> Self {
        let mut sorted = points.map(|[_, y, _]| y);
        sorted.sort_by(f64::total_cmp);
        let median = (sorted[(MATRICES - 1) / 2] + sorted[MATRICES / 2]) / 2.0;
        let near = points.iter().filter(|[_, y, _]| (y - median).abs() < most);
        near.fold(Self::default(), |sum, &[x, y, w]| Self {
            w: sum.w + w,
            x: sum.x + w * x,
            y: sum.y + w * y,
            xx: sum.xx + w * x * x,
            xy: sum.xy + w * x * y,
        })
    }

    /// Offset and slope, drawn to nought as points with the weights `likely` would.
    fn solve(&self, likely: [f64; 2]) -> [f64; 2] {
        let (w, xx) = (self.w + likely[0], self.xx + likely[1]);
        let spread = (w * xx - self.x * self.x).max(f64::MIN_POSITIVE);
        [(self.y * xx - self.x * self.xy) / spread, (w * self.xy - self.x * self.y) / spread]
    }
}
