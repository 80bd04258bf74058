//! Who keeps old versions, in words: for the error of a slab that is full.

use super::group::owner;
use super::pin::{decode, PINNED};
use super::Shared;
use crate::slab::layout::*;
use crate::slab::mapping::Mapping;
use std::fmt::Write;
use std::sync::atomic::Ordering::*;

/// So many holders are named, those of the oldest versions.
const NAMED: usize = 3;

/// What one opening of the slab keeps.
struct Held {
    /// Participant + 1.
    owner: u64,
    from: u64,
    to: u64,
    /// When version `from` was committed, ms since 1970, and the bytes retired until then; None: not known, as groups keep no records.
    since: Option<(u64, u64)>,
}

/// Adds versions `from` to `to` to what `owner` keeps.
fn add(all: &mut Vec<Held>, owner: u64, (from, to): (u64, u64), since: Option<(u64, u64)>) {
    let Some(held) = all.iter_mut().find(|h| h.owner == owner) else {
        return all.push(Held { owner, from, to, since });
    };
    held.to = held.to.max(to);
    if from < held.from {
        (held.from, held.since) = (from, since);
    }
}

/// What is kept of versions before `now`, oldest first. Others go on: what is told was so at some time during the call.
fn held(map: &Mapping, now: u64) -> Vec<Held> {
    let mut all = Vec::new();
    for i in 0..map.agents() {
        let line = map.agent(i);
        let who = line.owner.load(Acquire);
        for pin in line.pins.iter().map(|p| p.load(Acquire)).filter(|p| p & 3 == PINNED) {
            let v = decode(pin);
            let r = map.record(v.record);
            let since = (r.time.load(Relaxed), r.retired.load(Relaxed));
            if who != 0 && v.number < now {
                let since = (r.version.load(Acquire) == v.number).then_some(since);
                add(&mut all, who, (v.number, v.number), since);
            }
        }
    }
    for g in (0..map.groups()).map(|i| map.group(i)) {
        let (who, lo, hi) = (
            owner(g.owner.load(Acquire) & u64::from(u32::MAX)),
            g.lo.load(Acquire),
            g.hi.load(Acquire),
        );
        if who != 0 && lo != 0 && lo - 1 < now {
            add(&mut all, who, (lo - 1, hi.max(lo - 1)), None);
        }
    }
    all.sort_by_key(|h| h.from);
    all
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / (1 << 20) as f64
}

/// Who keeps which old versions, and what was in use when that was looked at last. `now_ms`: ms since 1970.
pub fn explain(map: &Mapping, now_ms: u64) -> String {
    let record = map.record(map.root().load(Acquire) as usize);
    let (now, retired) = (record.version.load(Relaxed), record.retired.load(Relaxed));
    let mut text = String::new();
    let traced = map.atomic_u64(CONTROL_TRACED).load(Relaxed);
    if traced > 0 {
        let _ = write!(text, "After the last trace {:.1} MiB were in use. ", mib(traced));
    }
    let all = held(map, now);
    if all.is_empty() {
        return text + "Nobody holds a version before the current one: what is there is in use, was synced last, or waits for gc";
    }
    let _ = write!(
        text,
        "The current version is {now}. Older ones, and what died since, are held by "
    );
    for (i, h) in all.iter().take(NAMED).enumerate() {
        let entry = PARTICIPANTS + (h.owner - 1) % PARTICIPANTS_MAX * PARTICIPANT_SIZE;
        let pid = map.atomic_u32(entry + 8).load(Relaxed);
        let before = if i > 0 { ", " } else { "" };
        let who = if pid == std::process::id() { " (this one)" } else { "" };
        let _ = write!(text, "{before}process {pid}{who}: {}", h.from);
        if h.to > h.from {
            let _ = write!(text, " to {}", h.to);
        }
        if let Some((time, then)) = h.since {
            let seconds = now_ms.saturating_sub(time) / 1000;
            let _ = write!(
                text,
                " (for {seconds} s, at most {:.1} MiB)",
                mib(retired.saturating_sub(then))
            );
        }
    }
    if all.len() > NAMED {
        let _ = write!(text, " and {} more", all.len() - NAMED);
    }
    text
}
