//! gc.

use crate::out::{self, Bar, Outcome};
use clap::Args;
use eve::trace::Progress;
use eve::{Options, Slab};
use serde_json::json;
use std::io::Write;
use std::path::PathBuf;

/// Frees everything that no version in use reaches; others go on reading and writing
#[derive(Args)]
#[command(
    after_help = "A slab does so by itself when it grows. What old versions in use hold, or those on disk, is freed when they are let go.\n\n\
Examples:\n  eve gc app.slab\n  eve gc app.slab --json | jq .freed.bytes"
)]
pub struct Gc {
    /// The slab
    file: PathBuf,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Gc {
    pub fn run(self) -> Outcome {
        let options = Options {
            create: false,
            ..Options::default()
        };
        let slab = Slab::open(&self.file, &options)?;
        // So that no old version on disk keeps garbage.
        slab.sync()?;
        let bar = Bar::new();
        let traced = slab.gc_telling(&mut |p| {
            match p {
                Progress::Marking(n) => bar.set("mark", n, 0),
                Progress::Sweeping(done, all) => bar.set("sweep", done, all),
            }
            Ok(())
        });
        drop(bar);
        let traced = traced?;
        slab.close()?;
        let s = traced.swept;
        if self.json {
            return out::print_json(&json!({
                "version": traced.version,
                "live": {"objects": s.live, "bytes": s.live_bytes},
                "freed": {"objects": s.freed, "bytes": s.freed_bytes, "blocks": s.blocks},
                "held": {"objects": s.held, "bytes": s.held_bytes},
            }));
        }
        let mut out = out::stdout();
        for (what, objects, bytes) in [
            ("live", s.live, s.live_bytes),
            ("freed", s.freed, s.freed_bytes),
            ("held", s.held, s.held_bytes),
        ] {
            writeln!(out, "{what:6} {objects} objects, {}", out::bytes(bytes))?;
        }
        writeln!(out, "{} blocks of 64 KiB are free now and were not", s.blocks)?;
        Ok(out.flush()?)
    }
}
