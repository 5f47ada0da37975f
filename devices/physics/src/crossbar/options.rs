//! The options of the substrate, read from a locator.

use super::device::Device;
use super::substrate::promised;
use crate::memristor::pcm::Pcm;
use crate::memristor::reram::Wan;
use crate::promise;
use isoform_core::error::{Error, Result};
use isoform_core::locator::Options;

/// The options of `twin:crossbar`, with what each means.
pub const OPTIONS: &[(&str, &str)] = &[
    (
        "device",
        "pcm, hermes or hermes-pair (phase-change cells of the Hermes chip, one or two in parallel), or reram; pcm if absent",
    ),
    ("seed", "number of the chip: chips of other numbers are written otherwise under the same seed of a run; 0 if absent"),
    ("bits", "bits of the converters, 2 to 16; 8 if absent"),
    ("wire", "resistance of a segment of wire in ohms, up to 1000; 0 if absent"),
    ("compensate", "none, or global: outputs are corrected for the common drift by a calibration that expires; none if absent"),
    (
        "output-noise",
        "deviation of the noise of a bit line, in units of the largest weight at the largest input, up to 10; 0.04 if absent",
    ),
    (
        "margin",
        "the most that the mean of an output may be off, in its units; programs that need more are refused; if absent, what the program needs that the chip shows of \
         itself, and a quarter more",
    ),
    ("noise", "the most deviation of one sample of an output, in its units, as for margin"),
    ("drift", "the most that the mean of an output may move within a minute, in its units, as for margin"),
    ("endurance", "writes that a cell bears, 1 or more; that of the device if absent"),
    ("age", "seconds that pass between writing, with what calibration belongs to it, and the first tick; 0 if absent"),
    (
        "promise",
        "used or fresh: whether margin, noise and drift count the age and the reads that are promised for, or are those of a fresh chip, which an old \
         or disturbed one may break; used if absent",
    ),
    (
        "disturb",
        "reads that close all but 1/e of the distance of a cell to its largest conductance, of which each tick of a lane is one: what is promised is \
         promised of one lane, for the first 524288 ticks of a realization, the margin for those of the first minute and from there on but for the \
         drift of each minute more; without end if absent",
    ),
];

/// Seconds for which the drift is declared.
pub(super) const WITHIN: f64 = 60.0;

/// Reads that promises count where reads disturb, since no material declares how many it bears. A whole conformance suite takes no more ticks of one
/// realization than half of them.
pub(super) const READS: u32 = 1 << 19;

/// The most seconds that a chip may be old, some three thousand years.
const OLDEST: f64 = 1e11;

/// The options with their values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Chosen {
    pub(super) device: Device,
    pub(super) seed: u64,
    pub(super) bits: u32,
    pub(super) wire: f64,
    pub(super) is_compensated: bool,
    pub(super) output_noise: f64,
    pub(super) margin: f64,
    pub(super) noise: f64,
    pub(super) drift: f64,
    pub(super) endurance: u32,
    pub(super) disturb: f64,
    pub(super) age: f64,
    /// Whether the promises count age and reads.
    pub(super) is_used: bool,
}

impl Chosen {
    /// Takes every option.
    pub(super) fn read(options: &mut Options<'_>) -> Result<Self> {
        let device = match options.take::<String>("device")?.as_deref() {
            None | Some("pcm") => Device::Pcm(Pcm::default()),
            Some("hermes") => Device::Pcm(Pcm::hermes_single()),
            Some("hermes-pair") => Device::Pcm(Pcm::hermes_pair()),
            Some("reram") => Device::Reram(Wan::default()),
            Some(other) => {
                return Err(Error::unsupported(format!("there is no device {other:?}; take pcm, hermes, hermes-pair or reram")));
            }
        };
        let is_compensated = match options.take::<String>("compensate")?.as_deref() {
            None | Some("none") => false,
            Some("global") => true,
            Some(other) => return Err(Error::unsupported(format!("there is no compensation {other:?}; take none or global"))),
        };
        let is_used = match options.take::<String>("promise")?.as_deref() {
            None | Some("used") => true,
            Some("fresh") => false,
            Some(other) => return Err(Error::unsupported(format!("there is no promise {other:?}; take used or fresh"))),
        };
        let disturb = options.take_within("disturb", 1.0..=1e30)?.unwrap_or(f64::INFINITY);
        if is_compensated && disturb.is_finite() {
            return Err(Error::unsupported(
                "a compensation takes summed conductances for those that drift, and reads that disturb raise them; leave out compensate or disturb",
            ));
        }
        let mut promise = |name: &str| Ok::<f64, Error>(options.take_within(name, promise::RANGE)?.unwrap_or(f64::INFINITY));
        let [margin, noise, drift] = [promise("margin")?, promise("noise")?, promise("drift")?];
        promised(Self {
            device,
            seed: options.take("seed")?.unwrap_or(0),
            bits: options.take_within("bits", 2..=16)?.unwrap_or(8),
            wire: options.take_within("wire", 0.0..=1e3)?.unwrap_or(0.0),
            is_compensated,
            output_noise: options.take_within("output-noise", 0.0..=10.0)?.unwrap_or(0.04),
            margin,
            noise,
            drift,
            endurance: options.take_within("endurance", 1..=u32::MAX)?.unwrap_or_else(|| device.endurance()),
            disturb,
            is_used,
            age: options.take_within("age", 0.0..=OLDEST)?.unwrap_or(0.0),
        })
    }
}
