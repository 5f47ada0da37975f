//! A run as a folder, there and back.
//!
//! ```text
//! DIR/dossier.json                 provenance, claim, outcomes; written last, so that a folder without it is an unfinished run
//! DIR/evidence/L1.split.json       facts of one law, and what its samples are
//! DIR/evidence/L1.split/0.npy      its samples, one file each
//! DIR/report.html  DIR/junit.xml  DIR/badge.svg  DIR/table.txt
//! ```
//!
//! Only the first three are read. Samples come back to the bit, NaN payloads among them; numbers in the JSON files too, except that
//! a NaN there loses its payload.

use super::json::Layout;
use super::{Page, Style, badge, encode, html, junit, npy, table};
use crate::record::{Dossier, Evidence, Samples};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The most bytes of a JSON file.
pub const LARGEST_TEXT: u64 = 64 << 20;
/// The most bytes of a file of samples.
pub const LARGEST_ARRAY: u64 = 1 << 30;
/// The most bytes of a whole folder.
pub const LARGEST_FOLDER: u64 = 4 << 30;
/// The longest id of a law.
const LONGEST_ID: usize = 100;

/// Why a folder could not be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// A file is not there.
    #[error("{path}: there is no such file; is this the folder of a finished run?")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// It is a file where a folder should be.
    #[error("{path}: it is a file; name the folder that isoform conform --out wrote")]
    NotAFolder {
        /// What is no folder.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// It is a folder or a device.
    #[error("{path}: it is not a plain file")]
    NotAFile {
        /// What is not a file.
        path: PathBuf,
    },
    /// It is larger than anything that is written.
    #[error("{path}: {bytes} bytes are more than the {limit} that are left for it")]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// How large it is, or would be.
        bytes: u64,
        /// How large it may be.
        limit: u64,
    },
    /// It is not JSON, or not the JSON that belongs there.
    #[error("{path}: {source}")]
    Json {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// It ends before its JSON does.
    #[error("{path}: it is cut short; the run did not come to its end, or the copy is not whole")]
    Cut {
        /// The file.
        path: PathBuf,
    },
    /// It is not the array that belongs there.
    #[error("{path}: {message}")]
    Array {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// Its parts contradict each other.
    #[error("{path}: {message}")]
    Contradiction {
        /// The file.
        path: PathBuf,
        /// What contradicts what.
        message: String,
    },
    /// The id of a law cannot name a file.
    #[error(
        "{law:?} cannot name a file; ids are up to 100 letters, digits, dots, dashes and underscores, and begin with a letter"
    )]
    Id {
        /// The id.
        law: String,
    },
    /// A report could not be made.
    #[error("{path}: {message}")]
    Report {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        message: String,
    },
}

/// What stands in the JSON file of one law.
#[derive(Serialize, Deserialize)]
struct Sheet {
    law: String,
    facts: BTreeMap<String, Value>,
    samples: Vec<Entry>,
    broke_off: Option<String>,
    seconds: f64,
}

/// What is known of samples beside the numbers.
#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    unit: String,
    shape: Vec<usize>,
}

/// Writes a run into a folder, which is made if it is not there. Files of an earlier run with the same names are replaced.
///
/// # Errors
/// If a file cannot be written, or the dossier holds what [`read`] would refuse: an id that cannot name a file, samples whose shape
/// does not fit their numbers, more than the size limits.
pub fn write(dir: &Path, dossier: &Dossier) -> Result<(), FolderError> {
    let index = dir.join("dossier.json");
    check_ids(&index, dossier.evidence.iter().map(|e| e.law.as_str()))?;
    let text = encode::to_text(&Layout::of(dossier)).map_err(|source| FolderError::Json { path: index.clone(), source })?;
    let mut left = LARGEST_FOLDER;
    spend(&index, text.len() as u64, LARGEST_TEXT, &mut left)?;
    // an unfinished folder must not look like the run that was there before, nor a finished one hold samples of that
    let samples = dir.join("evidence");
    for (path, removed) in [(&index, fs::remove_file(&index)), (&samples, fs::remove_dir_all(&samples))] {
        match removed {
            Err(source) if source.kind() != ErrorKind::NotFound => return Err(FolderError::Io { path: path.clone(), source }),
            _ => {}
        }
    }
    make(&samples)?;
    for evidence in &dossier.evidence {
        write_evidence(dir, evidence, &mut left)?;
    }
    save(&dir.join("report.html"), html(dossier, &Page::of(dir)).as_bytes())?;
    let path = dir.join("junit.xml");
    let xml = junit(dossier).map_err(|e| FolderError::Report { path: path.clone(), message: e.to_string() })?;
    save(&path, xml.as_bytes())?;
    save(&dir.join("badge.svg"), badge(dossier).as_bytes())?;
    save(&dir.join("table.txt"), table(dossier, Style::default()).as_bytes())?;
    save(&index, text.as_bytes())
}

fn write_evidence(dir: &Path, evidence: &Evidence, left: &mut u64) -> Result<(), FolderError> {
    let Evidence { law, facts, samples, broke_off, seconds } = evidence;
    let path = sheet_path(dir, law);
    let sheet = Sheet {
        law: law.clone(),
        facts: facts.clone(),
        samples: samples
            .iter()
            .map(|Samples { name, unit, shape, values: _ }| Entry {
                name: name.clone(),
                unit: unit.clone(),
                shape: shape.clone(),
            })
            .collect(),
        broke_off: broke_off.clone(),
        seconds: *seconds,
    };
    let text = encode::to_text(&sheet).map_err(|source| FolderError::Json { path: path.clone(), source })?;
    spend(&path, text.len() as u64, LARGEST_TEXT, left)?;
    if !samples.is_empty() {
        make(&dir.join("evidence").join(law))?;
    }
    for (place, Samples { name, shape, values, .. }) in samples.iter().enumerate() {
        let path = array_path(dir, law, place);
        if shape.len() > npy::DIMENSIONS || npy::count(shape) != Some(values.len()) {
            let message = format!("the samples {name:?} have shape {shape:?} and {} values", values.len());
            return Err(FolderError::Contradiction { path, message });
        }
        let bytes = npy::to_bytes(shape, values);
        spend(&path, bytes.len() as u64, LARGEST_ARRAY, left)?;
        save(&path, &bytes)?;
    }
    save(&path, text.as_bytes())
}

/// Reads a folder that [`write()`] wrote.
///
/// Memory stays in proportion to the files, and these below [`LARGEST_TEXT`], [`LARGEST_ARRAY`] and together [`LARGEST_FOLDER`].
/// Nothing outside the folder is named by its files.
///
/// # Errors
/// The first file that is missing, cut short, of another type or schema, or in contradiction to another.
pub fn read(dir: &Path) -> Result<Dossier, FolderError> {
    if dir.is_file() {
        return Err(FolderError::NotAFolder { path: dir.to_owned() });
    }
    let mut left = LARGEST_FOLDER;
    let index = dir.join("dossier.json");
    let text = load(&index, LARGEST_TEXT, &mut left)?;
    let layout = Layout::from_text(&text).map_err(|source| unreadable(&index, source))?;
    check_ids(&index, layout.evidence.iter().map(String::as_str))?;
    let laws = layout.evidence.clone();
    let mut dossier = layout.into_dossier();
    for law in &laws {
        dossier.evidence.push(read_evidence(dir, law, &mut left)?);
    }
    Ok(dossier)
}

fn unreadable(path: &Path, source: serde_json::Error) -> FolderError {
    let path = path.to_owned();
    if source.is_eof() { FolderError::Cut { path } } else { FolderError::Json { path, source } }
}

fn read_evidence(dir: &Path, law: &str, left: &mut u64) -> Result<Evidence, FolderError> {
    let path = sheet_path(dir, law);
    let text = load(&path, LARGEST_TEXT, left)?;
    let sheet: Sheet = encode::from_text(&text).map_err(|source| unreadable(&path, source))?;
    if sheet.law != law {
        let message = format!("it is about {:?} instead of {law:?}", sheet.law);
        return Err(FolderError::Contradiction { path, message });
    }
    let mut samples = Vec::new();
    for (place, Entry { name, unit, shape }) in sheet.samples.into_iter().enumerate() {
        let path = array_path(dir, law, place);
        if shape.len() > npy::DIMENSIONS {
            let message = format!("{} dimensions are more than {}", shape.len(), npy::DIMENSIONS);
            return Err(FolderError::Array { path, message });
        }
        let bytes = load(&path, LARGEST_ARRAY, left)?;
        let values = npy::from_bytes(&bytes, &shape).map_err(|message| FolderError::Array { path, message })?;
        samples.push(Samples { name, unit, shape, values });
    }
    Ok(Evidence { law: sheet.law, facts: sheet.facts, samples, broke_off: sheet.broke_off, seconds: sheet.seconds })
}

fn sheet_path(dir: &Path, law: &str) -> PathBuf {
    dir.join("evidence").join(format!("{law}.json"))
}

fn array_path(dir: &Path, law: &str, place: usize) -> PathBuf {
    dir.join("evidence").join(law).join(format!("{place}.npy"))
}

/// Ids name files: none may leave the folder, and no two may meet in one file, on file systems without case either.
fn check_ids<'a>(index: &Path, laws: impl Iterator<Item = &'a str>) -> Result<(), FolderError> {
    let mut seen = BTreeSet::new();
    for law in laws {
        let plain = law.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
        if !plain || law.len() > LONGEST_ID || !law.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(FolderError::Id { law: law.chars().take(LONGEST_ID).collect() });
        }
        if !seen.insert(law.to_ascii_lowercase()) {
            let message = format!("there are two pieces of evidence for {law:?}");
            return Err(FolderError::Contradiction { path: index.to_owned(), message });
        }
    }
    Ok(())
}

fn spend(path: &Path, bytes: u64, most: u64, left: &mut u64) -> Result<(), FolderError> {
    let limit = most.min(*left);
    if bytes > limit {
        return Err(FolderError::TooLarge { path: path.to_owned(), bytes, limit });
    }
    *left -= bytes;
    Ok(())
}

fn make(dir: &Path) -> Result<(), FolderError> {
    fs::create_dir_all(dir).map_err(|source| FolderError::Io { path: dir.to_owned(), source })
}

fn save(path: &Path, bytes: &[u8]) -> Result<(), FolderError> {
    fs::write(path, bytes).map_err(|source| FolderError::Io { path: path.to_owned(), source })
}

fn load(path: &Path, most: u64, left: &mut u64) -> Result<Vec<u8>, FolderError> {
    let io = |source: std::io::Error| match source.kind() {
        ErrorKind::NotFound => FolderError::Missing { path: path.to_owned() },
        _ => FolderError::Io { path: path.to_owned(), source },
    };
    // Asked before opening: to open a pipe would wait for its other end.
    let about = fs::metadata(path).map_err(io)?;
    if !about.is_file() {
        return Err(FolderError::NotAFile { path: path.to_owned() });
    }
    spend(path, about.len(), most, left)?;
    let mut bytes = Vec::new();
    // A file that grows meanwhile is cut, and then refused as any other with wrong contents.
    fs::File::open(path).map_err(io)?.take(about.len()).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}
