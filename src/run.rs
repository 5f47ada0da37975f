//! One run: a program, a signal, a substrate, and what is kept of it.

use crate::memory::Growth;
use isoform_core::calibration::{Certificate, InForce};
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::executor::block_on;
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::session::Session;
use isoform_core::signal::{Event, Signal as Block, SignalMut};
use isoform_core::state::State;
use isoform_core::substrate::{Run, Substrate};
use isoform_formats::signal::{Dense, Events, Signal};

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Task {
    /// The program, without probes.
    pub program: Program,
    /// What goes in.
    pub input: Signal,
    /// The seed of all random draws.
    pub seed: u64,
    /// What is recorded beside the outputs.
    pub probes: Vec<Probe>,
    /// Where it starts, if not at the initial state.
    pub from: Option<State>,
    /// Whether the state at the end is kept.
    pub keep_state: bool,
    /// Whether the outputs are counted over the run instead of being recorded tick by tick.
    pub counts: bool,
}

/// Something that is recorded beside the outputs of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// The output of a node; any substrate can give it.
    Output(String),
    /// A state of a node after each tick; it takes a substrate that can save its state, and one chunk for each tick.
    State {
        /// The node.
        node: String,
        /// The name of the state.
        state: String,
    },
}

/// What a run gave.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The outputs, `[tick, batch, channel]`, or one row of counts.
    pub output: Dense,
    /// What was recorded, one for each probe.
    pub probes: Vec<Dense>,
    /// The state at the end, if it was to be kept.
    pub state: Option<State>,
    /// What the run cost.
    pub report: Report,
    /// Memory that it took, where the operating system says.
    pub memory: Option<MemoryUse>,
    /// The calibration under which it ended, on a substrate that has one.
    pub calibration: Option<Certificate>,
    /// The calibrations under which it ran, in their order: the one with which it began, as it was then, and those that were made amid its ticks.
    pub calibrations: Vec<InForce>,
}

/// Memory of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct MemoryUse {
    /// Bytes of the buffers of the realization and of the outputs.
    pub buffers: u64,
    /// Bytes by which the process grew at most, from before the program was realised.
    pub peak: u64,
}

impl MemoryUse {
    /// The peak as a multiple of the buffers.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a ratio for people")]
    pub fn ratio(&self) -> f64 {
        self.peak as f64 / (self.buffers as f64).max(1.0)
    }
}

/// Called from time to time with the ticks that are done and the ticks of the whole run.
pub type Progress<'a> = &'a mut dyn FnMut(usize, usize);

/// How many parts a run is split into so that its progress can be told.
const PARTS: usize = 100;

/// More outputs than one run keeps: sixteen gigabytes.
const MOST_KEPT: usize = 1 << 32;

impl Probe {
    /// Reads `NODE` or `NODE:STATE`, as far as the program has them.
    ///
    /// # Errors
    /// `NotFound` if there is no such node or state, naming those there are.
    pub fn parse(text: &str, program: &Program) -> Result<Self> {
        if program.node(text).is_ok() {
            return Ok(Self::Output(text.to_owned()));
        }
        let Some((node, state)) = text.rsplit_once(':').filter(|(node, _)| program.node(node).is_ok()) else {
            return Err(program.node(text).err().unwrap_or_else(|| Error::not_found(format!("there is no probe {text:?}"))));
        };
        let initial = State::initial(program, 1);
        let known: Vec<&str> = initial.blocks.iter().filter(|b| b.node == node).map(|b| b.name.as_str()).collect();
        if known.contains(&state) {
            return Ok(Self::State { node: node.to_owned(), state: state.to_owned() });
        }
        let known = if known.is_empty() { String::from("nothing; probe its output instead") } else { known.join(", ") };
        Err(Error::not_found(format!("there is no state {state:?}; it keeps {known}")).with_node(node))
    }
}

/// Checks that a signal fits a program: its channels, and that all its numbers are finite.
///
/// # Errors
/// `InvalidSignal`, saying what does not fit and where.
pub fn check_input(program: &Program, input: &Signal) -> Result<()> {
    let (ticks, batch, channels) = extent(input)?;
    if channels != program.input_channels() && program.input_channels() == 0 {
        let why = format!(
            "has channels, {channels} of them, and the model takes none; give a .npy of shape [ticks, 0], which tells how long it runs"
        );
        return Err(Error::invalid_signal(why));
    }
    if channels != program.input_channels() {
        let ports: Vec<String> = program.inputs().iter().map(|p| format!("{} {}", p.name, p.shape)).collect();
        return Err(Error::invalid_signal(format!(
            "has {channels} channels, but the model takes {} ({}); give one column for each",
            program.input_channels(),
            ports.join(", ")
        )));
    }
    if batch == 0 || ticks == 0 {
        return Err(Error::invalid_signal(format!("holds {ticks} ticks of {batch} lanes; at least one of each is needed")));
    }
    match input {
        Signal::Dense(dense) => Block::Dense(&dense.data).check(Run::new().with_batch(batch).input(program, ticks)),
        _ => Ok(()),
    }
}

fn extent(input: &Signal) -> Result<(usize, usize, usize)> {
    Ok(match input {
        Signal::Dense(d) => (d.ticks, d.batch, d.channels),
        Signal::Events(e) => (whole(e.ticks)?, e.batch, e.channels),
        _ => return Err(Error::unsupported("this form of signal cannot be run")),
    })
}

fn whole(number: u64) -> Result<usize> {
    usize::try_from(number).map_err(|_| Error::invalid_signal(format!("{number} ticks are too many for this computer")))
}

fn small<T: TryFrom<U>, U: Copy + std::fmt::Display>(number: U) -> Result<T> {
    T::try_from(number).map_err(|_| Error::invalid_signal(format!("an event at place {number} is too far out")))
}

fn events(list: &Events) -> Result<Vec<Event>> {
    let event = |e: &isoform_formats::signal::Event| {
        Ok(Event { tick: small(e.tick)?, batch: small(e.sample)?, channel: small(e.channel)?, value: e.value })
    };
    list.list.iter().map(event).collect()
}

/// Runs a task on a substrate.
///
/// # Errors
/// As [`check_input`], `Unsupported` for a state that the substrate cannot save or load, and what the session says.
pub fn run(substrate: &dyn Substrate, task: &Task, progress: Option<Progress<'_>>) -> Result<Recording> {
    block_on(advance(substrate, task, progress))
}

async fn advance(substrate: &dyn Substrate, task: &Task, mut progress: Option<Progress<'_>>) -> Result<Recording> {
    check_input(&task.program, &task.input)?;
    let (ticks, batch, _) = extent(&task.input)?;
    let nodes: Vec<&str> =
        task.probes.iter().filter_map(|p| if let Probe::Output(n) = p { Some(n.as_str()) } else { None }).collect();
    let program = if nodes.is_empty() { task.program.clone() } else { task.program.with_probes(&unique(&nodes))? };
    let stepwise = task.probes.iter().any(|p| matches!(p, Probe::State { .. }));
    let run = Run::new().with_batch(batch).with_seed(task.seed);
    let growth = Growth::watch();
    let mut session = Session::open(substrate, &program, &run).await?;
    if let Some(state) = &task.from {
        state.check(&task.program, batch)?;
        // probes add outputs to a program and keep its memory
        session.load(&State { program: program.digest().to_string(), ..state.clone() }).await?;
    }
    let calibrates = substrate.profile().facets.calibration;
    let mut calibrations: Vec<InForce> = in_force(&mut session, calibrates).await?.map(InForce::first).into_iter().collect();
    let listed = match &task.input {
        Signal::Events(list) => Some(events(list)?),
        _ => None,
    };
    let x = match (&task.input, &listed) {
        (_, Some(list)) => Block::Events(list),
        (Signal::Dense(dense), _) => Block::Dense(&dense.data),
        _ => return Err(Error::unsupported("this form of signal cannot be run")),
    };
    let (input, output) = (run.input(&program, ticks), run.output(&program, ticks));
    let counted = task.counts && nodes.is_empty();
    let mut dense = if counted { Vec::new() } else { laid_out(ticks, output.row())? };
    let mut counts = vec![0_u32; if counted { output.row() } else { 0 }];
    let part = match (stepwise, &progress) {
        (true, _) => 1,
        (false, Some(_)) => ticks.div_ceil(PARTS).max(1),
        (false, None) => ticks,
    };
    let mut states: Vec<Vec<f32>> = task.probes.iter().map(|_| Vec::new()).collect();
    let clock = std::time::Instant::now();
    let mut report = Report::default();
    let mut shifted = Vec::new();
    while report.ticks < ticks {
        let (from, to) = (report.ticks, ticks.min(report.ticks + part));
        let x = match x.ticks(input, from, to) {
            Block::Events(list) => {
                let shift = u32::try_from(from).unwrap_or(u32::MAX);
                shifted.clear();
                shifted.extend(list.iter().map(|e| Event { tick: e.tick - shift, ..*e }));
                Block::Events(&shifted)
            }
            block => block,
        };
        let mut y = if counted { SignalMut::Counts(&mut counts) } else { SignalMut::Dense(&mut dense) };
        report.add(&session.advance(x, y.ticks(output, from, to), to - from).await?);
        if stepwise {
            let state = session.save().await?;
            record(&task.probes, &state, &mut states);
        }
        if let Some(progress) = progress.as_mut() {
            progress(report.ticks, ticks);
        }
    }
    report.wall = clock.elapsed();
    let calibration = in_force(&mut session, calibrates).await?;
    if calibration.is_some() {
        calibrations.extend(session.renewals().await?);
    }
    let written = dense.len() * size_of::<f32>() + counts.len() * size_of::<u32>();
    let memory = growth.peak().map(|peak| MemoryUse { buffers: report.memory + written as u64, peak });
    let state =
        if task.keep_state { Some(State { program: task.program.digest().to_string(), ..session.save().await? }) } else { None };
    let probes = task.probes.iter().zip(states);
    let probes = probes.map(|(probe, values)| match probe {
        Probe::Output(node) => columns(&program, node, &dense, output.row(), batch),
        Probe::State { .. } => shaped(ticks, batch, values),
    });
    let probes = probes.collect::<Result<_>>()?;
    let channels = task.program.output_channels();
    let output = match (task.counts, counted) {
        (true, true) => shaped(1, batch, counts.iter().map(|&c| count(c)).collect())?,
        (true, false) => {
            let all = cut(&dense, output.row(), batch, 0, channels);
            let mut sums = vec![0.0; batch * channels];
            all.chunks_exact(sums.len().max(1))
                .for_each(|row| sums.iter_mut().zip(row).for_each(|(s, &v)| *s += whole_spikes(v)));
            shaped(1, batch, sums)?
        }
        _ if nodes.is_empty() => shaped(ticks, batch, dense)?,
        _ => shaped(ticks, batch, cut(&dense, output.row(), batch, 0, channels))?,
    };
    Ok(Recording { output, probes, state, report, memory, calibration, calibrations })
}

/// The certificate in force, on a substrate that calibrates.
async fn in_force(session: &mut Session, calibrates: bool) -> Result<Option<Certificate>> {
    if !calibrates {
        return Ok(None);
    }
    // of a substrate of several parts a program may be on those that need none
    session.certificate().await.or_else(|e| if e.kind() == ErrorKind::Unsupported { Ok(None) } else { Err(e) })
}

#[expect(clippy::cast_precision_loss, reason = "files hold single precision, exact up to 16 million spikes")]
fn count(count: u32) -> f32 {
    count as f32
}

/// The spikes that an output stands for, as a substrate counts them: none for what is negative.
fn whole_spikes(v: f32) -> f32 {
    v.trunc().max(0.0)
}

/// Noughts for rows of outputs, or the reason why there is no room for them.
fn laid_out(ticks: usize, row: usize) -> Result<Vec<f32>> {
    let refuse = || {
        let what = format!("{ticks} ticks of {row} outputs are too many to keep");
        Error::invalid_signal(format!("{what}; run fewer ticks, or count the spikes with --counts"))
    };
    let length = ticks.checked_mul(row).filter(|&n| n <= MOST_KEPT).ok_or_else(refuse)?;
    let mut rows = Vec::new();
    rows.try_reserve_exact(length).map_err(|_| refuse())?;
    rows.resize(length, 0.0);
    Ok(rows)
}

#[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
fn record(probes: &[Probe], state: &State, into: &mut [Vec<f32>]) {
    for (probe, values) in probes.iter().zip(into) {
        if let Probe::State { node, state: name } = probe
            && let Some(block) = state.block(node, name)
        {
            values.extend(block.values.iter().map(|&v| v as f32));
        }
    }
}

fn unique<'a>(names: &[&'a str]) -> Vec<&'a str> {
    let mut kept: Vec<&str> = Vec::new();
    names.iter().for_each(|name| {
        if !kept.contains(name) {
            kept.push(name);
        }
    });
    kept
}

/// The channels of one probe.
fn columns(program: &Program, node: &str, y: &[f32], row: usize, batch: usize) -> Result<Dense> {
    let name = format!("probe {node}");
    let mut from = 0;
    for output in program.outputs() {
        let width = output.port.shape.len();
        if output.port.name == name {
            return shaped(y.len().checked_div(row).unwrap_or(0), batch, cut(y, row, batch, from, width));
        }
        from += width;
    }
    Err(Error::not_found("the probe is no output of the program").with_node(node))
}

/// Some neighbouring channels of rows `[batch, channel]`.
fn cut(y: &[f32], row: usize, batch: usize, from: usize, width: usize) -> Vec<f32> {
    let channels = row.checked_div(batch).unwrap_or(0).max(1);
    y.chunks_exact(channels).flat_map(|lane| lane.iter().skip(from).take(width)).copied().collect()
}

fn shaped(ticks: usize, batch: usize, data: Vec<f32>) -> Result<Dense> {
    let channels = data.len().checked_div(ticks.saturating_mul(batch)).unwrap_or(0);
    Dense::new(ticks, batch, channels, data).map_err(|e| Error::fault(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::functions::{li, lif};
    use isoform_core::oracle::OracleSubstrate;
    use isoform_core::semantics::Semantics;

    fn program() -> Program {
        let mut net = Program::builder();
        let x = net.input("x", [2]);
        let a = net.node("a", li().with("tau", 5e-3), x);
        let b = net.node("b", lif().with("tau", 4e-3).with("v_threshold", [0.2, 0.3]), a);
        net.output("y", b);
        net.build(Semantics::exact(1e-3)).expect("valid")
    }

    fn task(probes: Vec<Probe>) -> Task {
        let data: Vec<f32> = (0..60_u8).map(|i| f32::from(i % 7) * 0.4).collect();
        Task {
            program: program(),
            input: Dense::new(15, 2, 2, data).expect("fits").into(),
            seed: 0,
            probes,
            from: None,
            keep_state: true,
            counts: false,
        }
    }

    #[test]
    fn probes_do_not_change_what_they_watch() {
        let program = program();
        let probes = ["a", "b:v", "a:v", "b"].map(|text| Probe::parse(text, &program).expect("known"));
        let plain = run(&OracleSubstrate::new(), &task(Vec::new()), None).expect("runs");
        let probed = run(&OracleSubstrate::new(), &task(probes.to_vec()), None).expect("runs");
        assert_eq!(plain.output, probed.output);
        assert_eq!(plain.state, probed.state);
        assert_eq!(probed.probes[3], plain.output);
        // a leaky integrator gives its membrane
        assert_eq!(probed.probes[0], probed.probes[2]);
        assert_eq!((probed.probes[1].ticks, probed.probes[1].batch, probed.probes[1].channels), (15, 2, 2));
        let last = plain.state.expect("kept").block("b", "v").expect("there").values.clone();
        #[expect(clippy::cast_possible_truncation, reason = "a recording is in single precision")]
        let last: Vec<f32> = last.into_iter().map(|v| v as f32).collect();
        assert_eq!(probed.probes[1].data[56..], last);
    }

    #[test]
    fn parts_counts_and_events_agree_with_the_whole() {
        let whole = run(&OracleSubstrate::new(), &task(Vec::new()), None).expect("runs");
        assert!(whole.output.data.contains(&1.0));
        let mut calls = 0;
        let parts = run(&OracleSubstrate::new(), &task(Vec::new()), Some(&mut |_, _| calls += 1)).expect("runs");
        assert_eq!((&parts.output, &parts.state, calls), (&whole.output, &whole.state, 15));
        for probes in [Vec::new(), vec![Probe::Output(String::from("a"))]] {
            let counted = run(&OracleSubstrate::new(), &Task { counts: true, ..task(probes) }, None).expect("runs");
            let sums = (0..4).map(|c| whole.output.data.iter().skip(c).step_by(4).sum()).collect::<Vec<f32>>();
            assert_eq!((counted.output.ticks, counted.output.data), (1, sums));
        }
        let list = task(Vec::new()).input.into_dense().expect("dense").data;
        let list = list.iter().enumerate().filter(|(_, v)| **v != 0.0).map(|(i, &value)| isoform_formats::signal::Event {
            tick: i as u64 / 4,
            sample: i % 4 / 2,
            channel: i % 2,
            value,
        });
        let events = Events { ticks: 15, batch: 2, channels: 2, list: list.collect(), dt: 1e-3 };
        for mut step in [None, Some(|_: usize, _: usize| {})] {
            let task = Task { input: events.clone().into(), ..task(Vec::new()) };
            let run = run(&OracleSubstrate::new(), &task, step.as_mut().map(|s| s as Progress<'_>)).expect("runs");
            assert_eq!(run.output, whole.output);
        }
    }

    #[test]
    fn a_run_without_end_is_refused_before_room_is_made_for_it() {
        for ticks in [1 << 40, u64::MAX >> 12] {
            let events = Events { ticks, batch: 2, channels: 2, list: Vec::new(), dt: 1e-3 };
            let error =
                run(&OracleSubstrate::new(), &Task { input: events.into(), ..task(Vec::new()) }, None).expect_err("too long");
            assert!(error.to_string().contains("ticks of 4 outputs are too many to keep"), "{error}");
        }
    }

    #[test]
    fn counts_do_not_depend_on_probes() {
        let mut net = Program::builder();
        let x = net.input("x", [2]);
        let a = net.node("a", li().with("tau", 1e-9), x);
        net.output("y", a);
        let program = net.build(Semantics::exact(1e-3)).expect("valid");
        let input: Signal = Dense::new(3, 1, 2, vec![-2.0, 1.5, -1.0, 2.0, 3.5, 1.0]).expect("fits").into();
        let counted = |probes: Vec<Probe>| {
            let task = Task { program: program.clone(), input: input.clone(), counts: true, ..task(probes) };
            run(&OracleSubstrate::new(), &task, None).expect("runs").output.data
        };
        assert_eq!(counted(Vec::new()), counted(vec![Probe::Output(String::from("a"))]));
    }

    #[test]
    fn a_run_goes_on_where_another_ended() {
        let whole = run(&OracleSubstrate::new(), &task(Vec::new()), None).expect("runs");
        let half = |from: usize, to: usize, state: Option<State>| {
            let data = task(Vec::new()).input.into_dense().expect("dense").data[from * 4..to * 4].to_vec();
            let input = Dense::new(to - from, 2, 2, data).expect("fits").into();
            let task = Task { input, from: state, ..task(vec![Probe::Output(String::from("a"))]) };
            run(&OracleSubstrate::new(), &task, None).expect("runs")
        };
        let first = half(0, 6, None);
        let second = half(6, 15, first.state.clone());
        assert_eq!([first.output.data, second.output.data].concat(), whole.output.data);
        assert_eq!(second.state, whole.state);
    }

    #[test]
    fn a_probe_that_is_not_there_is_refused_by_name() {
        let message = |text: &str| Probe::parse(text, &program()).expect_err("unknown").to_string();
        assert_eq!(message("c"), "not found: the program has no node \"c\"; it has a, b");
        assert_eq!(message("a:i"), "not found: node \"a\": there is no state \"i\"; it keeps v");
    }

    #[test]
    fn every_calibration_of_a_run_is_named() {
        let mut net = Program::builder();
        let x = net.input("x", [2]);
        let weight = isoform_core::tensor::Tensor::new([2, 2], vec![0.5, -0.25, 0.25, 0.5]).expect("fits");
        let y = net.node("map", isoform_core::linear::Dense::new(weight, None).expect("is a map"), x);
        net.output("y", y);
        let program = net.build(Semantics::exact(1e-3)).expect("valid");
        let input: Signal = Dense::new(2500, 1, 2, vec![0.5; 5000]).expect("fits").into();
        let task = Task { program, input, seed: 0, probes: Vec::new(), from: None, keep_state: false, counts: false };
        let substrate = crate::registry().open_str("renew:?on=(twin:mesh?modes=2&valid=1&age=0.25)").expect("opens");
        let found = run(substrate.as_ref(), &task, None).expect("runs");
        let told: Vec<_> = found.calibrations.iter().map(|c| (c.age_at_start, c.made_at_tick)).collect();
        assert_eq!(told[0], (Some(0.25), None));
        assert!(told[1..].iter().all(|(age, _)| age.is_none()), "{told:?}");
        // 2500 ticks do not fit into what is left, nor into a new second of a thousand; a quarter of them does
        let ticks: Vec<u64> = told[1..].iter().filter_map(|(_, tick)| *tick).collect();
        assert_eq!(ticks, [0, 625, 1250, 1875]);
        let ids: std::collections::HashSet<_> = found.calibrations.iter().map(|c| &c.certificate.id).collect();
        assert_eq!(ids.len(), 5);
        assert_eq!(found.calibration.expect("is in force").id, found.calibrations[4].certificate.id);
    }
}
