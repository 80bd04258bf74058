//! Look-ups by keys that are not values of the slab.

use super::key::TextKey;
use super::{map, set, sorted};
use crate::error::Result;
use crate::slab::layout::*;
use crate::slab::mapping::Reader;
use crate::value::{text, word};

/// What [`super::get`] gives for the string key `text` of (generalized) UTF-8.
#[inline]
pub fn get_text(r: Reader, coll: u64, text: &[u8]) -> Result<Option<u64>> {
    if text.len() <= INLINE_STRING_MAX {
        return super::get(r, coll, word::string(text));
    }
    if !is_pointer(coll) {
        return Ok(None);
    }
    let kind = r.node(coll)?.kind();
    let key = TextKey::new(r, text);
    match kind {
        MAP | ARRAY_MAP => map::get_wanted(r, coll, key.hash(), key),
        SET => set::get_wanted(r, coll, key.hash(), key),
        SORTED_MAP => Ok(get_in_sorted(r, coll, text)?.map(|e| e.1)),
        SORTED_SET => Ok(get_in_sorted(r, coll, text)?.map(|e| e.0)),
        _ => Ok(None),
    }
}

fn get_in_sorted(r: Reader, coll: u64, text: &[u8]) -> Result<Option<(u64, u64)>> {
    sorted::get_with(r, coll, |key| text::compare_with(r, key, text))
}
