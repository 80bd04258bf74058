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

/// The folder that `path` lies in.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

/// Makes a new slab at `path`. False: somebody else was faster, or a file was there already; it is left as it is.
pub(super) fn create(path: &Path, options: &Options) -> Result<bool> {
    let Some(name) = path.file_name() else {
        return Err(Error::arg(format!("{} is not the name of a file", path.display())));
    };
    let parent = folder(path);
    let mut flags = OpenOptions::new();
    flags.read(true).custom_flags(libc::O_DIRECTORY);
    let dir = flags
        .open(parent)
        .map_err(|e| Error::io("open the folder", parent, &e))?;
    if let FileSystem::Remote(kind) = sys::file_system(&dir).map_err(|e| Error::io("statfs", parent, &e))? {
        return Err(Error::remote(path, kind));
    }
    let made = match nameless(parent) {
        Ok(file) => {
            fill(&file, path, options)?;
            match sys::link_nameless(&file, &dir, name) {
                // No /proc to name the nameless file by.
                Err(e) if e.kind() == ErrorKind::NotFound => create_named(parent, path, options)?,
                done => linked(done, path)?,
            }
        }
        // The file system has no nameless files.
        Err(e) if matches!(e.raw_os_error(), Some(libc::EOPNOTSUPP | libc::EISDIR | libc::EINVAL)) => {
            create_named(parent, path, options)?
        }
        Err(e) => return Err(Error::io("create", path, &e)),
    };
    // Without this a machine crash could take the name back, and all that was synced with it.
    dir.sync_all().map_err(|e| Error::io("sync the folder", parent, &e))?;
    Ok(made)
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
fn create_named(parent: &Path, path: &Path, options: &Options) -> Result<bool> {
    let temporary = temporary_name(parent, path.file_name().unwrap_or(OsStr::new("slab")))?;
    let mut flags = OpenOptions::new();
    flags.read(true).write(true).create_new(true).mode(0o600);
    let file = flags
        .open(&temporary)
        .map_err(|e| Error::io("create", &temporary, &e))?;
    let result = fill(&file, path, options).and_then(|()| linked(std::fs::hard_link(&temporary, path), path));
    std::fs::remove_file(&temporary).map_err(|e| Error::io("remove", &temporary, &e))?;
    result
}

fn temporary_name(parent: &Path, name: &OsStr) -> Result<PathBuf> {
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
