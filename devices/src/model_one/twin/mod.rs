//! The controller and the patched machine in software, byte for byte.
//!
//! Quirks that it has: no newline may follow a command (it answers `Illegal command: A`); a reader of arguments stops at a newline or after
//! ten seconds; silent commands; `c`, `C`, `d` and `D` hold a run up; fewer samples are logged than its interval promises; places of
//! potentiometers are not checked. It does not know `I`, `L` and `T`.

mod commands;
#[cfg(test)]
mod tests;

use super::codec::FULL;
use super::patch::Patch;
use isoform_core::draw::{Key, normal};
use isoform_serial::transport::Twin;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How long a reader of arguments waits.
const READER: Duration = Duration::from_secs(10);
/// How long the scan of the bus takes after a reset.
const RESET: Duration = Duration::from_millis(41);
/// Values that the log holds.
const LOG: usize = 1152;
/// How many bytes it may be behind with its answers, which is more than its log has.
const BEHIND: usize = 1 << 16;
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
            if self.out.len() > BEHIND {
                // the machine does not read while it speaks, and what its port cannot keep is lost
                break;
            }
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
