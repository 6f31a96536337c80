//! Finds every object of a PDF by looking at all of its bytes, those in object streams too, and
//! not by its tables: what another reader may find is found, whatever the tables say. Bounded in
//! objects, in what is unpacked and so in time.

use super::read::{Reader, is_space};
use super::{Dictionary, Object};
use flate2::read::ZlibDecoder;
use std::collections::BTreeMap;
use std::io::Read;

/// Objects of a file, at most.
const OBJECTS: usize = 300_000;
/// Places that look like an object and are none, at most.
const UNREADABLE: usize = 1_000;
/// Values inside all objects, at most.
const VALUES: usize = 1_500_000;
/// Bytes that object streams of a file unpack to, at most.
const UNPACKED: usize = 64 << 20;

/// Everything found.
#[derive(Default)]
pub(crate) struct Scan {
    /// Every object, also those that another of the same number replaced, and the trailers.
    pub(crate) all: Vec<Object>,
    /// By number, where in `all`; of several with one number the last in the file.
    numbers: BTreeMap<u32, usize>,
    /// Dictionaries of trailers and cross-reference streams, in their order.
    pub(crate) trailers: Vec<Dictionary>,
    /// Where objects begin that cannot be read.
    pub(crate) unreadable: Vec<usize>,
    /// Parts are packed in a way that is not looked into.
    pub(crate) odd_packing: bool,
    /// A limit was reached, and not everything was looked at.
    pub(crate) beyond: bool,
}

impl Scan {
    /// The object of a number.
    pub(crate) fn object(&self, number: u32) -> Option<&Object> {
        self.all.get(*self.numbers.get(&number)?)
    }

    fn add(&mut self, number: u32, object: Object) {
        self.numbers.insert(number, self.all.len());
        self.all.push(object);
    }

    /// What a value is, followed through references.
    pub(crate) fn resolve<'a>(&'a self, mut object: &'a Object) -> &'a Object {
        for _ in 0..16 {
            match object {
                Object::Reference(n) => object = self.object(*n).unwrap_or(&Object::Null),
                other => return other,
            }
        }
        &Object::Null
    }

    /// An entry of a dictionary, followed.
    pub(crate) fn entry<'a>(&'a self, of: &'a Dictionary, key: &str) -> &'a Object {
        of.get(key)
            .map_or(&Object::Null, |found| self.resolve(found))
    }

    /// The newest trailer that names a root.
    pub(crate) fn root(&self) -> Option<&Dictionary> {
        let roots = self.trailers.iter().rev();
        let mut roots = roots.filter_map(|trailer| self.entry(trailer, "Root").dictionary());
        roots.next()
    }
}

struct Limits {
    values: usize,
    unpacked: usize,
}

/// Looks at all of a file.
pub(crate) fn scan(bytes: &[u8]) -> Scan {
    let mut found = Scan::default();
    let mut limits = Limits {
        values: VALUES,
        unpacked: UNPACKED,
    };
    let mut at = 0;
    while let Some(place) = find(bytes, at) {
        match place {
            Place::Object(number, body) => {
                at = body;
                if found.all.len() >= OBJECTS || found.unreadable.len() >= UNREADABLE {
                    found.beyond = true;
                    return found;
                }
                object(bytes, number, body, &mut found, &mut limits);
            }
            Place::Trailer(body) => {
                at = body;
                let mut reader = Reader::new(bytes, body, limits.values);
                if let Some(Object::Dictionary(trailer)) = reader.object() {
                    found.all.push(Object::Dictionary(trailer.clone()));
                    found.trailers.push(trailer);
                }
                limits.values = reader.budget;
            }
        }
        if limits.values == 0 || limits.unpacked == 0 {
            found.beyond = true;
            return found;
        }
    }
    found
}

enum Place {
    Object(u32, usize),
    Trailer(usize),
}

/// The next `n g obj` or `trailer` from here.
fn find(bytes: &[u8], mut at: usize) -> Option<Place> {
    loop {
        let rest = bytes.get(at..)?;
        let next = rest.iter().position(|b| *b == b'o' || *b == b't')?;
        at += next;
        let rest = &bytes[at..];
        if rest.starts_with(b"trailer") {
            return Some(Place::Trailer(at + 7));
        }
        if rest.starts_with(b"obj")
            && let Some(number) = number_before(bytes, at)
        {
            return Some(Place::Object(number, at + 3));
        }
        at += 1;
    }
}

/// The number of the object whose `obj` stands here: two numbers stand before it.
fn number_before(bytes: &[u8], at: usize) -> Option<u32> {
    let back_over = |mut end: usize, is: fn(u8) -> bool| {
        // Nobody writes more than a few; a million spaces are not worth walking over again.
        let floor = end.saturating_sub(64);
        while end > floor && is(bytes[end - 1]) {
            end -= 1;
        }
        end
    };
    let digits = |byte: u8| byte.is_ascii_digit();
    let generation_end = back_over(at, is_space);
    let generation = back_over(generation_end, digits);
    let number_end = back_over(generation, is_space);
    let number = back_over(number_end, digits);
    if generation == generation_end || number_end == generation || number == number_end {
        return None;
    }
    std::str::from_utf8(&bytes[number..number_end])
        .ok()?
        .parse()
        .ok()
}

fn object(bytes: &[u8], number: u32, body: usize, found: &mut Scan, limits: &mut Limits) {
    let mut reader = Reader::new(bytes, body, limits.values);
    let read = reader.object();
    limits.values = reader.budget;
    let Some(read) = read else {
        found.unreadable.push(body);
        return;
    };
    if let Object::Dictionary(dictionary) = &read
        && let Some(kind) = dictionary.get("Type")
        && reader.word("stream")
    {
        if kind.is_name("XRef") {
            found.trailers.push(dictionary.clone());
        }
        if kind.is_name("ObjStm") {
            let data = reader.at;
            unpack(bytes, data, dictionary, found, limits);
        }
    }
    found.add(number, read);
}

/// The objects of an object stream (ISO 32000-1, 7.5.7).
fn unpack(bytes: &[u8], at: usize, about: &Dictionary, found: &mut Scan, limits: &mut Limits) {
    let mut data = bytes.get(at..).unwrap_or_default();
    data = data.strip_prefix(b"\r").unwrap_or(data);
    data = data.strip_prefix(b"\n").unwrap_or(data);
    let filter = about.get("Filter").map(|filter| match filter {
        Object::Array(items) if items.len() == 1 => items[0].clone(),
        other => other.clone(),
    });
    let plain;
    let content = match filter {
        None | Some(Object::Null) => {
            let length = about.get("Length").and_then(Object::integer);
            let length = length.and_then(|n| usize::try_from(n).ok());
            match length.and_then(|n| data.get(..n)) {
                Some(content) => content,
                None => {
                    found.odd_packing = true;
                    return;
                }
            }
        }
        Some(name)
            if (name.is_name("FlateDecode") || name.is_name("Fl"))
                && !about.get("DecodeParms").is_some_and(predicts) =>
        {
            let mut out = vec![];
            let mut unpacked = ZlibDecoder::new(data).take(limits.unpacked as u64);
            // What was cut off or damaged at its end is read as far as it goes, as readers do.
            let _ = unpacked.read_to_end(&mut out);
            limits.unpacked -= out.len().min(limits.unpacked);
            plain = out;
            &plain[..]
        }
        Some(_) => {
            found.odd_packing = true;
            return;
        }
    };
    let whole = |key: &str| {
        let n = about.get(key).and_then(Object::integer);
        n.and_then(|n| usize::try_from(n).ok())
    };
    let (Some(count), Some(first)) = (whole("N"), whole("First")) else {
        found.odd_packing = true;
        return;
    };
    let mut index = Reader::new(content, 0, limits.values);
    for _ in 0..count {
        if found.all.len() >= OBJECTS {
            found.beyond = true;
            break;
        }
        let pair = (index.object(), index.object());
        let (Some(Object::Integer(number)), Some(Object::Integer(offset))) = pair else {
            break;
        };
        let place = usize::try_from(offset)
            .ok()
            .and_then(|o| o.checked_add(first));
        let (Ok(number), Some(place)) = (u32::try_from(number), place) else {
            break;
        };
        let mut reader = Reader::new(content, place, index.budget);
        let read = reader.object();
        index.budget = reader.budget;
        match read {
            Some(read) => found.add(number, read),
            None => found.odd_packing = true,
        }
    }
    limits.values = index.budget;
}

fn predicts(parameters: &Object) -> bool {
    let of = |object: &Object| {
        let predictor = object.dictionary().and_then(|d| d.get("Predictor"));
        predictor.is_some_and(|p| p.integer() != Some(1))
    };
    match parameters {
        Object::Array(items) => items.iter().any(of),
        Object::Reference(_) => true,
        other => of(other),
    }
}
