//! Bounds of a policy text: the reader of the Cedar language follows nesting with the machine's
//! own stack, so what is nested or chained without end is refused before it is read, and reading is
//! done where the stack is large.

/// Brackets inside brackets, at most.
const NESTED: usize = 60;
/// Words and operators of one policy, at most; texts and commas are not counted.
const WORDS: usize = 400;
/// Stack of the thread that reads.
const STACK: usize = 256 * 1024 * 1024;

/// Byte of the text where a policy becomes too deep or too long, if one does.
pub(crate) fn too_deep(text: &str) -> Option<usize> {
    let (mut nested, mut words) = (0usize, 0usize);
    let mut in_word = false;
    let mut characters = text.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        let part = c.is_alphanumeric() || c == '_';
        match c {
            '"' => {
                while let Some((_, c)) = characters.next() {
                    match c {
                        '\\' => drop(characters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '/' if characters.peek().is_some_and(|(_, next)| *next == '/') => {
                characters.by_ref().find(|(_, c)| *c == '\n');
            }
            '(' | '[' | '{' => nested += 1,
            ')' | ']' | '}' => nested = nested.saturating_sub(1),
            ';' => words = 0,
            ',' | ':' => {}
            c if c.is_whitespace() => {}
            _ if part && in_word => {}
            _ => words += 1,
        }
        in_word = part;
        if nested > NESTED || words > WORDS {
            return Some(at);
        }
    }
    None
}

/// Does this where the stack is large.
pub(crate) fn with_room<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        thread.spawn_scoped(scope, work).ok()?.join().ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_comments_are_not_counted() {
        let check =
            |text: &str, expect: bool| assert_eq!(too_deep(text).is_some(), expect, "{text:.60}");
        check(&"(".repeat(61), true);
        check(&format!("\"{}\"", "(".repeat(61)), false);
        check(&format!("\"\\\"{}\"", "(".repeat(61)), false);
        check(&format!("// {}\n", "(".repeat(61)), false);
        check(&"()".repeat(1000), false);
        check(&"!".repeat(401), true);
        check(&"a ".repeat(401), true);
        check(&"a;".repeat(401), false);
        check(&"\"a\",".repeat(5000), false);
        check("\"never closed", false);
    }
}
