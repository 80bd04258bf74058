//! What a check has found wrong.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Findings that are listed; further ones are only counted.
pub const FINDINGS_MAX: usize = 1000;

/// Declares the kinds of findings with their names.
macro_rules! kinds {
    ($($(#[doc = $doc:literal])+ $kind:ident = $name:literal,)*) => {
        /// What is wrong, by kind.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingKind { $($(#[doc = $doc])+ $kind,)* }

        impl FindingKind {
            /// All kinds.
            pub const ALL: &'static [FindingKind] = &[$(FindingKind::$kind),*];

            /// Its name in reports.
            pub fn name(self) -> &'static str {
                match self { $(FindingKind::$kind => $name,)* }
            }
        }
    };
}

kinds! {
    /// A superblock is later than the current version, or none is valid.
    Superblock = "superblock",
    /// A pointer leads outside the slab, or an object reaches beyond it.
    Bounds = "bounds",
    /// A word or an object is of a type that its place does not allow.
    Type = "type",
    /// An object has flags that it must not have.
    Flags = "flags",
    /// An object is not committed, is later than what points to it, or a recovery would free its block.
    Birth = "birth",
    /// An object does not lie in a cell or run that is as large as it needs, or a run of blocks is broken.
    Block = "block",
    /// A cell that is reachable is free: it could be given to another object.
    Free = "free",
    /// A keyword or symbol is not in the symbol table, or the table is damaged.
    Symbol = "symbol",
    /// A stored hash is not that of the content.
    Hash = "hash",
    /// A count is not the number of elements.
    Count = "count",
    /// A value does not have the one form that the format gives it.
    Form = "form",
    /// A key lies where its hash does not lead, or is there twice.
    Order = "order",
    /// An object has two parents and is not marked so: it could be freed while it is in use.
    Shared = "shared",
    /// An object contains itself.
    Cycle = "cycle",
    /// The bytes of a backup are not those that were written.
    Checksum = "checksum",
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its kind.
    pub kind: FindingKind,
    /// What is wrong.
    pub what: Cow<'static, str>,
    /// Offset of the object, block or word.
    pub offset: u64,
    /// The way to it from the version's state: the atom's name, then keys and indices. Empty where no value leads there.
    pub path: String,
}

/// All that was found.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    /// The first [`FINDINGS_MAX`].
    pub list: Vec<Finding>,
    /// How many there are of each kind.
    pub counts: BTreeMap<FindingKind, u64>,
}

impl Findings {
    /// Nothing was found.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Are there as many as are listed?
    pub(super) fn is_full(&self) -> bool {
        self.list.len() >= FINDINGS_MAX
    }

    /// Adds a finding. `path` is called only if it is listed.
    pub(super) fn add(
        &mut self,
        kind: FindingKind,
        what: impl Into<Cow<'static, str>>,
        offset: u64,
        path: impl FnOnce() -> String,
    ) {
        *self.counts.entry(kind).or_default() += 1;
        if !self.is_full() {
            self.list.push(Finding {
                kind,
                what: what.into(),
                offset,
                path: path(),
            });
        }
    }

    /// Adds those of `other`.
    pub(super) fn append(&mut self, other: Findings) {
        for (kind, n) in other.counts {
            *self.counts.entry(kind).or_default() += n;
        }
        let room = FINDINGS_MAX - self.list.len();
        self.list.extend(other.list.into_iter().take(room));
    }
}
