//! The machine in software: the answers of its firmware, and the differential equation of what was patched.
//!
//! # As the firmware does
//! On a serial port every byte is repeated, answers end with CR LF and text for debugging comes in between; over TCP neither. A line of more than 4096
//! bytes is dropped. Errors have the numbers of the firmware. Readings have 14 bits over ±1.25 and are told with three decimals. Without `streaming` a
//! run ignores its rate: a sample takes 15 µs, and there are at most 16384.
//!
//! # What is assumed
//! - An initial condition of one reads -1, as the maker's own test on hardware expects (`lucipy`, `test/test_hardware.py`, a ramp); `is_direct` makes
//!   it otherwise.
//! - A streaming run samples at its start and then at its rate, up to and with its end.
//! - Factors and initial conditions are rounded to twelve bits; integrators, multipliers and sums are ideal. There is no calibration.

use super::circuit::{Circuit, INTEGRATORS, Refusal};
use super::machine::{Machine, Outputs};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;

pub(super) const MAC: &str = "04-E9-E5-16-09-92";
/// The longest line.
const LONGEST: usize = 4096;
/// Where an overload is seen.
pub(super) const OVERLOAD: f64 = 1.2;

/// How a twin behaves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Manner {
    /// Whether it is at a serial port, not in the network.
    pub is_serial: bool,
    /// Whether an initial condition of one reads one, not minus one.
    pub is_direct: bool,
    /// The standard deviation of a reading.
    pub noise: f64,
    /// The seed of the noise.
    pub seed: u64,
}

impl Default for Manner {
    fn default() -> Self {
        Self { is_serial: true, is_direct: false, noise: 0.0, seed: 0 }
    }
}

/// What the integrators do when nobody runs them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Mode {
    Initial,
    /// Computing since a time.
    Computing(Duration),
    Halted,
}

/// The machine in software.
#[derive(Debug)]
pub struct Twin {
    pub(super) manner: Manner,
    line: Vec<u8>,
    /// Whether the line is longer than it may be.
    is_long: bool,
    pub(super) circuit: Circuit,
    pub(super) mode: Mode,
    pub(super) outputs: Outputs,
    pub(super) overload: bool,
    /// What is sent, with its time.
    queue: VecDeque<(Duration, Vec<u8>)>,
    pub(super) busy_until: Duration,
    pub(super) readings: u64,
}

impl Twin {
    /// A machine that was switched on.
    #[must_use]
    pub fn new(manner: Manner) -> Self {
        Self {
            manner,
            line: Vec::new(),
            is_long: false,
            circuit: Circuit::default(),
            mode: Mode::Halted,
            outputs: [0.0; INTEGRATORS],
            overload: false,
            queue: VecDeque::new(),
            busy_until: Duration::ZERO,
            readings: 0,
        }
    }

    pub(super) fn say(&mut self, at: Duration, text: &str) {
        let end: &[u8] = if self.manner.is_serial { b"\r\n" } else { b"\n" };
        self.queue.push_back((at, [text.as_bytes(), end].concat()));
    }

    /// Text for debugging, which the network does not see.
    pub(super) fn debug(&mut self, now: Duration, text: &str) {
        if self.manner.is_serial {
            self.say(now, text);
        }
    }

    fn message(&mut self, line: &[u8], now: Duration) {
        let text = String::from_utf8_lossy(line).into_owned();
        if text.trim().is_empty() {
            return;
        }
        // the parser takes single quotes too
        let parsed = serde_json::from_str::<Value>(&text)
            .or_else(|e| if text.contains('"') { Err(e) } else { serde_json::from_str(&text.replace('\'', "\"")) });
        let envelope = match parsed {
            Ok(envelope) => envelope,
            Err(_) => {
                let text =
                    format!("### Malformed input. Expecting JSON-Lines. Error: InvalidInput. Input was: '{}'", text.trim());
                self.debug(now, &text);
                return;
            }
        };
        let field = |name: &str| envelope.get(name).and_then(Value::as_str).unwrap_or("null").to_owned();
        let (id, kind) = (field("id"), field("type"));
        let message = envelope.get("msg").unwrap_or(&Value::Null);
        let answer = self.handle(&kind, message, now);
        let head = format!("{{\"id\":{},\"type\":{}", json!(id), json!(kind));
        match answer {
            Ok(message) => self.say(now, &format!("{head},\"msg\":{message},\"code\":0}}")),
            Err(Refusal { code, text }) => {
                self.debug(now, "Error while handling message.");
                self.say(now, &format!("{head},\"error\":{},\"code\":{code}}}", json!(text)));
            }
        }
        if kind == "start_run" {
            self.run(message, now);
        }
    }

    fn handle(&mut self, kind: &str, message: &Value, now: Duration) -> Result<Value, Refusal> {
        let refuse = |code: i32, text: &str| Err(Refusal { code, text: text.to_owned() });
        match kind {
            "ping" => Ok(json!({"micros": now.as_micros() as u64})),
            "help" => {
                Ok(json!({"human_readable_info": "JSON-Lines protocol of the hybrid controller", "available_types": TYPES}))
            }
            "sys_ident" => Ok(json!({"serial": "0", "mac": MAC, "build": "twin"})),
            "get_entities" => Ok(json!({"entities": {MAC: entities()}})),
            "get_circuit" => Ok(json!({"entity": [MAC], "config": self.circuit.tree()})),
            "reset_circuit" => {
                self.circuit = Circuit::default();
                Ok(json!({}))
            }
            "set_circuit" => self.set(message).map(|()| json!({})).map_err(|r| Refusal { code: 400 + r.code, ..r }),
            "start_run" if message.get("id").is_some_and(Value::is_string) => Ok(json!({})),
            "start_run" => refuse(701, "the run has no id"),
            "stop_run" => {
                self.queue.retain(|(at, _)| *at <= now);
                self.busy_until = now;
                Ok(json!({}))
            }
            "manual_mode" if now < self.busy_until => refuse(901, "a run is queued or active"),
            "manual_mode" => self.manual(message, now),
            "one_shot_daq" => {
                self.settle(now);
                let readings = self.readings(&self.outputs.clone());
                match message.get("channel").and_then(Value::as_u64) {
                    None => Ok(json!({"data": readings})),
                    Some(channel) if (channel as usize) < readings.len() => Ok(json!({"data": readings[channel as usize]})),
                    Some(_) => refuse(801, "there is no such channel"),
                }
            }
            "overload_status" => {
                self.settle(now);
                Ok(json!({"overload": self.overload}))
            }
            "login" | "lock_acquire" | "lock_release" => Ok(json!({})),
            _ => refuse(-10, "Unknown message type. Try this message: {'type':'help'}."),
        }
    }

    fn set(&mut self, message: &Value) -> Result<(), Refusal> {
        let refuse = |code: i32, text: &str| Err(Refusal { code, text: text.to_owned() });
        let path = match message.get("entity") {
            Some(Value::Array(path)) => {
                path.iter().map(|p| p.as_str().map(|p| p.trim_start_matches('/'))).collect::<Option<Vec<_>>>()
            }
            _ => None,
        };
        let Some(path) = path else { return refuse(1, "Malformed entity path") };
        let Some((carrier, rest)) = path.split_first() else { return refuse(2, "Empty entity path") };
        if *carrier != MAC {
            return refuse(3, "No such carrier");
        }
        if message.get("reset_before").and_then(Value::as_bool).unwrap_or(true) {
            self.circuit = Circuit::default();
        }
        self.circuit.set(rest, message.get("config").unwrap_or(&Value::Null))
    }

    fn manual(&mut self, message: &Value, now: Duration) -> Result<Value, Refusal> {
        self.settle(now);
        self.mode = match message.get("to").and_then(Value::as_str) {
            Some("ic") => Mode::Initial,
            Some("op") => Mode::Computing(now),
            Some("halt") => Mode::Halted,
            Some("minion") => self.mode,
            _ => return Err(Refusal { code: 910, text: "Illegal mode".to_owned() }),
        };
        Ok(json!({}))
    }

    /// Brings the outputs up to a time.
    fn settle(&mut self, now: Duration) {
        let circuit = self.converted();
        match self.mode {
            Mode::Initial => {
                self.outputs = self.initial(&circuit);
                self.overload = false;
            }
            Mode::Computing(since) => {
                // whatever it is, after a second it is over or goes on as before
                let seconds = now.saturating_sub(since).as_secs_f64().min(1.0);
                Machine::new(&circuit).advance(&mut self.outputs, seconds);
                self.mode = Mode::Computing(now);
                self.overload |= self.outputs.iter().any(|y| y.abs() >= OVERLOAD);
            }
            Mode::Halted => {}
        }
    }
}

const TYPES: &[&str] = &[
    "get_circuit",
    "get_entities",
    "help",
    "lock_acquire",
    "lock_release",
    "login",
    "manual_mode",
    "one_shot_daq",
    "overload_status",
    "ping",
    "reset_circuit",
    "set_circuit",
    "start_run",
    "stop_run",
    "sys_ident",
];

fn entities() -> Value {
    let entity = |class: u32, kind: u32| json!({"class": class, "type": kind, "variant": 1, "version": 1});
    let mut carrier = entity(1, 1);
    let mut cluster = entity(2, 1);
    for (name, class, kind) in [("/M0", 3, 0), ("/M1", 3, 1), ("/U", 4, 1), ("/C", 5, 1), ("/I", 6, 1), ("/SH", 7, 1)] {
        cluster[name] = entity(class, kind);
    }
    carrier["/0"] = cluster;
    carrier["/FP"] = entity(8, 1);
    carrier
}

impl isoform_serial::transport::Twin for Twin {
    fn receive(&mut self, bytes: &[u8], now: Duration) {
        for &byte in bytes {
            if self.manner.is_serial {
                self.queue.push_back((now, vec![byte]));
            }
            match byte {
                b'\n' if std::mem::take(&mut self.is_long) => {
                    self.line.clear();
                    self.debug(now, "### Malformed input. Line too long.");
                }
                b'\n' => {
                    let line = std::mem::take(&mut self.line);
                    self.message(&line, now);
                }
                _ if self.line.len() >= LONGEST => self.is_long = true,
                _ => self.line.push(byte),
            }
        }
    }

    fn transmit(&mut self, now: Duration, out: &mut VecDeque<u8>) {
        // answers come between the data of a run, which has its time
        let mut later = VecDeque::new();
        for (at, bytes) in self.queue.drain(..) {
            if at <= now {
                out.extend(bytes);
            } else {
                later.push_back((at, bytes));
            }
        }
        self.queue = later;
    }

    fn next(&self) -> Option<Duration> {
        self.queue.iter().map(|(at, _)| *at).min()
    }

    fn restart(&mut self, _: Duration) {
        *self = Self::new(self.manner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_serial::transport::Twin as _;

    /// What a machine in the network says to some lines within a second.
    fn says(lines: &[&str]) -> Vec<String> {
        let mut twin = Twin::new(Manner { is_serial: false, ..Manner::default() });
        lines.iter().for_each(|line| twin.receive(format!("{line}\n").as_bytes(), Duration::ZERO));
        let mut out = VecDeque::new();
        twin.transmit(Duration::from_secs(1), &mut out);
        String::from_utf8(out.into()).expect("text").lines().map(str::to_owned).collect()
    }

    fn one(line: &str) -> String {
        says(&[line]).concat()
    }

    #[test]
    fn answers_are_those_of_the_firmware() {
        assert_eq!(one(r#"{"id":"4","type":"reset_circuit"}"#), r#"{"id":"4","type":"reset_circuit","msg":{},"code":0}"#);
        assert!(one("{'type':'help'}").starts_with(r#"{"id":"null","type":"help","msg":{"available_types":"#));
        let set = |path: &str, config: &str| {
            one(&format!(r#"{{"id":"1","type":"set_circuit","msg":{{"entity":{path},"config":{config}}}}}"#))
        };
        let c = r#"["04-E9-E5-16-09-92","0","C"]"#;
        assert!(set(c, r#"{"elements":{"3":1.5}}"#).ends_with("\"code\":399}"));
        assert!(set(c, r#"{"nonsense":1}"#).ends_with("\"code\":398}"));
        assert!(set(r#"["00-00-00-00-00-00"]"#, "{}").ends_with("\"code\":403}"));
        assert!(set("[]", "{}").ends_with("\"code\":402}"));
        assert!(one(r#"{"id":"9","type":"nonsense"}"#).ends_with("\"code\":-10}"));
        assert!(one(r#"{"id":"9","type":"manual_mode","msg":{"to":"x"}}"#).ends_with("\"code\":910}"));
        assert_eq!(one(&format!("{{\"id\":\"{}\"}}", "x".repeat(4096))), "");
    }

    #[test]
    fn a_run_gives_samples_and_its_end() {
        let run = r#"{"id":"2","type":"start_run","msg":{"id":"short","config":{"ic_time":100000,"op_time_us":30,"streaming":true},"daq_config":{"num_channels":2,"sample_rate":100000}}}"#;
        let patch = r#"{"id":"1","type":"set_circuit","msg":{"entity":["04-E9-E5-16-09-92"],"config":{"/0":{"/M0":{"elements":{"0":{"ic":0.5}}}},"adc_channels":[0,null]}}}"#;
        assert_eq!(
            says(&[patch, run])[1..],
            [
                r#"{"id":"2","type":"start_run","msg":{},"code":0}"#,
                r#"{"type":"run_data","msg":{"id":"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx","entity":["04-E9-E5-16-09-92","0"],"data":[[-0.500, 0.000],[-0.500, 0.000],[-0.500, 0.000],[-0.500, 0.000]]}}"#,
                r#"{"type":"run_state_change","msg":{"id":"xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx","t":30000,"old":"NEW","new":"DONE"}}"#,
            ]
        );
        let fast = run.replace("100000}", "2000000}");
        assert!(says(&[&fast])[1].contains("\"new\":\"ERROR\""));
        let slow = run.replace(",\"streaming\":true", "");
        assert!(says(&[patch, &slow])[2].ends_with("\"data\":[[-0.500, 0.000],[-0.500, 0.000]]}}"));
    }

    #[test]
    fn a_serial_port_repeats_every_byte() {
        let mut twin = Twin::new(Manner::default());
        let mut out = VecDeque::new();
        twin.receive(b"{\"id\":\"1\",\"type\":\"ping\"}\n", Duration::ZERO);
        twin.transmit(Duration::ZERO, &mut out);
        let said = String::from_utf8(out.into()).expect("text");
        assert_eq!(
            said,
            "{\"id\":\"1\",\"type\":\"ping\"}\n{\"id\":\"1\",\"type\":\"ping\",\"msg\":{\"micros\":0},\"code\":0}\r\n"
        );
    }
}
