//! From locators to lines: `serial:`, `tcp:`, `rfc2217:`, `stdio:`, `twin:`, and the transcripts of all of them.

use crate::kinds::{Kind, kind, kinds};
use crate::media;
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::locator::{Locator, Options};
use isoform_core::program::Digest;
use isoform_core::registry::{Entry, Named, Registry};
use isoform_core::substrate::Substrate;
use isoform_serial::error::SerialError;
use isoform_serial::instrument::Instrument;
use isoform_serial::lines::Lines;
use isoform_serial::transcript::{Head, Transcript};
use isoform_serial::transport::{
    Heeding, Memory, Opening, Parity, Port, Process, Recorder, Replayed, Rfc2217, Settings, Tcp, Transport, VirtualClock,
};
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

const DEVICE: (&str, &str) = ("device", "which instrument is at the line, such as board");
const RECORD: (&str, &str) = (
    "record",
    "a file that takes down what passes over the line; what passes over a second line goes to the file with its name behind",
);
const LINE_OPTIONS: &[(&str, &str)] = &[
    DEVICE,
    ("baud", "bits a second; that of the instrument if absent"),
    ("parity", "none, even or odd; that of the instrument if absent"),
    RECORD,
];

/// Adds the schemes of instruments to a registry.
pub fn register(registry: &mut Registry) {
    let with = |summary, options: &'static [(&'static str, &'static str)]| Entry::new(summary, open).with_options(options);
    registry.register("serial", with("an instrument at a serial port: serial:/dev/ttyACM0?device=board", LINE_OPTIONS));
    registry.register(
        "rfc2217",
        with("an instrument at a serial port of another computer: rfc2217:HOST:PORT?device=board", LINE_OPTIONS),
    );
    registry.register("tcp", with("an instrument in the network: tcp:HOST:PORT?device=board", line_options("tcp")));
    registry.register(
        "stdio",
        with("an instrument that is a program on this computer: stdio:python3%20board.py?device=board", line_options("stdio")),
    );
    let twins = with("the twin of an instrument or of a medium, in software: twin:board, twin:crossbar", line_options("twin"));
    registry.register("twin", twins.with_names(names()));
}

/// Every instrument and medium, with how an instrument is named at a line.
fn names() -> Vec<Named> {
    let at_a_line = |kind: &Kind| format!("{}; at a line with {}", kind.about, kind.options_at(kind.lines.iter().map(|_| "…")));
    let instruments = kinds().iter().map(|k| Named {
        name: k.name.to_owned(),
        about: at_a_line(k),
        options: [k.options, k.twin_options].concat(),
    });
    let media =
        media::kinds().iter().map(|k| Named { name: k.name.to_owned(), about: k.about.to_owned(), options: k.options.to_vec() });
    instruments.chain(media).collect()
}

fn open(locator: &Locator, registry: &Registry) -> Result<Arc<dyn Substrate>> {
    if let Some(medium) = media::open(locator) {
        return medium;
    }
    let kind = named(locator, &mut locator.reader())?;
    at_each_speed(kind, locator, |locator| instrument(kind, locator, registry))
}

/// Opens at the usual speed, and at the others of its kind where nobody says which and nobody was understood.
fn at_each_speed<T>(kind: &Kind, locator: &Locator, open: impl Fn(&Locator) -> Result<T>) -> Result<T> {
    let is_told = !has_settings(locator.scheme()) || locator.options().iter().any(|(key, _)| key == "baud");
    let first = open(locator);
    let Err(error) = &first else { return first };
    if is_told || !matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Protocol) {
        return first;
    }
    for baud in kind.bauds {
        // of an instrument that was not understood nothing is worth keeping, and the next try has a transcript of its own
        if let Some(path) = locator.reader().take::<String>("record")? {
            drop(std::fs::remove_file(path));
        }
        let again = open(&locator.clone().with_option("baud", baud.to_string()).map_err(Error::from)?);
        if again.is_ok() {
            return again;
        }
    }
    first
}

/// Every option is understood before a line is opened or a file made.
fn instrument(kind: &'static Kind, locator: &Locator, registry: &Registry) -> Result<Arc<dyn Substrate>> {
    let mut options = locator.reader();
    named(locator, &mut options)?;
    let record: Option<String> = options.take("record")?;
    let settings = settings(kind, locator, &mut options)?;
    let driver = (kind.driver)(&mut options)?;
    let lines = if locator.scheme() == "twin" { &[] } else { kind.lines };
    let is_twin = locator.scheme() == "twin";
    let own = line_options(locator.scheme()).iter().chain(kind.options).chain(if is_twin { kind.twin_options } else { &[] });
    let known: Vec<&str> = own.map(|(name, _)| *name).chain(lines.iter().copied()).collect();
    let opening = Opening::new(registry.stop().clone());
    let mut transports = if is_twin {
        // both may need the same options
        let mut own = locator.reader();
        let transports = twins(kind, &mut own)?;
        options.drop_taken(&own);
        options.finish_of(&format!("twin:{}", kind.name), &known)?;
        transports
    } else {
        let mut others = Vec::new();
        for line in kind.lines {
            let other = options.take_nested(line)?.ok_or_else(|| {
                Error::not_found(format!("{} has a second line; write {line}=(serial:/dev/ttyUSB1)", kind.name))
            })?;
            let mut own = other.reader();
            let settings = self::settings(kind, &other, &mut own)?;
            own.finish(if has_settings(other.scheme()) { &["baud", "parity"] } else { &[] })?;
            others.push((other, settings));
        }
        if let Some((name, _)) = kind.twin_options.iter().find(|(name, _)| locator.options().iter().any(|(key, _)| key == name)) {
            let why = format!("option \"{name}\" is of the twin alone, and this is a line to a device: leave it out");
            return Err(Error::unsupported(why).with_locator(locator));
        }
        options.finish(&known)?;
        let all: Vec<&Locator> = std::iter::once(locator).chain(others.iter().map(|(other, _)| other)).collect();
        all.iter().try_for_each(|line| check_line(line))?;
        check_apart(kind, &all)?;
        let all = std::iter::once((locator, settings)).chain(others.iter().map(|(other, settings)| (other, *settings)));
        let mut transports = Vec::new();
        for (line, settings) in all {
            opening.check().map_err(|e| Error::from(SerialError::open(line.path(), e)))?;
            transports.push(Box::new(Heeding::new(connect(line, settings)?, opening.clone())) as Box<dyn Transport>);
        }
        transports
    }
    .into_iter();
    let taken_down = |line: Box<dyn Transport>, name: Option<&str>| match &record {
        Some(path) => recorder(line, head(kind, locator, registry.purpose())?, Path::new(&transcript_of(path, name))),
        None => Ok(line),
    };
    let first = transports.next().ok_or_else(|| Error::fault(format!("{} has no line", kind.name)))?;
    let mut lines = Lines::one(taken_down(first, None)?);
    for (name, line) in kind.lines.iter().zip(transports) {
        let line = taken_down(line, Some(name)).inspect_err(|_| {
            // one transcript of two is none, and would be in the way of the next try
            record.iter().for_each(|path| drop(std::fs::remove_file(path)));
        })?;
        lines = lines.with(name, line);
    }
    Ok(Arc::new(Instrument::open_unless_stopped(driver, lines, &opening)?))
}

/// Lines to the twins of a kind, on one clock.
///
/// # Errors
/// What the kind says of the options.
pub fn twins(kind: &Kind, options: &mut Options<'_>) -> Result<Vec<Box<dyn Transport>>> {
    let clock = VirtualClock::default();
    let line = |twin| Box::new(Memory::on(clock.clone(), format!("the twin of {}", kind.name), twin)) as Box<dyn Transport>;
    Ok((kind.twins)(options)?.into_iter().map(line).collect())
}

/// The file that takes down a line: that of the first line is named by the user, those of the others have the name of the line behind it.
#[must_use]
pub fn transcript_of(path: &str, line: Option<&str>) -> String {
    line.map_or_else(|| path.to_owned(), |line| format!("{path}.{line}"))
}

/// The instrument of a transcript, in the place of the device; `read` gives the transcript of a line, the first having no name.
///
/// # Errors
/// `NotFound` if the instrument that it names is not known, and what `read` says.
pub fn replay(read: impl Fn(Option<&str>) -> Result<Transcript>) -> Result<Arc<dyn Substrate>> {
    let first = read(None)?;
    let locator: Locator = first.head.device.parse().map_err(Error::from)?;
    let mut options = locator.reader();
    let kind = named(&locator, &mut options)?;
    let driver = (kind.driver)(&mut options)?;
    let now = digests(kind, &locator)?;
    for (option, was) in &first.head.files {
        if now.iter().any(|(name, is)| name == option && is != was) {
            let file = &first.file;
            let why = format!(
                "the file of the option \"{option}\" is not what it was when {file} was recorded: give it back its contents"
            );
            return Err(Error::unsupported(why));
        }
    }
    let clock = VirtualClock::default();
    let mut lines = Lines::one(Box::new(Replayed::on(clock.clone(), first)));
    for name in kind.lines {
        lines = lines.with(name, Box::new(Replayed::on(clock.clone(), read(Some(name))?)));
    }
    // a recording of another session is a file that does not fit, and no device that failed
    let unfit = |e: Error| if e.kind() == ErrorKind::Protocol { Error::unsupported(e.message()).with_source(e) } else { e };
    Ok(Arc::new(Instrument::open(driver, lines).map_err(unfit)?))
}

fn named(locator: &Locator, options: &mut Options<'_>) -> Result<&'static Kind> {
    let device: Option<String> = options.take("device")?;
    match (locator.scheme(), device) {
        ("twin", None) => kind(locator.path()),
        ("twin", Some(_)) => Err(Error::unsupported("a twin is named by its path: write twin:board")),
        (_, Some(device)) => kind(&device),
        (scheme, None) => {
            let why = format!("no instrument is named; write {scheme}:{}?device=board", locator.path());
            Err(Error::not_found(why))
        }
    }
}

/// Whether characters travel one by one behind a scheme, as fast as somebody says.
fn has_settings(scheme: &str) -> bool {
    matches!(scheme, "serial" | "rfc2217")
}

/// The options of the lines of a scheme.
fn line_options(scheme: &str) -> &'static [(&'static str, &'static str)] {
    match scheme {
        "twin" => &[RECORD],
        _ if has_settings(scheme) => LINE_OPTIONS,
        _ => &[DEVICE, RECORD],
    }
}

fn settings(kind: &Kind, locator: &Locator, options: &mut Options<'_>) -> Result<Settings> {
    if !has_settings(locator.scheme()) {
        return Ok(kind.settings);
    }
    let parity = match options.take::<String>("parity")?.as_deref() {
        None => kind.settings.parity,
        Some("none") => Parity::None,
        Some("even") => Parity::Even,
        Some("odd") => Parity::Odd,
        Some(other) => return Err(Error::unsupported(format!("the parity {other:?} is none of none, even and odd"))),
    };
    Ok(Settings { baud: options.take_within("baud", 50..=25_000_000)?.unwrap_or(kind.settings.baud), parity })
}

/// Checks that a locator names a line, before any is opened.
fn check_line(locator: &Locator) -> Result<()> {
    let scheme = locator.scheme();
    if !matches!(scheme, "serial" | "tcp" | "rfc2217" | "stdio") {
        return Err(Error::not_found(format!("\"{scheme}:\" names no line; known are serial:, tcp:, rfc2217: and stdio:")));
    }
    if locator.path().is_empty() {
        return Err(Error::not_found(format!(
            "nothing is named after \"{scheme}:\"; write the port, the address or the program"
        )));
    }
    Ok(())
}

/// Checks that the lines of an instrument lead to different places; two programs may be the same.
fn check_apart(kind: &Kind, lines: &[&Locator]) -> Result<()> {
    let place = |line: &Locator| (line.scheme().to_owned(), line.path().to_owned());
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.scheme() != "stdio") {
        if lines[..at].iter().any(|other| place(other) == place(line)) {
            let (name, path) = (kind.lines[at - 1], line.path());
            let why = format!("{path} is the first line of {} and its {name} at once: each has a line of its own", kind.name);
            return Err(Error::not_found(why));
        }
    }
    Ok(())
}

/// Opens the line that a locator names.
///
/// # Errors
/// `NotFound`, `Busy`, or what the system says.
pub fn connect(locator: &Locator, settings: Settings) -> Result<Box<dyn Transport>> {
    check_line(locator)?;
    let path = locator.path();
    let opened: io::Result<Box<dyn Transport>> = match locator.scheme() {
        "serial" => Port::open(path, settings).map(|port| Box::new(port) as Box<dyn Transport>),
        "tcp" => Tcp::connect(path).map(|tcp| Box::new(tcp) as Box<dyn Transport>),
        "rfc2217" => Rfc2217::connect(path, settings).map(|line| Box::new(line) as Box<dyn Transport>),
        _ => {
            let words: Vec<String> = path.split_whitespace().map(str::to_owned).collect();
            Process::start(&words).map(|process| Box::new(process) as Box<dyn Transport>)
        }
    };
    opened.map_err(|source| SerialError::open(path, source).into())
}

/// What is in the files that options name.
fn digests(kind: &Kind, locator: &Locator) -> Result<Vec<(String, Digest)>> {
    let mut options = locator.reader();
    let mut found = Vec::new();
    for option in kind.files {
        if let Some(path) = options.take::<PathBuf>(option)? {
            let read = std::fs::read(&path);
            let bytes =
                read.map_err(|e| Error::not_found(format!("{option}={} cannot be read: {e}", path.display())).with_source(e))?;
            found.push(((*option).to_owned(), Digest::of(&bytes)));
        }
    }
    Ok(found)
}

/// What a transcript says first, but for the port.
fn head(kind: &Kind, locator: &Locator, purpose: &str) -> Result<Head> {
    let files = digests(kind, locator)?;
    Ok(Head { device: locator.to_string(), purpose: purpose.to_owned(), files, ..Head::default() })
}

fn recorder(inner: Box<dyn Transport>, head: Head, path: &Path) -> Result<Box<dyn Transport>> {
    let refuse = |e: io::Error| {
        let name = path.display();
        let why = match e.kind() {
            io::ErrorKind::AlreadyExists => {
                format!("\"{name}\" is there already, and may be all that is left of a device: name another file")
            }
            _ if path.as_os_str().is_empty() => String::from("no file is named for the transcript: write record=FILE"),
            _ => format!("the transcript \"{name}\" cannot be written: {e}"),
        };
        Error::unsupported(why).with_source(e)
    };
    // never written over: it may be all that is left of a device
    let file = File::create_new(path).map_err(refuse)?;
    Ok(Box::new(Recorder::new(inner, head, Box::new(BufWriter::new(file))).map_err(refuse)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use isoform_core::session::Blocking;
    use isoform_core::substrate::Run;
    use isoform_serial::transcript;

    fn refusal(locator: &str) -> String {
        let mut registry = Registry::new();
        register(&mut registry);
        registry.open_str(locator).expect_err("refused").to_string()
    }

    #[test]
    fn options_are_understood_before_anything_is_opened() {
        // the port does not exist, and is not looked for
        assert!(refusal("serial:/dev/none?device=board&speed=9").contains("\"speed\" is unknown"));
        assert!(refusal("serial:/dev/none?device=board&baud=0").contains("expects a whole number from 50 to 25000000"));
        // a network has no baud, nor has a twin
        assert!(refusal("tcp:localhost:9?device=board&baud=9600").contains("\"baud\" is unknown"));
        assert!(refusal("twin:photonic?parity=odd").contains("\"twin:photonic\" takes record, modes"));
        assert!(refusal("serial:/dev/none?device=photonic&meter=(serial:/dev/none?speed=9)").contains("\"speed\" is unknown"));
        assert!(refusal("serial:/dev/none?device=photonic").contains("meter=("));
        // nor is a program started
        assert!(refusal("stdio:/nope?device=photonic&meter=(cpu:)").contains("\"cpu:\" names no line"));
        assert!(refusal("stdio:/nope?device=photonic&meter=(serial:)").contains("nothing is named after \"serial:\""));
        assert!(refusal("serial:/dev/none?device=board").contains("cannot be opened"));
        for (units, why) in [("x:20,x:30", "the unit of x is given twice"), ("x:20,", "\"\" is no state"), (":2", "such as x:20")]
        {
            assert!(refusal(&format!("serial:/dev/none?device=lucidac&unit={units}")).contains(why), "{units}");
        }
        for unit in ["x:0", "x:-1", "x:inf", "x:1e13", "x"] {
            let said = refusal(&format!("serial:/dev/none?device=lucidac&unit={unit}"));
            assert!(said.contains("no state and value from 1e-12 to 1e12"), "{said}");
        }
    }

    #[test]
    fn an_instrument_is_looked_for_at_each_of_its_speeds() {
        let tried = |locator: &str, answers: Option<&str>| {
            let locator: Locator = locator.parse().expect("valid");
            let kind = named(&locator, &mut locator.reader()).expect("is one");
            let tried = std::cell::RefCell::new(Vec::new());
            let opened = at_each_speed(kind, &locator, |locator| {
                tried.borrow_mut().push(locator.to_string());
                let here = answers.is_some_and(|baud| locator.to_string().ends_with(baud));
                if here { Ok(()) } else { Err(Error::new(ErrorKind::Timeout, "nobody")) }
            });
            (opened.is_ok(), tried.into_inner())
        };
        let both = ["serial:/dev/ttyUSB0?device=model-one", "serial:/dev/ttyUSB0?device=model-one&baud=250000"];
        assert_eq!(tried(both[0], Some("250000")), (true, both.map(String::from).to_vec()));
        assert_eq!(tried(both[0], None), (false, both.map(String::from).to_vec()));
        assert_eq!(tried(both[0], Some("model-one")), (true, vec![String::from(both[0])]));
        assert_eq!(tried("serial:/dev/ttyUSB0?device=spikerbox", Some("222222")).1.len(), 2);
        for once in
            ["serial:/dev/ttyUSB0?device=model-one&baud=9600", "tcp:there:9?device=model-one", "serial:/dev/a?device=board"]
        {
            assert_eq!(tried(once, None), (false, vec![String::from(once)]));
        }
    }

    #[test]
    fn a_session_over_two_lines_is_replayed_with_both_gone() {
        let path = std::env::temp_dir().join(format!("isoform-two-lines-{}", std::process::id()));
        let path = path.to_str().expect("a name in Unicode");
        let files = [transcript_of(path, None), transcript_of(path, Some("scope"))];
        let run = |substrate: &dyn Substrate| {
            let program = substrate.exemplars().swap_remove(0);
            let mut session = Blocking::open(substrate, &program, &Run::new()).expect("loads");
            let first = session.run(&[1.0, -0.5, 2.0]).expect("runs");
            session.reset().expect("resets");
            [first, session.run(&[0.25]).expect("runs again")]
        };
        let mut registry = Registry::new();
        register(&mut registry);
        let recorded = run(registry.open_str(&format!("twin:waveform?record={path}")).expect("opens").as_ref());
        let read = |line: Option<&str>| {
            let file = File::open(transcript_of(path, line)).map_err(|e| Error::not_found(e.to_string()))?;
            transcript::read("", io::BufReader::new(file)).map_err(Error::from)
        };
        assert_eq!(run(replay(read).expect("opens").as_ref()), recorded);
        // of one line alone nothing is made up
        std::fs::remove_file(&files[1]).expect("was written");
        assert_eq!(replay(read).expect_err("the second is missing").kind(), ErrorKind::NotFound);
        std::fs::remove_file(&files[0]).expect("was written");
    }
}
