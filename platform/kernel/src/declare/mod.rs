//! Declarations: a system said in files an official can read. Files hold shapes, limits, words,
//! choices and access; this module turns them into types and refuses what it does not
//! understand, all faults at once, each with file and line. It reads no disk: the program hands
//! in the texts (from `systems/` in development, embedded in a release).

pub mod check;
pub mod city_pack;
pub mod licence;
mod names;
mod posture;
pub mod read;
pub mod register;
pub mod rule;
pub mod shape;
pub mod system;
pub mod yaml;

pub use city_pack::{AccountDecl, CityPack, DistrictDecl, OrganisationDecl, ThresholdDecl};
pub use licence::{HolderKind, LicenceDecl, LicenceField, Validity};
pub use posture::PostureItem;
pub use register::{FieldDecl, FieldKind, RecordAccess, RegisterDecl};
pub use rule::{AlertDecl, Amount, Comparison, Condition, Limit, RuleDecl, Schedule};
pub use system::{
    CalendarDecl, Face, GrantDecl, IndicatorDecl, LayerDecl, PageDecl, PolicyFile, PropertyDecl,
    RoleDecl, Scope, SystemDecl,
};

/// Everything declared: the systems and one city.
#[derive(Clone, Debug, Default)]
pub struct Declared {
    /// Systems in order of folder name.
    pub systems: Vec<SystemDecl>,
    /// The city pack.
    pub city: CityPack,
}

impl Declared {
    /// A register by name.
    pub fn register(&self, name: &str) -> Option<&RegisterDecl> {
        self.systems
            .iter()
            .flat_map(|s| &s.registers)
            .find(|r| r.name == name)
    }
    /// All registers.
    pub fn registers(&self) -> impl Iterator<Item = &RegisterDecl> {
        self.systems.iter().flat_map(|s| &s.registers)
    }
    /// A property by name.
    pub fn property(&self, name: &str) -> Option<&PropertyDecl> {
        self.systems
            .iter()
            .flat_map(|s| &s.properties)
            .find(|p| p.name == name)
    }
    /// All types of licences: of the systems, then of the city.
    pub fn licences(&self) -> impl Iterator<Item = &LicenceDecl> {
        let systems = self.systems.iter().flat_map(|s| &s.licences);
        systems.chain(&self.city.licences)
    }
    /// All rules.
    pub fn rules(&self) -> impl Iterator<Item = &RuleDecl> {
        self.systems.iter().flat_map(|s| &s.rules)
    }
    /// All indicators.
    pub fn indicators(&self) -> impl Iterator<Item = &IndicatorDecl> {
        self.systems.iter().flat_map(|s| &s.indicators)
    }
    /// All files of items of service: of the systems, then of the city.
    pub fn items(&self) -> impl Iterator<Item = &PolicyFile> {
        let systems = self.systems.iter().flat_map(|s| &s.items);
        systems.chain(&self.city.items)
    }
    /// All files of policies: of the city, then of the systems.
    pub fn policies(&self) -> impl Iterator<Item = &PolicyFile> {
        let systems = self.systems.iter().flat_map(|s| &s.policies);
        self.city.policies.iter().chain(systems)
    }
    /// All roles, each named once: grants of the same role in several systems are joined.
    pub fn roles(&self) -> Vec<RoleDecl> {
        let mut roles: Vec<RoleDecl> = Vec::new();
        for role in self
            .city
            .roles
            .iter()
            .chain(self.systems.iter().flat_map(|s| &s.roles))
        {
            match roles.iter_mut().find(|r| r.name == role.name) {
                Some(known) => {
                    known.may.extend(role.may.iter().cloned());
                    known.second_factor |= role.second_factor;
                }
                None => roles.push(role.clone()),
            }
        }
        roles
    }
}
