//! `isoform list --ports`: what stands at the serial ports.

use super::console::{Console, table};
use super::failure::{Failure, Outcome, Result};
use super::stop::{is_asked, when_asked};
use isoform::core::error::{self as core, Error, ErrorKind};
use isoform::core::locator::Locator;
use isoform::core::registry::Registry;
use isoform::devices::attach::connect;
use isoform::devices::kinds::{Kind, kinds};
use isoform::devices::parts::part_at;
use isoform::serial::link::Link;
use isoform::serial::transport::{Heeding, Opening, PortName, Settings, ports};
use serde::Serialize;

#[derive(Serialize)]
struct Port {
    path: String,
    /// Vendor and product, in hexadecimal.
    usb: Option<String>,
    about: String,
    #[serde(flatten)]
    answer: Answer,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Answer {
    /// An instrument that said who it is, and the locator that opens it.
    Instrument { locator: String, device: String },
    /// Why nothing is known.
    Silent(String),
}

/// Lists the ports of this computer; or those that are named, and asks at each which instrument is there.
pub(super) fn list(console: Console, named: &[String], json: bool) -> Result {
    let found = if named.is_empty() {
        ports().map_err(|e| Error::fault("the system does not tell its serial ports; name them: --ports PATH").with_source(e))?
    } else {
        named.iter().map(|path| PortName { path: path.clone(), usb: None, about: String::new() }).collect()
    };
    for port in found.iter().filter(|_| !named.is_empty()) {
        console.note(format!("asking at {}; whoever does not answer is waited for, up to a minute and a half in all", port.path));
    }
    let registry = super::registry();
    let mut missing: Option<Error> = None;
    let mut progress = console.progress("asking");
    let mut listed = Vec::new();
    for (n, port) in found.iter().enumerate() {
        let answer = if named.is_empty() {
            Answer::Silent(format!("not asked: isoform list --ports {}", port.path))
        } else {
            let tell = |kind: &Kind, k| {
                progress.at(&format!("{}: {}", port.path, kind.name), n * kinds().len() + k, found.len() * kinds().len());
            };
            let answer = ask(&registry, &port.path, tell);
            if is_asked() {
                return answer.map(|_| Outcome::Stopped).map_err(Failure::from);
            }
            answer.unwrap_or_else(|e| {
                let why = e.message().to_owned();
                missing = missing.take().or(Some(e));
                Answer::Silent(why)
            })
        };
        let usb = port.usb.map(|(vendor, product)| format!("{vendor:04x}:{product:04x}"));
        listed.push(Port { path: port.path.clone(), usb, about: port.about.clone(), answer });
    }
    drop(progress);
    if json {
        console.print_json(&listed)?;
    } else if listed.is_empty() {
        console.print("This computer has no serial port.")?;
    } else if listed.len() > 1 || missing.is_none() {
        let rows = listed.into_iter().map(|port| {
            let usb = [port.usb.unwrap_or_default(), port.about].join(" ").trim().to_owned();
            match port.answer {
                Answer::Instrument { locator, device } => vec![port.path, usb, locator, device],
                Answer::Silent(why) => vec![port.path, usb, String::from("–"), why],
            }
        });
        console.print(table(&["port", "USB", "opened by", "what answered"], rows, 3))?;
    }
    missing.map_or(Ok(Outcome::Done), |e| Err(e.into()))
}

/// Asks at a port as each instrument of one line is asked, and then who is there.
fn ask(registry: &Registry, path: &str, mut tell: impl FnMut(&Kind, usize)) -> core::Result<Answer> {
    let port = Locator::new("serial").map_err(Error::from)?.with_path(path);
    for (k, kind) in kinds().iter().enumerate().filter(|(_, kind)| kind.lines.is_empty()) {
        tell(kind, k);
        let locator = port.clone().with_option("device", kind.name);
        let opened = locator.map_err(Error::from).and_then(|locator| Ok((registry.open(&locator)?, locator)));
        match opened {
            Ok((substrate, locator)) => {
                let device = substrate.profile().device.clone();
                return Ok(Answer::Instrument { locator: locator.to_string(), device });
            }
            Err(e) if is_asked() => return Err(e),
            Err(e) if matches!(e.kind(), ErrorKind::Timeout | ErrorKind::Protocol | ErrorKind::Fault) => {}
            // the port is what is asked about, and no instrument at it
            Err(e) => return Err(Error::new(e.kind(), e.message().to_owned()).with_source(e)),
        }
    }
    let line = Heeding::new(connect(&port, Settings::default())?, Opening::new(when_asked()));
    let part = part_at(&mut Link::new(Box::new(line)));
    Ok(Answer::Silent(part.unwrap_or_else(|| String::from("nothing that is known here"))))
}
