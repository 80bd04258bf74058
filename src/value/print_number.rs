//! Doubles as Java's `Double.toString`, decimals as `BigDecimal.toString`.

use super::bignum;
use super::print::push;

/// Java writes doubles from 10^-3 up to, not including, 10^7 without an exponent.
const PLAIN_EXPONENTS: std::ops::Range<i32> = -3..7;
/// Smallest exponent that `BigDecimal` writes without one.
const PLAIN_DECIMAL: i64 = -6;

/// The double as Clojure prints it.
pub(super) fn push_double(x: f64, out: &mut String) {
    if !x.is_finite() {
        return out.push_str(if x.is_nan() {
            "##NaN"
        } else {
            ["##-Inf", "##Inf"][(x > 0.0) as usize]
        });
    }
    if x.is_sign_negative() {
        out.push('-');
    }
    if x == 0.0 {
        return out.push_str("0.0");
    }
    let (digits, exponent) = shortest(x.abs());
    if PLAIN_EXPONENTS.contains(&exponent) {
        push_plain(&digits, exponent, out);
    } else {
        push_fraction(&digits, 1, out);
        push(out, format_args!("E{exponent}"));
    }
}

/// The decimal digits that Java chooses, without trailing zeros, and the power of ten of the first.
fn shortest(x: f64) -> (String, i32) {
    let split = |text: String| {
        let (digits, exponent) = text.split_once('e').expect("the format has an exponent");
        (
            digits.replace('.', ""),
            exponent.parse::<i32>().expect("the exponent is a number"),
        )
    };
    let (digits, exponent) = split(format!("{x:e}"));
    if digits.len() > 1 {
        return (digits, exponent);
    }
    // Where one digit would do Java still looks for the nearest number of two: it prints 4.9E-324 where others print 5e-324.
    let (digits, exponent) = split(format!("{x:.1e}"));
    (digits.strip_suffix('0').unwrap_or(&digits).into(), exponent)
}

/// Digits with a point and at least one digit on both sides of it.
fn push_plain(digits: &str, exponent: i32, out: &mut String) {
    if exponent < 0 {
        out.push_str("0.");
        (exponent + 1..0).for_each(|_| out.push('0'));
        out.push_str(digits);
        return;
    }
    push_fraction(digits, exponent as usize + 1, out);
}

/// Digits with the point after the first `whole` of them, zeros where there are too few.
fn push_fraction(digits: &str, whole: usize, out: &mut String) {
    out.push_str(&digits[..whole.min(digits.len())]);
    (digits.len()..whole).for_each(|_| out.push('0'));
    out.push('.');
    out.push_str(digits.get(whole..).filter(|rest| !rest.is_empty()).unwrap_or("0"));
}

/// `unscaled * 10^-scale` as `BigDecimal.toString`.
pub(super) fn push_decimal(unscaled: &[u8], scale: i32, out: &mut String) {
    let text = bignum::to_decimal(unscaled);
    if scale == 0 {
        return out.push_str(&text);
    }
    let digits = text.strip_prefix('-').unwrap_or(&text);
    if digits.len() < text.len() {
        out.push('-');
    }
    let scale = i64::from(scale);
    let exponent = digits.len() as i64 - 1 - scale;
    if scale >= 0 && exponent >= PLAIN_DECIMAL {
        let whole = digits.len() as i64 - scale;
        if whole > 0 {
            return push_fraction(digits, whole as usize, out);
        }
        out.push_str("0.");
        (whole..0).for_each(|_| out.push('0'));
        return out.push_str(digits);
    }
    out.push_str(&digits[..1]);
    if digits.len() > 1 {
        out.push('.');
        out.push_str(&digits[1..]);
    }
    if exponent != 0 {
        push(out, format_args!("E{exponent:+}"));
    }
}
