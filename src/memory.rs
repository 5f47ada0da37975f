//! How much memory this process takes, as far as the operating system says.

/// How far the memory of the process grew beyond what it was at the beginning.
#[derive(Debug)]
pub(crate) struct Growth {
    before: Option<u64>,
}

impl Growth {
    /// Begins to watch: from here on the highest mark counts.
    pub(crate) fn watch() -> Self {
        // "5" sets the highest mark to what is taken now (proc(5), clear_refs); without the right to do so there is no figure
        let reset = std::fs::write("/proc/self/clear_refs", "5").is_ok();
        Self { before: if reset { field("VmRSS:") } else { None } }
    }

    /// Bytes of the highest mark above the beginning; absent where the system does not say.
    pub(crate) fn peak(&self) -> Option<u64> {
        Some(field("VmHWM:")?.saturating_sub(self.before?))
    }
}

/// A field of the status of this process, in bytes.
fn field(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
