//! Roles as accounts hold them: which there are, and which let their holders run the accounts, so
//! that the last who can is not lost. What else roles allow is the policy's business.

use kernel::access::Verb;
use kernel::declare::{Declared, RoleDecl};

/// The declared roles.
pub(crate) struct Roles(Vec<RoleDecl>);

impl Roles {
    /// Of everything declared.
    pub(crate) fn of(declared: &Declared) -> Roles {
        Roles(declared.roles())
    }

    /// Is there a role of this name?
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|role| role.name == name)
    }

    /// Do roles of these names allow running the accounts?
    pub(crate) fn run_accounts(&self, names: &[String]) -> bool {
        let mine = self.0.iter().filter(|role| names.contains(&role.name));
        mine.flat_map(|role| &role.may).any(|grant| {
            let accounts = grant.objects.iter().any(|object| object == "accounts");
            accounts && grant.verbs.contains(&Verb::Operate) && !grant.break_glass
        })
    }
}
