//! The driver of boards: programs laid out, numbers encoded, messages exchanged.
//!
//! In the checked mode a cable may lose, repeat or change bytes, and nothing is wrong silently. A board without it is read back after every
//! write and asked twice for its capabilities, and a reset loads all of it again, since it may have restarted unseen; a byte that is changed in
//! the operations, or in the inputs or outputs of a run, remains unnoticed there.

use super::capabilities::{Capabilities, Numbers};
use super::codec::{Command, number};
use super::cut::{BITS, COUNTS, Cut, HELD, MOST_TICKS, Wire};
use super::dialogue::{Dialogue, Expect, PROMPT, whole_block};
use super::image::{Image, Patch};
use crate::scpi::codec::block;
use isoform_core::bound::{Accuracy, Form};
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::oracle::{read_parameter, tuned};
use isoform_core::profile::{Class, Facets, Limits, Profile, Takes};
use isoform_core::program::{NodeKind, Program};
use isoform_core::report::Report;
use isoform_core::signal::{Extent, Signal, SignalMut, bytes_of_bits};
use isoform_core::state::State;
use isoform_core::substrate::{Cancel, Run};
use isoform_serial::driver::Driver;
use isoform_serial::error::{SerialError, printable};
use isoform_serial::lines::Lines;
use isoform_serial::link::Link;
use std::time::Duration;

/// Linear maps that a board takes as a matrix.
const MAPS: [&str; 6] = ["dense", "sparse", "conv1d", "conv2d", "sum_pool2d", "avg_pool2d"];
/// The most bytes of a block.
const MOST_BLOCK: usize = 1 << 15;
/// How long nothing is said to a board that does not answer: a line that is opened restarts an Arduino, whose boot loader waits for a program
/// as long as it hears anything.
const BOOT: Duration = Duration::from_secs(2);
/// What the slowest board needs for a tick, and for a byte where the line does not say.
const TICK: Duration = Duration::from_millis(20);
/// The ticks of the first request, by which the pace of a program on the board is measured, and how many times as long a later one may take.
const FIRST: usize = 50;
const SLACK: u32 = 10;
const BYTE: Duration = Duration::from_micros(100);

/// The driver of boards.
#[derive(Debug, Default)]
pub struct BoardDriver {
    dialogue: Dialogue,
    identity: String,
    capabilities: Option<Capabilities>,
    loaded: Option<Loaded>,
}

/// A program on the board.
#[derive(Debug)]
struct Loaded {
    wire: Wire,
    /// As it was realised: states belong to it.
    program: Program,
    /// With parameters as they are.
    tuned: Program,
    image: Image,
    tick: u64,
    cancel: Cancel,
    spikes: bool,
    /// The most results that a tick can have cut.
    most_cut: u64,
    /// The longest that a tick has taken so far.
    pace: Option<Duration>,
    row: Vec<f32>,
    words: Vec<u8>,
}

impl BoardDriver {
    /// A driver that knows no board yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A driver that knows a board from elsewhere.
    #[cfg(test)]
    pub(super) fn knowing(board: Capabilities) -> Self {
        Self { capabilities: Some(board), ..Self::default() }
    }

    fn known(&self) -> Result<&Capabilities> {
        self.capabilities.as_ref().ok_or_else(|| Error::fault("the board was not identified"))
    }

    fn text(&mut self, link: &mut Link, command: &str) -> Result<String, SerialError> {
        let answer = self.dialogue.ask(link, &Command::new(command), Expect::Text, PROMPT)?;
        String::from_utf8(answer).map_err(|e| SerialError::garbled(command, e.as_bytes(), "it is no text"))
    }

    fn ask_capabilities(&mut self, link: &mut Link) -> Result<Capabilities, SerialError> {
        let text = self.text(link, "SYST:CAP?")?;
        text.parse().map_err(|e| SerialError::garbled("the capabilities", text.as_bytes(), format!("{e}")))
    }

    fn greet(&mut self, link: &mut Link) -> Result<(), SerialError> {
        self.dialogue.begin(link)?;
        self.identity = self.text(link, "*IDN?")?;
        let wrong =
            |seen: &str| SerialError::WrongDevice { wanted: String::from("board of this protocol"), seen: seen.to_owned() };
        match self.text(link, "SYST:VERS?") {
            Ok(version) if version == "1" => {}
            Ok(_) | Err(SerialError::Refused { .. } | SerialError::Fault { .. }) => return Err(wrong(&self.identity)),
            Err(e) => return Err(e),
        }
        let first = self.ask_capabilities(link)?;
        if first.check {
            self.dialogue.check(link)?;
        }
        let second = self.ask_capabilities(link)?;
        if !first.check && first != second {
            return Err(SerialError::garbled("the capabilities", b"", "two answers differ"));
        }
        // what a link keeps at a time is less than a board may have
        self.capabilities = Some(Capabilities { block: second.block.min(MOST_BLOCK), ..second });
        Ok(())
    }

    /// The most bytes of a block, in whole words.
    fn block(&self) -> Result<usize> {
        Ok(self.known()?.block / 4 * 4)
    }

    /// Gives a command of which it is known that a board that is as it was left takes it.
    fn told(&mut self, link: &mut Link, command: &Command, bytes: usize) -> Result<()> {
        self.dialogue.ask(link, command, Expect::Nothing, time(link, bytes)).map(drop).map_err(|e| e.into_fault().into())
    }

    /// Puts a program on the board, whatever is there.
    fn place(&mut self, link: &mut Link, image: &Image) -> Result<()> {
        self.told(link, &Command::new("*RST"), 0)?;
        let code: Vec<u8> = image.code().iter().flat_map(|w| w.to_le_bytes()).collect();
        self.told(link, &Command::new("PROG:DATA").with_block(&code), code.len())?;
        self.write_cells(link, &Patch { first: 0, words: image.memory().to_vec() })
    }

    fn write_cells(&mut self, link: &mut Link, patch: &Patch) -> Result<()> {
        let (block, check) = (self.block()?, self.known()?.check);
        for (i, piece) in patch.words.chunks(block / 4).enumerate() {
            let first = patch.first + i * (block / 4);
            let bytes: Vec<u8> = piece.iter().flat_map(|w| w.to_le_bytes()).collect();
            let command = Command::new("MEM:DATA").with_numbers(&[first]).with_block(&bytes);
            self.told(link, &command, bytes.len())?;
            if !check && self.read_cells(link, first, piece.len())? != piece {
                return Err(SerialError::garbled("memory", &bytes, "what was written reads back otherwise").into());
            }
        }
        Ok(())
    }

    fn read_cells(&mut self, link: &mut Link, first: usize, count: usize) -> Result<Vec<u32>> {
        let most = self.block()? / 4;
        let mut words = Vec::with_capacity(count);
        while words.len() < count {
            let piece = most.min(count - words.len());
            let command = Command::new("MEM:DATA?").with_numbers(&[first + words.len(), piece]);
            let answer =
                self.dialogue.ask(link, &command, Expect::Block, time(link, 4 * piece)).map_err(SerialError::into_fault)?;
            let bytes = whole_block("memory", &answer, 4 * piece)?;
            words.extend(bytes.as_chunks().0.iter().map(|w| u32::from_le_bytes(*w)));
        }
        Ok(words)
    }

    fn with_loaded<T>(&mut self, call: impl FnOnce(&mut Self, &mut Loaded) -> Result<T>) -> Result<T> {
        let mut loaded = self.loaded.take().ok_or_else(|| Error::fault("no program is on the board"))?;
        let result = call(self, &mut loaded);
        self.loaded = Some(loaded);
        result
    }
}

/// How long a request may take, beside its ticks.
fn time(link: &Link, bytes: usize) -> Duration {
    PROMPT + link.time_of(bytes, BYTE)
}

impl Loaded {
    fn extents(&self, ticks: usize) -> [Extent; 2] {
        let extent = |channels| Extent { ticks, batch: 1, channels };
        [extent(self.program.input_channels()), extent(self.program.output_channels())]
    }

    /// How long a tick may take.
    fn patience(&self) -> Duration {
        self.pace.map_or(TICK, |pace| TICK.min(pace * SLACK))
    }

    /// Encodes the inputs of some ticks; gives how many were cut to the range of the numbers.
    fn encode(&mut self, x: Signal<'_>, extent: Extent, ticks: std::ops::Range<usize>) -> u64 {
        let mut cut = 0;
        self.words.clear();
        self.row.resize(extent.row(), 0.0);
        for tick in ticks {
            x.row(extent, tick, &mut self.row);
            for &value in &self.row {
                let (word, clipped) = self.wire.numbers.encode_cut(f64::from(value));
                cut += u64::from(clipped);
                self.words.extend(word.to_le_bytes());
            }
        }
        cut
    }

    /// Decodes the outputs of some ticks.
    fn decode(&mut self, bytes: &[u8], cut: Cut, y: &mut SignalMut<'_>, extent: Extent, ticks: std::ops::Range<usize>) {
        let words = bytes.as_chunks::<4>().0;
        if let (SignalMut::Counts(counts), COUNTS) = (&mut *y, cut.mode & COUNTS) {
            for (count, word) in counts.iter_mut().zip(words) {
                *count = count.saturating_add(u32::from_le_bytes(*word));
            }
            return;
        }
        self.row.resize(extent.row(), 0.0);
        for (i, tick) in ticks.enumerate() {
            for (c, value) in self.row.iter_mut().enumerate() {
                *value = if cut.mode & BITS == 0 {
                    single(self.wire.numbers.decode(u32::from_le_bytes(words[i * cut.output + c])))
                } else {
                    f32::from(bytes[i * bytes_of_bits(cut.output) + c / 8] >> (c % 8) & 1)
                };
            }
            y.put(extent, tick, &self.row);
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "signals are in single precision")]
fn single(value: f64) -> f32 {
    value as f32
}

/// The answer to a run: ticks, cut results, outputs.
fn ran(answer: &[u8]) -> Result<(usize, u64, &[u8]), SerialError> {
    let garbled = || SerialError::garbled("an answer to RUN?", answer, "it is not done,clipped,block");
    let mut parts = answer.splitn(3, |&b| b == b',');
    match (parts.next().and_then(number), parts.next().and_then(number), parts.next()) {
        (Some(done), Some(clipped), Some(rest)) => Ok((done, clipped, block("an answer to RUN?", rest)?)),
        _ => Err(garbled()),
    }
}

impl Driver for BoardDriver {
    fn identify(&mut self, lines: &mut Lines) -> Result<()> {
        let mut greeted = self.greet(lines);
        // what was on the line from before may have spoilt the first try, and a boot loader the second
        for pause in [Duration::ZERO, BOOT] {
            if !matches!(greeted, Err(SerialError::Garbled { .. } | SerialError::Timeout { .. })) {
                break;
            }
            lines.sleep(pause);
            greeted = self.greet(lines);
        }
        Ok(greeted?)
    }

    fn profile(&self) -> Profile {
        let mut profile = Profile::digital("board", env!("CARGO_PKG_VERSION"));
        profile.device = printable(self.identity.as_bytes());
        let Some(board) = &self.capabilities else { return profile };
        (profile.class, profile.accuracy) = match board.numbers {
            Numbers::F32 => (Class::ExactDigital, Accuracy { form: Form::RunTime, ..Accuracy::single() }),
            Numbers::Fixed(format) => (Class::FixedPoint, Accuracy::fixed(format)),
        };
        let mut nodes: Vec<String> = board.functions.iter().map(|f| f.id.clone()).collect();
        if board.has("LINEAR") {
            nodes.extend(MAPS.map(String::from));
        }
        if board.has("READ") && board.has("ABSORB") {
            nodes.push(String::from("delay"));
        }
        // a channel of the widest function takes some twenty cells
        let channels = (board.cells / 20).clamp(1, board.block / 8);
        profile
            .with_facets(Facets { memory: true, tuning: true, ..Facets::default() })
            .with_limits(Limits { input: board.range, batch: 1, channels, realizations: 1, ..Limits::default() })
            .with_takes(Takes { nodes, located: false, fixed: false, cycles: board.has("COPY") })
    }

    fn load(&mut self, lines: &mut Lines, program: &Program, run: &Run) -> Result<()> {
        self.loaded = None;
        let board = self.known()?.clone();
        let image = Image::new(program, &board)?;
        let channels = [program.input_channels(), program.output_channels()];
        let wire = Wire { numbers: board.numbers, block: board.block, modes: board.modes };
        Cut::new(&Signal::Dense(&[]), &SignalMut::Dense(&mut []), channels, false, wire)?;
        let code = 2 * image.code().len();
        if code > board.block {
            let block = board.block;
            let why = format!("{code} bytes of operations exceed the {block} of a block; place a part of the program elsewhere");
            return Err(Error::unsupported(why));
        }
        self.place(lines, &image)?;
        let spikes = program.outputs().iter().all(|o| o.port.domain == isoform_core::dynamics::Domain::Spikes);
        let most_cut = image.most_cut(&board.functions);
        self.loaded = Some(Loaded {
            most_cut,
            wire,
            program: program.clone(),
            tuned: program.clone(),
            image,
            tick: 0,
            cancel: run.cancel.clone(),
            spikes,
            pace: None,
            row: Vec::new(),
            words: Vec::new(),
        });
        Ok(())
    }

    fn advance(&mut self, lines: &mut Lines, x: Signal<'_>, y: &mut SignalMut<'_>, ticks: usize) -> Result<Report> {
        self.with_loaded(|driver, loaded| {
            let [input, output] = loaded.extents(ticks);
            let cut = Cut::new(&x, y, [input.channels, output.channels], loaded.spikes, loaded.wire)?;
            let mut report = Report::default();
            while report.ticks < ticks && !lines.is_asked_to_stop(&loaded.cancel) {
                let from = report.ticks;
                let count = cut.most.min(ticks - from).min(if loaded.pace.is_none() { FIRST } else { MOST_TICKS });
                let rows = if cut.mode & HELD == 0 { count } else { 1 };
                report.clipped += loaded.encode(x, input, from..from + rows);
                let command = Command::new("RUN?").with_numbers(&[count, cut.mode]).with_block(&loaded.words);
                let bytes = loaded.words.len() + cut.bytes_out(count);
                // a board that refuses a run that fits has lost its program
                let within = loaded.patience() * u32::try_from(count).unwrap_or(u32::MAX) + time(lines, bytes);
                let begun = lines.now();
                let answer = driver.dialogue.ask_until(lines, &command, (Expect::Block, within), &loaded.cancel);
                let answer = answer.map_err(SerialError::into_fault)?;
                let (done, clipped, outputs) = ran(&answer)?;
                if done != count || outputs.len() != cut.bytes_out(count) {
                    return Err(
                        SerialError::garbled("an answer to RUN?", &answer, format!("{count} ticks were asked for")).into()
                    );
                }
                let most = loaded.most_cut.saturating_mul(count as u64);
                if clipped > most {
                    let why =
                        format!("{clipped} results were cut of {most} that {count} ticks of these operations have at the most");
                    return Err(SerialError::garbled("an answer to RUN?", &answer, why).into());
                }
                loaded.decode(outputs, cut, y, output, from..from + count);
                let took = lines.now().saturating_sub(begun) / u32::try_from(count).unwrap_or(u32::MAX);
                loaded.pace = loaded.pace.max(Some(took));
                loaded.tick += count as u64;
                report.ticks += count;
                report.clipped += clipped;
            }
            report.memory = 4 * loaded.image.memory().len() as u64;
            Ok(report)
        })
    }

    fn reset(&mut self, lines: &mut Lines) -> Result<()> {
        self.with_loaded(|driver, loaded| {
            let initial = State::initial(&loaded.tuned, 1);
            let patch = loaded.image.load(&loaded.tuned, &initial)?;
            if !driver.known()?.check {
                driver.place(lines, &loaded.image)?;
            }
            driver.write_cells(lines, &patch)?;
            loaded.tick = 0;
            Ok(())
        })
    }

    fn save_state(&mut self, lines: &mut Lines) -> Result<State> {
        self.with_loaded(|driver, loaded| {
            let kept = loaded.image.kept();
            let words = driver.read_cells(lines, kept.start, kept.len())?;
            // a board that has restarted reads nought everywhere
            let constant = if driver.known()?.check { None } else { loaded.image.constant() };
            if let Some((cell, word)) = constant
                && driver.read_cells(lines, cell, 1)? != [word]
            {
                return Err(SerialError::Restarted { what: String::from("reading its state") }.into());
            }
            loaded.image.state(&loaded.program, loaded.tick, &words)
        })
    }

    fn load_state(&mut self, lines: &mut Lines, state: &State) -> Result<()> {
        self.with_loaded(|driver, loaded| {
            let patch = loaded.image.load(&loaded.program, state)?;
            driver.write_cells(lines, &patch)?;
            loaded.tick = state.tick;
            Ok(())
        })
    }

    fn read_parameter(&mut self, _: &mut Lines, node: &str, parameter: &str) -> Result<Vec<f64>> {
        self.with_loaded(|_, loaded| read_parameter(&loaded.tuned, node, parameter))
    }

    fn write_parameter(&mut self, lines: &mut Lines, node: &str, parameter: &str, values: &[f64]) -> Result<Vec<f64>> {
        self.with_loaded(|driver, loaded| {
            let (index, found) = loaded.tuned.node(node)?;
            read_parameter(&loaded.tuned, node, parameter)?;
            if matches!(found.kind, NodeKind::Delay { .. }) {
                let why = format!("{parameter:?} is fixed once the program is on the board; load another program");
                return Err(Error::new(ErrorKind::InvalidProgram, why).with_node(node));
            }
            let numbers = loaded.wire.numbers;
            // rounded first, so that what follows from the value follows from the one that is given back; what acts through coefficients
            // alone may be beyond the numbers of the board, and is not rounded
            let set: Vec<f64> = values.iter().map(|&v| numbers.encode(v).map_or(v, |word| numbers.decode(word))).collect();
            let program = tuned(&loaded.tuned, node, parameter, &set)?;
            let patches = loaded.image.tune(index, program.node(node)?.1)?;
            for patch in &patches {
                driver.write_cells(lines, patch)?;
                loaded.image.keep(patch);
            }
            loaded.tuned = program;
            Ok(set)
        })
    }
}
