//! A serial port at the far end of a network, by the Telnet option of RFC 2217.

use super::{Parity, Settings, Tcp, Transport};
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
        line.agree()?;
        Ok(line)
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
        while self.telnet.baud.is_none() && !self.telnet.refused {
            let left = end.saturating_sub(self.tcp.now());
            if left.is_zero() {
                break;
            }
            self.take_in(left)?;
        }
        match self.telnet.baud {
            Some(baud) if baud == self.settings.baud => Ok(()),
            Some(baud) => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("the port at {} has {baud} baud instead of {}", self.tcp.name(), self.settings.baud),
            )),
            None => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("{} does not agree to be a serial port by RFC 2217; try tcp:", self.tcp.name()),
            )),
        }
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
        if let [COM_PORT, command, a, b, c, d, ..] = *self.suboption.as_slice()
            && command == SET_BAUDRATE + ANSWER
        {
            self.baud = Some(u32::from_be_bytes([a, b, c, d]));
        }
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

    fn now(&self) -> Duration {
        self.tcp.now()
    }

    fn sleep(&mut self, time: Duration) {
        self.tcp.sleep(time);
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.tcp.reopen()?;
        self.agree()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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

    #[test]
    fn a_peer_that_reads_nothing_holds_nobody_longer_than_he_may_be() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let peer = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("connects");
            let mut agreed = Vec::new();
            suboption(&mut agreed, SET_BAUDRATE + ANSWER, &9600_u32.to_be_bytes());
            stream.write_all(&agreed).expect("is read");
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
