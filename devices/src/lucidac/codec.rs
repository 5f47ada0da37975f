//! Messages as JSON lines.

use isoform_serial::error::{SerialError, printable};
use serde_json::{Value, json};

/// The longest line that the firmware takes.
pub const LONGEST_REQUEST: usize = 4096;
/// The longest line that is read.
pub const LONGEST_LINE: usize = 60_000;

/// A request as a line.
#[must_use]
pub fn request(id: &str, kind: &str, message: &Value) -> Vec<u8> {
    let mut line = format!("{{\"id\":{},\"type\":{},\"msg\":{message}}}", json!(id), json!(kind)).into_bytes();
    line.push(b'\n');
    line
}

/// What a line says.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// Something that is no message: text for debugging, a log, an event of no interest.
    Other,
    /// The answer to a request.
    Answer {
        /// The id of the request, unless the answer has none.
        id: Option<String>,
        /// The type of the request.
        kind: String,
        /// Nought, or the number of the error.
        code: i64,
        /// The message, or the words of the error.
        message: Value,
    },
    /// A message that came damaged, and where.
    Broken(String),
    /// A line that has the form of a request: the repetition of what was sent.
    Echo,
    /// Samples.
    Rows {
        /// The run.
        run: String,
        /// A row for each sample.
        rows: Vec<Vec<f64>>,
    },
    /// A run has come into another state.
    State {
        /// The run.
        run: String,
        /// The state.
        state: String,
        /// How long it computed, in nanoseconds.
        nanos: f64,
    },
}

/// Reads a line.
///
/// # Errors
/// `Garbled` if it is a message of samples without proper samples.
pub fn hear(line: &[u8]) -> Result<Heard, SerialError> {
    let envelope = match serde_json::from_slice::<Value>(line) {
        Ok(Value::Object(envelope)) => envelope,
        Ok(_) => return Ok(Heard::Other),
        Err(error) => return Ok(broken(line, &error).map_or(Heard::Other, Heard::Broken)),
    };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let Some(kind) = text(envelope.get("type")) else { return Ok(Heard::Other) };
    let message = envelope.get("msg").unwrap_or(&Value::Null);
    let run = || text(message.get("id")).unwrap_or_default();
    match kind.as_str() {
        "log" => Ok(Heard::Other),
        "run_data" if message.get("data").is_some() => match rows(message) {
            Some(rows) => Ok(Heard::Rows { run: run(), rows }),
            None => Err(SerialError::garbled("samples", line, "the rows are no lists of numbers")),
        },
        "run_state_change" => {
            let state = text(message.get("new")).unwrap_or_default();
            let nanos = message.get("t").and_then(Value::as_f64).unwrap_or(0.0);
            Ok(Heard::State { run: run(), state, nanos })
        }
        _ => match envelope.get("code").map(Value::as_i64) {
            Some(Some(code)) => {
                let message = if code == 0 { message } else { envelope.get("error").unwrap_or(message) };
                Ok(Heard::Answer { id: text(envelope.get("id")), kind, code, message: message.clone() })
            }
            Some(None) => Ok(Heard::Other),
            None => Ok(Heard::Echo),
        },
    }
}

/// What is wrong with a line that is meant as a message; text for debugging may be anything.
fn broken(line: &[u8], error: &serde_json::Error) -> Option<String> {
    const AROUND: usize = 16;
    let is_meant = |word: &[u8]| line.windows(word.len()).any(|w| w == word);
    if !(line.trim_ascii_start().starts_with(b"{") || is_meant(b"run_data") || is_meant(b"run_state_change")) {
        return None;
    }
    let at = error.column().min(line.len());
    let near = printable(&line[at.saturating_sub(AROUND)..line.len().min(at + AROUND)]);
    Some(format!("it is no JSON at byte {at}, near \"{near}\""))
}

fn rows(message: &Value) -> Option<Vec<Vec<f64>>> {
    let row = |row: &Value| row.as_array()?.iter().map(Value::as_f64).collect();
    message.get("data")?.as_array()?.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn checked_exchanges_are_understood() {
        assert_eq!(request("4", "reset_circuit", &json!({})), b"{\"id\":\"4\",\"type\":\"reset_circuit\",\"msg\":{}}\n");
        let answer = |line: &str| hear(line.as_bytes()).expect("heard");
        assert_eq!(
            answer(r#"{"id":"4","type":"reset_circuit","msg":null,"code":0}"#),
            Heard::Answer { id: Some("4".into()), kind: "reset_circuit".into(), code: 0, message: Value::Null }
        );
        assert_eq!(
            answer(r#"{"type":"start_run","msg":{},"code":0}"#),
            Heard::Answer { id: None, kind: "start_run".into(), code: 0, message: json!({}) }
        );
        assert_eq!(
            answer(
                r#"{"type":"run_data","msg":{"id":"417e","entity":["70-79-74-68-6f-6e","0"],"data":[[-1.0,0.0],[-0.99470,0.10282]]},"code":0}"#
            ),
            Heard::Rows { run: "417e".into(), rows: vec![vec![-1.0, 0.0], vec![-0.9947, 0.10282]] }
        );
        assert_eq!(
            answer(r#"{"type":"run_data","msg":{"id":"417e","entity":["04-E9","0"],"data":[[ 0.123,-0.456]]}}"#),
            Heard::Rows { run: "417e".into(), rows: vec![vec![0.123, -0.456]] }
        );
        assert_eq!(
            answer(r#"{"type":"run_state_change","msg":{"id":"417e","t":0,"old":"NEW","new":"DONE"},"code":0}"#),
            Heard::State { run: "417e".into(), state: "DONE".into(), nanos: 0.0 }
        );
        assert_eq!(
            answer(r#"{"id":"9","type":"nonsense","msg":{},"error":"Don't know this message type","code":-2}"#),
            Heard::Answer {
                id: Some("9".into()),
                kind: "nonsense".into(),
                code: -2,
                message: json!("Don't know this message type")
            }
        );
        assert_eq!(answer(r#"{"id":"9","type":"ping","msg":{}}"#), Heard::Echo);
        assert_eq!(answer("faking run"), Heard::Other);
        for row in ["[0.1,NaN]", "[0.1,1e400]", "[0.1,0..1]"] {
            let line = format!(r#"{{"type":"run_data","msg":{{"id":"417e","data":[[0.5,0.5],{row}]}}}}"#);
            let Heard::Broken(why) = answer(&line) else { panic!("{line} is no message") };
            assert!(why.starts_with("it is no JSON at byte ") && why.contains(row), "{why}");
        }
        assert!(hear(br#"{"type":"run_data","msg":{"id":"a","data":[[0.1,"x"]]}}"#).is_err());
    }

    proptest! {
        #[test]
        fn hostile_lines_never_panic(line in proptest::collection::vec(any::<u8>(), 0..200), at in 0..100_usize, byte in any::<u8>()) {
            let _ = hear(&line);
            let mut message = br#"{"id":"1","type":"run_data","msg":{"id":"417e","entity":["a","0"],"data":[[ 0.1,-0.4]]},"code":0}"#.to_vec();
            let at = at % message.len();
            message[at] = byte;
            let _ = hear(&message);
        }
    }
}
