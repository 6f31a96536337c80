//! A signature put into a PDF of ours: an incremental update (ISO 32000-1, 7.5.6) with a field
//! over the seal, the signature itself, and nothing of what was there changed.

use super::certificates::Identity;
use super::cms;
use crate::pdf::scan::{Scan, scan};
use crate::pdf::{Dictionary, Object, write};
use kernel::crypto::{Crypto, Ring};
use kernel::{Fault, Time};
use sha2::{Digest, Sha256};

/// Bytes kept free for the signature with its two certificates.
const ROOM: usize = 4096;
/// Entry of a signature that names the licence a print is of: a private name as ISO 32000-1, Annex
/// E has it. It lies within what is signed.
const LICENCE_KEY: &[u8] = b"/XXLicence";
/// Characters kept free for each number of the byte range.
const NUMBER: usize = 10;

/// What stands in the signature besides the signature.
pub(crate) struct Particulars<'a> {
    /// When.
    pub(crate) at: Time,
    /// Name of the office.
    pub(crate) name: &'a str,
    /// Why: title and number.
    pub(crate) reason: &'a str,
    /// Page of the seal, from 0, and the seal's place in points from the lower left: left, bottom,
    /// right, top.
    pub(crate) page: usize,
    /// See `page`.
    pub(crate) place: [f32; 4],
    /// Identifier of the licence this is a print of: whoever checks the file asks where it stands.
    pub(crate) licence: Option<&'a str>,
}

/// A text for people in a PDF: UTF-16 with its mark.
pub(crate) fn text(text: &str) -> Object {
    let mut bytes = vec![0xFE, 0xFF];
    bytes.extend(text.encode_utf16().flat_map(u16::to_be_bytes));
    Object::Text(bytes)
}

/// A moment as PDF writes it (ISO 32000-1, 7.9.4), in Beijing time.
fn date(at: Time) -> String {
    let (y, mo, d, h, mi, s) = at.beijing_fields();
    format!("D:{y:04}{mo:02}{d:02}{h:02}{mi:02}{s:02}+08'00'")
}

fn broken(what: &str) -> Fault {
    Fault::internal("signing a PDF", what)
}

/// The page of this number and what it says.
fn page_of(found: &Scan, root: &Dictionary, wanted: usize) -> Option<(u32, Dictionary)> {
    let mut open = vec![root.get("Pages")?.reference()?];
    let mut seen = 0;
    while let Some(number) = open.pop() {
        let node = found.object(number)?.dictionary()?;
        match found.entry(node, "Kids").array() {
            Some(kids) => open.extend(kids.iter().rev().filter_map(Object::reference)),
            None if seen == wanted => return Some((number, node.clone())),
            None => seen += 1,
        }
    }
    None
}

/// What is appended, with where each object begins.
struct Update {
    bytes: Vec<u8>,
    objects: Vec<(u32, usize)>,
}

impl Update {
    fn begin(&mut self, number: u32) {
        self.objects.push((number, self.bytes.len()));
        self.bytes.extend(format!("{number} 0 obj\n").as_bytes());
    }
    fn object(&mut self, number: u32, object: &Object) {
        self.begin(number);
        write(object, &mut self.bytes);
        self.bytes.extend(b"\nendobj\n");
    }
}

/// Signs a PDF that this engine rendered.
pub(crate) fn sign(
    pdf: Vec<u8>,
    crypto: &dyn Crypto,
    identity: &Identity,
    about: &Particulars<'_>,
) -> Result<Vec<u8>, Fault> {
    let found = scan(&pdf);
    let trailer = found
        .trailers
        .last()
        .ok_or_else(|| broken("no trailer"))?
        .clone();
    let root_at = trailer.get("Root").and_then(Object::reference);
    let root_at = root_at.ok_or_else(|| broken("no root"))?;
    let size = trailer.get("Size").and_then(Object::integer);
    let size = size.and_then(|n| u32::try_from(n).ok());
    let size = size.ok_or_else(|| broken("no size"))?;
    let mut root = found.root().ok_or_else(|| broken("no root"))?.clone();
    let page = page_of(&found, &root, about.page);
    let (page_at, mut page) = page.ok_or_else(|| broken("no page"))?;
    let previous = last_table(&pdf).ok_or_else(|| broken("no table"))?;
    let (signature_at, field_at, face_at) = (size, size + 1, size + 2);

    let mut update = Update {
        bytes: pdf,
        objects: vec![],
    };
    update.bytes.push(b'\n');
    let fields = Object::Array(vec![Object::Reference(field_at)]);
    let form = [
        (b"Fields".to_vec(), fields),
        (b"SigFlags".to_vec(), Object::Integer(3)),
    ];
    root.set("AcroForm", Object::Dictionary(Dictionary(form.into())));
    let mut notes = page
        .get("Annots")
        .and_then(Object::array)
        .unwrap_or_default()
        .to_vec();
    notes.push(Object::Reference(field_at));
    page.set("Annots", Object::Array(notes));
    update.object(root_at, &Object::Dictionary(root));
    update.object(page_at, &Object::Dictionary(page));
    update.object(
        field_at,
        &field(signature_at, face_at, page_at, about.place),
    );
    update.begin(face_at);
    let [left, bottom, right, top] = about.place;
    let (width, height) = (right - left, top - bottom);
    let face = format!(
        "<</Type/XObject/Subtype/Form/BBox[0 0 {width} {height}]/Resources<<>>/Length 0>>\nstream\n\nendstream\nendobj\n"
    );
    update.bytes.extend(face.as_bytes());
    let holes = signature(&mut update, signature_at, about);
    finish(&mut update, &trailer, size + 3, previous);
    fill(update.bytes, &holes, crypto, identity)
}

fn field(signature: u32, face: u32, page: u32, place: [f32; 4]) -> Object {
    let place = place.map(|n| Object::Real(f64::from((n * 100.0).round() / 100.0)));
    let mut looks = Dictionary::default();
    looks.set("N", Object::Reference(face));
    let mut field = Dictionary::default();
    field.set("Type", Object::name("Annot"));
    field.set("Subtype", Object::name("Widget"));
    field.set("FT", Object::name("Sig"));
    field.set("T", text("签章"));
    field.set("V", Object::Reference(signature));
    field.set("P", Object::Reference(page));
    // Printed, and locked.
    field.set("F", Object::Integer(4 + 128));
    field.set("Rect", Object::Array(place.into()));
    field.set("AP", Object::Dictionary(looks));
    Object::Dictionary(field)
}

/// Where the byte range and the signature will stand.
struct Holes {
    range: usize,
    contents: usize,
}

fn signature(update: &mut Update, number: u32, about: &Particulars<'_>) -> Holes {
    update.begin(number);
    let out = &mut update.bytes;
    out.extend(b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange[");
    let range = out.len();
    out.extend(vec![b' '; 4 * (NUMBER + 1)]);
    out.extend(b"]/Contents");
    let contents = out.len();
    out.push(b'<');
    out.extend(vec![b'0'; 2 * ROOM]);
    out.extend(b">/M");
    write(&Object::Text(date(about.at).into_bytes()), out);
    out.extend(b"/Name");
    write(&text(about.name), out);
    out.extend(b"/Reason");
    write(&text(about.reason), out);
    if let Some(identifier) = about.licence {
        out.extend(LICENCE_KEY);
        write(&Object::Text(identifier.as_bytes().to_vec()), out);
    }
    out.extend(b">>\nendobj\n");
    Holes { range, contents }
}

/// Table of cross references and trailer.
fn finish(update: &mut Update, before: &Dictionary, size: u32, previous: usize) {
    let at = update.bytes.len();
    update.objects.sort_unstable();
    let mut table = String::from("xref\n");
    for some in update.objects.chunk_by(|a, b| b.0 == a.0 + 1) {
        table.push_str(&format!("{} {}\n", some[0].0, some.len()));
        for (_, offset) in some {
            table.push_str(&format!("{offset:010} 00000 n \n"));
        }
    }
    table.push_str("trailer\n");
    let mut trailer = Dictionary::default();
    for key in ["Root", "Info", "ID"] {
        if let Some(kept) = before.get(key) {
            trailer.set(key, kept.clone());
        }
    }
    trailer.set("Size", Object::Integer(i64::from(size)));
    trailer.set("Prev", Object::Integer(previous as i64));
    update.bytes.extend(table.as_bytes());
    write(&Object::Dictionary(trailer), &mut update.bytes);
    let end = format!("\nstartxref\n{at}\n%%EOF\n");
    update.bytes.extend(end.as_bytes());
}

/// Where the newest table of cross references begins.
fn last_table(pdf: &[u8]) -> Option<usize> {
    let at = pdf.windows(9).rposition(|w| w == b"startxref")?;
    let rest = pdf[at + 9..].trim_ascii_start();
    let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()
}

/// Writes the byte range, signs what it covers, and puts the signature into its place.
fn fill(
    mut pdf: Vec<u8>,
    holes: &Holes,
    crypto: &dyn Crypto,
    identity: &Identity,
) -> Result<Vec<u8>, Fault> {
    let after = holes.contents + 2 * ROOM + 2;
    let numbers = [0, holes.contents, after, pdf.len() - after];
    for (n, number) in numbers.iter().enumerate() {
        let place = holes.range + n * (NUMBER + 1);
        let written = format!("{number:<NUMBER$}");
        pdf[place..place + NUMBER].copy_from_slice(written.as_bytes());
    }
    let mut digest = Sha256::new();
    digest.update(&pdf[..holes.contents]);
    digest.update(&pdf[after..]);
    let attributes = cms::attributes(&digest.finalize().into(), &identity.certificate);
    let signature = crypto.sign(Ring::Letters, &attributes)?;
    if signature.key != identity.key {
        // The ring was rotated between the certificate and the signature: asked again it is well.
        return Err(Fault::overloaded("letters", 1));
    }
    let made = cms::signed_data(
        &attributes,
        &signature.bytes,
        &identity.certificate,
        &identity.authority,
    );
    let made = made.ok_or_else(|| broken("its certificate"))?;
    if made.len() > ROOM {
        return Err(broken("the signature is larger than its place"));
    }
    for (n, byte) in made.iter().enumerate() {
        let place = holes.contents + 1 + 2 * n;
        pdf[place..place + 2].copy_from_slice(format!("{byte:02x}").as_bytes());
    }
    Ok(pdf)
}
