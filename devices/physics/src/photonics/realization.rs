//! A program on the twin of a mesh: shots, time, calibration.

use super::blocks::{Block, ROWS, gather, scatter, sum};
use super::bounds::{self, Bound};
use super::settings::Settings;
use super::stage::{Mode, Shots, Stage};
use async_trait::async_trait;
use isoform_core::calibration::{Calibration, Certificate};
use isoform_core::draw::Key;
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::medium::Medium;
use isoform_core::report::{Energy, Report};
use isoform_core::signal::{Extent, Signal, SignalMut};
use isoform_core::substrate::{Realization, Rest, Run};
use std::time::{Duration, Instant};

/// Parts of the time that a calibration holds in which a chip is taken for unmoved.
const EPOCHS: f64 = 64.0;
/// Calibrations that are made one after the other where what was measured by chance left a program beyond its margin: one in some thousand does, and
/// behind uneven couplers one in four, so that fewer would take a program under one seed and refuse it under another.
const ATTEMPTS: u32 = 8;
/// The relative uncertainty of modelled energy.
const UNCERTAIN: f64 = 0.1;

/// One step of a program, on ranges of values that start where it is said.
#[derive(Debug)]
pub(super) enum Step {
    /// A chip.
    Chip { stage: Box<Stage>, from: Vec<usize>, to: usize },
    /// A sum that is passed on.
    Pass { from: Vec<usize>, to: usize, channels: usize },
}

/// A sum of values that leaves the program.
#[derive(Debug)]
pub(super) struct Tap {
    pub(super) name: String,
    pub(super) from: Vec<usize>,
    pub(super) channels: usize,
}

/// A program on the twin of a mesh.
#[derive(Debug)]
pub(super) struct Meshed {
    settings: Settings,
    medium: Medium,
    run: Run,
    steps: Vec<Step>,
    taps: Vec<Tap>,
    inputs: usize,
    outputs: usize,
    /// Seconds of a tick.
    dt: f64,
    /// Ticks since the program was realised.
    ticks: u64,
    /// Seconds besides.
    rested: f64,
    certificate: Certificate,
    /// The age at which the certificate was made.
    made: f64,
    /// Which part of the time of the certificate the chips are brought up to.
    epoch: u64,
    calibrations: u32,
    watts: f64,
    values: Vec<Block>,
    tapped: Vec<Block>,
    x: Vec<f32>,
    y: Vec<f32>,
}

/// What a realization is made of.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) settings: Settings,
    pub(super) medium: Medium,
    pub(super) run: Run,
    pub(super) steps: Vec<Step>,
    pub(super) taps: Vec<Tap>,
    pub(super) inputs: usize,
    pub(super) values: usize,
    pub(super) dt: f64,
}

impl Meshed {
    /// Powers the chips on, calibrates and programs them.
    ///
    /// # Errors
    /// `Unsupported` for a program whose outputs would be off by more than is declared, and for a phase beyond the reach of its heater.
    pub(super) fn new(parts: Parts) -> Result<Self> {
        let Parts { settings, medium, run, steps, taps, inputs, values, dt } = parts;
        let outputs = taps.iter().map(|t| t.channels).sum();
        // as many ticks as fill a block, or one
        let rows = (ROWS / run.batch).max(1) * run.batch;
        let valid = settings.valid;
        let certificate =
            Certificate { id: String::new(), method: String::new(), age: 0.0, valid, before: f64::NAN, after: f64::NAN };
        let mut made = Self {
            x: vec![0.0; rows * inputs],
            y: vec![0.0; rows * outputs],
            values: vec![[0.0; ROWS]; values],
            tapped: vec![[0.0; ROWS]; outputs],
            settings,
            medium,
            run,
            steps,
            taps,
            inputs,
            outputs,
            dt,
            ticks: 0,
            rested: 0.0,
            certificate,
            made: 0.0,
            epoch: 0,
            calibrations: 0,
            watts: 0.0,
        };
        made.program()?;
        // the clock of a program starts at the end of the fit, which began earlier
        made.rested = -made.fit_seconds();
        made.correct()?;
        made.rested += made.settings.age;
        Ok(made)
    }

    fn now(&self) -> f64 {
        self.ahead(0)
    }

    /// The age in so many ticks, the same to the bit however they are taken.
    fn ahead(&self, ticks: usize) -> f64 {
        self.rested + (self.ticks + ticks as u64) as f64 * self.dt
    }

    fn stages(&mut self) -> impl Iterator<Item = &mut Stage> {
        self.steps.iter_mut().filter_map(|step| match step {
            Step::Chip { stage, .. } => Some(stage.as_mut()),
            Step::Pass { .. } => None,
        })
    }

    /// Sets all heaters for the program, as far as they are known.
    fn program(&mut self) -> Result<()> {
        let settings = self.settings.clone();
        let mut watts = 0.0;
        for stage in self.stages() {
            stage.chip.set(&settings).map_err(|e| e.with_node(&stage.name))?;
            watts += stage.chip.watts();
        }
        self.watts = watts;
        Ok(())
    }

    fn refresh(&mut self, age: f64) {
        self.stages().for_each(|stage| stage.refresh(age));
    }

    /// Seconds that a fit of all chips takes on the device.
    fn fit_seconds(&mut self) -> f64 {
        let settings = self.settings.clone();
        self.stages().map(|stage| stage.chip.fit_seconds(&settings)).sum()
    }

    /// Holds the outputs to what is declared, at an age and when a certificate of that age ends; with a refusal goes whether another calibration
    /// may mend it.
    fn judge(&mut self, age: f64) -> Result<(), (Error, bool)> {
        for age in [age + self.settings.valid, age] {
            self.refresh(age);
            let mut bounds = vec![Bound::default(); self.values.len()];
            bounds[..self.inputs].fill(Bound::INPUT);
            let sum =
                |bounds: &[Bound], from: &[usize]| from.iter().fold(Bound::default(), |sum, &start| sum.plus(bounds[start]));
            for step in &self.steps {
                match step {
                    Step::Chip { stage, from, to } => {
                        let bound = stage.bound(&self.settings, sum(&bounds, from));
                        bounds[*to..to + stage.channels()].fill(bound);
                    }
                    Step::Pass { from, to, channels } => {
                        let bound = sum(&bounds, from);
                        bounds[*to..to + channels].fill(bound);
                    }
                }
            }
            let outputs: Vec<_> = self.taps.iter().map(|tap| (tap.name.as_str(), sum(&bounds, &tap.from))).collect();
            // a trim behind uneven couplers may have ended at another matrix altogether
            let is_mended = || self.settings.coupler > 0.0 || bounds::is_near(&outputs, &self.medium);
            bounds::check(&outputs, &self.medium).map_err(|e| (e, is_mended()))?;
        }
        Ok(())
    }

    /// Root mean square error of the means of outputs, over known inputs.
    fn residual(&mut self) -> f64 {
        let mut drawn = vec![0.0_f32; self.inputs * ROWS];
        Key::new(self.settings.seed, KNOWN).fill_uniform(0, 0, 0, &mut drawn);
        let mut run = |ideal: bool| -> Vec<f32> {
            for (value, drawn) in self.values.iter_mut().zip(drawn.chunks_exact(ROWS)) {
                value.iter_mut().zip(drawn).for_each(|(v, u)| *v = 2.0 * u - 1.0);
            }
            self.compute(Mode::Mean { ideal }, ROWS);
            let mut row = vec![0.0; self.outputs * ROWS];
            self.tap(&mut row);
            row
        };
        let (found, wanted) = (run(false), run(true));
        let squares: f64 = found.iter().zip(&wanted).map(|(f, w)| f64::from(f - w).powi(2)).sum();
        (squares / found.len().max(1) as f64).sqrt()
    }

    /// Measures, fits, programs and judges, and does so again where the measurement was unlucky; on failure all is as it was.
    fn correct(&mut self) -> Result<()> {
        let (settings, age, seconds) = (self.settings.clone(), self.now(), self.fit_seconds());
        if seconds > settings.valid {
            return Err(Error::unsupported(settings.too_short(seconds)));
        }
        self.refresh(age);
        let before = self.residual();
        let kept: Vec<_> = self.stages().map(|stage| stage.chip.clone()).collect();
        let mut attempt = |age: f64| -> Result<(), (Error, bool)> {
            self.calibrations += 1;
            let number = self.calibrations;
            for stage in self.stages() {
                let key = stage.measuring(number);
                stage.chip.calibrate(&settings, age, key).map_err(|e| (e.with_node(&stage.name), false))?;
            }
            self.judge(age + seconds)
        };
        let (mut found, mut taken) = (attempt(age), seconds);
        for _ in 1..ATTEMPTS {
            if !matches!(found, Err((_, true))) {
                break;
            }
            (found, taken) = (attempt(age + taken), taken + seconds);
        }
        if let Err((e, _)) = found {
            self.stages().zip(kept).for_each(|(stage, chip)| stage.chip = chip);
            self.watts = self.stages().map(|stage| stage.chip.watts()).sum();
            self.refresh(self.made + self.middle());
            return Err(e);
        }
        self.stages().for_each(|stage| stage.chip.accept());
        self.watts = self.stages().map(|stage| stage.chip.watts()).sum();
        let fitted: Vec<f64> = self.stages().flat_map(|stage| stage.chip.fitted()).collect();
        let after = self.residual();
        self.rested += taken;
        self.made = self.now();
        let method = format!("phase against power: slopes and offsets of {} heaters", fitted.len() / 2);
        self.certificate =
            Certificate { id: Certificate::id_of(&fitted), method, age: 0.0, valid: self.settings.valid, before, after };
        self.epoch = 0;
        self.refresh(self.made + self.middle());
        Ok(())
    }

    /// Seconds from the certificate to the middle of the epoch.
    fn middle(&self) -> f64 {
        (self.epoch as f64 + 0.5) * self.settings.valid / EPOCHS
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number of nought or more")]
    fn epoch_at(&self, age: f64) -> u64 {
        ((age - self.made) * EPOCHS / self.settings.valid) as u64
    }

    /// Refuses ticks beyond the time of the certificate.
    fn check_time(&self, ticks: usize) -> Result<()> {
        // the words are made only where they are needed
        let end = self.ahead(ticks) - self.made;
        if end <= self.settings.valid { Ok(()) } else { self.certified().check_until(end) }
    }

    fn certified(&self) -> Certificate {
        Certificate { age: self.now() - self.made, ..self.certificate.clone() }
    }

    /// All steps of a program for a block whose inputs are set; gives the number of values that were clipped.
    fn compute(&mut self, mode: Mode, rows: usize) -> u64 {
        let mut clipped = 0;
        for step in &mut self.steps {
            match step {
                Step::Chip { stage, from, to } => {
                    clipped += stage.take(&self.values, from, rows);
                    let channels = stage.channels();
                    stage.give(mode, self.settings.jitter, &mut self.values[*to..*to + channels]);
                }
                Step::Pass { from, to, channels } => {
                    for c in 0..*channels {
                        self.values[*to + c] = sum(&self.values, from, c);
                    }
                }
            }
        }
        clipped
    }

    /// Writes the outputs of a block, row by row.
    fn tap(&mut self, y: &mut [f32]) {
        if let [Tap { from, channels, .. }] = &*self.taps
            && let [start] = **from
        {
            return scatter(&self.values[start..start + channels], y);
        }
        let channels = self.taps.iter().flat_map(|tap| (0..tap.channels).map(|c| sum(&self.values, &tap.from, c)));
        self.tapped.iter_mut().zip(channels).for_each(|(to, block)| *to = block);
        scatter(&self.tapped, y);
    }

    /// Some ticks whose inputs are in `x`, all under the same matrices.
    fn shoot(&mut self, ticks: usize) -> u64 {
        let (lanes, inputs, outputs) = (self.run.batch, self.inputs, self.outputs);
        let mut y = std::mem::take(&mut self.y);
        let mut clipped = 0;
        for first in (0..ticks * lanes).step_by(ROWS) {
            let rows = ROWS.min(ticks * lanes - first);
            gather(&self.x[first * inputs..(first + rows) * inputs], &mut self.values[..inputs]);
            let shots = Shots { lane: first % lanes, lanes, tick: self.ticks + (first / lanes) as u64, rows };
            clipped += self.compute(Mode::Shot(shots), rows);
            self.tap(&mut y[first * outputs..(first + rows) * outputs]);
        }
        self.y = y;
        clipped
    }
}

/// Keeps the draws of known inputs apart from those of other uses of a seed.
const KNOWN: u32 = 0x6b6e_6f77;

#[async_trait]
impl Realization for Meshed {
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let start = Instant::now();
        if ticks > 0 {
            self.check_time(ticks)?;
        }
        let lanes = self.run.batch;
        let (input, output) =
            (Extent { ticks, batch: lanes, channels: self.inputs }, Extent { ticks, batch: lanes, channels: self.outputs });
        let group = (ROWS / lanes).max(1);
        let (mut done, mut clipped) = (0, 0);
        while done < ticks && !self.run.cancel.is_raised() {
            let epoch = self.epoch_at(self.now());
            if epoch != self.epoch {
                self.epoch = epoch;
                self.refresh(self.made + self.middle());
            }
            // ticks of one epoch go together
            let most = group.min(ticks - done);
            let within = |n: usize| self.epoch_at(self.ahead(n)) == epoch;
            let count = (1..most).find(|&n| !within(n)).unwrap_or(most);
            for n in 0..count {
                x.row(input, done + n, &mut self.x[n * input.row()..(n + 1) * input.row()]);
            }
            clipped += self.shoot(count);
            for n in 0..count {
                y.put(output, done + n, &self.y[n * output.row()..(n + 1) * output.row()]);
            }
            self.ticks += count as u64;
            done += count;
        }
        let seconds = done as f64 * self.dt;
        let joules = self.watts * seconds;
        Ok(Report {
            wall: start.elapsed(),
            device: Some(Duration::from_secs_f64(seconds)),
            energy: Some(Energy { joules, uncertainty: UNCERTAIN * joules, measured: false }),
            clipped,
            ..Report::of(done)
        })
    }

    /// Nothing of a program is kept from tick to tick; noise goes on and time has passed.
    async fn reset(&mut self) -> Result<()> {
        Ok(())
    }

    fn calibration(&mut self) -> Option<&mut dyn Calibration> {
        Some(self)
    }

    fn rest(&mut self) -> Option<&mut dyn Rest> {
        Some(self)
    }
}

#[async_trait]
impl Calibration for Meshed {
    async fn calibrate(&mut self) -> Result<Certificate> {
        self.correct().map_err(|e| {
            let refused = Error::new(ErrorKind::Calibration, e.message());
            if let Some(node) = e.node() { refused.with_node(node) } else { refused }
        })?;
        Ok(self.certified())
    }

    async fn certificate(&mut self) -> Result<Option<Certificate>> {
        Ok(Some(self.certified()))
    }
}

#[async_trait]
impl Rest for Meshed {
    async fn rest(&mut self, seconds: f64) -> Result<()> {
        if !(seconds >= 0.0 && seconds.is_finite()) {
            return Err(Error::invalid_signal(format!("{seconds} seconds cannot pass; rest for a number of nought or more")));
        }
        self.rested += seconds;
        Ok(())
    }

    async fn age(&mut self) -> Result<f64> {
        Ok(self.now())
    }
}
