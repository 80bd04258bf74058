// Dates as Java writes them: beyond what Date can, and Julian before 1582.
const DAY = 86400;
/** 1582-10-15, the first day of the Gregorian calendar, in days since 1970. */
const GREGORIAN = -141427;

// Year, month and day; years begin in March, so that the leap day is the last.
function fromMarch(year, dayOfYear) {
  const month = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * month + 2) / 5) + 1;
  return month < 10 ? [year, month + 3, day] : [year + 1, month - 9, day];
}

function gregorian(days) {
  const day = days + 719468; // since 0000-03-01
  const cycle = Math.floor(day / 146097);
  const d = day - cycle * 146097;
  const year = Math.floor((d - Math.floor(d / 1460) + Math.floor(d / 36524) - Math.floor(d / 146096)) / 365);
  return fromMarch(400 * cycle + year, d - (365 * year + Math.floor(year / 4) - Math.floor(year / 100)));
}

function julian(days) {
  const day = days + 719470;
  const cycle = Math.floor(day / 1461);
  const d = day - cycle * 1461;
  const year = Math.floor((d - Math.floor(d / 1460)) / 365);
  return fromMarch(4 * cycle + year, d - 365 * year);
}

const pad = (n, width) => String(n).padStart(width, '0');

function dayAndTime(seconds, calendar) {
  const days = Math.floor(seconds / DAY);
  const s = seconds - days * DAY;
  return [...calendar(days), `${pad(Math.floor(s / 3600), 2)}:${pad(Math.floor(s / 60) % 60, 2)}:${pad(s % 60, 2)}`];
}

/** A Date as Clojure prints it inside #inst. */
export function dateText(date) {
  const ms = date.getTime();
  const seconds = Math.floor(ms / 1000);
  const [year, month, day, time] = dayAndTime(seconds, seconds < GREGORIAN * DAY ? julian : gregorian);
  return `${pad(year > 0 ? year : 1 - year, 4)}-${pad(month, 2)}-${pad(day, 2)}T${time}.${pad(ms - seconds * 1000, 3)}-00:00`;
}

/** As java.time.Instant.toString. */
export function instantText(seconds, nanoseconds) {
  const [year, month, day, time] = dayAndTime(Number(seconds), gregorian);
  const sign = year < 0 ? '-' : year > 9999 ? '+' : '';
  const n = pad(nanoseconds, 9);
  const fraction = nanoseconds === 0 ? '' : n.endsWith('000000') ? `.${n.slice(0, 3)}` : n.endsWith('000') ? `.${n.slice(0, 6)}` : `.${n}`;
  return `${sign}${pad(Math.abs(year), 4)}-${pad(month, 2)}-${pad(day, 2)}T${time}${fraction}Z`;
}
