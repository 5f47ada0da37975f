//! An array of cells on a clock of its own: written, worn, drifting, fluctuating, disturbed by reads.
//!
//! The fluctuation of each cell is a sum of Ornstein-Uhlenbeck processes. Those that are slower than `refresh` are states of the cell, moved on
//! exactly whenever a tenth of their time constant has passed, and held in between, or until the array is looked at again if that is later.
//! Those that are faster are independent from read to read to within `e^{-1}` and are drawn at each read, or for a whole bit line at once: the sum
//! of independent normal numbers is normal, so that one draw of the summed variance has the same distribution. (A cell whose conductance is within a few deviations of nought is held there
//! from below by [`Array::read`], but not in such a sum.)
//!
//! **Read disturb.** Each read closes a share `1/disturb` of the distance to the largest conductance, as the weak field of reading crystallises
//! or grows a filament. The law is the simplest with a saturation and is fitted to no publication.

use super::device::{Device, Trace};
use super::error::Error;
use crate::memristor::flicker::{DECADES, Spectrum};
use isoform_core::draw::{Key, normal};
use isoform_core::scalar::Scalar;

/// Streams of the draws of a cell: the write, its fate, a read, then one for each process as it moves on and as a write starts it.
const WRITE: u32 = 0;
const FATE: u32 = 1;
const READ: u32 = 2;
const MOVE: u32 = 32;
const START: u32 = 64;

/// Time is a sum of ticks, and may have been rounded down.
const ROUNDED: f64 = 1.0 + 1e-6;

/// What an array is made of and how it is used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The material.
    pub device: Device,
    /// How often a cell can be written.
    pub endurance: u32,
    /// Reads that close all but 1/e of the distance to the largest conductance; infinite for none.
    pub disturb: f64,
    /// Fluctuations slower than this are states, in seconds.
    pub refresh: f64,
}

impl Settings {
    /// Cells of a material with its endurance, not disturbed by reads, with states for what is slower than a millisecond.
    #[must_use]
    pub fn new(device: Device) -> Self {
        Self { device, endurance: device.endurance(), disturb: f64::INFINITY, refresh: 1e-3 }
    }
}

/// What program-and-verify did.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verified {
    /// The conductance that the last read saw, in microsiemens.
    pub conductance: f64,
    /// Pulses that were spent, each of which wore the cell.
    pub pulses: u32,
}

/// An array of cells.
#[derive(Debug, Clone)]
pub struct Array {
    rows: usize,
    columns: usize,
    settings: Settings,
    key: Key,
    now: f64,
    traces: Vec<Trace>,
    /// When each cell was written last, in seconds.
    since: Vec<f64>,
    /// Conductances when they were computed last, without the noise of reading, in microsiemens.
    mean: Vec<f32>,
    /// Relative strength of the fluctuation.
    strength: Vec<f32>,
    /// The slow processes, `[process, cell]`, and their sum.
    slow: Vec<f32>,
    total: Vec<f32>,
    /// The first process that is slow.
    first: usize,
    /// When each slow process was moved on last, and how often.
    moved: Vec<(f64, u64)>,
    /// The logarithm of the age of the youngest cell when conductances were computed last; none if a cell was changed since.
    aged: Option<f64>,
    /// When the last cell was written.
    youngest: f64,
    /// How often each cell was written, and how often before it came here.
    writes: Vec<u32>,
    worn: u32,
    /// Reads that have not disturbed the cells yet.
    reads: u64,
    drawn: u64,
    noise: Vec<f32>,
}

impl Array {
    /// An array that was never written, all cells at nought.
    #[must_use]
    pub fn new(rows: usize, columns: usize, settings: Settings, key: Key) -> Self {
        let count = rows.saturating_mul(columns);
        let first = settings
            .device
            .spectrum()
            .map_or(DECADES, |(spectrum, _)| (0..DECADES).find(|&k| spectrum.time(k) >= settings.refresh).unwrap_or(DECADES));
        Self {
            rows,
            columns,
            settings,
            key,
            now: 0.0,
            traces: vec![Trace::default(); count],
            since: vec![0.0; count],
            mean: vec![0.0; count],
            strength: vec![0.0; count],
            slow: vec![0.0; count * (DECADES - first)],
            total: vec![0.0; count],
            first,
            moved: vec![(0.0, 0); DECADES - first],
            aged: None,
            youngest: 0.0,
            writes: vec![0; count],
            worn: 0,
            reads: 0,
            drawn: 0,
            noise: vec![0.0; count],
        }
    }

    /// Word lines and bit lines.
    #[must_use]
    pub fn extent(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// Counts writes that every cell has behind it from before. They wear it, and change no draw.
    pub fn wear(&mut self, writes: u32) {
        self.worn = self.worn.saturating_add(writes);
        self.writes.iter_mut().for_each(|w| *w = w.saturating_add(writes));
    }

    /// The logarithm of the age of the youngest cell, on which conductances move about evenly.
    #[must_use]
    pub fn log_age(&self) -> f64 {
        self.settings.device.log_age(self.now - self.youngest)
    }

    /// Seconds since the array was made.
    #[must_use]
    pub fn now(&self) -> f64 {
        self.now
    }

    /// How often a cell was written.
    ///
    /// # Errors
    /// [`Error::NoCell`].
    pub fn writes(&self, row: usize, column: usize) -> Result<u32, Error> {
        Ok(self.writes[self.index(row, column)?])
    }

    /// The most that any cell was written.
    #[must_use]
    pub fn most_writes(&self) -> u32 {
        self.writes.iter().copied().max().unwrap_or(0)
    }

    /// Whether every cell can be written once more.
    ///
    /// # Errors
    /// [`Error::Worn`] for the first that cannot.
    pub fn check_wear(&self) -> Result<(), Error> {
        match self.writes.iter().position(|&w| w >= self.settings.endurance) {
            Some(index) => Err(self.worn(index)),
            None => Ok(()),
        }
    }

    fn worn(&self, index: usize) -> Error {
        Error::Worn { row: index / self.columns, column: index % self.columns, endurance: self.settings.endurance }
    }

    fn index(&self, row: usize, column: usize) -> Result<usize, Error> {
        if row < self.rows && column < self.columns {
            Ok(row * self.columns + column)
        } else {
            Err(Error::NoCell { row, column, rows: self.rows, columns: self.columns })
        }
    }

    /// Whether a conductance in microsiemens can be written.
    ///
    /// # Errors
    /// [`Error::OutOfRange`].
    pub fn check_target(&self, target: f64) -> Result<(), Error> {
        let high = self.settings.device.g_max();
        if (0.0..=high).contains(&target) { Ok(()) } else { Err(Error::OutOfRange { value: target, low: 0.0, high }) }
    }

    fn draw(&self, index: usize, stream: u32, tick: u64) -> f64 {
        f64::from(normal(self.key.bits(u32::try_from(index).unwrap_or(u32::MAX), stream, tick)))
    }

    /// Writes a cell once, towards `target` microsiemens; what it comes to is up to the material.
    ///
    /// # Errors
    /// [`Error::NoCell`], [`Error::OutOfRange`] and [`Error::Worn`]; nothing is then changed.
    pub fn write(&mut self, row: usize, column: usize, target: f64) -> Result<(), Error> {
        let index = self.index(row, column)?;
        self.check_target(target)?;
        if self.writes[index] >= self.settings.endurance {
            return Err(self.worn(index));
        }
        self.move_on(true);
        self.put(index, &[target]);
        Ok(())
    }

    /// Writes consecutive cells that were written equally often, when all is checked and the processes are at the present.
    #[expect(clippy::cast_possible_truncation, reason = "states are in single precision")]
    fn put(&mut self, first: usize, targets: &[f64]) {
        let (device, tick) = (self.settings.device, u64::from(self.writes[first].saturating_sub(self.worn)));
        let (count, cells, lane) = (self.traces.len(), first..first + targets.len(), u32::try_from(first).unwrap_or(u32::MAX));
        let mut draws = [WRITE, FATE].map(|stream| {
            let mut drawn = vec![0.0; targets.len()];
            self.key.fill_normal(lane, stream, tick, &mut drawn);
            drawn.into_iter().map(f64::from)
        });
        for (index, &target) in cells.clone().zip(targets) {
            let [write, fate] = [0, 1].map(|k| draws[k].next().unwrap_or_default());
            self.traces[index] = device.write(target, [write, fate]);
            self.strength[index] = device.flicker(self.traces[index]) as f32;
            self.writes[index] += 1;
        }
        self.since[cells.clone()].fill(self.now);
        self.total[cells.clone()].fill(0.0);
        (self.youngest, self.aged) = (self.now, None);
        let Some((spectrum, age)) = device.spectrum() else { return };
        for (k, process) in (self.first..DECADES).enumerate() {
            let fresh = spectrum.transition(process, age).1 as f32;
            let noise = &mut self.noise[cells.clone()];
            self.key.fill_normal(lane, START + process as u32, tick, noise);
            let states = &mut self.slow[k * count..][cells.clone()];
            for ((state, total), n) in states.iter_mut().zip(&mut self.total[cells.clone()]).zip(noise) {
                *state = fresh * *n;
                *total += *state;
            }
        }
    }

    /// Writes every cell once, `[row, column]` in microsiemens.
    ///
    /// # Errors
    /// [`Error::Size`], [`Error::OutOfRange`] and [`Error::Worn`]; nothing is then changed.
    pub fn write_all(&mut self, targets: &[f64]) -> Result<(), Error> {
        if targets.len() != self.traces.len() {
            return Err(Error::Size { what: "conductances", found: targets.len(), expected: self.traces.len() });
        }
        targets.iter().try_for_each(|&target| self.check_target(target))?;
        self.check_wear()?;
        self.move_on(true);
        let mut first = 0;
        while first < targets.len() {
            let run = self.writes[first..].iter().take_while(|&&w| w == self.writes[first]).count();
            self.put(first, &targets[first..first + run]);
            first += run;
        }
        Ok(())
    }

    /// Reads and writes a cell in turn until a read is within `tolerance` of `target`, both in microsiemens. A cell that is there is not written.
    ///
    /// # Errors
    /// [`Error::NoCell`], [`Error::OutOfRange`]; [`Error::Worn`] and [`Error::NotReached`] when it has to stop: pulses until then were spent.
    pub fn program_and_verify(
        &mut self,
        row: usize,
        column: usize,
        target: f64,
        tolerance: f64,
        most: u32,
    ) -> Result<Verified, Error> {
        self.index(row, column)?;
        self.check_target(target)?;
        let mut pulses = 0;
        loop {
            let reached = self.read(row, column)?;
            if (reached - target).abs() <= tolerance {
                return Ok(Verified { conductance: reached, pulses });
            }
            if pulses == most {
                return Err(Error::NotReached { row, column, target, tolerance, reached, pulses });
            }
            self.write(row, column, target)?;
            pulses += 1;
        }
    }

    /// Reads one cell, with all its noise, in microsiemens.
    ///
    /// # Errors
    /// [`Error::NoCell`].
    pub fn read(&mut self, row: usize, column: usize) -> Result<f64, Error> {
        let index = self.index(row, column)?;
        self.move_on(false);
        let n = self.draw(index, READ, self.drawn);
        self.drawn += 1;
        self.reads += 1;
        let (device, trace) = (self.settings.device, self.traces[index]);
        let mean = device.conductance(trace, self.now - self.since[index]);
        let (strength, slow) = (f64::from(self.strength[index]), f64::from(self.total[index]));
        let noise = (mean * strength * self.fast_variance().sqrt()).hypot(device.white());
        Ok((mean * (1.0 + strength * slow) + noise * n).max(0.0))
    }

    /// Variance of the fast part of the fluctuation at rest, in units of its strength squared.
    #[must_use]
    pub fn fast_variance(&self) -> f64 {
        self.settings.device.spectrum().map_or(0.0, |(spectrum, _)| self.first as f64 * spectrum.variance())
    }

    /// Lets time pass, in seconds, in which the whole array is read so often.
    pub fn pass(&mut self, seconds: f64, reads: u64) {
        self.pass_to(self.now + seconds.max(0.0), reads);
    }

    /// Lets time pass up to a point of the array's clock, in which the whole array is read so often.
    pub fn pass_to(&mut self, now: f64, reads: u64) {
        self.now = self.now.max(now);
        self.reads += reads;
    }

    /// Moves the slow processes on to the present where it is due, or all of them.
    fn move_on(&mut self, all: bool) -> bool {
        let mut is_moved = false;
        if let Some((spectrum, _)) = self.settings.device.spectrum() {
            for k in 0..self.moved.len() {
                let elapsed = self.now - self.moved[k].0;
                if elapsed > 0.0 && (all || elapsed * ROUNDED >= self.hold(&spectrum, k)) {
                    self.move_process(&spectrum, k, elapsed);
                    is_moved = true;
                }
            }
        }
        if self.reads > 0 && self.settings.disturb.is_finite() {
            let share = -libm::expm1(-(self.reads as f64) / self.settings.disturb);
            let device = self.settings.device;
            self.traces.iter_mut().for_each(|trace| device.disturb(trace, share));
            self.aged = None;
        }
        self.reads = 0;
        is_moved
    }

    /// How long a slow process is held.
    fn hold(&self, spectrum: &Spectrum, k: usize) -> f64 {
        (spectrum.time(self.first + k) / 10.0).max(self.settings.refresh)
    }

    #[expect(clippy::cast_possible_truncation, reason = "states are in single precision")]
    fn move_process(&mut self, spectrum: &Spectrum, k: usize, elapsed: f64) {
        let (kept, fresh) = spectrum.transition(self.first + k, elapsed);
        let (kept, fresh) = (kept as f32, fresh as f32);
        self.key.fill_normal(0, MOVE + (self.first + k) as u32, self.moved[k].1, &mut self.noise);
        let count = self.traces.len();
        for ((state, total), n) in self.slow[k * count..(k + 1) * count].iter_mut().zip(&mut self.total).zip(&self.noise) {
            let next = kept * *state + fresh * n;
            *total += next - *state;
            *state = next;
        }
        self.moved[k] = (self.now, self.moved[k].1 + 1);
    }

    /// Moves on what is due and says whether what [`look`](Self::look) shows has changed.
    pub fn refresh(&mut self) -> bool {
        let is_moved = self.move_on(false);
        let log_age = self.log_age();
        if self.aged.is_some_and(|aged| log_age - aged < self.settings.device.step_of_age()) {
            return is_moved;
        }
        self.aged = Some(log_age);
        self.age(log_age);
        true
    }

    #[expect(clippy::cast_possible_truncation, reason = "conductances are in single precision")]
    fn age(&mut self, log_age: f64) {
        let device = self.settings.device;
        let is_uniform = self.since.iter().all(|&since| since == self.youngest);
        if let (Device::Pcm(_), true) = (device, is_uniform) {
            // one logarithm for all, and an exponential that is vector code
            let log_age = log_age as f32;
            for (mean, trace) in self.mean.iter_mut().zip(&self.traces) {
                *mean = trace.left * Scalar::exp(-trace.fate * log_age);
            }
        } else {
            for ((mean, &trace), since) in self.mean.iter_mut().zip(&self.traces).zip(&self.since) {
                *mean = device.conductance(trace, self.now - since) as f32;
            }
        }
    }

    /// Conductances as they were [refreshed](Self::refresh) last with their slow noise, and the variance of their fast noise, both
    /// `[row, column]`; in microsiemens and their square.
    ///
    /// # Panics
    /// If a slice does not hold a number for each cell.
    #[expect(clippy::cast_possible_truncation, reason = "conductances are in single precision")]
    pub fn look(&self, conductance: &mut [f32], variance: &mut [f32]) {
        let count = self.traces.len();
        assert!(conductance.len() == count && variance.len() == count, "one number for each cell");
        let (fast, white) = (self.fast_variance() as f32, self.settings.device.white().powi(2) as f32);
        let cells = self.mean.iter().zip(&self.strength).zip(&self.total);
        for (((mean, strength), total), (g, v)) in cells.zip(conductance.iter_mut().zip(variance)) {
            *g = f32::max(mean * (1.0 + strength * total), 0.0);
            let deviation = mean * strength;
            *v = deviation * deviation * fast + white;
        }
    }
}
