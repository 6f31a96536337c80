//! Reads an expression. Never panics, never nests deeper than [`MAX_DEPTH`], whatever the text.

use super::functions;
use super::geo::Shape;
use super::{Expr, MAX_DEPTH, Op, Val};
use crate::Refusal;
use kernel::Time;

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Comma,
    Minus,
    Word(String),
    Literal(Val),
}

/// Reads a whole expression.
pub fn parse(text: &str) -> Result<Expr, Refusal> {
    let tokens = Lexer {
        chars: text.chars().collect(),
        at: 0,
    }
    .tokens()?;
    let mut parser = Parser {
        tokens,
        at: 0,
        depth: 0,
    };
    let expr = parser.either()?;
    match parser.peek() {
        None => Ok(expr),
        Some(token) => Err(unexpected(token)),
    }
}

fn unexpected(token: &Token) -> Refusal {
    wrong(
        format!("此处不应出现 {token:?}"),
        format!("unexpected {token:?}"),
    )
}

fn wrong(zh: impl std::fmt::Display, en: impl std::fmt::Display) -> Refusal {
    Refusal::bad(
        format!("表达式有误：{zh}"),
        format!("the expression cannot be read: {en}"),
    )
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
}

impl Lexer {
    fn tokens(mut self) -> Result<Vec<Token>, Refusal> {
        let mut tokens = vec![];
        while let Some(&c) = self.chars.get(self.at) {
            match c {
                ' ' | '\t' | '\r' | '\n' => self.at += 1,
                '(' => self.single(&mut tokens, Token::Open),
                ')' => self.single(&mut tokens, Token::Close),
                ',' => self.single(&mut tokens, Token::Comma),
                '-' => self.single(&mut tokens, Token::Minus),
                '\'' => tokens.push(Token::Literal(Val::Text(self.quoted()?))),
                c if c.is_ascii_digit() => tokens.push(self.number_or_time()?),
                c if c.is_alphabetic() || "_@$".contains(c) => tokens.push(self.word()?),
                other => {
                    return Err(wrong(
                        format!("不认识的字符 {other:?}"),
                        format!("unexpected character {other:?}"),
                    ));
                }
            }
        }
        Ok(tokens)
    }

    fn single(&mut self, tokens: &mut Vec<Token>, token: Token) {
        self.at += 1;
        tokens.push(token);
    }

    fn take_while(&mut self, keep: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.chars.get(self.at).is_some_and(|c| keep(*c)) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    /// A quoted text; a doubled quote inside is one quote.
    fn quoted(&mut self) -> Result<String, Refusal> {
        let mut text = String::new();
        self.at += 1;
        while let Some(&c) = self.chars.get(self.at) {
            self.at += 1;
            if c != '\'' {
                text.push(c);
            } else if self.chars.get(self.at) == Some(&'\'') {
                text.push('\'');
                self.at += 1;
            } else {
                return Ok(text);
            }
        }
        Err(wrong("引号没有闭合", "a quotation mark is not closed"))
    }

    fn number_or_time(&mut self) -> Result<Token, Refusal> {
        let dated = self.chars.get(self.at + 4) == Some(&'-')
            && self.chars[self.at..self.at + 4]
                .iter()
                .all(char::is_ascii_digit);
        if dated {
            return self.time();
        }
        let mut text = self.take_while(|c| c.is_ascii_alphanumeric() || c == '.');
        // A sign belongs to a number only after its exponent's e.
        if text.ends_with(['e', 'E'])
            && let Some(&sign) = self.chars.get(self.at)
            && (sign == '-' || sign == '+')
        {
            text.push(sign);
            self.at += 1;
            text.push_str(&self.take_while(|c| c.is_ascii_digit()));
        }
        let digits = text.trim_end_matches(['f', 'd', 'm', 'L', 'l']);
        match digits.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Token::Literal(Val::Num(number))),
            _ => Err(wrong(
                format!("{text} 不是数值"),
                format!("{text} is no number"),
            )),
        }
    }

    /// An instant or `from/to`.
    fn time(&mut self) -> Result<Token, Refusal> {
        let from = self.instant()?;
        if self.chars.get(self.at) != Some(&'/') {
            return Ok(Token::Literal(Val::Time(from)));
        }
        self.at += 1;
        let to = self.instant()?;
        if to < from {
            return Err(wrong(
                "时间区间的终点早于起点",
                "an interval ends before it begins",
            ));
        }
        Ok(Token::Literal(Val::Interval(from, to)))
    }

    fn instant(&mut self) -> Result<Time, Refusal> {
        let mut text = self.take_while(|c| c.is_ascii_digit() || "-T:.+Ztz".contains(c));
        // A client that left the plus of +08:00 unescaped has sent a blank.
        let offset = self.chars.get(self.at..self.at + 6);
        if let Some([' ', a, b, ':', c, d]) = offset
            && [a, b, c, d].into_iter().all(char::is_ascii_digit)
        {
            text.push('+');
            text.extend([a, b, &':', c, d]);
            self.at += 6;
        }
        Time::parse(&text)
            .ok_or_else(|| wrong(format!("{text} 不是时间"), format!("{text} is no time")))
    }

    fn word(&mut self) -> Result<Token, Refusal> {
        let word = self.take_while(|c| c.is_alphanumeric() || "_.@$/".contains(c));
        if self.chars.get(self.at) != Some(&'\'') {
            return Ok(Token::Word(word));
        }
        let text = self.quoted()?;
        let value = match word.as_str() {
            "geography" | "geometry" => Shape::from_wkt(&text).map(Val::Shape),
            "duration" => read_duration(&text).map(Val::Span),
            "datetime" | "datetimeoffset" | "time" => Time::parse(&text).map(Val::Time),
            _ => None,
        };
        value.map(Token::Literal).ok_or_else(|| {
            let bad = format!("{word}'{text}'");
            wrong(
                format!("{bad} 不是合法的字面量"),
                format!("{bad} is no literal"),
            )
        })
    }
}

/// ISO 8601 duration without months and years, whose lengths vary: `P1DT2H30M`, `-PT10S`.
fn read_duration(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text),
    };
    let (mut seconds, mut digits, mut clock, mut parts) = (0.0, String::new(), false, 0);
    for c in text.strip_prefix('P')?.chars() {
        let unit = match c {
            '0'..='9' | '.' => {
                digits.push(c);
                continue;
            }
            'T' if !clock && digits.is_empty() => {
                clock = true;
                continue;
            }
            'W' if !clock => 604_800.0,
            'D' if !clock => 86_400.0,
            'H' if clock => 3_600.0,
            'M' if clock => 60.0,
            'S' if clock => 1.0,
            _ => return None,
        };
        seconds += digits.parse::<f64>().ok()? * unit;
        digits.clear();
        parts += 1;
    }
    (digits.is_empty() && parts > 0).then_some((sign * seconds * 1e6) as i64)
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn take(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.at += found as usize;
        found
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(w)) if w.eq_ignore_ascii_case(word));
        self.at += found as usize;
        found
    }

    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Parser) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(wrong("嵌套过深", "it is nested too deeply"));
        }
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn either(&mut self) -> Result<Expr, Refusal> {
        let mut parts = vec![self.all()?];
        while self.take_word("or") {
            parts.push(self.all()?);
        }
        Ok(match parts.len() {
            1 => parts.swap_remove(0),
            _ => Expr::Or(parts),
        })
    }

    fn all(&mut self) -> Result<Expr, Refusal> {
        let mut parts = vec![self.negation()?];
        while self.take_word("and") {
            parts.push(self.negation()?);
        }
        Ok(match parts.len() {
            1 => parts.swap_remove(0),
            _ => Expr::And(parts),
        })
    }

    fn negation(&mut self) -> Result<Expr, Refusal> {
        if self.take_word("not") {
            let inner = self.deeper(Parser::negation)?;
            return Ok(Expr::Not(Box::new(inner)));
        }
        let left = self.sum()?;
        let ops = [
            ("eq", Op::Eq),
            ("ne", Op::Ne),
            ("gt", Op::Gt),
            ("ge", Op::Ge),
            ("lt", Op::Lt),
            ("le", Op::Le),
        ];
        for (word, op) in ops {
            if self.take_word(word) {
                let right = self.sum()?;
                return Ok(Expr::Pair(op, Box::new(left), Box::new(right)));
            }
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Expr, Refusal> {
        self.chain(&[("add", Op::Add), ("sub", Op::Sub)], |p| {
            p.chain(
                &[("mul", Op::Mul), ("div", Op::Div), ("mod", Op::Mod)],
                Parser::signed,
            )
        })
    }

    /// `part (op part)*`, from the left; as long as [`MAX_DEPTH`] allows, for it nests leftwards.
    fn chain(
        &mut self,
        ops: &[(&str, Op)],
        part: impl Fn(&mut Parser) -> Result<Expr, Refusal>,
    ) -> Result<Expr, Refusal> {
        let mut left = part(self)?;
        let mut length = 0;
        while let Some((_, op)) = ops.iter().find(|(word, _)| self.take_word(word)) {
            length += 1;
            if length > MAX_DEPTH {
                return Err(wrong("项数过多", "it has too many terms"));
            }
            let right = part(self)?;
            left = Expr::Pair(*op, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn signed(&mut self) -> Result<Expr, Refusal> {
        if self.take(&Token::Minus) {
            let inner = self.deeper(Parser::signed)?;
            return Ok(Expr::Minus(Box::new(inner)));
        }
        self.operand()
    }

    fn operand(&mut self) -> Result<Expr, Refusal> {
        match self.next() {
            Some(Token::Literal(value)) => Ok(Expr::Literal(value)),
            Some(Token::Open) => {
                let inner = self.deeper(Parser::either)?;
                self.close()?;
                Ok(inner)
            }
            Some(Token::Word(word)) if self.take(&Token::Open) => self.call(word),
            Some(Token::Word(word)) => Ok(match word.as_str() {
                "true" => Expr::Literal(Val::Bool(true)),
                "false" => Expr::Literal(Val::Bool(false)),
                "null" => Expr::Literal(Val::Null),
                _ => Expr::Path(word.split('/').map(str::to_string).collect()),
            }),
            Some(token) => Err(unexpected(&token)),
            None => Err(wrong("提前结束", "it ends too early")),
        }
    }

    fn call(&mut self, name: String) -> Result<Expr, Refusal> {
        let mut arguments = vec![];
        if !self.take(&Token::Close) {
            loop {
                arguments.push(self.deeper(Parser::either)?);
                if !self.take(&Token::Comma) {
                    break;
                }
            }
            self.close()?;
        }
        functions::check(&name, arguments.len())?;
        Ok(Expr::Call(name, arguments))
    }

    fn close(&mut self) -> Result<(), Refusal> {
        match self.take(&Token::Close) {
            true => Ok(()),
            false => Err(wrong("括号没有闭合", "a parenthesis is not closed")),
        }
    }
}
