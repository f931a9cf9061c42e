//! `dpkg`: install, remove and show packages of Debian.
//!
//! BusyBox's scope, with triggers and the diversions that dpkg-divert made: no alternatives of a root. A conflict is an error, also where the other package
//! would be replaced. Where both sides changed a configuration file, the one that is there stays, unless
//! --force-confnew is given; nobody is asked.

mod database;
mod depends;
mod divert;
mod install;
mod remove;
mod script;
mod triggers;

use rbox_core::pattern::glob::{Flags, matches};
use rbox_core::prelude::*;
use rbox_core::sys::process;
use rbox_core::text;
use rbox_core::text::Left;

use crate::control::{Paragraph, compare_versions};

use database::{Database, info_lines, info_path, state};
use install::Package;

options! {
    "-i | --unpack DEB... | --configure | -r | -P PACKAGE... | -l | -s | -L | -S [WORD]...

Install, remove and show packages.

  -i, --install           Unpack and configure package files
  -u, --unpack            Unpack package files, but do not configure them
  -C, --configure         Configure packages that are unpacked
  -r, --remove            Remove packages, but keep configuration files
  -P, --purge             Remove packages and their configuration files
  -l, --list              List packages whose names match patterns
  -s, --status            Print what is known about packages
  -L, --listfiles         List the files of packages
  -S, --search            Print which packages have files that match patterns
  -a, --pending           With --configure, all packages that are unpacked
  -F WORD                 Force WORD: depends, confnew or confold
      --force-depends     Ignore relations between packages
      --force-confnew     Take the new configuration file where both are changed
      --force-confold     Keep the old one (default)
      --compare-versions  Compare: V1 lt|le|eq|ne|ge|gt V2
      --print-architecture  Print the architecture of this system";
    INSTALL = "-i",
    UNPACK = "-u",
    CONFIGURE = "-C",
    REMOVE = "-r",
    PURGE = "-P",
    LIST = "-l",
    STATUS = "-s",
    FILES = "-L",
    SEARCH = "-S",
    PENDING = "-a",
    FORCE = "-F",
    DEPENDS = "--force-depends",
    NEW = "--force-confnew",
    OLD = "--force-confold",
    COMPARE = "--compare-versions",
    ARCHITECTURE = "--print-architecture",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).failure(2);

/// What is forced.
pub struct Confs {
    ignores_depends: bool,
    takes_new: bool,
}

impl Confs {
    fn of(args: &Args<'_>) -> Result<Self> {
        let mut confs = Self { ignores_depends: args.has(DEPENDS), takes_new: args.last_of(&[NEW, OLD]) == Some(NEW) };
        for word in args.values(FORCE) {
            match word {
                b"depends" => confs.ignores_depends = true,
                b"confnew" => confs.takes_new = true,
                b"confold" => confs.takes_new = false,
                _ => return Err(Error::parts(&[b"unknown force option '", word, b"'"])),
            }
        }
        Ok(confs)
    }
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let actions = [INSTALL, UNPACK, CONFIGURE, REMOVE, PURGE, LIST, STATUS, FILES, SEARCH, COMPARE, ARCHITECTURE];
    let mut given = actions.iter().filter(|&&action| args.has(action));
    let (Some(&action), None) = (given.next(), given.next()) else {
        return Err(Error::misused("one action is needed"));
    };
    let words = args.operands();
    let takes_none = action == LIST || action == STATUS || action == CONFIGURE && args.has(PENDING);
    if words.is_empty() && !takes_none && action != ARCHITECTURE {
        return Err(Error::usage());
    }
    let how = Confs::of(args)?;
    match action {
        COMPARE => return compare(words),
        ARCHITECTURE => env.stdout.write(&text!(architecture(), "\n"))?,
        LIST => return list(env, words),
        STATUS => return status(env, words),
        FILES => return files(env, words),
        SEARCH => return search(env, words),
        _ => {
            if !process::geteuid().is_root() {
                return Err(Error::new("requested operation requires superuser privilege"));
            }
            return change(env, action, words, &how);
        }
    }
    Ok(ExitStatus::SUCCESS)
}

/// The name that Debian gives the architecture that this program is built for.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "x86" => "i386",
        "aarch64" => "arm64",
        "arm" => "armhf",
        other => other,
    }
}

fn compare(words: &[&[u8]]) -> Outcome {
    let &[one, operator, two] = words else { return Err(Error::usage()) };
    let operators =
        ["lt", "le", "eq", "ne", "ge", "gt", "lt-nl", "le-nl", "ge-nl", "gt-nl", "<", "<<", "<=", "=", ">=", ">>", ">"];
    if !operators.iter().any(|known| known.as_bytes() == operator) {
        return Err(Error::parts(&[b"bad relation '", operator, b"'"]));
    }
    // No version is before any other; with `-nl`, after it.
    let rank = |version: &[u8]| if version.is_empty() == operator.ends_with(b"-nl") { 1 } else { 0 };
    let order = match one.is_empty() || two.is_empty() {
        true if one == two => core::cmp::Ordering::Equal,
        true => rank(one).cmp(&rank(two)),
        false => compare_versions(one, two),
    };
    Ok(ExitStatus::from_ok(depends::holds(order, operator)))
}

/// Installs, configures or removes packages.
fn change(env: &mut Env, action: Opt, words: &[&[u8]], how: &Confs) -> Outcome {
    let mut database = Database::load(true)?;
    let result = match action {
        INSTALL | UNPACK => install(env, &mut database, words, action == INSTALL, how),
        CONFIGURE => {
            let waits = |package: &&Paragraph| matches!(state(package), b"unpacked" | b"half-configured");
            let mut names: Vec<Vec<u8>> = words.iter().map(|word| word.to_vec()).collect();
            if words.is_empty() {
                names = database.packages.iter().filter(waits).map(|one| one.get("Package").to_vec()).collect();
            }
            install::configure_all(env, &mut database, names, how)
        }
        _ => remove_all(env, &mut database, words, action == PURGE, how),
    };
    let result = result.and_then(|()| triggers::run(env, &mut database));
    result.map(|()| ExitStatus::SUCCESS).map_err(|error| error.with_status(1))
}

fn install(env: &mut Env, database: &mut Database, paths: &[&[u8]], configures: bool, how: &Confs) -> Result<()> {
    let mut packages = Vec::new();
    for path in paths {
        let package = Package::read(env, path)?;
        let built_for = package.control.get("Architecture");
        if built_for != b"all" && built_for != architecture().as_bytes() {
            let own = architecture().as_bytes();
            let parts: [&[u8]; 5] = [path, b": package architecture (", built_for, b") does not match system: ", own];
            return Err(Error::parts(&parts));
        }
        packages.push(package);
    }
    let names: Vec<Vec<u8>> = packages.iter().map(|package| package.control.get("Package").to_vec()).collect();
    if !how.ignores_depends {
        let new: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
        let before = database.unpacked();
        let mut after = before.clone();
        after.retain(|package| !new.contains(&package.get("Package")));
        after.extend(packages.iter().map(|package| &package.control));
        depends::check(&before, &after, &new)?;
    }
    for package in &packages {
        install::unpack(env, database, package)?;
    }
    if configures { install::configure_all(env, database, names, how) } else { Ok(()) }
}

fn remove_all(env: &mut Env, database: &mut Database, names: &[&[u8]], purges: bool, how: &Confs) -> Result<()> {
    for name in names {
        match database.known(name) {
            None => return Err(Error::parts(&[b"package '", name, b"' is not installed"])),
            Some(package) if package.get("Essential") == b"yes" && state(package) != b"config-files" => {
                return Err(Error::parts(&[b"package '", name, b"' is essential and is not removed"]));
            }
            Some(package) if state(package) == b"config-files" && !purges => {
                return Err(Error::parts(&[b"package '", name, b"' is not installed"]));
            }
            Some(_) => {}
        }
    }
    if !how.ignores_depends {
        let before = database.unpacked();
        let mut after = before.clone();
        after.retain(|package| !names.contains(&package.get("Package")));
        depends::check(&before, &after, &[])?;
    }
    for name in names {
        if database.known(name).is_some_and(|package| state(package) != b"config-files") {
            remove::remove(env, database, name)?;
        }
        if purges {
            remove::purge(env, database, name)?;
        }
    }
    Ok(())
}

/// Packages that are there in part at least, sorted, whose names match one of the patterns.
fn matching(database: &Database, words: &[&[u8]]) -> Vec<Paragraph> {
    let mut found = Vec::new();
    for package in database.packages.iter().filter(|package| state(package) != b"not-installed") {
        let name = package.get("Package");
        if words.is_empty() || words.iter().any(|word| matches(word, name, Flags::default())) {
            found.push(package.0.clone());
        }
    }
    // Each begins with its name.
    found.sort_unstable();
    found.into_iter().map(Paragraph).collect()
}

fn list(env: &mut Env, words: &[&[u8]]) -> Outcome {
    let database = Database::load(false)?;
    let found = matching(&database, words);
    if found.is_empty() {
        let all = words.join(&b' ');
        return Err(Error::parts(&[b"no packages found matching '", &all, b"'"]).with_status(1));
    }
    let row = |package: &Paragraph| {
        let description = package.get("Description").split(|&byte| byte == b'\n').next().unwrap_or_default().to_vec();
        let name = info_path(package, b"");
        let name = rbox_core::bytes::base_name(&name).strip_suffix(b".").unwrap_or_default().to_vec();
        [name, package.get("Version").to_vec(), package.get("Architecture").to_vec(), description]
    };
    let mut widths = [14, 12, 12, 33];
    for package in &found {
        for (width, word) in widths.iter_mut().zip(row(package)) {
            *width = (*width).max(word.len());
        }
    }
    let line = |lead: &[u8], words: [&[u8]; 4]| {
        let columns = text!(Left(words[0], widths[0]), " ", Left(words[1], widths[1]), " ", Left(words[2], widths[2]));
        text!(lead, columns, " ", words[3], "\n")
    };
    env.stdout.write(
        b"Desired=Unknown/Install/Remove/Purge/Hold
| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend
|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)
",
    )?;
    env.stdout.write(&line(b"||/ ", [b"Name", b"Version", b"Architecture", b"Description"]))?;
    let rules = widths.map(|width| vec![b'='; width]);
    env.stdout.write(&text!("+++-", &rules.join(&b'-'), "\n"))?;
    for package in found {
        let words = row(&package);
        env.stdout.write(&line(&state_characters(&package), [0, 1, 2, 3].map(|at| &words[at][..])))?;
    }
    Ok(ExitStatus::SUCCESS)
}

/// The characters of the first columns.
fn state_characters(package: &Paragraph) -> [u8; 4] {
    let words: Vec<&[u8]> = rbox_core::bytes::words(package.get("Status")).collect();
    let wanted = match words.first() {
        Some(&b"install") => b'i',
        Some(&b"hold") => b'h',
        Some(&b"deinstall") => b'r',
        Some(&b"purge") => b'p',
        _ => b'u',
    };
    let is = match state(package) {
        b"installed" => b'i',
        b"config-files" => b'c',
        b"unpacked" => b'U',
        b"half-configured" => b'F',
        b"half-installed" => b'H',
        b"triggers-awaited" => b'W',
        b"triggers-pending" => b't',
        _ => b'n',
    };
    [wanted, is, if words.get(1) == Some(&&b"reinstreq"[..]) { b'R' } else { b' ' }, b' ']
}

fn status(env: &mut Env, words: &[&[u8]]) -> Outcome {
    let database = Database::load(false)?;
    let all: Vec<&[u8]> = database.packages.iter().map(|package| package.get("Package")).collect();
    let mut is_first = true;
    env.for_each_operand(if words.is_empty() { &all } else { words }, &mut |env, name| {
        let package = database.known(name);
        let package = package.ok_or_else(|| {
            Error::parts(&[b"package '", name, b"' is not installed and no information is available"]).with_status(1)
        })?;
        let gap = if core::mem::take(&mut is_first) { "" } else { "\n" };
        env.stdout.write(&text!(gap, &package.0))
    })
}

fn files(env: &mut Env, words: &[&[u8]]) -> Outcome {
    let database = Database::load(false)?;
    env.for_each_operand(words, &mut |env, name| {
        let package = database.known(name);
        let package =
            package.ok_or_else(|| Error::parts(&[b"package '", name, b"' is not installed"]).with_status(1))?;
        for path in info_lines(package, b"list")? {
            env.stdout.write(&text!(path, "\n"))?;
        }
        Ok(())
    })
}

fn search(env: &mut Env, words: &[&[u8]]) -> Outcome {
    let database = Database::load(false)?;
    // A word without a wildcard is a part of a path.
    let patterns: Vec<Vec<u8>> = words
        .iter()
        .map(|word| match word.starts_with(b"/") || word.iter().any(|byte| b"*?[".contains(byte)) {
            true => word.to_vec(),
            false => text!("*", *word, "*"),
        })
        .collect();
    let mut found: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut is_found = vec![false; words.len()];
    for package in matching(&database, &[]) {
        let own = info_path(&package, b"");
        let name = rbox_core::bytes::base_name(&own).strip_suffix(b".").unwrap_or_default();
        for path in info_lines(&package, b"list")? {
            let mut is_match = false;
            for (pattern, is_found) in patterns.iter().zip(&mut is_found) {
                if matches(pattern, &path, Flags::default()) {
                    (is_match, *is_found) = (true, true);
                }
            }
            match found.iter_mut().find(|(known, _)| is_match && *known == path) {
                Some((_, names)) => rbox_core::push!(*names, ", ", name),
                None if is_match => found.push((path, name.to_vec())),
                None => {}
            }
        }
    }
    for (path, names) in found {
        env.stdout.write(&text!(names, ": ", path, "\n"))?;
    }
    let mut status = ExitStatus::SUCCESS;
    for (word, _) in words.iter().zip(is_found).filter(|(_, is_found)| !is_found) {
        status.worsen(env.warn(Error::parts(&[b"no path found matching pattern ", word]).with_status(1)));
    }
    Ok(status)
}
