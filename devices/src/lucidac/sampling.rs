//! Runs of the twin: what its converters make of a circuit, and what the firmware tells of it.

use super::circuit::{CHANNELS, Circuit, LARGEST_FACTOR};
use super::machine::{Machine, Outputs, RAIL};
use super::twin::{MAC, Mode, OVERLOAD, Twin};
use isoform_core::draw;
use serde_json::Value;
use std::time::Duration;

/// The steps of a converter of 12 bits from minus one to one.
const STEPS: f64 = 2048.0;
/// The largest reading of 14 bits.
const LARGEST_READING: f64 = 16_383.0;
/// Samples of all channels in a message.
const MESSAGE: usize = 256;
/// How long a sample takes where nothing streams.
const SLOW_SAMPLE: f64 = 15e-6;
const MOST_SLOW_SAMPLES: f64 = 16_384.0;

impl Twin {
    /// The circuit with factors and initial conditions as its converters make them.
    pub(super) fn converted(&self) -> Circuit {
        let mut circuit = self.circuit.clone();
        let round = |v: f64, full: f64| (v / full * STEPS).round() / STEPS * full;
        circuit.factors = circuit.factors.map(|f| round(f, LARGEST_FACTOR));
        for integrator in &mut circuit.integrators {
            integrator.ic = round(integrator.ic, 1.0);
        }
        circuit
    }

    pub(super) fn initial(&self, circuit: &Circuit) -> Outputs {
        let sign = if self.manner.is_direct { 1.0 } else { -1.0 };
        circuit.integrators.map(|i| sign * i.ic)
    }

    /// What the converter reads, as it is printed.
    pub(super) fn readings(&mut self, integrators: &Outputs) -> Vec<f64> {
        let outputs = Machine::new(&self.circuit).outputs(integrators);
        let channels = self.circuit.channels.clone();
        channels.iter().map(|&c| self.reading(outputs[usize::from(c)])).collect()
    }

    fn reading(&mut self, value: f64) -> f64 {
        let normal = f64::from(draw::normal(draw::bits(self.manner.seed, 0, 0, 0, self.readings)));
        self.readings += 1;
        // the lowest number of the converter is the highest voltage
        let raw =
            ((RAIL - value - self.manner.noise * normal) / (2.0 * RAIL) * LARGEST_READING).round().clamp(0.0, LARGEST_READING);
        ((RAIL - raw / LARGEST_READING * 2.0 * RAIL) * 1e3).round() / 1e3
    }

    pub(super) fn run(&mut self, message: &Value, now: Duration) {
        let Some(id) = message.get("id").and_then(Value::as_str) else { return };
        let id = if id.len() == 36 { id } else { "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx" };
        let config = message.get("config").unwrap_or(&Value::Null);
        let time = |name: &str| {
            let part =
                |unit: &str, scale: f64| config.get(format!("{name}{unit}")).and_then(Value::as_f64).unwrap_or(0.0) * scale;
            part("", 1e-9) + part("_ns", 1e-9) + part("_us", 1e-6) + part("_ms", 1e-3)
        };
        let (ic, op) = (time("ic_time").clamp(0.0, 10.0), time("op_time"));
        let flag = |name: &str| config.get(name).and_then(Value::as_bool).unwrap_or(false);
        let daq = message.get("daq_config").unwrap_or(&Value::Null);
        let number = |name: &str, usual: u64| daq.get(name).and_then(Value::as_u64).unwrap_or(usual);
        let (channels, rate) = (number("num_channels", 8), number("sample_rate", 400_000));
        self.debug(now, "faking run");
        let streaming = flag("streaming");
        let is_valid = channels <= CHANNELS as u64
            && (!streaming || ((32..=1_000_000).contains(&rate) && rate * channels <= 1_000_000 && channels.count_ones() <= 1))
            && (1e-7..=9.0).contains(&op);
        if !is_valid {
            self.state(now, id, "ERROR", 0.0);
            return;
        }
        let interval = if streaming { 1.0 / rate as f64 } else { SLOW_SAMPLE.max(op / MOST_SLOW_SAMPLES) };
        let (rows, took) = self.compute(op, interval, streaming, flag("halt_on_overload"));
        let at = now + Duration::from_secs_f64(ic + took);
        self.busy_until = at;
        let channels = channels as usize;
        if let Some(together) = MESSAGE.checked_div(channels) {
            for part in rows.chunks(together.max(1)) {
                self.rows(at, id, part, channels);
            }
        }
        self.state(at, id, "DONE", (took * 1e9).round());
    }

    /// The outputs at each sample, and how long it computed.
    fn compute(&mut self, op: f64, interval: f64, with_end: bool, halts: bool) -> (Vec<Outputs>, f64) {
        let circuit = self.converted();
        let machine = Machine::new(&circuit);
        let mut outputs = self.initial(&circuit);
        let samples = whole(op / interval + 1e-6);
        let mut rows = vec![outputs];
        let mut took = op;
        self.overload = false;
        for sample in 1..=samples {
            machine.advance(&mut outputs, interval);
            if outputs.iter().any(|y| y.abs() >= OVERLOAD) {
                self.overload = true;
                if halts {
                    took = interval * sample as f64;
                    break;
                }
            }
            if with_end || sample < samples {
                rows.push(outputs);
            }
        }
        self.outputs = outputs;
        self.mode = Mode::Halted;
        (rows, took)
    }

    fn rows(&mut self, at: Duration, id: &str, rows: &[Outputs], channels: usize) {
        let mut text = format!("{{\"type\":\"run_data\",\"msg\":{{\"id\":\"{id}\",\"entity\":[\"{MAC}\",\"0\"],\"data\":[");
        for (n, row) in rows.iter().enumerate() {
            let mut readings = self.readings(row);
            // channels that nobody connected read the ground
            readings.resize(channels, 0.0);
            let numbers: Vec<String> = readings.iter().map(|v| format!("{v:>6.3}")).collect();
            text += if n == 0 { "[" } else { ",[" };
            text += &numbers.join(",");
            text += "]";
        }
        text += "]}}";
        self.say(at, &text);
    }

    fn state(&mut self, at: Duration, id: &str, new: &str, nanos: f64) {
        let text = format!(
            "{{\"type\":\"run_state_change\",\"msg\":{{\"id\":\"{id}\",\"t\":{nanos},\"old\":\"NEW\",\"new\":\"{new}\"}}}}"
        );
        self.say(at, &text);
    }
}

/// A count of samples.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nine seconds at a million samples at most")]
fn whole(samples: f64) -> u64 {
    samples as u64
}
