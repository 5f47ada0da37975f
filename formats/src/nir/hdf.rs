//! The one door to the HDF5 library: datasets to values, under a budget.
//!
//! A file may declare anything: an array of 2^60 numbers in 20 kB, the same text linked a million
//! times, a group inside itself. Nothing is read before its declared size has been held against
//! the length of the file, and the total of all reads is bounded too.

use std::thread::Builder;

use half::f16;
use hdf5_pure::{Dataset, Datatype, DatatypeByteOrder, File, FloatingPointLayout, FormatError, Group, VlenStringReadOptions};

use super::error::{NirError, NirErrorKind, Result};
use super::model::Node;
use super::tensor::{DType, Tensor, TensorData};
use super::value::{Map, Texts, Value};

/// Nested groups of metadata and nested graphs are followed this deep.
pub(super) const MAX_DEPTH: usize = 32;

/// Deflate cannot shrink data by more than this factor (RFC 1951: 258 bytes from 2 bits), rounded up.
const MAX_RATIO: u64 = 1040;

/// The least space that an object takes in a file: its link and its header.
const MIN_OBJECT_BYTES: u64 = 16;

/// Sizes in bytes below this are not worth refusing.
const SLACK: u64 = 1 << 16;

/// Entries below this are not worth refusing.
const SLACK_OBJECTS: u64 = 1 << 10;

/// Stack of the thread that reads; memory that is not used is not taken.
const STACK_BYTES: usize = 256 << 20;

/// Layout of a half-precision number (IEEE 754-2008 binary16).
pub(super) const BINARY16: FloatingPointLayout = FloatingPointLayout {
    bit_offset: 0,
    bit_precision: 16,
    exponent_location: 10,
    exponent_size: 5,
    mantissa_location: 0,
    mantissa_size: 10,
    exponent_bias: 15,
};

/// How much may still be read from a file.
#[derive(Debug)]
pub(super) struct Budget {
    file_len: u64,
    /// Entries seen so far.
    objects: u64,
    /// Bytes that may still be unpacked, or taken by what becomes of them.
    bytes: u64,
}

impl Budget {
    pub(super) fn new(file_len: u64) -> Self {
        Self { file_len, objects: 0, bytes: file_len.saturating_mul(MAX_RATIO).saturating_add(SLACK) }
    }

    /// Counts objects, which hard links can make more than the file holds.
    fn objects(&mut self, node: &str, name: &str, count: usize) -> Result<()> {
        self.objects = self.objects.saturating_add(count as u64);
        let limit = self.file_len / MIN_OBJECT_BYTES + SLACK_OBJECTS;
        match self.objects <= limit {
            true => Ok(()),
            false => Err(NirError::new(NirErrorKind::TooLarge {
                what: format!("the file, up to \"{name}\","),
                declared: self.objects,
                unit: "entries",
                limit,
            })
            .with_node(node)),
        }
    }

    /// Admits a dataset of the declared size, or refuses it before anything is allocated.
    fn admit(&mut self, at: &Place<'_>, dataset: &Dataset) -> Result<Vec<usize>> {
        let declared = dataset.shape().map_err(|e| at.hdf5(e))?;
        let size = dataset.element_size().map_err(|e| at.hdf5(e))?;
        // Deflated and otherwise filtered data may be smaller in the file than in memory.
        let limit = match dataset.filters().is_empty() {
            true => self.file_len.saturating_add(SLACK),
            false => self.file_len.saturating_mul(MAX_RATIO).saturating_add(SLACK),
        }
        .min(self.bytes);
        let total = |dims: &[u64]| dims.iter().try_fold(size.max(1), |n, &d| n.checked_mul(d)).unwrap_or(u64::MAX);
        let bytes = match declared.contains(&0) {
            true => 0,
            false => total(&declared),
        };
        // A chunk is unpacked whole, even where the dataset uses a part of it.
        let chunk = dataset.chunk_shape().map_err(|e| at.hdf5(e))?;
        let chunk_bytes = chunk.as_deref().map_or(0, total);
        // Numbers are computed with in double precision, but for those that are stored in single.
        let each = match kind(&dataset.datatype().map_err(|e| at.hdf5(e))?) {
            Some(Kind::Number(dtype)) if dtype != DType::F32 => size_of::<f64>() as u64,
            _ => size.max(1),
        };
        let widened = (bytes / size.max(1)).saturating_mul(each);
        let of = |what: &str| format!("{what} \"{}\"", at.name);
        for (what, bytes, limit) in [
            (of("dataset"), bytes, limit),
            (of("chunk of dataset"), chunk_bytes, limit),
            (format!("dataset \"{}\" in double precision", at.name), widened, self.bytes),
        ] {
            if bytes > limit {
                return Err(at.error(NirErrorKind::TooLarge { what, declared: bytes, unit: "bytes", limit }));
            }
        }
        self.bytes = self.bytes.saturating_sub(bytes.max(widened));
        declared.iter().map(|&d| usize::try_from(d).ok()).collect::<Option<Vec<_>>>().ok_or_else(|| {
            at.error(NirErrorKind::TooLarge { what: format!("dataset \"{}\"", at.name), declared: bytes, unit: "bytes", limit })
        })
    }
}

/// A dataset or attribute in a node, for messages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) node: &'a str,
    pub(super) name: &'a str,
}

impl Place<'_> {
    pub(super) fn error(&self, kind: NirErrorKind) -> NirError {
        NirError::new(kind).with_node(self.node)
    }

    pub(super) fn hdf5(&self, error: hdf5_pure::Error) -> NirError {
        self.error(NirErrorKind::Hdf5(error))
    }

    fn datatype(&self, datatype: &Datatype) -> NirError {
        self.error(NirErrorKind::Datatype { name: self.name.to_owned(), datatype: describe(datatype) })
    }
}

/// Opens a file in memory and hands it to `read`, on a thread with room for whatever the bytes do.
///
/// Two things the library does not report are kept from the caller here and nowhere else. It
/// follows nested datatypes by recursion without a limit, so that a header of 64 KiB can nest 8191
/// of them; unoptimised that takes some 110 MB of stack, which this thread has. And should it panic,
/// which no input is known to make it do, the thread ends and the panic becomes an error.
///
/// One thing cannot be kept from the caller: for each of nested compound types the library reserves
/// room for as many members as the type claims, up to 31 GB of addresses for a header of 64 KiB. It
/// does not touch that memory, so it costs none, but a process with a limit on its addresses ends.
pub(super) fn open<T: Send>(bytes: Vec<u8>, read: impl FnOnce(&File, &mut Budget) -> Result<T> + Send) -> Result<T> {
    let body = move || {
        let mut budget = Budget::new(bytes.len() as u64);
        // From memory the library cannot follow a link out of the file.
        let file = File::from_bytes(bytes).map_err(NirErrorKind::Hdf5)?;
        if shares_messages(&file) {
            return Err(NirErrorKind::SharedMessages.into());
        }
        read(&file, &mut budget)
    };
    std::thread::scope(|scope| {
        let thread = Builder::new().name("nir reader".to_owned()).stack_size(STACK_BYTES);
        let thread = thread.spawn_scoped(scope, body).map_err(NirErrorKind::Io)?;
        thread.join().unwrap_or_else(|panic| {
            let message = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied())
                .unwrap_or("no message");
            Err(NirErrorKind::Panicked(message.to_owned()).into())
        })
    })
}

/// Whether the file keeps header messages in a shared heap.
///
/// There a datatype may be longer than the 64 KiB that bound it elsewhere, and nested deeper than
/// any stack. No writer of NIR files makes such a heap.
fn shares_messages(file: &File) -> bool {
    const TABLE: &[u8] = b"SMTB";
    file.superblock().superblock_extension_address.is_some_and(|at| at != u64::MAX)
        && file.as_bytes().windows(TABLE.len()).any(|w| w == TABLE)
}

/// The datasets and groups inside a group.
pub(super) type Members = (Vec<(String, Dataset)>, Vec<(String, Group)>);

/// Lists the entries of a group.
pub(super) fn members(group: &Group, at: Place<'_>, budget: &mut Budget) -> Result<Members> {
    let datasets: Vec<_> = group.iter_datasets().map_err(|e| unlisted(group, at, e))?.collect();
    let groups: Vec<_> = group.iter_groups().map_err(|e| unlisted(group, at, e))?.collect();
    budget.objects(at.node, at.name, datasets.len() + groups.len())?;
    Ok((datasets, groups))
}

/// Why a group cannot be listed: the library follows no soft links and reads that of an old group as an object at the undefined
/// address, which no other object has.
fn unlisted(group: &Group, at: Place<'_>, error: hdf5_pure::Error) -> NirError {
    let is_link = |e: &hdf5_pure::Error| matches!(e, hdf5_pure::Error::Format(FormatError::UnexpectedEof { expected, .. }) if *expected == usize::MAX);
    if !is_link(&error) {
        return at.hdf5(error);
    }
    // the library lists no name of such a group, but it looks up those that the format has
    let known = Node::ENTRIES.iter().chain(&["type", "edges", "nodes", "metadata", "node", "version"]);
    let name = known.copied().find(|name| group.dataset(name).is_err_and(|e| is_link(&e)));
    at.error(NirErrorKind::SoftLink(name.map_or_else(|| format!("an entry of \"{}\"", at.name), |name| format!("\"{name}\""))))
}

/// Reads everything inside a group.
pub(super) fn read_map(group: &Group, at: Place<'_>, depth: usize, budget: &mut Budget) -> Result<Map> {
    if depth > MAX_DEPTH {
        return Err(at.error(NirErrorKind::TooDeep { limit: MAX_DEPTH }));
    }
    let (datasets, groups) = members(group, at, budget)?;
    let mut map = Map::with_capacity(datasets.len() + groups.len());
    for (name, dataset) in datasets {
        let value = read_value(&dataset, Place { name: &name, ..at }, budget)?;
        insert(&mut map, name, value, at)?;
    }
    for (name, group) in groups {
        let value = read_map(&group, Place { name: &name, ..at }, depth + 1, budget)?;
        insert(&mut map, name, Value::Map(value), at)?;
    }
    Ok(map)
}

fn insert(map: &mut Map, name: String, value: Value, at: Place<'_>) -> Result<()> {
    if map.contains_key(&name) {
        return Err(at.error(NirErrorKind::Duplicate(name)));
    }
    map.insert(name, value);
    Ok(())
}

/// Reads one dataset, whatever it holds.
pub(super) fn read_value(dataset: &Dataset, at: Place<'_>, budget: &mut Budget) -> Result<Value> {
    let shape = budget.admit(&at, dataset)?;
    let datatype = dataset.datatype().map_err(|e| at.hdf5(e))?;
    match kind(&datatype) {
        Some(Kind::Number(dtype)) => {
            let data = read_numbers(dataset, dtype, &datatype, at)?;
            let (found, expected) = (data.len(), shape.clone());
            // An empty dataspace (h5py.Empty) has no dimensions and no number.
            Tensor::new(shape, data).map(Value::Tensor).ok_or_else(|| {
                at.error(NirErrorKind::WrongType {
                    name: at.name.to_owned(),
                    expected: "an array that fills its shape",
                    found: format!("{found} numbers for the shape {expected:?}"),
                })
            })
        }
        Some(Kind::Text) => read_texts(dataset, shape, at, budget),
        None => Err(at.datatype(&datatype)),
    }
}

fn read_texts(dataset: &Dataset, shape: Vec<usize>, at: Place<'_>, budget: &mut Budget) -> Result<Value> {
    let datatype = dataset.datatype().map_err(|e| at.hdf5(e))?;
    let texts = match datatype {
        Datatype::VariableLength { .. } => {
            // Every text is stored once in an honest file; a hostile one can name the same
            // bytes from every element.
            let limit = budget.file_len.min(budget.bytes);
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            dataset.read_vlen_strings(VlenStringReadOptions::new().with_max_payload_bytes(limit)).map_err(|e| at.hdf5(e))?
        }
        _ => dataset.read_string().map_err(|e| at.hdf5(e))?,
    };
    let bytes = texts.iter().map(|t| t.len() as u64).sum();
    budget.bytes = budget.bytes.saturating_sub(bytes);
    // The library replaces what is not UTF-8 by U+FFFD and does not say so.
    if texts.iter().any(|t| t.contains('\u{FFFD}')) {
        return Err(at.error(NirErrorKind::NotText(at.name.to_owned())));
    }
    if let ([], [text]) = (shape.as_slice(), texts.as_slice()) {
        return Ok(Value::Text(text.clone()));
    }
    let found = texts.len();
    let described = format!("{found} texts for the shape {shape:?}");
    Texts::new(shape, texts).map(Value::Texts).ok_or_else(|| {
        at.error(NirErrorKind::WrongType {
            name: at.name.to_owned(),
            expected: "an array of texts that fills its shape",
            found: described,
        })
    })
}

fn read_numbers(dataset: &Dataset, dtype: DType, datatype: &Datatype, at: Place<'_>) -> Result<TensorData> {
    let fail = |e| at.hdf5(e);
    Ok(match dtype {
        DType::Bool => {
            let raw = dataset.read_raw().map_err(fail)?;
            raw.into_iter().map(|b| b != 0).collect::<Vec<_>>().into()
        }
        DType::F16 => {
            let raw = dataset.read_raw().map_err(fail)?;
            let big = matches!(datatype, Datatype::FloatingPoint { byte_order: DatatypeByteOrder::BigEndian, .. });
            let (pairs, _) = raw.as_chunks::<2>();
            pairs
                .iter()
                .map(|&b| match big {
                    true => f16::from_be_bytes(b),
                    false => f16::from_le_bytes(b),
                })
                .collect::<Vec<_>>()
                .into()
        }
        DType::I8 => dataset.read_i8().map_err(fail)?.into(),
        DType::I16 => dataset.read_i16().map_err(fail)?.into(),
        DType::I32 => dataset.read_i32().map_err(fail)?.into(),
        DType::I64 => dataset.read_i64().map_err(fail)?.into(),
        DType::U8 => dataset.read_u8().map_err(fail)?.into(),
        DType::U16 => dataset.read_u16().map_err(fail)?.into(),
        DType::U32 => dataset.read_u32().map_err(fail)?.into(),
        DType::U64 => dataset.read_u64().map_err(fail)?.into(),
        DType::F32 => dataset.read_f32().map_err(fail)?.into(),
        DType::F64 => dataset.read_f64().map_err(fail)?.into(),
    })
}

enum Kind {
    Number(DType),
    Text,
}

/// What a stored type is in terms of this crate, if it is anything.
fn kind(datatype: &Datatype) -> Option<Kind> {
    Some(Kind::Number(match datatype {
        Datatype::FixedPoint { size, layout, .. } => {
            if layout.bit_offset != 0 || u32::from(layout.bit_precision) != size * 8 {
                return None;
            }
            match (size, layout.signed) {
                (1, true) => DType::I8,
                (2, true) => DType::I16,
                (4, true) => DType::I32,
                (8, true) => DType::I64,
                (1, false) => DType::U8,
                (2, false) => DType::U16,
                (4, false) => DType::U32,
                (8, false) => DType::U64,
                _ => return None,
            }
        }
        Datatype::FloatingPoint { size, layout, byte_order } => match (size, layout) {
            (2, layout)
                if *layout == BINARY16
                    && matches!(byte_order, DatatypeByteOrder::LittleEndian | DatatypeByteOrder::BigEndian) =>
            {
                DType::F16
            }
            (4, &FloatingPointLayout::IEEE754_BINARY32) => DType::F32,
            (8, &FloatingPointLayout::IEEE754_BINARY64) => DType::F64,
            _ => return None,
        },
        // What h5py makes of a numpy bool.
        Datatype::Enumeration { size: 1, members, .. }
            if members.len() == 2
                && members.iter().any(|m| m.name == "FALSE" && m.value == [0])
                && members.iter().any(|m| m.name == "TRUE" && m.value == [1]) =>
        {
            DType::Bool
        }
        Datatype::String { .. } | Datatype::VariableLength { is_string: true, .. } => {
            return Some(Kind::Text);
        }
        _ => return None,
    }))
}

fn describe(datatype: &Datatype) -> String {
    match datatype {
        Datatype::FixedPoint { size, .. } => format!("integer of {size} bytes in an unusual layout"),
        Datatype::FloatingPoint { size, .. } => format!("float of {size} bytes"),
        Datatype::Time { .. } => "time".to_owned(),
        Datatype::BitField { .. } => "bit field".to_owned(),
        Datatype::Opaque { .. } => "opaque".to_owned(),
        Datatype::Compound { members, .. } => {
            let names: Vec<_> = members.iter().take(4).map(|m| m.name.as_str()).collect();
            format!("compound of {}", names.join(", "))
        }
        Datatype::Reference { .. } => "reference".to_owned(),
        Datatype::Enumeration { .. } => "enumeration".to_owned(),
        Datatype::VariableLength { .. } => "list of variable length".to_owned(),
        Datatype::Array { .. } => "array".to_owned(),
        _ => "unknown".to_owned(),
    }
}
