//! How long a writer steps aside when others commit at the same time.
//!
//! Writers that race for the root pull its cache line, its record's and the state map's from each other: two then commit less together than one alone.
//! So a loser lets the winner go on for some commits, with all that in its cache. It waits the longer the more often it loses, and a random part of that,
//! so that it doesn't come back when another one does. (Exponential backoff: Agarwal and Cherian, "Adaptive backoff synchronization techniques", 1989.)

use std::time::Duration;

/// The shortest wait; each step is twice as long.
const FIRST: Duration = Duration::from_micros(1);
/// Steps: the longest wait is as long as some thirty commits of one map's entry.
const STEPS: u32 = 6;
/// Commits in a row, each at its first try, that take a step back.
const CALM: u32 = 64;

/// What a writer has met lately.
#[derive(Debug, Default)]
pub struct Contention {
    step: u32,
    won: u32,
    random: u32,
}

impl Contention {
    /// For a writer that pauses otherwise than those with another `seed`.
    pub fn new(seed: usize) -> Contention {
        Contention {
            random: (seed as u32).wrapping_mul(0x9E37_79B9),
            ..Contention::default()
        }
    }

    /// A commit has succeeded, at its first try.
    #[inline]
    pub fn won(&mut self) {
        if self.step > 0 {
            self.won += 1;
            if self.won == CALM {
                self.won = 0;
                self.step -= 1;
            }
        }
    }

    /// A race for the root was lost.
    pub fn lost(&mut self) {
        self.won = 0;
        self.step = (self.step + 1).min(STEPS);
    }

    /// How long to step aside now: nothing while no race has been lost lately.
    pub fn pause(&mut self) -> Duration {
        if self.step == 0 {
            return Duration::ZERO;
        }
        // A linear congruential generator: all that counts is that two writers don't wait alike.
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let most = FIRST * (1 << (self.step - 1));
        most / 2 + most / 2 * (self.random >> 24) / 256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_loses_waits_longer_up_to_a_limit_and_calm_forgets_it() {
        let mut c = Contention::default();
        assert_eq!(c.pause(), Duration::ZERO);
        let mut longest = Duration::ZERO;
        for _ in 0..100 {
            c.lost();
            let pause = c.pause();
            longest = longest.max(pause);
            assert!(pause >= FIRST / 2 && pause <= FIRST * (1 << (STEPS - 1)));
        }
        assert!(longest > FIRST * (1 << (STEPS - 2)));
        for _ in 0..CALM * STEPS {
            assert!(c.pause() > Duration::ZERO);
            c.won();
        }
        assert_eq!(c.pause(), Duration::ZERO);
    }
}
