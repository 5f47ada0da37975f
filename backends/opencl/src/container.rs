//! Binaries of a driver or a board's compiler, in a file that says what they are for.
//!
//! A driver that is given a truncated binary may take the process down, so that nothing reaches it before every field was checked.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `ISOFORMB` |
//! | 4 | version, little-endian, as all numbers |
//! | 4 | length of the header |
//! | 8 | length of the binary |
//! | … | header: JSON, see [`Header`] |
//! | … | the binary |
//! | 32 | SHA-256 of everything before |

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a container begins with.
pub const MAGIC: [u8; 8] = *b"ISOFORMB";
/// The version that is written.
pub const VERSION: u32 = 1;
/// No header is longer.
const LONGEST_HEADER: usize = 1 << 16;
const FIXED: usize = 24;
const SEAL: usize = 32;

/// What a binary is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Header {
    /// The platform of the device.
    pub platform: String,
    /// The device.
    pub device: String,
    /// The version of its driver.
    pub driver: String,
    /// The digest of the program.
    pub program: String,
    /// Batch lanes.
    pub batch: usize,
    /// `grid` or `task`.
    pub style: String,
    /// SHA-256 of the source of the kernels, in hexadecimal.
    pub source: String,
}

/// Why a container cannot be used.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContainerError {
    /// It is no container.
    #[error("it is no container of isoform: make one with isoform build")]
    Foreign,
    /// It has another version.
    #[error("it has version {0}, but only {VERSION} is known: build it again")]
    Version(u32),
    /// It is shorter or longer than it says.
    #[error("it has {got} bytes instead of {wanted}: it was truncated or appended to; build it again")]
    Length {
        /// What it has.
        got: usize,
        /// What it says.
        wanted: u64,
    },
    /// Its bytes are not those that were sealed.
    #[error("its checksum does not fit: it was damaged; build it again")]
    Damaged,
    /// Its header cannot be read.
    #[error("its header cannot be read: build it again")]
    Header,
    /// It is for something else.
    #[error("it was built for {what} {built:?}, but is used with {used:?}: build it again{}", lanes(what, used))]
    Stale {
        /// What differs.
        what: &'static str,
        /// What it was built for.
        built: String,
        /// With what it is used.
        used: String,
    },
}

/// A binary and what it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Container {
    /// What it is for.
    pub header: Header,
    /// The binary.
    pub binary: Vec<u8>,
}

/// The SHA-256 of a text, in hexadecimal.
#[must_use]
pub fn hash(text: &str) -> String {
    Sha256::digest(text).iter().map(|b| format!("{b:02x}")).collect()
}

impl Container {
    /// The bytes of the file.
    ///
    /// # Errors
    /// `Header` if the header is longer than any that is read.
    pub fn to_bytes(&self) -> Result<Vec<u8>, ContainerError> {
        let header = serde_json::to_vec(&self.header).map_err(|_| ContainerError::Header)?;
        let length = u32::try_from(header.len()).ok().filter(|&n| n as usize <= LONGEST_HEADER).ok_or(ContainerError::Header)?;
        let mut bytes = Vec::with_capacity(FIXED + header.len() + self.binary.len() + SEAL);
        bytes.extend(MAGIC);
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(length.to_le_bytes());
        bytes.extend((self.binary.len() as u64).to_le_bytes());
        bytes.extend(&header);
        bytes.extend(&self.binary);
        let seal = Sha256::digest(&bytes);
        bytes.extend(seal);
        Ok(bytes)
    }

    /// Reads a file, checking everything that can be checked without a device.
    ///
    /// # Errors
    /// See [`ContainerError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ContainerError> {
        let (fixed, rest) = bytes.split_first_chunk::<FIXED>().ok_or(ContainerError::Foreign)?;
        let field = |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
        if fixed[..8] != MAGIC {
            return Err(ContainerError::Foreign);
        }
        if field(8) != VERSION {
            return Err(ContainerError::Version(field(8)));
        }
        let header = field(12) as usize;
        let binary = u64::from(field(16)) | u64::from(field(20)) << 32;
        let wanted = (FIXED + header + SEAL) as u64;
        let wanted = wanted.saturating_add(binary);
        if header > LONGEST_HEADER || bytes.len() as u64 != wanted {
            return Err(ContainerError::Length { got: bytes.len(), wanted });
        }
        let (sealed, seal) = bytes.split_at(bytes.len() - SEAL);
        if Sha256::digest(sealed)[..] != *seal {
            return Err(ContainerError::Damaged);
        }
        let header_bytes = &rest[..header];
        let parsed = serde_json::from_slice(header_bytes).map_err(|_| ContainerError::Header)?;
        Ok(Self { header: parsed, binary: sealed[FIXED + header..].to_vec() })
    }

    /// Checks that the container is for what it is about to be used with.
    ///
    /// # Errors
    /// `Stale`, naming the first thing that differs.
    pub fn check(&self, used: &Header) -> Result<(), ContainerError> {
        let batch = [self.header.batch, used.batch].map(|b| b.to_string());
        let fields = [
            ("platform", &self.header.platform, &used.platform),
            ("device", &self.header.device, &used.device),
            ("driver", &self.header.driver, &used.driver),
            ("program", &self.header.program, &used.program),
            ("batch", &batch[0], &batch[1]),
            ("style", &self.header.style, &used.style),
            ("kernels", &self.header.source, &used.source),
        ];
        match fields.into_iter().find(|(_, built, used)| built != used) {
            None => Ok(()),
            Some((what, built, used)) => Err(ContainerError::Stale { what, built: built.clone(), used: used.clone() }),
        }
    }
}

/// What to write to build it for as many batch lanes as it is used with; the rest is in the locator or the model.
fn lanes(what: &str, used: &str) -> String {
    if what == "batch" { format!(" with --batch {used}") } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Container {
        let header = Header {
            platform: String::from("p"),
            device: String::from("d"),
            driver: String::from("1.0"),
            program: String::from("digest"),
            batch: 2,
            style: String::from("grid"),
            source: hash("kernel"),
        };
        Container { header, binary: (0..=255).collect() }
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = sample().to_bytes().expect("fits");
        assert_eq!(Container::from_bytes(&bytes), Ok(sample()));
    }

    #[test]
    fn every_truncation_and_every_flipped_bit_is_refused() {
        let bytes = sample().to_bytes().expect("fits");
        for end in 0..bytes.len() {
            assert!(Container::from_bytes(&bytes[..end]).is_err(), "{end} bytes");
        }
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[place] ^= 1 << bit;
                assert!(Container::from_bytes(&damaged).is_err(), "bit {bit} of byte {place}");
            }
        }
        assert!(Container::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn a_binary_for_something_else_says_for_what() {
        let (container, mut used) = (sample(), sample().header);
        assert_eq!(container.check(&used), Ok(()));
        used.driver = String::from("2.0");
        let message = container.check(&used).expect_err("must be refused").to_string();
        assert_eq!(message, "it was built for driver \"1.0\", but is used with \"2.0\": build it again");
        used = sample().header;
        used.batch = 3;
        let refused = container.check(&used).expect_err("other lanes");
        assert!(matches!(refused, ContainerError::Stale { what: "batch", .. }) && refused.to_string().contains("with --batch"));
    }
}
