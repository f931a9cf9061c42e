//! The words of a call: PATHs, then the expression.

use core::cell::Cell;

use rbox_core::files::{Follow, stat};
use rbox_core::io::Output;
use rbox_core::mode;
use rbox_core::names;
use rbox_core::names::Names;
use rbox_core::number::{PLAIN, invalid, parse_count, parse_decimal};
use rbox_core::pattern::glob;
use rbox_core::pattern::regex::{self, Regex};
use rbox_core::prelude::*;
use rbox_core::sys::fs::{Access, CWD, Stat};
use rbox_core::time::{self, Moment, Zone};
use rbox_core::users;

use super::action::{Action, Batch, Command};
use super::expression::{Expression, Item, Part};
use super::format::time_named;
use super::test::{Compare, Test, Time, time_of};
use super::{Finder, Settings};

/// Parentheses and `!` may be nested so deep, and no deeper, as judging them takes stack.
const MOST_NESTED: usize = 200;

/// Units of -size in bytes.
const UNITS: Names = names! {
    "b" = 512, "" = 512, "c" = 1, "w" = 2, "k" = 1 << 10, "M" = 1 << 20, "G" = 1 << 30,
};

/// Whose regular expressions -regex reads.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Basic,
    Extended,
    Emacs,
}

struct Parser<'a, 'b> {
    words: &'a [&'b [u8]],
    at: usize,
    finder: Finder,
    now: Moment,
    /// What -mtime counts from: now, or with -daystart the end of today.
    age_from: Moment,
    dialect: Dialect,
    utf8: bool,
    path: Option<&'a [u8]>,
}

/// PATHs, expression, and what else the words ask for.
pub fn parse<'b>(env: &Env, words: &[&'b [u8]]) -> Result<(Vec<&'b [u8]>, Expression, Finder)> {
    let (follow, count) = leading_options(words)?;
    let words = &words[count..];
    let is_path = |word: &&&[u8]| !matches!(**word, [b'-', _, ..] | b"(" | b")" | b"!" | b",");
    let paths = words.iter().take_while(is_path).count();
    let now = Moment::now();
    let utf8 = env.is_utf8();
    let settings = Settings { follow, depth_first: false, one_device: false, least_depth: 0, most_depth: usize::MAX };
    let finder = Finder {
        settings,
        status: ExitStatus::SUCCESS,
        quit: false,
        device: 0,
        batches: Vec::new(),
        outputs: Vec::new(),
        zone: Zone::load(env.vars.get("TZ")),
        user_names: users::NameCache::default(),
        group_names: users::NameCache::default(),
        known_user: None,
        known_group: None,
        file_systems: Vec::new(),
        home: None,
        now: now.seconds,
    };
    let path = env.vars.get("PATH");
    let mut parser =
        Parser { words: &words[paths..], at: 0, finder, now, age_from: now, dialect: Dialect::Basic, utf8, path };
    let mut expression = if parser.words.is_empty() { Expression::default() } else { parser.expression(0)? };
    if parser.at < parser.words.len() {
        return Err(Error::new("unpaired ')'"));
    }
    if !expression.acts() {
        let print = Item { negated: false, part: Part::Action(Action::Print(b'\n', None)) };
        let items = match expression.0.is_empty() {
            true => vec![print],
            false => vec![Item { negated: false, part: Part::Group(expression) }, print],
        };
        expression = Expression(vec![vec![items]]);
    }
    let paths = if paths == 0 { vec![&b"."[..]] } else { words[..paths].to_vec() };
    Ok((paths, expression, parser.finder))
}

/// -H, -L and -P before the PATHs, also in one word: the last one counts.
fn leading_options(words: &[&[u8]]) -> Result<(Follow, usize)> {
    let (mut follow, mut count) = (Follow::Never, 0);
    for &word in words {
        match word {
            [b'-', letters @ ..] if !letters.is_empty() && letters.iter().all(|letter| b"HLP".contains(letter)) => {
                follow = match letters.last() {
                    Some(b'H') => Follow::Operands,
                    Some(b'L') => Follow::Always,
                    _ => Follow::Never,
                };
            }
            b"--" => return Ok((follow, count + 1)),
            _ => break,
        }
        count += 1;
    }
    Ok((follow, count))
}

impl<'b> Parser<'_, 'b> {
    fn peek(&self) -> Option<&'b [u8]> {
        self.words.get(self.at).copied()
    }

    fn take(&mut self, word: &[u8]) -> bool {
        let found = self.peek() == Some(word);
        self.at += usize::from(found);
        found
    }

    /// Parts joined by `,`, up to the end or a `)` that is not its own.
    fn expression(&mut self, depth: usize) -> Result<Expression> {
        let mut parts = vec![self.alternatives(depth)?];
        while self.take(b",") {
            parts.push(self.alternatives(depth)?);
        }
        Ok(Expression(parts))
    }

    fn alternatives(&mut self, depth: usize) -> Result<Vec<Vec<Item>>> {
        let mut alternatives = vec![self.items(depth)?];
        while self.take(b"-o") || self.take(b"-or") {
            alternatives.push(self.items(depth)?);
        }
        Ok(alternatives)
    }

    fn items(&mut self, depth: usize) -> Result<Vec<Item>> {
        let mut items = vec![self.item(depth)?];
        loop {
            let joined = self.take(b"-a") || self.take(b"-and");
            if !joined && matches!(self.peek(), None | Some(b")" | b"," | b"-o" | b"-or")) {
                return Ok(items);
            }
            items.push(self.item(depth)?);
        }
    }

    fn item(&mut self, depth: usize) -> Result<Item> {
        let mut negated = false;
        while self.take(b"!") || self.take(b"-not") {
            negated = !negated;
        }
        let Some(word) = self.peek() else { return Err(self.nothing(b"after", self.at.wrapping_sub(1))) };
        if matches!(word, b")" | b"," | b"-o" | b"-or" | b"-a" | b"-and") {
            return Err(self.nothing(b"before", self.at));
        }
        self.at += 1;
        if word != b"(" {
            return Ok(Item { negated, part: self.primary(word)? });
        }
        if depth == MOST_NESTED {
            return Err(Error::new("too many '('"));
        }
        if self.peek().is_none() {
            return Err(Error::new("unpaired '('"));
        }
        let group = self.expression(depth + 1)?;
        if !self.take(b")") {
            return Err(Error::new("unpaired '('"));
        }
        Ok(Item { negated, part: Part::Group(group) })
    }

    fn nothing(&self, place: &[u8], at: usize) -> Error {
        let word = self.words.get(at).copied().unwrap_or_default();
        Error::parts(&[b"nothing ", place, b" '", word, b"'"])
    }

    /// The word that the primary needs.
    fn argument(&mut self, name: &[u8]) -> Result<&'b [u8]> {
        let word = self.peek().ok_or_else(|| Error::parts(&[name, b" requires an argument"]))?;
        self.at += 1;
        Ok(word)
    }

    fn number(&mut self, name: &[u8]) -> Result<usize> {
        Ok(parse_count(self.argument(name)?, PLAIN)? as usize)
    }

    fn compare(&mut self, name: &[u8]) -> Result<Compare> {
        let word = self.argument(name)?;
        compare(word, word)
    }

    fn primary(&mut self, name: &[u8]) -> Result<Part> {
        if let Some(action) = self.action(name)? {
            return Ok(Part::Action(action));
        }
        self.test(name).map(Part::Test)
    }

    fn action(&mut self, name: &[u8]) -> Result<Option<Action>> {
        Ok(Some(match name {
            b"-print" => Action::Print(b'\n', None),
            b"-print0" => Action::Print(0, None),
            b"-printf" => Action::Format(self.argument(name)?.to_vec(), None),
            b"-ls" => Action::List(None),
            b"-fprint" => Action::Print(b'\n', self.output(name)?),
            b"-fprint0" => Action::Print(0, self.output(name)?),
            b"-fls" => Action::List(self.output(name)?),
            b"-fprintf" => {
                let output = self.output(name)?;
                Action::Format(self.argument(name)?.to_vec(), output)
            }
            b"-exec" | b"-execdir" | b"-ok" | b"-okdir" => self.execute(name)?,
            b"-delete" => {
                self.finder.settings.depth_first = true;
                Action::Delete
            }
            b"-prune" => Action::Prune,
            b"-quit" => Action::Quit,
            _ => return Ok(None),
        }))
    }

    fn output(&mut self, name: &[u8]) -> Result<Option<usize>> {
        let output = Output::create(self.argument(name)?)?;
        self.finder.outputs.push(output);
        Ok(Some(self.finder.outputs.len() - 1))
    }

    /// POSIX: a `+` ends the words only after a `{}` of its own.
    fn execute(&mut self, name: &[u8]) -> Result<Action> {
        let mut words: Vec<Vec<u8>> = Vec::new();
        let (in_directory, asks) = (name.ends_with(b"dir"), name.starts_with(b"-ok"));
        let is_batch = loop {
            let word = self.argument(name)?;
            match word {
                b";" => break false,
                b"+" if !asks && words.last().is_some_and(|last| last == b"{}") => break true,
                _ => words.push(word.to_vec()),
            }
        };
        let files = words.iter().filter(|word| rbox_core::bytes::find(word, b"{}").is_some()).count();
        words.truncate(words.len() - usize::from(is_batch));
        if words.is_empty() {
            return Err(Error::parts(&[name, b" requires an argument"]));
        }
        if is_batch && files > 1 {
            return Err(Error::parts(&[b"only one '{}' allowed for ", name, b" +"]));
        }
        // What lies in the files' directories must not run instead of a program.
        let insecure = |path: &[u8]| path.split(|byte| *byte == b':').any(|directory| !directory.starts_with(b"/"));
        if in_directory && self.path.is_some_and(|path| !path.is_empty() && insecure(path)) {
            return Err(Error::parts(&[name, b": PATH has a directory that is not absolute"]));
        }
        let command = Command { words, in_directory, asks, resolved: Cell::new(None) };
        if !is_batch {
            return Ok(Action::Execute(command));
        }
        self.finder.batches.push(Batch { command, files: Vec::new(), length: 0, directory: None });
        Ok(Action::Batch(self.finder.batches.len() - 1))
    }

    fn test(&mut self, name: &[u8]) -> Result<Test> {
        if let Some(test) = self.option(name)? {
            return Ok(test);
        }
        // `-iname` is `-name` without case, and so on.
        let fold = matches!(name, b"-iname" | b"-ipath" | b"-iwholename" | b"-ilname" | b"-iregex");
        let mut flags = if self.utf8 { glob::Flags::UTF8 } else { glob::Flags::NONE };
        if fold {
            flags = flags | glob::Flags::FOLD_CASE;
        }
        Ok(match name {
            b"-true" => Test::Constant(true),
            b"-false" => Test::Constant(false),
            b"-name" | b"-iname" => Test::Name(self.argument(name)?.to_vec(), flags),
            b"-path" | b"-ipath" | b"-wholename" | b"-iwholename" => Test::Path(self.argument(name)?.to_vec(), flags),
            b"-lname" | b"-ilname" => Test::Link(self.argument(name)?.to_vec(), flags),
            b"-regex" | b"-iregex" => self.regex(name, fold)?,
            b"-type" => Test::Type(letters(name, self.argument(name)?)?),
            b"-xtype" => Test::OtherType(letters(name, self.argument(name)?)?),
            b"-perm" => permissions(self.argument(name)?)?,
            b"-size" => {
                let word = self.argument(name)?;
                let digits = word.iter().take_while(|byte| byte.is_ascii_digit() || b"+-".contains(byte)).count();
                let unit = UNITS.number_of(&word[digits..]).ok_or_else(|| invalid(word))?;
                Test::Size(compare(&word[..digits], word)?, unit as i64)
            }
            b"-empty" => Test::Empty,
            b"-links" => Test::Links(self.compare(name)?),
            b"-inum" => Test::Inode(self.compare(name)?),
            b"-samefile" => {
                let stat = self.reference(name)?;
                Test::Same(stat.st_dev, stat.st_ino)
            }
            b"-user" => Test::User(Compare::Equal(users::user_id(self.argument(name)?)?.into())),
            b"-group" => Test::Group(Compare::Equal(users::group_id(self.argument(name)?)?.into())),
            b"-uid" => Test::User(self.compare(name)?),
            b"-gid" => Test::Group(self.compare(name)?),
            b"-nouser" => Test::NoUser,
            b"-nogroup" => Test::NoGroup,
            b"-amin" => Test::Age(Time::Access, 60, self.compare(name)?, self.age_from),
            b"-cmin" => Test::Age(Time::Change, 60, self.compare(name)?, self.age_from),
            b"-mmin" => Test::Age(Time::Modification, 60, self.compare(name)?, self.age_from),
            b"-atime" => Test::Age(Time::Access, 86_400, self.compare(name)?, self.age_from),
            b"-ctime" => Test::Age(Time::Change, 86_400, self.compare(name)?, self.age_from),
            b"-mtime" => Test::Age(Time::Modification, 86_400, self.compare(name)?, self.age_from),
            b"-newer" => self.newer(name, b'm', b'm')?,
            b"-anewer" => self.newer(name, b'a', b'm')?,
            b"-cnewer" => self.newer(name, b'c', b'm')?,
            [
                b'-',
                b'n',
                b'e',
                b'w',
                b'e',
                b'r',
                file @ (b'a' | b'B' | b'c' | b'm'),
                than @ (b'a' | b'c' | b'm' | b't'),
            ] => self.newer(name, *file, *than)?,
            b"-readable" => Test::Access(Access::READ_OK),
            b"-writable" => Test::Access(Access::WRITE_OK),
            b"-executable" => Test::Access(Access::EXEC_OK),
            b"-fstype" => Test::FileSystem(self.argument(name)?.to_vec()),
            _ => return Err(Error::usage_because(&[b"unrecognized: ", name])),
        })
    }

    /// What changes the walk, wherever it is.
    fn option(&mut self, name: &[u8]) -> Result<Option<Test>> {
        match name {
            b"-depth" | b"-d" => self.finder.settings.depth_first = true,
            b"-xdev" | b"-mount" => self.finder.settings.one_device = true,
            b"-follow" => self.finder.settings.follow = Follow::Always,
            b"-maxdepth" => self.finder.settings.most_depth = self.number(name)?,
            b"-mindepth" => self.finder.settings.least_depth = self.number(name)?,
            b"-daystart" => {
                let today = self.finder.zone.civil(self.now.seconds);
                let midnight = time::Civil { hour: 0, minute: 0, second: 0, ..today };
                self.age_from = Moment { seconds: self.finder.zone.moment(&midnight) + 86_400, nanos: 0 };
            }
            b"-regextype" => {
                let word = self.argument(name)?;
                self.dialect = match word {
                    b"basic" | b"posix-basic" | b"posix-minimal-basic" | b"grep" | b"sed" | b"ed" => Dialect::Basic,
                    b"extended" | b"posix-extended" | b"posix-egrep" | b"egrep" | b"posix-awk" | b"gnu-awk"
                    | b"awk" => Dialect::Extended,
                    b"emacs" | b"findutils-default" => Dialect::Emacs,
                    _ => return Err(wrong(name, word)),
                };
            }
            _ => return Ok(None),
        }
        Ok(Some(Test::Constant(true)))
    }

    fn regex(&mut self, name: &[u8], fold: bool) -> Result<Test> {
        let pattern = self.argument(name)?;
        let mut flags = regex::Flags::NONE;
        for (is_set, flag) in [
            (self.utf8, regex::Flags::UTF8),
            (fold, regex::Flags::FOLD_CASE),
            (self.dialect != Dialect::Basic, regex::Flags::EXTENDED),
        ] {
            if is_set {
                flags = flags | flag;
            }
        }
        let compiled = match self.dialect {
            Dialect::Emacs => Regex::new(&extended_of_emacs(pattern), flags),
            _ => Regex::new(pattern, flags),
        };
        let regex = compiled.map_err(|error| error.about(pattern))?;
        Ok(Test::Regex(Box::new(regex)))
    }

    fn newer(&mut self, name: &[u8], file: u8, than: u8) -> Result<Test> {
        let than = if than == b't' {
            let word = self.argument(name)?;
            let moment = time::parse(word, self.now, &self.finder.zone);
            moment.ok_or_else(|| Error::parts(&[b"invalid date '", word, b"'"]))?
        } else {
            time_of(&self.reference(name)?, time_named(than))
        };
        Ok(Test::Newer(time_named(file), than))
    }

    /// The attributes of the file that the primary names; of a link itself unless links are followed.
    fn reference(&mut self, name: &[u8]) -> Result<Stat> {
        let path = self.argument(name)?;
        let follow = self.finder.settings.follow != Follow::Never;
        stat(CWD, path, follow).map_err(|errno| Error::cannot("stat", path, errno))
    }
}

fn wrong(name: &[u8], word: &[u8]) -> Error {
    Error::parts(&[b"invalid argument '", word, b"' to '", name, b"'"])
}

fn compare(number: &[u8], word: &[u8]) -> Result<Compare> {
    let (make, digits): (fn(i64) -> Compare, _) = match number {
        [b'+', digits @ ..] => (Compare::More, digits),
        [b'-', digits @ ..] => (Compare::Less, digits),
        digits => (Compare::Equal, digits),
    };
    let number = parse_decimal(digits).and_then(|number| i64::try_from(number).ok());
    number.map(make).ok_or_else(|| invalid(word))
}

/// Characters of types, a comma between two.
fn letters(name: &[u8], word: &[u8]) -> Result<Vec<u8>> {
    word.split(|byte| *byte == b',')
        .map(|part| match part {
            [letter @ (b'f' | b'd' | b'l' | b'c' | b'b' | b'p' | b's')] => Ok(*letter),
            _ => Err(wrong(name, word)),
        })
        .collect()
}

/// `MODE`, `-MODE`, `/MODE`, and `+MODE` for the latter as in BusyBox.
fn permissions(word: &[u8]) -> Result<Test> {
    let (form, mode) = match word {
        [b'-', mode @ ..] => (b'-', mode),
        [b'/' | b'+', mode @ ..] => (b'/', mode),
        mode => (b'=', mode),
    };
    Ok(Test::Mode(form, mode::apply(mode, 0, false, 0)?))
}

/// An expression as Emacs reads it, in extended form: groups and alternatives have backslashes, braces mean nothing.
fn extended_of_emacs(pattern: &[u8]) -> Vec<u8> {
    let (mut text, mut rest) = (Vec::new(), pattern);
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after.first()) {
            (b'\\', Some(&next @ (b'(' | b')' | b'|'))) => {
                text.push(next);
                rest = &after[1..];
            }
            (b'\\', Some(&next)) => {
                text.extend_from_slice(&[b'\\', next]);
                rest = &after[1..];
            }
            (b'(' | b')' | b'|' | b'{' | b'}', _) => text.extend_from_slice(&[b'\\', byte]),
            _ => text.push(byte),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emacs_expressions_are_turned_round() {
        assert_eq!(extended_of_emacs(br"\(a\|b\)+(x){2}\."), br"(a|b)+\(x\)\{2\}\.");
    }

    #[test]
    fn permissions_have_forms() {
        for (word, form, bits) in [
            (&b"644"[..], b'=', 0o644),
            (b"-u+x,g=r", b'-', 0o140),
            (b"/222", b'/', 0o222),
            (b"+111", b'/', 0o111),
            (b"u=rw", b'=', 0o600),
        ] {
            assert!(matches!(permissions(word), Ok(Test::Mode(f, b)) if f == form && b == bits), "{word:?}");
        }
    }
}
