//! Linux: mappings, locks, allocation of file ranges, identity of files, futexes. Small safe functions over system calls.

#[cfg(not(all(target_os = "linux", target_pointer_width = "64", target_endian = "little")))]
compile_error!(
    "eve needs 64-bit little-endian Linux: locks that belong to an open file (OFD), futexes, madvise(MADV_WIPEONFORK)"
);

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::*};
use std::time::{Duration, UNIX_EPOCH};

/// Size of a page.
pub const PAGE: u64 = 4096;

fn check(result: libc::c_int) -> Result<()> {
    if result == -1 {
        return Err(Error::last_os_error());
    }
    Ok(())
}

fn again_if_interrupted(mut call: impl FnMut() -> libc::c_int) -> Result<()> {
    loop {
        match check(call()) {
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

// ---- mappings ----

/// Bytes of all regions.
static MAPPED: AtomicU64 = AtomicU64::new(0);

/// Bytes of address space that the regions of this process take.
pub fn mapped() -> u64 {
    MAPPED.load(Relaxed)
}

/// A range of mapped memory, unmapped when dropped. A forked child doesn't have it.
#[derive(Debug)]
pub struct Region {
    base: *mut u8,
    len: usize,
}

// SAFETY: a region is an address range; those who use the memory answer for their accesses.
unsafe impl Send for Region {}
// SAFETY: as above.
unsafe impl Sync for Region {}

impl Region {
    fn map(
        len: usize,
        protection: libc::c_int,
        flags: libc::c_int,
        fd: libc::c_int,
        advice: libc::c_int,
    ) -> Result<Region> {
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory that exists.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), len, protection, flags, fd, 0) };
        if base == libc::MAP_FAILED {
            return Err(Error::last_os_error());
        }
        let region = Region { base: base.cast(), len };
        MAPPED.fetch_add(len as u64, Relaxed);
        // SAFETY: the range is ours and new; the advices used change only what a forked child sees.
        check(unsafe { libc::madvise(base, len, advice) })?;
        Ok(region)
    }

    /// Maps `len` bytes of `file`, shared and writable. They may lie beyond its end, where they become valid once it grows.
    pub fn shared(file: &File, len: u64) -> Result<Region> {
        let flags = libc::MAP_SHARED | libc::MAP_NORESERVE;
        Region::map(
            address_len(len)?,
            libc::PROT_READ | libc::PROT_WRITE,
            flags,
            file.as_raw_fd(),
            libc::MADV_DONTFORK,
        )
    }

    /// Maps `len` bytes of `file`, and `more` bytes of zeros behind them. Stores stay private to this mapping.
    pub fn private(file: &File, len: u64, more: u64) -> Result<Region> {
        let (read_write, private) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_NORESERVE,
        );
        let all = address_len(len + more)?;
        let region = Region::map(all, read_write, private | libc::MAP_ANONYMOUS, -1, libc::MADV_DONTFORK)?;
        let fixed = private | libc::MAP_FIXED;
        let len = address_len(len)?;
        // SAFETY: the range lies in the new mapping, which nobody uses yet.
        let at = unsafe { libc::mmap(region.base.cast(), len, read_write, fixed, file.as_raw_fd(), 0) };
        if at == libc::MAP_FAILED {
            return Err(Error::last_os_error());
        }
        // SAFETY: as above; the advice changes only what a forked child sees.
        check(unsafe { libc::madvise(at, len, libc::MADV_DONTFORK) })?;
        Ok(region)
    }

    /// Maps `len` bytes of zeros, for this process alone. From `SMALL_PAGES` on in huge pages where the system has them: a lookup in a large
    /// slab misses the processor's cache of page addresses far less often.
    pub fn memory(len: u64) -> Result<Region> {
        let (read_write, private) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
        );
        let region = Region::map(address_len(len)?, read_write, private, -1, libc::MADV_DONTFORK)?;
        if let Some(huge) = region.len.checked_sub(SMALL_PAGES) {
            // SAFETY: the range lies in the new mapping; the advice changes only the size of its pages. Its result doesn't matter: a kernel
            // without huge pages refuses it.
            unsafe { libc::madvise(region.base.add(SMALL_PAGES).cast(), huge, libc::MADV_HUGEPAGE) };
        }
        Ok(region)
    }

    /// One inaccessible page of `file`, which keeps the open file alive when its descriptor is closed.
    pub fn keeper(file: &File) -> Result<Region> {
        Region::map(
            PAGE as usize,
            libc::PROT_NONE,
            libc::MAP_SHARED,
            file.as_raw_fd(),
            libc::MADV_DONTFORK,
        )
    }

    /// Address of the first byte.
    pub fn base(&self) -> *mut u8 {
        self.base
    }

    /// Number of bytes.
    pub fn len(&self) -> u64 {
        self.len as u64
    }

    /// Never: a mapping has at least one page.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Writes the page at `offset` to disk and waits until it is there.
    pub fn flush_page(&self, offset: u64) -> Result<()> {
        assert!(offset % PAGE == 0 && offset + PAGE <= self.len());
        // SAFETY: the page lies in the mapping; msync doesn't change it.
        check(unsafe { libc::msync(self.base.add(offset as usize).cast(), PAGE as usize, libc::MS_SYNC) })
    }

    /// Gives the memory of `len` bytes at `offset` back: in a region made by [`Region::memory`] they are zero from then on.
    pub fn discard(&self, offset: u64, len: u64) -> Result<()> {
        assert!(offset % PAGE == 0 && len % PAGE == 0 && offset + len <= self.len());
        // SAFETY: the range lies in the mapping, which stays; its bytes change to zero, and are only touched through atomics.
        check(unsafe { libc::madvise(self.base.add(offset as usize).cast(), len as usize, libc::MADV_DONTNEED) })
    }

    /// Which of the `pages` pages from `offset` on are in memory.
    pub fn resident(&self, offset: u64, pages: usize) -> Result<Vec<bool>> {
        assert!(offset % PAGE == 0 && offset + pages as u64 * PAGE <= self.len());
        let mut answer = vec![0u8; pages];
        // SAFETY: the range lies in the mapping, and `answer` has a byte for each of its pages.
        check(unsafe {
            libc::mincore(
                self.base.add(offset as usize).cast(),
                pages * PAGE as usize,
                answer.as_mut_ptr().cast(),
            )
        })?;
        Ok(answer.into_iter().map(|b| b & 1 != 0).collect())
    }
}

impl Drop for Region {
    fn drop(&mut self) {
        // SAFETY: the range was mapped by `map`, and whoever drops the region no longer uses it.
        unsafe { libc::munmap(self.base.cast(), self.len) };
        MAPPED.fetch_sub(self.len as u64, Relaxed);
    }
}

fn address_len(len: u64) -> Result<usize> {
    usize::try_from(len)
        .ok()
        .filter(|&n| n > 0 && n <= isize::MAX as usize)
        .ok_or(ErrorKind::OutOfMemory.into())
}

/// So much of memory that has no file is in pages of usual size, so that a small slab needs little.
const SMALL_PAGES: usize = 4 << 20;

/// Tells a process from its forked children: a page that the kernel empties in them.
#[derive(Debug)]
pub struct ForkMark(Region);

impl ForkMark {
    /// A mark of this process.
    pub fn new() -> Result<ForkMark> {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let mark = ForkMark(Region::map(
            PAGE as usize,
            libc::PROT_READ | libc::PROT_WRITE,
            flags,
            -1,
            libc::MADV_WIPEONFORK,
        )?);
        mark.word().store(1, Relaxed);
        Ok(mark)
    }

    fn word(&self) -> &AtomicU32 {
        // SAFETY: the page is mapped, writable and aligned while `self` lives, also in a forked child.
        unsafe { &*self.0.base.cast::<AtomicU32>() }
    }

    /// Is this the process that made the mark, not a forked child?
    #[inline]
    pub fn is_ours(&self) -> bool {
        self.word().load(Relaxed) != 0
    }
}

// ---- locks ----

/// Kind of a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// Shared with other readers.
    Read,
    /// Exclusive.
    Write,
}

fn flock(kind: libc::c_int, start: u64, len: u64) -> libc::flock {
    // SAFETY: flock is a struct of integers, for which zeros are valid.
    let mut l: libc::flock = unsafe { std::mem::zeroed() };
    l.l_type = kind as libc::c_short;
    l.l_whence = libc::SEEK_SET as libc::c_short;
    l.l_start = start as libc::off_t;
    l.l_len = len as libc::off_t;
    l
}

fn kind_number(kind: LockKind) -> libc::c_int {
    match kind {
        LockKind::Read => libc::F_RDLCK,
        LockKind::Write => libc::F_WRLCK,
    }
}

/// Tries to lock a byte for the open file `file`. False: somebody else's lock excludes it.
pub fn try_lock(file: &File, byte: u64, kind: LockKind) -> Result<bool> {
    let l = flock(kind_number(kind), byte, 1);
    // SAFETY: the descriptor is open and `l` is a valid flock for the call.
    match again_if_interrupted(|| unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &l) }) {
        Ok(()) => Ok(true),
        Err(e) if matches!(e.raw_os_error(), Some(libc::EAGAIN | libc::EACCES)) => Ok(false),
        Err(e) => Err(e),
    }
}

/// Locks a byte for the open file `file`, waiting as long as it takes.
pub fn lock(file: &File, byte: u64, kind: LockKind) -> Result<()> {
    let l = flock(kind_number(kind), byte, 1);
    // SAFETY: as `try_lock`.
    again_if_interrupted(|| unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLKW, &l) })
}

/// Gives the lock on a byte up.
pub fn unlock(file: &File, byte: u64) -> Result<()> {
    let l = flock(libc::F_UNLCK, byte, 1);
    // SAFETY: as `try_lock`.
    again_if_interrupted(|| unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_SETLK, &l) })
}

/// Does any other open file hold a lock on one of `len` bytes from `start` on? Locks of `file` itself don't count.
pub fn is_locked(file: &File, start: u64, len: u64) -> Result<bool> {
    if len == 0 {
        return Ok(false);
    }
    let mut l = flock(libc::F_WRLCK, start, len);
    // SAFETY: the descriptor is open and `l` is a valid flock, which the call may change.
    again_if_interrupted(|| unsafe { libc::fcntl(file.as_raw_fd(), libc::F_OFD_GETLK, &mut l) })?;
    Ok(l.l_type != libc::F_UNLCK as libc::c_short)
}

// ---- files ----

/// Allocates `len` bytes at `offset` on disk; the file grows if they reach beyond its end. Bytes that were not allocated are zero. False:
/// this file system can't do that.
pub fn allocate(file: &File, offset: u64, len: u64) -> Result<bool> {
    // SAFETY: the descriptor is open; the call changes no memory.
    match again_if_interrupted(|| unsafe {
        libc::fallocate(file.as_raw_fd(), 0, offset as libc::off_t, len as libc::off_t)
    }) {
        Ok(()) => Ok(true),
        Err(e) if matches!(e.raw_os_error(), Some(libc::EOPNOTSUPP | libc::EINVAL | libc::ENOSYS)) => Ok(false),
        Err(e) => Err(e),
    }
}

/// Gives the disk space of `len` bytes at `offset` back: they are zero from then on, and the file stays as long as it is. False: this file
/// system can't do that.
pub fn punch(file: &File, offset: u64, len: u64) -> Result<bool> {
    let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
    // SAFETY: the descriptor is open. The bytes are those of a mapping perhaps, where they are only touched through atomics.
    match again_if_interrupted(|| unsafe {
        libc::fallocate(file.as_raw_fd(), mode, offset as libc::off_t, len as libc::off_t)
    }) {
        Ok(()) => Ok(true),
        Err(e) if matches!(e.raw_os_error(), Some(libc::EOPNOTSUPP | libc::EINVAL | libc::ENOSYS)) => Ok(false),
        Err(e) => Err(e),
    }
}

/// Makes `file` at least `len` bytes long by writing zeros behind its end.
pub fn extend_with_zeros(file: &File, len: u64) -> Result<()> {
    let zeros = vec![0; 1 << 16];
    loop {
        let end = file.metadata()?.len();
        if end >= len {
            return Ok(());
        }
        file.write_all_at(&zeros[..(len - end).min(1 << 16) as usize], end)?;
    }
}

/// Sets `len` bytes at `offset` to zero without allocating what is a hole.
pub fn zero_range(file: &File, offset: u64, len: u64) -> Result<()> {
    let mut buffer = vec![0; PAGE as usize];
    let end = (offset + len).min(file.metadata()?.len());
    let mut at = offset;
    while at < end {
        let n = (PAGE - at % PAGE).min(end - at) as usize;
        file.read_exact_at(&mut buffer[..n], at)?;
        if buffer[..n].iter().any(|&b| b != 0) {
            buffer.fill(0);
            file.write_all_at(&buffer[..n], at)?;
        }
        at += n as u64;
    }
    Ok(())
}

/// Largest file that this process may write (RLIMIT_FSIZE). To pass it is a signal, which would end the process.
pub fn file_size_max() -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is writable.
    match check(unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &mut limit) }) {
        Ok(()) => limit.rlim_cur,
        Err(_) => u64::MAX,
    }
}

/// What a file lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSystem {
    /// A disk of this machine.
    Local,
    /// Memory: gone with the machine.
    Memory,
    /// An overlay, as in containers: a mapping doesn't keep locks.
    Overlay,
    /// Processes on it can't share memory or locks reliably.
    Remote(&'static str),
}

/// The file system of an open file or folder.
pub fn file_system(file: &File) -> Result<FileSystem> {
    // SAFETY: statfs is a struct of integers, for which zeros are valid.
    let mut s: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the descriptor is open and `s` is writable.
    again_if_interrupted(|| unsafe { libc::fstatfs(file.as_raw_fd(), &mut s) })?;
    Ok(match s.f_type as u32 {
        0x0102_1994 | 0x8584_58F6 => FileSystem::Memory,
        0x794C_7630 => FileSystem::Overlay,
        0x6969 => FileSystem::Remote("NFS"),
        0xFF53_4D42 | 0x517B | 0xFE53_4D42 => FileSystem::Remote("SMB"),
        0x0102_1997 => FileSystem::Remote("9p"),
        0x6573_5546 => FileSystem::Remote("FUSE"),
        0xF15F => FileSystem::Remote("ecryptfs"),
        0x00C3_6400 => FileSystem::Remote("Ceph"),
        0x5346_414F | 0x6B41_4653 => FileSystem::Remote("AFS"),
        0x0BD0_0BD0 => FileSystem::Remote("Lustre"),
        0x786F_4256 => FileSystem::Remote("a VirtualBox shared folder"),
        _ => FileSystem::Local,
    })
}

/// What tells a file from all others of this machine: device, inode, time of birth in ns (0 where there is none).
pub type FileId = [u64; 3];

/// Identity of an open file.
pub fn file_id(file: &File) -> Result<FileId> {
    let m = file.metadata()?;
    let birth = m
        .created()
        .ok()
        .and_then(|t| t.duration_since(UNIX_EPOCH).ok())
        .map_or(0, |d| d.as_nanos() as u64);
    Ok([m.dev(), m.ino(), birth])
}

/// Opens `file` a second time: an open file of its own, with its own locks. None: it can't be done without its path (no /proc).
pub fn reopen(file: &File) -> Result<Option<File>> {
    match File::options()
        .read(true)
        .write(true)
        .open(format!("/proc/self/fd/{}", file.as_raw_fd()))
    {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

/// Gives the nameless file `file` (O_TMPFILE) the name `name` in the folder `dir`. An existing name is `AlreadyExists`.
pub fn link_nameless(file: &File, dir: &File, name: &OsStr) -> Result<()> {
    let from = CString::new(format!("/proc/self/fd/{}", file.as_raw_fd())).expect("no NUL in a number");
    let to = CString::new(name.as_bytes())?;
    let flags = libc::AT_SYMLINK_FOLLOW;
    // SAFETY: both names end in NUL and live during the call; the descriptor of the folder is open.
    check(unsafe { libc::linkat(libc::AT_FDCWD, from.as_ptr(), dir.as_raw_fd(), to.as_ptr(), flags) })
}

/// Is there a symbolic link at `path` itself?
pub fn is_symlink(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|m| m.is_symlink())
}

// ---- system ----

/// Bytes of this thread's stack that are not in use, its guard pages included. Where that can't be told: as many as there are.
pub fn stack_left() -> usize {
    thread_local!(static LOW: usize = stack_low().unwrap_or(usize::MAX));
    let here = 0u8;
    let at = std::ptr::from_ref(&here) as usize;
    // Below its end: a stack that somebody has made himself.
    LOW.with(|&low| at.checked_sub(low).unwrap_or(usize::MAX))
}

/// Lowest address of this thread's stack.
fn stack_low() -> Option<usize> {
    // SAFETY: the attributes are written by pthread_getattr_np before anything reads them, and destroyed once.
    unsafe {
        let mut attributes = std::mem::zeroed::<libc::pthread_attr_t>();
        if libc::pthread_getattr_np(libc::pthread_self(), &mut attributes) != 0 {
            return None;
        }
        let (mut low, mut size) = (std::ptr::null_mut(), 0);
        let told = libc::pthread_attr_getstack(&attributes, &mut low, &mut size) == 0;
        libc::pthread_attr_destroy(&mut attributes);
        told.then_some(low as usize)
    }
}

/// A thread of the library's own. Signals are for the host's threads: it gets none.
pub fn background(name: &str, run: impl FnOnce() + Send + 'static) -> Result<std::thread::JoinHandle<()>> {
    // SAFETY: both sets are written before they are read; a thread begins with the mask of the one that makes it, which gets its own back.
    unsafe {
        let (mut all, mut before) = (std::mem::zeroed(), std::mem::zeroed());
        libc::sigfillset(&mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &all, &mut before);
        let started = std::thread::Builder::new()
            .name(name.into())
            .stack_size(256 << 10)
            .spawn(run);
        libc::pthread_sigmask(libc::SIG_SETMASK, &before, std::ptr::null_mut());
        started
    }
}

/// Random bytes.
pub fn random() -> Result<[u8; 16]> {
    let mut bytes = [0u8; 16];
    // SAFETY: `bytes` is writable for its length. Up to 256 bytes come whole.
    let n = unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
    if n != bytes.len() as isize {
        return Err(Error::last_os_error());
    }
    Ok(bytes)
}

/// Id of the running system since it was booted; zeros if it tells none. An error isn't taken for that: a slab that this system has left would be
/// called another's, and what was not synced be lost.
pub fn boot_id() -> Result<[u8; 16]> {
    let text = match std::fs::read_to_string("/proc/sys/kernel/random/boot_id") {
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => String::new(),
        text => text?,
    };
    let digits: Vec<u8> = text
        .bytes()
        .filter_map(|b| (b as char).to_digit(16))
        .map(|d| d as u8)
        .collect();
    let mut id = [0; 16];
    if digits.len() == 32 {
        id.iter_mut()
            .enumerate()
            .for_each(|(i, byte)| *byte = digits[2 * i] << 4 | digits[2 * i + 1]);
    }
    Ok(id)
}

/// Time of day, ms since 1970.
pub fn now_ms() -> u64 {
    // The coarse clock: every commit asks, and a few ms more or less don't matter to it.
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is writable for the call.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME_COARSE, &mut t) };
    t.tv_sec as u64 * 1000 + t.tv_nsec as u64 / 1_000_000
}

/// Time since some moment of the past; never goes back.
pub fn monotonic() -> Duration {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `t` is writable. The clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut t) };
    Duration::new(t.tv_sec as u64, t.tv_nsec as u32)
}

/// Sleeps while `word`, which may lie in memory shared with other processes, is `expected`, until somebody wakes it, `timeout` at most. May
/// return early.
pub fn futex_wait(word: &AtomicU32, expected: u32, timeout: Duration) {
    let t = libc::timespec {
        tv_sec: timeout.as_secs().min(i64::MAX as u64) as libc::time_t,
        tv_nsec: timeout.subsec_nanos() as libc::c_long,
    };
    // SAFETY: the word is alive and aligned, `t` is valid for the call; the kernel only compares and sleeps. Its answer doesn't matter:
    // whoever waits looks at the word again.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, expected, &t) };
}

/// Wakes everybody, in all processes, who sleeps on `word`.
pub fn futex_wake(word: &AtomicU32) {
    // SAFETY: the word is alive and aligned; the kernel only uses its address.
    unsafe { libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, i32::MAX) };
}
