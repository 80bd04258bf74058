//! Values into build buffers: the encoder for [`super::build`].

use super::build::{op, NO_NAMESPACE};
use super::{bignum, symbol};

/// Writes values one after the other. What takes elements takes a function that writes them.
///
/// ```
/// use eve::value::build::BuildBuffer;
/// let tags = ["red", "green"];
/// let buffer = BuildBuffer::new()
///     .map(2, |b, i| match i {
///         0 => b.keyword(None, "id").int(7),
///         _ => b.keyword(None, "tags").vector(tags.len(), |b, i| b.string(tags[i])),
///     })
///     .finish();
/// assert_eq!(buffer[..5], [19, 2, 0, 0, 0]);
/// ```
///
/// # Panics
///
/// A text, byte array or big integer of more than `u32::MAX` bytes and a name of more than 65534 have no encoding.
#[derive(Clone, Debug, Default)]
pub struct BuildBuffer {
    bytes: Vec<u8>,
}

/// What a function that writes elements gets and gives back, so that it can be one expression.
type Sink<'a> = &'a mut BuildBuffer;

impl BuildBuffer {
    /// An empty buffer.
    pub fn new() -> BuildBuffer {
        BuildBuffer::default()
    }

    /// The bytes; the buffer is empty afterwards.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    fn put(&mut self, op: u8, payload: &[u8]) -> Sink<'_> {
        self.bytes.push(op);
        self.raw(payload)
    }

    fn raw(&mut self, bytes: &[u8]) -> Sink<'_> {
        self.bytes.extend_from_slice(bytes);
        self
    }

    fn counted(&mut self, op: u8, bytes: &[u8]) -> Sink<'_> {
        self.put(op, &len32(bytes.len())).raw(bytes)
    }

    /// nil.
    pub fn nil(&mut self) -> Sink<'_> {
        self.put(op::NIL, &[])
    }

    /// A boolean.
    pub fn bool(&mut self, b: bool) -> Sink<'_> {
        self.put(if b { op::TRUE } else { op::FALSE }, &[])
    }

    /// An integer.
    pub fn int(&mut self, i: i64) -> Sink<'_> {
        self.put(op::INT, &i.to_le_bytes())
    }

    /// A double.
    pub fn double(&mut self, x: f64) -> Sink<'_> {
        self.put(op::DOUBLE, &x.to_le_bytes())
    }

    /// A char: a UTF-16 unit.
    pub fn char(&mut self, unit: u16) -> Sink<'_> {
        self.put(op::CHAR, &unit.to_le_bytes())
    }

    /// A string.
    pub fn string(&mut self, text: &str) -> Sink<'_> {
        self.text(text.as_bytes())
    }

    /// A string of generalized UTF-8.
    pub fn text(&mut self, text: &[u8]) -> Sink<'_> {
        self.counted(op::STRING, text)
    }

    /// A keyword.
    pub fn keyword(&mut self, namespace: Option<&str>, name: &str) -> Sink<'_> {
        self.named(op::KEYWORD, namespace, name)
    }

    /// A symbol.
    pub fn symbol(&mut self, namespace: Option<&str>, name: &str) -> Sink<'_> {
        self.named(op::SYMBOL, namespace, name)
    }

    fn named(&mut self, op: u8, namespace: Option<&str>, name: &str) -> Sink<'_> {
        self.put(op, &namespace.map_or(NO_NAMESPACE.to_le_bytes(), |n| len16(n.len())));
        self.raw(namespace.unwrap_or("").as_bytes())
            .raw(&len16(name.len()))
            .raw(name.as_bytes())
    }

    /// A big integer: two's complement, big-endian.
    pub fn bigint(&mut self, integer: &[u8]) -> Sink<'_> {
        self.counted(op::BIGINT, bignum::minimal(integer))
    }

    fn integer(&mut self, integer: &[u8]) -> Sink<'_> {
        match bignum::to_i64(integer) {
            Some(i) => self.int(i),
            None => self.bigint(integer),
        }
    }

    /// A ratio of two integers as for [`BuildBuffer::bigint`], in lowest terms, the denominator above 1.
    pub fn ratio(&mut self, numerator: &[u8], denominator: &[u8]) -> Sink<'_> {
        self.put(op::RATIO, &[]).integer(numerator).integer(denominator)
    }

    /// The decimal `unscaled * 10^-scale`; the integer as for [`BuildBuffer::bigint`].
    pub fn decimal(&mut self, unscaled: &[u8], scale: i32) -> Sink<'_> {
        self.put(op::DECIMAL, &scale.to_le_bytes()).integer(unscaled)
    }

    /// A UUID.
    pub fn uuid(&mut self, high: u64, low: u64) -> Sink<'_> {
        self.put(op::UUID, &high.to_le_bytes()).raw(&low.to_le_bytes())
    }

    /// A date in ms since 1970.
    pub fn date(&mut self, ms: i64) -> Sink<'_> {
        self.put(op::DATE, &ms.to_le_bytes())
    }

    /// An instant in seconds since 1970 and nanoseconds.
    pub fn instant(&mut self, seconds: i64, nanos: u32) -> Sink<'_> {
        self.put(op::INSTANT, &seconds.to_le_bytes()).raw(&nanos.to_le_bytes())
    }

    /// A byte array.
    pub fn bytes(&mut self, bytes: &[u8]) -> Sink<'_> {
        self.counted(op::BYTES, bytes)
    }

    /// A vector of `n` elements; `f(buffer, i)` writes element `i`.
    pub fn vector(&mut self, n: usize, f: impl FnMut(Sink, usize) -> Sink) -> Sink<'_> {
        self.elements(op::VECTOR, n, f)
    }

    /// A list, as [`BuildBuffer::vector`].
    pub fn list(&mut self, n: usize, f: impl FnMut(Sink, usize) -> Sink) -> Sink<'_> {
        self.elements(op::LIST, n, f)
    }

    /// A set, as [`BuildBuffer::vector`].
    pub fn set(&mut self, n: usize, f: impl FnMut(Sink, usize) -> Sink) -> Sink<'_> {
        self.elements(op::SET, n, f)
    }

    /// A map of `n` entries; `f(buffer, i)` writes key and value of entry `i`.
    pub fn map(&mut self, n: usize, f: impl FnMut(Sink, usize) -> Sink) -> Sink<'_> {
        self.elements(op::MAP, n, f)
    }

    /// A sorted set, as [`BuildBuffer::vector`]. `order` writes nil (natural), the integer -1 (reverse), or a keyword or symbol that names a
    /// comparator; then the elements must ascend.
    pub fn sorted_set(
        &mut self,
        order: impl FnOnce(Sink) -> Sink,
        n: usize,
        f: impl FnMut(Sink, usize) -> Sink,
    ) -> Sink<'_> {
        order(self.put(op::SORTED_SET, &[]));
        self.counted_elements(n, f)
    }

    /// A sorted map, as [`BuildBuffer::map`]; `order` as for [`BuildBuffer::sorted_set`].
    pub fn sorted_map(
        &mut self,
        order: impl FnOnce(Sink) -> Sink,
        n: usize,
        f: impl FnMut(Sink, usize) -> Sink,
    ) -> Sink<'_> {
        order(self.put(op::SORTED_MAP, &[]));
        self.counted_elements(n, f)
    }

    fn elements(&mut self, op: u8, n: usize, f: impl FnMut(Sink, usize) -> Sink) -> Sink<'_> {
        self.put(op, &[]);
        self.counted_elements(n, f)
    }

    fn counted_elements(&mut self, n: usize, mut f: impl FnMut(Sink, usize) -> Sink) -> Sink<'_> {
        self.raw(&len32(n));
        for i in 0..n {
            f(self, i);
        }
        self
    }

    /// A word: an immediate, or an object of the transaction or its base version.
    pub fn word(&mut self, word: u64) -> Sink<'_> {
        self.put(op::WORD, &word.to_le_bytes())
    }

    /// An object of another version, which is copied.
    pub fn foreign(&mut self, version: u64, word: u64) -> Sink<'_> {
        self.put(op::FOREIGN, &version.to_le_bytes()).raw(&word.to_le_bytes())
    }
}

fn len32(n: usize) -> [u8; 4] {
    u32::try_from(n)
        .expect("a value of at most u32::MAX bytes or elements")
        .to_le_bytes()
}

fn len16(n: usize) -> [u8; 2] {
    assert!(n <= symbol::NAME_MAX, "a name of at most 65534 bytes");
    (n as u16).to_le_bytes()
}
