//! The dossier as JSON, without its samples.

use super::encode;
use crate::record::{Claim, Dossier, Ledger, Level, Outcome, Provenance, SCHEMA};
use serde::{Deserialize, Serialize};

/// The layout of the file: the dossier with the ids of its evidence in place of the evidence.
#[derive(Serialize, Deserialize)]
pub(super) struct Layout {
    schema: u32,
    provenance: Provenance,
    asked: Level,
    claim: Option<Claim>,
    outcomes: Vec<Outcome>,
    #[serde(default)]
    ledger: Ledger,
    pub(super) evidence: Vec<String>,
}

/// The first thing that is read of a file, whatever else is in it.
#[derive(Deserialize)]
struct Version {
    schema: u32,
}

impl Layout {
    pub(super) fn of(dossier: &Dossier) -> Self {
        let Dossier { schema, provenance, asked, claim, outcomes, ledger, evidence } = dossier;
        Self {
            schema: *schema,
            provenance: provenance.clone(),
            asked: *asked,
            claim: *claim,
            outcomes: outcomes.clone(),
            ledger: ledger.clone(),
            evidence: evidence.iter().map(|e| e.law.clone()).collect(),
        }
    }

    pub(super) fn into_dossier(self) -> Dossier {
        let Self { schema, provenance, asked, claim, outcomes, ledger, evidence: _ } = self;
        Dossier { schema, provenance, asked, claim, outcomes, ledger, evidence: Vec::new() }
    }

    /// Reads a layout of this version.
    pub(super) fn from_text(text: &[u8]) -> serde_json::Result<Self> {
        let version: Version = encode::from_text(text)?;
        if version.schema != SCHEMA {
            return Err(serde::de::Error::custom(format!(
                "it is of schema {} and this version reads schema {SCHEMA}; use the version of isoform that wrote it",
                version.schema
            )));
        }
        encode::from_text(text)
    }
}

/// Writes a dossier as JSON: the version of the schema first, then provenance, claim and one object a law, in a stable order.
///
/// NaN and the infinities, which JSON does not have, are the strings `"NaN"`, `"Infinity"` and `"-Infinity"`. The samples are not
/// in it; [`write`](super::write) puts them beside it.
///
/// # Errors
/// If facts or notes have no form in JSON.
pub fn json(dossier: &Dossier) -> serde_json::Result<String> {
    encode::to_text(&Layout::of(dossier))
}

/// Reads what [`json`] wrote; the evidence is left empty.
///
/// # Errors
/// If it is not JSON, not a dossier, or of another version of the schema.
pub fn from_json(text: &str) -> serde_json::Result<Dossier> {
    Layout::from_text(text.as_bytes()).map(Layout::into_dossier)
}
