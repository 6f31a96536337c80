//! Names compared both ways: every name a file uses must exist, every reference must fit what it
//! refers to, and what belongs together must be complete.

use super::check::{ENGINES, OBJECTS};
use super::{Condition, Declared, FieldKind, Limit, RuleDecl, SystemDecl};
use std::collections::BTreeMap;

type Report<'a> = &'a dyn Fn(&str, &[&str], String, String);

/// Compares all names; faults go to `fault(file, path of keys, zh, en)`.
pub(super) fn compare(declared: &Declared, fault: Report<'_>) {
    unique(declared, fault);
    for system in &declared.systems {
        let folder = format!("systems/{}", system.folder);
        head(declared, system, &folder, fault);
        registers(declared, system, &folder, fault);
        for rule in &system.rules {
            compare_rule(
                declared,
                rule,
                &format!("{folder}/rules/{}.yaml", rule.name),
                fault,
            );
        }
        layers(declared, system, &folder, fault);
        for indicator in &system.indicators {
            if !system.reports.iter().any(|r| r.name == indicator.report) {
                let file = format!("{folder}/indicators/{}.yaml", indicator.name);
                unknown(
                    fault,
                    &file,
                    &["report"],
                    "报表",
                    "report",
                    &indicator.report,
                );
            }
        }
        for page in &system.pages {
            if let Some((_, object)) = &page.needs {
                let file = format!("{folder}/pages/{}.yaml", page.name);
                check_object(declared, object, &file, &["needs", "on"], fault);
            }
        }
        for (key, words) in &system.texts {
            for (text, language) in [(&words.zh, "zh"), (&words.en, "en")] {
                if text.is_empty() {
                    let file = format!("{folder}/texts/{language}.yaml");
                    unknown(fault, &file, &[], "文字", "text", key);
                }
            }
        }
    }
    licences(declared, fault);
    city(declared, fault);
}

/// Types of licences: names and codes once in the whole city, an organisation that issues them and
/// whose code is known.
fn licences(declared: &Declared, fault: Report<'_>) {
    let mut codes: BTreeMap<&str, &str> = BTreeMap::new();
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for licence in declared.licences() {
        let folder = match licence.system.as_str() {
            "" => format!("cities/{}", declared.city.folder),
            system => format!("systems/{system}"),
        };
        let file = format!("{folder}/licences/{}.yaml", licence.name);
        check_owner(declared, &licence.issuer, &file, &["issuer"], fault);
        let issuer = declared
            .city
            .organisations
            .iter()
            .find(|o| o.code == licence.issuer);
        let coded = issuer.is_some_and(|o| o.credit_code.is_some());
        if issuer.is_some() && !coded && licence.issuer_code.is_none() {
            fault(
                &file,
                &["issuer"],
                "颁发机构没有统一社会信用代码，请在机构中登记或写 issuer_code".into(),
                "the issuing organisation has no credit code; register it or write issuer_code"
                    .into(),
            );
        }
        if let Some(other) = codes.insert(&licence.code, &licence.name) {
            fault(
                &file,
                &["code"],
                format!("证照类型代码已由“{other}”使用"),
                format!("the code belongs to \"{other}\" already"),
            );
        }
        if names.insert(&licence.name, &licence.system).is_some() {
            fault(
                &file,
                &[],
                format!("证照类型“{}”已声明", licence.name),
                format!("licence \"{}\" is declared already", licence.name),
            );
        }
    }
}

fn unknown(fault: Report<'_>, file: &str, path: &[&str], zh: &str, en: &str, name: &str) {
    fault(
        file,
        path,
        format!("没有名为“{name}”的{zh}"),
        format!("there is no {en} \"{name}\""),
    );
}

fn unique(declared: &Declared, fault: Report<'_>) {
    let mut seen: BTreeMap<(&str, &str), &str> = BTreeMap::new();
    for system in &declared.systems {
        let names = system
            .registers
            .iter()
            .map(|r| ("register", r.name.as_str()))
            .chain(
                system
                    .properties
                    .iter()
                    .map(|p| ("property", p.name.as_str())),
            )
            .chain(system.rules.iter().map(|r| ("rule", r.name.as_str())))
            .chain(system.layers.iter().map(|l| ("layer", l.name.as_str())))
            .chain(
                system
                    .indicators
                    .iter()
                    .map(|i| ("indicator", i.name.as_str())),
            )
            .chain(system.pages.iter().map(|p| ("page", p.name.as_str())));
        for (kind, name) in names {
            if let Some(other) = seen.insert((kind, name), &system.folder) {
                let file = format!("systems/{}/system.yaml", system.folder);
                let zh = format!("{kind}“{name}”已由 {other} 声明");
                fault(
                    &file,
                    &[],
                    zh,
                    format!("{kind} \"{name}\" is declared by {other} already"),
                );
            }
        }
    }
}

fn head(declared: &Declared, system: &SystemDecl, folder: &str, fault: Report<'_>) {
    let file = format!("{folder}/system.yaml");
    if system.title.zh.is_empty() {
        fault(
            &file,
            &[],
            "缺少 system.yaml 或标题".into(),
            "system.yaml or its title is missing".into(),
        );
    }
    for engine in &system.uses {
        if !ENGINES.contains(&engine.as_str()) {
            unknown(fault, &file, &["uses"], "引擎", "engine", engine);
        }
    }
    for register in &system.reads {
        if declared.register(register).is_none() {
            unknown(fault, &file, &["reads"], "登记簿", "register", register);
        }
    }
    check_owner(declared, &system.owner, &file, &["owner"], fault);
    for report in &system.reports {
        if !report.public {
            check_object(
                declared,
                &report.object,
                &file,
                &["reports", &report.name],
                fault,
            );
        }
    }
    for role in &system.roles {
        let file = format!("{folder}/access/roles.yaml");
        for object in role.may.iter().flat_map(|g| &g.objects) {
            check_object(
                declared,
                object,
                &file,
                &["roles", &role.name, "may"],
                fault,
            );
        }
    }
}

fn check_owner(declared: &Declared, owner: &str, file: &str, path: &[&str], fault: Report<'_>) {
    if !owner.is_empty() && !declared.city.organisations.iter().any(|o| o.code == owner) {
        unknown(fault, file, path, "机构", "organisation", owner);
    }
}

fn check_object(declared: &Declared, object: &str, file: &str, path: &[&str], fault: Report<'_>) {
    let known = match object.strip_prefix("register.") {
        Some(name) => name == "*" || declared.register(name).is_some(),
        None => OBJECTS.contains(&object),
    };
    if !known {
        unknown(fault, file, path, "访问对象", "object of access", object);
    }
}

fn registers(declared: &Declared, system: &SystemDecl, folder: &str, fault: Report<'_>) {
    for register in &system.registers {
        let file = format!("{folder}/registers/{}.schema.json", register.name);
        check_owner(declared, &register.owner, &file, &["x-owner"], fault);
        for field in &register.fields {
            if let FieldKind::Reference { register: target } = &field.kind
                && declared.register(target).is_none()
            {
                unknown(
                    fault,
                    &file,
                    &["properties", &field.name, "x-reference"],
                    "登记簿",
                    "register",
                    target,
                );
            }
        }
    }
}

fn layers(declared: &Declared, system: &SystemDecl, folder: &str, fault: Report<'_>) {
    for layer in &system.layers {
        let file = format!("{folder}/layers/{}.yaml", layer.name);
        let Some(register) = declared.register(&layer.register) else {
            unknown(
                fault,
                &file,
                &["register"],
                "登记簿",
                "register",
                &layer.register,
            );
            continue;
        };
        if register.place.is_none() {
            fault(
                &file,
                &["register"],
                "该登记簿没有位置".into(),
                "the register has no place".into(),
            );
        }
        for field in &layer.fields {
            if register.field(field).is_none() {
                unknown(fault, &file, &["fields"], "字段", "field", field);
            }
        }
    }
}

fn compare_rule(declared: &Declared, rule: &RuleDecl, file: &str, fault: Report<'_>) {
    match declared.register(&rule.about) {
        None => unknown(fault, file, &["about"], "登记簿", "register", &rule.about),
        Some(register) => {
            if !register.cached {
                fault(
                    file,
                    &["about"],
                    "该登记簿须标记 x-cached".into(),
                    "the register must be marked x-cached".into(),
                );
            }
            for (field, _) in &rule.only {
                if register.field(field).is_none() {
                    unknown(fault, file, &["only"], "字段", "field", field);
                }
            }
        }
    }
    for (property, _) in rule.when.series() {
        if declared.property(&property).is_none() {
            unknown(fault, file, &["when"], "监测项目", "property", &property);
        }
    }
    if let Some((_, role)) = &rule.escalate
        && !declared.roles().iter().any(|r| r.name == *role)
    {
        unknown(fault, file, &["escalate", "to"], "角色", "role", role);
    }
    limits(declared, rule, &rule.when, file, fault);
}

fn limits(
    declared: &Declared,
    rule: &RuleDecl,
    condition: &Condition,
    file: &str,
    fault: Report<'_>,
) {
    match condition {
        Condition::Threshold {
            limit: Limit::Record {
                register, field, ..
            },
            ..
        } => match declared.register(register) {
            None => unknown(fault, file, &["when"], "登记簿", "register", register),
            Some(found) if !found.cached => {
                let en = format!("register {register} must be marked x-cached");
                fault(
                    file,
                    &["when"],
                    format!("登记簿 {register} 须标记 x-cached"),
                    en,
                );
            }
            Some(found) if found.field(field).is_none() => {
                unknown(fault, file, &["when"], "字段", "field", field);
            }
            Some(_) => {}
        },
        Condition::Threshold {
            limit: Limit::Threshold { class_field },
            ..
        } => {
            let about = declared.register(&rule.about);
            if about.is_some_and(|r| r.field(class_field).is_none()) {
                unknown(fault, file, &["when"], "字段", "field", class_field);
            }
        }
        Condition::All { parts, .. } => {
            for part in parts {
                limits(declared, rule, part, file, fault);
            }
        }
        _ => {}
    }
}

fn city(declared: &Declared, fault: Report<'_>) {
    let city = &declared.city;
    let folder = format!("cities/{}", city.folder);
    if city.code.is_empty() {
        fault(
            &format!("{folder}/city.yaml"),
            &[],
            "缺少城市包".into(),
            "there is no city pack".into(),
        );
    }
    for organisation in &city.organisations {
        if let Some(parent) = &organisation.parent
            && !city.organisations.iter().any(|o| o.code == *parent)
        {
            let file = format!("{folder}/organisations.yaml");
            unknown(
                fault,
                &file,
                &["organisations", &organisation.code],
                "机构",
                "organisation",
                parent,
            );
        }
    }
    for threshold in &city.thresholds {
        if declared.property(&threshold.property).is_none() {
            let file = format!("{folder}/thresholds.yaml");
            let path = [
                "thresholds",
                &threshold.class,
                "limits",
                &threshold.property,
            ];
            unknown(
                fault,
                &file,
                &path,
                "监测项目",
                "property",
                &threshold.property,
            );
        }
    }
    let roles = declared.roles();
    for account in &city.accounts {
        let file = format!("{folder}/accounts.yaml");
        let path = ["accounts", account.name.as_str()];
        check_owner(declared, &account.organisation, &file, &path, fault);
        for role in &account.roles {
            if !roles.iter().any(|r| r.name == *role) {
                unknown(fault, &file, &path, "角色", "role", role);
            }
        }
    }
    for object in city
        .roles
        .iter()
        .flat_map(|r| &r.may)
        .flat_map(|g| &g.objects)
    {
        check_object(
            declared,
            object,
            &format!("{folder}/roles.yaml"),
            &["roles"],
            fault,
        );
    }
}
