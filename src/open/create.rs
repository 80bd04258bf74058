//! Making a new slab: whole or not at all.

use super::Options;
use crate::durable::control;
use crate::error::{Error, Result};
use crate::slab::ident::Ident;
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use crate::sys::{self, FileSystem, Region};
use std::ffi::OsStr;
use std::fs::{File, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Writes a new file's content.
pub type Fill<'f> = &'f mut dyn FnMut(&File) -> Result<()>;

/// The folder that `path` lies in.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

/// Makes a new slab at `path`. False: somebody else was faster, or a file was there already; it is left as it is.
pub(super) fn create(path: &Path, options: &Options) -> Result<bool> {
    make_whole(path, &mut |file| fill(file, path, options))
}

/// Makes a new file at `path`, which appears there when `fill` has written it, to disk too, or never. False: a file was there already; it is left
/// as it is.
pub fn make_whole(path: &Path, fill: Fill) -> Result<bool> {
    let Some(name) = path.file_name() else {
        return Err(Error::arg(format!("{} is not the name of a file", path.display())));
    };
    let parent = folder(path);
    let dir = open_folder(path)?;
    let made = match nameless(parent) {
        Ok(file) => {
            fill(&file)?;
            match sys::link_nameless(&file, &dir, name) {
                // No /proc to name the nameless file by.
                Err(e) if e.kind() == ErrorKind::NotFound => create_named(path, fill)?,
                done => linked(done, path)?,
            }
        }
        // The file system has no nameless files.
        Err(e) if matches!(e.raw_os_error(), Some(libc::EOPNOTSUPP | libc::EISDIR | libc::EINVAL)) => {
            create_named(path, fill)?
        }
        Err(e) => return Err(Error::io("create", path, &e)),
    };
    // Without this a machine crash could take the name back, and all that was synced with it.
    dir.sync_all().map_err(|e| Error::io("sync the folder", parent, &e))?;
    Ok(made)
}

/// The folder of `path`, opened. `Remote` if it lies where no slab can.
fn open_folder(path: &Path) -> Result<File> {
    let parent = folder(path);
    let mut flags = OpenOptions::new();
    flags.read(true).custom_flags(libc::O_DIRECTORY);
    let dir = flags
        .open(parent)
        .map_err(|e| Error::io("open the folder", parent, &e))?;
    match sys::file_system(&dir).map_err(|e| Error::io("statfs", parent, &e))? {
        FileSystem::Remote(kind) => Err(Error::remote(path, kind)),
        _ => Ok(dir),
    }
}

/// Gives the finished file at `temporary`, in the same folder, the name `path` instead. False: a file was there already. The temporary name is
/// gone in any case.
pub fn give_name(temporary: &Path, path: &Path) -> Result<bool> {
    let dir = open_folder(path)?;
    let made = linked(std::fs::hard_link(temporary, path), path);
    std::fs::remove_file(temporary).map_err(|e| Error::io("remove", temporary, &e))?;
    dir.sync_all()
        .map_err(|e| Error::io("sync the folder", folder(path), &e))?;
    made
}

/// Makes the name of the slab at `path` durable: whoever made it may have been killed, or be about to, before that was done. A folder that we
/// may not read is left alone.
pub(super) fn keep_name(path: &Path) -> Result<()> {
    match File::open(folder(path)) {
        Ok(dir) => dir
            .sync_all()
            .map_err(|e| Error::io("sync the folder", folder(path), &e)),
        Err(_) => Ok(()),
    }
}

fn linked(result: std::io::Result<()>, path: &Path) -> Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(Error::io("link", path, &e)),
    }
}

fn nameless(parent: &Path) -> std::io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .mode(0o600)
        .custom_flags(libc::O_TMPFILE)
        .open(parent)
}

/// The same by a temporary name in the same folder.
fn create_named(path: &Path, fill: Fill) -> Result<bool> {
    let temporary = temporary_name(path)?;
    let mut flags = OpenOptions::new();
    flags.read(true).write(true).create_new(true).mode(0o600);
    let file = flags
        .open(&temporary)
        .map_err(|e| Error::io("create", &temporary, &e))?;
    let result = fill(&file).and_then(|()| linked(std::fs::hard_link(&temporary, path), path));
    std::fs::remove_file(&temporary).map_err(|e| Error::io("remove", &temporary, &e))?;
    result
}

/// A name beside `path` that nobody has.
pub fn temporary_name(path: &Path) -> Result<PathBuf> {
    let parent = folder(path);
    let name = path.file_name().unwrap_or(OsStr::new("slab"));
    let random = sys::random().map_err(|e| Error::io("getrandom", parent, &e))?;
    let hex: String = random[..8].iter().map(|b| format!("{b:02x}")).collect();
    Ok(parent.join(format!(".{}.{hex}.tmp", name.to_string_lossy())))
}

/// Writes a new slab to an empty file and to disk.
fn fill(file: &File, path: &Path, options: &Options) -> Result<()> {
    let failed = |what: &'static str| move |e: std::io::Error| Error::io(what, path, &e);
    let len = HEADER_SIZE + SLACK;
    if sys::file_size_max() < len {
        return Err(Error::full(
            "the largest file of this process (ulimit -f)",
            sys::file_size_max(),
        ));
    }
    // The page behind the header comes first: it sets the file's length, and what lies between stays a hole.
    for (offset, len) in [(HEADER_SIZE, SLACK)].into_iter().chain(control::FIRST_RANGES) {
        if !sys::allocate(file, offset, len).map_err(failed("allocate"))? {
            sys::extend_with_zeros(file, HEADER_SIZE + SLACK).map_err(failed("write"))?;
            break;
        }
    }
    let region = Region::shared(file, len).map_err(failed("mmap"))?;
    // SAFETY: the region is mapped for longer than the mapping is used, page-aligned and within the file; what is stored to was allocated.
    let map = unsafe { Mapping::from_raw(region.base(), region.len() as usize) };
    let random = sys::random().map_err(failed("getrandom"))?;
    control::format(&map, &Ident::new(random, sys::now_ms()));
    let boot = sys::boot_id().map_err(failed("read the boot id"))?;
    control::set_ready(&map, boot, sys::file_id(file).map_err(failed("stat"))?);
    drop(region);
    file.set_permissions(Permissions::from_mode(options.mode))
        .map_err(failed("chmod"))?;
    file.sync_data().map_err(failed("write to disk"))
}
