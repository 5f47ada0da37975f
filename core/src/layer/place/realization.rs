//! A program on several substrates, with its state.

use super::blame;
use super::cut::{Cut, Feed, Stage};
use super::memory::{self, Home};
use crate::calibration::Calibration;
use crate::error::{Error, ErrorKind, Integrity, Result};
use crate::oracle::read_parameter;
use crate::profile::{Facets, OutOfRange, Profile, in_range};
use crate::program::{NodeKind, Program};
use crate::report::Report;
use crate::signal::{Extent, Signal, SignalMut};
use crate::substrate::{Memory, Plasticity, Realization, Rest, Run, Tuning};
use async_trait::async_trait;
use std::ops::Range;
use std::time::{Duration, Instant};

/// A segment on its substrate.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) inner: Box<dyn Realization>,
    pub(super) program: Program,
    pub(super) key: String,
    /// A node of it, to be named in errors.
    pub(super) node: String,
    /// Rows that go in and come out, for a block of ticks.
    x: Vec<f32>,
    y: Vec<f32>,
    input: Extent,
    output: Extent,
    /// Whether it makes a calibration anew by itself.
    pub(super) renews: bool,
    /// The range of inputs, where more is refused.
    range: Option<[f64; 2]>,
    /// Bytes of its buffers, as far as it said.
    memory: u64,
}

impl Part {
    pub(super) fn new(
        inner: Box<dyn Realization>,
        program: Program,
        run: &Run,
        profile: &Profile,
        (key, node): (&str, &str),
    ) -> Self {
        let (input, output) = (run.input(&program, run.max_ticks), run.output(&program, run.max_ticks));
        let (limits, renews) = (&profile.limits, profile.facets.renewal);
        let [low, high] = limits.input;
        let bounded = low > f64::from(f32::MIN) || high < f64::from(f32::MAX);
        let range = (bounded && limits.out_of_range == OutOfRange::Refuse).then_some(limits.input);
        let (key, node) = (key.to_owned(), node.to_owned());
        let (x, y) = (vec![0.0; input.len()], vec![0.0; output.len()]);
        Self { inner, program, key, node, x, y, input, output, renews, range, memory: 0 }
    }

    pub(super) fn lay(&self, e: Error) -> Error {
        blame(e, &self.key, &self.node)
    }
}

/// Advances a part, and adds what it cost; gives the bytes of its buffers.
async fn advance(
    inner: &mut dyn Realization,
    range: Option<[f64; 2]>,
    x: Signal<'_>,
    y: SignalMut<'_>,
    ticks: usize,
    total: &mut Report,
) -> Result<u64> {
    if let (Some(range @ [low, high]), Signal::Dense(rows) | Signal::Held(rows)) = (range, x)
        && let Some(v) = rows.iter().find(|&&v| !in_range(range, v))
    {
        return Err(Error::invalid_signal(format!("the rest of the program hands over {v}, outside {low} to {high}")));
    }
    let report = inner.advance(x, y, ticks).await?;
    if report.ticks != ticks {
        let why = format!("it did {} ticks of {ticks} that nobody cancelled, so that the parts are apart", report.ticks);
        return Err(Error::new(ErrorKind::Protocol, why).with_state_lost());
    }
    total.add(&Report { ticks: 0, wall: Duration::ZERO, memory: 0, ..report });
    Ok(report.memory)
}

/// Numbers of one feed: the row of a tick and lane begins at `(tick * batch + lane) * stride + offset`.
#[derive(Debug, Clone, Copy)]
struct Tap {
    feed: Feed,
    stride: usize,
    offset: usize,
    channels: usize,
}

/// A program, cut, on its substrates.
#[derive(Debug)]
pub(super) struct Placed {
    pub(super) program: Program,
    pub(super) run: Run,
    pub(super) cut: Cut,
    pub(super) parts: Vec<Part>,
    /// The kept rows, `[batch, channels]`.
    pub(super) kept: Vec<Vec<f32>>,
    pub(super) homes: Vec<Home>,
    pub(super) tick: u64,
    facets: Facets,
    block: usize,
    /// Inputs of a block that do not come as dense rows.
    dense: Vec<f32>,
    /// One row of outputs.
    row: Vec<f32>,
    feeds: Vec<Vec<Tap>>,
    terms: Vec<Vec<Tap>>,
    outputs: Vec<Vec<Tap>>,
    /// Whether a segment takes the inputs of the program as they are.
    straight: Vec<bool>,
}

impl Placed {
    pub(super) fn new(program: &Program, run: &Run, cut: Cut, parts: Vec<Part>, profile: &Profile) -> Self {
        let block = profile.limits.ticks.min(run.max_ticks).clamp(1, super::BLOCK);
        let tap = |&feed: &Feed| {
            let (stride, offset, channels) = match feed {
                Feed::Input(i) => {
                    let width = |p: &crate::program::Port| p.shape.len();
                    let inputs = program.inputs();
                    (program.input_channels(), inputs[..i].iter().map(width).sum(), width(&inputs[i]))
                }
                Feed::Row { segment, export } => {
                    let width = |&(node, port): &(usize, usize)| program.nodes()[node].output_shapes[port].len();
                    let exports = &cut.segments[segment].exports;
                    (exports.iter().map(width).sum(), exports[..export].iter().map(width).sum(), width(&exports[export]))
                }
                Feed::Kept(kept) => (cut.kept[kept].channels, 0, cut.kept[kept].channels),
            };
            Tap { feed, stride, offset, channels }
        };
        let taps = |feeds: &Vec<Feed>| -> Vec<Tap> { feeds.iter().map(tap).collect() };
        let all: Vec<Feed> = (0..program.inputs().len()).map(Feed::Input).collect();
        Self {
            feeds: cut.segments.iter().map(|s| taps(&s.feeds)).collect(),
            terms: cut.kept.iter().map(|k| taps(&k.terms)).collect(),
            outputs: cut.outputs.iter().map(taps).collect(),
            straight: cut.segments.iter().map(|s| s.feeds == all).collect(),
            kept: cut.kept.iter().map(|k| vec![0.0; k.channels * run.batch]).collect(),
            homes: memory::homes(program, &cut, &parts),
            dense: vec![0.0; run.input(program, block).len()],
            row: vec![0.0; run.output(program, 1).len()],
            facets: profile.facets,
            program: program.clone(),
            run: run.clone(),
            tick: 0,
            block,
            cut,
            parts,
        }
    }

    /// Takes a block of ticks through all parts. `moved` tells whether any part advanced.
    async fn advance_block(
        &mut self,
        (x, input): (Signal<'_>, Extent),
        (y, output): (&mut SignalMut<'_>, Extent),
        ticks: Range<usize>,
        total: &mut Report,
        moved: &mut bool,
    ) -> Result<()> {
        let count = ticks.len();
        let Self { cut, parts, kept, dense, row, feeds, terms, outputs, straight, run, .. } = self;
        let rows: &[f32] = match x {
            Signal::Dense(data) => &data[ticks.start * input.row()..ticks.end * input.row()],
            _ => {
                for (t, tick) in ticks.clone().enumerate() {
                    x.row(input, tick, &mut dense[t * input.row()..(t + 1) * input.row()]);
                }
                &dense[..count * input.row()]
            }
        };
        for stage in &cut.stages {
            if stage.recurrent {
                let machine = Loop { stage, feeds, terms, batch: run.batch };
                machine.run(rows, parts, kept, count, total, moved).await?;
                continue;
            }
            let index = stage.segments.start;
            let (before, rest) = parts.split_at_mut(index);
            let Some(part) = rest.first_mut() else { continue };
            let Part { inner, x: own, y: out, input: taken, output: given, range, .. } = part;
            let signal = match (straight[index], x) {
                (true, Signal::Held(_)) => x,
                (true, _) => Signal::Dense(rows),
                (false, _) => {
                    let sources = Sources { rows, before, kept, batch: run.batch };
                    for t in 0..count {
                        sources.gather(&feeds[index], t, &mut own[t * taken.row()..(t + 1) * taken.row()]);
                    }
                    Signal::Dense(&own[..count * taken.row()])
                }
            };
            let target = match cut.segments[index].is_last {
                true => y.ticks(output, ticks.start, ticks.end),
                false => SignalMut::Dense(&mut out[..count * given.row()]),
            };
            let result = advance(inner.as_mut(), *range, signal, target, count, total).await;
            part.memory = result.map_err(|e| part.lay(e))?;
            *moved = true;
        }
        if outputs.is_empty() {
            return Ok(());
        }
        let sources = Sources { rows, before: parts, kept, batch: run.batch };
        for (t, tick) in ticks.enumerate() {
            let mut offset = 0;
            for output_terms in outputs.iter() {
                sources.sum(output_terms, t, row, (output.channels, offset));
                offset += output_terms.first().map_or(0, |tap| tap.channels);
            }
            y.put(output, tick, row);
        }
        Ok(())
    }
}

/// What a tick can be read from.
struct Sources<'a> {
    /// The inputs of the program in this block.
    rows: &'a [f32],
    /// The parts that were advanced before.
    before: &'a [Part],
    kept: &'a [Vec<f32>],
    batch: usize,
}

impl Sources<'_> {
    fn get(&self, tap: &Tap, tick: usize, lane: usize) -> &[f32] {
        let (data, tick): (&[f32], usize) = match tap.feed {
            Feed::Input(_) => (self.rows, tick),
            Feed::Row { segment, .. } => (&self.before[segment].y, tick),
            Feed::Kept(kept) => (&self.kept[kept], 0),
        };
        let at = (tick * self.batch + lane) * tap.stride + tap.offset;
        &data[at..at + tap.channels]
    }

    /// One row of a segment's inputs.
    fn gather(&self, taps: &[Tap], tick: usize, row: &mut [f32]) {
        let width = row.len() / self.batch.max(1);
        for (lane, row) in row.chunks_exact_mut(width.max(1)).enumerate() {
            let mut rest = row;
            for tap in taps {
                let (own, others) = rest.split_at_mut(tap.channels);
                own.copy_from_slice(self.get(tap, tick, lane));
                rest = others;
            }
        }
    }

    /// The sum of terms, in their order, for every lane of a row of `stride` channels, from `offset` on.
    fn sum(&self, taps: &[Tap], tick: usize, row: &mut [f32], (stride, offset): (usize, usize)) {
        for lane in 0..self.batch {
            let row = &mut row[lane * stride + offset..(lane + 1) * stride];
            for (n, tap) in taps.iter().enumerate() {
                let terms = row.iter_mut().zip(self.get(tap, tick, lane));
                if n == 0 {
                    terms.for_each(|(to, &v)| *to = v);
                } else {
                    terms.for_each(|(to, &v)| *to += v);
                }
            }
        }
    }
}

/// Segments that feed back on each other.
struct Loop<'a> {
    stage: &'a Stage,
    feeds: &'a [Vec<Tap>],
    terms: &'a [Vec<Tap>],
    batch: usize,
}

impl Loop<'_> {
    async fn run(
        &self,
        rows: &[f32],
        parts: &mut [Part],
        kept: &mut [Vec<f32>],
        count: usize,
        total: &mut Report,
        moved: &mut bool,
    ) -> Result<()> {
        for t in 0..count {
            for index in self.stage.segments.clone() {
                let (before, rest) = parts.split_at_mut(index);
                let Some(part) = rest.first_mut() else { continue };
                let Part { inner, x, y, input, output, range, .. } = part;
                let (x, y) = (&mut x[..input.row()], &mut y[t * output.row()..(t + 1) * output.row()]);
                Sources { rows, before, kept, batch: self.batch }.gather(&self.feeds[index], t, x);
                let result = advance(inner.as_mut(), *range, Signal::Dense(x), SignalMut::Dense(y), 1, total).await;
                part.memory = result.map_err(|e| part.lay(e))?;
                *moved = true;
            }
            for &index in &self.stage.kept {
                let mut row = std::mem::take(&mut kept[index]);
                let channels = row.len() / self.batch.max(1);
                // no term of a kept row is a kept row
                Sources { rows, before: parts, kept: &[], batch: self.batch }.sum(&self.terms[index], t, &mut row, (channels, 0));
                kept[index] = row;
            }
        }
        Ok(())
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Realization for Placed {
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let start = Instant::now();
        if self.facets.calibration && !self.facets.renewal {
            self.check_calibrations(ticks).await?;
        }
        let (input, output) = (self.run.input(&self.program, ticks), self.run.output(&self.program, ticks));
        let mut total = Report::default();
        while total.ticks < ticks && !self.run.cancel.is_raised() {
            let from = total.ticks;
            let block = from..ticks.min(from + self.block);
            let count = block.len();
            let mut moved = from > 0;
            let result = self.advance_block((x, input), (&mut y, output), block, &mut total, &mut moved).await;
            result.map_err(|e| if moved { e.with_state_lost() } else { e })?;
            total.ticks += count;
            self.tick += count as u64;
        }
        let memory = self.parts.iter().map(|p| p.memory + ((p.x.len() + p.y.len()) * size_of::<f32>()) as u64).sum();
        Ok(Report { wall: start.elapsed(), memory, ..total })
    }

    async fn reset(&mut self) -> Result<()> {
        for (n, part) in self.parts.iter_mut().enumerate() {
            let result = part.inner.reset().await;
            result.map_err(|e| part.lay(if n > 0 { e.with_state_lost() } else { e }))?;
        }
        self.kept.iter_mut().for_each(|row| row.fill(0.0));
        self.tick = 0;
        Ok(())
    }

    fn memory(&mut self) -> Option<&mut dyn Memory> {
        if self.facets.memory { Some(self) } else { None }
    }

    fn tuning(&mut self) -> Option<&mut dyn Tuning> {
        if self.facets.tuning { Some(self) } else { None }
    }

    fn plasticity(&mut self) -> Option<&mut dyn Plasticity> {
        None
    }

    fn calibration(&mut self) -> Option<&mut dyn Calibration> {
        if self.facets.calibration { Some(self) } else { None }
    }

    fn rest(&mut self) -> Option<&mut dyn Rest> {
        if self.facets.rest { Some(self) } else { None }
    }
}

impl Placed {
    /// The part that has a node, and whether the node is a delay of which a tick is not there.
    fn part_of(&mut self, node: &str) -> Result<(&mut Part, bool)> {
        let (index, found) = self.program.node(node)?;
        let shortened = matches!(found.kind, NodeKind::Delay { .. }) && self.cut.is_relieved(index);
        let segment = self.cut.segment(index).unwrap_or(0);
        let part = self.parts.get_mut(segment);
        part.map(|part| (part, shortened)).ok_or_else(|| Error::not_found("it is on no substrate").with_node(node))
    }
}

#[async_trait]
impl Tuning for Placed {
    async fn read(&mut self, node: &str, parameter: &str) -> Result<Vec<f64>> {
        let (part, shortened) = self.part_of(node)?;
        if shortened {
            return read_parameter(&self.program, node, parameter);
        }
        let result = tuning(part)?.read(node, parameter).await;
        result.map_err(|e| part.lay(e))
    }

    async fn write(&mut self, node: &str, parameter: &str, values: &[f64]) -> Result<Vec<f64>> {
        let (part, shortened) = self.part_of(node)?;
        if shortened {
            let why =
                "a tick of this delay passes between two substrates, so that it cannot be tuned; put it where its source is";
            return Err(part.lay(Error::unsupported(why).with_node(node)));
        }
        let result = tuning(part)?.write(node, parameter, values).await;
        result.map_err(|e| part.lay(e))
    }
}

fn tuning(part: &mut Part) -> Result<&mut dyn Tuning> {
    part.inner.tuning().ok_or_else(|| Error::unsupported("it claims to be tunable, but is not").with_locator(&part.key))
}

/// After a call to one of several parts that failed: what that did to the whole.
pub(super) fn settle(error: Error, before: bool) -> Error {
    if before && error.state() == Integrity::Intact { error.with_state_lost() } else { error }
}
