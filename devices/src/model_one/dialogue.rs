//! The words of the controller, and what keeps host and machine in step.
//!
//! Commands have no end, and a reader of arguments waits ten seconds for what is missing: a lost byte makes arguments of the next commands.
//! Nothing but time ends that, since a newline is itself no command. So every answer is compared with the one that belongs to the request
//! (it repeats what was set), and after a difference the machine is reset; if that is not answered, it is left alone for as long as a reader
//! waits and reset again. Silent commands (`G`) are checked by the status or by what they should have led to.
//!
//! Lines that speak of something else, such as an overload, may stand between a request and its answer.

use super::codec::{Event, Pot, Status, group, time, values};
use isoform_serial::error::{Result, SerialError, printable};
use isoform_serial::exchange::{Exchange, Reply, Resync};
use isoform_serial::link::Link;
use std::time::Duration;

/// How long the line has to be quiet for an answer to be over.
const QUIET: Duration = Duration::from_millis(60);
/// How long a reader of arguments waits for what is missing, and a little more.
const READER: Duration = Duration::from_millis(10_500);
/// How far two reads of one element at rest may be apart: noise of the converter and the last of four decimals.
const APART: f64 = 1e-3;
/// The most that a reading can be, in machine units: those of an amplifier that is driven as far as it goes, and as much again.
const READABLE: f64 = 2.0;
/// The part by which the clock of the machine may be fast beside that of the host, and the steps in which it counts.
const CLOCKS: f64 = 0.02;
const STEP: Duration = Duration::from_millis(2);
/// The longest line: the status with all modules, or a row of the log.
const LONGEST: usize = 4096;
/// The most rows of a log: its memory holds 1152 values.
const MOST_ROWS: usize = 1152;

/// The machine as far as it is known.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    /// The first line of its help, which names the firmware.
    pub firmware: String,
    /// Modules with potentiometers: address and id.
    pub modules: Vec<(u16, u8)>,
    /// What was heard beside the answers.
    events: Vec<Event>,
}

fn is_event(line: &[u8]) -> bool {
    Event::of(line).is_some()
}

impl Machine {
    /// Resets the machine and learns what it is. Potentiometers are then at nought, integrators in IC.
    ///
    /// # Errors
    /// `WrongDevice` if something else answers, `Timeout` if nothing does.
    pub fn begin(&mut self, link: &mut Link) -> Result<()> {
        self.events.clear();
        link.resync(Resync::Lines, QUIET)?;
        if self.reset(link).is_err() {
            link.sleep(READER);
            link.resync(Resync::Lines, QUIET)?;
            self.events.clear();
            self.reset(link)?;
        }
        let end = link.within(Duration::from_secs(1));
        link.send(b"?", end)?;
        let first = link.line(LONGEST, "the help", end)?;
        if !first.starts_with(b"HC firmware") {
            return Err(SerialError::WrongDevice { wanted: String::from("Model-1 hybrid controller"), seen: printable(&first) });
        }
        self.firmware = printable(&first);
        link.resync(Resync::Lines, QUIET)?;
        // the line has no check sum: a module that is missed would be taken for an error of the patch
        let [first, second] = [self.status(link)?.modules, self.status(link)?.modules];
        if first != second {
            let seen = format!("{first:?} and {second:?}");
            return Err(SerialError::garbled("the modules of the machine", seen.as_bytes(), "two answers differ"));
        }
        self.modules = first;
        Ok(())
    }

    fn reset(&mut self, link: &mut Link) -> Result<()> {
        self.ask(link, "the reset", b"x", b"RESET", Duration::from_secs(1))
    }

    /// One request and its answer.
    fn line(&mut self, link: &mut Link, what: &str, request: &[u8], within: Duration) -> Result<Vec<u8>> {
        let exchange = Exchange::new(what, request).with_reply(Reply::Among { is_event: &is_event }).with_time(within);
        let events = &mut self.events;
        let line = link.ask(&exchange.with_longest(LONGEST), &mut |event| events.extend(Event::of(event)))?;
        self.check_health(what)?;
        // the end of a run is taken where it is awaited
        let before = self.events.len();
        self.events.retain(|&event| event != Event::EndOfRun);
        if self.events.len() < before {
            let why = format!("it came before the answer to {what}, where no run was going on: a line is one too many");
            return Err(SerialError::garbled("the end of a run", b"EOSR", why));
        }
        Ok(line)
    }

    /// One request whose answer is known beforehand.
    ///
    /// # Errors
    /// `Garbled` if it is another one.
    pub fn ask(&mut self, link: &mut Link, what: &str, request: &[u8], answer: &[u8], within: Duration) -> Result<()> {
        let line = self.line(link, what, request, within)?;
        if line == answer {
            return Ok(());
        }
        let why = format!("\"{}\" belongs there: a byte was lost or changed, or the machine lacks it", printable(answer));
        Err(SerialError::garbled(what, &line, why))
    }

    fn check_health(&self, what: &str) -> Result<()> {
        let bad = self.events.iter().find(|e| matches!(e, Event::Overload | Event::Failure | Event::Halted));
        let said = match bad {
            None => return Ok(()),
            Some(Event::Overload) => "an element has left the range of the machine; scale the patch by its unit",
            Some(Event::Halted) => "the run was halted from outside",
            Some(_) => "its converter or its power supply has failed",
        };
        Err(SerialError::Fault { what: what.to_owned(), said: said.to_owned() })
    }

    /// What the machine says of itself.
    ///
    /// # Errors
    /// As those of a request.
    pub fn status(&mut self, link: &mut Link) -> Result<Status> {
        Status::parse(&self.line(link, "the status", b"s", Duration::from_secs(1))?)
    }

    /// Sets the times of IC and OP in milliseconds, and halts on overload from now on.
    ///
    /// # Errors
    /// As those of a request.
    pub fn set_times(&mut self, link: &mut Link, ic: u32, op: u32) -> Result<()> {
        let second = Duration::from_secs(1);
        self.ask(link, "the time of IC", &time('C', ic), format!("T_IC={ic}").as_bytes(), second)?;
        self.ask(link, "the time of OP", &time('c', op), format!("T_OP={op}").as_bytes(), second)?;
        self.ask(link, "the halt on overload", b"A", b"OVLH=ENABLED", second)
    }

    /// Sets a potentiometer.
    ///
    /// # Errors
    /// `Garbled` if the answer is not that it was set, as where there is no such module.
    pub fn set_pot(&mut self, link: &mut Link, pot: Pot, value: u16) -> Result<()> {
        self.ask(link, "a potentiometer", &pot.set(value), &pot.is_set(value), Duration::from_secs(1))
    }

    /// Chooses what is read out, which also empties the log.
    ///
    /// # Errors
    /// As those of a request.
    pub fn set_group(&mut self, link: &mut Link, addresses: &[u16]) -> Result<()> {
        let end = link.within(Duration::from_secs(1));
        link.send(&group(addresses), end)?;
        let list: Vec<String> = addresses.iter().map(|a| format!("{a:X}")).collect();
        let wanted = format!("RO-GROUP={}", list.join(";"));
        // nothing answers it, so that the status has to show it
        let status = self.line(link, "the read-out group", b"s", Duration::from_secs(1))?;
        let is_there = String::from_utf8_lossy(&status).split(',').any(|f| f == wanted);
        if is_there {
            Ok(())
        } else {
            Err(SerialError::garbled("the read-out group", &status, format!("{wanted} belongs there")))
        }
    }

    /// Reads the group, twice: the machine has to be at rest.
    ///
    /// # Errors
    /// `Garbled` if the reads do not agree.
    pub fn read_group(&mut self, link: &mut Link, count: usize) -> Result<Vec<f64>> {
        let mut read = || {
            let line = self.line(link, "the read-out group", b"f", Duration::from_secs(1))?;
            values("the read-out group", &line, ';', count)
        };
        let (first, second) = (read()?, read()?);
        for (a, b) in first.iter().zip(&second) {
            let garbled = |why: &str| {
                let seen = format!("{a} and {b}");
                Err(SerialError::garbled("the read-out group", seen.as_bytes(), why))
            };
            if a.abs().max(b.abs()) > READABLE {
                return garbled("an element reads no more than two machine units: check the converter, or the line");
            }
            if (a - b).abs() > APART {
                return garbled("two reads of an element at rest differ");
            }
        }
        Ok(first.iter().zip(&second).map(|(a, b)| f64::midpoint(*a, *b)).collect())
    }

    /// Runs once: IC, OP for the times that were set, HALT.
    ///
    /// # Errors
    /// `Fault` if an overload halted it, `Garbled` if it ends before its time; those of a request.
    pub fn run(&mut self, link: &mut Link, ic: u32, op: u32) -> Result<()> {
        let begun = link.now();
        self.ask(link, "a run", b"F", b"SINGLE-RUN", Duration::from_secs(1))?;
        let times = Duration::from_millis(u64::from(ic) + u64::from(op));
        let end = link.within(times + Duration::from_secs(1));
        loop {
            // commands during a run would block it: nothing is sent until it has ended
            let line = link.line(LONGEST, "the end of a run", end)?;
            match Event::of(&line) {
                Some(Event::EndOfRun) => {
                    let took = link.now().saturating_sub(begun);
                    if took + STEP < times.mul_f64(1.0 - CLOCKS) {
                        let why = format!(
                            "it came after {took:.1?}, but IC and OP take {times:?}: the run goes on, or had other times"
                        );
                        return Err(SerialError::garbled("the end of a run", &line, why));
                    }
                    return self.check_health("a run");
                }
                Some(event) => self.events.push(event),
                None => return Err(SerialError::garbled("the end of a run", &line, "nothing else is said during a run")),
            }
            self.check_health("a run")?;
        }
    }

    /// The samples that were logged during the last run, one row each.
    ///
    /// The device takes fewer samples than its own interval promises when a run is short, so that their times are not known beyond their order.
    ///
    /// # Errors
    /// `Garbled` for a row that is none; those of a request.
    pub fn log(&mut self, link: &mut Link, count: usize) -> Result<Vec<Vec<f64>>> {
        let mut line = self.line(link, "the log", b"l", Duration::from_secs(2))?;
        let end = link.within(Duration::from_secs(10));
        let mut rows = Vec::new();
        while line != b"EOD" && line != b"No data!" {
            if is_event(&line) {
                self.events.extend(Event::of(&line));
            } else {
                rows.push(values("the log", &line, ' ', count)?);
            }
            if rows.len() > MOST_ROWS {
                return Err(SerialError::TooLong { what: String::from("the log"), limit: MOST_ROWS });
            }
            line = link.line(LONGEST, "the log", end)?;
        }
        Ok(rows)
    }
}
