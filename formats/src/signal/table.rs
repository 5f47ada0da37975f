//! Tables of comma-separated values: a row for each tick, a column for each channel.

use csv::{ReaderBuilder, StringRecord, Trim, WriterBuilder};

use super::Dense;
use super::error::{Result, SignalErrorKind};

fn malformed(error: &csv::Error) -> SignalErrorKind {
    SignalErrorKind::Malformed { format: "csv", message: error.to_string() }
}

pub(super) fn from_bytes(bytes: &[u8]) -> Result<Dense> {
    let mut reader =
        ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).comment(Some(b'#')).from_reader(bytes);
    let mut record = StringRecord::new();
    let (mut data, mut ticks, mut columns) = (Vec::new(), 0, None);
    let mut batch = 1;
    let mut first = true;
    while reader.read_record(&mut record).map_err(|e| malformed(&e))? {
        let row = || record.position().map_or(0, |at| line(bytes, at));
        let expected = *columns.get_or_insert(record.len());
        if record.len() != expected {
            return Err(SignalErrorKind::Ragged { row: row(), found: record.len(), expected }.into());
        }
        if std::mem::take(&mut first) && is_header(&record) {
            batch = samples(&record).unwrap_or(1);
            continue;
        }
        for (column, cell) in record.iter().enumerate() {
            let (column, shown) = (column + 1, || cell.chars().take(32).collect());
            let value = cell.parse::<f32>().map_err(|_| SignalErrorKind::Cell { row: row(), column, cell: shown() })?;
            // Text that overflows reads as infinity, which only "inf" itself may do.
            if value.is_infinite() && cell.contains(|c: char| c.is_ascii_digit()) {
                return Err(SignalErrorKind::CellRange { row: row(), column, cell: shown() }.into());
            }
            data.push(value);
        }
        ticks += 1;
    }
    let Some(columns) = columns else {
        return Err(SignalErrorKind::Malformed { format: "csv", message: "it is empty".to_owned() }.into());
    };
    if let Some(row) = gap(bytes).filter(|_| columns == 1) {
        return Err(SignalErrorKind::Cell { row, column: 1, cell: String::new() }.into());
    }
    Dense::new(ticks, batch, columns / batch, data)
}

/// The line of a record, whose position is that of the comments and empty lines before it.
fn line(bytes: &[u8], at: &csv::Position) -> u64 {
    let rest = usize::try_from(at.byte()).ok().and_then(|from| bytes.get(from..)).unwrap_or_default();
    let passed = rest.split(|&b| b == b'\n').take_while(|row| matches!(row, [] | [b'\r'] | [b'#', ..])).count();
    at.line() + passed as u64
}

/// Whether a first row names the columns: a mistyped number does not, else it would be dropped and time would shift.
fn is_header(row: &StringRecord) -> bool {
    let like_number =
        |cell: &str| cell.parse::<f32>().is_ok() || cell.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c));
    samples(row).is_some() || (row.iter().any(|cell| !cell.is_empty()) && !row.iter().any(like_number))
}

/// The first empty line between numbers. The reader of tables passes over it, but in a single column it is a missing value.
fn gap(bytes: &[u8]) -> Option<u64> {
    let (mut begun, mut empty) = (false, None);
    for (line, row) in (1..).zip(bytes.split(|&b| b == b'\n')) {
        let row = row.trim_ascii();
        if row.is_empty() {
            empty = empty.or(Some(line).filter(|_| begun));
        } else if !row.starts_with(b"#") {
            begun |= str::from_utf8(row).is_ok_and(|row| row.trim_matches('"').trim().parse::<f32>().is_ok());
            if empty.is_some() {
                return empty;
            }
        }
    }
    None
}

pub(super) fn to_bytes(signal: &Dense) -> Result<Vec<u8>> {
    let mut writer = WriterBuilder::new().from_writer(Vec::new());
    let width = signal.batch * signal.channels;
    if signal.batch != 1 {
        let names = (0..signal.batch).flat_map(|b| (0..signal.channels).map(move |c| format!("{b}:{c}")));
        writer.write_record(names).map_err(|e| malformed(&e))?;
    }
    for row in signal.data.chunks(width.max(1)) {
        let cells = row.iter().map(ToString::to_string);
        writer.write_record(cells).map_err(|e| malformed(&e))?;
    }
    writer.into_inner().map_err(|e| SignalErrorKind::Io(e.into_error()).into())
}

/// The number of samples, if the header names every column as `sample:channel` in order.
fn samples(header: &StringRecord) -> Option<usize> {
    let named: Vec<(usize, usize)> = header
        .iter()
        .map(|cell| {
            let (sample, channel) = cell.split_once(':')?;
            Some((sample.parse().ok()?, channel.parse().ok()?))
        })
        .collect::<Option<_>>()?;
    let &(last_sample, last_channel) = named.last()?;
    let (batch, channels) = (last_sample.checked_add(1)?, last_channel.checked_add(1)?);
    let in_order = named.len() == batch.checked_mul(channels)?
        && named.iter().enumerate().all(|(i, &(b, c))| (b, c) == (i / channels, i % channels));
    in_order.then_some(batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_with_and_without_a_header() {
        let plain = from_bytes(b"0, 1.5\n-2,3e-1\n").unwrap();
        assert_eq!((plain.ticks, plain.batch, plain.channels), (2, 1, 2));
        assert_eq!(plain.data, [0.0, 1.5, -2.0, 0.3]);
        assert_eq!(from_bytes(b"left,right\n0,1.5\n-2,0.3").unwrap(), plain);
        assert_eq!(from_bytes(b"left,\n0,1.5\n\n-2,0.3\n\n\n").unwrap(), plain);
        assert_eq!(from_bytes(b"v\n\n1\n2\n\n\r\n").unwrap().data, [1.0, 2.0]);
        assert_eq!(from_bytes(b"# made by numpy\r\n0,1.5\r\n-2,0.3\r\n").unwrap(), plain);
    }

    #[test]
    fn keeps_what_is_not_finite() {
        let signal = from_bytes(b"nan\ninf\n-inf\n").unwrap();
        assert_eq!(signal.ticks, 3);
        assert!(signal.data[0].is_nan());
        assert_eq!(signal.data[1..], [f32::INFINITY, f32::NEG_INFINITY]);
    }

    #[test]
    fn errors_name_the_row_and_the_column() {
        let message = |text: &str| from_bytes(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(message("0,1\n2,x\n"), "row 2, column 2: \"x\" is not a number");
        assert_eq!(message("a,b\n0,1\n2,\n"), "row 3, column 2: \"\" is not a number");
        assert_eq!(message("0,a\n"), "row 1, column 2: \"a\" is not a number");
        assert_eq!(message("0,1\n2\n"), "row 2 has 1 columns, the rows before it have 2");
        assert_eq!(message("0\n1e400\n"), "row 2, column 1: \"1e400\" is beyond single precision");
        assert_eq!(message(""), "not a readable csv file: it is empty");
        assert!(from_bytes(b"0,\xff\n").is_err());
        assert_eq!(message("0\n\n1\n"), "row 2, column 1: \"\" is not a number");
        assert_eq!(message("v\r\n0\r\n# note\r\n\r\n\r\n1\r\n"), "row 4, column 1: \"\" is not a number");
        assert_eq!(message("v\r\n0\r\n# note\r\n\r\n  \r\n1\r\n"), "row 5, column 1: \"\" is not a number");
        assert_eq!(message("0,1\n\n# note\n1\n"), "row 4 has 1 columns, the rows before it have 2");
        for (first, cell) in [("0.1.2", "0.1.2"), ("1e5x", "1e5x"), ("0;1", "0;1"), ("-x", "-x"), (".", "."), ("\"\"", "")] {
            let text = message(&format!("{first}\n3\n"));
            assert!(text.starts_with("row 1, column ") && text.ends_with(&format!("\"{cell}\" is not a number")), "{text}");
        }
    }

    #[test]
    fn writes_what_it_reads() {
        let data = vec![0.1, f32::INFINITY, -0.0, 16_777_217.0, 1e-45, -7.25];
        for (ticks, batch, channels) in [(3, 1, 2), (1, 2, 3), (6, 1, 1), (1, 6, 1), (1, 1, 6)] {
            let signal = Dense::new(ticks, batch, channels, data.clone()).unwrap();
            assert_eq!(from_bytes(&to_bytes(&signal).unwrap()).unwrap(), signal);
        }
    }
}
