//! Dates as Clojure prints `java.util.Date`, instants as `java.time.Instant.toString`.

use super::print::push;

const DAY_SECONDS: i64 = 86_400;
const DAY_MS: i64 = 1000 * DAY_SECONDS;
/// First day of the Gregorian calendar in `java.util.GregorianCalendar`, 1582-10-15: before it stands the Julian.
const GREGORIAN_FIRST_DAY: i64 = -141_427;
/// Days from 0000-03-01 of either calendar to 1970-01-01.
const GREGORIAN_EPOCH: i64 = 719_468;
const JULIAN_EPOCH: i64 = 719_470;
const DAYS_OF_4_YEARS: i64 = 1461;
const DAYS_OF_400_YEARS: i64 = 146_097;

/// A day: year (0 is 1 BC), month and day of the month from 1.
type Day = (i64, u32, u32);

/// Year, month and day in years that begin in March, of the day that follows `day_of_year` days after March 1.
fn from_march(year: i64, day_of_year: i64) -> Day {
    // March to July, August to December, January and February: each group's months have 31, 30, 31, 30, 31 days, 153 in all.
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 {
        (year, month + 3)
    } else {
        (year + 1, month - 9)
    };
    (year, month as u32, day as u32)
}

/// The Gregorian date of a day counted from 1970-01-01, also before the calendar was made.
fn gregorian(days: i64) -> Day {
    let days = days + GREGORIAN_EPOCH;
    let cycle = days.div_euclid(DAYS_OF_400_YEARS);
    let day = days.rem_euclid(DAYS_OF_400_YEARS);
    // Days without the leap days before them, so that years have 365.
    let year = (day - day / (DAYS_OF_4_YEARS - 1) + day / 36_524 - day / (DAYS_OF_400_YEARS - 1)) / 365;
    from_march(cycle * 400 + year, day - (365 * year + year / 4 - year / 100))
}

/// The Julian date of that day.
fn julian(days: i64) -> Day {
    let days = days + JULIAN_EPOCH;
    let cycle = days.div_euclid(DAYS_OF_4_YEARS);
    let day = days.rem_euclid(DAYS_OF_4_YEARS);
    let year = (day - day / (DAYS_OF_4_YEARS - 1)) / 365;
    from_march(cycle * 4 + year, day - 365 * year)
}

/// `#inst` of so many ms since 1970. As Java's SimpleDateFormat: Julian before 1582-10-15, and years before 1 are told without their era.
pub(super) fn push_date(ms: i64, out: &mut String) {
    let (days, ms) = (ms.div_euclid(DAY_MS), ms.rem_euclid(DAY_MS));
    let (year, month, day) = if days < GREGORIAN_FIRST_DAY {
        julian(days)
    } else {
        gregorian(days)
    };
    let year = if year > 0 { year } else { 1 - year };
    push(out, format_args!("#inst \"{year:04}-{month:02}-{day:02}T"));
    push_time(ms / 1000, out);
    push(out, format_args!(".{:03}-00:00\"", ms % 1000));
}

/// `#eve/instant` of so many seconds since 1970 and nanoseconds: Gregorian always, the fraction in groups of three digits.
pub(super) fn push_instant(seconds: i64, nanos: u32, out: &mut String) {
    let (days, seconds) = (seconds.div_euclid(DAY_SECONDS), seconds.rem_euclid(DAY_SECONDS));
    let (year, month, day) = gregorian(days);
    let sign = if year < 0 {
        "-"
    } else {
        ["", "+"][(year > 9999) as usize]
    };
    push(
        out,
        format_args!("#eve/instant \"{sign}{:04}-{month:02}-{day:02}T", year.unsigned_abs()),
    );
    push_time(seconds, out);
    match nanos {
        0 => {}
        n if n % 1_000_000 == 0 => push(out, format_args!(".{:03}", n / 1_000_000)),
        n if n % 1000 == 0 => push(out, format_args!(".{:06}", n / 1000)),
        n => push(out, format_args!(".{n:09}")),
    }
    out.push_str("Z\"");
}

fn push_time(seconds: i64, out: &mut String) {
    push(
        out,
        format_args!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60),
    );
}
