//! The chip of one matrix: meshes and attenuators, programmed, drifting, measured and corrected.

use super::circuit::{Circuit, attenuated};
use super::detection::Homodyne;
use super::fabric::normals;
use super::heaters::{Crosstalk, Heaters};
use super::matrix::{Complex, Matrix};
use super::phases::{Convention, Phases};
use super::section::{SETTLED, Section, design, powers};
use super::settings::Settings;
use isoform_core::draw::Key;
use isoform_core::error::Result;

/// Attenuators between two meshes, each an interferometer of which one output is thrown away.
#[derive(Debug, Clone)]
struct Attenuators {
    truth: Heaters,
    rates: Vec<f64>,
    believed: Heaters,
    powers: Vec<f64>,
    list: Vec<f64>,
    /// The amplitude that each lets through at most.
    through: f64,
}

impl Attenuators {
    fn new(settings: &Settings, size: usize, key: Key) -> Self {
        let believed = Heaters { crosstalk: Crosstalk::in_line(size, settings.crosstalk), ..design(settings, size) };
        let mut truth = believed.clone();
        let draws = |stream: u64| normals(size, key, stream);
        truth.alpha.iter_mut().zip(draws(0)).for_each(|(alpha, z)| *alpha *= 1.0 + settings.spread * z.clamp(-4.0, 4.0));
        truth.phi0 = draws(1).into_iter().map(|z| settings.offset * z.clamp(-4.0, 4.0)).collect();
        let mut drawn = vec![0.0_f32; size];
        key.fill_uniform(0, 0, 2, &mut drawn);
        let rates = drawn.into_iter().map(|u| settings.drift * (2.0 * f64::from(u) - 1.0)).collect();
        let noughts = vec![0.0; size];
        Self { truth, rates, believed, powers: noughts.clone(), list: noughts, through: settings.through() }
    }

    fn refresh(&mut self, age: f64) {
        self.truth.phases_into(&self.powers, &mut self.list);
        self.list.iter_mut().zip(&self.rates).for_each(|(phase, rate)| *phase += rate * age);
    }

    /// Each tells its phase by that of the light that it lets through, `π/2 + x/2`; two powers tell the line.
    fn fit(&mut self, settings: &Settings, age: f64, key: Key) -> Result<()> {
        let size = self.list.len();
        let noise = Homodyne::new(settings, self.through).sigma(1.0) / Settings::SHOTS.sqrt();
        let mut seen = [vec![0.0; size], vec![0.0; size]];
        let mut own = seen.clone();
        for (number, target) in [0.4, 1.0].into_iter().enumerate() {
            self.powers = powers(settings, &self.believed, &vec![target * std::f64::consts::PI; size])?;
            self.refresh(age);
            let expected = self.believed.phases(&self.powers);
            let drawn = normals(2 * size, key, number as u64);
            for i in 0..size {
                let light = Complex::I * Complex::from_polar((self.list[i] / 2.0).sin(), self.list[i] / 2.0);
                let light = light + Complex::new(drawn[2 * i], drawn[2 * i + 1]) * noise;
                // what is off in half the phase shows in the light
                let half = (light * Complex::cis(-expected[i] / 2.0) / Complex::I).arg();
                seen[number][i] = 2.0 * half;
                own[number][i] = self.powers[i] * self.believed.alpha[i];
            }
            seen[number] = self.believed.crosstalk.undo(&seen[number]);
        }
        let slope = |i: usize| (seen[1][i] - seen[0][i]) / (own[1][i] - own[0][i]);
        let offsets: Vec<f64> = (0..size).map(|i| seen[0][i] - slope(i) * own[0][i]).collect();
        for i in 0..size {
            self.believed.alpha[i] *= 1.0 + slope(i);
            self.believed.phi0[i] += offsets[i] + self.believed.crosstalk.seen(i, &offsets);
        }
        Ok(())
    }
}

/// A chip that realises one matrix.
#[derive(Debug, Clone)]
pub(super) struct Chip {
    circuit: Circuit,
    rows: usize,
    columns: usize,
    first: Section,
    second: Option<(Attenuators, Section)>,
    /// The fields at the outputs of all modes for one of each input, with its loss.
    matrix: Matrix,
    shaken: Option<Shaken>,
}

/// What a shot with jitter needs.
#[derive(Debug, Clone)]
struct Shaken {
    phases: Phases,
    list: Vec<f64>,
    field: Matrix,
}

impl Chip {
    /// A chip for a matrix, cold and unknown.
    pub(super) fn new(settings: &Settings, matrix: &Matrix, key: impl Fn(u32) -> Key) -> Self {
        let circuit = Circuit::of(matrix, settings.layout, Convention::SingleArm);
        let modes = circuit.modes();
        let first = Section::new(settings, modes, key(0));
        let second = circuit.second.is_some();
        let second = second.then(|| (Attenuators::new(settings, modes, key(1)), Section::new(settings, modes, key(2))));
        let shaken = (settings.jitter > 0.0).then(|| Shaken {
            phases: first.scratch(),
            list: vec![0.0; modes * modes],
            field: Matrix::zero(modes, 1),
        });
        let (rows, columns) = (matrix.rows(), matrix.columns());
        Self { circuit, rows, columns, first, second, matrix: Matrix::identity(modes), shaken }
    }

    /// The factor behind the detectors of fields that are divided by the amplitude.
    pub(super) fn gain(&self) -> f64 {
        self.circuit.gain
    }

    /// The amplitude that is known to be left of a field.
    pub(super) fn amplitude(&self) -> f64 {
        let second = self.second.as_ref().map_or(1.0, |(a, mesh)| a.through * mesh.amplitude());
        self.first.amplitude() * second
    }

    /// How many heaters.
    pub(super) fn heaters(&self) -> usize {
        let modes = self.matrix.rows();
        modes * modes + if self.second.is_some() { modes * (modes + 1) } else { 0 }
    }

    /// The watts of all heaters.
    pub(super) fn watts(&self) -> f64 {
        let second = self.second.as_ref().map_or(0.0, |(a, mesh)| a.powers.iter().sum::<f64>() + mesh.watts());
        self.first.watts() + second
    }

    /// What is believed of the heaters.
    pub(super) fn fitted(&self) -> Vec<f64> {
        let mut all: Vec<f64> = self.first.fitted().collect();
        if let Some((a, mesh)) = &self.second {
            all.extend(a.believed.alpha.iter().chain(&a.believed.phi0));
            all.extend(mesh.fitted());
        }
        all
    }

    /// Sets all heaters for the matrix, as far as they are known, and lets them settle.
    ///
    /// # Errors
    /// `Unsupported` for a phase beyond the reach of its heater.
    pub(super) fn set(&mut self, settings: &Settings) -> Result<()> {
        self.first.set(settings, &self.circuit.first.list())?;
        self.first.wait(SETTLED * settings.tau, settings.tau);
        if let (Some((attenuators, mesh)), Some((wanted, phases))) = (&mut self.second, &self.circuit.second) {
            attenuators.powers = powers(settings, &attenuators.believed, wanted)?;
            mesh.set(settings, &phases.list())?;
            mesh.wait(SETTLED * settings.tau, settings.tau);
        }
        Ok(())
    }

    /// Measures the heaters at an age, corrects what is believed of them, and sets them for the matrix; `key` is that of the noise of each section.
    ///
    /// # Errors
    /// `Unsupported` for a phase beyond the reach of its heater.
    pub(super) fn calibrate(&mut self, settings: &Settings, age: f64, key: impl Fn(u32) -> Key) -> Result<()> {
        let known = self.first.standing(settings, age, &self.circuit.first, key(0));
        self.first.fit(settings, age, key(0))?;
        self.first.trim(settings, age, &self.circuit.first, known, key(0))?;
        if let (Some((attenuators, mesh)), Some((wanted, phases))) = (&mut self.second, &self.circuit.second) {
            attenuators.fit(settings, age, key(1))?;
            attenuators.powers = powers(settings, &attenuators.believed, wanted)?;
            let known = mesh.standing(settings, age, phases, key(2));
            mesh.fit(settings, age, key(2))?;
            mesh.trim(settings, age, phases, known, key(2))?;
        }
        Ok(())
    }

    /// Takes what it is set to for good, to stay at unless a calibration finds better.
    pub(super) fn accept(&mut self) {
        self.first.accept();
        if let Some((_, mesh)) = &mut self.second {
            mesh.accept();
        }
    }

    /// Seconds that a fit takes on the device.
    pub(super) fn fit_seconds(&self, settings: &Settings) -> f64 {
        self.first.fit_seconds(settings) + self.second.as_ref().map_or(0.0, |(_, mesh)| mesh.fit_seconds(settings))
    }

    /// Brings phases and matrix up to an age in seconds.
    pub(super) fn refresh(&mut self, age: f64) {
        self.matrix.reset_to_identity();
        self.first.refresh(age);
        self.first.pass(&mut self.matrix);
        if let Some((attenuators, mesh)) = &mut self.second {
            attenuators.refresh(age);
            attenuated(&mut self.matrix, &attenuators.list, attenuators.through);
            mesh.refresh(age);
            mesh.pass(&mut self.matrix);
        }
    }

    /// The matrix, with gain and without loss, as it is at present.
    pub(super) fn entries(&self) -> impl Iterator<Item = Complex> {
        let factor = self.gain() / self.amplitude();
        (0..self.rows).flat_map(move |r| self.matrix.row(r)[..self.columns].iter().map(move |e| e * factor))
    }

    /// One field through the chip while each phase is off, with a normal number for each heater; what comes out, with gain and without loss.
    pub(super) fn shake(&mut self, field: &[Complex], jitter: f64, drawn: &[f32], out: &mut [Complex]) {
        let factor = self.gain() / self.amplitude();
        let Some(Shaken { phases, list, field: fields }) = &mut self.shaken else { return };
        let modes = fields.rows();
        (0..modes).for_each(|mode| fields.put(mode, 0, field.get(mode).copied().unwrap_or(Complex::ZERO)));
        let (here, rest) = drawn.split_at(modes * modes);
        self.first.pass_shaken(fields, jitter, here, phases, list);
        if let Some((attenuators, mesh)) = &self.second {
            let (here, rest) = rest.split_at(modes);
            for ((to, &phase), &z) in list.iter_mut().zip(&attenuators.list).zip(here) {
                *to = phase + jitter * f64::from(z);
            }
            attenuated(fields, &list[..modes], attenuators.through);
            mesh.pass_shaken(fields, jitter, rest, phases, list);
        }
        out.iter_mut().enumerate().for_each(|(mode, to)| *to = fields.at(mode, 0) * factor);
    }
}
