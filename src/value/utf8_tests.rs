//! What `scan` refuses, and the other functions against a plain model; hash_tests.rs compares them with Java.

use super::*;

/// Generalized UTF-8 of UTF-16 units, as the format defines it.
fn from_units(units: &[u16]) -> Vec<u8> {
    let mut text = Vec::new();
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok(c) => text.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            Err(lone) => {
                let unit = lone.unpaired_surrogate();
                let [high, low] = (unit & 0xfff).to_be_bytes();
                text.extend([0xed, 0x80 | high << 2 | low >> 6, 0x80 | low & 0x3f]);
            }
        }
    }
    text
}

/// All sequences of up to `length` of `UNITS`.
fn sequences(length: usize) -> Vec<Vec<u16>> {
    if length == 0 {
        return vec![vec![]];
    }
    let shorter = sequences(length - 1);
    let longer = UNITS
        .iter()
        .flat_map(|&unit| shorter.iter().map(move |rest| [&[unit], rest.as_slice()].concat()));
    core::iter::once(vec![]).chain(longer).collect()
}

const UNITS: [u16; 9] = [0x61, 0x7f, 0x80, 0x7ff, 0x800, 0xd83d, 0xde00, 0xe000, 0xffff];

#[test]
fn every_code_point_scans_and_gives_its_units() {
    for code in 0..0x11_0000u32 {
        let units: Vec<u16> = match char::from_u32(code) {
            Some(c) => c.encode_utf16(&mut [0; 2]).to_vec(),
            None => vec![u16::try_from(code).unwrap()],
        };
        let text = from_units(&units);
        let expected = TextInfo {
            utf16_len: units.len(),
            is_ascii: code < 0x80,
            has_question_mark: code == 0x3f,
            has_lone_surrogate: char::from_u32(code).is_none(),
        };
        assert_eq!(scan(&text), Ok(expected), "{code:#x}");
        assert!(utf16_units(&text).eq(units.iter().copied()), "{code:#x}");
        assert_eq!(utf16_len(&text), units.len(), "{code:#x}");
    }
}

#[test]
fn short_texts_sort_as_their_units() {
    let all: Vec<_> = sequences(3)
        .into_iter()
        .map(|units| (from_units(&units), units))
        .collect();
    assert_eq!(all.len(), 1 + 9 + 81 + 729);
    for (a, a_units) in &all {
        assert!(utf16_units(a).eq(a_units.iter().copied()), "{a_units:x?}");
        for (b, b_units) in &all {
            assert_eq!(compare(a, b), a_units.cmp(b_units), "{a_units:x?} {b_units:x?}");
        }
    }
}

#[test]
fn scan_names_the_first_wrong_byte() {
    let wrong: [(&[u8], usize); 21] = [
        (b"\x80", 0),
        (b"a\xbf", 1),
        (b"\xc0\x80", 0),     // overlong NUL, Java's modified UTF-8
        (b"\xc1\xbf", 0),     // overlong
        (b"\xe0\x80\x80", 0), // overlong
        (b"\xe0\x9f\xbf", 0),
        (b"\xf0\x80\x80\x80", 0),
        (b"\xf0\x8f\xbf\xbf", 0),
        (b"\xf4\x90\x80\x80", 0), // above U+10FFFF
        (b"\xf5\x80\x80\x80", 0),
        (b"\xff", 0),
        (b"\xc3", 0), // cut short
        (b"ab\xe2\x82", 2),
        (b"\xf0\x9f\x98", 0),
        (b"\xc3a", 0),
        (b"\xe2\x82a", 0),
        (b"\xf0\x9f\x98a", 0),
        (b"\xed\xa0\xbd\xed\xb8\x80", 3), // a pair as two three-byte forms
        (b"\xed\xa0\xbd\xed\xa0\xbd\xed\xb8\x80", 6),
        (b"12345678\xed\xa0\xbd12345678\x80", 19),
        (b"abcdefgh\xf8ijklmnop", 8),
    ];
    for (text, at) in wrong {
        assert_eq!(scan(text), Err(at), "{text:x?}");
    }
}

#[test]
fn surrogates_that_form_no_pair_are_text() {
    let right: [&[u16]; 5] = [
        &[0xd83d, 0x61, 0xde00],
        &[0xde00, 0xd83d],
        &[0xd83d, 0xd83d],
        &[0xde00, 0xde00],
        &[0xd83d, 0xd83d, 0xde00],
    ];
    for units in right {
        let info = scan(&from_units(units)).unwrap();
        assert!(info.has_lone_surrogate && info.utf16_len == units.len(), "{units:x?}");
    }
    // Eight ASCII characters, which are taken at once, between the halves.
    let mut apart = from_units(&[0xd83d]);
    apart.extend(b"12345678");
    apart.extend(from_units(&[0xde00]));
    assert_eq!(scan(&apart).map(|info| info.utf16_len), Ok(10));
}

#[test]
fn question_mark_is_found_at_every_place() {
    for length in 0..30 {
        // The neighbours of '?' in the code, and those that a test by subtraction might take for it.
        for filler in *b">@\x00\x01\x3e\x7f\xbf" {
            let plain: Vec<u8> = if filler < 0x80 {
                vec![filler; length]
            } else {
                "\u{bf}".repeat(length).into_bytes()
            };
            assert!(!scan(&plain).unwrap().has_question_mark, "{filler:#x} {length}");
            for at in 0..length {
                if filler < 0x80 {
                    let mut text = plain.clone();
                    text[at] = b'?';
                    assert!(scan(&text).unwrap().has_question_mark, "{filler:#x} {length} {at}");
                }
            }
        }
    }
}

#[test]
fn malformed_text_is_walked_to_its_end() {
    let bytes = [0x61, 0x80, 0xbf, 0xc3, 0xe2, 0xed, 0xa0, 0xf0, 0xf4, 0xff];
    for a in bytes {
        for b in bytes {
            for c in bytes {
                let text = [a, b, c, a, b];
                assert!(utf16_units(&text).count() <= text.len());
                let _ = (utf16_len(&text), compare(&text, &[c, b, a]), compare(&[a, b], &[a, c]));
            }
        }
    }
}

#[test]
fn iterator_promises_no_wrong_size() {
    for units in sequences(3) {
        let text = from_units(&units);
        let mut iterator = utf16_units(&text);
        for taken in 0..=units.len() {
            let (least, most) = iterator.size_hint();
            let left = units.len() - taken;
            assert!(least <= left && left <= most.unwrap(), "{units:x?} {taken}");
            iterator.next();
        }
    }
}
