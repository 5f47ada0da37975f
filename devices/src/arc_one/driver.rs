//! Dense maps on the array.

use super::dialogue::{AWAITED, Board, RESET, Reading};
use super::map::{Layout, Scale};
use super::verify::{Target, Writer, Written};
use isoform_core::bound::Accuracy;
use isoform_core::error::{Error, Result};
use isoform_core::linear::Dense;
use isoform_core::medium::{Medium, Price};
use isoform_core::oracle::{read_parameter, tuned};
use isoform_core::profile::{Class, Facets, Limits, Profile, Takes};
use isoform_core::program::{Origin, Program, Source};
use isoform_core::report::Report;
use isoform_core::semantics::Semantics;
use isoform_core::signal::{Extent, Signal, SignalMut};
use isoform_core::substrate::{Cancel, Run};
use isoform_core::tensor::Tensor;
use isoform_serial::driver::Driver;
use isoform_serial::lines::Lines;
use isoform_serial::link::Link;

/// Standard deviations of the relaxation of a pair that the accuracy covers.
const DEVIATIONS: f64 = 5.0;
/// The standard deviation of the relaxation after a day, in siemens: so long a map is as accurate as the profile says.
const WALK: f64 = 0.89e-6;
/// Inputs and outputs of the map that it shows of itself, if nothing else is chosen.
const SHOWN: usize = 4;
/// Seconds of a tick of it.
const TICK: f64 = 0.1;
/// The standard deviation of the read of a cell, relative to its conductance.
const READ: f64 = 2.5e-3;
/// Pulses that a cell bears, the order of what is told of filamentary oxide cells.
const ENDURANCE: u64 = 1_000_000;

/// What a user can choose.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Choices {
    /// How the board reads.
    pub reading: Reading,
    /// How cells are written.
    pub writer: Writer,
    /// The magnitude of the largest weight; one if absent.
    pub weight: Option<f64>,
    /// Inputs and outputs of the map that it shows of itself, for which its margin and noise hold; four, or what fits the array, if absent.
    pub shown: Option<usize>,
}

/// A program on the array.
#[derive(Debug)]
struct Loaded {
    program: Program,
    cancel: Cancel,
    layout: Layout,
}

/// The driver of an ArC ONE.
#[derive(Debug)]
pub struct ArcOne {
    board: Board,
    writer: Writer,
    scale: Scale,
    shown: usize,
    loaded: Option<Loaded>,
    /// What was last written whole.
    held: Vec<Target>,
    /// Pulses that were reported already.
    reported: u64,
}

impl ArcOne {
    /// A driver with these choices.
    #[must_use]
    pub fn new(choices: Choices) -> Self {
        let scale = Scale { range: choices.writer.range, weight: choices.weight.unwrap_or(1.0) };
        Self {
            board: Board::new(choices.reading),
            writer: choices.writer,
            scale,
            shown: choices.shown.unwrap_or(SHOWN.min(choices.reading.words).min(choices.reading.bits / 2)),
            loaded: None,
            held: Vec::new(),
            reported: 0,
        }
    }

    /// How far a weight may be off its value, in units of a weight: both cells of a pair anywhere in the band of a sweep, relaxed for a day
    /// from there, and read with noise.
    #[must_use]
    pub fn weight_error(&self) -> f64 {
        let noise = super::dialogue::APART / 2.0 * self.scale.range[1];
        (2.0 * (self.writer.band + noise) + DEVIATIONS * std::f64::consts::SQRT_2 * WALK) / self.scale.gain()
    }

    /// What is promised of the outputs of the map that is shown. Its cells are off independently of each other, so that the errors of the
    /// weights of an output add in squares, as does the noise of its cells, of which the highest conductance is that of all.
    fn medium(&self) -> Medium {
        let cells = 2.0 * self.shown as f64;
        let noise = READ * self.scale.range[1] * cells.sqrt() / self.scale.gain();
        // reports count the pulses of all cells, which are no fewer than those of the most worn
        let writes = u64::from(self.writer.most_steps) * (2 * self.shown * self.shown) as u64;
        Medium {
            flicker: true,
            endurance: Some(ENDURANCE),
            price: Price { writes, ..Price::default() },
            ..Medium::new(self.weight_error() * (self.shown as f64).sqrt(), noise)
        }
    }

    /// The program that is loaded.
    fn loaded(&self) -> Result<&Loaded> {
        self.loaded.as_ref().ok_or_else(|| Error::fault("nothing is loaded on the array; realize a program first"))
    }

    fn write(&mut self, link: &mut Link, targets: &[Target], cancel: &Cancel) -> Result<Written> {
        // what was written before and only relaxed since is not written again
        let first = if self.held == targets { self.writer.band } else { self.writer.tolerance };
        self.held.clear();
        let written = self.writer.write(&mut self.board, link, targets, first, cancel)?;
        self.held = targets.to_vec();
        Ok(written)
    }

    fn sweep(&mut self, link: &mut Link) -> Result<Vec<f64>> {
        let Layout { words, bits, .. } = self.loaded()?.layout;
        Ok(self.board.steadily(link, |board, link| board.sweep(link, words, bits))?)
    }
}

/// One tick of a program whose weights are these conductances.
fn tick(loaded: &Loaded, scale: Scale, conductances: &[f64], x: &[f64]) -> Vec<f64> {
    let Loaded { program, layout, .. } = loaded;
    let mut starts = Vec::new();
    let mut width = 0;
    for port in program.inputs() {
        starts.push(width);
        width += port.shape.len();
    }
    let mut values: Vec<Vec<f64>> = vec![Vec::new(); program.nodes().len()];
    let sum = |values: &[Vec<f64>], sources: &[Source], len: usize| {
        let mut total = vec![0.0; len];
        for source in sources {
            let term = match source.origin {
                Origin::Input(i) => &x[starts[i]..starts[i] + len],
                Origin::Node(n, _) => &values[n],
            };
            total.iter_mut().zip(term).for_each(|(t, v)| *t += v);
        }
        total
    };
    for &index in &program.schedule().order {
        let node = &program.nodes()[index];
        let len = node.input_shapes.first().map_or(0, isoform_core::tensor::Shape::len);
        let input = sum(&values, node.sources.first().map_or(&[], Vec::as_slice), len);
        values[index] = match &layout.nodes[index] {
            Some(placed) => (0..placed.outputs)
                .map(|o| {
                    let weigh = |(i, v): (usize, &f64)| layout.weight(scale, conductances, placed, o, i) * v;
                    input.iter().enumerate().map(weigh).fold(placed.bias[o], |sum, term| sum + term)
                })
                .collect(),
            None => input,
        };
    }
    program.outputs().iter().flat_map(|o| sum(&values, &o.sources, o.port.shape.len())).collect()
}

impl Driver for ArcOne {
    fn identify(&mut self, lines: &mut Lines) -> Result<()> {
        Ok(self.board.begin(lines)?)
    }

    fn profile(&self) -> Profile {
        let device = match self.board.version() {
            Some((major, minor)) => format!("ArC ONE, firmware {major}.{minor}"),
            None => String::from("ArC ONE"),
        };
        // A number below the smallest normal one may be read as nought: for a sum of products of inputs up to one, that is an error in each
        // weight of twice that number, which is how the accuracy of an analog weight is said in the terms of a number format.
        let accuracy = Accuracy { smallest_normal: self.weight_error() / 2.0, subnormals: false, ..Accuracy::single() };
        Profile { device, accuracy, ..Profile::digital("arc-one", env!("CARGO_PKG_VERSION")) }
            .with_class(Class::AnalogWearing)
            .with_facets(Facets { tuning: true, ..Facets::default() })
            .with_limits(Limits { input: [-1.0, 1.0], ticks: 16, batch: 1, channels: 32, realizations: 1, ..Limits::default() })
            .with_takes(Takes { nodes: vec![String::from("dense")], cycles: false, ..Takes::default() })
            .with_medium(self.medium())
    }

    /// A map with weights of both signs, up to the largest.
    fn exemplars(&self) -> Vec<Program> {
        let shown = self.shown;
        let weight = |i: usize| self.scale.weight * (((i * 7 + 3) % 16) as f64 / 7.5 - 1.0);
        let map =
            Tensor::new([shown, shown], (0..shown * shown).map(weight).collect::<Vec<_>>()).and_then(|w| Dense::new(w, None));
        map.and_then(|map| Program::single("array", map, [shown], Semantics::exact(TICK))).into_iter().collect()
    }

    fn load(&mut self, lines: &mut Lines, program: &Program, run: &Run) -> Result<()> {
        self.loaded = None;
        let layout = Layout::of(program, self.scale, self.board.reading())?;
        self.write(lines, &layout.targets, &run.cancel.since_now())?;
        self.loaded = Some(Loaded { program: program.clone(), cancel: run.cancel.clone(), layout });
        Ok(())
    }

    #[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
    fn advance(&mut self, lines: &mut Lines, x: Signal<'_>, y: &mut SignalMut<'_>, ticks: usize) -> Result<Report> {
        let loaded = self.loaded()?;
        let (inputs, outputs) = (loaded.program.input_channels(), loaded.program.output_channels());
        let (input, output) = (Extent { ticks, batch: 1, channels: inputs }, Extent { ticks, batch: 1, channels: outputs });
        let cancel = loaded.cancel.clone();
        let mut row = vec![0.0; inputs];
        let mut done = 0;
        while done < ticks && !lines.is_asked_to_stop(&cancel) {
            let conductances = self.sweep(lines)?;
            x.row(input, done, &mut row);
            let wide: Vec<f64> = row.iter().map(|&v| f64::from(v)).collect();
            let out: Vec<f32> = tick(self.loaded()?, self.scale, &conductances, &wide).iter().map(|&v| v as f32).collect();
            y.put(output, done, &out);
            done += 1;
        }
        let writes = self.board.pulses() - self.reported;
        self.reported = self.board.pulses();
        Ok(Report { writes, ..Report::of(done) })
    }

    fn reset(&mut self, lines: &mut Lines) -> Result<()> {
        // a dense map keeps nothing from tick to tick; what has left the band of a sweep by relaxation is written again
        let loaded = self.loaded()?;
        let targets = loaded.layout.targets.clone();
        let cancel = loaded.cancel.since_now();
        self.write(lines, &targets, &cancel).map(drop)
    }

    fn read_parameter(&mut self, lines: &mut Lines, node: &str, parameter: &str) -> Result<Vec<f64>> {
        let loaded = self.loaded()?;
        let set = read_parameter(&loaded.program, node, parameter)?;
        if parameter != "weight" {
            return Ok(set);
        }
        let (index, _) = loaded.program.node(node)?;
        let conductances = self.sweep(lines)?;
        let Loaded { layout, .. } = self.loaded()?;
        let Some(placed) = &layout.nodes[index] else { return Ok(set) };
        let outputs = 0..placed.outputs;
        Ok(outputs
            .flat_map(|o| (0..placed.inputs).map(move |i| (o, i)))
            .map(|(o, i)| layout.weight(self.scale, &conductances, placed, o, i))
            .collect())
    }

    fn write_parameter(&mut self, lines: &mut Lines, node: &str, parameter: &str, values: &[f64]) -> Result<Vec<f64>> {
        let loaded = self.loaded()?;
        let cancel = loaded.cancel.clone();
        let program = tuned(&loaded.program, node, parameter, values)?;
        let layout = Layout::of(&program, self.scale, self.board.reading())?;
        self.write(lines, &layout.targets, &cancel)?;
        self.loaded = Some(Loaded { program, cancel, layout });
        self.read_parameter(lines, node, parameter)
    }

    fn close(&mut self, lines: &mut Lines) -> Result<()> {
        self.loaded = None;
        // the board lets go of all lines of the array, which nothing confirms
        let end = lines.within(std::time::Duration::from_millis(100));
        Ok(lines.send(&RESET.repeat(AWAITED), end)?)
    }
}

#[cfg(test)]
#[test]
fn the_accuracy_is_that_of_a_day() {
    assert!((super::cell::relaxation_deviation(86_400.0) / WALK - 1.0).abs() < 1e-3);
}
