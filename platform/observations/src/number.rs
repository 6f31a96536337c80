//! Numbers of the line protocol, read fast where that is exact.

const EXACT_POWERS: [f64; 19] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18,
];

/// A finite number. Plain decimals below 2^53 are one exact division, hence correctly rounded;
/// anything else goes the slow way of the standard library.
#[inline]
pub(crate) fn number(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut mantissa = 0u64;
    let mut seen = 0usize;
    let mut point = None;
    for (at, &b) in digits.iter().enumerate() {
        match b {
            b'0'..=b'9' if seen < 18 => {
                mantissa = mantissa * 10 + u64::from(b - b'0');
                seen += 1;
            }
            b'.' if point.is_none() => point = Some(at),
            b'i' | b'u' if at + 1 == digits.len() && seen > 0 && point.is_none() => {}
            _ => return slow_number(text),
        }
    }
    if seen == 0 || mantissa >= 1 << 53 {
        return slow_number(text);
    }
    let decimals = point.map_or(0, |at| digits.len() - at - 1);
    let value = mantissa as f64 / EXACT_POWERS[decimals];
    Some(if negative { -value } else { value })
}

#[cold]
fn slow_number(text: &[u8]) -> Option<f64> {
    match text {
        b"t" | b"T" | b"true" | b"True" | b"TRUE" => return Some(1.0),
        b"f" | b"F" | b"false" | b"False" | b"FALSE" => return Some(0.0),
        _ => {}
    }
    let text = std::str::from_utf8(text).ok()?;
    if let Some(whole) = text.strip_suffix(['i', 'u']) {
        return whole
            .parse::<i128>()
            .ok()
            .map(|n| n as f64)
            .filter(|v| v.is_finite());
    }
    // `inf` and `nan` parse, but are no measurements.
    text.parse::<f64>().ok().filter(|v| v.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_standard_library() {
        for text in [
            "0",
            "-0",
            "0.1",
            "20.4",
            "-3.185592",
            "123456789.123456789",
            "9007199254740993",
            "1e-7",
            ".5",
            "5.",
            "208490.21",
            "123456789012345678901",
            "1e400",
        ] {
            let expect = text.parse::<f64>().ok().filter(|v| v.is_finite());
            assert_eq!(
                number(text.as_bytes()).map(f64::to_bits),
                expect.map(f64::to_bits),
                "{text}"
            );
        }
        for text in ["", "-", ".", "1.2.3", "1x", "i", "0x10"] {
            assert_eq!(number(text.as_bytes()), None, "{text}");
        }
    }
}
