//! A letter and a whole number out, echoed lines in.

/// The most pulses that are asked for at a time: the firmware reads a signed number of 16 bits.
pub const MOST_PULSES: u16 = 32_767;

/// What the board is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command {
    /// Selects a memristor, from one to eight.
    Select(u8),
    /// The sign of the pulses: -1, nought for none, or 1.
    Polarity(i8),
    /// The rails.
    Power(bool),
    /// So many pulses.
    Pulses(u16),
}

impl Command {
    /// The letter and the number.
    #[must_use]
    pub fn words(self) -> (char, i32) {
        match self {
            Self::Select(n) => ('m', n.into()),
            Self::Polarity(p) => ('p', p.into()),
            Self::Power(on) => ('q', on.into()),
            Self::Pulses(n) => ('w', n.into()),
        }
    }

    /// The bytes; the newline spares the second that the board waits for further digits.
    #[must_use]
    pub fn bytes(self) -> Vec<u8> {
        let (letter, number) = self.words();
        format!("{letter}{number}\n").into_bytes()
    }

    /// The lines that answer it.
    #[must_use]
    pub fn answer(self) -> Vec<String> {
        let (letter, number) = self.words();
        let mut lines = vec![letter.to_string(), number.to_string()];
        lines.extend(match self {
            Self::Select(n) => Some(format!("Memristor {n} SELECTED")),
            Self::Polarity(-1) => Some(String::from("Pulse set to REVERSE")),
            Self::Polarity(0) => Some(String::from("Pulse set to DISCONNECT")),
            Self::Polarity(_) => Some(String::from("Pulse set to FORWARD")),
            Self::Power(true) => Some(String::from("Power is ON")),
            Self::Power(false) => Some(String::from("Power is OFF")),
            Self::Pulses(_) => None,
        });
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_echoes_are_those_of_the_firmware() {
        assert_eq!(Command::Select(3).bytes(), b"m3\n");
        assert_eq!(Command::Select(3).answer(), ["m", "3", "Memristor 3 SELECTED"]);
        assert_eq!(Command::Polarity(-1).bytes(), b"p-1\n");
        assert_eq!(Command::Polarity(-1).answer(), ["p", "-1", "Pulse set to REVERSE"]);
        assert_eq!(Command::Power(true).answer(), ["q", "1", "Power is ON"]);
        assert_eq!(Command::Pulses(5).bytes(), b"w5\n");
        assert_eq!(Command::Pulses(5).answer(), ["w", "5"]);
    }
}
