//! JSON from values and into build buffers.
//!
//! JSON has fewer types than a slab: keywords, symbols, characters, ratios, UUIDs, dates and byte arrays (in hexadecimal) become texts, sets and lists
//! arrays, keys texts. Two keys that become one text are an error, not a lost entry.

use crate::edn;
use crate::out::{Failure, Outcome};
use eve::coll::iter::Iter;
use eve::slab::layout::DEPTH_MAX;
use eve::slab::mapping::Reader;
use eve::value::build::{op, BuildBuffer};
use eve::value::number::{self, Number};
use eve::value::symbol::NAME_MAX;
use eve::value::word::{kind, Kind};
use eve::value::{print, text_of};
use eve::Error;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::collections::HashSet;
use std::fmt;
use std::io::{Read, Write};

/// Keys of one object.
#[derive(Default)]
pub struct Keys(HashSet<String>);

impl Keys {
    /// The key, if it is a new one.
    pub fn add<'k>(&mut self, key: &'k str) -> Outcome<&'k str> {
        match self.0.insert(key.into()) {
            true => Ok(key),
            false => Err(Failure::no(format!(
                "two different keys of a map are both {key:?} in JSON: use EDN"
            ))),
        }
    }
}

pub fn write_key(key: &str, out: &mut impl Write) -> Outcome {
    serde_json::to_writer(&mut *out, key)?;
    Ok(out.write_all(b":")?)
}

/// Writes a value.
pub fn write(r: Reader, word: u64, out: &mut impl Write) -> Outcome {
    write_at(r, word, out, 0)
}

fn write_at(r: Reader, word: u64, out: &mut impl Write, depth: usize) -> Outcome {
    let kind = kind(r, word)?;
    if depth >= DEPTH_MAX {
        return Err(Error::limit("a value is nested deeper than 1024 levels").into());
    }
    match kind {
        Kind::Nil => out.write_all(b"null")?,
        Kind::Bool | Kind::Int => out.write_all(print::to_edn(r, word)?.as_bytes())?,
        Kind::BigInt | Kind::Decimal => {
            let text = print::to_edn(r, word)?;
            out.write_all(text.trim_end_matches(['N', 'M']).as_bytes())?;
        }
        Kind::Double => match number::read(r, word)? {
            Some(Number::Double(x)) if x.is_finite() => out.write_all(print::to_edn(r, word)?.as_bytes())?,
            _ => serde_json::to_writer(out, print::to_edn(r, word)?.trim_start_matches('#'))?,
        },
        Kind::Map => {
            let mut keys = Keys::default();
            out.write_all(b"{")?;
            for (i, item) in Iter::new(r, word)?.enumerate() {
                let (key, value) = item?;
                if i > 0 {
                    out.write_all(b",")?;
                }
                write_key(keys.add(&text(r, key)?)?, out)?;
                write_at(r, value, out, depth + 1)?;
            }
            out.write_all(b"}")?;
        }
        Kind::Set | Kind::Vector | Kind::List => {
            out.write_all(b"[")?;
            for (i, item) in Iter::new(r, word)?.enumerate() {
                if i > 0 {
                    out.write_all(b",")?;
                }
                write_at(r, item?.0, out, depth + 1)?;
            }
            out.write_all(b"]")?;
        }
        _ => serde_json::to_writer(out, &text(r, word)?)?,
    }
    Ok(())
}

/// What stands for a value where only a text can.
fn text(r: Reader, word: u64) -> Outcome<String> {
    Ok(match kind(r, word)? {
        Kind::String | Kind::Keyword | Kind::Symbol => String::from_utf8_lossy(&text_of(r, word)?).into_owned(),
        Kind::Char => {
            let unit = eve::value::word::char_unit(word).unwrap_or(0);
            String::from_utf16_lossy(&[unit])
        }
        Kind::Uuid | Kind::Date | Kind::Instant | Kind::Bytes => {
            // The text of the tagged value.
            let edn = print::to_edn(r, word)?;
            edn.split('"').nth(1).unwrap_or_default().to_owned()
        }
        _ => print::to_edn(r, word)?,
    })
}

type Atom<'a> = &'a mut dyn FnMut(Vec<u8>, Vec<u8>) -> Outcome;

/// Reads an object of atoms and hands on each name and value as build buffers.
pub fn read(input: impl Read, keywords: bool, atom: Atom) -> Outcome {
    let mut failure = None;
    let mut json = serde_json::Deserializer::from_reader(input);
    let result = Atoms {
        keywords,
        atom,
        failure: &mut failure,
    }
    .deserialize(&mut json)
    .and_then(|()| json.end());
    match failure {
        Some(f) => Err(f),
        None => Ok(result?),
    }
}

struct Atoms<'a, 'f> {
    keywords: bool,
    atom: Atom<'a>,
    failure: &'f mut Option<Failure>,
}

impl<'de> DeserializeSeed<'de> for Atoms<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Atoms<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object of atoms, {\"name\": value, ...}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            let done = (|| {
                let (mut key, mut buffer) = (Vec::new(), Vec::new());
                put_key(&name, true, &mut key)?;
                put_value(&value, self.keywords, &mut buffer)?;
                (self.atom)(key, buffer)
            })();
            if let Err(f) = done {
                *self.failure = Some(f);
                return Err(serde::de::Error::custom("stopped"));
            }
        }
        Ok(())
    }
}

fn put(out: &mut Vec<u8>, f: impl FnOnce(&mut BuildBuffer) -> &mut BuildBuffer) {
    let mut b = BuildBuffer::new();
    out.extend(f(&mut b).finish());
}

fn put_key(key: &str, keyword: bool, out: &mut Vec<u8>) -> Outcome {
    if !keyword {
        put(out, |b| b.string(key));
        return Ok(());
    }
    let (namespace, name) = crate::names::split_name(key);
    if key.len() > NAME_MAX {
        return Err(Failure::usage("a name of more than 65534 bytes can't be a keyword"));
    }
    put(out, |b| b.keyword(namespace, name));
    Ok(())
}

/// The value's depth is bounded by the JSON reader (128).
fn put_value(value: &Value, keywords: bool, out: &mut Vec<u8>) -> Outcome {
    let count = |n: usize| u32::try_from(n).map_err(|_| Failure::usage("an array has more than 4294967295 elements"));
    match value {
        Value::Null => put(out, |b| b.nil()),
        Value::Bool(x) => put(out, |b| b.bool(*x)),
        Value::Number(n) => {
            if !edn::number(&n.to_string(), out) {
                return Err(Failure::usage(format!("{n} is no number that can be kept")));
            }
        }
        Value::String(s) => put(out, |b| b.string(s)),
        Value::Array(items) => {
            out.push(op::VECTOR);
            out.extend(count(items.len())?.to_le_bytes());
            for item in items {
                put_value(item, keywords, out)?;
            }
        }
        Value::Object(entries) => {
            out.push(op::MAP);
            out.extend(count(entries.len())?.to_le_bytes());
            for (key, value) in entries {
                put_key(key, keywords, out)?;
                put_value(value, keywords, out)?;
            }
        }
    }
    Ok(())
}
