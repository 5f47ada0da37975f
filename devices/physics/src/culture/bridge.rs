//! A culture behind another program: lines of text to a child process and back.
//!
//! The child stands between this project and a vendor's library that must not be linked, such as the API of Cortical Labs. It says `ready`, and
//! then answers each request by one line:
//!
//! ```text
//! -> (nothing)                                      <- ready VERSION CHANNELS FRAMES_PER_SECOND
//! -> advance TICKS TICK:CHANNEL:CURRENT ...         <- done START END TICK:CHANNEL ... | TICK:CHANNEL ...
//!                                                   <- refused CHANNEL REASON
//!                                                   <- failed REASON
//! ```
//! `START` and `END` are times of the device in frames; what follows are spikes and, after the bar, stimuli as they were delivered, each in the
//! order of ticks. The safety envelope is kept here as well: a pulse beyond it never reaches the child. What was delivered must be what was asked
//! for, the clock must hold as many frames as there are ticks, and frames between two requests are counted as lost.

use super::electrodes::CHANNELS;
use super::program::{self, CULTURE};
use super::stimulation::{Envelope, MOST_CURRENT, biphasic};
use super::substrate::Tissue;
use super::substrate::medium;
use async_trait::async_trait;
use isoform_core::bound::Accuracy;
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::profile::{Class, Facets, Limits, Profile, Takes};
use isoform_core::program::Program;
use isoform_core::report::Report;
use isoform_core::signal::{Extent, Signal, SignalMut};
use isoform_core::substrate::{Cancel, Realization, Run, Substrate};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// The most ticks of one request.
const TICKS: usize = 1000;
/// No answer is longer, in bytes: every channel fires and is stimulated in every tick.
const MOST_LINE: u64 = 1 << 20;
/// How long a child may take to end by itself.
const FAREWELL: Duration = Duration::from_secs(5);
/// Microseconds of a tick.
const TICK: u64 = super::dish::TICK;

/// A culture behind a child process. Each realization starts a child of its own, of which a device may allow one.
#[derive(Debug)]
pub struct Bridge {
    command: Vec<String>,
    deadline: Duration,
    profile: Arc<Profile>,
}

impl Bridge {
    /// A culture behind a program: its path and its arguments. An answer may be late by `deadline`, the first one included.
    #[must_use]
    pub fn new(command: Vec<String>, deadline: Duration) -> Self {
        let profile = Profile {
            name: String::from("culture behind a program"),
            version: String::from(env!("CARGO_PKG_VERSION")),
            device: command.join(" "),
            class: Class::FreeRunning,
            accuracy: Accuracy::single(),
            facets: Facets::default(),
            limits: Limits {
                input: [-MOST_CURRENT, MOST_CURRENT],
                ticks: TICKS,
                batch: 1,
                channels: CHANNELS,
                ..Limits::default()
            },
            takes: Takes { nodes: vec![CULTURE.to_owned()], cycles: false, ..Takes::default() },
            medium: Some(medium(Tissue::Culture { plastic: true, delayed: true })),
        };
        Self { command, deadline, profile: Arc::new(profile) }
    }
}

#[async_trait]
impl Substrate for Bridge {
    fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.profile)
    }

    async fn realize(&self, program: &Program, run: &Run) -> Result<Box<dyn Realization>> {
        self.profile.admit(program)?;
        program::admit(program, run)?;
        Ok(Box::new(Bridged::start(&self.command, self.deadline, run.cancel.clone())?))
    }

    fn exemplars(&self) -> Vec<Program> {
        program::program().into_iter().collect()
    }
}

/// A child that is listened to.
#[derive(Debug)]
struct Bridged {
    child: Child,
    to: Option<ChildStdin>,
    from: Receiver<std::io::Result<String>>,
    deadline: Duration,
    cancel: Cancel,
    frames: u64,
    envelope: Envelope,
    ahead: Envelope,
    /// Ticks that were asked for: the clock of the envelope.
    ticks: u64,
    /// The frame after the last one that was listened to.
    end: Option<u64>,
    row: [f32; CHANNELS],
    request: String,
}

impl Bridged {
    fn start(command: &[String], deadline: Duration, cancel: Cancel) -> Result<Self> {
        let (program, arguments) = command.split_first().ok_or_else(|| Error::unsupported("no program is named"))?;
        let spawned = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|e| Error::not_found(format!("{program} cannot be started: {e}")).with_source(e))?;
        let (to, out) = (child.stdin.take(), child.stdout.take());
        let from = lines(out);
        let envelope = Envelope::new(CHANNELS);
        let mut bridged = Self {
            child,
            to,
            from,
            deadline,
            cancel,
            frames: 0,
            ahead: envelope.clone(),
            envelope,
            ticks: 0,
            end: None,
            row: [0.0; CHANNELS],
            request: String::new(),
        };
        let said = bridged.answer(deadline)?;
        bridged.frames = greeting(&said).ok_or_else(|| foreign("a greeting", &said))?;
        Ok(bridged)
    }

    /// Waits for a line.
    fn answer(&mut self, within: Duration) -> Result<String> {
        let error = match self.from.recv_timeout(within) {
            Ok(Ok(line)) => return Ok(line),
            Ok(Err(e)) => {
                Error::new(ErrorKind::Protocol, format!("the program does not answer in lines of text: {e}")).with_source(e)
            }
            Err(RecvTimeoutError::Timeout) => {
                Error::new(ErrorKind::Timeout, format!("the program gave no answer within {within:?}"))
            }
            Err(RecvTimeoutError::Disconnected) => Error::new(ErrorKind::Disconnected, "the program has ended; realize again"),
        };
        Err(self.lose(error))
    }

    /// Ends the talk: a late or foreign answer must not be taken for that of the next request.
    fn lose(&mut self, error: Error) -> Error {
        self.to = None;
        error.with_state_lost()
    }

    /// Writes the request for a block, after checking all of it against the safety envelope.
    fn write(&mut self, x: Signal<'_>, extent: Extent) -> Result<()> {
        self.ahead.clone_from(&self.envelope);
        self.request.clear();
        // writing to a string does not fail
        let _ = write!(self.request, "advance {}", extent.ticks);
        for tick in 0..extent.ticks {
            x.row(extent, tick, &mut self.row);
            for (channel, &current) in self.row.iter().enumerate().filter(|(_, i)| **i != 0.0) {
                let now = (self.ticks + tick as u64) * TICK;
                self.ahead
                    .admit(now, channel, &biphasic(f64::from(current)))
                    .map_err(|refusal| Error::invalid_signal(format!("tick {tick}, {refusal}")).with_source(refusal))?;
                let _ = write!(self.request, " {tick}:{channel}:{current}");
            }
        }
        self.request.push('\n');
        Ok(())
    }

    fn send(&mut self) -> Result<()> {
        let gone = || Error::new(ErrorKind::Disconnected, "the program has ended; realize again").with_state_lost();
        let to = self.to.as_mut().ok_or_else(gone)?;
        to.write_all(self.request.as_bytes()).and_then(|()| to.flush()).map_err(|e| gone().with_source(e))
    }

    /// Takes in what a block said: writes spikes, checks stimuli and the clock, gives the ticks lost before it.
    fn take(&mut self, said: &str, y: &mut SignalMut<'_>, extent: Extent) -> Option<u64> {
        let mut words = said.strip_prefix("done ")?.split_ascii_whitespace();
        let (start, end): (u64, u64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let last = self.end.unwrap_or(start);
        if end.checked_sub(start)? != extent.ticks as u64 * self.frames || start < last {
            return None;
        }
        let mut tick = 0;
        self.row.fill(0.0);
        for word in words.by_ref().take_while(|word| *word != "|") {
            let [at, channel] = place(word, extent)?;
            while tick < at {
                y.put(extent, tick, &self.row);
                self.row.fill(0.0);
                tick += 1;
            }
            // ticks that go back are no order
            if at < tick {
                return None;
            }
            self.row[channel] = 1.0;
        }
        while tick < extent.ticks {
            y.put(extent, tick, &self.row);
            self.row.fill(0.0);
            tick += 1;
        }
        // what was delivered is what was asked for, and nothing else
        let mut asked = self.request.split_ascii_whitespace().skip(2);
        for word in words {
            let current = asked.next()?.strip_prefix(word)?;
            place(word, extent).filter(|_| current.starts_with(':'))?;
        }
        self.end = Some(end);
        asked.next().is_none().then(|| (start - last) / self.frames)
    }
}

/// A spike or stimulus: tick and channel.
fn place(word: &str, extent: Extent) -> Option<[usize; 2]> {
    let (tick, channel) = word.split_once(':')?;
    let place = [tick.parse().ok()?, channel.parse().ok()?];
    (place[0] < extent.ticks && place[1] < CHANNELS).then_some(place)
}

/// The frames of a tick, out of a greeting for as many channels as a culture has.
fn greeting(said: &str) -> Option<u64> {
    let mut words = said.strip_prefix("ready ")?.split_ascii_whitespace();
    let (_, channels, rate) = (words.next()?, words.next()?.parse::<usize>().ok()?, words.next()?.parse::<u64>().ok()?);
    (channels == CHANNELS && rate >= 1000 && rate.is_multiple_of(1000)).then_some(rate / 1000)
}

fn foreign(what: &str, said: &str) -> Error {
    let said: String = said.chars().take(80).collect();
    Error::new(ErrorKind::Protocol, format!("{said:?} is not {what} of a culture of {CHANNELS} channels"))
}

/// The lines of a child, read by a thread of its own so that one can stop waiting.
fn lines(out: Option<ChildStdout>) -> Receiver<std::io::Result<String>> {
    let (full, lines) = sync_channel(1);
    std::thread::spawn(move || {
        let Some(out) = out else { return };
        let mut reader = BufReader::new(out);
        loop {
            let mut line = String::new();
            let read = reader.by_ref().take(MOST_LINE).read_line(&mut line);
            let line = match read {
                Ok(0) => return,
                Ok(_) if !line.ends_with('\n') => Err(std::io::Error::other("a line has no end")),
                read => read.map(|_| line),
            };
            let is_bad = line.is_err();
            if full.send(line).is_err() || is_bad {
                return;
            }
        }
    });
    lines
}

#[async_trait]
impl Realization for Bridged {
    async fn advance(&mut self, x: Signal<'_>, mut y: SignalMut<'_>, ticks: usize) -> Result<Report> {
        let extent = Extent { ticks, batch: 1, channels: CHANNELS };
        if ticks == 0 || self.cancel.is_raised() {
            return Ok(Report::of(0));
        }
        self.write(x, extent)?;
        self.send()?;
        let length = Duration::from_micros(ticks as u64 * TICK);
        let said = self.answer(self.deadline + length)?;
        let said = said.trim_end();
        if let Some(why) = said.strip_prefix("refused ") {
            return Err(Error::invalid_signal(format!("channel {why}; nothing was stimulated")));
        }
        if let Some(why) = said.strip_prefix("failed ") {
            return Err(self.lose(Error::fault(why.to_owned())));
        }
        let Some(lost) = self.take(said, &mut y, extent) else {
            return Err(self.lose(foreign("the record of such a block", said)));
        };
        std::mem::swap(&mut self.envelope, &mut self.ahead);
        // a gap lay before the block: were it counted behind it, the next pulse would seem that much later after those of this block
        self.ticks += ticks as u64;
        Ok(Report { lost, device: Some(length), ..Report::of(ticks) })
    }

    async fn reset(&mut self) -> Result<()> {
        if self.end.is_none() && self.to.is_some() {
            return Ok(());
        }
        Err(Error::unsupported("a culture cannot be reset; realize the program again"))
    }
}

impl Drop for Bridged {
    fn drop(&mut self) {
        // the end of its input asks the child to end
        self.to = None;
        let end = Instant::now() + FAREWELL;
        while Instant::now() < end {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                _ => return,
            }
        }
        // it may have ended in between
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
