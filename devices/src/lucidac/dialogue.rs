//! Requests and their answers, circuits, runs, and the measurement of signs.

use super::circuit::{CONSTANT_LANE, CONSTANT_OUTPUT, Circuit, LANES};
use super::codec::{Heard, LONGEST_LINE, LONGEST_REQUEST, hear, request};
use super::compile::Polarity;
use super::driver::{ANSWER, CALIBRATED, Dialect, Lucidac};
use isoform_serial::error::{SerialError, printable};
use isoform_serial::lines::Lines;
use isoform_serial::link::Deadline;
use serde_json::{Value, json};
use std::time::Duration;

/// How long a run may take beyond the time that it computes; the emulator integrates in Python, on a machine that may be busy.
const PATIENCE: Duration = Duration::from_secs(20);
/// What a run can be in on its way: `RunState` of the firmware, and of the emulator.
const STATES: [&str; 7] = ["NEW", "QUEUED", "TAKE_OFF", "IC", "OP", "OP_END", "TMP_HALT"];
/// The most lines of other things before an answer.
const OTHERS: usize = 4096;

impl Lucidac {
    /// Sends a request and takes its answer, which may take so long. Gives the message, and whether the device repeated the request.
    pub(super) fn exchange(
        &mut self,
        lines: &mut Lines,
        kind: &str,
        message: &Value,
        within: Duration,
    ) -> Result<(Value, bool), SerialError> {
        self.requests += 1;
        let id = self.requests.to_string();
        let line = request(&id, kind, message);
        if line.len() > LONGEST_REQUEST && self.dialect() == Dialect::Firmware {
            return Err(SerialError::TooLong { what: format!("the request {kind}"), limit: LONGEST_REQUEST });
        }
        let end = lines.within(within);
        lines.send(&line, end)?;
        let sent = line.strip_suffix(b"\n").unwrap_or(&line);
        let mut echoed = false;
        let mut strange = None;
        for _ in 0..OTHERS {
            let heard = match lines.line(LONGEST_LINE, &format!("answer to {kind}"), end) {
                Err(SerialError::Timeout { .. }) if self.known.is_none() && strange.is_some() => {
                    let seen = strange.unwrap_or_default();
                    return Err(SerialError::WrongDevice { wanted: "LUCIDAC".to_owned(), seen });
                }
                line => line?,
            };
            if heard == sent {
                echoed = true;
                continue;
            }
            match hear(&heard)? {
                Heard::Answer { id: Some(other), code, message, .. } if other == id => {
                    if self.known.as_ref().is_some_and(|k| k.echoes) && !echoed {
                        return Err(SerialError::garbled(kind, &heard, "the device did not repeat the request as it was sent"));
                    }
                    return if code == 0 { Ok((message, echoed)) } else { Err(complaint(kind, code, &message)) };
                }
                Heard::Answer { id: None, kind: k, code, message } if self.dialect() == Dialect::Lucipy && k == kind => {
                    return if code == 0 { Ok((message, echoed)) } else { Err(complaint(kind, code, &message)) };
                }
                Heard::Other | Heard::Broken(_) if !heard.is_empty() => strange = Some(printable(&heard)),
                _ => {}
            }
        }
        Err(SerialError::TooLong { what: format!("the answer to {kind}"), limit: OTHERS })
    }

    pub(super) fn ask(&mut self, lines: &mut Lines, kind: &str, message: &Value) -> Result<Value, SerialError> {
        self.exchange(lines, kind, message, ANSWER).map(|(message, _)| message)
    }

    /// Patches a circuit and makes sure that it is there. `before` is what the device holds, if that is known.
    pub(super) fn patch(&mut self, lines: &mut Lines, circuit: &Circuit, before: Option<&Circuit>) -> Result<(), SerialError> {
        let mac = self.known.as_ref().map_or_else(String::new, |k| k.mac.clone());
        if self.dialect() == Dialect::Lucipy {
            self.ask(lines, "reset_circuit", &json!({}))?;
            self.ask(lines, "set_circuit", &json!({"entity": [mac], "config": circuit.tree()}))?;
        } else {
            let channels = json!({"adc_channels": circuit.channels});
            let is_new = before.is_none_or(|b| b.channels != circuit.channels || b.sources != circuit.sources);
            if is_new {
                self.ask(lines, "set_circuit", &json!({"entity": [mac], "config": channels, "reset_before": true}))?;
            }
            for block in ["U", "C", "I", "M0"] {
                let config = circuit.block(block);
                if is_new || before.is_none_or(|b| b.block(block) != config) {
                    let message = json!({"entity": [mac, "0", block], "config": config, "reset_before": false});
                    self.ask(lines, "set_circuit", &message)?;
                }
            }
        }
        self.verify(lines, circuit)
    }

    /// Makes sure that a circuit is on the device.
    pub(super) fn verify(&mut self, lines: &mut Lines, circuit: &Circuit) -> Result<(), SerialError> {
        let told = self.ask(lines, "get_circuit", &json!({}))?;
        check_settings(circuit, told.get("config").unwrap_or(&told))
    }

    /// Runs the circuit that is patched for so many ticks of the machine; gives a row for its start and one for each tick.
    pub(super) fn run(
        &mut self,
        lines: &mut Lines,
        rate: u32,
        ticks: usize,
        circuit: &Circuit,
    ) -> Result<Vec<Vec<f64>>, SerialError> {
        self.runs += 1;
        let id = format!("00000000-0000-4000-8000-{:012x}", self.runs);
        let channels = circuit.channels.len();
        let seconds = ticks as f64 / f64::from(rate);
        let nanos = (seconds * 1e9).round();
        let ic_nanos = if circuit.integrators.iter().all(|i| i.k == 10_000) { 100_000 } else { 10_000_000 };
        let mut config = json!({"ic_time": ic_nanos, "halt_on_overload": true, "streaming": true, "repetitive": false});
        let rate = match self.dialect() {
            // rows from the first to the last instant: one more than there are intervals, and a half against rounding
            Dialect::Lucipy => json!((ticks as f64 + 1.5) / seconds),
            Dialect::Firmware => json!(rate),
        };
        // numbers of more than 32 bits are a weak spot of the firmware's JSON
        if nanos < f64::from(i32::MAX) || self.dialect() == Dialect::Lucipy {
            config["op_time"] = json!(nanos as u64);
        } else {
            config["op_time_us"] = json!((nanos / 1e3).round() as u64);
        }
        let daq = json!({"num_channels": channels, "sample_rate": rate, "sample_op": true, "sample_op_end": true});
        let message = json!({"id": id, "config": config, "daq_config": daq, "clear_queue": true, "end_repetitive": true});
        let whole = PATIENCE + Duration::from_secs_f64(seconds);
        let begun = match self.dialect() {
            Dialect::Firmware => ANSWER,
            // it says that a run has begun when it has computed all of it
            Dialect::Lucipy => whole,
        };
        self.exchange(lines, "start_run", &message, begun)?;
        let end = lines.within(whole);
        let rows = self.rows(lines, &id, ticks + 1, nanos, end)?;
        match rows.iter().position(|row| row.len() != channels) {
            None => Ok(rows),
            Some(at) => Err(SerialError::garbled(
                "samples",
                format!("row {at}").as_bytes(),
                format!("the row has not {channels} numbers"),
            )),
        }
    }

    /// Takes the rows of a run until it is done.
    fn rows(&self, lines: &mut Lines, id: &str, wanted: usize, nanos: f64, end: Deadline) -> Result<Vec<Vec<f64>>, SerialError> {
        let mut rows: Vec<Vec<f64>> = Vec::with_capacity(wanted);
        let mut done = false;
        // samples may come after the word that all is done
        while !done || rows.len() < wanted {
            let line = match lines.line(LONGEST_LINE, "samples of the run", end) {
                Err(SerialError::Timeout { .. }) if done => {
                    let why = format!("{} samples came instead of {wanted}", rows.len());
                    return Err(SerialError::Fault { what: "the run".to_owned(), said: why });
                }
                line => line?,
            };
            match hear(&line)? {
                Heard::Rows { run, rows: more } if run == id => rows.extend(more),
                Heard::State { run, state, nanos: took } if run == id => match state.as_str() {
                    "DONE" if self.dialect() == Dialect::Firmware && took < 0.99 * nanos => {
                        let said =
                            format!("it stopped after {took} of {nanos} ns: a state left its range; give it a larger unit");
                        return Err(SerialError::Fault { what: "the run".to_owned(), said });
                    }
                    "DONE" => done = true,
                    "ERROR" => {
                        let said = "it refuses its times, rate or channels, or data were lost".to_owned();
                        return Err(SerialError::Fault { what: "the run".to_owned(), said });
                    }
                    state if STATES.contains(&state) => {}
                    _ => return Err(SerialError::garbled("the state of the run", state.as_bytes(), "it is none that a run has")),
                },
                Heard::Broken(why) => return Err(SerialError::garbled("samples of the run", &line, why)),
                _ => {}
            }
            if rows.len() > wanted {
                let why = format!("more than {wanted} samples came");
                return Err(SerialError::garbled("samples", &line, why));
            }
        }
        Ok(rows)
    }

    /// Measures the signs of the machine.
    pub(super) fn measure(&mut self, lines: &mut Lines) -> Result<Polarity, SerialError> {
        const RATE: u32 = 100_000;
        const TICKS: usize = 10;
        let mut circuit = Circuit { constant: Some(1.0), channels: vec![0, 1, 8, 9], ..Circuit::default() };
        circuit.integrators[0].ic = 0.5;
        circuit.connect(0, 0, 1.0, 8);
        circuit.connect(1, 0, 1.0, 9);
        circuit.connect(CONSTANT_LANE, CONSTANT_OUTPUT, 0.5, 1);
        self.patch(lines, &circuit, None)?;
        let rows = self.run(lines, RATE, TICKS, &circuit)?;
        let (first, last) = (&rows[0], &rows[TICKS]);
        // a tenth of a millisecond at a rate constant of 10000/s
        let seen = [first[0], last[1] - first[1], last[2]];
        let sign = |value: f64, size: f64| if (value.abs() - size).abs() <= CALIBRATED { Some(value.signum()) } else { None };
        match (sign(seen[0], 0.5), sign(seen[1], 0.5), sign(seen[2], 0.25)) {
            (Some(initial), Some(ramp), Some(square)) if first[1].abs() <= CALIBRATED => {
                let reading = -ramp;
                Ok(Polarity { ic: initial * reading, reading, product: square * reading })
            }
            _ => {
                let said = format!(
                    "a half, its integral and its square read {seen:?} and not 0.5, 0.5 and 0.25 up to the sign: calibrate it"
                );
                Err(SerialError::Fault { what: "the measurement of its signs".to_owned(), said })
            }
        }
    }
}

fn complaint(kind: &str, code: i64, message: &Value) -> SerialError {
    let words = message.as_str().or_else(|| message.get("error").and_then(Value::as_str)).unwrap_or("without words");
    let said = format!("code {code}, {words}");
    // what came before the error is set already
    if kind == "set_circuit" {
        SerialError::Fault { what: kind.to_owned(), said }
    } else {
        SerialError::Refused { what: kind.to_owned(), said }
    }
}

/// Compares the settings that the device tells with those that were sent. Numbers may come back in single precision.
fn check_settings(sent: &Circuit, told: &Value) -> Result<(), SerialError> {
    let differs = |what: &str| {
        let said = format!("the settings of {what} are not what was sent");
        Err(SerialError::Fault { what: "reading back the circuit".to_owned(), said })
    };
    let mut read = Circuit::default();
    for (key, value) in told.as_object().into_iter().flatten() {
        let taken = match key.as_str() {
            "/0" => value.as_object().into_iter().flatten().try_for_each(|(block, config)| match block.as_str() {
                "/U" | "/C" | "/I" | "/M0" => read.set(&["0", &block[1..]], config),
                _ => Ok(()),
            }),
            "adc_channels" => read.set(&[], &json!({ key: value })),
            _ => Ok(()),
        };
        if taken.is_err() {
            return differs(key);
        }
    }
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-6;
    if read.sources != sent.sources || read.constant != sent.constant {
        return differs("the U block");
    }
    if read.upscaling != sent.upscaling || read.sums != sent.sums {
        return differs("the I block");
    }
    if !(0..LANES).all(|l| close(read.factors[l], sent.factors[l])) {
        return differs("the C block");
    }
    if !read.integrators.iter().zip(&sent.integrators).all(|(a, b)| close(a.ic, b.ic) && a.k == b.k) {
        return differs("the integrators");
    }
    if read.channels != sent.channels {
        return differs("the converter");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::compile::Wish;
    use super::super::driver::Known;
    use super::*;
    use isoform_serial::transport::{Line, Scripted};

    /// Begins a run of a tenth of a second on a device whose answer to that takes so long; its rows follow at once.
    fn run(dialect: Dialect, late: Duration) -> Result<Vec<Vec<f64>>, SerialError> {
        let mut driver = Lucidac::new(Wish::default());
        let polarity = Polarity { ic: 1.0, reading: 1.0, product: 1.0 };
        driver.known = Some(Known { dialect, mac: String::new(), echoes: false, polarity });
        let id = "00000000-0000-4000-8000-000000000001";
        let rate = if dialect == Dialect::Lucipy { json!(25.0) } else { json!(10) };
        let config =
            json!({"ic_time": 100_000, "halt_on_overload": true, "streaming": true, "repetitive": false, "op_time": 100_000_000});
        let daq = json!({"num_channels": 1, "sample_rate": rate, "sample_op": true, "sample_op_end": true});
        let message = json!({"id": id, "config": config, "daq_config": daq, "clear_queue": true, "end_repetitive": true});
        let told = format!(
            "{{\"id\":\"1\",\"type\":\"start_run\",\"msg\":{{}},\"code\":0}}\n\
             {{\"type\":\"run_data\",\"msg\":{{\"id\":\"{id}\",\"data\":[[0.5],[0.25]]}}}}\n\
             {{\"type\":\"run_state_change\",\"msg\":{{\"id\":\"{id}\",\"t\":1e8,\"old\":\"NEW\",\"new\":\"DONE\"}}}}\n"
        );
        let script = [Line::Host(request("1", "start_run", &message)), Line::Pause(late), Line::Device(told.into_bytes())];
        let circuit = Circuit { channels: vec![0], ..Circuit::default() };
        driver.run(&mut Lines::one(Box::new(Scripted::new(script))), 10, 1, &circuit)
    }

    #[test]
    fn the_emulator_may_compute_before_it_answers_and_the_machine_may_not() {
        let rows = vec![vec![0.5], vec![0.25]];
        for (dialect, longest) in [(Dialect::Firmware, ANSWER), (Dialect::Lucipy, PATIENCE + Duration::from_millis(100))] {
            let moment = Duration::from_millis(1);
            assert_eq!(run(dialect, longest - moment).expect("in time"), rows, "{dialect:?}");
            let error = run(dialect, longest + moment).expect_err("too late");
            assert!(matches!(&error, SerialError::Timeout { after, .. } if *after == longest), "{dialect:?}: {error}");
        }
    }
}
