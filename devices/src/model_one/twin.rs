//! The controller and the patched machine in software, byte for byte.
//!
//! Quirks that it has: no newline may follow a command (it answers `Illegal command: A`); a reader of arguments stops at a newline or after
//! ten seconds; silent commands; `c`, `C`, `d` and `D` hold a run up; fewer samples are logged than its interval promises; places of
//! potentiometers are not checked. It does not know `I`, `L` and `T`.

use super::codec::FULL;
use super::patch::Patch;
use isoform_core::draw::{Key, normal};
use isoform_serial::transport::Twin;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write;
use std::time::Duration;

/// How long a reader of arguments waits.
const READER: Duration = Duration::from_secs(10);
/// How long the scan of the bus takes after a reset.
const RESET: Duration = Duration::from_millis(41);
/// Values that the log holds.
const LOG: usize = 1152;
/// What sampling one value takes in truth, whatever the interval: 100 ms of two channels gave 153 rows.
const SAMPLE: Duration = Duration::from_micros(325);
/// One step of the converter: 16 bits over two machine units.
const STEP: f64 = 2.0 / 65_536.0;
/// One byte at 115200 bits a second.
const BYTE: Duration = Duration::from_nanos(86_806);
/// Keeps these draws apart from those of the nodes of a program ("adc " in ASCII).
const ADC: u32 = 0x6164_6320;
const INTEGRATOR: u8 = 2;
const EMPTY: u8 = 127;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Ic,
    Op,
    Halt,
    PotSet,
}

/// What the machine does by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    /// A run in IC, and whether its end is told; repetitive if not once.
    Ic {
        told: bool,
        once: bool,
    },
    /// A run in OP.
    Op {
        told: bool,
        once: bool,
    },
}

/// The machine in software.
#[derive(Debug)]
pub struct ModelOneTwin {
    patch: Patch,
    /// Modules with potentiometers: address, id and how many they have.
    modules: Vec<(u16, u8, usize)>,
    pots: BTreeMap<(u16, usize), u16>,
    states: Vec<f64>,
    mode: Mode,
    phase: Phase,
    /// When the phase ends.
    until: Duration,
    /// Up to when the states are computed.
    at: Duration,
    op_began: Duration,
    ic: u32,
    op: u32,
    halts: bool,
    external: bool,
    group: Vec<u16>,
    log: Vec<Vec<f64>>,
    next_sample: Duration,
    interval: Duration,
    pending: Vec<u8>,
    heard: Duration,
    busy: Duration,
    out: VecDeque<(Duration, u8)>,
    key: Key,
    drawn: u64,
    held_up: u32,
}

impl ModelOneTwin {
    /// A machine that is patched like this, with the noise of its converter by a seed.
    #[must_use]
    pub fn new(patch: Patch, seed: u64) -> Self {
        let mut modules = vec![(0x80, 8, 8)];
        for pot in patch.channels.iter().flat_map(super::patch::Channel::pots) {
            if !modules.iter().any(|m| m.0 == pot.module) {
                modules.push((pot.module, 9, 24));
            }
        }
        Self {
            states: vec![0.0; patch.channels.len()],
            patch,
            modules,
            pots: BTreeMap::new(),
            mode: Mode::Ic,
            phase: Phase::Idle,
            until: Duration::ZERO,
            at: Duration::ZERO,
            op_began: Duration::ZERO,
            ic: 0,
            op: 0,
            halts: false,
            external: false,
            group: Vec::new(),
            log: Vec::new(),
            next_sample: Duration::ZERO,
            interval: Duration::ZERO,
            pending: Vec::new(),
            heard: Duration::ZERO,
            busy: Duration::ZERO,
            out: VecDeque::new(),
            key: Key::new(seed, ADC),
            drawn: 0,
            held_up: 0,
        }
    }

    /// How often a run was held up by a command that must not be sent during one.
    #[must_use]
    pub fn held_up(&self) -> u32 {
        self.held_up
    }

    fn boot(&mut self) {
        self.pots.clear();
        (self.mode, self.phase) = (Mode::Ic, Phase::Idle);
        (self.ic, self.op, self.halts, self.external) = (0, 0, false, false);
        self.group.clear();
        self.log.clear();
    }

    fn pot(&self, pot: super::codec::Pot) -> f64 {
        f64::from(self.pots.get(&(pot.module, usize::from(pot.index))).copied().unwrap_or(0)) / f64::from(FULL)
    }

    /// Lets the integrators run up to a time.
    fn flow(&mut self, to: Duration) {
        let seconds = to.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(to);
        for k in 0..self.states.len() {
            let channel = self.patch.channels[k];
            let level = match self.mode {
                Mode::Op => {
                    let rate = self.patch.k0 * self.pot(channel.decay);
                    let drive = self.patch.k0 * (self.pot(channel.plus) - self.pot(channel.minus));
                    // s' = e^(-rate t) s + drive (1 - e^(-rate t)) / rate
                    let gain = if rate == 0.0 { seconds } else { -(-rate * seconds).exp_m1() / rate };
                    self.states[k] * (-rate * seconds).exp() + drive * gain
                }
                Mode::Ic => self.pot(channel.ic_plus) - self.pot(channel.ic_minus),
                Mode::Halt | Mode::PotSet => self.states[k],
            };
            // amplifiers end a little beyond the machine unit
            self.states[k] = level.clamp(-1.2, 1.2);
        }
    }

    fn is_overloaded(&self) -> bool {
        self.states.iter().any(|s| s.abs() > 1.0)
    }

    /// Does what is due up to a time: samples, ends of phases, overloads.
    fn go_on(&mut self, now: Duration) {
        loop {
            let sample = matches!(self.phase, Phase::Op { .. }).then_some(self.next_sample).filter(|_| !self.group.is_empty());
            let end = (self.phase != Phase::Idle).then_some(self.until);
            // overloads are looked for every millisecond
            let look = (self.mode == Mode::Op && self.halts).then_some(self.at + Duration::from_millis(1));
            let Some(next) = [sample, end, look].into_iter().flatten().min().filter(|&t| t <= now) else { break };
            self.flow(next);
            if self.mode == Mode::Op && self.halts && self.is_overloaded() {
                (self.mode, self.phase) = (Mode::Halt, Phase::Idle);
                self.say(next, "\tOverload halt!");
            } else if end == Some(next) {
                self.end_phase(next);
            } else if sample == Some(next) {
                self.sample();
                self.next_sample += self.interval;
            }
        }
        self.flow(now);
    }

    fn sample(&mut self) {
        if (self.log.len() + 1) * self.group.len() <= LOG {
            let row = (0..self.group.len()).map(|i| self.convert(self.group[i])).collect();
            self.log.push(row);
        }
    }

    fn end_phase(&mut self, now: Duration) {
        match self.phase {
            Phase::Idle => {}
            Phase::Ic { told, once } => {
                (self.mode, self.phase) = (Mode::Op, Phase::Op { told, once });
                self.op_began = now;
                self.next_sample = now;
                self.until = now + Duration::from_millis(self.op.into());
                let count = u32::try_from(self.group.len()).unwrap_or(1).max(1);
                self.interval = (Duration::from_millis(self.op.into()) / (1024 / count)).max(SAMPLE * count);
            }
            Phase::Op { told, once: true } => {
                (self.mode, self.phase) = (Mode::Halt, Phase::Idle);
                if told {
                    self.say(now, "EOSR");
                }
            }
            Phase::Op { told, once: false } => self.start(told, false, now),
        }
    }

    fn start(&mut self, told: bool, once: bool, now: Duration) {
        (self.mode, self.phase) = (Mode::Ic, Phase::Ic { told, once });
        // a cycle of no length would hold the clock
        self.until = now + Duration::from_millis(self.ic.max(u32::from(!once)).into());
        self.log.clear();
    }

    /// A reading of the converter.
    fn convert(&mut self, address: u16) -> f64 {
        let Some(k) = self.patch.channels.iter().position(|c| c.integrator == address) else { return 0.0 };
        self.drawn += 1;
        let noise = f64::from(normal(self.key.bits(0, 0, self.drawn)));
        ((self.states[k] / STEP + noise).round() * STEP).clamp(-1.2, 1.2)
    }

    /// The id of the module at an address: the patched integrators, and the others of their module.
    fn module(&self, address: u16) -> u8 {
        let is_integrator = self.patch.channels.iter().any(|c| c.integrator & 0xfff0 == address & 0xfff0);
        self.modules.iter().find(|m| m.0 == address).map_or(if is_integrator { INTEGRATOR } else { EMPTY }, |m| m.1)
    }

    fn say(&mut self, now: Duration, line: &str) {
        self.busy = self.busy.max(now);
        for byte in line.bytes().chain([b'\n']) {
            self.busy += BYTE;
            self.out.push_back((self.busy, byte));
        }
    }

    fn set_mode(&mut self, mode: Mode, name: &str, now: Duration) {
        (self.mode, self.phase) = (mode, Phase::Idle);
        if mode == Mode::Op {
            self.op_began = now;
        }
        self.flow(now);
        self.say(now, name);
    }

    /// Performs a command with its arguments, if they are complete. Gives whether they are.
    fn command(&mut self, now: Duration) -> bool {
        let Some((&letter, arguments)) = self.pending.split_first() else { return false };
        let arguments: Vec<u8> = arguments.to_vec();
        let width = match letter {
            b'P' => 10,
            b'c' | b'C' => 6,
            b'g' => 4,
            b'X' => 44,
            b'd' | b'D' => 1,
            b'G' if arguments.last() != Some(&b'.') && arguments.len() < 500 => usize::MAX,
            _ => 0,
        };
        if arguments.len() < width && arguments.last() != Some(&b'\n') {
            return false;
        }
        let text: String = arguments.iter().filter(|b| b.is_ascii_graphic()).map(|&b| char::from(b)).collect();
        let hex = |from: usize, to: usize| u16::from_str_radix(text.get(from..to).unwrap_or(""), 16).unwrap_or(0);
        let decimal = |from: usize, to: usize| text.get(from..to).and_then(|t| t.parse::<u32>().ok()).unwrap_or(0);
        match letter {
            b'?' => {
                self.say(now, "HC firmware v2.1 20201215");
                self.say(now, "");
                self.say(now, "a/A: disable/enable halt on overload, i/o/h: IC, OP, HALT, x: reset");
            }
            b'x' => {
                self.boot();
                self.say(now + RESET, "RESET");
            }
            b's' => self.status(now),
            b'i' => self.set_mode(Mode::Ic, "IC", now),
            b'o' => self.set_mode(Mode::Op, "OP", now),
            b'h' => self.set_mode(Mode::Halt, "HALT", now),
            b'S' => self.set_mode(Mode::PotSet, "PS", now),
            b'a' | b'A' => {
                self.halts = letter == b'A';
                self.say(now, if self.halts { "OVLH=ENABLED" } else { "OVLH=DISABLED" });
            }
            b'b' | b'B' => {
                self.external = letter == b'B';
                self.say(now, if self.external { "EXTH=ENABLED" } else { "EXTH=DISABLED" });
            }
            b'c' => {
                self.op = decimal(0, 6);
                self.say(now, &format!("T_OP={}", self.op));
            }
            b'C' => {
                self.ic = decimal(0, 6);
                self.say(now, &format!("T_IC={}", self.ic));
            }
            b'P' => {
                let (address, index, value) = (hex(0, 4), hex(4, 6), decimal(6, 10));
                let is_there = self.modules.iter().any(|m| m.0 == address);
                if is_there && value <= u32::from(FULL) {
                    self.pots.insert((address, index.into()), u16::try_from(value).unwrap_or(FULL));
                    self.flow(now);
                    self.say(now, &format!("P{address:X}.{index:X}={value}"));
                } else {
                    self.say(now, &format!("P{address:X}.{index:X}=ERROR!"));
                }
            }
            b'q' => {
                let mut line = String::new();
                for (address, _, count) in &self.modules {
                    let values = (0..*count).map(|i| self.pots.get(&(*address, i)).copied().unwrap_or(0).to_string());
                    let _ = write!(line, "{address:X}:{};", values.collect::<Vec<_>>().join(","));
                }
                self.say(now, line.trim_end_matches(';'));
            }
            b'X' => self.say(now, "XBAR READY"),
            b'g' => {
                let address = hex(0, 4);
                let value = self.convert(address);
                self.say(now, &format!("{value:4.4} {}", self.module(address)));
            }
            b'G' => {
                let list = text.trim_end_matches('.').split(';').filter(|a| !a.is_empty());
                self.group = list.take(100).map(|a| u16::from_str_radix(a, 16).unwrap_or(0)).collect();
                self.log.clear();
            }
            b'f' => {
                let values: Vec<String> = (0..self.group.len()).map(|i| format!("{:4.4}", self.convert(self.group[i]))).collect();
                self.say(now, &values.join(";"));
            }
            b'E' | b'F' => {
                self.say(now, "SINGLE-RUN");
                self.start(letter == b'F', true, now);
            }
            b'e' => {
                self.say(now, "REP-MODE");
                self.start(false, false, now);
            }
            b'l' => self.dump(now),
            b't' if self.mode == Mode::Op => self.say(now, &format!("t_OP={}", now.saturating_sub(self.op_began).as_millis())),
            b't' => self.say(now, "t_OP=N/A"),
            b'R' => self.say(now, "0 0 0 0 0 0 0 0 "),
            b'd' | b'D' => {
                if !matches!(arguments.first(), Some(b'0'..=b'7')) {
                    self.say(now, "ERR");
                }
            }
            other => self.say(now, &format!("Illegal command: {other:X}")),
        }
        true
    }

    fn status(&mut self, now: Duration) {
        let (state, mode) = match (self.phase, self.mode) {
            (Phase::Idle, Mode::Ic) => ("NORM", "IC"),
            (Phase::Idle, Mode::Op) => ("NORM", "OP"),
            (Phase::Idle, _) => ("NORM", "HALT"),
            (Phase::Ic { once: true, .. }, _) => ("SR-IC", "IC"),
            (Phase::Op { once: true, .. }, _) => ("SR-OP", "OP"),
            (Phase::Ic { .. }, _) => ("REP-IC", "IC"),
            (Phase::Op { .. }, _) => ("REP-OP", "OP"),
        };
        let enabled = |on: bool| if on { "ENA" } else { "DIS" };
        let group: Vec<String> = self.group.iter().map(|a| format!("{a:X}")).collect();
        let modules: Vec<String> = self.modules.iter().map(|(a, id, _)| format!("{a:X}/{id}")).collect();
        let line = format!(
            "STATE={state},+1=1.00,-1=-1.00,MODE={mode},EXTH={},OVLH={},IC-time={},OP-time={},RO-GROUP={},DPTADDR={}",
            enabled(self.external),
            enabled(self.halts),
            self.ic,
            self.op,
            group.join(";"),
            modules.join(";")
        );
        self.say(now, &line);
    }

    fn dump(&mut self, now: Duration) {
        if self.log.is_empty() {
            self.say(now, "No data!");
            return;
        }
        for row in std::mem::take(&mut self.log) {
            let line: String = row.iter().map(|v| format!("{v:4.4} ")).collect();
            self.say(now, &line);
        }
        self.say(now, "EOD");
    }
}

impl Twin for ModelOneTwin {
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.go_on(now);
        if now.saturating_sub(self.heard) >= READER {
            // the reader has given up meanwhile, and works with what it got
            self.pending.clear();
        }
        self.heard = now;
        for &byte in bytes {
            if self.pending.is_empty() && matches!(byte, b'c' | b'C' | b'd' | b'D') && self.phase != Phase::Idle {
                self.held_up += 1;
                self.until += READER;
            }
            self.pending.push(byte);
            if self.command(now) {
                self.pending.clear();
            }
        }
    }

    fn transmit(&mut self, now: Duration, out: &mut VecDeque<u8>) {
        self.go_on(now);
        let due = self.out.partition_point(|(at, _)| *at <= now);
        out.extend(self.out.drain(..due).map(|(_, byte)| byte));
    }

    fn next(&self) -> Option<Duration> {
        let said = self.out.front().map(|(at, _)| *at);
        let ends = (self.phase != Phase::Idle).then_some(self.until);
        let looks = (self.mode == Mode::Op && self.halts).then_some(self.at + Duration::from_millis(1));
        [said, ends, looks].into_iter().flatten().min()
    }

    fn restart(&mut self, now: Duration) {
        self.boot();
        self.pending.clear();
        self.out.clear();
        self.busy = now;
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk(twin: &mut ModelOneTwin, bytes: &[u8], now: &mut Duration, wait: u64) -> String {
        twin.receive(bytes, *now);
        *now += Duration::from_millis(wait);
        let mut out = VecDeque::new();
        twin.transmit(*now, &mut out);
        String::from_utf8(out.into()).expect("is text")
    }

    #[test]
    fn the_exchanges_with_the_real_firmware_come_byte_for_byte() {
        let mut twin = ModelOneTwin::new(Patch::default(), 1);
        let mut now = Duration::ZERO;
        let mut says = |bytes: &str, wait| talk(&mut twin, bytes.as_bytes(), &mut now, wait);
        assert_eq!(says("x", 40), "", "the scan of the bus takes 41 ms");
        assert_eq!(says("", 20), "RESET\n");
        let status = "STATE=NORM,+1=1.00,-1=-1.00,MODE=IC,EXTH=DIS,OVLH=DIS,IC-time=0,OP-time=0,RO-GROUP=,DPTADDR=80/8\n";
        assert_eq!(says("s", 50), status);
        assert_eq!(says("C000005", 50), "T_IC=5\n");
        assert_eq!(says("c000100", 50), "T_OP=100\n");
        assert_eq!(says("P0080000512", 50), "P80.0=512\n");
        assert_eq!(says("P0070000512", 50), "P70.0=ERROR!\n");
        // the element that was read then stood at the reference, and nothing decayed
        assert_eq!(says("P0080000000", 50), "P80.0=0\n");
        assert_eq!(says("P0080031023", 50), "P80.3=1023\n");
        assert_eq!(says("g0020", 50), "1.0000 2\n");
        assert_eq!(says("G0020;0021.", 50), "");
        assert_eq!(says("f", 50), "1.0000;0.0000\n");
        assert_eq!(says("F", 60), "SINGLE-RUN\n");
        assert_eq!(says("", 60), "EOSR\n");
        let log = says("l", 1000);
        let rows: Vec<&str> = log.lines().collect();
        assert_eq!((rows.len(), rows.last()), (155, Some(&"EOD")), "{log}");
        let is_row = |row: &&str| matches!(*row, "0.9999 0.0000 " | "1.0000 0.0000 " | "1.0001 0.0000 ");
        assert!(rows[..154].iter().all(is_row), "{log}");
        assert_eq!(says("l", 50), "No data!\n");
        assert_eq!(says("D9", 50), "ERR\n");
        assert_eq!(says("D3", 50), "");
        assert_eq!(says("z", 50), "Illegal command: 7A\n");
        assert_eq!(says("s\n", 50).lines().last(), Some("Illegal command: A"));
    }

    #[test]
    fn a_reader_waits_ten_seconds_for_what_is_missing() {
        let mut twin = ModelOneTwin::new(Patch::default(), 1);
        let mut now = Duration::ZERO;
        assert_eq!(talk(&mut twin, b"P008", &mut now, 9000), "");
        assert_eq!(talk(&mut twin, b"x", &mut now, 11_000), "", "it was taken for an argument");
        assert_eq!(talk(&mut twin, b"x", &mut now, 100), "RESET\n");
    }

    #[test]
    fn a_command_with_a_blocking_reader_holds_a_run_up() {
        let mut twin = ModelOneTwin::new(Patch::default(), 1);
        let mut now = Duration::ZERO;
        assert_eq!(talk(&mut twin, b"c000100", &mut now, 50), "T_OP=100\n");
        assert_eq!(talk(&mut twin, b"F", &mut now, 50), "SINGLE-RUN\n");
        assert_eq!(talk(&mut twin, b"c000200", &mut now, 500), "T_OP=200\n");
        assert_eq!((talk(&mut twin, b"", &mut now, 10_000).as_str(), twin.held_up()), ("EOSR\n", 1));
    }

    #[test]
    fn an_overload_halts_where_that_is_wanted() {
        let mut twin = ModelOneTwin::new(Patch::default(), 1);
        let mut now = Duration::ZERO;
        talk(&mut twin, b"P0080011023", &mut now, 50);
        talk(&mut twin, b"c001000", &mut now, 50);
        assert_eq!(talk(&mut twin, b"A", &mut now, 50), "OVLH=ENABLED\n");
        assert_eq!(talk(&mut twin, b"F", &mut now, 1500), "SINGLE-RUN\n\tOverload halt!\n");
        assert!(talk(&mut twin, b"s", &mut now, 50).contains("MODE=HALT"));
    }
}
