//! An optical power meter with a detector for each output, as an instrument of SCPI.
//!
//! Words of the Thorlabs PM100 family (manuals of the PM100D and PM100USB), with one thing of an array: a list of channels chooses the
//! detectors, as on multichannel meters and scanners, `READ:POW? (@1:4)`. `READ` measures and answers; `FETC` gives the same numbers again
//! without measuring, so that a line without a check sum can be checked.

use super::chip::Chip;
use crate::scpi::codec;
use crate::scpi::dialogue::Dialogue;
use crate::scpi::twin::{Commands, Done, Failure, Order};
use isoform_serial::error::{Result, SerialError};
use isoform_serial::link::Link;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long an answer of the meter may take.
const WITHIN: Duration = Duration::from_millis(500);
/// How often a reading is fetched until two agree.
const FETCHES: usize = 4;
/// What to look at where a power cannot be.
const ADVICE: &str = "zero the meter in the dark, and check its range and the options power and reference";
/// How long the twin averages.
const AVERAGE: Duration = Duration::from_millis(1);

/// The host's side.
#[derive(Debug, Clone)]
pub struct Meter {
    /// A word of its identity.
    pub model: String,
    /// Nanometres.
    pub wavelength: f64,
}

impl Meter {
    fn dialogue() -> Dialogue {
        Dialogue::new(WITHIN)
    }

    /// Makes sure that it is there; gives its identity.
    ///
    /// # Errors
    /// `WrongDevice`, and what the line says.
    pub fn identify(&self, link: &mut Link) -> Result<String> {
        Self::dialogue().begin(link, "power meter", &[&self.model]).map(|identity| identity.to_string())
    }

    /// Sets it up, and reads back what was set.
    ///
    /// # Errors
    /// `Refused` if it has no such wavelength, `Fault` if it has set another one; what the line says.
    pub fn prepare(&self, link: &mut Link) -> Result<()> {
        let dialogue = Self::dialogue();
        dialogue.tell(link, b"*RST")?;
        dialogue.tell(link, format!("CORR:WAV {}", self.wavelength).as_bytes())?;
        let answer = dialogue.ask(link, b"CORR:WAV?")?;
        let set = codec::numbers("the wavelength", &answer, 1)?[0];
        if (set - self.wavelength).abs() > 0.01 {
            let said = format!("it is set to {set} nm instead of {}", self.wavelength);
            return Err(SerialError::Fault { what: String::from("setting the wavelength"), said });
        }
        dialogue.tell(link, b"POW:UNIT W")?;
        match dialogue.ask(link, b"POW:UNIT?")?.as_slice() {
            b"W" => dialogue.is_well(link, "the preparation of the meter"),
            other => Err(SerialError::garbled("the unit of power", other, "it is not W")),
        }
    }

    /// Measures at the first so many detectors, in watts, of which there can be so many.
    ///
    /// # Errors
    /// `Garbled` if no two of its answers agree, `Fault` if it complains or reads what cannot be; what the line says.
    pub fn read(&self, link: &mut Link, detectors: usize, range: [f64; 2]) -> Result<Vec<f64>> {
        let dialogue = Self::dialogue();
        let mut last = dialogue.ask(link, format!("READ:POW? (@1:{detectors})").as_bytes())?;
        for _ in 0..FETCHES {
            let again = dialogue.ask(link, format!("FETC:POW? (@1:{detectors})").as_bytes())?;
            if again == last {
                return codec::numbers_within("the powers", &again, detectors, range, ADVICE);
            }
            last = again;
        }
        Err(SerialError::garbled("the powers", &last, "no two answers about one measurement agree"))
    }

    /// Makes sure that it has not restarted, and complains of nothing.
    ///
    /// # Errors
    /// `Restarted`, `Fault`; what the line says.
    pub fn is_well(&self, link: &mut Link) -> Result<()> {
        Self::dialogue().is_well(link, "a measurement of power")
    }
}

/// The meter in software, at the detectors of a chip.
#[derive(Debug)]
pub struct Detectors {
    chip: Arc<Mutex<Chip>>,
    wavelength: f64,
    last: Option<Vec<f64>>,
}

/// The wavelength after `*RST`, in nanometres.
const DEFAULT: f64 = 635.0;
/// The wavelengths that it has a responsivity for, in nanometres.
const RANGE: [f64; 2] = [400.0, 1700.0];

impl Detectors {
    /// A meter at a chip.
    #[must_use]
    pub fn new(chip: Arc<Mutex<Chip>>) -> Self {
        Self { chip, wavelength: DEFAULT, last: None }
    }

    fn measure(&mut self, now: Duration) -> Vec<f64> {
        self.chip.lock().unwrap_or_else(PoisonError::into_inner).read(now)
    }

    fn chosen(powers: &[f64], order: &Order<'_>) -> Result<Vec<u8>, Failure> {
        let channels = match order.arguments {
            [] => vec![1],
            _ => order.only()?.channels().ok_or(Failure::TYPE)?,
        };
        if channels.is_empty() {
            return Err(Failure::RANGE);
        }
        let mut line = String::new();
        for channel in channels {
            let power = channel.checked_sub(1).and_then(|c| powers.get(c)).ok_or(Failure::RANGE)?;
            let comma = if line.is_empty() { "" } else { "," };
            let _ = write!(line, "{comma}{power:.8E}");
        }
        Ok(line.into_bytes())
    }
}

impl Commands for Detectors {
    fn identity(&self) -> String {
        String::from("ISOFORM,PM-ARRAY,0001,1.0")
    }

    fn patterns(&self) -> &'static [&'static str] {
        &["[SENSe:]CORRection:WAVelength", "[SENSe:]POWer:UNIT", "MEASure[:SCALar][:POWer]", "READ[:POWer]", "FETCh[:POWer]"]
    }

    fn execute(&mut self, order: Order<'_>) -> Result<Done, Failure> {
        match (order.pattern, order.query) {
            ("[SENSe:]CORRection:WAVelength", false) => {
                self.wavelength = order.number(RANGE)?;
                Ok(Done::at_once())
            }
            ("[SENSe:]CORRection:WAVelength", true) => Ok(Done::answer(match order.arguments {
                [] => format!("{:.6E}", self.wavelength),
                _ => format!("{:.6E}", order.number(RANGE)?),
            })),
            ("[SENSe:]POWer:UNIT", false) => {
                if order.only()?.is("W") {
                    Ok(Done::at_once())
                } else {
                    Err(Failure::RANGE)
                }
            }
            ("[SENSe:]POWer:UNIT", true) => Ok(Done::answer("W")),
            ("FETCh[:POWer]", true) => {
                let powers = self.last.clone().ok_or(Failure::STALE)?;
                Self::chosen(&powers, &order).map(Done::answer)
            }
            (_, true) => {
                let powers = self.measure(order.now);
                let answer = Self::chosen(&powers, &order)?;
                self.last = Some(powers);
                Ok(Done::answer(answer).taking(AVERAGE))
            }
            _ => Err(Failure::UNDEFINED),
        }
    }

    fn reset(&mut self, _: Duration) {
        self.wavelength = DEFAULT;
        self.last = None;
    }
}
