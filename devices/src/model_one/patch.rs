//! Which part of the machine realises what: the patch, which is made by hand, written down.
//!
//! A channel is an integrator with five potentiometers. With potentiometers from nought to one, and signs by inverters in the patch,
//!
//! ```text
//! ds/dt = k0 (p_plus - p_minus - p_decay s),     s = p_ic_plus - p_ic_minus in IC
//! ```
//! A file of JSON says where they are:
//!
//! ```json
//! {"k0": 10.0, "slow": 10.0, "unit": 1.0, "ic": 5, "channels": [
//!   {"integrator": 32, "decay": {"module": 128, "index": 0}, "plus": {"module": 128, "index": 1}, "minus": {"module": 128, "index": 2},
//!    "ic_plus": {"module": 128, "index": 3}, "ic_minus": {"module": 128, "index": 4}}]}
//! ```

use super::codec::{LONGEST_TIME, MOST_GROUP, Pot};
use isoform_core::error::{Error, ErrorKind, Result};
use isoform_core::locator::Options;
use std::path::PathBuf;

/// One patched channel.
#[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// The address at which the integrator is read.
    pub integrator: u16,
    /// How much of the state flows back.
    pub decay: Pot,
    /// What drives it up.
    pub plus: Pot,
    /// What drives it down.
    pub minus: Pot,
    /// Its initial condition, where that is above nought.
    pub ic_plus: Pot,
    /// Its initial condition, where that is below.
    pub ic_minus: Pot,
}

impl Channel {
    /// Its potentiometers.
    #[must_use]
    pub fn pots(&self) -> [Pot; 5] {
        [self.decay, self.plus, self.minus, self.ic_plus, self.ic_minus]
    }
}

/// All of the patch.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Patch {
    /// The gain of the integrators, per second.
    pub k0: f64,
    /// How much slower the machine runs than the program.
    pub slow: f64,
    /// Units of the program in one machine unit.
    pub unit: f64,
    /// How long the integrators need in IC, in milliseconds.
    pub ic: u32,
    /// The channels, in the order in which those of a program take them.
    pub channels: Vec<Channel>,
}

impl Default for Patch {
    /// One channel on the potentiometers of the controller itself, with the integrator at 0020.
    fn default() -> Self {
        let pot = |index| Pot { module: 0x80, index };
        let channel = Channel { integrator: 0x20, decay: pot(0), plus: pot(1), minus: pot(2), ic_plus: pot(3), ic_minus: pot(4) };
        Self { k0: 10.0, slow: 10.0, unit: 1.0, ic: 5, channels: vec![channel] }
    }
}

impl Patch {
    /// Reads a patch.
    ///
    /// # Errors
    /// `InvalidProgram`, saying what is wrong with it.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = |why: String| Err(Error::invalid_program(format!("the patch is none: {why}")));
        let patch: Self = match serde_json::from_str(text) {
            Ok(patch) => patch,
            Err(error) => return refuse(error.to_string()),
        };
        let positive = |v: f64| v.is_finite() && v > 0.0;
        if !positive(patch.k0) || !positive(patch.slow) || !positive(patch.unit) || patch.ic > LONGEST_TIME {
            return refuse(format!("k0, slow and unit have to be above nought, and ic at most {LONGEST_TIME} ms"));
        }
        if patch.channels.is_empty() || patch.channels.len() > MOST_GROUP {
            return refuse(format!("it needs one to {MOST_GROUP} channels, the most that are read at a time"));
        }
        let mut pots: Vec<Pot> = patch.channels.iter().flat_map(Channel::pots).collect();
        let all = pots.len();
        pots.sort_unstable();
        pots.dedup();
        if pots.len() < all {
            return refuse(String::from("a potentiometer stands in it twice"));
        }
        Ok(patch)
    }

    /// The patch that an option names by its file; the default one without it.
    ///
    /// # Errors
    /// `NotFound` if it cannot be read, `InvalidProgram` if it is none.
    pub fn take(options: &mut Options<'_>, key: &str) -> Result<Self> {
        let Some(path) = options.take::<PathBuf>(key)? else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(&path).map_err(|e| {
            Error::new(ErrorKind::NotFound, format!("the patch \"{}\" cannot be read: {e}", path.display())).with_source(e)
        })?;
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_patch_of_the_documentation_is_the_one_without_a_file() {
        let page = include_str!("../../../docs/model-one.md");
        let (_, rest) = page.split_once("```json").expect("an example");
        let (text, _) = rest.split_once("```").expect("its end");
        assert_eq!(Patch::parse(text).expect("a patch"), Patch::default());
    }

    #[test]
    fn a_patch_is_read_and_what_is_none_is_refused() {
        let channel = r#"{"integrator": 32, "decay": {"module": 128, "index": 0}, "plus": {"module": 128, "index": 1},
            "minus": {"module": 128, "index": 2}, "ic_plus": {"module": 128, "index": 3}, "ic_minus": {"module": 128, "index": 4}}"#;
        let patch = Patch::parse(&format!(r#"{{"channels": [{channel}]}}"#)).expect("is one");
        assert_eq!(patch, Patch::default());
        for bad in [
            String::from("{"),
            String::from(r#"{"channels": []}"#),
            format!(r#"{{"channels": [{channel}, {channel}]}}"#),
            format!(r#"{{"k0": 0, "channels": [{channel}]}}"#),
            format!(r#"{{"speed": 1, "channels": [{channel}]}}"#),
        ] {
            assert!(Patch::parse(&bad).is_err(), "{bad}");
        }
    }
}
