//! A Cyton in software, with tissue that is a formula.
//!
//! Channel `c` at sample `n` of a stream, at the time `t = n / 250` s, has the voltage
//!
//! ```text
//! 20 uV (1 + sin(2 pi 0.25 t + c) / 2) sin(2 pi 10 t + c pi / 4) + 5 uV normal(seed, c, n)
//! ```
//!
//! which is an alpha rhythm that waxes and wanes, and noise. With its inputs shorted a channel has 0.2 uV of noise alone; on the test signal it has
//! a square wave of 1.875 mV and 0.977 Hz. Time stamps, the markers of the user and the commands of the radio are not there: their bytes do nothing.

use super::codec::{CHANNELS, END, Gain, LARGEST, Packet, RATE, Setting};
use isoform_core::draw::{self, Key};
use isoform_serial::transport::Twin;
use std::collections::VecDeque;
use std::f64::consts::{PI, TAU};
use std::time::Duration;

/// What a system keeps of a line that nobody reads. What is beyond it is lost, as it is there.
pub const KEPT: usize = 4096;
/// How many texts wait to be said. Further ones are lost.
const TEXTS: usize = 64;
/// How long a reset takes.
const RESET: Duration = Duration::from_millis(300);
/// How long the board waits for the rest of a command.
const COMMAND: Duration = Duration::from_secs(1);

/// A board in software.
#[derive(Debug)]
pub struct CytonTwin {
    seed: u64,
    /// The share of packets that the radio loses.
    loss: f64,
    settings: [Setting; CHANNELS],
    /// When the stream began, and the number of its next sample.
    stream: Option<(Duration, u64)>,
    /// Whether a command came while the next packet was due.
    disturbed: bool,
    texts: VecDeque<(Duration, Vec<u8>)>,
    /// A command of several bytes that was begun, and when.
    command: Option<(Duration, Vec<u8>)>,
}

/// The voltage at an electrode.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "no stream has 2^53 samples")]
pub fn volts(seed: u64, channel: u8, sample: u64) -> f64 {
    let (t, c) = (sample as f64 / f64::from(RATE), f64::from(channel));
    let alpha = (1.0 + 0.5 * (TAU * 0.25 * t + c).sin()) * (TAU * 10.0 * t + c * PI / 4.0).sin();
    20e-6 * alpha + 5e-6 * normal(seed, channel, sample)
}

fn normal(seed: u64, channel: u8, sample: u64) -> f64 {
    let mut one = [0.0];
    Key::new(seed, 0).fill_normal(u32::from(channel), 0, sample, &mut one);
    f64::from(one[0])
}

/// When a sample has been taken and sent, counted from the begin of the stream.
fn period(samples: u64) -> Duration {
    Duration::from_micros(1_000_000 / u64::from(RATE)).saturating_mul(u32::try_from(samples).unwrap_or(u32::MAX))
}

impl CytonTwin {
    /// A board that is on, whose radio loses a share of the packets.
    #[must_use]
    pub fn new(seed: u64, loss: f64) -> Self {
        Self {
            seed,
            loss,
            settings: [Setting::DEFAULT; CHANNELS],
            stream: None,
            disturbed: false,
            texts: VecDeque::new(),
            command: None,
        }
    }

    /// Whether the radio loses a packet.
    #[must_use]
    pub fn loses(&self, sample: u64) -> bool {
        f64::from(draw::uniform::<u32>(draw::bits(self.seed, 1, 0, 0, sample))) < self.loss
    }

    /// The samples that the converter takes under the settings at present.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "clamped to 24 bits; a number of samples")]
    pub fn sample(&self, sample: u64) -> [i32; CHANNELS] {
        let mut channel = 0;
        self.settings.map(|setting| {
            let c = channel;
            channel += 1;
            let u = match setting.input {
                _ if setting.off => return 0,
                0 => volts(self.seed, c, sample),
                5 => 1.875e-3 * if (sample as f64 / f64::from(RATE) * 0.977).fract() < 0.5 { 1.0 } else { -1.0 },
                _ => 0.2e-6 * normal(self.seed, c, sample),
            };
            let step = Gain::by_digit(setting.gain).map_or(f64::INFINITY, Gain::volts);
            ((u / step).round() as i32).clamp(-LARGEST - 1, LARGEST)
        })
    }

    fn say(&mut self, when: Duration, text: &str) {
        if self.texts.len() < TEXTS {
            self.texts.push_back((when, [text.as_bytes(), END].concat()));
        }
    }

    /// Says something unless there is a stream, in which no text has a place.
    fn confirm(&mut self, now: Duration, text: &str) {
        if self.stream.is_none() {
            self.say(now, text);
        }
    }

    fn start(&mut self, now: Duration) {
        self.settings = [Setting::DEFAULT; CHANNELS];
        (self.stream, self.command) = (None, None);
        let banner = "OpenBCI V3 8-16 channel\nOn Board ADS1299 Device ID: 0x3E\nLIS3DH Device ID: 0x33\nFirmware: v3.1.2\n";
        self.say(now + RESET, banner);
    }

    fn command(&mut self, byte: u8, now: Duration) {
        // a command costs the packet that is due
        self.disturbed |= self.stream.is_some();
        if let Some((since, mut begun)) = self.command.take() {
            begun.push(byte);
            self.go_on(begun, since, now);
            return;
        }
        match byte {
            b'v' => self.start(now),
            b'V' => self.confirm(now, "v3.1.5"),
            b'b' if self.stream.is_none() => (self.stream, self.disturbed) = (Some((now, 0)), false),
            b's' => self.stream = None,
            b'd' => {
                self.settings = [Setting::DEFAULT; CHANNELS];
                self.confirm(now, "updating channel settings to default");
            }
            b'D' => self.confirm(now, "060110"),
            b'?' => {
                let report = self.registers();
                self.confirm(now, &report);
            }
            b'C' => self.confirm(now, "no daisy to attach!8"),
            b'1'..=b'8' => self.settings[usize::from(byte - b'1')].off = true,
            b'0' | b'-' | b'=' | b'p' | b'[' | b']' => {
                self.settings.iter_mut().for_each(|s| s.input = if byte == b'0' { 1 } else { 5 });
                self.confirm(now, "Success: Configured internal test signal.");
            }
            b'x' | b'z' | b'~' | b'/' => self.command = Some((now, vec![byte])),
            _ => {
                if let Some(channel) = b"!@#$%^&*".iter().position(|&b| b == byte) {
                    self.settings[channel].off = false;
                }
            }
        }
    }

    /// Goes on with a command of several bytes.
    fn go_on(&mut self, begun: Vec<u8>, since: Duration, now: Duration) {
        match begun.as_slice() {
            [b'~', b'6' | b'~'] => self.confirm(now, "Success: Sample rate is 250Hz"),
            [b'~', _] => self.confirm(now, "Failure: sample value out of bounds"),
            [b'/', b'0' | b'/'] => self.confirm(now, "Success: default"),
            [b'/', _] => self.confirm(now, "Failure: board mode value out of bounds"),
            [b'z', channel, _, _, b'Z'] => {
                let text = format!("Success: Lead off set for {}", char::from(*channel));
                self.confirm(now, &text);
            }
            [b'z', .., _, _, _, _] => self.confirm(now, "Failure: 5th char not Z"),
            [b'x', channel, digits @ .., b'X'] if digits.len() == 6 => {
                let place = channel.wrapping_sub(b'1');
                let place = if place < 8 { usize::from(place) } else { 0 };
                let digit = |at: usize| digits[at].wrapping_sub(b'0');
                self.settings[place] = Setting {
                    off: digit(0) == 1,
                    gain: digit(1) & 7,
                    input: digit(2) & 7,
                    bias: digit(3) == 1,
                    srb2: digit(4) == 1,
                    srb1: digit(5) == 1,
                };
                let text = format!("Success: Channel set for {}", place + 1);
                self.confirm(now, &text);
            }
            [b'x', .., b'X'] => self.confirm(now, "Failure: too few chars"),
            [b'x', rest @ ..] if rest.len() == 8 => self.confirm(now, "Failure: 9th char not X"),
            _ => self.command = Some((since, begun)),
        }
    }

    /// Forgets a command that was not ended in time.
    fn forget(&mut self, now: Duration) {
        if let Some((since, _)) = self.command
            && now >= since + COMMAND
        {
            self.command = None;
            self.confirm(since + COMMAND, "Timeout processing multi byte message - please send all commands at once as of v2");
        }
    }

    fn registers(&self) -> String {
        let bias = self.settings.iter().rev().fold(0, |all, s| all << 1 | u8::from(s.bias && !s.off));
        let srb1 = if self.settings.iter().any(|s| s.srb1) { 0x20 } else { 0 };
        let mut values = vec![("ADS_ID", 0x3e), ("CONFIG1", 0x96), ("CONFIG2", 0xc0), ("CONFIG3", 0xec), ("LOFF", 0x02)];
        let names = ["CH1SET", "CH2SET", "CH3SET", "CH4SET", "CH5SET", "CH6SET", "CH7SET", "CH8SET"];
        values.extend(names.into_iter().zip(self.settings.map(|s| s.register())));
        values.extend([("BIAS_SENSP", bias), ("BIAS_SENSN", bias), ("LOFF_SENSP", 0), ("LOFF_SENSN", 0), ("LOFF_FLIP", 0)]);
        values.extend([("LOFF_STATP", 0), ("LOFF_STATN", 0), ("GPIO", 0x0f), ("MISC1", srb1), ("MISC2", 0), ("CONFIG4", 0)]);
        let mut text = String::from("\nBoard ADS Registers\n");
        for (address, (name, value)) in values.into_iter().enumerate() {
            let bits: Vec<String> = (0..8).rev().map(|bit| (value >> bit & 1).to_string()).collect();
            text.push_str(&format!("{name}, {address:02X}, {value:02X}, {}\n", bits.join(", ")));
        }
        text.push_str("\nLIS3DH Registers\n");
        for address in (0x07..=0x0f).chain(0x1f..=0x33).chain(0x38..=0x3d) {
            let value = match address {
                0x0f => 0x33,
                0x20 => 0x08,
                0x23 => 0x18,
                0x2f => 0x20,
                _ => 0,
            };
            text.push_str(&format!("0x{address:02X} {value:02X}\n"));
            if matches!(address, 0x0f | 0x33) {
                text.push('\n');
            }
        }
        text
    }
}

impl Twin for CytonTwin {
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.forget(now);
        bytes.iter().for_each(|&byte| self.command(byte, now));
    }

    fn transmit(&mut self, now: Duration, out: &mut VecDeque<u8>) {
        self.forget(now);
        while self.texts.front().is_some_and(|(when, _)| *when <= now) {
            out.extend(self.texts.pop_front().into_iter().flat_map(|(_, text)| text));
        }
        let Some((start, mut n)) = self.stream else { return };
        while start + period(n + 1) <= now {
            let lost = std::mem::take(&mut self.disturbed) || self.loses(n) || out.len() + super::codec::PACKET > KEPT;
            if !lost {
                // the accelerometer has a new value 25 times a second; it lies on the table
                let aux = if n.is_multiple_of(10) { [0, 0, 0, 0, 0x1f, 0x40] } else { [0; 6] };
                let counter = u8::try_from(n % 256).unwrap_or(0);
                out.extend(Packet { counter, channels: self.sample(n), aux, footer: 0xc0 }.encode());
            }
            n += 1;
        }
        self.stream = Some((start, n));
    }

    fn next(&self) -> Option<Duration> {
        let text = self.texts.front().map(|(when, _)| *when);
        let sample = self.stream.map(|(start, n)| start + period(n + 1));
        let command = self.command.as_ref().map(|(since, _)| *since + COMMAND);
        [text, sample, command].into_iter().flatten().min()
    }

    fn restart(&mut self, now: Duration) {
        self.texts.clear();
        self.start(now);
    }
}
