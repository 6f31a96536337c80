//! The city pack: what is particular to one city, in `cities/<name>/`: `city.yaml`,
//! `organisations.yaml`, `districts.yaml`, `thresholds.yaml`, `accounts.yaml`, `roles.yaml`,
//! `access/*.cedar`, `licences/*.yaml`, `items/*.yaml`.

use super::licence::LicenceDecl;
use super::read::Reader;
use super::system::{PolicyFile, RoleDecl};
use crate::fault::Words;
use crate::metering::{Meter, Quota, Window};
use crate::organisations::OrganisationKind;
use serde::Serialize;

/// A city.
#[derive(Clone, Debug, Default)]
pub struct CityPack {
    /// Folder name.
    pub folder: String,
    /// Division code (GB/T 2260), six digits.
    pub code: String,
    /// Name.
    pub title: Words,
    /// Centre of the first map: longitude, latitude (CGCS2000).
    pub centre: (f64, f64),
    /// First zoom.
    pub zoom: f64,
    /// Organisations.
    pub organisations: Vec<OrganisationDecl>,
    /// Districts and counties.
    pub districts: Vec<DistrictDecl>,
    /// Default limits by class and property.
    pub thresholds: Vec<ThresholdDecl>,
    /// How much organisations and applications may use.
    pub quotas: Vec<Quota>,
    /// Demonstration accounts, made only by `--demo`.
    pub accounts: Vec<AccountDecl>,
    /// Roles of the platform itself.
    pub roles: Vec<RoleDecl>,
    /// Types of licences of this city.
    pub licences: Vec<LicenceDecl>,
    /// `halls.yaml`: service halls.
    pub halls: Option<super::PolicyFile>,
    /// `items/*.yaml`: items of service of this city.
    pub items: Vec<super::PolicyFile>,
    /// `access/*.cedar`: policies that the roles file cannot say.
    pub policies: Vec<PolicyFile>,
}

/// An organisation.
#[derive(Clone, Debug, Serialize)]
pub struct OrganisationDecl {
    /// Code.
    pub code: String,
    /// Name.
    pub title: Words,
    /// Organisation above it.
    pub parent: Option<String>,
    /// What kind it is.
    pub kind: OrganisationKind,
    /// Division code (GB/T 2260), when it belongs to a place.
    pub division: Option<String>,
    /// Unified social credit code (GB 32100).
    pub credit_code: Option<String>,
    /// Word in the numbers of its letters (机关代字).
    pub letter_word: Option<String>,
}

/// A district or county.
#[derive(Clone, Debug, Serialize)]
pub struct DistrictDecl {
    /// Division code.
    pub code: String,
    /// Name.
    pub title: Words,
    /// A point inside: longitude, latitude (CGCS2000).
    pub centre: (f64, f64),
}

/// A default limit.
#[derive(Clone, Debug, Serialize)]
pub struct ThresholdDecl {
    /// Class of the thing, such as `flue_gas`, `waste_water`.
    pub class: String,
    /// Property.
    pub property: String,
    /// Limit in the unit of the property.
    pub limit: f64,
    /// Standard and clause.
    pub source: String,
}

/// A demonstration account.
#[derive(Clone, Debug, Serialize)]
pub struct AccountDecl {
    /// Account name.
    pub name: String,
    /// Name for people.
    pub display: Words,
    /// Roles.
    pub roles: Vec<String>,
    /// Organisation.
    pub organisation: String,
    /// Heads it.
    pub head: bool,
}

impl CityPack {
    /// The default limit of a class and property.
    pub fn threshold(&self, class: &str, property: &str) -> Option<f64> {
        let found = self
            .thresholds
            .iter()
            .find(|t| t.class == class && t.property == property);
        found.map(|t| t.limit)
    }

    /// Reads `city.yaml`.
    pub fn read_head(&mut self, top: &mut Reader<'_>) {
        self.code = top.text("code");
        self.title = top.words("title");
        self.centre = read_point(top, "centre");
        self.zoom = top.number_or("zoom", 9.0);
    }

    /// Reads `organisations.yaml`.
    pub fn read_organisations(&mut self, top: &mut Reader<'_>) {
        top.each("organisations", |code, part| {
            self.organisations.push(OrganisationDecl {
                code: code.into(),
                title: part.words("title"),
                parent: part.optional_text("parent"),
                kind: OrganisationKind::parse(&part.one_of_or(
                    "kind",
                    &OrganisationKind::WORDS,
                    "department",
                ))
                .unwrap_or(OrganisationKind::Department),
                division: part.optional_text("division"),
                credit_code: part.optional_text("credit_code"),
                letter_word: part.optional_text("letter_word"),
            });
            if let Some(word) = part.optional_text("letter_word")
                && let Some(words) = crate::organisations::letter_word_fault(&word)
            {
                part.fault("letter_word", words.zh, words.en);
            }
            if let Some(code) = part.optional_text("credit_code")
                && let Some(words) = crate::organisations::credit_code_fault(&code)
            {
                part.fault("credit_code", words.zh, words.en);
            }
        });
    }

    /// Reads `districts.yaml`.
    pub fn read_districts(&mut self, top: &mut Reader<'_>) {
        top.each("districts", |code, part| {
            let centre = read_point(part, "centre");
            self.districts.push(DistrictDecl {
                code: code.into(),
                title: part.words("title"),
                centre,
            });
        });
    }

    /// Reads `thresholds.yaml`: class → property → limit and source.
    pub fn read_thresholds(&mut self, top: &mut Reader<'_>) {
        top.each("thresholds", |class, part| {
            let source = part.text("source");
            part.each("limits", |property, value| match value.own_number() {
                Some(limit) => self.thresholds.push(ThresholdDecl {
                    class: class.into(),
                    property: property.into(),
                    limit,
                    source: source.clone(),
                }),
                None => value.fault("", "应为数值", "expected a number"),
            });
        });
    }

    /// Reads `quotas.yaml`: name → for whom, meter, window, limit.
    pub fn read_quotas(&mut self, top: &mut Reader<'_>) {
        let meters = Meter::ALL.map(Meter::word);
        let windows = Window::ALL.map(Window::word);
        top.each("quotas", |name, part| {
            let meter = Meter::parse(&part.one_of("meter", &meters));
            let window = Window::parse(&part.one_of("window", &windows));
            let limit = part.quantity("limit");
            if !(1.0..=9e15).contains(&limit) || limit.fract() != 0.0 {
                part.fault("limit", "应为正整数", "expected a whole number above 0");
            }
            self.quotas.push(Quota {
                name: name.into(),
                organisation: part.optional_text("organisation"),
                application: part.optional_text("application"),
                meter: meter.unwrap_or(Meter::Requests),
                window: window.unwrap_or(Window::Day),
                limit: limit as u64,
            });
        });
    }

    /// Reads `accounts.yaml`.
    pub fn read_accounts(&mut self, top: &mut Reader<'_>) {
        top.each("accounts", |name, part| {
            self.accounts.push(AccountDecl {
                name: name.into(),
                display: part.words("display"),
                roles: part.texts_or("roles", &[]),
                organisation: part.text("organisation"),
                head: part.flag("head", false),
            });
        });
    }
}

fn read_point(part: &mut Reader<'_>, name: &str) -> (f64, f64) {
    match part.numbers_opt(name).as_deref() {
        Some([lon, lat]) if (-180.0..=180.0).contains(lon) && (-90.0..=90.0).contains(lat) => {
            (*lon, *lat)
        }
        _ => {
            part.fault(name, "应为 [经度, 纬度]", "expected [longitude, latitude]");
            (0.0, 0.0)
        }
    }
}
