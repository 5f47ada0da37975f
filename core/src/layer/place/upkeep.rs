//! Calibration and rest of a program that is split: each part that has the facet is served in turn. A program of which no part has it rests in
//! vain, and cannot be calibrated.

use super::realization::{Placed, settle};
use crate::calibration::{Calibration, Certificate, InForce};
use crate::error::{Error, Result};
use crate::substrate::Rest;
use async_trait::async_trait;

fn remaining(certificate: &Certificate) -> f64 {
    certificate.valid - certificate.age
}

/// The certificate of the whole is that which ends first.
fn sooner(a: Option<Certificate>, b: Certificate) -> Option<Certificate> {
    Some(match a {
        Some(a) if remaining(&a) <= remaining(&b) => a,
        _ => b,
    })
}

impl Placed {
    /// Refuses ticks during which the time of a calibration is over, before any part has moved.
    pub(super) async fn check_calibrations(&mut self, ticks: usize) -> Result<()> {
        let seconds = ticks as f64 * self.program.semantics().dt;
        for part in self.parts.iter_mut().filter(|part| !part.renews) {
            let Some(facet) = part.inner.calibration() else { continue };
            if let Some(found) = facet.certificate().await? {
                found.check_until(found.age + seconds).map_err(|e| part.lay(e))?;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Calibration for Placed {
    async fn calibrate(&mut self) -> Result<Certificate> {
        let mut first = None;
        for part in &mut self.parts {
            let Some(facet) = part.inner.calibration() else { continue };
            let made = facet.calibrate().await;
            first = sooner(first, made.map_err(|e| part.lay(e))?);
        }
        first.ok_or_else(|| Error::unsupported("no part of this program can be calibrated"))
    }

    async fn certificate(&mut self) -> Result<Option<Certificate>> {
        let mut first = None;
        for part in &mut self.parts {
            let Some(facet) = part.inner.calibration() else { continue };
            let found = facet.certificate().await;
            if let Some(found) = found.map_err(|e| part.lay(e))? {
                first = sooner(first, found);
            }
        }
        Ok(first)
    }

    async fn renewals(&mut self) -> Result<Vec<InForce>> {
        let mut all = Vec::new();
        for part in &mut self.parts {
            let Some(facet) = part.inner.calibration() else { continue };
            let made = facet.renewals().await;
            all.extend(made.map_err(|e| part.lay(e))?);
        }
        all.sort_by_key(|renewal| renewal.made_at_tick);
        Ok(all)
    }
}

#[async_trait]
impl Rest for Placed {
    async fn rest(&mut self, seconds: f64) -> Result<()> {
        let mut rested = false;
        for part in &mut self.parts {
            let Some(facet) = part.inner.rest() else { continue };
            let result = facet.rest(seconds).await;
            result.map_err(|e| part.lay(settle(e, rested)))?;
            rested = true;
        }
        Ok(())
    }

    async fn age(&mut self) -> Result<f64> {
        let mut oldest = 0.0_f64;
        for part in &mut self.parts {
            let Some(facet) = part.inner.rest() else { continue };
            let age = facet.age().await;
            oldest = oldest.max(age.map_err(|e| part.lay(e))?);
        }
        Ok(oldest)
    }
}
