//! iCalendar (RFC 5545): a calendar as text that other programs read. Lines end in CRLF and are
//! folded at 75 octets (3.1), text is escaped (3.3.11), times are in UTC, whole days are dates.

use kernel::Time;
use kernel::office::{Answer, Entry};
use kernel::time::BEIJING_OFFSET;

/// Octets of a line, at most, without its end.
const LINE: usize = 75;

/// Writes one content line, folded where it is too long; never within a character.
fn put(out: &mut String, line: &str) {
    let mut room = LINE;
    for c in line.chars() {
        if c.len_utf8() > room {
            out.push_str("\r\n ");
            room = LINE - 1;
        }
        room -= c.len_utf8();
        out.push(c);
    }
    out.push_str("\r\n");
}

/// Text of a property value.
fn text(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len() + 8);
    for c in value.replace("\r\n", "\n").chars() {
        match c {
            '\\' | ';' | ',' => {
                escaped.push('\\');
                escaped.push(c);
            }
            '\n' | '\r' => escaped.push_str("\\n"),
            c if c.is_control() && c != '\t' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// Text of a parameter: in quotes, which it cannot hold itself (3.2).
fn parameter(value: &str) -> String {
    let clean: String = value
        .chars()
        .map(|c| if c == '"' { '\'' } else { c })
        .filter(|c| !c.is_control())
        .collect();
    format!("\"{clean}\"")
}

/// `20261125T020000Z`.
fn instant(time: Time) -> String {
    // The fields are those of Beijing; eight hours earlier they are those of UTC.
    let (y, mo, d, h, mi, s) = Time(time.0 - BEIJING_OFFSET).beijing_fields();
    format!("{y:04}{mo:02}{d:02}T{h:02}{mi:02}{s:02}Z")
}

/// `20261125`, the day in Beijing.
fn date(time: Time) -> String {
    let (y, mo, d, ..) = time.beijing_fields();
    format!("{y:04}{mo:02}{d:02}")
}

fn event(out: &mut String, entry: &Entry, now: Time) {
    put(out, "BEGIN:VEVENT");
    put(out, &format!("UID:{}@jicheng", entry.id));
    put(out, &format!("DTSTAMP:{}", instant(now)));
    put(out, &format!("SEQUENCE:{}", entry.version - 1));
    if entry.all_day {
        put(out, &format!("DTSTART;VALUE=DATE:{}", date(entry.from)));
        put(out, &format!("DTEND;VALUE=DATE:{}", date(entry.to)));
    } else {
        put(out, &format!("DTSTART:{}", instant(entry.from)));
        put(out, &format!("DTEND:{}", instant(entry.to)));
    }
    put(out, &format!("SUMMARY:{}", text(&entry.title)));
    if !entry.place.is_empty() {
        put(out, &format!("LOCATION:{}", text(&entry.place)));
    }
    if !entry.note.is_empty() {
        put(out, &format!("DESCRIPTION:{}", text(&entry.note)));
    }
    let status = match entry.cancelled_at {
        Some(_) => "CANCELLED",
        None => "CONFIRMED",
    };
    put(out, &format!("STATUS:{status}"));
    if !entry.attendees.is_empty() {
        let name = parameter(&entry.owner_name);
        put(
            out,
            &format!("ORGANIZER;CN={name}:urn:jicheng:account:{}", entry.owner),
        );
    }
    for attendee in &entry.attendees {
        let answer = match attendee.answer {
            Answer::Asked => "NEEDS-ACTION",
            Answer::Accepted => "ACCEPTED",
            Answer::Declined => "DECLINED",
        };
        let name = parameter(&attendee.name);
        let account = &attendee.account;
        put(
            out,
            &format!("ATTENDEE;CN={name};PARTSTAT={answer}:urn:jicheng:account:{account}"),
        );
    }
    if let Some(minutes) = entry.remind_min {
        put(out, "BEGIN:VALARM");
        put(out, "ACTION:DISPLAY");
        put(out, &format!("DESCRIPTION:{}", text(&entry.title)));
        put(out, &format!("TRIGGER:-PT{minutes}M"));
        put(out, "END:VALARM");
    }
    put(out, "END:VEVENT");
}

/// The calendar of these entries.
pub(crate) fn write(entries: &[Entry], now: Time) -> String {
    let mut out = String::with_capacity(entries.len() * 400 + 200);
    put(&mut out, "BEGIN:VCALENDAR");
    put(&mut out, "VERSION:2.0");
    put(&mut out, "PRODID:-//Jicheng//Office//ZH");
    put(&mut out, "CALSCALE:GREGORIAN");
    for entry in entries {
        event(&mut out, entry, now);
    }
    put(&mut out, "END:VCALENDAR");
    out
}
