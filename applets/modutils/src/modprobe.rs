//! `modprobe`: load or remove kernel modules with all that they need (modprobe(8), modprobe.d(5)).

use rbox_core::bytes::base_name;
use rbox_core::call;
use rbox_core::pattern::glob::{self, Flags};
use rbox_core::prelude::*;
use rbox_core::sys::Errno;
use rbox_core::syslog;
use rbox_core::text;

use crate::config::Config;
use crate::database::{Database, name_of, running_version, underscored};
use crate::load::{Loaded, NO_WAIT, insert, is_loaded, loaded, reason, remove};

options! {
    "[-abilnqrsvD] [-C CONFIG] [-d BASE] [-S VERSION] MODULE [PARAMETER=VALUE]...

Load MODULE, a name or an alias, and the modules that it needs; or remove them.

  -a, --all               Load all operands as modules
  -r, --remove            Remove modules, and those that only they have needed
  -l, --list              List the modules whose names match the pattern MODULE
  -D, --show-depends      Print what would be loaded, in order
  -R, --resolve-alias     Print the modules that MODULE means
  -n, --dry-run           Do all but load or remove
  -i, --ignore-install    Do not run commands of the configuration instead
  -b, --use-blacklist     Do not load blacklisted modules, even by their names
  -q, --quiet             Report no module that does not exist
  -s, --syslog            Report errors to syslog
  -v, --verbose           Print what is done
  -C, --config=FILE       Use this configuration, a file or a directory (/etc/modprobe.d ...)
  -d, --dirname=BASE      Use BASE/lib/modules
  -S, --set-version=VERSION  Use the modules of kernel VERSION";
    ALL = "-a",
    REMOVE = "-r",
    LIST = "-l",
    SHOW = "-D",
    RESOLVE = "-R",
    DRY = "-n",
    IGNORE = "-i",
    BLACKLIST = "-b",
    QUIET = "-q",
    SYSLOG = "-s",
    VERBOSE = "-v",
    CONFIG = "-C",
    BASE = "-d",
    VERSION = "-S",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run).options_first();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let base = args.value(BASE).unwrap_or_default();
    let version = args.value(VERSION).map_or_else(running_version, <[u8]>::to_vec);
    let database = Database::of(base, &version);
    if args.has(LIST) {
        return list(env, &database, args.operands());
    }
    let config = Config::of(args.value(CONFIG), &[&database.directory[..], b"/modules.softdep"].concat());
    let mut prober = Prober { database, config, args, seen: Vec::new() };
    let (modules, options): (&[&[u8]], &[&[u8]]) = match args.operands() {
        [] if args.has(REMOVE) => return Err(Error::misused("no module is named")),
        [] => return Err(Error::usage()),
        modules if args.has(ALL) || args.has(REMOVE) || args.has(RESOLVE) => (modules, &[]),
        [module, options @ ..] => (core::slice::from_ref(module), options),
    };
    let options = options.join(&b' ');
    let mut status = ExitStatus::SUCCESS;
    for module in modules {
        if let Err(error) = prober.probe(env, module, &options) {
            if error.is_output() {
                return Err(error);
            }
            if args.has(SYSLOG) {
                // Facility daemon, severity err.
                syslog::log(3 << 3 | 3, b"modprobe", error.message());
                status.worsen(ExitStatus::FAILURE);
            } else {
                status.worsen(env.warn(error));
            }
        }
    }
    Ok(status)
}

/// `-l`: the files whose names match.
fn list(env: &mut Env, database: &Database, patterns: &[&[u8]]) -> Outcome {
    for path in database.paths() {
        let name = base_name(path);
        let name = &name[..rbox_core::bytes::find(name, b".ko").unwrap_or(name.len())];
        let fits = |pattern: &&[u8]| glob::matches(&underscored(pattern), &underscored(name), Flags::default());
        if patterns.is_empty() || patterns.iter().any(fits) {
            env.stdout.write(&[path, b"\n"].concat())?;
        }
    }
    Ok(ExitStatus::SUCCESS)
}

struct Prober<'a> {
    database: Database,
    config: Config,
    args: &'a Args<'a>,
    /// What was dealt with already: modules that ask for each other are no endless loop.
    seen: Vec<Vec<u8>>,
}

/// What a name means.
enum Meaning {
    /// These modules; none when all are blacklisted.
    Modules(Vec<Vec<u8>>),
    /// A part of the kernel.
    BuiltIn,
    Nothing,
}

impl Prober<'_> {
    fn probe(&mut self, env: &mut Env, word: &[u8], options: &[u8]) -> Result<()> {
        let name = underscored(word);
        match self.meaning(&name) {
            Meaning::Nothing if self.args.has(QUIET) => Err(Error::silent(ExitStatus::FAILURE)),
            Meaning::Nothing if !self.database.is_there() => Err(Error::parts(&[
                b"module ",
                word,
                b" not found: there is no ",
                &self.database.directory,
                b"/modules.dep",
            ])),
            Meaning::Nothing => Err(Error::parts(&[b"module ", word, b" not found in ", &self.database.directory])),
            Meaning::BuiltIn if self.args.has(REMOVE) => {
                Err(Error::parts(&[b"module ", word, b" is built into the kernel"]))
            }
            Meaning::BuiltIn if self.args.has(SHOW) => env.stdout.write(&text!("builtin ", &name, "\n")),
            Meaning::BuiltIn if self.args.has(RESOLVE) => env.stdout.write(&text!(&name, "\n")),
            Meaning::BuiltIn => Ok(()),
            Meaning::Modules(names) => names.iter().try_for_each(|name| {
                if self.args.has(RESOLVE) {
                    env.stdout.write(&text!(&name[..], "\n"))
                } else if self.args.has(REMOVE) {
                    self.remove(env, name)
                } else {
                    self.load(env, name, options, true)
                }
            }),
        }
    }

    /// The modules of a name: first the administrator's aliases, then names, then the modules' own aliases.
    fn meaning(&self, name: &[u8]) -> Meaning {
        let allowed = |names: Vec<Vec<u8>>| {
            Meaning::Modules(names.into_iter().filter(|name| !self.config.is_blacklisted(name)).collect())
        };
        let aliases: Vec<Vec<u8>> = self.config.aliases(name).map(<[u8]>::to_vec).collect();
        if !aliases.is_empty() {
            return allowed(aliases);
        }
        if self.database.find(name).is_some() || self.config.command(name, self.args.has(REMOVE)).is_some() {
            let names = vec![name.to_vec()];
            return if self.args.has(BLACKLIST) { allowed(names) } else { Meaning::Modules(names) };
        }
        let file = if name.starts_with(b"symbol:") { "modules.symbols" } else { "modules.alias" };
        match self.database.matching(file, name) {
            names if !names.is_empty() => allowed(names),
            _ if self.database.is_built_in(name) => Meaning::BuiltIn,
            _ => Meaning::Nothing,
        }
    }

    /// Loads a module after those that it needs. `is_named`: it is what the user has asked for.
    fn load(&mut self, env: &mut Env, name: &[u8], options: &[u8], is_named: bool) -> Result<()> {
        if self.seen.iter().any(|other| other == name) {
            return Ok(());
        }
        self.seen.push(name.to_vec());
        let found = self.database.find(name);
        let ignores = is_named && self.args.has(IGNORE);
        let command = self.config.command(name, false).filter(|_| !ignores).map(<[u8]>::to_vec);
        let [before, after] = self.config.soft_dependencies(name);
        for path in found.iter().flat_map(|module| &module.needed) {
            self.load(env, &name_of(path), b"", false)?;
        }
        self.load_soft(env, &before)?;
        let configured = self.config.options(name);
        let options = [&configured[..], options].into_iter().filter(|part| !part.is_empty());
        let options = options.collect::<Vec<_>>().join(&b' ');
        match (command, found) {
            (Some(command), _) => self.run_command(env, name, &command, &options)?,
            (None, Some(module)) => self.insert(env, name, &module.path, &options)?,
            // An alias may name a module that has not been built.
            (None, None) if self.database.is_built_in(name) => {
                if self.args.has(SHOW) {
                    env.stdout.write(&text!("builtin ", name, "\n"))?;
                }
            }
            (None, None) if self.args.has(QUIET) => return Err(Error::silent(ExitStatus::FAILURE)),
            (None, None) => return Err(Error::parts(&[b"module ", name, b" not found"])),
        }
        self.load_soft(env, &after)
    }

    /// Loads modules that are useful and not needed: one that fails keeps nothing else from being loaded.
    fn load_soft(&mut self, env: &mut Env, names: &[Vec<u8>]) -> Result<()> {
        for name in names {
            if let Meaning::Modules(names) = self.meaning(name) {
                for name in names {
                    match self.load(env, &name, b"", false) {
                        Err(error) if error.is_output() => return Err(error),
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    fn insert(&self, env: &mut Env, name: &[u8], path: &[u8], options: &[u8]) -> Result<()> {
        if !self.args.has(SHOW) && is_loaded(name) {
            return Ok(());
        }
        if self.args.has(SHOW) || self.args.has(VERBOSE) {
            let blank = if options.is_empty() { "" } else { " " };
            env.stdout.write(&text!("insmod ", path, blank, options, "\n"))?;
        }
        if self.args.has(SHOW) || self.args.has(DRY) {
            return Ok(());
        }
        match insert(path, options)? {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(errno) => Err(reason(errno).context(text!("can't load module ", name, " (", path, ")"))),
        }
    }

    /// Runs a command of the configuration: modprobe.d(5), install and remove.
    fn run_command(&self, env: &mut Env, name: &[u8], command: &[u8], options: &[u8]) -> Result<()> {
        let kind = if self.args.has(REMOVE) { "remove " } else { "install " };
        if self.args.has(SHOW) || self.args.has(VERBOSE) {
            env.stdout.write(&text!(kind, command, "\n"))?;
        }
        if self.args.has(SHOW) || self.args.has(DRY) {
            return Ok(());
        }
        env.vars.set("CMDLINE_OPTS", Some(options));
        env.vars.set("MODPROBE_MODULE", Some(name));
        let change = call::run(env, &[b"sh", b"-c", command])?;
        if change.status() != 0 {
            return Err(Error::parts(&[b"the command of module ", name, b" has failed: ", command]));
        }
        Ok(())
    }

    /// Removes a module, and then those that it has needed and nobody uses any more.
    fn remove(&mut self, env: &mut Env, name: &[u8]) -> Result<()> {
        let command = self.config.command(name, true).filter(|_| !self.args.has(IGNORE)).map(<[u8]>::to_vec);
        if let Some(command) = command {
            return self.run_command(env, name, &command, b"");
        }
        let is_there = |name: &[u8]| loaded().is_ok_and(|all| all.iter().any(|module| module.name == name));
        if !is_there(name) {
            let error = Error::parts(&[b"module ", name, b" is not loaded"]);
            return Err(if self.args.has(QUIET) { Error::silent(ExitStatus::FAILURE) } else { error });
        }
        self.remove_one(env, name)?.map_err(|errno| Error::cannot("remove module", name, errno))?;
        let needed = self.database.find(name).map(|module| module.needed).unwrap_or_default();
        for path in needed.iter().rev() {
            let name = name_of(path);
            let is_free = |module: &Loaded| module.name == name && module.uses == Some(0);
            if loaded()?.iter().any(is_free) {
                // One that has come into use meanwhile stays.
                let _ = self.remove_one(env, &name)?;
            }
        }
        Ok(())
    }

    fn remove_one(&self, env: &mut Env, name: &[u8]) -> Result<core::result::Result<(), Errno>> {
        if self.args.has(VERBOSE) {
            env.stdout.write(&text!("rmmod ", name, "\n"))?;
        }
        if self.args.has(DRY) { Ok(Ok(())) } else { remove(name, NO_WAIT) }
    }
}
