//! Every substrate that this build knows.

mod clock;

use clock::SystemClock;
use isoform_core::error::{Error, Result};
use isoform_core::layer::record::Record;
use isoform_core::layer::replay::Replay;
use isoform_core::layer::{self, Timeout};
use isoform_core::locator::Locator;
use isoform_core::oracle::OracleSubstrate;
use isoform_core::registry::{Entry, Found, Registry};
use isoform_core::substrate::Substrate;
use std::fs::File;
#[cfg(feature = "devices")]
use std::io::BufRead;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A registry of all substrates and layers of this build.
///
/// | scheme | what |
/// |---|---|
/// | `oracle:` | the definition itself, in double precision |
/// | `cpu:` | this processor; with the feature `cpu` |
/// | `wgpu:` | a graphics processor; with the feature `wgpu` |
/// | `opencl:` | an OpenCL device; with the feature `opencl` |
/// | `serial:`, `tcp:`, `rfc2217:`, `stdio:`, `twin:` | an instrument at the end of a line, or its twin; with the feature `devices` |
/// | `place:` | several substrates, each with its part of the program |
/// | `noise:`, `quantise:`, `renew:` | layers of the core |
/// | `timeout:?on=(…)&seconds=0.1` | a deadline on every call, by the clock of the system |
/// | `record:FILE?on=(…)`, `replay:FILE` | every call and its answer, into a file and from it |
#[must_use]
pub fn registry() -> Registry {
    let mut registry = Registry::new();
    registry.register(
        "oracle",
        Entry::new("the definition itself, in double precision: slow, exact, without limits", |locator, _| {
            locator.reader().finish(&[])?;
            without_path(locator)?;
            Ok(Arc::new(OracleSubstrate::new()))
        })
        .with_discovery(|| vec![Found::present("oracle:", OracleSubstrate::new().profile())]),
    );
    #[cfg(feature = "cpu")]
    isoform_cpu::register(&mut registry);
    #[cfg(feature = "wgpu")]
    isoform_wgpu::register(&mut registry);
    #[cfg(feature = "opencl")]
    isoform_opencl::register(&mut registry);
    #[cfg(feature = "devices")]
    isoform_devices::register(&mut registry);
    layer::register(&mut registry);
    registry.register(
        "timeout",
        Entry::new("fails when a call to another substrate takes too long", timeout)
            .with_options(&[("on", "the substrate, in brackets"), ("seconds", "how long a call may take")]),
    );
    registry.register(
        "record",
        Entry::new("writes every call to another substrate and its answer to the file in its path", record)
            .with_options(&[("on", "the substrate, in brackets")]),
    );
    registry.register("replay", Entry::new("answers from the file in its path, which record: wrote", replay));
    registry
}

fn without_path(locator: &Locator) -> Result<()> {
    if locator.path().is_empty() {
        return Ok(());
    }
    let scheme = locator.scheme();
    Err(Error::unsupported(format!("\"{scheme}:\" takes no path, but is given {:?}: leave it out", locator.path())))
}

fn timeout(locator: &Locator, registry: &Registry) -> Result<Arc<dyn Substrate>> {
    without_path(locator)?;
    let mut options = locator.reader();
    let inner = layer::inner(&mut options, registry)?;
    let seconds: Option<f64> = options.take("seconds")?;
    options.finish(&["on", "seconds"])?;
    let limit = seconds.and_then(|s| Duration::try_from_secs_f64(s).ok()).filter(|limit| !limit.is_zero());
    let limit = limit.ok_or_else(|| match seconds {
        Some(seconds) => Error::unsupported(format!("seconds={seconds} is no time that a call may take; write seconds=0.1")),
        None => Error::unsupported("the option seconds is missing; write seconds=0.1"),
    })?;
    Ok(Arc::new(Timeout::new(inner, limit, Arc::new(SystemClock::new()))))
}

fn record(locator: &Locator, registry: &Registry) -> Result<Arc<dyn Substrate>> {
    let mut options = locator.reader();
    let inner = layer::inner(&mut options, registry)?;
    options.finish(&["on"])?;
    let path = file(locator)?;
    crate::files::check_writable(path)?;
    if std::fs::metadata(path).is_ok_and(|about| about.len() > 0) {
        let name = path.display();
        let why = format!("\"{name}\" is there already, and may be all that is left of a device: name another file");
        return Err(Error::unsupported(why));
    }
    Ok(Arc::new(Record::new(inner, Late { path: path.to_owned(), file: None })))
}

/// A file that is made when something is written, so that what is refused beforehand leaves none behind.
struct Late {
    path: PathBuf,
    file: Option<File>,
}

impl Write for Late {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let file = match self.file.take() {
            Some(file) => file,
            None => File::options().append(true).create(true).open(&self.path)?,
        };
        self.file.insert(file).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.as_mut().map_or(Ok(()), File::flush)
    }
}

fn replay(locator: &Locator, _: &Registry) -> Result<Arc<dyn Substrate>> {
    locator.reader().finish(&[])?;
    let path = file(locator)?;
    crate::files::check_readable(path)?;
    let open =
        |path: &Path| File::open(path).map(BufReader::new).map_err(|e| Error::not_found(format!("\"{}\": {e}", path.display())));
    #[cfg_attr(not(feature = "devices"), expect(unused_mut, reason = "only transcripts of instruments are looked at beforehand"))]
    let mut log = open(path)?;
    #[cfg(feature = "devices")]
    if log.fill_buf().is_ok_and(isoform_serial::transcript::is_transcript) {
        return isoform_devices::attach::replay(|line| {
            let name = isoform_devices::attach::transcript_of(locator.path(), line);
            let log = open(Path::new(&name))?;
            isoform_serial::transcript::read(&name, log).map_err(|e| Error::invalid_signal(e.to_string()).with_source(e))
        });
    }
    Ok(Arc::new(Replay::new(log)?))
}

fn file(locator: &Locator) -> Result<&Path> {
    let scheme = locator.scheme();
    match locator.path() {
        "" => Err(Error::not_found(format!("no file is named; write {scheme}:session.log"))),
        path => Ok(Path::new(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::error::ErrorKind;
    use isoform_core::functions::lif;
    use isoform_core::program::Program;
    use isoform_core::semantics::Semantics;
    use isoform_core::session::Blocking;
    use isoform_core::substrate::Run;

    fn program() -> Program {
        let mut net = Program::builder();
        let x = net.input("x", [1]);
        let y = net.node("n", lif().with("tau", 5e-3), x);
        net.output("y", y);
        net.build(Semantics::exact(1e-3)).expect("valid")
    }

    fn run(locator: &str) -> Result<Vec<f32>> {
        let substrate = registry().open_str(locator)?;
        Blocking::open(substrate.as_ref(), &program(), &Run::new())?.run(&[1.7; 40])
    }

    #[test]
    fn a_recording_answers_as_the_substrate_did() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("session.log").to_string_lossy().into_owned();
        let plain = run("oracle:").expect("runs");
        assert!(plain.contains(&1.0));
        assert_eq!(run(&format!("record:{file}?on=(oracle:)")).expect("runs"), plain);
        assert_eq!(run(&format!("replay:{file}")).expect("runs"), plain);
        let missing = run(&format!("replay:{file}.not")).expect_err("missing");
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_deadline_lets_through_what_is_in_time() {
        assert_eq!(run("timeout:?on=(oracle:)&seconds=60").expect("runs"), run("oracle:").expect("runs"));
        let late = run("timeout:?on=(oracle:)&seconds=1e-9").expect_err("late");
        assert_eq!(late.kind(), ErrorKind::Timeout);
        assert!(run("timeout:?on=(oracle:)").is_err());
        assert!(run("timeout:?on=(oracle:)&seconds=-1").is_err());
    }

    #[test]
    fn what_a_scheme_does_not_know_is_refused() {
        let message = |locator: &str| run(locator).expect_err("refused").to_string();
        assert!(message("oracle:?x=1").contains("takes no options"));
        assert!(message("oracle:a").contains("takes no path"));
        assert!(message("brain:").contains("known are"));
    }
}
