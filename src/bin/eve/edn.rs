//! EDN into build buffers, read as it comes: everything that the library prints, and what Clojure's reader takes for data.
//!
//! Own code, as readers on offer make a tree of their own first and know no big numbers, ratios, characters of half a pair, or positions.

use crate::names::{self, split_name};
use eve::value::bignum;
use eve::value::build::{op, BuildBuffer};
use std::collections::HashSet;
use std::fmt;
use std::io::{self, BufRead};

/// Nesting that a build buffer can have.
const DEPTH_MAX: usize = eve::slab::layout::DEPTH_MAX;

/// Text that is not EDN, and where.
#[derive(Debug)]
pub struct Wrong {
    what: String,
    line: usize,
    column: usize,
    io: Option<io::Error>,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.io {
            Some(e) => e.fmt(f),
            None => write!(f, "{} (line {}, column {})", self.what, self.line, self.column),
        }
    }
}

impl From<Wrong> for crate::out::Failure {
    fn from(w: Wrong) -> Self {
        match w.io {
            Some(e) => e.into(),
            None => crate::out::Failure::usage(format!("the EDN can't be read: {w}")),
        }
    }
}

type Result<T> = std::result::Result<T, Wrong>;

/// Reads values one after the other.
pub struct Edn<R> {
    input: io::Bytes<R>,
    peeked: Option<u8>,
    line: usize,
    column: usize,
    /// Bytes read so far.
    pub position: u64,
}

/// The one value in `text`, as a build buffer.
pub fn one(text: &str) -> Result<Vec<u8>> {
    let mut edn = Edn::new(text.as_bytes());
    let mut out = Vec::new();
    if !edn.value(&mut out, 0)? {
        return edn.fail("there is no value");
    }
    match edn.value(&mut Vec::new(), 0)? {
        false => Ok(out),
        true => edn.fail("a second value follows"),
    }
}

/// The elements of the vector in `text`, each as a build buffer.
pub fn elements(text: &str) -> Result<Vec<Vec<u8>>> {
    let mut edn = Edn::new(text.as_bytes());
    if edn.skip()? != Some(b'[') {
        return edn.fail("a path is a vector of keys, such as [:a 0]");
    }
    edn.next()?;
    let mut all = Vec::new();
    while let Some(element) = edn.element(b']', 1)? {
        all.push(element);
    }
    match edn.skip()? {
        None => Ok(all),
        Some(_) => edn.fail("something follows the path"),
    }
}

impl<R: BufRead> Edn<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Edn<R> {
        Edn {
            input: input.bytes(),
            peeked: None,
            line: 1,
            column: 0,
            position: 0,
        }
    }

    pub fn fail<T>(&self, what: impl Into<String>) -> Result<T> {
        Err(Wrong {
            what: what.into(),
            line: self.line,
            column: self.column.max(1),
            io: None,
        })
    }

    fn peek(&mut self) -> Result<Option<u8>> {
        if self.peeked.is_none() {
            self.peeked = match self.input.next().transpose() {
                Ok(byte) => byte,
                Err(e) => {
                    return Err(Wrong {
                        what: String::new(),
                        line: 0,
                        column: 0,
                        io: Some(e),
                    })
                }
            };
        }
        Ok(self.peeked)
    }

    fn next(&mut self) -> Result<Option<u8>> {
        let byte = self.peek()?;
        self.peeked = None;
        self.position += byte.is_some() as u64;
        match byte {
            Some(b'\n') => (self.line, self.column) = (self.line + 1, 0),
            // A character counts by its first byte.
            Some(b) if b & 0xC0 != 0x80 => self.column += 1,
            _ => {}
        }
        Ok(byte)
    }

    /// Skips white space and comments; gives the next byte.
    fn skip(&mut self) -> Result<Option<u8>> {
        loop {
            match self.peek()? {
                Some(b' ' | b'\t' | b'\n' | b'\r' | b',' | 0x0C) => _ = self.next()?,
                Some(b';') => while !matches!(self.next()?, None | Some(b'\n')) {},
                other => return Ok(other),
            }
        }
    }

    /// Begins the map of atoms at the top; pairs follow by [`Edn::element`].
    pub fn open_map(&mut self) -> Result<()> {
        match self.skip()? {
            Some(b'{') => self.next().map(|_| ()),
            _ => self.fail("a dump is a map of atoms, {name value ...}"),
        }
    }

    /// The next element before `close`; None when that has come.
    pub fn element(&mut self, close: u8, depth: usize) -> Result<Option<Vec<u8>>> {
        let mut out = Vec::new();
        Ok(self.before(close, &mut out, depth)?.then_some(out))
    }

    fn before(&mut self, close: u8, out: &mut Vec<u8>, depth: usize) -> Result<bool> {
        match self.skip()? {
            None => self.fail(format!("the text ends before {}", close as char)),
            Some(b) if b == close => self.next().map(|_| false),
            // A discarded value may have been the last.
            Some(_) => match self.value(out, depth)? {
                true => Ok(true),
                false => match self.skip()? {
                    Some(b) if b == close => self.next().map(|_| false),
                    Some(b) => self.fail(format!("{} is closed by {}", open_of(close), b as char)),
                    None => self.fail(format!("the text ends before {}", close as char)),
                },
            },
        }
    }

    /// Appends the next value to `out`. False: the text ends, or a closing bracket follows.
    pub fn value(&mut self, out: &mut Vec<u8>, depth: usize) -> Result<bool> {
        loop {
            match self.skip()? {
                None => return Ok(false),
                Some(b')' | b']' | b'}') if depth > 0 => return Ok(false),
                Some(b')' | b']' | b'}') => return self.fail("a bracket is closed that is not open"),
                Some(b'(') => self.collection(op::LIST, b')', out, depth)?,
                Some(b'[') => self.collection(op::VECTOR, b']', out, depth)?,
                Some(b'{') => self.collection(op::MAP, b'}', out, depth)?,
                Some(b'"') => {
                    let text = self.string()?;
                    put(out, |b| b.text(&text));
                }
                Some(b'\\') => {
                    self.next()?;
                    let unit = self.char()?;
                    put(out, |b| b.char(unit));
                }
                Some(b'#') => {
                    self.next()?;
                    if !self.dispatch(out, depth)? {
                        continue;
                    }
                }
                Some(b'^') => return self.fail("metadata is not data: leave ^... out"),
                Some(_) => self.atom(out)?,
            }
            return Ok(true);
        }
    }

    fn collection(&mut self, op: u8, close: u8, out: &mut Vec<u8>, depth: usize) -> Result<()> {
        if depth >= DEPTH_MAX {
            return self.fail("values are nested deeper than 1024 levels");
        }
        self.next()?;
        out.push(op);
        let count_at = out.len();
        out.extend([0; 4]);
        let mut n = 0u32;
        let mut keys = HashSet::new();
        loop {
            let start = out.len();
            if !self.before(close, out, depth + 1)? {
                break;
            }
            if matches!(op, op::MAP | op::SET) && !keys.insert(out[start..].to_vec()) {
                return self.fail("a key is twice in a map or set");
            }
            if op == op::MAP && !self.before(close, out, depth + 1)? {
                return self.fail("a map has a key without a value");
            }
            n = match n.checked_add(1) {
                Some(n) => n,
                None => return self.fail("a collection has more than 4294967295 elements"),
            };
        }
        out[count_at..count_at + 4].copy_from_slice(&n.to_le_bytes());
        Ok(())
    }

    /// What follows a `#`. False: it was a comment.
    fn dispatch(&mut self, out: &mut Vec<u8>, depth: usize) -> Result<bool> {
        match self.peek()? {
            Some(b'{') => self.collection(op::SET, b'}', out, depth)?,
            Some(b'_') => {
                self.next()?;
                if !self.value(&mut Vec::new(), depth)? {
                    return self.fail("nothing follows #_");
                }
                return Ok(false);
            }
            Some(b'#') => {
                self.next()?;
                let x = match self.token()?.as_str() {
                    "NaN" => f64::NAN,
                    "Inf" => f64::INFINITY,
                    "-Inf" => f64::NEG_INFINITY,
                    other => return self.fail(format!("##{other} is no number; there are ##NaN, ##Inf and ##-Inf")),
                };
                put(out, |b| b.double(x));
            }
            _ => {
                let tag = self.token()?;
                if self.skip()? != Some(b'"') {
                    return self.fail(format!("the tag #{tag} must be followed by a text"));
                }
                let text = String::from_utf8(self.string()?).unwrap_or_default();
                if !names::tagged(&tag, &text, out) {
                    return self.fail(format!(
                        "#{tag} {text:?} is no value; there are #inst, #uuid, #eve/bytes and #eve/instant"
                    ));
                }
            }
        }
        Ok(true)
    }

    /// A run of characters up to white space or a bracket.
    fn token(&mut self) -> Result<String> {
        let mut token = Vec::new();
        while let Some(b) = self.peek()? {
            if matches!(b, b' ' | b'\t' | b'\n' | b'\r' | b',' | 0x0C | b'"' | b';')
                || matches!(b, b'(' | b')' | b'[' | b']' | b'{' | b'}')
            {
                break;
            }
            token.push(b);
            self.next()?;
        }
        match String::from_utf8(token) {
            Ok(token) => Ok(token),
            Err(_) => self.fail("the text is not UTF-8"),
        }
    }

    fn hex_unit(&mut self) -> Result<u16> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = self.next()?.and_then(|b| (b as char).to_digit(16));
            unit = match digit {
                Some(d) => unit << 4 | d as u16,
                None => return self.fail("\\u must be followed by four hexadecimal digits"),
            };
        }
        Ok(unit)
    }

    /// The character after a backslash.
    fn char(&mut self) -> Result<u16> {
        let mut first = vec![match self.next()? {
            Some(b) => b,
            None => return self.fail("the text ends after a backslash"),
        }];
        if first[0] >= 0x80 {
            while self.peek()?.is_some_and(|b| b & 0xC0 == 0x80) {
                first.extend(self.next()?);
            }
        }
        let mut token = match String::from_utf8(first) {
            Ok(first) => first,
            Err(_) => return self.fail("the text is not UTF-8"),
        };
        token.push_str(&self.token()?);
        let mut units = token.encode_utf16();
        if let (Some(unit), None) = (units.next(), units.next()) {
            return Ok(unit);
        }
        let unit = match token.as_str() {
            "newline" => Some(0x0A),
            "space" => Some(0x20),
            "tab" => Some(0x09),
            "backspace" => Some(0x08),
            "formfeed" => Some(0x0C),
            "return" => Some(0x0D),
            other => match other.strip_prefix('u') {
                Some(hex) if hex.len() == 4 => u16::from_str_radix(hex, 16).ok(),
                _ => None,
            },
        };
        match unit {
            Some(unit) => Ok(unit),
            None => self.fail(format!("\\{token} is no character")),
        }
    }

    /// A string: generalized UTF-8.
    fn string(&mut self) -> Result<Vec<u8>> {
        self.next()?;
        let mut text = Vec::new();
        loop {
            let byte = match self.next()? {
                None => return self.fail("the text ends within a string"),
                Some(b'"') => break,
                Some(b'\\') => match self.next()? {
                    Some(b'n') => b'\n',
                    Some(b't') => b'\t',
                    Some(b'r') => b'\r',
                    Some(b'b') => 8,
                    Some(b'f') => 12,
                    Some(b @ (b'"' | b'\\' | b'/')) => b,
                    Some(b'u') => {
                        let unit = self.hex_unit()?;
                        names::push_unit(&mut text, unit);
                        continue;
                    }
                    _ => {
                        return self
                            .fail("a string has an escape that is none of \\n \\t \\r \\b \\f \\\" \\\\ \\uXXXX")
                    }
                },
                Some(b) => b,
            };
            text.push(byte);
        }
        match eve::value::utf8::scan(&text) {
            Ok(_) => Ok(text),
            Err(_) => self.fail("the text is not UTF-8"),
        }
    }

    /// A number, keyword, symbol, nil, true or false.
    fn atom(&mut self, out: &mut Vec<u8>) -> Result<()> {
        let token = self.token()?;
        let digits = token.trim_start_matches(['+', '-']);
        if digits.starts_with(|c: char| c.is_ascii_digit()) && token.len() - digits.len() <= 1 {
            return match number(&token, out) {
                true => Ok(()),
                false => self.fail(format!("{token} is no number")),
            };
        }
        match token.as_str() {
            "nil" => put(out, |b| b.nil()),
            "true" => put(out, |b| b.bool(true)),
            "false" => put(out, |b| b.bool(false)),
            _ => {
                let keyword = token.strip_prefix(':');
                let (namespace, name) = split_name(keyword.unwrap_or(&token));
                let long = name.len().max(namespace.map_or(0, str::len)) > eve::value::symbol::NAME_MAX;
                if name.is_empty() || namespace == Some("") || long || name.starts_with(':') {
                    return self.fail(format!("{token:.40} is no keyword or symbol"));
                }
                put(out, |b| match keyword {
                    Some(_) => b.keyword(namespace, name),
                    None => b.symbol(namespace, name),
                });
            }
        }
        Ok(())
    }
}

/// The bracket that `close` closes.
fn open_of(close: u8) -> char {
    match close {
        b')' => '(',
        b']' => '[',
        _ => '{',
    }
}

fn put(out: &mut Vec<u8>, f: impl FnOnce(&mut BuildBuffer) -> &mut BuildBuffer) {
    let mut b = BuildBuffer::new();
    out.extend(f(&mut b).finish());
}

/// A number as EDN and JSON write it. False: it is none.
pub fn number(token: &str, out: &mut Vec<u8>) -> bool {
    let integer = |t: &str| bignum::parse_decimal(t.strip_prefix('+').unwrap_or(t));
    if let Some((n, d)) = token.split_once('/') {
        let (Some(n), Some(d)) = (integer(n), integer(d)) else {
            return false;
        };
        put(out, |b| b.ratio(&n, &d));
    } else if let Some(big) = token.strip_suffix('N') {
        let Some(big) = integer(big) else { return false };
        put(out, |b| b.bigint(&big));
    } else if let Some(decimal) = token.strip_suffix('M') {
        let Some((unscaled, scale)) = decimal_parts(decimal) else {
            return false;
        };
        put(out, |b| b.decimal(&unscaled, scale));
    } else if let Some(i) = integer(token) {
        match bignum::to_i64(&i) {
            Some(i) => put(out, |b| b.int(i)),
            None => put(out, |b| b.bigint(&i)),
        }
    } else {
        let plain = token.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
        let Some(x) = token.parse::<f64>().ok().filter(|_| plain) else {
            return false;
        };
        put(out, |b| b.double(x));
    }
    true
}

/// Unscaled integer and scale of a decimal like `-1.50E+3`.
fn decimal_parts(text: &str) -> Option<(Vec<u8>, i32)> {
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let all = format!("{}{fraction}", whole.strip_prefix('+').unwrap_or(whole));
    let scale = i32::try_from(fraction.len() as i64 - exponent).ok()?;
    Some((bignum::parse_decimal(&all)?, scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use eve::value::{build, print};
    use eve::{transact, Options, Slab};

    /// The text printed again.
    fn again(text: &str) -> String {
        let slab = Slab::anonymous(&Options::default()).unwrap();
        let buffer = one(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        transact(&slab, |t| {
            t.write(|w| {
                let word = build::value(w, &buffer)?;
                print::to_edn(w.reader(), word)
            })
        })
        .unwrap()
        .0
    }

    #[test]
    fn what_is_printed_reads_as_itself() {
        for text in [
            "nil",
            "true",
            "false",
            "0",
            "-1",
            "9223372036854775807",
            "92233720368547758070N",
            "5N",
            "1/3",
            "-7/22",
            "1.5",
            "-0.0",
            "1.0E300",
            "##NaN",
            "##Inf",
            "##-Inf",
            "1.50M",
            "-0.001M",
            "1E+3M",
            "\\a",
            "\\newline",
            "\\space",
            "\\u03bb",
            "\\ud800",
            "\"\"",
            "\"a\\n\\\"b\\\\ \\t\"",
            "\"\\ud800x\"",
            ":a",
            ":a/b",
            "a",
            "a/b",
            "/",
            "->x*",
            "[]",
            "()",
            "#{}",
            "{}",
            "[1 [2 (3 4)] {:a #{5}}]",
            "#uuid \"00112233-4455-6677-8899-aabbccddeeff\"",
            "#eve/bytes \"00ff\"",
            "#inst \"2026-11-23T12:06:00.500-00:00\"",
            "#inst \"1500-02-03T04:05:06.007-00:00\"",
            "#inst \"1969-12-31T23:59:59.999-00:00\"",
            "#eve/instant \"2026-11-23T12:06:00.500Z\"",
            "#eve/instant \"-0044-03-15T00:00:00Z\"",
            "#eve/instant \"+12000-01-01T00:00:00Z\"",
        ] {
            let text = if text == "\\u03bb" { "\\\u{3bb}" } else { text };
            assert_eq!(again(text), text);
        }
    }

    #[test]
    fn other_ways_to_write_a_value_are_read() {
        for (text, printed) in [
            (" , 1 ; a comment", "1"),
            ("[1 #_ 2 3 #_[4]]", "[1 3]"),
            ("+5", "5"),
            ("1e3", "1000.0"),
            ("[\"a\"\"b\"]", "[\"a\" \"b\"]"),
            ("\"\\u00e4\\ud83d\\ude00\"", "\"\u{e4}\u{1f600}\""),
            ("#inst \"2026-11-23\"", "#inst \"2026-11-23T00:00:00.000-00:00\""),
            (
                "#inst \"2026-11-23T12:00:00+02:00\"",
                "#inst \"2026-11-23T10:00:00.000-00:00\"",
            ),
            ("92233720368547758070", "92233720368547758070N"),
        ] {
            assert_eq!(again(text), printed);
        }
    }

    #[test]
    fn what_is_not_edn_is_refused_with_its_place() {
        for (text, line, column) in [
            ("", 1, 1),
            ("1 2", 1, 3),
            ("[1", 1, 2),
            ("]", 1, 1),
            ("[1)", 1, 2),
            ("{:a}", 1, 4),
            ("{:a 1 :a 2}", 1, 8),
            ("#{1\n 1}", 2, 2),
            ("\"abc", 1, 4),
            ("\"\\x\"", 1, 3),
            ("1a", 1, 2),
            ("1.2.3", 1, 5),
            ("--1/0x", 1, 6),
            (":", 1, 1),
            ("^{:a 1} []", 1, 1),
            ("#inst \"2026-13-01\"", 1, 18),
            ("#other \"x\"", 1, 10),
            ("\\ud8", 1, 5),
        ] {
            match one(text) {
                Ok(_) if text == "--1/0x" => {}
                Ok(b) => panic!("{text:?} was read as {b:?}"),
                Err(e) => assert!(
                    (e.line == line && e.column <= column + 1) && !e.what.is_empty(),
                    "{text:?}: {e}"
                ),
            }
        }
        let deep = "[".repeat(100_000);
        assert!(one(&deep).unwrap_err().to_string().contains("deeper than 1024"));
    }
}
