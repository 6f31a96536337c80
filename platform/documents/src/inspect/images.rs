//! Images by their headers only: nothing is unpacked, so nothing can swell.

use super::problem;
use kernel::Problem;

fn judge(width: u64, height: u64, most: u64, problems: &mut Vec<Problem>) {
    if width == 0 || height == 0 {
        damaged(problems);
    } else if width.saturating_mul(height) > most {
        problems.push(problem(
            "content",
            format!("图片 {width}×{height} 像素，超过 {most} 像素"),
            format!("the image has {width}×{height} pixels; {most} are allowed"),
        ));
    }
}

fn damaged(problems: &mut Vec<Problem>) {
    problems.push(problem(
        "content",
        "图片已损坏或不完整",
        "the image is damaged or cut off",
    ));
}

fn number(bytes: &[u8], at: usize, length: usize) -> Option<u64> {
    let part = bytes.get(at..at.checked_add(length)?)?;
    Some(part.iter().fold(0, |sum, b| sum * 256 + u64::from(*b)))
}

/// Width and height of a PNG; its header chunk is the first (ISO 15948, 11.2.2).
pub(super) fn png(bytes: &[u8], most: u64, problems: &mut Vec<Problem>) -> Option<u32> {
    let header = bytes.get(12..16) == Some(b"IHDR");
    let end = bytes.len().saturating_sub(4096);
    let ends = bytes[end..].windows(4).any(|w| w == b"IEND");
    match (number(bytes, 16, 4), number(bytes, 20, 4)) {
        (Some(width), Some(height)) if header && ends => judge(width, height, most, problems),
        _ => damaged(problems),
    }
    Some(1)
}

/// Width and height of a JPEG: the first frame header among its segments (ITU-T T.81, B.2.2).
pub(super) fn jpeg(bytes: &[u8], most: u64, problems: &mut Vec<Problem>) -> Option<u32> {
    let ends = bytes.windows(2).rev().any(|w| w == [0xFF, 0xD9]);
    match jpeg_size(bytes) {
        Some((width, height)) if ends => judge(width, height, most, problems),
        _ => damaged(problems),
    }
    Some(1)
}

fn jpeg_size(bytes: &[u8]) -> Option<(u64, u64)> {
    let mut at = 2;
    loop {
        if *bytes.get(at)? != 0xFF {
            return None;
        }
        let marker = *bytes.get(at + 1)?;
        match marker {
            // Fill bytes before a marker.
            0xFF => {
                at += 1;
                continue;
            }
            0x01 | 0xD0..=0xD8 => {
                at += 2;
                continue;
            }
            // The image data or the end come before a frame header.
            0xD9 | 0xDA => return None,
            _ => {}
        }
        let length = number(bytes, at + 2, 2)? as usize;
        if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            return Some((number(bytes, at + 7, 2)?, number(bytes, at + 5, 2)?));
        }
        if length < 2 {
            return None;
        }
        at += 2 + length;
    }
}
