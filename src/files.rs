//! Files by name: reading with a plain reason, writing with the folder made first, and digests.

use isoform_core::error::{Error, Result};
use isoform_core::program::Digest;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Files longer than this are refused instead of being read into memory.
const MAX_BYTES: u64 = 16 << 30;

/// The bytes of an ordinary file.
///
/// # Errors
/// `NotFound` if it does not exist, cannot be read, is a folder, or is longer than 16 GiB; the message names the path.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let file = open(path)?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(|e| unreadable(path, e))?;
    Ok(bytes)
}

/// Checks that a file can be read.
///
/// # Errors
/// As [`read`].
pub fn check_readable(path: &Path) -> Result<()> {
    open(path).map(drop)
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::not_found(format!("\"{}\": {}", path.display(), reason(&error))).with_source(error)
}

fn open(path: &Path) -> Result<std::fs::File> {
    let refuse = |e| unreadable(path, e);
    // looked at first: to open a pipe that nobody writes to waits for ever
    let about = std::fs::metadata(path).map_err(refuse)?;
    if about.is_dir() {
        return Err(Error::not_found(format!("\"{}\": is a folder; name a file", path.display())));
    }
    if !about.is_file() {
        return Err(Error::not_found(format!("\"{}\": is no ordinary file", path.display())));
    }
    if about.len() > MAX_BYTES {
        return Err(Error::not_found(format!("\"{}\": is longer than 16 GiB", path.display())));
    }
    std::fs::File::open(path).map_err(refuse)
}

/// Writes a file, and the folder that it lies in if that is missing.
///
/// # Errors
/// `NotFound` if it cannot be written; the message names the path.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    make_folder_of(path)?;
    std::fs::write(path, bytes).map_err(|e| unwritable(path, e))
}

/// Makes the folder that a file is to lie in.
///
/// # Errors
/// `NotFound` if it cannot be made; the message names the path.
pub fn make_folder_of(path: &Path) -> Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::create_dir_all(folder).map_err(|e| unwritable(path, e)),
        _ => Ok(()),
    }
}

/// Checks that a file can be written, before the work whose result it is to hold.
///
/// # Errors
/// `NotFound` if its folder cannot be made, if it is a folder itself, or if it may not be written.
pub fn check_writable(path: &Path) -> Result<()> {
    make_folder_of(path)?;
    if path.is_dir() {
        return Err(Error::not_found(format!("\"{}\" cannot be written: it is a folder; name a file", path.display())));
    }
    let existed = path.exists();
    let opened = std::fs::OpenOptions::new().append(true).create(true).open(path);
    opened.map_err(|e| unwritable(path, e))?;
    if !existed {
        // a run that fails later leaves nothing behind
        std::fs::remove_file(path).map_err(|e| unwritable(path, e))?;
    }
    Ok(())
}

/// Checks that a folder can be written, before the work whose result it is to hold.
///
/// # Errors
/// `NotFound` if it cannot be made, is a file, or may not be written.
pub fn check_folder(path: &Path) -> Result<()> {
    if path.exists() && !path.is_dir() {
        return Err(Error::not_found(format!("\"{}\" cannot be written: it is a file; name a folder", path.display())));
    }
    let existed = path.is_dir();
    check_writable(&path.join(".isoform"))?;
    if !existed {
        std::fs::remove_dir(path).map_err(|e| unwritable(path, e))?;
    }
    Ok(())
}

/// Where a file is, by whatever way its name leads there: `..`, symbolic and hard links.
#[derive(Debug)]
pub struct Place {
    path: PathBuf,
    file: Option<same_file::Handle>,
}

impl Place {
    /// The place of a file that need not be there yet.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let canonical = folder.canonicalize().ok().zip(path.file_name()).map(|(folder, name)| folder.join(name));
        let path = canonical.unwrap_or_else(|| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
        // a handle opens the file, and a pipe that nobody writes to is never open
        let is_file = std::fs::metadata(&path).is_ok_and(|about| about.is_file());
        Self { file: is_file.then(|| same_file::Handle::from_path(&path).ok()).flatten(), path }
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path || (self.file.is_some() && self.file == other.file)
    }
}

/// Checks that what is written overwrites nothing that is read.
///
/// # Errors
/// `NotFound` that names the file.
pub fn check_apart(written: &Path, read: &Path, what: &str) -> Result<()> {
    if Place::of(written) == Place::of(read) {
        return Err(Error::not_found(format!("\"{}\" is {what}, which would be lost; name another file", written.display())));
    }
    Ok(())
}

/// The SHA-256 of a file, in hexadecimal.
///
/// # Errors
/// As [`read`].
pub fn sha256(path: &Path) -> Result<String> {
    read(path).map(|bytes| Digest::of(&bytes).to_string())
}

fn unwritable(path: &Path, error: std::io::Error) -> Error {
    let error_text = reason(&error);
    Error::not_found(format!("\"{}\" cannot be written: {error_text}", path.display())).with_source(error)
}

/// The reason without the number of the operating system.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_and_a_folder_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = read(&folder.path().join("x.npy")).expect_err("missing").to_string();
        assert!(missing.ends_with("x.npy\": no such file or directory"), "{missing}");
        let is_folder = read(folder.path()).expect_err("a folder").to_string();
        assert!(is_folder.ends_with("is a folder; name a file"), "{is_folder}");
    }

    #[test]
    #[cfg(unix)]
    fn a_file_is_known_by_any_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("d")).expect("made");
        std::fs::write(at("x"), "x").expect("written");
        std::fs::hard_link(at("x"), at("hard")).expect("linked");
        std::os::unix::fs::symlink("x", at("soft")).expect("linked");
        std::os::unix::fs::symlink(".", at("self")).expect("linked");
        for name in ["x", "d/../x", "hard", "soft", "self/x", "d/../self/soft"] {
            assert_eq!(Place::of(&at(name)), Place::of(&at("x")), "{name}");
        }
        assert_ne!(Place::of(&at("y")), Place::of(&at("x")));
        assert_eq!(Place::of(&at("d/../y")), Place::of(&at("self/y")));
    }

    #[test]
    fn checking_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("deep/y.npy");
        check_writable(&path).expect("can be written");
        assert!(!path.exists());
        check_folder(&path).expect("can be made");
        assert!(!path.exists());
        write(&path, b"abc").expect("written");
        assert!(check_folder(&path).expect_err("is a file").to_string().contains("name a folder"));
        check_writable(&path).expect("can be written");
        assert_eq!(sha256(&path).expect("read"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
