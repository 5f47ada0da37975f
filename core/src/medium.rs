//! What a medium that is noisy, drifts and wears promises of its outputs.
//!
//! A tolerance of such a medium is not derived from a number format but declared, in units of the output. A margin is never a multiple of the
//! noise: one that grew with the noise would reward it. The noise says how many samples a verdict takes, and the price what they cost.

use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// The promises of a noisy medium, in units of its outputs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Medium {
    /// The most by which the mean of an output, or the difference between two of its means, is off what the program says.
    pub margin: f64,
    /// The most that the standard deviation of one sample of an output is.
    pub noise: f64,
    /// Whether the noise is like 1/f: its mean over a record does not settle as the record grows.
    #[serde(default)]
    pub flicker: bool,
    /// How far the mean may move while time passes; absent if it stands still.
    #[serde(default)]
    pub drift: Option<Drift>,
    /// Ticks after which nothing of an earlier input shows in an output; absent if the program alone says how long it remembers.
    #[serde(default)]
    pub washout: Option<u64>,
    /// Writes that a cell bears; absent if writing does not wear.
    #[serde(default)]
    pub endurance: Option<u64>,
    /// What its work costs.
    #[serde(default)]
    pub price: Price,
}

/// How far the mean of an output may move.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Drift {
    /// The most that it moves, in units of the output.
    pub most: f64,
    /// While so many seconds of the device's time pass.
    pub within: f64,
}

/// What the work of a medium costs.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Price {
    /// Seconds that a tick takes on the clock of whoever waits.
    #[serde(default)]
    pub seconds: f64,
    /// Joules that a tick takes.
    #[serde(default)]
    pub joules: f64,
    /// Writes to the most worn cell that a program takes.
    #[serde(default)]
    pub writes: u64,
}

impl Medium {
    /// A medium that stands still, remembers nothing that its program does not, and costs nothing.
    #[must_use]
    pub const fn new(margin: f64, noise: f64) -> Self {
        let price = Price { seconds: 0.0, joules: 0.0, writes: 0 };
        Self { margin, noise, flicker: false, drift: None, washout: None, endurance: None, price }
    }

    /// Checks that the promises can be held against measurements.
    ///
    /// # Errors
    /// `Unsupported`, naming the promise that is none.
    pub fn check(&self) -> Result<()> {
        let refuse = |what: &str, value: f64| Err(Error::unsupported(format!("a {what} of {value} promises nothing")));
        if !(self.margin > 0.0 && self.margin.is_finite()) {
            return refuse("margin", self.margin);
        }
        if !(self.noise >= 0.0 && self.noise.is_finite()) {
            return refuse("noise", self.noise);
        }
        if let Some(drift) = self.drift
            && !(drift.most > 0.0 && drift.most.is_finite() && drift.within > 0.0 && drift.within.is_finite())
        {
            return refuse("drift", drift.most);
        }
        let Price { seconds, joules, .. } = self.price;
        if !(seconds >= 0.0 && seconds.is_finite() && joules >= 0.0 && joules.is_finite()) {
            return refuse("price", if seconds.is_finite() && seconds >= 0.0 { joules } else { seconds });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_that_is_none_is_named() {
        assert!(Medium::new(0.1, 0.0).check().is_ok());
        for (medium, what) in [
            (Medium::new(0.0, 0.1), "margin"),
            (Medium::new(f64::INFINITY, 0.1), "margin"),
            (Medium::new(0.1, f64::NAN), "noise"),
            (Medium { drift: Some(Drift { most: 1.0, within: 0.0 }), ..Medium::new(0.1, 0.1) }, "drift"),
            (Medium { price: Price { joules: -1.0, ..Price::default() }, ..Medium::new(0.1, 0.1) }, "price"),
        ] {
            let error = medium.check().expect_err("promises nothing").to_string();
            assert!(error.contains(what), "{error}");
        }
    }

    #[test]
    fn a_medium_from_a_file_needs_only_margin_and_noise() {
        let medium: Medium = serde_json::from_str(r#"{"margin": 0.02, "noise": 0.001}"#).expect("reads");
        assert_eq!(medium, Medium::new(0.02, 0.001));
    }
}
