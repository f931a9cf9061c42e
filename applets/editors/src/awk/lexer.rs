//! Program text to tokens. The parser asks for one token at a time, and for a regular expression where one may begin.

use rbox_core::error::{Error, Result};
use rbox_core::names;
use rbox_core::names::Names;

use awk_machine::script::{Script, unescape};
use awk_machine::value;

/// The kinds of tokens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Token {
    End,
    Newline,
    Semicolon,
    LeftBrace,
    RightBrace,
    LeftParen,
    RightParen,
    LeftBracket,
    RightBracket,
    Comma,
    Question,
    Colon,
    Plus,
    Minus,
    Times,
    Divide,
    Modulo,
    Power,
    Not,
    Greater,
    Less,
    Pipe,
    Append,
    LessEqual,
    GreaterEqual,
    Equal,
    NotEqual,
    Match,
    NoMatch,
    And,
    Or,
    Increment,
    Decrement,
    Assign,
    AddAssign,
    SubtractAssign,
    MultiplyAssign,
    DivideAssign,
    ModuloAssign,
    PowerAssign,
    Dollar,
    Number,
    String,
    Regex,
    Name,
    /// A name that `(` follows at once.
    FunctionName,
    /// A function of the language, by its number in `Lexer::number`.
    Builtin,
    Begin,
    EndRule,
    BeginFile,
    EndFile,
    Function,
    If,
    Else,
    While,
    For,
    Do,
    Break,
    Continue,
    Next,
    NextFile,
    Exit,
    Return,
    Delete,
    In,
    Getline,
    Print,
    Printf,
    Switch,
    Case,
    Default,
}

/// Words of the language: keywords by the value of their `Token`, and functions, from 128 on.
const WORDS: Names = names! {
    "BEGIN" = Token::Begin, "END" = Token::EndRule, "BEGINFILE" = Token::BeginFile, "ENDFILE" = Token::EndFile,
    "function" = Token::Function, "func" = Token::Function, "if" = Token::If, "else" = Token::Else,
    "while" = Token::While, "for" = Token::For, "do" = Token::Do, "break" = Token::Break,
    "continue" = Token::Continue, "next" = Token::Next, "nextfile" = Token::NextFile, "exit" = Token::Exit,
    "return" = Token::Return, "delete" = Token::Delete, "in" = Token::In, "getline" = Token::Getline,
    "print" = Token::Print, "printf" = Token::Printf, "switch" = Token::Switch, "case" = Token::Case,
    "default" = Token::Default,
    "length" = 128, "substr" = 129, "index" = 130, "split" = 131, "sub" = 132, "gsub" = 133, "match" = 134,
    "sprintf" = 135, "sin" = 136, "cos" = 137, "atan2" = 138, "exp" = 139, "log" = 140, "sqrt" = 141, "int" = 142,
    "rand" = 143, "srand" = 144, "tolower" = 145, "toupper" = 146, "system" = 147, "close" = 148, "fflush" = 149,
    "gensub" = 150, "strftime" = 151, "systime" = 152, "mktime" = 153, "and" = 154, "or" = 155, "xor" = 156,
    "lshift" = 157, "rshift" = 158, "compl" = 159, "strtonum" = 160, "asort" = 161, "asorti" = 162,
    "isarray" = 163, "patsplit" = 164,
};

/// A kind, from its number in `WORDS`.
const KEYWORDS: [Token; 25] = [
    Token::Begin,
    Token::EndRule,
    Token::BeginFile,
    Token::EndFile,
    Token::Function,
    Token::If,
    Token::Else,
    Token::While,
    Token::For,
    Token::Do,
    Token::Break,
    Token::Continue,
    Token::Next,
    Token::NextFile,
    Token::Exit,
    Token::Return,
    Token::Delete,
    Token::In,
    Token::Getline,
    Token::Print,
    Token::Printf,
    Token::Switch,
    Token::Case,
    Token::Default,
    Token::End,
];

/// The reader of tokens. It can be copied, to look further ahead.
#[derive(Clone)]
pub struct Lexer<'a> {
    script: &'a Script,
    at: usize,
    /// Where the current token begins.
    pub start: usize,
    /// The current token.
    pub token: Token,
    /// The name or the string.
    pub bytes: Vec<u8>,
    /// The number; the number of a function of the language.
    pub number: f64,
}

impl<'a> Lexer<'a> {
    /// Begins at the first token.
    pub fn new(script: &'a Script) -> Result<Self> {
        let mut lexer = Self { script, at: 0, start: 0, token: Token::Newline, bytes: Vec::new(), number: 0.0 };
        lexer.advance()?;
        Ok(lexer)
    }

    fn peek(&self, ahead: usize) -> u8 {
        self.script.text.get(self.at + ahead).copied().unwrap_or(0)
    }

    /// An error at the current token.
    pub fn error(&self, message: &str) -> Error {
        self.script.error(self.start, message.as_bytes())
    }

    /// Reads the next token.
    pub fn advance(&mut self) -> Result<()> {
        self.skip_blanks();
        self.start = self.at;
        let Some(&byte) = self.script.text.get(self.at) else {
            self.token = Token::End;
            return Ok(());
        };
        self.token = match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.word(),
            b'0'..=b'9' => self.numeral(),
            b'.' if self.peek(1).is_ascii_digit() => self.numeral(),
            b'"' => self.string()?,
            _ => self.operator(byte)?,
        };
        Ok(())
    }

    /// Blanks, comments, and newlines after a backslash.
    fn skip_blanks(&mut self) {
        loop {
            match self.peek(0) {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\\' if self.peek(1) == b'\n' => self.at += 2,
                b'\\' if self.peek(1) == b'\r' && self.peek(2) == b'\n' => self.at += 3,
                b'#' => {
                    let rest = &self.script.text[self.at..];
                    self.at += rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    fn word(&mut self) -> Token {
        while matches!(self.peek(0), b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'0'..=b'9') {
            self.at += 1;
        }
        let word = &self.script.text[self.start..self.at];
        match WORDS.number_of(word) {
            Some(number) if number >= 128 => {
                self.number = (number - 128) as f64;
                Token::Builtin
            }
            Some(number) => KEYWORDS[(number as usize).wrapping_sub(Token::Begin as usize).min(KEYWORDS.len() - 1)],
            None => {
                self.bytes.clear();
                self.bytes.extend_from_slice(word);
                if self.peek(0) == b'(' { Token::FunctionName } else { Token::Name }
            }
        }
    }

    /// A number as in C, also hexadecimal and octal, as BusyBox and gawk read them in a program.
    fn numeral(&mut self) -> Token {
        let text = &self.script.text[self.at..];
        let word = text.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
        let radix = match text {
            [b'0', b'x' | b'X', digit, ..] if digit.is_ascii_hexdigit() => Some((2, 16)),
            [b'0', rest @ ..] => {
                let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let is_octal = digits > 0
                    && rest[..digits].iter().all(|byte| *byte < b'8')
                    && !matches!(rest.get(digits), Some(b'.' | b'e' | b'E'));
                is_octal.then_some((1, 8))
            }
            _ => None,
        };
        match radix {
            Some((skip, radix)) => {
                let digits = text[skip..word].iter().take_while(|&&byte| char::from(byte).is_digit(radix)).count();
                self.number = text[skip..skip + digits].iter().fold(0.0, |value, &byte| {
                    value * f64::from(radix) + f64::from(char::from(byte).to_digit(radix).unwrap_or(0))
                });
                self.at += skip + digits;
            }
            None => {
                let (number, length) = value::scan(text).unwrap_or((0.0, 1));
                self.number = number;
                self.at += length;
            }
        }
        Token::Number
    }

    fn string(&mut self) -> Result<Token> {
        self.at += 1;
        self.bytes.clear();
        loop {
            match self.peek(0) {
                b'"' => break,
                b'\\' => {
                    self.at += 1;
                    let length = unescape(&self.script.text[self.at..], &mut self.bytes);
                    self.at += length;
                }
                b'\n' => return Err(self.error("Unexpected end of string")),
                byte => {
                    if self.at >= self.script.text.len() {
                        return Err(self.error("Unexpected end of string"));
                    }
                    self.bytes.push(byte);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        Ok(Token::String)
    }

    /// Reads a regular expression instead of the division that the current token is. Its escapes stay, `\/` aside.
    pub fn regex(&mut self) -> Result<()> {
        self.at = self.start + 1;
        self.bytes.clear();
        let mut bracket = None;
        loop {
            let byte = self.peek(0);
            if byte == b'\n' || self.at >= self.script.text.len() {
                return Err(self.error("Unexpected end of string"));
            }
            self.at += 1;
            match byte {
                b'/' if bracket.is_none() => break,
                b'\\' if self.peek(0) == b'/' => {
                    self.bytes.push(b'/');
                    self.at += 1;
                    continue;
                }
                b'\\' if self.peek(0) != b'\n' => {
                    self.bytes.push(b'\\');
                    self.bytes.push(self.peek(0));
                    self.at += 1;
                    continue;
                }
                b'[' if bracket.is_none() => {
                    // `]` is literal at the beginning of the list.
                    let negated = usize::from(self.peek(0) == b'^');
                    bracket = self.has_bracket_end(negated).then_some(self.at + negated);
                }
                // `[:alpha:]` inside.
                b'[' if matches!(self.peek(0), b':' | b'.' | b'=') => {
                    let kind = self.peek(0);
                    let rest = &self.script.text[self.at + 1..];
                    let line = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
                    if let Some(length) = rest[..line].windows(2).position(|pair| pair == [kind, b']']) {
                        self.bytes.push(b'[');
                        self.bytes.extend_from_slice(&self.script.text[self.at..self.at + length + 3]);
                        self.at += length + 3;
                        continue;
                    }
                }
                b']' if bracket.is_some_and(|first| self.at - 1 > first) => bracket = None,
                _ => {}
            }
            self.bytes.push(byte);
        }
        self.token = Token::Regex;
        Ok(())
    }

    /// Whether the bracket expression that has begun ends on this line: then a slash in it ends nothing.
    fn has_bracket_end(&self, negated: usize) -> bool {
        let rest = &self.script.text[self.at..];
        let line = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        rest[..line].iter().skip(negated + 1).any(|&byte| byte == b']')
    }

    fn operator(&mut self, byte: u8) -> Result<Token> {
        let next = self.peek(1);
        let (token, length) = match (byte, next) {
            (b'\n', _) => (Token::Newline, 1),
            (b';', _) => (Token::Semicolon, 1),
            (b'{', _) => (Token::LeftBrace, 1),
            (b'}', _) => (Token::RightBrace, 1),
            (b'(', _) => (Token::LeftParen, 1),
            (b')', _) => (Token::RightParen, 1),
            (b'[', _) => (Token::LeftBracket, 1),
            (b']', _) => (Token::RightBracket, 1),
            (b',', _) => (Token::Comma, 1),
            (b'?', _) => (Token::Question, 1),
            (b':', _) => (Token::Colon, 1),
            (b'$', _) => (Token::Dollar, 1),
            (b'~', _) => (Token::Match, 1),
            (b'+', b'+') => (Token::Increment, 2),
            (b'+', b'=') => (Token::AddAssign, 2),
            (b'+', _) => (Token::Plus, 1),
            (b'-', b'-') => (Token::Decrement, 2),
            (b'-', b'=') => (Token::SubtractAssign, 2),
            (b'-', _) => (Token::Minus, 1),
            (b'*', b'*') if self.peek(2) == b'=' => (Token::PowerAssign, 3),
            (b'*', b'*') => (Token::Power, 2),
            (b'*', b'=') => (Token::MultiplyAssign, 2),
            (b'*', _) => (Token::Times, 1),
            (b'/', b'=') => (Token::DivideAssign, 2),
            (b'/', _) => (Token::Divide, 1),
            (b'%', b'=') => (Token::ModuloAssign, 2),
            (b'%', _) => (Token::Modulo, 1),
            (b'^', b'=') => (Token::PowerAssign, 2),
            (b'^', _) => (Token::Power, 1),
            (b'!', b'=') => (Token::NotEqual, 2),
            (b'!', b'~') => (Token::NoMatch, 2),
            (b'!', _) => (Token::Not, 1),
            (b'>', b'=') => (Token::GreaterEqual, 2),
            (b'>', b'>') => (Token::Append, 2),
            (b'>', _) => (Token::Greater, 1),
            (b'<', b'=') => (Token::LessEqual, 2),
            (b'<', _) => (Token::Less, 1),
            (b'=', b'=') => (Token::Equal, 2),
            (b'=', _) => (Token::Assign, 1),
            (b'&', b'&') => (Token::And, 2),
            (b'|', b'|') => (Token::Or, 2),
            (b'|', _) => (Token::Pipe, 1),
            _ => return Err(self.error("Unexpected token")),
        };
        self.at += length;
        Ok(token)
    }
}
