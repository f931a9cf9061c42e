//! Virtual subshells: commands that run in the shell's own process, with the same result as in a fork (XCU 2.12).
//!
//! A body is checked before it runs: every command in it must be a builtin that changes variables alone, an applet that
//! may run inline, an external command, or a function made of these. A snapshot of what it may change is restored after
//! it.

use crate::state::options::Options;
use crate::state::slot::Slot;
use crate::state::slot::Special;
use crate::state::traps::{DEBUG, ERR};
use crate::state::{Computed, Parameters};
use crate::state::{Fail, Run, Shell};
use crate::syntax::ast::{
    Arith, Assign, Condition, Node, ParamName, ParamOp, Part, Pattern, Pipeline, RedirectFd, RedirectKind, Redirection,
    Simple, Word,
};
use crate::syntax::symbols::Sym;
use rbox_core::applet::Isolation;
use std::rc::Rc;

/// Commands that a body may have; with more, a fork costs less than the check.
const MOST_COMMANDS: u32 = 200;
/// Variables in a snapshot; with more, a fork costs less.
const MOST_VARIABLES: usize = 1000;

/// What a body does: `Some(false)` when it changes nothing, `Some(true)` when it may change what a snapshot restores, `None`
/// when it needs a fork.
type Effect = Option<bool>;

/// What a subshell may change.
struct Snapshot {
    variables: Vec<Slot>,
    parameters: Parameters,
    options: Options,
    computed: Computed,
}

impl Shell {
    /// Whether a body may run in this process, and what it does then.
    pub fn subshell_effect(&mut self, body: &Node) -> Effect {
        if self.options.xtrace || self.options.verbose || self.options.monitor || self.must_fork() {
            return None;
        }
        // Subshells have no traps but EXIT's of their own: a signal would run one here and end a subshell there.
        let is_trapped = self.traps.actions.iter().skip(1).any(Option::is_some);
        let is_reported = self.traps.actions[ERR].is_some() || self.traps.actions[DEBUG].is_some();
        if is_trapped && (is_reported || !self.is_single(body)) {
            return None;
        }
        let effect = Check { shell: self, left: MOST_COMMANDS }.node(body)?;
        (!effect || self.variables.len() <= MOST_VARIABLES).then_some(effect)
    }

    /// Whether a body is one command that is no function.
    fn is_single(&mut self, body: &Node) -> bool {
        match body {
            Node::Simple(simple) => simple.name.is_some_and(|name| self.slot(name).function.is_none()),
            _ => false,
        }
    }

    /// Runs a checked body as a subshell: an `exit` ends it alone, and what it changed is restored.
    pub fn run_virtual_subshell(&mut self, body: &Node, changes: bool) -> Run {
        let snapshot = changes.then(|| Snapshot {
            variables: self.variables.clone(),
            parameters: self.parameters.clone(),
            options: self.options.clone(),
            computed: self.computed.clone(),
        });
        self.forget_waited_jobs();
        let (line, builtin, loops) = (self.location.line, self.location.builtin, self.flow.loops);
        let is_virtual = std::mem::replace(&mut self.flow.is_virtual, true);
        self.flow.depth += 1;
        let result = self.run(body);
        self.flow.depth -= 1;
        self.flow.is_virtual = is_virtual;
        (self.location.line, self.location.builtin, self.flow.loops) = (line, builtin, loops);
        if let Some(snapshot) = snapshot {
            self.variables = snapshot.variables;
            // Names that the body brought in have no value here.
            self.variables.resize_with(self.symbols.len(), Slot::default);
            self.parameters = snapshot.parameters;
            self.options = snapshot.options;
            self.computed = snapshot.computed;
        }
        match result {
            Err(Fail::Error) if self.status == 0 => self.status = 2,
            _ => {}
        }
        Ok(())
    }

    /// Runs `text-builtin | applet` here: what the builtin prints is in memory, and is the applet's standard input.
    /// `None` when the pipeline is another one.
    pub(super) fn run_short_pipeline(&mut self, pipeline: &Pipeline) -> Option<Run> {
        if !self.is_short(pipeline) {
            return None;
        }
        let [first, last] = &*pipeline.commands else { return None };
        let Node::Simple(last) = &**last else { return None };
        let words = match self.expand_words(&last.words) {
            Ok(words) => words,
            Err(fail) => return Some(Err(fail)),
        };
        let outer = self.streams.capture.replace(Vec::new());
        // The first command's failure is the pipeline's with pipefail alone.
        self.flow.tested += 1;
        let result = self.run_virtual_subshell(first, false);
        self.flow.tested -= 1;
        let text = std::mem::replace(&mut self.streams.capture, outer).unwrap_or_default();
        let failed = self.status;
        let run = result.and_then(|()| self.run_applet_on(&words, &last.redirections, text));
        if self.options.bash {
            self.computed.pipe_status = vec![failed, self.status];
        }
        if self.options.pipefail && self.status == 0 {
            self.status = failed;
        }
        Some(run.and_then(|()| self.check_errexit()))
    }

    /// Whether a pipeline is a builtin that prints its words, and an applet that is safe here.
    fn is_short(&mut self, pipeline: &Pipeline) -> bool {
        let [first, last] = &*pipeline.commands else { return false };
        let (Node::Simple(first), Node::Simple(last)) = (&**first, &**last) else { return false };
        if self.options.xtrace || self.must_fork() || self.traps.actions[DEBUG].is_some() {
            return false;
        }
        let prints = match first.name {
            Some(name) if self.slot(name).function.is_none() => {
                let found = self.builtin_of(name).map_or("", |found| found.name);
                // bash's `printf -v` assigns.
                found == "echo" || (found == "printf" && !self.options.bash)
            }
            _ => false,
        };
        let is_plain = |simple: &Simple| simple.assigns.is_empty() && simple.name.is_some();
        let mut check = Check { shell: self, left: MOST_COMMANDS };
        prints
            && is_plain(last)
            && first.assigns.is_empty()
            && first.redirections.is_empty()
            && check.words(&first.words) == Some(false)
            && check.words(&last.words) == Some(false)
            && last.words.iter().all(reads_nothing)
            && check.redirections(&last.redirections, false) == Some(false)
            && last.name.is_some_and(|name| check.shell.is_inline_applet(name))
    }

    /// Whether the name leads to an applet that is safe here, past functions and builtins.
    fn is_inline_applet(&mut self, name: Sym) -> bool {
        if self.slot(name).function.is_some() || self.builtin_of(name).is_some() {
            return false;
        }
        let text = Rc::clone(self.symbols.name(name));
        let Some(id) = self.own_applet(&text) else { return false };
        self.registry.form(id).isolation == Isolation::Inline
    }
}

/// A walk through a body.
struct Check<'a> {
    shell: &'a mut Shell,
    /// How many commands may follow.
    left: u32,
}

/// Whether a word can be expanded before its command has its standard input.
fn reads_nothing(word: &Word) -> bool {
    match word {
        Word::Literal(_) => true,
        Word::Parts(parts) | Word::Declaration(parts) => {
            parts.iter().all(|part| !matches!(part, Part::Command(_) | Part::Process(..)))
        }
    }
}

/// The effect of two parts together.
fn both(first: Effect, second: impl FnOnce() -> Effect) -> Effect {
    let first = first?;
    Some(second()? || first)
}

fn all<T>(parts: impl IntoIterator<Item = T>, mut effect_of: impl FnMut(T) -> Effect) -> Effect {
    parts.into_iter().try_fold(false, |changes, part| Some(effect_of(part)? || changes))
}

impl Check<'_> {
    fn node(&mut self, node: &Node) -> Effect {
        self.left = self.left.checked_sub(1)?;
        match node {
            Node::Simple(simple) => self.simple(simple),
            Node::Sequence(nodes) => all(nodes, |node| self.node(node)),
            Node::AndOr(first, rest) => both(self.node(first), || all(rest, |(_, node)| self.node(node))),
            Node::Not(inner) | Node::Group(inner) => self.node(inner),
            Node::Subshell(inner) => self.node(inner),
            Node::Redirected(inner, redirections) => both(self.node(inner), || self.redirections(redirections, false)),
            Node::If(arms, otherwise) => {
                both(all(arms, |(test, body)| both(self.node(test), || self.node(body))), || {
                    all(otherwise.as_deref(), |body| self.node(body))
                })
            }
            Node::While(test, body, _) => both(self.node(test), || self.node(body)),
            Node::For(found) => both(all(&found.words, |words| self.words(words)), || {
                both(self.node(&found.body), || self.sets(found.name))
            }),
            Node::Case(case) => both(self.word(&case.word), || {
                all(&case.arms, |arm| {
                    both(all(&arm.patterns, |pattern| self.pattern(pattern)), || all(&arm.body, |body| self.node(body)))
                })
            }),
            Node::Condition(condition, _) => self.condition(condition),
            Node::Arith(arith, _) => self.arith(arith),
            Node::Pipeline(pipeline) => self.shell.is_short(pipeline).then_some(false),
            Node::ArithFor(_) | Node::Select(_) | Node::Function(..) | Node::Background(_) => None,
            Node::Time(..) | Node::Coprocess(..) => None,
        }
    }

    fn simple(&mut self, simple: &Simple) -> Effect {
        let assigns = all(&simple.assigns, |assign| self.assignment(assign))?;
        let words = self.words(&simple.words)?;
        if simple.words.is_empty() {
            return both(Some(assigns || words), || self.redirections(&simple.redirections, false));
        }
        let name = simple.name?;
        let is_function = self.shell.slot(name).function.clone();
        if let Some(builtin) = self.shell.builtin_of(name)
            && (builtin.special || is_function.is_none())
        {
            let changes = match builtin.name {
                // bash's `printf -v` assigns.
                "printf" => self.shell.options.bash,
                _ if builtin.pure => false,
                "read" | "local" | "shift" | "return" | "break" | "continue" | "exit" | "unset" | "getopts" | "let" => {
                    true
                }
                "type" => false,
                "umask" if simple.words.len() == 1 => false,
                "command" if matches!(simple.words.get(1), Some(Word::Literal(word)) if **word == *b"-v") => false,
                _ => return None,
            };
            let redirections = self.redirections(&simple.redirections, false)?;
            return Some(changes || assigns || words || redirections);
        }
        if let Some(function) = is_function {
            let body = self.node(&function.body)?;
            return both(Some(assigns || words || body), || self.redirections(&simple.redirections, false));
        }
        let is_inline = self.shell.is_inline_applet(name);
        let redirections = self.redirections(&simple.redirections, !is_inline)?;
        Some(assigns || words || redirections)
    }

    fn assignment(&mut self, assign: &Assign) -> Effect {
        let subscript = all(assign.subscript.as_deref(), |subscript| self.arith(subscript))?;
        both(self.word(&assign.value).map(|value| value || subscript), || self.sets(assign.name))
    }

    /// An assignment, unless it is to PATH, by which commands were found.
    fn sets(&mut self, name: Sym) -> Effect {
        (self.shell.slot(name).special != Special::Path).then_some(true)
    }

    /// `piped`: standard output is a real descriptor, so that others may be made copies of it.
    fn redirections(&mut self, redirections: &[Redirection], piped: bool) -> Effect {
        all(redirections, |one| {
            if matches!(one.fd, RedirectFd::Variable(_)) {
                return None;
            }
            if let Some(here) = &one.here {
                return all(here.body.get(), |word| self.word(word));
            }
            if matches!(one.kind, RedirectKind::DupIn | RedirectKind::DupOut)
                && !piped
                && !matches!(&one.word, Word::Literal(word) if **word != *b"1")
            {
                return None;
            }
            self.word(&one.word)
        })
    }

    fn words(&mut self, words: &[Word]) -> Effect {
        all(words, |word| self.word(word))
    }

    fn word(&mut self, word: &Word) -> Effect {
        match word {
            Word::Literal(_) => Some(false),
            Word::Parts(parts) | Word::Declaration(parts) => all(parts, |part| self.part(part)),
        }
    }

    fn part(&mut self, part: &Part) -> Effect {
        match part {
            Part::Literal(_) | Part::Quoted(_) | Part::Tilde(_) | Part::Command(_) => Some(false),
            Part::Param(param) => both(
                match &param.name {
                    ParamName::Element(_, subscript) => self.arith(subscript),
                    ParamName::Var(name) if self.shell.slot(*name).special == Special::OwnPid => None,
                    _ => Some(false),
                },
                || self.operation(&param.op),
            ),
            Part::Arith(arith, _) => self.arith(arith),
            Part::List(elements) => all(elements, |element| {
                both(self.word(&element.word), || all(&element.subscript, |subscript| self.arith(subscript)))
            }),
            Part::Process(..) => None,
        }
    }

    fn operation(&mut self, operation: &ParamOp) -> Effect {
        match operation {
            ParamOp::Plain
            | ParamOp::Length
            | ParamOp::Transform(_)
            | ParamOp::Names(_)
            | ParamOp::Keys
            | ParamOp::Bad(_) => Some(false),
            ParamOp::Default(b'=', _, word) => self.word(word).map(|_| true),
            ParamOp::Default(_, _, word) => self.word(word),
            ParamOp::Trim(_, _, pattern) => self.pattern(pattern),
            ParamOp::Replace(_, _, pattern, word) => both(self.pattern(pattern), || self.word(word)),
            ParamOp::Case(_, _, pattern) => all(pattern, |pattern| self.pattern(pattern)),
            ParamOp::Slice(start, length) => {
                both(self.arith(start), || all(length.as_deref(), |length| self.arith(length)))
            }
            _ => None,
        }
    }

    /// Any arithmetic may assign.
    fn arith(&mut self, arith: &Arith) -> Effect {
        self.word(&arith.text).map(|_| true)
    }

    fn pattern(&mut self, pattern: &Pattern) -> Effect {
        match pattern {
            Pattern::Exact(_) | Pattern::Static(_) => Some(false),
            Pattern::Dynamic(word) => self.word(word),
        }
    }

    fn condition(&mut self, condition: &Condition) -> Effect {
        match condition {
            Condition::Not(inner) => self.condition(inner),
            Condition::And(left, right) | Condition::Or(left, right) => {
                both(self.condition(left), || self.condition(right))
            }
            Condition::Unary(_, word) | Condition::Word(word) => self.word(word),
            Condition::Binary(left, _, right) | Condition::Regex(left, right) => {
                both(self.word(left), || self.word(right))
            }
            Condition::Match(word, pattern, _) => both(self.word(word), || self.pattern(pattern)),
        }
    }
}
