//! Packets and settings of the Cyton as bytes.
//!
//! Source: OpenBCI, Cyton data format and Cyton board SDK (`OpenBCI/Documentation`), firmware 3.

use isoform_serial::error::SerialError;

/// Bytes of a packet.
pub const PACKET: usize = 33;
/// Its first byte.
pub const HEADER: u8 = 0xa0;
/// Channels of a board.
pub const CHANNELS: usize = 8;
/// Samples a second.
pub const RATE: u32 = 250;
/// The end of every text.
pub const END: &[u8] = b"$$$";
/// The largest number of a sample.
pub const LARGEST: i32 = (1 << 23) - 1;
/// The gains, in the order of their digits.
const GAINS: [u8; 7] = [1, 2, 4, 6, 8, 12, 24];

/// One sample of all channels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet {
    /// Counts packets, modulo 256.
    pub counter: u8,
    /// The samples, 24 bits each.
    pub channels: [i32; CHANNELS],
    /// What the footer says: an acceleration, or something of the user's.
    pub aux: [u8; 6],
    /// The last byte, `C0` to `C6`.
    pub footer: u8,
}

/// Whether a byte may end a packet.
#[must_use]
pub fn is_footer(byte: u8) -> bool {
    (0xc0..=0xc6).contains(&byte)
}

impl Packet {
    /// The bytes of a packet; samples are cut to 24 bits.
    #[must_use]
    pub fn encode(&self) -> [u8; PACKET] {
        let mut bytes = [0; PACKET];
        (bytes[0], bytes[1], bytes[32]) = (HEADER, self.counter, self.footer);
        for (to, sample) in bytes[2..26].chunks_exact_mut(3).zip(self.channels) {
            to.copy_from_slice(&sample.to_be_bytes()[1..]);
        }
        bytes[26..32].copy_from_slice(&self.aux);
        bytes
    }

    /// The packet of these bytes, if they begin and end like one.
    #[must_use]
    pub fn decode(bytes: &[u8; PACKET]) -> Option<Self> {
        if bytes[0] != HEADER || !is_footer(bytes[32]) {
            return None;
        }
        let mut packet = Self { counter: bytes[1], channels: [0; CHANNELS], aux: [0; 6], footer: bytes[32] };
        for (to, from) in packet.channels.iter_mut().zip(bytes[2..26].chunks_exact(3)) {
            // the sign is that of the highest byte
            *to = i32::from_be_bytes([from[0], from[1], from[2], 0]) >> 8;
        }
        packet.aux.copy_from_slice(&bytes[26..32]);
        Some(packet)
    }
}

/// A gain of the amplifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gain(u8);

impl Gain {
    /// A gain by what it multiplies with: 1, 2, 4, 6, 8, 12 or 24.
    #[must_use]
    pub fn of(times: u8) -> Option<Self> {
        GAINS.contains(&times).then_some(Self(times))
    }

    /// A gain by its digit, nought to six.
    #[must_use]
    pub fn by_digit(digit: u8) -> Option<Self> {
        GAINS.get(usize::from(digit)).copied().map(Self)
    }

    /// Its digit in settings and registers.
    #[must_use]
    pub fn digit(self) -> u8 {
        GAINS.iter().position(|&g| g == self.0).map_or(6, |at| u8::try_from(at).unwrap_or(6))
    }

    /// Volts of one step of a sample: a reference of 4.5 V over the gain and 2^23 - 1 steps.
    #[must_use]
    pub fn volts(self) -> f64 {
        4.5 / f64::from(self.0) / f64::from(LARGEST)
    }
}

/// What a channel listens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// Its electrode.
    Normal,
    /// Nothing: its inputs are connected with each other.
    Shorted,
    /// The test signal of the converter.
    Test,
}

impl Input {
    /// By its name in locators.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "normal" => Some(Self::Normal),
            "shorted" => Some(Self::Shorted),
            "test" => Some(Self::Test),
            _ => None,
        }
    }

    /// Its digit in settings and registers.
    #[must_use]
    pub fn digit(self) -> u8 {
        match self {
            Self::Normal => 0,
            Self::Shorted => 1,
            Self::Test => 5,
        }
    }
}

/// The settings of a channel, as digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Whether it is switched off.
    pub off: bool,
    /// The digit of the gain.
    pub gain: u8,
    /// The digit of the input.
    pub input: u8,
    /// Whether it takes part in the bias.
    pub bias: bool,
    /// Whether it is measured against the common reference SRB2.
    pub srb2: bool,
    /// Whether it is measured against SRB1.
    pub srb1: bool,
}

impl Setting {
    /// What a channel has after `d`.
    pub const DEFAULT: Self = Self { off: false, gain: 6, input: 0, bias: true, srb2: true, srb1: false };

    /// The command that sets a channel, counted from one.
    #[must_use]
    pub fn command(&self, channel: u8) -> Vec<u8> {
        let digit = |b: bool| b'0' + u8::from(b);
        let Self { off, gain, input, bias, srb2, srb1 } = *self;
        let digits = [digit(off), b'0' + gain, b'0' + input, digit(bias), digit(srb2), digit(srb1)];
        [&[b'x', b'0' + channel], digits.as_slice(), b"X"].concat()
    }

    /// The register of the channel.
    #[must_use]
    pub fn register(&self) -> u8 {
        u8::from(self.off) << 7 | (self.gain & 7) << 4 | u8::from(self.srb2) << 3 | (self.input & 7)
    }
}

/// The registers of the report that `?` gives: name and value of each whose bits agree with its number.
///
/// # Errors
/// `Garbled` for a line of a register whose bits and number differ.
pub fn registers(text: &[u8]) -> Result<Vec<(String, u8)>, SerialError> {
    let mut found = Vec::new();
    for line in text.split(|&b| b == b'\n') {
        let fields: Vec<&str> = std::str::from_utf8(line).unwrap_or("").trim_end().split(", ").collect();
        let [name, _, value, bits @ ..] = fields.as_slice() else { continue };
        let garbled = |why: &str| SerialError::garbled("the report of the registers", line, why);
        let value = u8::from_str_radix(value, 16).map_err(|_| garbled("a value is no number"))?;
        let spelled = bits.iter().try_fold(0_u8, |all, bit| match *bit {
            "0" => Some(all << 1),
            "1" => Some(all << 1 | 1),
            _ => None,
        });
        if bits.len() != 8 || spelled != Some(value) {
            return Err(garbled("the bits are not those of the value"));
        }
        found.push(((*name).to_owned(), value));
    }
    Ok(found)
}

/// Finds packets in a stream of bytes.
///
/// Any byte of a sample may look like a header or a footer. Once in step, a packet follows a packet; out of step, only two in a row are believed.
#[derive(Debug, Clone, Default)]
pub struct Framer {
    bytes: Vec<u8>,
    in_step: bool,
    passed: usize,
    text: bool,
}

/// What is in the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A packet.
    Packet(Packet),
    /// Nothing before so many more bytes.
    Need(usize),
}

impl Framer {
    /// Takes in bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    /// Bytes that were no packets since the last packet.
    #[must_use]
    pub fn passed(&self) -> usize {
        self.passed
    }

    /// Whether what was passed over had the end of a text in it, as a board sends after its start.
    #[must_use]
    pub fn saw_text(&self) -> bool {
        self.text || self.bytes.windows(END.len()).any(|w| w == END)
    }

    /// The next packet, or how many bytes are needed to find it.
    pub fn find(&mut self) -> Found {
        loop {
            let need = if self.in_step { PACKET } else { 2 * PACKET };
            if let Some(first) = self.bytes.first_chunk() {
                match Packet::decode(first) {
                    None => self.pass(),
                    Some(packet) if self.in_step => return self.accept(packet),
                    Some(_) if self.bytes.len() < need => return Found::Need(need - self.bytes.len()),
                    Some(packet) => match self.bytes[PACKET..].first_chunk().map(Packet::decode) {
                        Some(Some(_)) => return self.accept(packet),
                        _ => self.pass(),
                    },
                }
            } else {
                return Found::Need(PACKET - self.bytes.len());
            }
        }
    }

    fn accept(&mut self, packet: Packet) -> Found {
        self.bytes.drain(..PACKET);
        (self.in_step, self.passed, self.text) = (true, 0, false);
        Found::Packet(packet)
    }

    /// Passes over what cannot begin a packet.
    fn pass(&mut self) {
        let next = self.bytes.iter().skip(1).position(|&b| b == HEADER).map_or(self.bytes.len(), |at| at + 1);
        self.text |= self.bytes[..next].windows(END.len()).any(|w| w == END);
        self.bytes.drain(..next);
        self.passed += next;
        self.in_step = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet(counter: u8) -> Packet {
        Packet { counter, channels: [1, -1, LARGEST, -LARGEST - 1, 0xa0, 256, -256, 0], aux: [0; 6], footer: 0xc0 }
    }

    #[test]
    fn a_packet_is_bytes() {
        let bytes = packet(7).encode();
        assert_eq!(bytes[..14], [0xa0, 7, 0, 0, 1, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0x80, 0, 0]);
        assert_eq!((bytes[16], bytes[32]), (0xa0, 0xc0));
        assert_eq!(Packet::decode(&bytes), Some(packet(7)));
        let mut other = bytes;
        other[32] = 0xc7;
        assert_eq!(Packet::decode(&other), None);
    }

    #[test]
    fn a_step_at_gain_24_is_22_nanovolts() {
        let step = Gain::of(24).expect("a gain").volts();
        assert!((step - 0.02235e-6).abs() < 0.000_005e-6, "{step}");
        assert_eq!(Gain::of(24).map(Gain::digit), Some(6));
        assert_eq!(Gain::of(3), None);
    }

    #[test]
    fn settings_are_commands_and_registers() {
        let third = Setting { gain: 2, input: 0, bias: false, srb2: false, ..Setting::DEFAULT };
        assert_eq!(third.command(3), b"x3020000X");
        assert_eq!(Setting::DEFAULT.command(1), b"x1060110X");
        assert_eq!(Setting::DEFAULT.register(), 0x68);
        assert_eq!(Setting { off: true, input: 1, ..third }.register(), 0xa1);
    }

    #[test]
    fn registers_are_read_twice_over() {
        let text = b"\nBoard ADS Registers\nADS_ID, 00, 3E, 0, 0, 1, 1, 1, 1, 1, 0\nCH1SET, 05, 68, 0, 1, 1, 0, 1, 0, 0, 0\n\nLIS3DH Registers\n0x07 00\n";
        let found = registers(text).expect("read");
        assert_eq!(found, [(String::from("ADS_ID"), 0x3e), (String::from("CH1SET"), 0x68)]);
        assert!(registers(b"CH1SET, 05, 28, 0, 1, 1, 0, 1, 0, 0, 0\n").is_err());
        assert!(registers(b"CH1SET, 05, 6x, 0, 1, 1, 0, 1, 0, 0, 0\n").is_err());
    }

    fn all(framer: &mut Framer, mut bytes: &[u8]) -> Vec<Packet> {
        let mut packets = Vec::new();
        loop {
            match framer.find() {
                Found::Packet(packet) => packets.push(packet),
                Found::Need(n) if n > bytes.len() => return packets,
                Found::Need(n) => {
                    framer.push(&bytes[..n]);
                    bytes = &bytes[n..];
                }
            }
        }
    }

    #[test]
    fn a_header_within_a_packet_is_not_believed() {
        // read from the middle: the fifth sample holds A0, and 32 bytes after it the next packet may hold C0
        let mut second = packet(2);
        second.channels[4] = 0xc0_a0;
        let stream = [packet(1), second, packet(3), packet(4)].map(|p| p.encode()).concat();
        let mut framer = Framer::default();
        let found = all(&mut framer, &stream[10..]);
        assert_eq!(found.iter().map(|p| p.counter).collect::<Vec<_>>(), [2, 3, 4]);
    }

    #[test]
    fn a_lost_byte_costs_one_packet() {
        let mut stream = (0..6).map(packet).flat_map(|p| p.encode()).collect::<Vec<_>>();
        stream.remove(2 * PACKET + 9);
        let found = all(&mut Framer::default(), &stream);
        assert_eq!(found.iter().map(|p| p.counter).collect::<Vec<_>>(), [0, 1, 3, 4, 5]);
    }

    proptest! {
        #[test]
        fn every_packet_comes_back(counter: u8, channels in proptest::array::uniform8(-LARGEST - 1..=LARGEST), aux: [u8; 6], footer in 0xc0_u8..=0xc6) {
            let packet = Packet { counter, channels, aux, footer };
            prop_assert_eq!(Packet::decode(&packet.encode()), Some(packet));
        }

        #[test]
        fn hostile_bytes_are_passed_over(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = registers(&noise);
            let mut framer = Framer::default();
            let stream = [noise.as_slice(), &(0..12).map(packet).flat_map(|p| p.encode()).collect::<Vec<_>>()].concat();
            let found = all(&mut framer, &stream);
            prop_assert!(found.ends_with(&[packet(10), packet(11)]), "{found:?}");
        }
    }
}
