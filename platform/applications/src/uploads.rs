//! Files of materials: who may put them where, take them away again, and read them. The files
//! themselves are kept elsewhere; here stands which belongs to what.

use crate::body::DraftBody;
use crate::bundle::materials_of;
use crate::change::{Change, Open};
use crate::drafts::FILES;
use crate::faults::{conflict, not_found};
use crate::{Engine, TRIES, settle};
use kernel::access::Actor;
use kernel::applications::{ApplicationState, FileLine, MaterialState, UploadRule};
use kernel::items::{Item, Material};
use kernel::{Fault, Span, Words};
use serde_json::json;
use std::sync::Arc;
use store::applications::{DraftRow, Put, Write};

/// Files of a material when the item does not say.
const MOST: u32 = 5;
/// Kinds of files when the item does not say.
const FORMATS: [&str; 4] = ["pdf", "jpeg", "png", "ofd"];

fn rule(about: &str, material: &Material, files: usize) -> UploadRule {
    let most = material.most.unwrap_or(MOST);
    UploadRule {
        about: about.into(),
        formats: match material.formats.is_empty() {
            true => FORMATS.map(String::from).to_vec(),
            false => material.formats.clone(),
        },
        left: most.saturating_sub(u32::try_from(files).unwrap_or(u32::MAX)),
    }
}

fn full() -> Fault {
    conflict(
        "该材料的文件数已达上限，请先删除再上传",
        "there are as many files as this material may have; remove one first",
    )
}

fn not_now() -> Fault {
    conflict(
        "该材料现在不能更改：仅在补正告知所列、或承诺后补时可以上传",
        "this material cannot be changed now: only what a correction names, or what was promised",
    )
}

impl Engine {
    /// The material of this name as asked now, with the parts of a bundle.
    async fn material(
        &self,
        item: &Item,
        answers: &serde_json::Map<String, serde_json::Value>,
        name: &str,
    ) -> Result<Option<Material>, Fault> {
        let items = &*self.means.items;
        let mut asked = items.materials(item, answers);
        for part in self.parts_of(item).await? {
            let own = settle::of_part(items, &part, answers);
            asked.extend(items.materials(&part, &own));
        }
        Ok(asked.into_iter().find(|material| material.name == name))
    }

    /// What may be put at a material; with `left` 0 files can only be taken away.
    pub(crate) async fn upload_rule(
        &self,
        by: &Actor,
        about: &str,
        material: &str,
    ) -> Result<UploadRule, Fault> {
        let rule = match self.own_draft(by, about).await {
            Ok((row, body, item)) => {
                if row.submitted_as.is_some() {
                    return Err(not_now());
                }
                let found = self.material(&item, &body.answers, material).await?;
                let found = found.ok_or_else(|| Fault::missing("material"))?;
                let files = body.files.get(material).map_or(0, Vec::len);
                let all: usize = body.files.values().map(Vec::len).sum();
                let mut rule = rule(about, &found, files);
                if all >= FILES {
                    rule.left = 0;
                }
                rule
            }
            Err(fault) if fault.code == "input.not_found" => {
                let (open, access) = self.seen(by, about).await?;
                if !(access.own || access.behalf) {
                    return Err(crate::faults::denied(
                        "只有申请人可以补交材料",
                        "only the applicant supplies materials",
                    ));
                }
                self.rule_of(&open, material).await?
            }
            Err(fault) => return Err(fault),
        };
        Ok(rule)
    }

    /// What may be uploaded to an application: what a correction names, or what was promised; to a
    /// bundle, what one of its parts waits for.
    async fn rule_of(&self, open: &Open, material: &str) -> Result<UploadRule, Fault> {
        let missing = || Fault::missing("material");
        let parts = self.opened_parts(&open.row).await?;
        let wants = |open: &&Open| wanted(open, material).is_some();
        let one = match parts.is_empty() {
            true => Some(open),
            false => parts.iter().find(wants).or_else(|| {
                let has = |part: &&Open| part.body.materials.iter().any(|m| m.name == material);
                parts.iter().find(has)
            }),
        };
        let one = one.ok_or_else(missing)?;
        let kept = one.body.materials.iter().find(|m| m.name == material);
        let kept = kept.ok_or_else(missing)?;
        if !wants(&one) {
            return Err(not_now());
        }
        let item = self.version_of(&one.row.item, one.row.item_version).await?;
        let found = item.content.materials.iter().find(|m| m.name == material);
        Ok(rule(
            &open.row.id,
            found.ok_or_else(missing)?,
            kept.files.len(),
        ))
    }

    pub(crate) async fn file_noted(
        &self,
        by: &Actor,
        about: &str,
        material: &str,
        file: FileLine,
        removed: bool,
    ) -> Result<(), Fault> {
        for _ in 0..TRIES {
            let write = match self.own_draft(by, about).await {
                Ok(draft) => self.draft_file(by, draft, material, &file, removed).await?,
                Err(fault) if fault.code == "input.not_found" => {
                    self.application_file(by, about, material, &file, removed)
                        .await?
                }
                Err(fault) => return Err(fault),
            };
            let Some(write) = write else { return Ok(()) };
            if self.put(write).await?.is_some() {
                return Ok(());
            }
        }
        Err(Fault::overloaded("applications", 1))
    }

    async fn draft_file(
        &self,
        by: &Actor,
        (row, mut body, item): (DraftRow, DraftBody, Arc<Item>),
        material: &str,
        file: &FileLine,
        removed: bool,
    ) -> Result<Option<Write>, Fault> {
        if row.submitted_as.is_some() {
            return Err(not_now());
        }
        let files = body.files.entry(material.into()).or_default();
        let before = files.len();
        if removed {
            files.retain(|known| known.id != file.id);
            if files.len() == before {
                return Err(Fault::missing("file"));
            }
        } else {
            if files.iter().any(|known| known.id == file.id) {
                return Ok(None);
            }
            files.push(file.clone());
            let found = self.material(&item, &body.answers, material).await?;
            let found = found.ok_or_else(|| Fault::missing("material"))?;
            let all: usize = body.files.values().map(Vec::len).sum();
            if rule(&row.id, &found, before).left == 0 || all > FILES {
                return Err(full());
            }
        }
        body.files.retain(|_, files| !files.is_empty());
        let now = self.clock.now();
        let was = row.version;
        let mut row = self.draft_row(row, &body)?;
        row.version = was + 1;
        row.saved_at = now.0;
        row.expires_at = (now + Span::days(crate::DRAFT_DAYS)).0;
        let what = if removed { "file_removed" } else { "file" };
        let mut write = Write::default();
        write.audits.push(self.draft_audit(by, &row, what));
        write.drafts.push(Put { row, was });
        Ok(Some(write))
    }

    async fn application_file(
        &self,
        by: &Actor,
        about: &str,
        material: &str,
        file: &FileLine,
        removed: bool,
    ) -> Result<Option<Write>, Fault> {
        let (open, access) = self.seen(by, about).await?;
        if !(access.own || access.behalf) {
            return Err(not_found());
        }
        let rule = self.rule_of(&open, material).await?;
        if !removed && rule.left == 0 {
            let parts = self.opened_parts(&open.row).await?;
            let all = materials_of(&open, &parts);
            let mut all = all.iter().flat_map(|m| &m.files);
            return match all.any(|known| known.id == file.id) {
                true => Ok(None),
                false => Err(full()),
            };
        }
        let nothing = || match removed {
            true => Err(Fault::missing("file")),
            false => Ok(None),
        };
        if open.row.bundle == 1 {
            let write = self.file_of_whole(open, by, material, file, removed);
            return write.await?.map_or_else(nothing, |write| Ok(Some(write)));
        }
        let mut change = self.change(open);
        if !put_file(&mut change, material, file, removed)? {
            return nothing();
        }
        let details = json!({ "material": material, "file": file.id, "removed": removed });
        change.audit(by, "write", "file", details);
        let (write, _) = self.finish(change).await?;
        Ok(Some(write))
    }

    pub(crate) async fn file_read(&self, by: &Actor, about: &str, file: &str) -> Result<(), Fault> {
        let missing = || Fault::missing("file");
        match self.own_draft(by, about).await {
            Ok((_, body, _)) => {
                let mut files = body.files.values().flatten();
                return files
                    .any(|known| known.id == file)
                    .then_some(())
                    .ok_or_else(missing);
            }
            Err(fault) if fault.code == "input.not_found" => {}
            Err(fault) => return Err(fault),
        }
        let (open, access) = self.seen(by, about).await?;
        if !access.clear() {
            return Err(crate::faults::denied(
                "您只能查看脱敏后的内容，不能打开材料",
                "you see masked content only and cannot open materials",
            ));
        }
        let body = &open.body;
        let materials = materials_of(&open, &self.opened_parts(&open.row).await?);
        let in_material = |name: &&MaterialState| name.files.iter().any(|known| known.id == file);
        let material = materials.iter().find(in_material);
        let letter = body
            .letters
            .iter()
            .find(|letter| letter.line.file.as_deref() == Some(file));
        let of = match (material, letter) {
            (Some(material), _) => format!("material/{}", material.name),
            (None, Some(letter)) => format!("letter/{}", letter.line.kind),
            (None, None) => return Err(missing()),
        };
        if access.is_office() {
            self.note_opened(&access.under(), &open, "file", &of)
                .await?;
        }
        Ok(())
    }
}

/// Why a material of an application may be changed.
#[derive(PartialEq)]
enum Wanted {
    /// A correction names it.
    Correction,
    /// It was promised.
    Promised,
}

fn wanted(open: &Open, material: &str) -> Option<Wanted> {
    let kept = open.body.materials.iter().find(|m| m.name == material)?;
    if may_change(open, material) {
        return Some(Wanted::Correction);
    }
    (kept.following && !open.state().ended()).then_some(Wanted::Promised)
}

/// Puts a file at a material, or takes it away; `false` when nothing is to be done.
pub(crate) fn put_file(
    change: &mut Change,
    material: &str,
    file: &FileLine,
    removed: bool,
) -> Result<bool, Fault> {
    let Some(why) = wanted(&change.open, material) else {
        return Ok(false);
    };
    let had = change.open.body.rounds.last();
    let had = had.map(|round| round.had.clone()).unwrap_or_default();
    let materials = &mut change.open.body.materials;
    let Some(kept) = materials.iter_mut().find(|m| m.name == material) else {
        return Ok(false);
    };
    if removed {
        // What was handed in before stays: it is part of the file.
        let may = |known: &FileLine| why == Wanted::Correction && !had.contains(&known.id);
        let before = kept.files.len();
        kept.files
            .retain(|known| known.id != file.id || !may(known));
        return Ok(kept.files.len() != before);
    }
    if kept.files.iter().any(|known| known.id == file.id) {
        return Ok(false);
    }
    kept.files.push(file.clone());
    if why == Wanted::Promised {
        kept.following = false;
        let title = kept.title.clone();
        let words = Words::new(
            format!("已补交：{}", title.zh),
            format!("supplied: {}", title.en),
        );
        change.step("supplied", words, None, false);
        change.job("files", &format!("hand_in-{}", file.id));
        change.event("supplied");
    }
    Ok(true)
}

/// Does a correction that is open let this material be changed?
fn may_change(open: &Open, material: &str) -> bool {
    let named = format!("materials/{material}");
    open.state() == ApplicationState::Correction
        && open
            .body
            .missing()
            .iter()
            .any(|missing| missing.at == named || missing.at.is_empty())
}
