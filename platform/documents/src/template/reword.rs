//! The same letter in other words: what an official writes for one item keeps the title, number and
//! fields of the city's letter, and only says it differently.

use super::{Parser, Template};
use kernel::Problem;
use std::collections::BTreeSet;

/// The line between head and body.
const LINE: &str = "---";

/// Is this line of a head about a field that is not used?
fn unused(line: &str, used: &BTreeSet<String>) -> bool {
    let key = line.split([':', '：']).next().unwrap_or_default();
    match key.trim().split_once(' ') {
        Some(("text" | "list" | "table", name)) => !used.contains(name.trim()),
        _ => false,
    }
}

impl Template {
    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands below the head.
    pub fn words(&self) -> &str {
        let mut rest = self.text.as_str();
        while let Some((line, after)) = rest.split_once('\n') {
            rest = after;
            if line.trim() == LINE {
                break;
            }
        }
        rest
    }

    /// This letter in other words: title, number and those fields that the words use. A text that
    /// has a line `---` brings a head of its own and is a whole template. Faults are named with
    /// their line of `text`.
    pub fn reworded(&self, text: &str) -> Result<Template, Vec<Problem>> {
        if text.lines().any(|line| line.trim() == LINE) {
            return Template::parse(&self.kind, text);
        }
        let mut words = Template {
            blocks: vec![],
            ..self.clone()
        };
        let mut parser = Parser::new(&self.kind);
        let numbered: Vec<(usize, &str)> = (1..).zip(text.lines().map(str::trim)).collect();
        words.body(&mut parser, &numbered);
        if words.blocks.is_empty() && parser.problems.is_empty() {
            parser.wrong(1, "文书没有正文", "the letter says nothing");
        }
        let used = words.wanted(&mut Parser::new(&self.kind));
        let used: BTreeSet<String> = used.into_iter().map(|(name, _)| name).collect();
        words.fields.retain(|field| used.contains(&field.name));
        words.resolve(&mut parser);
        if !parser.problems.is_empty() {
            return Err(parser.problems);
        }
        let head = self.text.lines().take_while(|line| line.trim() != LINE);
        let head: Vec<&str> = head.filter(|line| !unused(line, &used)).collect();
        Template::parse(&self.kind, &format!("{}\n{LINE}\n{text}", head.join("\n")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt() -> Template {
        let text = crate::template::DELIVERED[0].1;
        Template::parse("receipt", text).unwrap()
    }

    #[test]
    fn own_words_keep_title_number_and_the_fields_they_use() {
        let standard = receipt();
        let words = "> {{applicant}}：\n已收到“{{item}}”申请（{{application}}），{{contact}}";
        let own = standard.reworded(words).unwrap();
        assert_eq!(
            (&own.title, &own.series),
            (&standard.title, &standard.series)
        );
        assert_eq!(
            own.number("数据", 2026, 7),
            standard.number("数据", 2026, 7)
        );
        let names: Vec<&str> = own.fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names, ["applicant", "item", "application", "contact"]);
        // What is kept of a letter is a whole template.
        assert_eq!(Template::parse("receipt", own.text()).unwrap(), own);
        // Reworded as it stands, it is the same letter.
        let body = standard.words();
        assert!(body.starts_with("> {{applicant}}"), "{body}");
        assert_eq!(standard.reworded(body).unwrap().fields, standard.fields);
        assert_eq!(standard.reworded(standard.text()).unwrap(), standard);
    }

    #[test]
    fn wrong_words_are_refused_with_their_lines() {
        let standard = receipt();
        let check = |text: &str, expect: &[(&str, &str)]| {
            let found = standard.reworded(text).unwrap_err();
            let found: Vec<(&str, &str)> = found
                .iter()
                .map(|p| (p.at.as_str(), p.words.en.as_str()))
                .collect();
            assert_eq!(found, expect, "{text}");
        };
        check("", &[("letters/receipt.txt:1", "the letter says nothing")]);
        check(
            "{{applicant}}\n{{phone}}\n{{item",
            &[
                ("letters/receipt.txt:3", "}} is missing"),
                ("letters/receipt.txt:1", "there is no such field: phone"),
            ],
        );
        check(
            "{{materials}}",
            &[("letters/receipt.txt:1", "there is no such field: materials")],
        );
        check(
            "{{#}}",
            &[(
                "letters/receipt.txt:1",
                "{{#}} and {{table.column}} belong into a table",
            )],
        );
        check(
            "标题\n---\n{{applicant}}",
            &[
                ("letters/receipt.txt:1", "not understood: 标题"),
                (
                    "letters/receipt.txt:1",
                    "title (2–60 characters) and number are needed, and at most 100 fields",
                ),
                ("letters/receipt.txt:1", "there is no such field: applicant"),
            ],
        );
    }
}
