//! Calibration: measure, fit, apply, and expire.

use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Result};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// What a calibration found, and how long it holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Certificate {
    /// The digest of the numbers that were fitted.
    pub id: String,
    /// What was fitted, in words.
    pub method: String,
    /// Seconds of the device's time since it was made.
    pub age: f64,
    /// Seconds of the device's time that it holds.
    pub valid: f64,
    /// Root mean square error of an output before, in its units.
    pub before: f64,
    /// Root mean square error of an output after it was applied.
    pub after: f64,
}

impl Certificate {
    /// The id of fitted numbers: the same numbers have the same id.
    #[must_use]
    pub fn id_of(fitted: &[f64]) -> String {
        let bytes: Vec<u8> = fitted.iter().flat_map(|v| v.to_le_bytes()).collect();
        Digest::of(&bytes).to_string()
    }

    /// Whether its time is over.
    #[must_use]
    pub fn is_expired(&self) -> bool {
        self.age > self.valid
    }

    /// Refuses work under a calibration whose time is over.
    ///
    /// # Errors
    /// `Calibration`, with the age and what to do; the state is intact.
    pub fn check(&self) -> Result<()> {
        if self.is_expired() {
            let why = format!(
                "the calibration {} is {:.3} s old and held for {:.3} s; calibrate again, or open it as renew:?on=(…)",
                self.short(),
                self.age,
                self.valid
            );
            return Err(Error::new(ErrorKind::Calibration, why).with_source(Expired));
        }
        Ok(())
    }

    /// Refuses work during which its time is over: what begins under a calibration has to end under it, or the answer would depend on how
    /// the work is cut into calls.
    ///
    /// # Errors
    /// `Calibration` if it is over, or will be at the age `end`; the state is intact.
    pub fn check_until(&self, end: f64) -> Result<()> {
        self.check()?;
        if end <= self.valid {
            return Ok(());
        }
        let why = format!(
            "the calibration {} holds for {:.3} s more, and these ticks take {:.3} s: take fewer, calibrate again, or open it as \
             renew:?on=(…)",
            self.short(),
            self.valid - self.age,
            end - self.age
        );
        Err(Error::new(ErrorKind::Calibration, why).with_source(Expired))
    }

    fn short(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }
}

/// Behind a refusal of ticks under a calibration whose time is over: more was asked for than it holds for, and no device has failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired;

impl std::fmt::Display for Expired {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the time of the calibration is over")
    }
}

impl std::error::Error for Expired {}

/// A calibration under which a program ran, and when it was made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct InForce {
    /// The calibration.
    #[serde(flatten)]
    pub certificate: Certificate,
    /// Seconds that it was old when the program was realised; absent if it was made later.
    #[serde(default)]
    pub age_at_start: Option<f64>,
    /// Ticks of the program that were done when it was made; absent if it was made before the first.
    #[serde(default)]
    pub made_at_tick: Option<u64>,
}

impl InForce {
    /// The calibration under which a program begins.
    #[must_use]
    pub fn first(certificate: Certificate) -> Self {
        Self { age_at_start: Some(certificate.age), made_at_tick: None, certificate }
    }

    /// A calibration that was made after so many ticks of a program.
    #[must_use]
    pub fn made(certificate: Certificate, tick: u64) -> Self {
        Self { age_at_start: None, made_at_tick: Some(tick), certificate }
    }
}

/// Calibrating a realization. The state of the program is kept.
#[async_trait]
pub trait Calibration: Send {
    /// Measures the device, fits what it is off by, and applies the correction from now on.
    ///
    /// # Errors
    /// `Calibration` if no correction brings the device within its promises; what was in force stays so.
    async fn calibrate(&mut self) -> Result<Certificate>;

    /// The certificate in force; none if it was never calibrated.
    ///
    /// # Errors
    /// Of the substrate.
    async fn certificate(&mut self) -> Result<Option<Certificate>>;

    /// The calibrations that were made anew amid the ticks of the program since it was realised, oldest first, each as it was when it was made;
    /// none where whoever calls makes them all.
    ///
    /// # Errors
    /// Of the substrate.
    async fn renewals(&mut self) -> Result<Vec<InForce>> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_expires_and_says_so() {
        let fresh = Certificate {
            id: Certificate::id_of(&[1.0, -0.0]),
            method: String::from("gain"),
            age: 9.0,
            valid: 10.0,
            before: 0.1,
            after: 0.01,
        };
        assert!(fresh.check().is_ok());
        let error = Certificate { age: 10.5, ..fresh.clone() }.check().expect_err("expired");
        assert_eq!(error.kind(), ErrorKind::Calibration);
        assert!(error.to_string().contains("calibrate again"), "{error}");
        assert!(fresh.check_until(10.0).is_ok());
        let error = fresh.check_until(10.5).expect_err("over before the end");
        assert!(error.to_string().contains("holds for 1.000 s more, and these ticks take 1.500 s"), "{error}");
        assert_ne!(fresh.id, Certificate::id_of(&[1.0, 0.0]));
    }
}
