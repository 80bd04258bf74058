//! Tagged values, names and characters of EDN.

use eve::value::build::BuildBuffer;

/// Namespace and name, as Clojure divides them.
pub fn split_name(text: &str) -> (Option<&str>, &str) {
    match text.split_once('/') {
        Some((namespace, name)) if text != "/" => (Some(namespace), name),
        _ => (None, text),
    }
}

/// Appends a UTF-16 unit to generalized UTF-8. The second half of a pair joins the first.
pub fn push_unit(text: &mut Vec<u8>, unit: u16) {
    let code = |high: u32, low: u32| 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    let mut point = u32::from(unit);
    if (0xDC00..0xE000).contains(&unit) && text.len() >= 3 {
        let last = &text[text.len() - 3..];
        if last[0] == 0xED && last[1] >= 0xA0 && last[1] < 0xB0 {
            let high = 0xD000 | u32::from(last[1] & 0x3F) << 6 | u32::from(last[2] & 0x3F);
            point = code(high, point);
            text.truncate(text.len() - 3);
        }
    }
    match char::from_u32(point) {
        Some(c) => text.extend(c.encode_utf8(&mut [0; 4]).as_bytes()),
        // Half a pair has the form of three bytes.
        None => text.extend([0xED, 0x80 | (point >> 6 & 0x3F) as u8, 0x80 | (point & 0x3F) as u8]),
    }
}

/// Appends the value that `tag` makes of `text`. False: there is no such tag, or the text is not one of it.
pub fn tagged(tag: &str, text: &str, out: &mut Vec<u8>) -> bool {
    let mut b = BuildBuffer::new();
    let done = match tag {
        "inst" => date(text).map(|ms| _ = b.date(ms)),
        "eve/instant" => instant(text).map(|(s, n)| _ = b.instant(s, n)),
        "uuid" => uuid(text).map(|(high, low)| _ = b.uuid(high, low)),
        "eve/bytes" => bytes(text).map(|bytes| _ = b.bytes(&bytes)),
        _ => None,
    };
    out.extend(b.finish());
    done.is_some()
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text.chars().map(|c| c.to_digit(16).map(|d| d as u8)).collect();
    let digits = digits.filter(|d| d.len() % 2 == 0)?;
    Some(digits.chunks(2).map(|p| p[0] << 4 | p[1]).collect())
}

fn uuid(text: &str) -> Option<(u64, u64)> {
    let parts: Vec<&str> = text.split('-').collect();
    if parts.iter().map(|p| p.len()).collect::<Vec<_>>() != [8, 4, 4, 4, 12] {
        return None;
    }
    let all = u128::from_str_radix(&parts.concat(), 16).ok()?;
    Some(((all >> 64) as u64, all as u64))
}

/// Days from 1970-01-01 to a date of the Gregorian (or else the Julian) calendar. None: there is no such day.
fn days(year: i64, month: i64, day: i64, gregorian: bool) -> Option<i64> {
    let leap = year.rem_euclid(4) == 0 && (!gregorian || year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0);
    let lengths = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *lengths.get(usize::try_from(month).ok()?.checked_sub(1)?)?;
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years from March on, so that the leap day is the last.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let since_zero = 365 * y + y.div_euclid(4) + (153 * m + 2) / 5 + day - 1;
    Some(if gregorian {
        since_zero - y.div_euclid(100) + y.div_euclid(400) - 719_468
    } else {
        since_zero - 719_470
    })
}

/// Year, month, day.
type Day = (i64, i64, i64);

/// Date, seconds of the day, nanoseconds, and seconds to take off for the zone.
fn moment(text: &str, zone_needed: bool) -> Option<(Day, i64, u32, i64)> {
    let (date, time) = text.split_once('T').map_or((text, None), |(d, t)| (d, Some(t)));
    let (sign, plain) = match date.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, date.strip_prefix('+').unwrap_or(date)),
    };
    let mut fields = plain.split('-').map(number);
    let year = sign * fields.next()??;
    let month = fields.next().unwrap_or(Some(1))?;
    let day = fields.next().unwrap_or(Some(1))?;
    if fields.next().is_some() {
        return None;
    }
    let Some(time) = time else {
        return (!zone_needed).then_some(((year, month, day), 0, 0, 0));
    };
    let (clock, zone) = match time.find(['Z', '+', '-']) {
        Some(at) => time.split_at(at),
        None if zone_needed => return None,
        None => (time, "Z"),
    };
    let offset = match zone.as_bytes()[0] {
        b'Z' if zone.len() == 1 => 0,
        b'Z' => return None,
        sign => {
            let (h, m) = zone[1..].split_once(':')?;
            let seconds = number(h)? * 3600 + number(m)? * 60;
            if sign == b'-' {
                -seconds
            } else {
                seconds
            }
        }
    };
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut fields = whole.split(':').map(number);
    let (h, m) = (fields.next()??, fields.next().unwrap_or(Some(0))?);
    let s = fields.next().unwrap_or(Some(0))?;
    if h > 23 || m > 59 || s > 59 || fields.next().is_some() || fraction.len() > 9 {
        return None;
    }
    let nanos = number(&format!("{fraction:0<9}"))? as u32;
    Some(((year, month, day), h * 3600 + m * 60 + s, nanos, offset))
}

fn number(digits: &str) -> Option<i64> {
    let plain = !digits.is_empty() && digits.len() <= 12 && digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

/// ms since 1970 of `#inst`. As in Java, dates before 1582-10-15 are of the Julian calendar.
fn date(text: &str) -> Option<i64> {
    let ((y, m, d), seconds, nanos, offset) = moment(text, false)?;
    let day = days(y, m, d, (y, m, d) >= (1582, 10, 15))?;
    Some((day * 86_400 + seconds - offset) * 1000 + i64::from(nanos / 1_000_000))
}

/// Seconds and nanoseconds of `#eve/instant`, whose calendar is Gregorian always.
fn instant(text: &str) -> Option<(i64, u32)> {
    let ((y, m, d), seconds, nanos, offset) = moment(text, true)?;
    Some((days(y, m, d, true)? * 86_400 + seconds - offset, nanos))
}
