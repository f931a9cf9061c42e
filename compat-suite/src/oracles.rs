//! Other shells as oracles: what dash and `bash --posix` make of the shell's cases.
//!
//! They vote with status and standard output; messages are BusyBox's own. A case is worth a look where we do what
//! BusyBox does and both others agree on something else, and where we differ from BusyBox and neither does as we do.
//! Such a case fails until it is fixed or says why in a line `against:`; that line fails when they no longer are.

use compat_suite::ask_all;
use compat_suite::case::Case;
use compat_suite::run::Systems;

/// The shells that vote.
const SHELLS: [&str; 2] = ["dash", "bash"];

/// Asks them about each case of the shell; false when a case is against them without that line, or has it without need.
pub fn vote(cases: &[Case], systems: &Systems) -> Result<bool, String> {
    for shell in SHELLS {
        if !systems.add_shell(shell)? {
            println!("no vote: {shell} is not installed");
            return Ok(std::env::var_os("CI").is_none());
        }
    }
    // On a terminal, and as root in a small system, more than the shell decides.
    let ours = |case: &&Case| case.file.starts_with("shell/") && !case.tty && !case.namespace;
    let cases: Vec<Case> = cases.iter().filter(ours).cloned().collect();
    let (mut unexplained, mut needless, mut explained) = (0, 0, 0);
    for (case, votes) in cases.iter().zip(ask_all(&cases, |case, worker| Votes::on(case, systems, worker))) {
        let votes = votes?;
        match (votes.are_against(case), &case.against) {
            (true, None) => {
                unexplained += 1;
                println!("{}\n{}{}", case.title(), case.script, votes.table());
            }
            (true, Some(_)) => explained += 1,
            (false, Some(_)) => {
                needless += 1;
                println!("{}: dash and bash are no longer against it, take the line out", case.title());
            }
            (false, None) => {}
        }
    }
    println!("{} cases, dash and bash against {explained} that say why, {unexplained} that do not", cases.len());
    Ok(unexplained + needless == 0)
}

/// What each shell makes of a case: output and status.
struct Votes {
    rbox: String,
    others: [String; 2],
}

impl Votes {
    fn on(case: &Case, systems: &Systems, worker: usize) -> Result<Self, String> {
        let ask = |system| -> Result<String, String> {
            let outcome = systems.run(case, system, worker)?;
            Ok(format!("{}status {}", outcome.stdout, outcome.status))
        };
        Ok(Self { rbox: ask("rbox")?, others: [ask(SHELLS[0])?, ask(SHELLS[1])?] })
    }

    fn are_against(&self, case: &Case) -> bool {
        let [first, second] = &self.others;
        let neither = *first != self.rbox && *second != self.rbox;
        neither && (case.differs.is_some() || first == second)
    }

    fn table(&self) -> String {
        let mut text = format!("--- rbox\n{}", self.rbox);
        for (shell, vote) in SHELLS.iter().zip(&self.others) {
            text.push_str(&format!("--- {shell}\n{vote}"));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn votes(rbox: &str, dash: &str, bash: &str) -> Votes {
        Votes { rbox: rbox.into(), others: [dash.into(), bash.into()] }
    }

    #[test]
    fn both_must_agree_against_what_busybox_does() {
        let case = Case::default();
        assert!(votes("1", "2", "2").are_against(&case));
        assert!(!votes("1", "2", "3").are_against(&case));
        assert!(!votes("1", "1", "2").are_against(&case));
    }

    #[test]
    fn one_must_agree_where_we_differ_from_busybox() {
        let case = Case { differs: Some("why".into()), ..Case::default() };
        assert!(votes("1", "2", "3").are_against(&case));
        assert!(!votes("1", "2", "1").are_against(&case));
    }
}
