//! Fonts: Chinese fonts found on the machine, in folders that are handed in. A character is drawn
//! with the first font that has it; a character none has is a fault, never an empty box.

use kernel::Fault;
use kernel::fault::FaultKind;
use krilla::geom::{Path as Drawing, PathBuilder};
use krilla::text::{Font, GlyphId};
use parking_lot::Mutex;
use skrifa::instance::{LocationRef, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::string::StringId;
use skrifa::{FontRef, MetadataProvider};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files looked at while searching, at most.
const FILES: usize = 20_000;
/// Folders inside one another, at most.
const DEPTH: usize = 8;
/// Bytes of a font file, at most.
const SIZE: u64 = 64 << 20;
/// Names of files in order of preference: Song as in official documents first.
const WANTED: [&str; 5] = [
    "NotoSerifCJK-Regular.ttc",
    "NotoSerifCJKsc-Regular.otf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansCJKsc-Regular.otf",
    "wqy-microhei.ttc",
];
/// Fonts in use: the best, and one more for what it lacks.
const USED: usize = 2;

/// Outlines that are kept, at most: more than the names of a city's organisations are written with.
const OUTLINES: usize = 2000;

/// A font and what of it is asked often.
pub(crate) struct Face {
    pub(crate) font: Font,
    data: Arc<Vec<u8>>,
    index: u32,
    units: f32,
}

/// Outlines by face and glyph; `None` of what has none, such as a space.
type Outlines = HashMap<(usize, u32), Option<Arc<Drawing>>>;

/// The fonts in use.
pub struct Fonts {
    faces: Vec<Face>,
    /// Names of the files they come from.
    pub names: Vec<String>,
    /// Of what is drawn as a shape.
    outlines: Mutex<Outlines>,
}

/// A glyph: which font, which one, how wide in parts of the size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Glyph {
    pub(crate) face: usize,
    pub(crate) id: GlyphId,
    pub(crate) advance: f32,
}

/// There is no font.
fn absent(folders: &[PathBuf]) -> Fault {
    let folders: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
    let folders = folders.join(", ");
    Fault::new(
        FaultKind::Internal,
        "documents.no_font",
        format!(
            "在 {folders} 中没有找到中文字体，无法生成公文；请安装软件包 fonts-noto-cjk或 fonts-wqy-microhei"
        ),
        format!(
            "no Chinese font in {folders}, so that no letter can be written; install the package fonts-noto-cjk or fonts-wqy-microhei"
        ),
    )
}

/// Searches folders for the fonts that are known, best first.
fn search(folders: &[PathBuf]) -> Vec<PathBuf> {
    let mut open: Vec<(PathBuf, usize)> = folders.iter().map(|f| (f.clone(), 0)).collect();
    let mut found: Vec<(usize, PathBuf)> = vec![];
    let mut looked = 0;
    while let Some((folder, depth)) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        for entry in entries.flatten() {
            looked += 1;
            if looked > FILES {
                break;
            }
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) && depth < DEPTH {
                open.push((path, depth + 1));
                continue;
            }
            let name = entry.file_name();
            if let Some(rank) = WANTED.iter().position(|wanted| name == **wanted) {
                found.push((rank, path));
            }
        }
    }
    found.sort();
    found.dedup_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, path)| path).collect()
}

/// Of a collection the face for simplified Chinese, else the first.
fn face_index(data: &[u8]) -> u32 {
    let simplified = |index: u32| {
        let font = FontRef::from_index(data, index).ok()?;
        let names = font.localized_strings(StringId::FAMILY_NAME);
        let mut names = names.map(|name| name.chars().collect::<String>());
        Some(names.any(|name| name.ends_with(" SC")))
    };
    let mut index = 0;
    while let Some(answer) = simplified(index) {
        if answer {
            return index;
        }
        index += 1;
    }
    0
}

impl Face {
    fn read(path: &Path) -> Option<Face> {
        if std::fs::metadata(path).ok()?.len() > SIZE {
            return None;
        }
        let data = Arc::new(std::fs::read(path).ok()?);
        let index = face_index(&data);
        let shared: Arc<dyn AsRef<[u8]> + Send + Sync> = data.clone();
        let font = Font::new(shared.into(), index)?;
        Some(Face {
            units: font.units_per_em(),
            font,
            data,
            index,
        })
    }

    fn reference(&self) -> Option<FontRef<'_>> {
        FontRef::from_index(&self.data, self.index).ok()
    }

    fn outline(&self, glyph: GlyphId) -> Option<Drawing> {
        let outlines = self.reference()?.outline_glyphs();
        let outline = outlines.get(skrifa::GlyphId::new(glyph.to_u32()))?;
        let mut pen = Pen(PathBuilder::new());
        let unscaled = DrawSettings::unhinted(Size::unscaled(), LocationRef::default());
        outline.draw(unscaled, &mut pen).ok()?;
        pen.0.finish()
    }
}

/// Draws an outline.
struct Pen(PathBuilder);

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.0.move_to(x, y);
    }
    fn line_to(&mut self, x: f32, y: f32) {
        self.0.line_to(x, y);
    }
    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.0.quad_to(cx, cy, x, y);
    }
    fn curve_to(&mut self, ax: f32, ay: f32, bx: f32, by: f32, x: f32, y: f32) {
        self.0.cubic_to(ax, ay, bx, by, x, y);
    }
    fn close(&mut self) {
        self.0.close();
    }
}

impl Fonts {
    /// Finds fonts in these folders and below. Reads files: not on a thread that serves.
    pub fn find(folders: &[PathBuf]) -> Result<Fonts, Fault> {
        let mut fonts = Fonts {
            faces: vec![],
            names: vec![],
            outlines: Mutex::default(),
        };
        for path in search(folders) {
            let name = path.file_name().unwrap_or_default();
            let name = name.to_string_lossy().into_owned();
            if fonts.faces.len() == USED {
                break;
            }
            // Two of one family have the same characters.
            let family = |name: &str| name.chars().take(4).collect::<String>();
            if fonts
                .names
                .iter()
                .any(|known| family(known) == family(&name))
            {
                continue;
            }
            if let Some(face) = Face::read(&path) {
                fonts.faces.push(face);
                fonts.names.push(name);
            }
        }
        match fonts.faces.is_empty() {
            true => Err(absent(folders)),
            false => Ok(fonts),
        }
    }

    pub(crate) fn font(&self, face: usize) -> &Font {
        &self.faces[face].font
    }

    /// Units of a font in its size.
    pub(crate) fn units(&self, face: usize) -> f32 {
        self.faces[face].units
    }

    /// The outline of a glyph in units of its font, upwards; `None` when there is nothing to see.
    /// The same seals are drawn all day.
    pub(crate) fn outline(&self, glyph: Glyph) -> Option<Arc<Drawing>> {
        let key = (glyph.face, glyph.id.to_u32());
        if let Some(known) = self.outlines.lock().get(&key) {
            return known.clone();
        }
        let drawn = self.faces[glyph.face].outline(glyph.id).map(Arc::new);
        let mut outlines = self.outlines.lock();
        if outlines.len() < OUTLINES {
            outlines.insert(key, drawn.clone());
        }
        drawn
    }

    /// Opens the fonts for looking many characters up.
    pub(crate) fn lookup(&self) -> Lookup<'_> {
        let faces = self.faces.iter().enumerate();
        let faces = faces.filter_map(|(n, face)| {
            let font = face.reference()?;
            let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
            Some((n, face.units, font.charmap(), metrics))
        });
        Lookup {
            faces: faces.collect(),
        }
    }

    /// Characters of a text that no font has, each once.
    pub(crate) fn lacking(&self, text: &str) -> Vec<char> {
        let lookup = self.lookup();
        let mut lacking: Vec<char> = vec![];
        for c in text.chars().filter(|c| !c.is_whitespace()) {
            if lookup.glyph(c).is_none() && !lacking.contains(&c) {
                lacking.push(c);
            }
        }
        lacking
    }
}

/// Fonts opened for looking up.
pub(crate) struct Lookup<'a> {
    faces: Vec<(
        usize,
        f32,
        skrifa::charmap::Charmap<'a>,
        skrifa::metrics::GlyphMetrics<'a>,
    )>,
}

impl Lookup<'_> {
    /// The glyph of a character.
    pub(crate) fn glyph(&self, c: char) -> Option<Glyph> {
        self.faces.iter().find_map(|(face, units, map, metrics)| {
            let id = map.map(c)?;
            if id.to_u32() == 0 {
                return None;
            }
            let advance = metrics.advance_width(id).unwrap_or(*units) / units;
            Some(Glyph {
                face: *face,
                id: GlyphId::new(id.to_u32()),
                advance,
            })
        })
    }
}
