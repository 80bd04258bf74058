//! EDN text of any value, as Clojure's `pr-str` prints it.
//!
//! Where EDN has no text, ours is: `#eve/bytes "00ff"` for byte arrays, `#eve/instant "2026-11-23T12:06:00.5Z"` for `java.time.Instant`, and `\ud800` for a
//! UTF-16 surrogate without its other half. Metadata is not printed, and namespaces are not lifted out of maps.

use super::number::{self, Number};
use super::print_number::{push_decimal, push_double};
use super::print_time::{push_date, push_instant};
use super::word::{self, kind, Kind};
use super::{bignum, deeper, items, scalar, symbol, text, utf8};
use crate::error::{Error, Result};
use crate::slab::mapping::Reader;
use std::fmt::Write;

/// The value `word` as EDN. `Limit` if it is nested too deep, or an integer in it has more than 2^20 bits.
pub fn to_edn(r: Reader, word: u64) -> Result<String> {
    let mut out = String::new();
    push_value(r, word, 0, &mut out)?;
    Ok(out)
}

fn push_value(r: Reader, word: u64, depth: usize, out: &mut String) -> Result<()> {
    let (open, close) = match kind(r, word)? {
        Kind::Map => ("{", '}'),
        Kind::Set => ("#{", '}'),
        Kind::Vector => ("[", ']'),
        Kind::List => ("(", ')'),
        scalar => return push_scalar(r, word, scalar, out),
    };
    let depth = deeper(depth)?;
    out.push_str(open);
    let is_map = open == "{";
    let separator = if is_map { ", " } else { " " };
    let mut first = true;
    for item in items(r, word)? {
        let (key, value) = item?;
        if !first {
            out.push_str(separator);
        }
        first = false;
        // Shared parts may make a small value print without end.
        if out.len() > i32::MAX as usize {
            return Err(Error::limit("the text of a value is longer than 2147483647 bytes"));
        }
        push_value(r, key, depth, out)?;
        if is_map {
            out.push(' ');
            push_value(r, value, depth, out)?;
        }
    }
    out.push(close);
    Ok(())
}

#[inline(never)]
fn push_scalar(r: Reader, word: u64, kind: Kind, out: &mut String) -> Result<()> {
    match kind {
        Kind::Nil => out.push_str("nil"),
        Kind::Bool => out.push_str(if word::to_bool(word) == Some(true) {
            "true"
        } else {
            "false"
        }),
        Kind::Char => push_char(word::char_unit(word).unwrap_or(0), out),
        Kind::String => push_string(&text::to_vec(r, word)?, out),
        Kind::Keyword | Kind::Symbol => {
            if kind == Kind::Keyword {
                out.push(':');
            }
            let mut name = Vec::new();
            symbol::copy_name_to(r, word, &mut name)?;
            push_text(&name, out, |_| None);
        }
        Kind::Int | Kind::Double | Kind::BigInt | Kind::Ratio | Kind::Decimal => push_number(r, word, out)?,
        Kind::Uuid => push_uuid(scalar::uuid(r, word)?, out),
        Kind::Date => push_date(scalar::date(r, word)?, out),
        Kind::Instant => {
            let (seconds, nanos) = scalar::instant(r, word)?;
            push_instant(seconds, nanos, out);
        }
        Kind::Bytes => {
            out.push_str("#eve/bytes \"");
            scalar::bytes_of(r, word)?
                .iter()
                .for_each(|byte| push(out, format_args!("{byte:02x}")));
            out.push('"');
        }
        Kind::Map | Kind::Set | Kind::Vector | Kind::List => unreachable!("collections are not scalars"),
    }
    Ok(())
}

/// Appends formatted text: writing to a string can't fail.
pub(super) fn push(out: &mut String, text: std::fmt::Arguments) {
    out.write_fmt(text).expect("a string takes all");
}

fn push_number(r: Reader, word: u64, out: &mut String) -> Result<()> {
    match number::read(r, word)? {
        Some(Number::Int(i)) => push(out, format_args!("{i}")),
        Some(Number::Double(x)) => push_double(x, out),
        Some(Number::BigInt(b)) => push(out, format_args!("{}N", digits(&b)?)),
        Some(Number::Ratio(n, d)) => push(out, format_args!("{}/{}", digits(&n)?, digits(&d)?)),
        Some(Number::Decimal(unscaled, scale)) => {
            push_decimal(&unscaled, scale, out);
            out.push('M');
        }
        None => return Err(Error::corrupt("a number changed while it was read", word)),
    }
    Ok(())
}

fn digits(integer: &[u8]) -> Result<String> {
    number::check_digits(integer)?;
    Ok(bignum::to_decimal(integer))
}

fn push_char(unit: u16, out: &mut String) {
    let name = match unit {
        0x0A => "newline",
        0x20 => "space",
        0x09 => "tab",
        0x08 => "backspace",
        0x0C => "formfeed",
        0x0D => "return",
        _ => {
            match char::from_u32(unit.into()) {
                Some(c) => out.extend(['\\', c]),
                None => push_surrogate(unit, out),
            }
            return;
        }
    };
    out.push('\\');
    out.push_str(name);
}

fn push_surrogate(unit: u16, out: &mut String) {
    push(out, format_args!("\\u{unit:04x}"));
}

fn push_string(text: &[u8], out: &mut String) {
    out.push('"');
    push_text(text, out, |c| {
        Some(match c {
            '\n' => "\\n",
            '\t' => "\\t",
            '\r' => "\\r",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{c}' => "\\f",
            '\u{8}' => "\\b",
            _ => return None,
        })
    });
    out.push('"');
}

/// Appends generalized UTF-8. `escape` says what stands for a character.
fn push_text(text: &[u8], out: &mut String, escape: impl Fn(char) -> Option<&'static str>) {
    out.reserve(text.len());
    for c in char::decode_utf16(utf8::utf16_units(text)) {
        match c {
            Ok(c) => match escape(c) {
                Some(escaped) => out.push_str(escaped),
                None => out.push(c),
            },
            Err(lone) => push_surrogate(lone.unpaired_surrogate(), out),
        }
    }
}

fn push_uuid((high, low): (u64, u64), out: &mut String) {
    let (a, b, c) = (high >> 32, high >> 16 & 0xFFFF, high & 0xFFFF);
    push(
        out,
        format_args!(
            "#uuid \"{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}\"",
            low >> 48,
            low & 0xFFFF_FFFF_FFFF
        ),
    );
}
