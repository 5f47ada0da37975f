//! What the controller does with a command, and what it answers.

use super::super::codec::FULL;
use super::{BYTE, Mode, ModelOneTwin, Phase, RESET};
use std::fmt::Write as _;
use std::time::Duration;

impl ModelOneTwin {
    pub(super) fn say(&mut self, now: Duration, line: &str) {
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
    pub(super) fn command(&mut self, now: Duration) -> bool {
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
