//! The command tree of an instrument: headers in long and short forms, compound messages, arguments.

use super::codec::{self, Head, number};

/// The most bytes that an instrument takes in a block; a head that promises more is none.
pub const LONGEST_BLOCK: usize = 1 << 18;

/// The head of a block that is not too long.
fn head(bytes: &[u8]) -> Head {
    match codec::head(bytes) {
        Head::Block(start, end) if end - start > LONGEST_BLOCK => Head::Wrong,
        other => other,
    }
}

/// A piece of a message behind its header.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    /// Characters: a number, a word, a list of channels.
    Text(Vec<u8>),
    /// A block.
    Block(Vec<u8>),
}

impl Argument {
    /// The number that it is.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Text(text) => number(text),
            Self::Block(_) => None,
        }
    }

    /// Whether it is a keyword, by its long or its short form: `MINimum`.
    #[must_use]
    pub fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Text(text) if matches_node(text, keyword))
    }

    /// The channels of a list such as `(@1,3:5)`.
    #[must_use]
    pub fn channels(&self) -> Option<Vec<usize>> {
        let Self::Text(text) = self else { return None };
        let text = std::str::from_utf8(text).ok()?;
        let inner = text.strip_prefix("(@")?.strip_suffix(')')?;
        let mut channels = Vec::new();
        for part in inner.split(',') {
            let (first, last) = part.split_once(':').unwrap_or((part, part));
            let whole = |t: &str| t.trim().parse::<usize>().ok().filter(|&c| c <= 1000);
            channels.extend(whole(first)?..=whole(last)?);
            if channels.len() > 1000 {
                return None;
            }
        }
        Some(channels)
    }
}

/// One command or query of a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Unit {
    /// Its header as it was sent, with the path of the unit before it.
    pub header: Vec<u8>,
    /// Whether it ends with a question mark.
    pub query: bool,
    /// What follows it.
    pub arguments: Vec<Argument>,
}

/// Where the first message in some bytes ends, before its LF; nothing if it has not ended.
///
/// A line feed inside a block does not end a message.
#[must_use]
pub fn end_of_message(bytes: &[u8]) -> Option<usize> {
    let (mut at, mut quoted) = (0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'\n' => return Some(at),
            b'"' => quoted = !quoted,
            b'#' if !quoted => match head(&bytes[at..]) {
                Head::Short => return None,
                Head::Block(_, length) => {
                    at += length;
                    continue;
                }
                Head::Wrong => {}
            },
            _ => {}
        }
        at += 1;
    }
    None
}

/// Splits at a mark outside of quotes, parentheses and blocks.
fn split(bytes: &[u8], mark: u8) -> Vec<&[u8]> {
    let (mut parts, mut start, mut at, mut quoted, mut depth) = (Vec::new(), 0, 0, false, 0_i32);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'#' => {
                if let Head::Block(_, length) = head(&bytes[at..]) {
                    at = bytes.len().min(at + length);
                    continue;
                }
            }
            b if b == mark && depth <= 0 => {
                parts.push(&bytes[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        at += 1;
    }
    parts.push(&bytes[start..]);
    parts
}

/// The units of a message, without its LF.
#[must_use]
pub fn units(message: &[u8]) -> Vec<Unit> {
    let mut units = Vec::new();
    let mut path: Vec<u8> = Vec::new();
    for part in split(message, b';') {
        // a block may begin with a blank and end with one
        let part = part.trim_ascii_start();
        if part.is_empty() || part == b"\r" {
            continue;
        }
        let space = part.iter().position(u8::is_ascii_whitespace).unwrap_or(part.len());
        let (word, rest) = part.split_at(space);
        let query = word.ends_with(b"?");
        let word = word.strip_suffix(b"?").unwrap_or(word);
        let header = match word {
            [b'*', ..] => word.to_vec(),
            [b':', absolute @ ..] => absolute.to_vec(),
            _ => [&path, word].concat(),
        };
        if !header.starts_with(b"*") {
            path = header.iter().rposition(|&b| b == b':').map_or_else(Vec::new, |at| header[..=at].to_vec());
        }
        let arguments = if rest.trim_ascii().is_empty() { Vec::new() } else { split(rest, b',') };
        let arguments = arguments.into_iter().map(argument).collect();
        units.push(Unit { header, query, arguments });
    }
    units
}

fn argument(text: &[u8]) -> Argument {
    let text = text.trim_ascii_start();
    match head(text) {
        Head::Block(start, end) if end <= text.len() => Argument::Block(text[start..end].to_vec()),
        _ => Argument::Text(text.trim_ascii_end().to_vec()),
    }
}

/// Whether a word is a node of the tree: its long form, or its short form, which is the capitals of the pattern; in any case of letters.
fn matches_node(word: &[u8], pattern: &str) -> bool {
    let short: Vec<u8> = pattern.bytes().filter(|b| !b.is_ascii_lowercase()).collect();
    word.eq_ignore_ascii_case(pattern.as_bytes()) || word.eq_ignore_ascii_case(&short)
}

/// Whether a header is that of a pattern such as `[SENSe:]CORRection:WAVelength`; a node in brackets may be left out.
#[must_use]
pub fn matches(header: &[u8], pattern: &str) -> bool {
    let words: Vec<&[u8]> = header.split(|&b| b == b':').collect();
    // "[SENSe:]POWer[:DC]" has its nodes and whether they are needed
    let mut nodes = Vec::new();
    let mut rest = pattern;
    while !rest.is_empty() {
        let optional = rest.starts_with('[');
        let end = if optional { rest.find(']').map_or(rest.len(), |at| at + 1) } else { rest.find('[').unwrap_or(rest.len()) };
        let (piece, next) = rest.split_at(end);
        nodes.extend(piece.trim_matches(['[', ']']).split(':').filter(|n| !n.is_empty()).map(|n| (n, optional)));
        rest = next;
    }
    follows(&words, &nodes)
}

fn follows(words: &[&[u8]], nodes: &[(&str, bool)]) -> bool {
    match (words.split_first(), nodes.split_first()) {
        (None, None) => true,
        (None, Some((&(_, optional), nodes))) => optional && follows(&[], nodes),
        (Some(_), None) => false,
        (Some((word, words)), Some((&(node, optional), later))) => {
            (matches_node(word, node) && follows(words, later)) || (optional && follows(&[&[*word], words].concat(), later))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn long_and_short_forms_are_the_same() {
        let pattern = "[SENSe:]CORRection:WAVelength";
        for header in ["SENSE:CORRECTION:WAVELENGTH", "corr:wav", "Sens:Corr:Wavelength", "CORRECTION:wav"] {
            assert!(matches(header.as_bytes(), pattern), "{header}");
        }
        for header in ["CORRE:WAV", "CORR", "CORR:WAV:X", "WAV", "SENS:WAV", "", ":"] {
            assert!(!matches(header.as_bytes(), pattern), "{header}");
        }
        assert!(matches(b"SYST:ERR", "SYSTem:ERRor[:NEXT]") && matches(b"SYST:ERR:NEXT", "SYSTem:ERRor[:NEXT]"));
    }

    #[test]
    fn units_of_a_message_share_their_path() {
        let units = units(b"SENS:CORR:WAV 1550;WAV?;:READ:POW? (@1,2:3);*OPC?");
        let headers: Vec<&str> = units.iter().map(|u| std::str::from_utf8(&u.header).expect("text")).collect();
        assert_eq!(headers, ["SENS:CORR:WAV", "SENS:CORR:WAV", "READ:POW", "*OPC"]);
        assert_eq!(units.iter().map(|u| u.query).collect::<Vec<_>>(), [false, true, true, true]);
        assert_eq!(units[0].arguments, [Argument::Text(b"1550".to_vec())]);
        assert_eq!(units[2].arguments[0].channels(), Some(vec![1, 2, 3]));
    }

    #[test]
    fn a_block_hides_line_feeds_and_marks() {
        let message = b"DATA 2,#14\n;,\n\nREST";
        assert_eq!(end_of_message(message), Some(14));
        let units = units(&message[..14]);
        assert_eq!(units[0].arguments, [Argument::Text(b"2".to_vec()), Argument::Block(b"\n;,\n".to_vec())]);
        assert_eq!(end_of_message(b"DATA #14ab"), None);
        assert_eq!(end_of_message(b"DATA #x\n"), Some(7));
        // who promises a gigabyte is not waited for
        assert_eq!(end_of_message(b"DATA #9999999999ab\n"), Some(18));
    }

    #[test]
    fn keywords_have_short_forms_too() {
        let max = Argument::Text(b"max".to_vec());
        assert!(max.is("MAXimum") && !max.is("MINimum"));
    }

    proptest! {
        #[test]
        fn no_message_brings_it_down(bytes in proptest::collection::vec(prop_oneof![any::<u8>(), proptest::sample::select(b"#0159:;,\"()@ ?*\n".to_vec())], 0..60)) {
            let end = end_of_message(&bytes).unwrap_or(bytes.len());
            for unit in units(&bytes[..end]) {
                let _ = matches(&unit.header, "[SENSe:]CORRection:WAVelength");
                for argument in &unit.arguments {
                    let _ = (argument.number(), argument.channels());
                }
            }
        }
    }
}
