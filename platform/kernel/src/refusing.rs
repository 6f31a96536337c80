//! What a refusal is called: by the type of the item, and for registrations by its title.

use crate::fault::Words;
use crate::items::{ItemContent, ItemType};

/// What refusing an item is, in the words of the law: only a permit is 不予许可.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusing {
    /// 不予行政许可 (行政许可法第三十八条).
    Permit,
    /// 不予给付.
    Payment,
    /// 不予确认.
    Confirmation,
    /// 不予登记: the national types have none of their own for registrations; they stand under
    /// confirmations and other powers, and their titles say 登记.
    Registration,
    /// 不予办理: other powers and public services.
    Other,
}

impl Refusing {
    /// All of them.
    pub const ALL: [Refusing; 5] = [
        Refusing::Permit,
        Refusing::Payment,
        Refusing::Confirmation,
        Refusing::Registration,
        Refusing::Other,
    ];

    /// What refusing an item of this type and Chinese title is called.
    pub fn of(kind: ItemType, title: &str) -> Refusing {
        let may_register = matches!(
            kind,
            ItemType::Confirmation | ItemType::Other | ItemType::Service
        );
        match may_register && title.contains("登记") {
            true => Refusing::Registration,
            false => kind.refusing(),
        }
    }

    /// The word in fields and names of templates.
    pub fn word(self) -> &'static str {
        ["permit", "payment", "confirmation", "registration", "other"][self as usize]
    }

    /// From its word.
    pub fn parse(word: &str) -> Option<Refusing> {
        Refusing::ALL.into_iter().find(|one| one.word() == word)
    }

    /// As people say it.
    pub fn words(self) -> Words {
        let (zh, en) = match self {
            Refusing::Permit => ("不予许可", "permit refused"),
            Refusing::Payment => ("不予给付", "payment refused"),
            Refusing::Confirmation => ("不予确认", "confirmation refused"),
            Refusing::Registration => ("不予登记", "registration refused"),
            Refusing::Other => ("不予办理", "refused"),
        };
        Words::new(zh, en)
    }
}

impl ItemType {
    /// What refusing items of this type is called, registrations aside.
    pub fn refusing(self) -> Refusing {
        match self {
            ItemType::Permit => Refusing::Permit,
            ItemType::Payment => Refusing::Payment,
            ItemType::Confirmation => Refusing::Confirmation,
            _ => Refusing::Other,
        }
    }
}

impl ItemContent {
    /// What refusing this item is called.
    pub fn refusing(&self) -> Refusing {
        Refusing::of(self.kind, &self.title.zh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        for one in Refusing::ALL {
            assert_eq!(Refusing::parse(one.word()), Some(one));
            assert!(one.words().zh.starts_with("不予"), "{one:?}");
        }
        assert_eq!(ItemType::Payment.refusing(), Refusing::Payment);
        assert_eq!(ItemType::Service.refusing(), Refusing::Other);
        let check = |kind, title, expect| assert_eq!(Refusing::of(kind, title), expect, "{title}");
        check(ItemType::Confirmation, "婚姻登记", Refusing::Registration);
        check(ItemType::Confirmation, "工伤认定", Refusing::Confirmation);
        check(ItemType::Permit, "施工登记许可", Refusing::Permit);
    }
}
