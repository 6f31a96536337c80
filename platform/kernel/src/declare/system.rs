//! A system's other files: `system.yaml`, `observations/*.yaml`, `layers/*.yaml`,
//! `indicators/*.yaml`, `pages/*.yaml`, `access/roles.yaml`, `texts/{zh,en}.yaml`.

use super::licence::LicenceDecl;
use super::read::Reader;
use super::register::RegisterDecl;
use super::rule::RuleDecl;
use crate::access::Verb;
use crate::cases::CalendarDay;
use crate::fault::Words;
use crate::time::Span;
use serde::Serialize;
use std::collections::BTreeMap;

/// A declared system.
#[derive(Clone, Debug, Default)]
pub struct SystemDecl {
    /// Folder name.
    pub folder: String,
    /// Title.
    pub title: Words,
    /// Organisation that answers for it.
    pub owner: String,
    /// Engines it uses.
    pub uses: Vec<String>,
    /// Registers of other systems it reads.
    pub reads: Vec<String>,
    /// `draft`, `trial`, `done`.
    pub maturity: String,
    /// Reports it binds in Rust and offers at `/api/v1/<folder>/<report>`: name → access object.
    pub reports: Vec<ReportDecl>,
    /// Registers.
    pub registers: Vec<RegisterDecl>,
    /// Properties.
    pub properties: Vec<PropertyDecl>,
    /// Rules.
    pub rules: Vec<RuleDecl>,
    /// Layers.
    pub layers: Vec<LayerDecl>,
    /// Indicators.
    pub indicators: Vec<IndicatorDecl>,
    /// Types of licences.
    pub licences: Vec<LicenceDecl>,
    /// Pages (menu entries).
    pub pages: Vec<PageDecl>,
    /// Roles and grants.
    pub roles: Vec<RoleDecl>,
    /// What standards of security ask (`posture.yaml`).
    pub posture: Vec<super::PostureItem>,
    /// `access/*.cedar`: policies that the roles file cannot say.
    pub policies: Vec<PolicyFile>,
    /// `calendar/<year>.yaml`: days worked and free, set when the city starts.
    pub calendars: Vec<CalendarDecl>,
    /// `processes/*.bpmn`: processes published when the city starts.
    pub processes: Vec<PolicyFile>,
    /// `decisions/*.dmn`: models published when the city starts.
    pub decisions: Vec<PolicyFile>,
    /// `items/*.yaml`: items of service published when the city starts.
    pub items: Vec<PolicyFile>,
    /// Words by key, Chinese and English.
    pub texts: BTreeMap<String, Words>,
}

/// A report a system answers.
#[derive(Clone, Debug, Serialize)]
pub struct ReportDecl {
    /// Name; bound in Rust.
    pub name: String,
    /// Title.
    pub title: Words,
    /// Anybody may ask (information the law makes public).
    pub public: bool,
    /// Otherwise `read` on this object is needed.
    pub object: String,
}

/// A property that devices measure.
#[derive(Clone, Debug, Serialize)]
pub struct PropertyDecl {
    /// Name: a factor code of HJ 212-2017 where there is one.
    pub name: String,
    /// Title.
    pub title: Words,
    /// Unit of the values; empty for none.
    pub unit: String,
    /// Smallest and largest believable value.
    pub range: Option<(f64, f64)>,
    /// Digits after the point shown to people.
    pub digits: u8,
    /// Usual distance of real-time readings.
    pub cadence: Span,
    /// How long raw observations are kept.
    pub keep_raw: Span,
    /// How long hour and day rollups are kept.
    pub keep_rollups: Span,
}

/// A layer of the map: places of a register.
#[derive(Clone, Debug, Serialize)]
pub struct LayerDecl {
    /// Name: the file's stem.
    pub name: String,
    /// Title.
    pub title: Words,
    /// Register with a place.
    pub register: String,
    /// Fields carried to the map.
    pub fields: Vec<String>,
}

/// An indicator: a number with a target, taken from a report.
#[derive(Clone, Debug, Serialize)]
pub struct IndicatorDecl {
    /// System that declares it.
    pub system: String,
    /// Name: the file's stem.
    pub name: String,
    /// Title.
    pub title: Words,
    /// Unit.
    pub unit: String,
    /// Report it comes from.
    pub report: String,
    /// JSON pointer to the number in the report's answer.
    pub field: String,
    /// Target, if there is one.
    pub target: Option<f64>,
    /// `higher` or `lower` is better.
    pub better: String,
    /// How often it is computed.
    pub every: Span,
    /// Where the target comes from.
    pub source: String,
    /// Path of the page that shows the parts of the number, by department say; empty when none does.
    pub page: String,
}

/// One of the four faces of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Face {
    /// Residents and enterprises; phone first.
    Portal,
    /// Officers.
    Desk,
    /// Duty and command.
    Command,
    /// Registers, catalogue, series.
    Data,
    /// Operators.
    Operator,
}

/// A page, as an entry of a menu.
#[derive(Clone, Debug, Serialize)]
pub struct PageDecl {
    /// Name: the file's stem.
    pub name: String,
    /// Face it belongs to.
    pub face: Face,
    /// Path in the web application.
    pub path: String,
    /// Title.
    pub title: Words,
    /// Icon name of the design system.
    pub icon: String,
    /// Place in the menu; smaller is higher.
    pub order: u32,
    /// Heading it stands under; `None`: under none. A heading stands where its first page would.
    pub group: Option<Words>,
    /// Verb and object needed to see it; `None` for everybody.
    pub needs: Option<(Verb, String)>,
}

/// A role and what it may do.
#[derive(Clone, Debug, Serialize)]
pub struct RoleDecl {
    /// Name.
    pub name: String,
    /// Title.
    pub title: Words,
    /// Whoever holds it must sign in with a second factor (`second_factor: required`).
    pub second_factor: bool,
    /// Grants.
    pub may: Vec<GrantDecl>,
}

/// The calendar of a year: days that are not what their weekday says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CalendarDecl {
    /// Path, as in faults.
    pub file: String,
    /// Year.
    pub year: i16,
    /// Notice that says so.
    pub source: String,
    /// The days.
    pub days: Vec<CalendarDay>,
}

impl CalendarDecl {
    /// Reads one calendar file; `name` is its year.
    pub fn read(file: &str, name: &str, top: &mut Reader<'_>) -> CalendarDecl {
        let source = top.text("source");
        let year = name.parse().unwrap_or_default();
        let mut days = vec![];
        top.each("holidays", |holiday, part| {
            for (key, worked) in [("free", false), ("worked", true)] {
                for day in part.texts_or(key, &[]) {
                    if !day.starts_with(&format!("{name}-")) || day.len() != 10 {
                        part.fault(
                            key,
                            format!("{day} 不是 {name} 年的日期（如 {name}-10-01）"),
                            format!("{day} is no day of {name} such as {name}-10-01"),
                        );
                    }
                    days.push(CalendarDay {
                        day,
                        worked,
                        name: holiday.into(),
                    });
                }
            }
        });
        CalendarDecl {
            file: file.into(),
            year,
            source,
            days,
        }
    }
}

/// A file of policies in the Cedar language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyFile {
    /// Path, as in faults.
    pub file: String,
    /// Its text.
    pub text: String,
}

/// Which records of its objects a grant covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Every one.
    #[default]
    All,
    /// Those of the organisations the person has a position in.
    Own,
    /// Those and the ones of organisations below.
    Subordinate,
    /// Those the person has in hand.
    Handling,
    /// Those about the person, or about whom the person acts for.
    OwnPerson,
}

impl Scope {
    /// The words of files, in order.
    pub const WORDS: [&str; 5] = ["all", "own", "subordinate", "handling", "own_person"];

    /// The word in files.
    pub fn word(self) -> &'static str {
        Scope::WORDS[self as usize]
    }

    /// From its word.
    pub fn parse(word: &str) -> Option<Scope> {
        use Scope::{All, Handling, Own, OwnPerson, Subordinate};
        [All, Own, Subordinate, Handling, OwnPerson]
            .into_iter()
            .find(|scope| scope.word() == word)
    }
}

/// One grant.
#[derive(Clone, Debug, Default, Serialize)]
pub struct GrantDecl {
    /// Verbs.
    pub verbs: Vec<Verb>,
    /// Objects; `register.*` covers all registers.
    pub objects: Vec<String>,
    /// For which purpose.
    pub purpose: String,
    /// On which legal basis.
    pub basis: String,
    /// Which records of the objects.
    pub scope: Scope,
    /// Personal fields shown as they are (`*` for all); `None` together with `masked` shows every
    /// personal field masked, otherwise what neither names is withheld.
    pub fields: Option<Vec<String>>,
    /// Personal fields shown masked.
    pub masked: Option<Vec<String>>,
    /// How well the identity must be proven, 0 to 3.
    pub level: u8,
    /// The session must have been opened with a second factor.
    pub second_factor: bool,
    /// In force only after the person has broken the glass: at once, for an hour at most, with a
    /// reason, reviewed afterwards.
    pub break_glass: bool,
    /// File and line.
    pub at: String,
}

impl SystemDecl {
    /// Reads `system.yaml` into `self`.
    pub fn read_head(&mut self, top: &mut Reader<'_>) {
        self.title = top.words("title");
        self.owner = top.text("owner");
        self.uses = top.texts_or("uses", &[]);
        self.reads = top.texts_or("reads", &[]);
        self.maturity = top.one_of("maturity", &["draft", "trial", "done"]);
        top.each_opt("reports", |name, part| {
            self.reports.push(ReportDecl {
                name: name.into(),
                title: part.words("title"),
                public: part.flag("public", false),
                object: part.text_or("object", ""),
            });
        });
    }
}

impl PropertyDecl {
    /// Reads one entry of an observations file (the file maps names to properties).
    pub fn read(name: &str, part: &mut Reader<'_>) -> PropertyDecl {
        let range = part.numbers_opt("range");
        let range = match range.as_deref() {
            None => None,
            Some([low, high]) if low < high => Some((*low, *high)),
            Some(_) => {
                part.fault("range", "应为 [最小, 最大]", "expected [smallest, largest]");
                None
            }
        };
        PropertyDecl {
            name: name.into(),
            title: part.words("title"),
            unit: part.text_or("unit", ""),
            range,
            digits: part.number_or("digits", 2.0).clamp(0.0, 9.0) as u8,
            cadence: part.span_or("cadence", Span::minutes(1)),
            keep_raw: part.span_or("keep_raw", Span::days(400)),
            keep_rollups: part.span_or("keep_rollups", Span::days(3650)),
        }
    }
}

impl LayerDecl {
    /// Reads one layer file.
    pub fn read(name: &str, top: &mut Reader<'_>) -> LayerDecl {
        LayerDecl {
            name: name.into(),
            title: top.words("title"),
            register: top.text("register"),
            fields: top.texts_or("fields", &[]),
        }
    }
}

impl IndicatorDecl {
    /// Reads one indicator file.
    pub fn read(system: &str, name: &str, top: &mut Reader<'_>) -> IndicatorDecl {
        IndicatorDecl {
            system: system.into(),
            name: name.into(),
            title: top.words("title"),
            unit: top.text_or("unit", ""),
            report: top.text("report"),
            field: top.text("field"),
            target: top.optional_number("target"),
            better: top.one_of_or("better", &["higher", "lower"], "higher"),
            every: top.span_or("every", Span::minutes(5)),
            source: top.text_or("source", ""),
            page: top.text_or("page", ""),
        }
    }
}

impl PageDecl {
    /// Reads one page file.
    pub fn read(name: &str, top: &mut Reader<'_>) -> PageDecl {
        let face = match top
            .one_of("face", &["portal", "desk", "command", "data", "operator"])
            .as_str()
        {
            "portal" => Face::Portal,
            "command" => Face::Command,
            "data" => Face::Data,
            "operator" => Face::Operator,
            _ => Face::Desk,
        };
        let needs = top.part_opt("needs", |part| {
            let verb = part.verb("do");
            (verb, part.text("on"))
        });
        PageDecl {
            name: name.into(),
            face,
            path: top.text("path"),
            title: top.words("title"),
            icon: top.text_or("icon", ""),
            order: top.number_or("order", 100.0) as u32,
            group: top.part_opt("group", |part| Words::new(part.text("zh"), part.text("en"))),
            needs,
        }
    }
}

/// Reads `roles:` of an access file.
pub fn read_roles(top: &mut Reader<'_>) -> Vec<RoleDecl> {
    let mut roles = vec![];
    top.each("roles", |name, part| {
        let title = part.words("title");
        let words = ["required", "optional"];
        let second_factor = part.one_of_or("second_factor", &words, "optional") == "required";
        let mut may = vec![];
        part.list("may", |grant| {
            let words = grant.texts_or("do", &[]);
            let mut verbs = vec![];
            for word in &words {
                match Verb::parse(word) {
                    Some(verb) => verbs.push(verb),
                    None => grant.fault(
                        "do",
                        format!("不认识的动词 {word}"),
                        format!("unknown verb {word}"),
                    ),
                }
            }
            may.push(read_grant(verbs, grant));
        });
        roles.push(RoleDecl {
            name: name.into(),
            title,
            second_factor,
            may,
        });
    });
    roles
}

fn read_grant(verbs: Vec<Verb>, grant: &mut Reader<'_>) -> GrantDecl {
    let level = grant.number_or("level", 0.0);
    if !(0.0..=3.0).contains(&level) || level.fract() != 0.0 {
        grant.fault("level", "应为 0 到 3 的整数", "expected 0 to 3");
    }
    let names = |grant: &mut Reader<'_>, key: &str| {
        let list = grant.texts_or(key, &[]);
        grant.has(key).then_some(list)
    };
    GrantDecl {
        verbs,
        objects: grant.texts_or("on", &[]),
        purpose: grant.text("purpose"),
        basis: grant.text("basis"),
        scope: Scope::parse(&grant.one_of_or("scope", &Scope::WORDS, "all")).unwrap_or_default(),
        fields: names(grant, "fields"),
        masked: names(grant, "masked"),
        level: level.clamp(0.0, 3.0) as u8,
        second_factor: grant.flag("second_factor", false),
        break_glass: grant.flag("break_glass", false),
        at: grant.at(),
    }
}
