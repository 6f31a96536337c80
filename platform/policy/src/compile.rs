//! From files to policies: grants of the roles files become Cedar policies, Cedar files are read
//! and checked against the schema, and every fault is named with file and line, all at once.

use crate::depth;
use crate::rule::{Rule, Said, Source};
use crate::schema::Kinds;
use cedar_policy::{Policy, PolicyId, PolicySet, ValidationMode, Validator};
use kernel::access::Missing;
use kernel::declare::{Declared, GrantDecl, PolicyFile, RegisterDecl, Scope};
use kernel::facts::Shown;
use kernel::{Problem, Words};
use miette::Diagnostic;
use std::collections::BTreeMap;
use std::str::FromStr;

/// Policies of one file, at most.
pub(crate) const FILE_LIMIT: usize = 1000;
/// Bytes of one file, at most.
pub(crate) const BYTES_LIMIT: usize = 256 * 1024;

/// A grant that somebody may open by breaking the glass.
pub(crate) struct Glass {
    pub(crate) role: String,
    pub(crate) grant: GrantDecl,
    pub(crate) kinds: Vec<usize>,
}

/// Everything compiled.
pub(crate) struct Compiled {
    pub(crate) rules: Vec<Rule>,
    pub(crate) glass: Vec<Glass>,
}

/// Text inside a quoted text of a policy.
pub(crate) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.escape_debug())
}

/// Compiles all files; faults are all there are.
pub(crate) fn compile(declared: &Declared, kinds: &Kinds) -> (Compiled, Vec<Problem>) {
    let mut compiled = Compiled {
        rules: vec![],
        glass: vec![],
    };
    let mut faults = vec![];
    for role in declared.roles() {
        for grant in &role.may {
            faults.extend(grant_faults(kinds, grant));
            let granted: Vec<usize> = grant
                .objects
                .iter()
                .flat_map(|o| kinds.granted(o))
                .collect();
            if grant.break_glass {
                compiled.glass.push(Glass {
                    role: role.name.clone(),
                    grant: grant.clone(),
                    kinds: granted,
                });
                continue;
            }
            for kind in granted {
                let holder = format!("principal in Role::{}", quoted(&role.name));
                match of_grant(
                    kinds,
                    compiled.rules.len(),
                    &holder,
                    grant,
                    kind,
                    Source::Role,
                    vec![],
                ) {
                    Ok(rule) => compiled.rules.push(rule),
                    Err(words) => faults.push(Problem {
                        at: grant.at.clone(),
                        words,
                    }),
                }
            }
        }
    }
    let validator = Validator::new(kinds.schema.clone());
    for file in declared.policies() {
        of_file(
            declared,
            kinds,
            &validator,
            file,
            &mut compiled.rules,
            &mut faults,
        );
    }
    (compiled, faults)
}

/// A condition, and what to call it when it does not hold.
pub(crate) type Extra = (String, Missing);

/// One kind of a grant as a policy; `holder` says whom it is given.
pub(crate) fn of_grant(
    kinds: &Kinds,
    number: usize,
    holder: &str,
    grant: &GrantDecl,
    kind: usize,
    source: Source,
    extra: Vec<Extra>,
) -> Result<Rule, Words> {
    let (text, missing) = written(kinds, holder, grant, kind, extra);
    let wrong = |e: String| {
        Words::new(
            format!("授权无法编译：{e}"),
            format!("the grant cannot be compiled: {e}"),
        )
    };
    let policy =
        Policy::parse(Some(PolicyId::new("grant")), &text).map_err(|e| wrong(e.to_string()))?;
    let said = Said {
        source,
        at: grant.at.clone(),
        shown: shown(grant.fields.as_deref(), grant.masked.as_deref()),
        text,
        missing,
    };
    Rule::of(kinds, number, &policy, said).ok_or_else(|| wrong("template".into()))
}

/// A grant in the Cedar language, and what each of its conditions is called.
fn written(
    kinds: &Kinds,
    holder: &str,
    grant: &GrantDecl,
    kind: usize,
    extra: Vec<Extra>,
) -> (String, Vec<Missing>) {
    let verbs: Vec<String> = grant
        .verbs
        .iter()
        .map(|v| format!("Action::{}", quoted(v.word())))
        .collect();
    let mut text = format!(
        "@purpose({})\n@basis({})\npermit (\n  {holder},\n  action in [{}],\n  resource is {}\n)",
        quoted(&grant.purpose),
        quoted(&grant.basis),
        verbs.join(", "),
        kinds.all[kind].name,
    );
    let mut missing = vec![];
    let mut when = |condition: String, named: Missing| {
        text.push_str(&format!("\nwhen {{ {condition} }}"));
        missing.push(named);
    };
    if grant.level > 0 {
        when(
            format!("principal.proofing >= {}", grant.level),
            Missing::Level(grant.level),
        );
    }
    if grant.second_factor {
        when("principal.second_factor".into(), Missing::SecondFactor);
    }
    if let Some(condition) = scope_condition(grant.scope) {
        when(condition.into(), Missing::Scope(grant.scope.word().into()));
    }
    extra
        .into_iter()
        .for_each(|(condition, named)| when(condition, named));
    text.push(';');
    (text, missing)
}

/// What a scope demands of the record.
pub(crate) fn scope_condition(scope: Scope) -> Option<&'static str> {
    match scope {
        Scope::All => None,
        Scope::Own => {
            Some("resource has owner && principal.organisations.contains(resource.owner)")
        }
        Scope::Subordinate => {
            Some("resource has owner && principal.scope.contains(resource.owner)")
        }
        Scope::Handling => Some(
            "resource has handler && (resource.handler == principal.name || (principal has acts_for && \
             principal.acts_for.tie == \"delegation\" && principal.acts_for.party == resource.handler))",
        ),
        Scope::OwnPerson => Some(
            "resource has person && ((principal has person && principal.person == resource.person) || \
             (principal has acts_for && principal.acts_for.party == resource.person))",
        ),
    }
}

/// How personal fields are shown, from the two lists of a grant.
pub(crate) fn shown(
    clear: Option<&[String]>,
    masked: Option<&[String]>,
) -> Option<BTreeMap<String, Shown>> {
    if clear.is_none() && masked.is_none() {
        return None;
    }
    let masked = masked
        .unwrap_or_default()
        .iter()
        .map(|f| (f.clone(), Shown::Masked));
    let clear = clear
        .unwrap_or_default()
        .iter()
        .map(|f| (f.clone(), Shown::Clear));
    Some(masked.chain(clear).collect())
}

fn grant_faults(kinds: &Kinds, grant: &GrantDecl) -> Vec<Problem> {
    let mut faults = vec![];
    let mut fault = |zh: String, en: String| {
        faults.push(Problem {
            at: grant.at.clone(),
            words: Words::new(zh, en),
        });
    };
    let registers: Vec<&RegisterDecl> = grant
        .objects
        .iter()
        .flat_map(|o| kinds.granted(o))
        .filter_map(|n| kinds.all[n].register.as_ref())
        .collect();
    for object in &grant.objects {
        let scoped = kinds
            .granted(object)
            .iter()
            .all(|n| kinds.all[*n].scoped || object == "register.*");
        if grant.scope != Scope::All && !scoped {
            fault(
                format!("“{object}”没有单条记录，不能限定 scope"),
                format!("\"{object}\" has no single records: scope cannot be narrowed"),
            );
        }
    }
    let needs = match grant.scope {
        Scope::OwnPerson => Some("person"),
        Scope::Handling => Some("handler"),
        _ => None,
    };
    for register in &registers {
        if needs.is_some_and(|what| !register.access.named().any(|(named, _)| named == what)) {
            let what = needs.unwrap_or_default();
            fault(
                format!("登记簿 {} 未在 x-access 中声明 {what}", register.name),
                format!("register {} declares no {what} in x-access", register.name),
            );
        }
    }
    let named = grant.fields.iter().chain(&grant.masked).flatten();
    for field in named.filter(|f| *f != "*") {
        let personal = |r: &&RegisterDecl| r.field(field).is_some_and(|f| f.personal);
        if !registers.iter().any(personal) {
            fault(
                format!("“{field}”不是这些登记簿的个人信息字段（x-personal）"),
                format!("\"{field}\" is no personal field (x-personal) of these registers"),
            );
        }
    }
    faults
}

/// Line of a byte of a text, from 1.
fn line_at(text: &str, offset: usize) -> usize {
    let end = offset.min(text.len());
    1 + text.as_bytes()[..end]
        .iter()
        .filter(|b| **b == b'\n')
        .count()
}

/// Line a diagnostic points at.
fn line_of(text: &str, found: &dyn Diagnostic) -> Option<usize> {
    let label = found.labels()?.next()?;
    Some(line_at(text, label.offset()))
}

fn said_of(file: &PolicyFile, found: &dyn Diagnostic, line: usize) -> Problem {
    let line = line_of(&file.text, found).unwrap_or(line);
    let help = found.help().map(|h| format!("（{h}）")).unwrap_or_default();
    Problem {
        at: format!("{}:{line}", file.file),
        words: Words::new(
            format!("策略有误：{found}{help}"),
            format!("{found}{}", help.replace('（', " (").replace('）', ")")),
        ),
    }
}

fn of_file(
    declared: &Declared,
    kinds: &Kinds,
    validator: &Validator,
    file: &PolicyFile,
    rules: &mut Vec<Rule>,
    faults: &mut Vec<Problem>,
) {
    let at_line = |line: usize, zh: String, en: String| Problem {
        at: format!("{}:{line}", file.file),
        words: Words::new(zh, en),
    };
    if file.text.len() > BYTES_LIMIT {
        let (zh, en) = (
            "策略文件过大".into(),
            format!("a policy file holds {BYTES_LIMIT} bytes at most"),
        );
        faults.push(at_line(1, zh, en));
        return;
    }
    if let Some(at) = depth::too_deep(&file.text) {
        let zh = "策略嵌套过深或过长，请拆分".to_string();
        let en = "a policy is nested too deeply or too long; split it".to_string();
        faults.push(at_line(line_at(&file.text, at), zh, en));
        return;
    }
    let set = match PolicySet::from_str(&file.text) {
        Ok(set) => set,
        Err(errors) => {
            faults.extend(errors.iter().map(|e| said_of(file, e, 1)));
            return;
        }
    };
    if set.num_of_policies() > FILE_LIMIT || set.num_of_templates() > 0 {
        let zh =
            format!("一个文件至多 {FILE_LIMIT} 条策略，且不得使用模板（?principal、?resource）");
        let en = format!("a file holds {FILE_LIMIT} policies at most and no templates");
        faults.push(at_line(1, zh, en));
        return;
    }
    let mut policies: Vec<&Policy> = set.policies().collect();
    policies.sort_by_key(|p| {
        let id: &str = p.id().as_ref();
        id.trim_start_matches("policy")
            .parse::<usize>()
            .unwrap_or(usize::MAX)
    });
    let mut from = 0;
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    let mut sound = vec![];
    for policy in policies {
        let text = policy.to_cedar().unwrap_or_default();
        let offset = file.text[from..].find(&text).map(|n| from + n);
        let line = offset.map_or(1, |offset| line_at(&file.text, offset));
        from = offset.map_or(from, |offset| offset + text.len());
        lines.insert(policy.id().to_string(), line);
        let before = faults.len();
        faults.extend(
            annotation_faults(declared, policy)
                .into_iter()
                .map(|(zh, en)| at_line(line, zh, en)),
        );
        if faults.len() == before {
            sound.push((policy, text, line));
        }
    }
    let verdict = validator.validate(&set, ValidationMode::Strict);
    let before = faults.len();
    for error in verdict.validation_errors() {
        let line = lines
            .get(&error.policy_id().to_string())
            .copied()
            .unwrap_or(1);
        faults.push(said_of(file, error, line));
    }
    if faults.len() > before {
        return;
    }
    for (policy, text, line) in sound {
        let at = format!("{}:{line}", file.file);
        let names = |name: &str| {
            let text = policy.annotation(name)?;
            Some(
                text.split(',')
                    .map(|n| n.trim().to_string())
                    .collect::<Vec<_>>(),
            )
        };
        let said = Said {
            source: Source::File,
            shown: shown(names("fields").as_deref(), names("masked").as_deref()),
            missing: vec![],
            at: at.clone(),
            text,
        };
        match Rule::of(kinds, rules.len(), policy, said) {
            Some(rule) => rules.push(rule),
            None => faults.push(at_line(
                line,
                "不支持的策略".into(),
                "this policy is not supported".into(),
            )),
        }
    }
}

/// A permission says its purpose and basis; roles it names exist.
fn annotation_faults(declared: &Declared, policy: &Policy) -> Vec<(String, String)> {
    let mut faults = vec![];
    for name in ["purpose", "basis"] {
        let said = policy
            .annotation(name)
            .is_some_and(|text| !text.trim().is_empty());
        if policy.effect() == cedar_policy::Effect::Permit && !said {
            faults.push((
                format!("允许的策略须注明 @{name}(\"…\")"),
                format!("a policy that permits says @{name}(\"…\")"),
            ));
        }
    }
    let roles = declared.roles();
    for uid in policy.entity_literals() {
        let id: &str = uid.id().as_ref();
        if uid.type_name().basename() == "Role" && !roles.iter().any(|r| r.name == id) {
            faults.push((
                format!("没有名为“{id}”的角色"),
                format!("there is no role \"{id}\""),
            ));
        }
    }
    faults
}
