//! Policy: who may do what, from the roles the city and its systems declare. Denied unless a
//! grant of one of the actor's roles says otherwise.

use kernel::access::{Actor, Decision, Policy, Verb};
use kernel::declare::{Declared, RoleDecl};

/// Answers from declared roles.
pub struct RolePolicy {
    roles: Vec<RoleDecl>,
}

/// Does a grant on `granted` cover `object`? `register.*` covers every register.
fn covers(granted: &str, object: &str) -> bool {
    match granted.strip_suffix(".*") {
        Some(kind) => object
            .strip_prefix(kind)
            .is_some_and(|rest| rest.len() > 1 && rest.starts_with('.')),
        None => granted == object,
    }
}

impl RolePolicy {
    /// From everything declared; grants of one role in several systems add up.
    pub fn new(declared: &Declared) -> RolePolicy {
        RolePolicy {
            roles: declared.roles(),
        }
    }

    /// Is there a role of this name?
    pub fn has_role(&self, name: &str) -> bool {
        self.roles.iter().any(|role| role.name == name)
    }

    /// The declared roles.
    pub fn roles(&self) -> &[RoleDecl] {
        &self.roles
    }

    /// Everything an actor may do: verbs and objects as granted (`register.*` stays as it is), in
    /// order, each once.
    pub fn may_list(&self, actor: &Actor) -> Vec<(Verb, String)> {
        let mut list: Vec<(Verb, String)> = vec![];
        let mine = self
            .roles
            .iter()
            .filter(|role| actor.roles.contains(&role.name));
        for grant in mine.flat_map(|role| &role.may) {
            for verb in &grant.verbs {
                list.extend(grant.objects.iter().map(|object| (*verb, object.clone())));
            }
        }
        list.sort();
        list.dedup();
        list
    }

    /// What roles of these names may do to an object.
    fn decide(&self, names: &[&str], verb: Verb, object: &str) -> Decision {
        let mut would = vec![];
        for role in &self.roles {
            let grant = role.may.iter().find(|grant| {
                grant.verbs.contains(&verb) && grant.objects.iter().any(|o| covers(o, object))
            });
            match grant {
                Some(grant) if names.contains(&role.name.as_str()) => {
                    return Decision::Allowed {
                        role: role.name.clone(),
                        purpose: grant.purpose.clone(),
                        basis: grant.basis.clone(),
                    };
                }
                Some(_) => would.push(role.name.clone()),
                None => {}
            }
        }
        Decision::Denied { would }
    }

    /// Do roles of these names allow running the accounts?
    pub(crate) fn runs_accounts(&self, names: &[String]) -> bool {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let decision = self.decide(&names, Verb::Operate, "accounts");
        matches!(decision, Decision::Allowed { .. })
    }
}

impl Policy for RolePolicy {
    fn may(&self, actor: &Actor, verb: Verb, object: &str) -> Decision {
        let names: Vec<&str> = actor.roles_for(object).collect();
        self.decide(&names, verb, object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_covers_its_kind_only() {
        let check = |granted, object, expect| {
            assert_eq!(covers(granted, object), expect, "{granted} {object}");
        };
        check("register.*", "register.station", true);
        check("register.*", "registers", false);
        check("register.*", "register.", false);
        check("register.*", "register", false);
        check("register.station", "register.station", true);
        check("register.station", "register.stations", false);
        check("alerts", "alerts", true);
        check("alerts", "alert", false);
    }
}
