//! The expression: lists of lists of primaries, so that a long one is evaluated without recursion.

use rbox_core::prelude::*;

use super::action::Action;
use super::test::Test;
use super::{File, Finder};

/// Evaluated from left to right: parts of `,`, of which the last decides, each of alternatives of `-o`, each of items
/// that must all hold.
#[derive(Default)]
pub struct Expression(pub Vec<Vec<Vec<Item>>>);

/// A primary, or its contrary.
pub struct Item {
    /// True after an odd number of `!`.
    pub negated: bool,
    /// What is evaluated.
    pub part: Part,
}

/// What can be in an expression.
pub enum Part {
    /// An expression in parentheses.
    Group(Expression),
    /// A primary that only looks.
    Test(Test),
    /// A primary that does something.
    Action(Action),
}

impl Expression {
    /// True when there is an action that replaces -print.
    pub fn acts(&self) -> bool {
        self.0.iter().flatten().flatten().any(|item| match &item.part {
            Part::Group(group) => group.acts(),
            Part::Action(action) => !matches!(action, Action::Prune),
            Part::Test(_) => false,
        })
    }
}

impl Finder {
    /// Evaluates the expression for the file.
    pub fn holds(&mut self, env: &mut Env, expression: &Expression, file: &mut File<'_>) -> Result<bool> {
        let mut result = false;
        for alternatives in &expression.0 {
            result = false;
            for items in alternatives {
                result = self.all_hold(env, items, file)?;
                if result || self.quit {
                    break;
                }
            }
        }
        Ok(result)
    }

    fn all_hold(&mut self, env: &mut Env, items: &[Item], file: &mut File<'_>) -> Result<bool> {
        for item in items {
            let holds = match &item.part {
                Part::Group(group) => self.holds(env, group, file)?,
                Part::Test(test) => self.test(test, file)?,
                Part::Action(action) => self.act(env, action, file)?,
            };
            if holds == item.negated || self.quit {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
