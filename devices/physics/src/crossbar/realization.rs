//! A program on the arrays of a chip.

use super::forecast::dense;
use super::stage::{Build, Stage};
use super::substrate::{BEHIND, Chip, INPUT, refusal};
use async_trait::async_trait;
use isoform_core::calibration::{Calibration, Certificate};
use isoform_core::draw::Key;
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::oracle::{Oracle, read_parameter, tuned};
use isoform_core::plan::{Place, Plan, Step};
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::signal::{Signal, SignalMut};
use isoform_core::substrate::{Realization, Rest, Run, Tuning};
use std::time::{Duration, Instant};

/// Rows that go through a stage together, unless the lanes of one tick are more.
const ROWS: usize = 256;
/// Inputs on which a calibration measures the error of outputs.
const PROBES: usize = 64;
/// Keeps the draws of probes apart from those of nodes.
const PROBE: u32 = 0x7072_6f62;
/// Draws of probes count from here; no run comes so far.
const PROBE_TICKS: u64 = 1 << 60;
/// The exponent of the common drift, by which the time of a calibration is over when the mean is behind by [`BEHIND`].
const COMMON: f64 = 0.049;

/// A calibration in force.
#[derive(Debug, Clone)]
struct InForce {
    made: f64,
    certificate: Certificate,
}

/// A program on a chip.
#[derive(Debug)]
pub(super) struct Realized {
    chip: Chip,
    program: Program,
    plan: Plan,
    run: Run,
    stages: Vec<Stage>,
    /// Rows of the inputs of the program, and of every buffer.
    inputs: Vec<Vec<f32>>,
    buffers: Vec<Vec<f32>>,
    row: Vec<f32>,
    out: Vec<f32>,
    /// Seconds of a tick.
    dt: f64,
    tick: u64,
    /// Ticks between two looks at the arrays.
    every: u64,
    /// Whether the arrays changed otherwise than by ticks.
    is_stale: bool,
    /// The clock of the device, in seconds: its reading at a tick.
    since: (f64, u64),
    /// Writes that no report has told yet.
    writes: u64,
    calibrations: u64,
    in_force: Option<InForce>,
}

impl Realized {
    pub(super) fn new(program: &Program, run: &Run, chip: Chip) -> Result<Self> {
        let plan = Plan::new(program);
        let forecast = chip.forecast(program, &plan)?;
        let rows = ROWS.max(run.batch).max(PROBES);
        let maps: Vec<_> = forecast.ranges.iter().filter_map(|ranges| Some((ranges, dense(program, ranges.node)?))).collect();
        let cells = maps.iter().map(|(_, map)| 2 * map.cols() * map.output().len()).sum();
        let (dt, every) = (program.semantics().dt, Chip::ticks_of_refresh(cells));
        let build = Build {
            // what is slower than a tick is a state, however seldom a large array is looked at: it is held in between, and not drawn each tick
            settings: chip.settings(dt),
            means: chip.means(dt),
            worn: chip.worn(),
            seed: run.seed ^ chip.chosen.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15),
        };
        let mut stages = Vec::with_capacity(maps.len());
        for (ranges, map) in maps {
            let node = &program.nodes()[ranges.node];
            let stage = Stage::new(map, ranges, node.key, rows, build).map_err(|e| refusal(e).with_node(&node.name))?;
            chip.wear(stage.most_writes());
            stages.push(stage);
        }
        let wide = |channels: usize| vec![0.0; rows * channels];
        let mut realized = Self {
            inputs: plan.inputs.iter().map(|i| wide(i.channels)).collect(),
            buffers: plan.buffers.iter().map(|b| wide(b.channels)).collect(),
            row: vec![0.0; plan.channels[0] * run.batch],
            out: vec![0.0; plan.channels[1] * run.batch],
            program: program.clone(),
            plan,
            run: run.clone(),
            writes: u64::from(!stages.is_empty()),
            stages,
            chip,
            dt,
            tick: 0,
            every,
            is_stale: false,
            since: (0.0, 0),
            calibrations: 0,
            in_force: None,
        };
        if realized.chip.chosen.is_compensated {
            // what was just written needs no correction: the first certificate says so
            let error = realized.error()?;
            realized.certify(error, error);
        }
        let age = realized.chip.chosen.age;
        if age > 0.0 {
            realized.jump(age, 0);
        }
        Ok(realized)
    }

    fn now(&self) -> f64 {
        self.ahead(0)
    }

    /// The clock in so many ticks.
    fn ahead(&self, ticks: usize) -> f64 {
        self.since.0 + (self.tick - self.since.1 + ticks as u64) as f64 * self.dt
    }

    /// Refuses ticks beyond the time of the calibration.
    fn check_time(&self, ticks: usize) -> Result<()> {
        match &self.in_force {
            Some(InForce { made, certificate }) if ticks > 0 && self.ahead(ticks) - made > certificate.valid => {
                let age = self.now() - made;
                Certificate { age, ..certificate.clone() }.check_until(self.ahead(ticks) - made)
            }
            _ => Ok(()),
        }
    }

    /// Moves the clock by other than ticks.
    fn jump(&mut self, seconds: f64, reads: u64) {
        self.since = (self.now() + seconds, self.tick);
        self.settle(reads);
        self.is_stale = true;
    }

    /// Brings the arrays to the clock.
    fn settle(&mut self, reads: u64) {
        let now = self.now();
        self.stages.iter_mut().for_each(|stage| stage.pass_to(now, reads));
    }

    /// Looks at the arrays where it is due.
    fn refresh(&mut self) -> Result<()> {
        if self.is_stale || self.tick.is_multiple_of(self.every) {
            self.stages.iter_mut().try_for_each(|stage| stage.refresh(false)).map_err(refusal)?;
            self.is_stale = false;
        }
        Ok(())
    }

    /// Puts rows that stand in the inputs through the program; gives how many samples were clipped.
    fn forward(&mut self, rows: usize, lanes: usize, tick: u64) -> u64 {
        let Self { plan, stages, inputs, buffers, .. } = self;
        let mut stages = stages.iter_mut();
        let mut clipped = 0;
        for step in plan.steps() {
            match step {
                Step::Sum { sources, out } => {
                    let mut sum = std::mem::take(&mut buffers[*out]);
                    let of_rows = rows * plan.buffers[*out].channels;
                    sum[..of_rows].fill(0.0);
                    for source in sources {
                        sum[..of_rows].iter_mut().zip(at(*source, inputs, buffers)).for_each(|(sum, v)| *sum += v);
                    }
                    buffers[*out] = sum;
                }
                Step::Linear { input, out, .. } => {
                    if let Some(stage) = stages.next() {
                        let mut y = std::mem::take(&mut buffers[*out]);
                        clipped += stage.apply(at(*input, inputs, buffers), &mut y, rows, lanes, tick);
                        buffers[*out] = y;
                    }
                }
                // no program with such a node is admitted
                Step::Line { .. } | Step::Neuron { .. } => {}
            }
        }
        clipped
    }

    /// Takes ticks of a signal in, as rows.
    fn take_in(&mut self, x: &Signal<'_>, from: usize, ticks: usize, all: usize) {
        let (extent, lanes, wide) = (self.run.input(&self.program, all), self.run.batch, self.plan.channels[0]);
        // a single input has the rows of the signal
        if let ([_], [rows]) = (&*self.plan.inputs, &mut *self.inputs) {
            for (tick, row) in rows.chunks_exact_mut((lanes * wide).max(1)).take(ticks).enumerate() {
                x.row(extent, from + tick, row);
            }
            return;
        }
        for tick in 0..ticks {
            x.row(extent, from + tick, &mut self.row);
            for (spec, rows) in self.plan.inputs.iter().zip(&mut self.inputs) {
                for lane in 0..lanes {
                    let from = &self.row[lane * wide + spec.offset..][..spec.channels];
                    rows[(tick * lanes + lane) * spec.channels..][..spec.channels].copy_from_slice(from);
                }
            }
        }
    }

    /// Writes the rows of a block from a tick of the signal on.
    fn put_out(&mut self, y: &mut SignalMut<'_>, from: usize, ticks: usize, all: usize) {
        let (extent, lanes, wide) = (self.run.output(&self.program, all), self.run.batch, self.plan.channels[1]);
        // a single output has the rows of the signal
        if let [only] = &*self.plan.outputs {
            let rows = at(only.source, &self.inputs, &self.buffers);
            for (tick, row) in rows.chunks_exact((lanes * wide).max(1)).take(ticks).enumerate() {
                y.put(extent, from + tick, row);
            }
            return;
        }
        for tick in 0..ticks {
            for spec in &self.plan.outputs {
                let rows = at(spec.source, &self.inputs, &self.buffers);
                for lane in 0..lanes {
                    let from = &rows[(tick * lanes + lane) * spec.channels..][..spec.channels];
                    self.out[lane * wide + spec.offset..][..spec.channels].copy_from_slice(from);
                }
            }
            y.put(extent, from + tick, &self.out);
        }
    }

    /// Root mean square error of the outputs on random inputs, against the program as it was asked for. Takes a tick for each probe.
    #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
    fn error(&mut self) -> Result<f64> {
        self.refresh()?;
        let run = Run::new().with_batch(PROBES);
        let mut oracle = Oracle::new(&self.program, &run);
        let (wide, tall) = (self.plan.channels[0], self.plan.channels[1]);
        let mut x = vec![0.0; PROBES * wide];
        Key::new(self.run.seed, PROBE).fill_uniform(0, 0, self.calibrations, &mut x);
        x.iter_mut().for_each(|x| *x = (2.0 * *x - 1.0) * INPUT as f32);
        let mut expected = vec![0.0; PROBES * tall];
        oracle.step(&x.iter().map(|&x| f64::from(x)).collect::<Vec<_>>(), &mut expected);
        for (spec, rows) in self.plan.inputs.iter().zip(&mut self.inputs) {
            for (row, from) in rows.chunks_exact_mut(spec.channels.max(1)).zip(x.chunks_exact(wide.max(1))) {
                row.copy_from_slice(&from[spec.offset..][..spec.channels]);
            }
        }
        self.calibrations += 1;
        self.forward(PROBES, PROBES, PROBE_TICKS + self.calibrations);
        let mut squares = 0.0;
        for spec in &self.plan.outputs {
            let rows = at(spec.source, &self.inputs, &self.buffers);
            for row in 0..PROBES {
                for channel in 0..spec.channels {
                    let found = f64::from(rows[row * spec.channels + channel]);
                    squares += (found - expected[row * tall + spec.offset + channel]).powi(2);
                }
            }
        }
        self.jump(PROBES as f64 * self.dt, PROBES as u64);
        Ok((squares / (PROBES * tall).max(1) as f64).sqrt())
    }

    fn certify(&mut self, before: f64, after: f64) {
        let gains: Vec<f64> = self.stages.iter().map(|stage| f64::from(stage.gain)).collect();
        // the mean is behind by a share when the age has grown by so much: e^{share/exponent}
        let grown = libm::expm1(BEHIND / COMMON);
        let age = self.chip.chosen.device.spectrum().map_or(f64::INFINITY, |(_, first)| self.now() + first);
        let certificate = Certificate {
            id: Certificate::id_of(&gains),
            method: String::from("global drift compensation: the summed conductance of each map against what was written"),
            age: 0.0,
            valid: (grown * age).min(f64::MAX),
            before,
            after,
        };
        self.in_force = Some(InForce { made: self.now(), certificate });
    }

    fn in_force(&self) -> Option<Certificate> {
        let InForce { made, certificate } = self.in_force.as_ref()?;
        Some(Certificate { age: self.now() - made, ..certificate.clone() })
    }
}

fn at<'a>(place: Place, inputs: &'a [Vec<f32>], buffers: &'a [Vec<f32>]) -> &'a [f32] {
    match place {
        Place::Input(index) => &inputs[index],
        Place::Buffer { index, .. } => &buffers[index],
    }
}

#[async_trait]
impl Realization for Realized {
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let start = Instant::now();
        self.check_time(ticks)?;
        let lanes = self.run.batch;
        let (mut done, mut clipped) = (0, 0);
        while done < ticks && !self.run.cancel.is_raised() {
            self.refresh().map_err(|e| if done > 0 { e.with_state_lost() } else { e })?;
            let ahead = self.every - self.tick % self.every;
            let taken = (ROWS / lanes).max(1).min(ticks - done).min(usize::try_from(ahead).unwrap_or(usize::MAX));
            self.take_in(&x, done, taken, ticks);
            clipped += self.forward(taken * lanes, lanes, self.tick);
            self.put_out(&mut y, done, taken, ticks);
            self.tick += taken as u64;
            self.settle((taken * lanes) as u64);
            done += taken;
        }
        let device = Duration::try_from_secs_f64(done as f64 * self.dt).ok();
        let writes = if done > 0 { std::mem::take(&mut self.writes) } else { 0 };
        Ok(Report { wall: start.elapsed(), device, clipped, writes, ..Report::of(done) })
    }

    /// Programs of dense maps have no state, and the medium goes on as it was.
    async fn reset(&mut self) -> Result<()> {
        Ok(())
    }

    fn tuning(&mut self) -> Option<&mut dyn Tuning> {
        Some(self)
    }

    fn calibration(&mut self) -> Option<&mut dyn Calibration> {
        if self.chip.chosen.is_compensated { Some(self) } else { None }
    }

    fn rest(&mut self) -> Option<&mut dyn Rest> {
        Some(self)
    }
}

#[async_trait]
impl Tuning for Realized {
    /// Weights as they are on the arrays at present, read without the noise that is faster than a tick.
    async fn read(&mut self, node: &str, parameter: &str) -> Result<Vec<f64>> {
        let asked = read_parameter(&self.program, node, parameter)?;
        let (index, _) = self.program.node(node)?;
        match self.stages.iter_mut().find(|stage| stage.node == index && parameter == "weight") {
            // positions that share a matrix have arrays of their own: what is told is the first
            Some(stage) => Ok(stage.weights().into_iter().take(asked.len()).collect()),
            None => Ok(asked),
        }
    }

    /// Writes every cell of the map once, or sets a bias; the ranges of all converters follow.
    async fn write(&mut self, node: &str, parameter: &str, values: &[f64]) -> Result<Vec<f64>> {
        let program = tuned(&self.program, node, parameter, values)?;
        let forecast = self.chip.forecast(&program, &self.plan).map_err(|e| e.with_node(node))?;
        let (index, _) = program.node(node)?;
        let maps = self.stages.iter_mut().zip(&forecast.ranges);
        for (stage, ranges) in maps.filter(|(stage, _)| stage.node == index && parameter == "weight") {
            if let Some(map) = dense(&program, index) {
                stage.write(map, ranges).map_err(|e| refusal(e).with_node(node))?;
                self.chip.wear(stage.most_writes());
                self.writes += 1;
            }
        }
        for (stage, ranges) in self.stages.iter_mut().zip(&forecast.ranges) {
            if let Some(map) = dense(&program, stage.node) {
                stage.range(map, ranges);
                stage.refresh(true).map_err(|e| refusal(e).with_state_lost())?;
            }
        }
        self.program = program;
        self.read(node, parameter).await
    }
}

#[async_trait]
impl Rest for Realized {
    async fn rest(&mut self, seconds: f64) -> Result<()> {
        if !(seconds.is_finite() && seconds >= 0.0) {
            return Err(Error::invalid_signal(format!("a rest of {seconds} s is none; give nought or more")));
        }
        self.jump(seconds, 0);
        Ok(())
    }

    async fn age(&mut self) -> Result<f64> {
        Ok(self.now())
    }
}

#[async_trait]
impl Calibration for Realized {
    async fn calibrate(&mut self) -> Result<Certificate> {
        let before = self.error()?;
        let old: Vec<f32> = self.stages.iter().map(|stage| stage.gain).collect();
        for stage in &mut self.stages {
            stage.correct();
        }
        let after = self.error()?;
        let most = self.chip.chosen.margin.hypot(self.chip.chosen.noise);
        if after.is_nan() || after > most {
            self.stages.iter_mut().zip(old).for_each(|(stage, gain)| stage.gain = gain);
            return Err(Error::new(
                ErrorKind::Calibration,
                format!(
                    "outputs are off by {after:.3} after a correction of the common drift, more than {most:.3}; write them anew"
                ),
            ));
        }
        self.certify(before, after);
        self.in_force().ok_or_else(|| Error::fault("no calibration is in force"))
    }

    async fn certificate(&mut self) -> Result<Option<Certificate>> {
        Ok(self.in_force())
    }
}
