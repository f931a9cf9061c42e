//! `depmod`: find out which modules need which, and write it down (depmod(8), modules.dep(5)).

mod index;

use std::collections::BTreeMap;

use rbox_core::bytes::{join_path, split_once};
use rbox_core::files::{Follow, Phase, Step, kind, walk};
use rbox_core::io::{Input, Output};
use rbox_core::prelude::*;
use rbox_core::sys::fs::FileType;
use rbox_core::sys::{fs, process};
use rbox_core::{push, text};

use crate::database::{name_of, read, running_version, underscored};
use crate::image::{self, Elf};
use index::Index;

options! {
    "[-anAe] [-b BASE] [-o BASE] [-F SYSTEM.MAP] [VERSION] [FILE]...

Write modules.dep, modules.alias, modules.symbols and the files beside them for the modules of
kernel VERSION (the running one), or for module FILEs alone.

  -a, --all            Look at all modules (default without FILE)
  -A, --quick          Do nothing if no module is newer than modules.dep
  -b, --basedir=BASE   Use BASE/lib/modules/VERSION
  -o, --outdir=BASE    Write to BASE/lib/modules/VERSION
  -e, --errsyms        Report symbols that no module and not the kernel of -F has
  -F, --filesyms=FILE  System.map of the kernel, for -e
  -n, --dry-run        Print the files";
    ALL = "-a",
    QUICK = "-A",
    BASE = "-b",
    OUT = "-o",
    UNKNOWN = "-e",
    MAP = "-F",
    DRY = "-n",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

/// What is known of a module.
struct Module {
    /// Relative to the directory of the version.
    path: Vec<u8>,
    name: Vec<u8>,
    aliases: Vec<Vec<u8>>,
    soft_dependencies: Vec<Vec<u8>>,
    exported: Vec<Vec<u8>>,
    needed: Vec<Vec<u8>>,
    /// The modules whose symbols it needs, by number.
    dependencies: Vec<usize>,
}

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (version, files) = match args.operands() {
        [version, files @ ..] if version.first().is_some_and(u8::is_ascii_digit) => (version.to_vec(), files),
        files => (running_version(), files),
    };
    let base = args.value(BASE).unwrap_or_default();
    let directory = [base, b"/lib/modules/", &version].concat();
    let out = args.value(OUT).map_or_else(|| directory.clone(), |base| [base, b"/lib/modules/", &version].concat());
    let paths = match files {
        [] => find(&directory)?,
        _ if args.has(ALL) => find(&directory)?,
        files => files
            .iter()
            .map(|file| file.strip_prefix(&[&directory[..], b"/"].concat()[..]).unwrap_or(file).to_vec())
            .collect(),
    };
    if args.has(QUICK) && is_current(&directory, &paths) {
        return Ok(ExitStatus::SUCCESS);
    }
    let mut status = ExitStatus::SUCCESS;
    let mut modules = Vec::new();
    for path in in_order(&directory, paths) {
        match Module::of(&directory, &path) {
            Ok(module) => modules.push(module),
            Err(error) => status.worsen(env.warn(error)),
        }
    }
    let unknown = resolve(&mut modules);
    if args.has(UNKNOWN) {
        report(env, args.value(MAP), &modules, &unknown)?;
    }
    for (name, content) in outputs(&directory, &modules) {
        match args.has(DRY) {
            // The binary files are not for the eye.
            true if name.ends_with(".bin") => {}
            true => env.stdout.write(&content)?,
            false => write_whole(&join_path(&out, name.as_bytes()), &content)?,
        }
    }
    Ok(status)
}

/// The paths of all modules below the directory. Links such as `build` lead to sources.
fn find(directory: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut paths = Vec::new();
    walk(
        directory,
        Follow::Operands,
        &mut |visit| {
            let is_module = [&b".ko"[..], b".ko.gz", b".ko.xz", b".ko.zst"].iter().any(|end| visit.name.ends_with(end));
            if visit.phase == Phase::File && is_module && kind(visit.stat) == FileType::RegularFile {
                paths.push(
                    visit.path[directory.len()..].trim_ascii_start().strip_prefix(b"/").unwrap_or(visit.path).to_vec(),
                );
            }
            Ok(Step::On)
        },
        &mut Err,
    )?;
    Ok(paths)
}

/// The order of modules.order, which is that of the kernel's build, then the names. Of two modules of one name that in
/// `updates` counts (depmod.d(5), search).
fn in_order(directory: &[u8], mut paths: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let order = read(&join_path(directory, b"modules.order"));
    let plain = |path: &[u8]| {
        let end = rbox_core::bytes::find(path, b".ko").map_or(path.len(), |at| at + 3);
        path[..end].to_vec()
    };
    let place: BTreeMap<Vec<u8>, usize> =
        order.split(|&byte| byte == b'\n').enumerate().map(|(at, path)| (plain(path), at)).collect();
    paths.sort_by_cached_key(|path| {
        let at = place.get(&plain(path)).copied().unwrap_or(usize::MAX);
        (!path.starts_with(b"updates/"), at, path.clone())
    });
    let mut names = Vec::new();
    let mut known = std::collections::BTreeSet::new();
    for path in paths {
        if known.insert(name_of(&path)) {
            names.push(path);
        }
    }
    names
}

/// Whether the result is newer than every module and the directory of the version.
fn is_current(directory: &[u8], paths: &[Vec<u8>]) -> bool {
    let changed = |path: &[u8]| fs::stat(path).map(|stat| (stat.st_mtime, stat.st_mtime_nsec));
    let Ok(written) = changed(&join_path(directory, b"modules.dep")) else { return false };
    paths.iter().all(|path| changed(&join_path(directory, path)).is_ok_and(|changed| changed < written))
}

impl Module {
    fn of(directory: &[u8], path: &[u8]) -> Result<Self> {
        let full = if path.starts_with(b"/") { path.to_vec() } else { join_path(directory, path) };
        let content = image::read(&full)?;
        let elf = Elf::of(&content).ok_or_else(|| Error::parts(&[&full, b": not a kernel module"]))?;
        let information = elf.information();
        let of = |wanted: &[u8]| {
            let rows = information.iter().filter(|(key, _)| *key == wanted);
            rows.map(|(_, value)| value.to_vec()).collect::<Vec<_>>()
        };
        let owned = |names: Vec<&[u8]>| names.into_iter().map(<[u8]>::to_vec).collect();
        Ok(Self {
            path: path.to_vec(),
            name: name_of(path),
            aliases: of(b"alias"),
            soft_dependencies: of(b"softdep"),
            exported: owned(elf.exported()),
            needed: owned(elf.needed()),
            dependencies: Vec::new(),
        })
    }
}

/// Finds out whose symbols each module needs. Returns those that no module has, with the number of who needs them.
fn resolve(modules: &mut [Module]) -> Vec<(usize, Vec<u8>)> {
    let mut owner = BTreeMap::new();
    for (number, module) in modules.iter().enumerate() {
        for symbol in &module.exported {
            owner.entry(symbol.clone()).or_insert(number);
        }
    }
    let mut unknown = Vec::new();
    for (number, module) in modules.iter_mut().enumerate() {
        for symbol in core::mem::take(&mut module.needed) {
            match owner.get(&symbol) {
                Some(&other) if other != number && !module.dependencies.contains(&other) => {
                    module.dependencies.push(other)
                }
                Some(_) => {}
                None => unknown.push((number, symbol)),
            }
        }
    }
    unknown
}

/// `-e`: what neither modules nor the kernel have.
fn report(env: &mut Env, map: Option<&[u8]>, modules: &[Module], unknown: &[(usize, Vec<u8>)]) -> Result<()> {
    let mut kernel = std::collections::BTreeSet::new();
    if let Some(path) = map {
        let mut input = Input::open(path)?;
        while let Some(line) = input.line()? {
            // ADDRESS TYPE __ksymtab_NAME: an exported symbol.
            let symbol = line.rsplit(|&byte| byte == b' ').next().unwrap_or_default();
            kernel.extend(symbol.strip_prefix(b"__ksymtab_").map(<[u8]>::to_vec));
        }
    }
    for (number, symbol) in unknown {
        if !kernel.contains(symbol) {
            env.report(&Error::parts(&[&modules[*number].path, b" needs unknown symbol ", symbol]));
        }
    }
    Ok(())
}

/// All that a module needs, each before what it needs itself, as modules.dep has it. Modules that need each other are in
/// no order.
fn closure(modules: &[Module], number: usize, rank: &[usize]) -> Vec<usize> {
    let (mut all, mut waiting) = (Vec::new(), modules[number].dependencies.clone());
    while let Some(next) = waiting.pop() {
        if next != number && !all.contains(&next) {
            all.push(next);
            waiting.extend_from_slice(&modules[next].dependencies);
        }
    }
    all.sort_by_key(|&module| rank[module]);
    all
}

/// A number for each module that is smaller than those of the modules that it needs.
fn ranks(modules: &[Module]) -> Vec<usize> {
    let mut users = vec![0; modules.len()];
    for &other in modules.iter().flat_map(|module| &module.dependencies) {
        users[other] += 1;
    }
    let mut free: Vec<usize> = (0..modules.len()).filter(|&module| users[module] == 0).collect();
    let (mut rank, mut next) = (vec![usize::MAX; modules.len()], 0);
    while let Some(module) = free.pop() {
        rank[module] = next;
        next += 1;
        for &other in &modules[module].dependencies {
            users[other] -= 1;
            if users[other] == 0 {
                free.push(other);
            }
        }
    }
    rank
}

/// The files, by name.
fn outputs(directory: &[u8], modules: &[Module]) -> Vec<(&'static str, Vec<u8>)> {
    let rank = ranks(modules);
    let mut dependencies = (Vec::new(), Index::default());
    let mut aliases = (b"# Aliases extracted from modules themselves.\n".to_vec(), Index::default());
    let mut symbols = (b"# Aliases for symbols, used by symbol_request().\n".to_vec(), Index::default());
    let mut soft = b"# Soft dependencies extracted from modules themselves.\n".to_vec();
    let mut nodes = b"# Device nodes to trigger on-demand module loading.\n".to_vec();
    for (number, module) in modules.iter().enumerate() {
        let priority = number as u32;
        let mut line = text!(&module.path, ":");
        for other in closure(modules, number, &rank) {
            push!(line, " ", &modules[other].path);
        }
        dependencies.1.insert(&module.name, &line, priority);
        push!(dependencies.0, &line, "\n");
        for alias in &module.aliases {
            push!(aliases.0, "alias ", alias, " ", &module.name, "\n");
            aliases.1.insert(&underscored(alias), &module.name, priority);
        }
        for symbol in &module.exported {
            let alias = text!("symbol:", symbol);
            push!(symbols.0, "alias ", &alias, " ", &module.name, "\n");
            symbols.1.insert(&alias, &module.name, priority);
        }
        for text in &module.soft_dependencies {
            push!(soft, "softdep ", &module.name, " ", text, "\n");
        }
        if let Some(node) = node_of(&module.aliases) {
            push!(nodes, &module.name, " ", node, "\n");
        }
    }
    let [built_in, built_in_aliases] = built_in(directory);
    vec![
        ("modules.dep", dependencies.0),
        ("modules.dep.bin", dependencies.1.bytes()),
        ("modules.alias", aliases.0),
        ("modules.alias.bin", aliases.1.bytes()),
        ("modules.softdep", soft),
        ("modules.symbols", symbols.0),
        ("modules.symbols.bin", symbols.1.bytes()),
        ("modules.builtin.bin", built_in.bytes()),
        ("modules.builtin.alias.bin", built_in_aliases.bytes()),
        ("modules.devname", nodes),
    ]
}

/// `NAME cMAJOR:MINOR` of a module with the aliases `devname:NAME` and `char-major-MAJOR-MINOR`: the node whose use loads
/// it.
fn node_of(aliases: &[Vec<u8>]) -> Option<Vec<u8>> {
    let name = aliases.iter().find_map(|alias| alias.strip_prefix(b"devname:"))?;
    let number = |alias: &Vec<u8>| {
        let kinds = [(&b"char-major-"[..], "c"), (b"block-major-", "b")];
        let (numbers, kind) = kinds.iter().find_map(|(start, kind)| Some((alias.strip_prefix(*start)?, *kind)))?;
        let (major, minor) = split_once(numbers, b'-')?;
        let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        (is_number(major) && is_number(minor)).then(|| text!(kind, major, ":", minor))
    };
    Some(text!(name, " ", aliases.iter().find_map(number)?))
}

/// The indices of what the kernel has built in: names, and aliases.
fn built_in(directory: &[u8]) -> [Index; 2] {
    let [mut names, mut aliases] = [Index::default(), Index::default()];
    for path in read(&join_path(directory, b"modules.builtin")).split(|&byte| byte == b'\n') {
        if !path.is_empty() {
            names.insert(&name_of(path), b"", 0);
        }
    }
    for row in read(&join_path(directory, b"modules.builtin.modinfo")).split(|&byte| byte == 0) {
        if let Some((module, rest)) = split_once(row, b'.')
            && let Some(alias) = rest.strip_prefix(b"alias=")
        {
            aliases.insert(&underscored(alias), module, 0);
        }
    }
    [names, aliases]
}

/// Writes a file under another name, and renames it: who reads it meanwhile has the old one, whole.
fn write_whole(path: &[u8], content: &[u8]) -> Result<()> {
    let temporary = text!(path, ".", process::getpid().as_raw_pid() as i64);
    let written = || -> Result<()> {
        let mut output = Output::create(&temporary)?;
        output.write(content)?;
        output.flush()?;
        fs::rename(&temporary, path).map_err(|errno| Error::cannot("create", path, errno))
    };
    written().inspect_err(|_| {
        // The error that is reported is why it was written in vain.
        let _ = fs::unlink(&temporary);
    })
}
