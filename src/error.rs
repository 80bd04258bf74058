//! Errors: what was wrong, where, and what to do about it. [`Error::code`] is the one table of the C ABI's status codes.
//!
//! An error is 16 bytes, so that a `Result<u64>` of the hot paths still comes back in registers: details are boxed.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

/// Result with our [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// A text, and a number that belongs to it: an offset in the slab, a position in a buffer, or a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// What was wrong.
    pub what: Cow<'static, str>,
    /// Where, or how much.
    pub number: u64,
}

/// No more room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRoom {
    /// What is full.
    pub what: Cow<'static, str>,
    /// Its size in bytes, 0 if unknown.
    pub limit: u64,
    /// What takes the room, if that is known.
    pub why: String,
}

/// A failed operation on a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// The operation, or why the file is refused.
    pub what: Cow<'static, str>,
    /// The file.
    pub path: PathBuf,
    /// Error number of the operating system, 0 if it reported none.
    pub errno: i32,
}

/// A version that is committed but not known to be on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotDurable {
    /// The version.
    pub version: u64,
    /// Why it couldn't be written.
    pub cause: Error,
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// An argument is wrong.
    Arg(Box<Detail>),
    /// A handle is closed or was never given out.
    Handle,
    /// The operating system reported an error.
    Io(Box<FileError>),
    /// An earlier write of this slab to disk failed: nothing since then can be promised to survive.
    Sync(Box<FileError>),
    /// The file is not a slab.
    NotASlab(Box<FileError>),
    /// The slab has another format version.
    Version(u32),
    /// The slab uses features that this library doesn't know. The number has their bits.
    Features(Box<Detail>),
    /// The slab is damaged. The number is an offset in it.
    Corrupt(Box<Detail>),
    /// No more room.
    Full(Box<NoRoom>),
    /// A value has another type than the operation needs.
    Type(Box<Detail>),
    /// A handle is in use by another thread.
    Busy,
    /// Another process holds the slab in a way that excludes us.
    Locked(Box<FileError>),
    /// The slab was closed.
    Closed,
    /// The slab was opened before this process was forked.
    Forked,
    /// The file lies on a network file system or another one that can't share memory between its users.
    Remote(Box<FileError>),
    /// The slab was opened read-only.
    ReadOnly,
    /// A limit of the format or of this process is reached.
    Limit(Box<Detail>),
    /// A build buffer is malformed. The number is a position in it.
    Buffer(Box<Detail>),
    /// The file or its folder may not be used by this user.
    Permission(Box<FileError>),
    /// There is no such file or folder.
    NotFound(Box<FileError>),
    /// A commit was made, everybody sees it, but it couldn't be written to disk as the options ask. Not to be run again.
    NotDurable(Box<NotDurable>),
    /// Another commit came first.
    Conflict,
}

fn detail(what: impl Into<Cow<'static, str>>, number: u64) -> Box<Detail> {
    Box::new(Detail {
        what: what.into(),
        number,
    })
}

fn file_error(what: impl Into<Cow<'static, str>>, path: &Path, errno: i32) -> Box<FileError> {
    Box::new(FileError {
        what: what.into(),
        path: path.to_path_buf(),
        errno,
    })
}

impl Error {
    /// An argument is wrong.
    #[cold]
    pub fn arg(what: impl Into<Cow<'static, str>>) -> Error {
        Error::Arg(detail(what, 0))
    }

    /// The slab has unknown features `bits`; `what` says what can still be done.
    #[cold]
    pub fn features(what: impl Into<Cow<'static, str>>, bits: u64) -> Error {
        Error::Features(detail(what, bits))
    }

    /// The slab is damaged at `offset`.
    #[cold]
    pub fn corrupt(what: impl Into<Cow<'static, str>>, offset: u64) -> Error {
        Error::Corrupt(detail(what, offset))
    }

    /// No more room in `what`, which holds `limit` bytes (0 if unknown).
    #[cold]
    pub fn full(what: impl Into<Cow<'static, str>>, limit: u64) -> Error {
        Error::Full(Box::new(NoRoom {
            what: what.into(),
            limit,
            why: String::new(),
        }))
    }

    /// Adds to an error for want of room what takes it; leaves others as they are.
    #[cold]
    pub fn full_because(mut self, why: impl FnOnce() -> String) -> Error {
        if let Error::Full(e) = &mut self {
            e.why = why();
        }
        self
    }

    /// A limit is reached: `what` says which, and how large it is.
    #[cold]
    pub fn limit(what: impl Into<Cow<'static, str>>) -> Error {
        Error::Limit(detail(what, 0))
    }

    /// A value has another type than the operation needs.
    #[cold]
    pub fn type_(what: impl Into<Cow<'static, str>>) -> Error {
        Error::Type(detail(what, 0))
    }

    /// A build buffer is malformed at byte `at`.
    #[cold]
    pub fn buffer(what: impl Into<Cow<'static, str>>, at: usize) -> Error {
        Error::Buffer(detail(what, at as u64))
    }

    /// The file at `path` is not a slab, because of `why`.
    #[cold]
    pub fn not_a_slab(path: &Path, why: impl Into<Cow<'static, str>>) -> Error {
        Error::NotASlab(file_error(why, path, 0))
    }

    /// The file at `path` lies on `file_system`, which can't hold a slab.
    #[cold]
    pub fn remote(path: &Path, file_system: &'static str) -> Error {
        Error::Remote(file_error(file_system, path, 0))
    }

    /// The slab at `path` is held by others: `why` says by whom and what to do.
    #[cold]
    pub fn locked(path: &Path, why: impl Into<Cow<'static, str>>) -> Error {
        Error::Locked(file_error(why, path, 0))
    }

    /// An earlier sync of the slab at `path` failed with `errno`.
    #[cold]
    pub fn sync(path: &Path, errno: i32) -> Error {
        Error::Sync(file_error("an earlier write to disk", path, errno))
    }

    /// `what` failed on `path` with an error of the operating system. A missing file, a refused permission and a full disk get variants of
    /// their own.
    #[cold]
    pub fn io(what: impl Into<Cow<'static, str>>, path: &Path, error: &std::io::Error) -> Error {
        use std::io::ErrorKind::*;
        let e = file_error(what, path, error.raw_os_error().unwrap_or(0));
        match error.kind() {
            NotFound | NotADirectory => Error::NotFound(e),
            PermissionDenied | ReadOnlyFilesystem => Error::Permission(e),
            StorageFull | QuotaExceeded | FileTooLarge => Error::full(
                format!(
                    "the disk of {} ({} failed: {})",
                    path.display(),
                    e.what,
                    os_text(e.errno)
                ),
                0,
            ),
            _ => Error::Io(e),
        }
    }

    /// Status code of the C ABI.
    pub fn code(&self) -> i32 {
        match self {
            Error::Arg(_) => -1,
            Error::Handle => -2,
            Error::Io(_) | Error::Sync(_) => -3,
            Error::NotASlab(_) => -4,
            Error::Version(_) | Error::Features(_) => -5,
            Error::Corrupt(_) => -6,
            Error::Full(_) => -7,
            Error::Type(_) => -8,
            Error::Busy | Error::Locked(_) => -9,
            Error::Closed => -10,
            Error::Forked => -11,
            Error::Remote(_) => -12,
            Error::ReadOnly => -13,
            Error::Limit(_) => -14,
            Error::Buffer(_) => -15,
            Error::Permission(_) => -16,
            Error::NotFound(_) => -17,
            Error::NotDurable(_) => -18,
            Error::Conflict => 2,
        }
    }

    /// Error number of the operating system, 0 if it has no part in this.
    pub fn os_error(&self) -> i32 {
        match self {
            Error::Io(e) | Error::Sync(e) | Error::Permission(e) | Error::NotFound(e) => e.errno,
            Error::NotDurable(e) => e.cause.os_error(),
            _ => 0,
        }
    }
}

/// The system's words for an error number, or nothing for 0.
fn os_text(errno: i32) -> String {
    if errno == 0 {
        return "no error number".into();
    }
    std::io::Error::from_raw_os_error(errno).to_string()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Error::Arg(e) => write!(f, "wrong argument: {}", e.what),
            Error::Handle => write!(f, "this handle is closed or was never given out"),
            Error::Io(e) => write!(f, "{} failed on {}: {}", e.what, e.path.display(), os_text(e.errno)),
            Error::Sync(e) => write!(
                f,
                "{} failed on {}: {}. The slab goes on in memory, but what was committed since then may be lost with the machine: \
                 copy the values to a slab on another disk",
                e.what,
                e.path.display(),
                os_text(e.errno)
            ),
            Error::NotASlab(e) => write!(f, "{} is not a slab: {}", e.path.display(), e.what),
            Error::Version(found) => write!(
                f,
                "the slab has format version {found}, this library reads version {}: use the library that wrote it, or a newer one",
                crate::slab::layout::FORMAT_VERSION
            ),
            Error::Features(e) => {
                write!(f, "the slab uses features that this library doesn't know (bits {:#x}): {}", e.number, e.what)
            }
            Error::Corrupt(e) => write!(f, "the slab is damaged: {} (at offset {:#x})", e.what, e.number),
            Error::Full(e) => {
                match e.limit {
                    0 => write!(f, "no more room: {}. Nothing has changed; make room and try again", e.what)?,
                    n => write!(f, "no more room: {} ({n} bytes) is used up. Nothing has changed", e.what)?,
                }
                match e.why.as_str() {
                    "" => Ok(()),
                    why => write!(f, ". {why}"),
                }
            }
            Error::Type(e) => write!(f, "wrong type: {}", e.what),
            Error::Busy => write!(f, "another thread is using this handle; give each thread its own"),
            Error::Locked(e) => write!(f, "{} can't be opened now: {}", e.path.display(), e.what),
            Error::Closed => write!(f, "the slab is closed"),
            Error::Forked => write!(f, "the slab was opened before this process was forked: open it again in the new process"),
            Error::Remote(e) => write!(
                f,
                "{} lies on {}, where processes can't share memory reliably: put the slab on a local disk or in /dev/shm",
                e.path.display(),
                e.what
            ),
            Error::ReadOnly => write!(f, "the slab was opened read-only"),
            Error::Limit(e) => write!(f, "a limit is reached: {}", e.what),
            Error::Buffer(e) => write!(f, "malformed build buffer: {} (at byte {})", e.what, e.number),
            Error::Permission(e) => {
                write!(f, "no permission for {}: {} failed: {}", e.path.display(), e.what, os_text(e.errno))
            }
            Error::NotFound(e) => write!(f, "{} does not exist: {} failed: {}", e.path.display(), e.what, os_text(e.errno)),
            Error::NotDurable(e) => write!(
                f,
                "version {} is committed and will not be undone, so don't run the change again; but it may be lost with the machine: {}",
                e.version, e.cause
            ),
            Error::Conflict => write!(f, "another commit came first: run the transaction again"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_of_a_word_fits_two_registers() {
        assert_eq!(size_of::<Result<u64>>(), 16);
    }

    #[test]
    fn errors_of_the_system_become_the_variant_that_says_what_to_do() {
        let path = Path::new("x/y");
        let io = |errno| Error::io("open", path, &std::io::Error::from_raw_os_error(errno));
        // ENOENT, EACCES, ENOSPC, EIO on Linux.
        assert!(matches!(io(2), Error::NotFound(_)));
        assert!(matches!(io(13), Error::Permission(_)));
        assert!(matches!(io(28), Error::Full(_)));
        let e = io(5);
        assert_eq!((e.code(), e.os_error()), (-3, 5));
        assert!(e.to_string().contains("open failed on x/y"), "{e}");
    }
}
