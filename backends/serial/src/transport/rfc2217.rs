//! A serial port at the far end of a network, by the Telnet option of RFC 2217.

use super::{Parity, Settings, Tcp, Transport, pace};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::time::Duration;

/// "Interpret as command", and the commands of RFC 854.
const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;
/// Options: eight-bit data, no go-aheads, the serial port.
const BINARY: u8 = 0;
const SUPPRESS_GO_AHEAD: u8 = 3;
const COM_PORT: u8 = 44;
/// Subcommands of the serial port; answers are a hundred above.
const SET_BAUDRATE: u8 = 1;
const SET_DATASIZE: u8 = 2;
const SET_PARITY: u8 = 3;
const SET_STOPSIZE: u8 = 4;
const SET_CONTROL: u8 = 5;
const PURGE_DATA: u8 = 12;
const ANSWER: u8 = 100;

/// How long the other end may take to agree.
const AGREE: Duration = Duration::from_secs(3);
/// The most bytes that wait to be sent before questions of the other end go unanswered.
const MOST_WAITING: usize = 1 << 14;
/// More bytes of a suboption than any answer has.
const LONGEST: usize = 256;

/// A serial port at the far end of a network.
#[derive(Debug)]
pub struct Rfc2217 {
    tcp: Tcp,
    settings: Settings,
    telnet: Telnet,
    /// What waits to be sent: escaped bytes, and answers.
    out: VecDeque<u8>,
}

impl Rfc2217 {
    /// Connects to `HOST:PORT` and sets the port there.
    ///
    /// # Errors
    /// If nobody listens, it takes nothing for three seconds, or the other end does not agree to be a serial port with these settings.
    pub fn connect(address: &str, settings: Settings) -> io::Result<Self> {
        let mut line = Self { tcp: Tcp::connect(address)?, settings, telnet: Telnet::default(), out: VecDeque::new() };
        line.begin()?;
        Ok(line)
    }

    /// Comes to an agreement, or hangs up.
    fn begin(&mut self) -> io::Result<()> {
        self.agree().inspect_err(|_| self.tcp.hang_up())
    }

    fn agree(&mut self) -> io::Result<()> {
        self.telnet = Telnet::default();
        let parity = match self.settings.parity {
            Parity::None => 1,
            Parity::Odd => 2,
            Parity::Even => 3,
        };
        let mut hello = vec![IAC, WILL, COM_PORT];
        for option in [BINARY, SUPPRESS_GO_AHEAD] {
            hello.extend([IAC, WILL, option, IAC, DO, option]);
        }
        suboption(&mut hello, SET_BAUDRATE, &self.settings.baud.to_be_bytes());
        suboption(&mut hello, SET_DATASIZE, &[8]);
        suboption(&mut hello, SET_PARITY, &[parity]);
        suboption(&mut hello, SET_STOPSIZE, &[1]);
        // neither flow control
        suboption(&mut hello, SET_CONTROL, &[1]);
        // what is on its way from before
        suboption(&mut hello, PURGE_DATA, &[3]);
        let end = self.tcp.now() + AGREE;
        self.out = hello.into();
        self.flush(AGREE)?;
        while !self.telnet.has_agreed() && !self.telnet.refused {
            let left = end.saturating_sub(self.tcp.now());
            if left.is_zero() {
                break;
            }
            let taken = self.take_in(left);
            // servers say in words that somebody else has the port, and hang up
            if taken.is_err()
                && self.telnet.data.make_contiguous().to_ascii_lowercase().windows(6).any(|words| words == b"in use")
            {
                return Err(io::Error::from(io::ErrorKind::ResourceBusy));
            }
            taken?;
            // what the port says before is of another session
            let old = self.telnet.data.len().saturating_sub(LONGEST);
            self.telnet.data.drain(..old);
        }
        self.telnet.data.clear();
        let refuse = |why: String| Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        let name = self.tcp.name();
        match self.telnet.baud {
            Some(baud) if baud == self.settings.baud => {}
            Some(baud) => return refuse(format!("the port at {name} has {baud} baud instead of {}", self.settings.baud)),
            None => return refuse(format!("{name} does not agree to be a serial port by RFC 2217; try tcp:")),
        }
        // a server that says nothing of them is believed
        let wanted = [("bits a character", 8), ("for its parity", parity), ("for its stop bits", 1)];
        for ((what, wanted), seen) in wanted.into_iter().zip(self.telnet.others) {
            if let Some(seen) = seen.filter(|seen| *seen != wanted) {
                return refuse(format!("the port at {name} has {seen} {what} instead of {wanted} (RFC 2217)"));
            }
        }
        Ok(())
    }

    /// Sends what waits, as far as the network takes it in time.
    fn flush(&mut self, wait: Duration) -> io::Result<()> {
        let end = self.tcp.now() + wait;
        while !self.out.is_empty() {
            let taken = self.tcp.write(self.out.as_slices().0, end.saturating_sub(self.tcp.now()))?;
            self.out.drain(..taken);
            if self.tcp.now() >= end {
                break;
            }
        }
        Ok(())
    }

    /// Takes in what there is, and answers what has to be answered.
    fn take_in(&mut self, wait: Duration) -> io::Result<()> {
        let mut piece = [0; 1024];
        let n = self.tcp.read(&mut piece, wait)?;
        for &byte in &piece[..n] {
            self.telnet.take(byte);
        }
        let answers = std::mem::take(&mut self.telnet.answers);
        // whoever asks more than this and reads nothing gets no answer
        if self.out.len() < MOST_WAITING {
            self.out.extend(answers);
        }
        self.flush(Duration::ZERO)
    }
}

fn suboption(to: &mut Vec<u8>, command: u8, value: &[u8]) {
    to.extend([IAC, SB, COM_PORT, command]);
    value.iter().for_each(|&b| escape(to, b));
    to.extend([IAC, SE]);
}

fn escape(to: &mut Vec<u8>, byte: u8) {
    to.push(byte);
    if byte == IAC {
        to.push(IAC);
    }
}

/// What has been understood of a Telnet stream.
#[derive(Debug, Default)]
struct Telnet {
    state: State,
    data: VecDeque<u8>,
    suboption: Vec<u8>,
    answers: Vec<u8>,
    baud: Option<u32>,
    /// Data size, parity and stop size.
    others: [Option<u8>; 3],
    refused: bool,
}

#[derive(Debug, Default, Clone, Copy)]
enum State {
    #[default]
    Data,
    Command,
    Option(u8),
    Suboption,
    SuboptionCommand,
}

impl Telnet {
    fn take(&mut self, byte: u8) {
        self.state = match (self.state, byte) {
            (State::Data, IAC) => State::Command,
            (State::Data, _) => self.keep(byte),
            (State::Command, IAC) => self.keep(IAC),
            (State::Command, WILL | WONT | DO | DONT) => State::Option(byte),
            (State::Command, SB) => {
                self.suboption.clear();
                State::Suboption
            }
            (State::Command, _) => State::Data,
            (State::Option(verb), option) => {
                self.negotiate(verb, option);
                State::Data
            }
            (State::Suboption, IAC) => State::SuboptionCommand,
            (State::Suboption, _) => self.collect(byte),
            (State::SuboptionCommand, IAC) => self.collect(IAC),
            (State::SuboptionCommand, SE) => {
                self.answered();
                State::Data
            }
            (State::SuboptionCommand, _) => State::Data,
        };
    }

    fn keep(&mut self, byte: u8) -> State {
        self.data.push_back(byte);
        State::Data
    }

    fn collect(&mut self, byte: u8) -> State {
        if self.suboption.len() < LONGEST {
            self.suboption.push(byte);
        }
        State::Suboption
    }

    /// Agrees to what was offered here, and refuses the rest; what was agreed to is not agreed to again.
    fn negotiate(&mut self, verb: u8, option: u8) {
        let ours = matches!(option, BINARY | SUPPRESS_GO_AHEAD | COM_PORT);
        match verb {
            DONT if option == COM_PORT => self.refused = true,
            DO if !ours => self.answers.extend([IAC, WONT, option]),
            WILL if !ours => self.answers.extend([IAC, DONT, option]),
            _ => {}
        }
    }

    fn answered(&mut self) {
        const BAUDRATE: u8 = SET_BAUDRATE + ANSWER;
        const DATASIZE: u8 = SET_DATASIZE + ANSWER;
        const STOPSIZE: u8 = SET_STOPSIZE + ANSWER;
        match *self.suboption.as_slice() {
            [COM_PORT, BAUDRATE, a, b, c, d, ..] => self.baud = Some(u32::from_be_bytes([a, b, c, d])),
            [COM_PORT, command @ DATASIZE..=STOPSIZE, value, ..] => self.others[usize::from(command - DATASIZE)] = Some(value),
            _ => {}
        }
    }

    /// Whether every setting was answered.
    fn has_agreed(&self) -> bool {
        self.baud.is_some() && self.others.iter().all(Option::is_some)
    }
}

impl Transport for Rfc2217 {
    fn name(&self) -> String {
        self.tcp.name()
    }

    fn read(&mut self, into: &mut [u8], wait: Duration) -> io::Result<usize> {
        let end = self.tcp.now() + wait;
        self.flush(Duration::ZERO)?;
        while self.telnet.data.is_empty() {
            self.take_in(end.saturating_sub(self.tcp.now()))?;
            if self.tcp.now() >= end {
                break;
            }
        }
        self.telnet.data.read(into)
    }

    fn write(&mut self, bytes: &[u8], wait: Duration) -> io::Result<usize> {
        let end = self.tcp.now() + wait;
        self.flush(wait)?;
        if !self.out.is_empty() {
            return Ok(0);
        }
        let mut escaped = Vec::with_capacity(bytes.len());
        bytes.iter().for_each(|&b| escape(&mut escaped, b));
        self.out = escaped.into();
        self.flush(end.saturating_sub(self.tcp.now()))?;
        Ok(bytes.len())
    }

    fn pace(&self) -> Duration {
        pace(self.settings)
    }

    fn now(&self) -> Duration {
        self.tcp.now()
    }

    fn sleep(&mut self, time: Duration) {
        self.tcp.sleep(time);
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.tcp.reopen()?;
        self.begin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::SerialError;
    use isoform_core::error::ErrorKind;
    use std::io::Write;
    use std::net::TcpListener;

    #[test]
    fn a_stream_of_commands_and_data_comes_apart() {
        let mut telnet = Telnet::default();
        let mut stream = b"a".to_vec();
        stream.extend([IAC, IAC, IAC, DO, 1, IAC, WILL, COM_PORT]);
        suboption(&mut stream, SET_BAUDRATE + ANSWER, &921_600_u32.to_be_bytes());
        stream.extend(b"z");
        stream.iter().for_each(|&b| telnet.take(b));
        assert_eq!(telnet.data, [b'a', IAC, b'z']);
        assert_eq!(telnet.baud, Some(921_600));
        assert_eq!(telnet.answers, [IAC, WONT, 1]);
        assert!(!telnet.refused);
    }

    /// What a server says that takes 9600 baud and this parity.
    fn agreement(parity: u8) -> Vec<u8> {
        let mut said = b"before".to_vec();
        suboption(&mut said, SET_BAUDRATE + ANSWER, &9600_u32.to_be_bytes());
        for (command, value) in [(SET_DATASIZE, 8), (SET_PARITY, parity), (SET_STOPSIZE, 1)] {
            suboption(&mut said, command + ANSWER, &[value]);
        }
        said
    }

    #[test]
    fn a_port_that_somebody_else_has_is_busy() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let peer = std::thread::spawn(move || {
            for words in ["Port already in use\r\n", "go away\r\n"] {
                let (mut stream, _) = listener.accept().expect("connects");
                stream.write_all(words.as_bytes()).expect("is read");
            }
        });
        let settings = Settings { baud: 9600, parity: Parity::None };
        let mut kinds = Vec::new();
        for _ in 0..2 {
            let error = Rfc2217::connect(&address, settings).expect_err("is taken");
            kinds.push(SerialError::open(&address, error).kind());
        }
        assert_eq!(kinds, [ErrorKind::Busy, ErrorKind::NotFound]);
        peer.join().expect("both were told");
    }

    #[test]
    fn a_setting_that_the_server_does_not_take_is_no_agreement() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let peer = std::thread::spawn(move || {
            for parity in [1, 3] {
                let (mut stream, _) = listener.accept().expect("connects");
                stream.write_all(&agreement(parity)).expect("is read");
                // until the other end hangs up
                let _ = stream.read_to_end(&mut Vec::new());
            }
        });
        let settings = Settings { baud: 9600, parity: Parity::Even };
        let refused = Rfc2217::connect(&address, settings).expect_err("has no parity").to_string();
        assert!(refused.contains("has 1 for its parity instead of 3"), "{refused}");
        let mut line = Rfc2217::connect(&address, settings).expect("agrees");
        assert_eq!(line.read(&mut [0; 8], Duration::from_millis(1)).expect("stands"), 0, "what was said before is gone");
        assert_eq!(line.pace(), Duration::from_secs(11) / 9600);
        drop(line);
        peer.join().expect("no panic");
    }

    #[test]
    fn a_peer_that_reads_nothing_holds_nobody_longer_than_he_may_be() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let peer = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("connects");
            stream.write_all(&agreement(1)).expect("is read");
            stream
        });
        let mut line = Rfc2217::connect(&address, Settings { baud: 9600, parity: Parity::None }).expect("agrees");
        let _held_open = peer.join().expect("no panic");
        let (wait, piece) = (Duration::from_millis(20), vec![IAC; 1 << 16]);
        // the system keeps some megabytes
        for _ in 0..1000 {
            let start = line.now();
            let taken = line.write(&piece, wait).expect("the connection stands");
            assert!(line.now() - start < wait + Duration::from_millis(100));
            if taken == 0 {
                return;
            }
        }
        panic!("more is taken than any system keeps");
    }

    #[test]
    fn a_suboption_without_end_takes_no_memory() {
        let mut telnet = Telnet::default();
        [IAC, SB, COM_PORT].iter().for_each(|&b| telnet.take(b));
        (0..100_000).for_each(|_| telnet.take(7));
        assert!(telnet.suboption.len() <= LONGEST && telnet.data.is_empty());
    }
}
