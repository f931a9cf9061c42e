//! Conditional expressions: what `test` and `[` evaluate (POSIX XCU test), and the operators of `[[ ]]`.

use crate::callback;
use crate::sys::fs::{self, Access, FileType};
use crate::sys::{fd, process, termios};

/// The value of an expression, or what to say about a wrong one.
pub type Judged = Result<bool, Vec<u8>>;

callback! {
    /// Answers `-v NAME`: whether a variable of that name is set.
    pub IsSet = AskIsSet<'b>(&'b [u8]) -> bool
}

/// The value of the words of `[ EXPRESSION ]`, the closing bracket among them.
pub fn bracket(words: &[&[u8]], is_set: &mut IsSet<'_>) -> Judged {
    match words.split_last() {
        Some((&b"]", words)) => test(words, is_set),
        _ => Err(b"missing ]".to_vec()),
    }
}

/// The value of the words: by their count up to four, as XCU test says, else by precedence.
pub fn test(words: &[&[u8]], is_set: &mut IsSet<'_>) -> Judged {
    match words {
        [] => Ok(false),
        [one] => Ok(!one.is_empty()),
        // XCU test: of three words a binary operator in the middle counts first.
        [left, operator, right] if is_binary(operator) => binary_or(left, operator, right),
        [b"!", rest @ ..] if rest.len() <= 3 => test(rest, is_set).map(|result| !result),
        [operator, operand] if is_unary(operator) => unary_or(operator, operand, is_set),
        [b"(", inner @ .., b")"] if inner.len() == 1 || inner.len() == 2 => test(inner, is_set),
        _ => {
            let mut reader = Reader { is_set, words, at: 0, depth: 0 };
            let result = reader.or()?;
            match reader.peek() {
                None => Ok(result),
                Some(word) => Err([word, b": unknown operand"].concat()),
            }
        }
    }
}

struct Reader<'a, 'b, 's> {
    is_set: &'a mut IsSet<'s>,
    words: &'a [&'b [u8]],
    at: usize,
    depth: u32,
}

impl<'b> Reader<'_, 'b, '_> {
    fn peek(&self) -> Option<&'b [u8]> {
        self.words.get(self.at).copied()
    }

    fn next(&mut self) -> Result<&'b [u8], Vec<u8>> {
        let word = self.peek().ok_or_else(|| b"argument expected".to_vec())?;
        self.at += 1;
        Ok(word)
    }

    fn or(&mut self) -> Judged {
        let mut result = self.and()?;
        while self.peek() == Some(b"-o") {
            self.at += 1;
            result |= self.and()?;
        }
        Ok(result)
    }

    fn and(&mut self) -> Judged {
        let mut result = self.not()?;
        while self.peek() == Some(b"-a") {
            self.at += 1;
            result &= self.not()?;
        }
        Ok(result)
    }

    fn not(&mut self) -> Judged {
        if self.peek() == Some(b"!") {
            let mut negated = false;
            while self.peek() == Some(b"!") && self.at + 1 < self.words.len() {
                self.at += 1;
                negated = !negated;
            }
            return self.primary().map(|result| result != negated);
        }
        self.primary()
    }

    fn primary(&mut self) -> Judged {
        let first = self.next()?;
        if let Some(operator) = self.peek()
            && is_binary(operator)
        {
            self.at += 1;
            let Ok(right) = self.next() else { return Err([operator, b": argument expected"].concat()) };
            return binary_or(first, operator, right);
        }
        if first == b"(" {
            self.depth += 1;
            if self.depth > 200 {
                return Err(b"nested too deeply".to_vec());
            }
            let result = self.or()?;
            self.depth -= 1;
            return match self.next() {
                Ok(b")") => Ok(result),
                _ => Err(b"closing paren expected".to_vec()),
            };
        }
        if is_unary(first) && self.at < self.words.len() {
            let operand = self.next()?;
            return unary_or(first, operand, self.is_set);
        }
        Ok(!first.is_empty())
    }
}

fn is_unary(word: &[u8]) -> bool {
    matches!(word, [b'-', letter] if b"bcdefghknprstuvwxzGLOS".contains(letter))
}

fn is_binary(word: &[u8]) -> bool {
    matches!(
        word,
        b"=" | b"=="
            | b"!="
            | b"<"
            | b">"
            | b"-eq"
            | b"-ne"
            | b"-lt"
            | b"-le"
            | b"-gt"
            | b"-ge"
            | b"-nt"
            | b"-ot"
            | b"-ef"
    )
}

fn unary_or(operator: &[u8], operand: &[u8], is_set: &mut IsSet<'_>) -> Judged {
    if operator == b"-t" && parse(operand).is_none() {
        return Err(bad_number(operand));
    }
    unary(operator, operand, is_set).ok_or_else(|| [operator, b": unknown operand"].concat())
}

fn binary_or(left: &[u8], operator: &[u8], right: &[u8]) -> Judged {
    match binary(left, operator, right) {
        Ok(Some(result)) => Ok(result),
        Ok(None) => Err([operator, b": unknown operand"].concat()),
        Err(message) => Err(message),
    }
}

/// What is said of a word that is no number.
fn bad_number(word: &[u8]) -> Vec<u8> {
    let ([b'-' | b'+', digits @ ..] | digits) = word.trim_ascii();
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let reason: &[u8] = if is_number { b": out of range" } else { b": bad number" };
    // BusyBox leaves an empty word out with its colon.
    [word, &reason[if word.is_empty() { 2 } else { 0 }..]].concat()
}

/// The value of a unary operator; `None` when there is no such one.
pub fn unary(operator: &[u8], operand: &[u8], is_set: &mut IsSet<'_>) -> Option<bool> {
    let [b'-', letter] = operator else { return None };
    let kind = |wanted: FileType| fs::stat(operand).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == wanted);
    let mode = |bit: u32| fs::stat(operand).is_ok_and(|stat| stat.st_mode & bit != 0);
    let allowed = |access| fs::accessat(fs::CWD, operand, access, fs::AtFlags::EACCESS).is_ok();
    Some(match letter {
        b'n' => !operand.is_empty(),
        b'z' => operand.is_empty(),
        b'e' => fs::stat(operand).is_ok(),
        b'f' => kind(FileType::RegularFile),
        b'd' => kind(FileType::Directory),
        b'b' => kind(FileType::BlockDevice),
        b'c' => kind(FileType::CharacterDevice),
        b'p' => kind(FileType::Fifo),
        b'S' => kind(FileType::Socket),
        b'h' | b'L' => fs::lstat(operand).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Symlink),
        b's' => fs::stat(operand).is_ok_and(|stat| stat.st_size > 0),
        b'r' => allowed(Access::READ_OK),
        b'w' => allowed(Access::WRITE_OK),
        b'x' => allowed(Access::EXEC_OK),
        b'u' => mode(0o4000),
        b'g' => mode(0o2000),
        b'k' => mode(0o1000),
        b'O' => fs::stat(operand).is_ok_and(|stat| stat.st_uid == process::geteuid().as_raw()),
        b'G' => fs::stat(operand).is_ok_and(|stat| stat.st_gid == process::getegid().as_raw()),
        b't' => i32::try_from(parse(operand)?).is_ok_and(|number| fd::named(number).is_ok_and(termios::isatty)),
        b'v' => is_set.call(operand),
        _ => return None,
    })
}

fn parse(word: &[u8]) -> Option<i64> {
    let (negative, digits) = match word.trim_ascii() {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let value = crate::number::parse_decimal(digits)?;
    if negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

/// The value of a binary operator; `None` when there is no such one, an error with what to say of what is no number.
pub fn binary(left: &[u8], operator: &[u8], right: &[u8]) -> Result<Option<bool>, Vec<u8>> {
    let stat = |path: &[u8]| fs::stat(path).ok();
    let time = |path: &[u8]| stat(path).map(|found| (found.st_mtime, found.st_mtime_nsec));
    Ok(Some(match operator {
        b"=" | b"==" => left == right,
        b"!=" => left != right,
        b"<" => left < right,
        b">" => left > right,
        b"-nt" => time(left) > time(right),
        b"-ot" => time(left) < time(right),
        b"-ef" => match (stat(left), stat(right)) {
            (Some(left), Some(right)) => (left.st_dev, left.st_ino) == (right.st_dev, right.st_ino),
            _ => false,
        },
        _ => {
            let (Some(a), Some(b)) = (parse(left), parse(right)) else {
                if !is_binary(operator) {
                    return Ok(None);
                }
                return Err(bad_number(if parse(left).is_none() { left } else { right }));
            };
            match operator {
                b"-eq" => a == b,
                b"-ne" => a != b,
                b"-lt" => a < b,
                b"-le" => a <= b,
                b"-gt" => a > b,
                b"-ge" => a >= b,
                _ => return Ok(None),
            }
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(words: &[&str]) -> Judged {
        let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
        test(&words, &mut IsSet::new(&mut |name| name == b"HOME"))
    }

    #[test]
    fn few_words_are_told_apart_by_their_number() {
        for (words, expected) in [
            (&[][..], false),
            (&["-f"], true),
            (&["!"], true),
            (&["!", ""], true),
            (&["(", "=", "("], true),
            (&["(", "x", ")"], true),
            (&["-n", "=", "-n"], true),
            (&["!", "=", "!"], true),
            (&["!", "x", "=", "y"], true),
            (&["-v", "HOME"], true),
            (&["-v", "NONE"], false),
        ] {
            assert_eq!(judge(words), Ok(expected), "{words:?}");
        }
    }

    #[test]
    fn many_words_follow_precedence() {
        assert_eq!(judge(&["x", "-o", "", "-a", ""]), Ok(true));
        assert_eq!(judge(&["(", "x", "-o", "", ")", "-a", ""]), Ok(false));
        assert_eq!(judge(&["1", "-lt", " 2", "-a", "!", "-e", "/proc/nonexistent"]), Ok(true));
    }

    #[test]
    fn wrong_expressions_are_told() {
        assert_eq!(judge(&["1", "-eq", "x"]), Err(b"x: bad number".to_vec()));
        assert_eq!(judge(&["99999999999999999999", "-eq", "1"]), Err(b"99999999999999999999: out of range".to_vec()));
        assert_eq!(judge(&["a", "b", "c"]), Err(b"b: unknown operand".to_vec()));
        assert!(judge(&["("; 1000]).is_err());
        assert_eq!(bracket(&[b"x"], &mut IsSet::new(&mut |_| false)), Err(b"missing ]".to_vec()));
    }
}
