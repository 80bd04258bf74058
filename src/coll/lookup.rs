//! Look-ups by keys that are not values of the slab.

use super::key::TextKey;
use super::{map, set};
use crate::error::Result;
use crate::slab::layout::*;
use crate::slab::mapping::Reader;
use crate::value::word;

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
        _ => Ok(None),
    }
}
