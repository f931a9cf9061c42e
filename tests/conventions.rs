//! The conventions of docs/architecture.md, tested on the sources and on the built binary.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const RBOX: &str = env!("CARGO_BIN_EXE_rbox");

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("applets/ is in the workspace").to_path_buf()
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory of sources") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

fn groups() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("applets")).expect("the groups' directory");
    entries.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.join("Cargo.toml").exists()).collect()
}

fn run(words: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(RBOX).args(words).stdin(std::process::Stdio::null()).output().expect("rbox starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn names() -> Vec<String> {
    run(&["--list"]).1.lines().map(str::to_string).collect()
}

#[test]
fn groups_forbid_unsafe_code_and_import_only_core() {
    let groups = groups();
    assert!(groups.len() > 10);
    for group in groups {
        let library = fs::read_to_string(group.join("src/lib.rs")).expect("each group has a lib.rs");
        assert!(library.contains("#![forbid(unsafe_code)]"), "{}", group.display());
        let manifest = fs::read_to_string(group.join("Cargo.toml")).expect("each group has a Cargo.toml");
        let others = manifest.lines().filter(|line| line.starts_with("rbox-") && !line.starts_with("rbox-core"));
        assert_eq!(others.count(), 0, "{} imports another group", group.display());
    }
}

/// The compiler holds the rule where the attributes are; this looks that they are there, and that nothing else allows more.
#[test]
fn unsafe_is_in_core_sys_and_the_entry_alone() {
    let count = |path: &str, text: &str| {
        let source = fs::read_to_string(root().join(path)).expect("a readable source");
        source.matches(text).count()
    };
    for (path, allowed) in [("core/src/lib.rs", 1), ("applets/src/main.rs", 2)] {
        assert_eq!((count(path, "#![deny(unsafe_code)]"), count(path, "allow(unsafe_code)")), (1, allowed), "{path}");
    }
    assert_eq!(count("core/src/lib.rs", "#[allow(unsafe_code)]\npub mod sys;"), 1);
    let core = root().join("core/src");
    for path in sources(&core) {
        let text = fs::read_to_string(&path).expect("a readable source");
        if path.starts_with(core.join("sys")) {
            let above = text.lines().find(|line| line.contains("crate::") && !line.contains("crate::sys"));
            assert_eq!(above.filter(|line| !line.contains("$crate::sys")), None, "{}", path.display());
        } else if path != core.join("lib.rs") {
            assert!(!text.contains("(unsafe_code)"), "{}", path.display());
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    let mut directories: Vec<PathBuf> = groups().iter().map(|group| group.join("src")).collect();
    directories.extend(
        ["core/src", "build-image/src", "compat-suite/src", "applets/src"].map(|directory| root().join(directory)),
    );
    for path in directories.iter().flat_map(|directory| sources(directory)) {
        let text = fs::read_to_string(&path).expect("a readable source");
        assert!(text.starts_with("//! "), "{}", path.display());
    }
}

/// The layers of the shell, the lowest first; what is in no directory is above them all.
const LAYERS: [&str; 6] = ["syntax", "state", "expand", "exec", "builtins", "interactive"];

/// The sources of the shell by the path of their module, without comments and unit tests.
fn shell_modules() -> BTreeMap<Vec<String>, String> {
    let root = root().join("applets/shell/src");
    let mut modules = BTreeMap::new();
    for path in sources(&root) {
        let text = fs::read_to_string(&path).expect("a readable source");
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let code: Vec<&str> = code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect();
        let relative = path.strip_prefix(&root).expect("a path below the root").with_extension("");
        let mut name: Vec<String> = relative.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        if name.last().is_some_and(|last| last == "mod") {
            name.pop();
        }
        if name != ["lib"] {
            modules.insert(name, code.join("\n"));
        }
    }
    modules
}

/// The paths of a `use` tree such as `a::{b, c::d}`.
fn use_paths(tree: &str, found: &mut Vec<String>) {
    let Some((prefix, rest)) = tree.split_once('{') else {
        return found.push(tree.split(" as ").next().unwrap_or_default().trim().to_string());
    };
    let items = rest.trim_end().strip_suffix('}').expect("a brace closes the tree");
    let mut depth = 0;
    let ends = |character| {
        depth += i32::from(character == '{') - i32::from(character == '}');
        character == ',' && depth == 0
    };
    for item in items.split(ends).map(str::trim).filter(|item| !item.is_empty()) {
        use_paths(&[prefix.trim(), item].concat(), found);
    }
}

/// The `use` tree of a statement, which may follow other items.
fn use_tree(statement: &str) -> Option<&str> {
    let (before, tree) = statement.split_once("use ")?;
    matches!(before.lines().last().unwrap_or_default().trim(), "" | "pub").then_some(tree)
}

/// The paths that a module names, from the root of the crate.
fn named_paths(module: &[String], code: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut rest = String::new();
    for statement in code.split(';') {
        match use_tree(statement) {
            Some(tree) => use_paths(tree, &mut found),
            None => rest.push_str(statement),
        }
    }
    let is_path = |character: char| character.is_alphanumeric() || matches!(character, '_' | ':');
    found
        .extend(rest.split(|character: char| !is_path(character)).filter(|word| word.contains("::")).map(String::from));
    let absolute = |path: String| {
        let mut parts: Vec<String> = path.split("::").map(String::from).collect();
        let mut start = module.to_vec();
        while let Some(first) = parts.first() {
            match first.as_str() {
                "crate" => start.clear(),
                "super" => drop(start.pop()),
                "self" => {}
                _ => break,
            }
            parts.remove(0);
        }
        [start, parts].concat()
    };
    found.into_iter().map(absolute).collect()
}

/// Which modules each module of the shell imports. An item that a `mod.rs` hands on counts as that of its own file.
fn shell_imports(modules: &BTreeMap<Vec<String>, String>) -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
    let longest = |path: &[String]| {
        (1..=path.len()).rev().map(|end| &path[..end]).find(|part| modules.contains_key(*part)).map(<[String]>::to_vec)
    };
    let mut handed_on = BTreeMap::new();
    for (module, code) in modules {
        for statement in code.split(';').filter(|statement| statement.contains("pub use ")).filter_map(use_tree) {
            let mut paths = Vec::new();
            use_paths(statement, &mut paths);
            for path in paths {
                let full = [module.clone(), path.split("::").map(String::from).collect()].concat();
                let name = full.last().cloned().into_iter().collect::<Vec<_>>();
                if let Some(target) = longest(&full).filter(|target| target != module) {
                    handed_on.insert([module.clone(), name].concat(), target);
                }
            }
        }
    }
    let mut imports = BTreeMap::new();
    for (module, code) in modules {
        let targets: BTreeSet<Vec<String>> = named_paths(module, code)
            .iter()
            .filter_map(|path| {
                (1..=path.len()).rev().find_map(|end| handed_on.get(&path[..end]).cloned()).or_else(|| longest(path))
            })
            .filter(|target| target != module)
            .collect();
        imports.insert(module.clone(), targets);
    }
    imports
}

/// The methods of `Shell` that a module has, and those that it calls.
fn shell_methods(code: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut has, mut calls) = (BTreeSet::new(), BTreeSet::new());
    let mut of_shell = false;
    for line in code.lines() {
        if line.starts_with("impl") {
            of_shell = line.contains("for Shell") || line.starts_with("impl Shell");
        }
        let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        if let Some((_, rest)) = line.split_once("fn ").filter(|_| of_shell && line.starts_with("    ")) {
            has.insert(name(rest));
        }
        for start in if of_shell { &["self.", "shell."][..] } else { &["shell."] } {
            for rest in line.split(start).skip(1) {
                let called = name(rest);
                if rest[called.len()..].starts_with('(') {
                    calls.insert(called);
                }
            }
        }
    }
    (has, calls)
}

#[test]
fn layers_of_the_shell_import_downwards() {
    let modules = shell_modules();
    let layer = |module: &[String]| LAYERS.iter().position(|name| *name == module[0]).unwrap_or(LAYERS.len());
    let imports = shell_imports(&modules);
    assert!(imports.values().map(BTreeSet::len).sum::<usize>() > 300, "the imports were not found");
    for (module, targets) in &imports {
        for target in targets {
            assert!(layer(target) <= layer(module), "{module:?} imports {target:?}");
        }
    }
    // Methods need no import. What must be called upwards is in the trait `Upward`.
    let methods: BTreeMap<_, _> = modules.iter().map(|(module, code)| (module, shell_methods(code))).collect();
    let upward = ["upward".to_string()];
    for (module, (_, calls)) in &methods {
        for (owner, (has, _)) in methods.iter().filter(|(owner, _)| ***owner != upward && layer(owner) > layer(module))
        {
            assert_eq!(calls.intersection(has).next(), None, "{module:?} calls a method of {owner:?}");
        }
    }
}

#[test]
fn files_of_the_shell_import_in_no_circle() {
    let mut imports = shell_imports(&shell_modules());
    // Files whose imports are all gone go, until none is left or those of the circles are.
    loop {
        let last: Vec<_> =
            imports.iter().filter(|(_, targets)| targets.is_empty()).map(|(module, _)| module.clone()).collect();
        if last.is_empty() {
            break;
        }
        for module in last {
            imports.remove(&module);
            imports.values_mut().for_each(|targets| targets.retain(|target| *target != module));
        }
    }
    assert_eq!(imports.keys().collect::<Vec<_>>(), Vec::<&Vec<String>>::new(), "in a circle, or above one");
}

#[test]
fn the_shell_drops_no_result_without_a_reason() {
    for path in sources(&root().join("applets/shell/src")) {
        let text = fs::read_to_string(&path).expect("a readable source");
        let mut above = "";
        for line in text.lines().map(str::trim) {
            assert!(!line.starts_with("let _ =") || above.starts_with("// "), "{}: {line}", path.display());
            above = line;
        }
    }
}

#[test]
fn every_group_is_in_the_registry() {
    let registry = fs::read_to_string(root().join("applets/src/registry.rs")).expect("the registry");
    for group in groups() {
        let name = group.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(registry.lines().any(|line| line.trim() == format!("rbox_{name}")), "{name} is not in groups!");
    }
}

#[test]
fn every_file_of_a_group_belongs_to_a_row() {
    for group in groups() {
        let library = fs::read_to_string(group.join("src/lib.rs")).expect("each group has a lib.rs");
        for entry in fs::read_dir(group.join("src")).expect("each group has sources") {
            let path = entry.expect("a readable entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            let declared = |form: &str| library.contains(&form.replace('X', &name));
            assert!(
                name == "lib" || ["    X: ", "    r#X: ", "mod X;"].into_iter().any(declared),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn every_applet_answers_help_and_version_and_has_a_man_page() {
    let names = names();
    assert!(names.is_sorted());
    let version = concat!(env!("CARGO_PKG_VERSION"), "\n");
    for name in &names {
        let (status, page, _) = run(&["--man", name]);
        assert_eq!(status, Some(0), "--man {name}");
        assert!(page.contains(".SH SYNOPSIS"), "--man {name}");
        // To these every word is data.
        if matches!(name.as_str(), "echo" | "test" | "[" | "[[") {
            continue;
        }
        let (status, stdout, stderr) = run(&[name, "--help"]);
        // What is false stays so, as with GNU.
        let expected = i32::from(name == "false");
        assert_eq!((status, stderr.as_str()), (Some(expected), ""), "{name} --help");
        // To test it is a word that is not empty (POSIX XCU test), as with GNU.
        assert_eq!(stdout.is_empty(), name == "test", "{name} --help");
        // Two blanks end an option and its value: a word of the description would be read as a value.
        let rows = stdout.lines().filter_map(|line| line.strip_prefix("  ")).map(str::trim_start);
        let options = rows.filter(|line| line.starts_with('-'));
        for option in options.filter_map(|line| line.split("  ").next()) {
            let value = option.rsplit(' ').next().unwrap_or_default();
            let is_value =
                value.starts_with(['-', '[', '+']) || !value.contains(|character: char| character.is_ascii_lowercase());
            assert!(is_value || value.contains('='), "{name} --help: {option}");
        }
        let (status, stdout, stderr) = run(&[name, "--version"]);
        assert_eq!((status, stderr.as_str()), (Some(expected), ""), "{name} --version");
        assert!(stdout.starts_with(&format!("{name} (rbox) {version}")), "{name} --version: {stdout}");
        assert!(stdout.contains("BusyBox"), "{name} --version: {stdout}");
    }
}

#[test]
fn lists_agree_and_links_lead_to_applets() {
    let full = run(&["--list-full"]).1;
    let last: Vec<&str> = full.lines().map(|path| path.rsplit('/').next().unwrap_or("")).collect();
    assert_eq!(last, names());
    let directory = std::env::temp_dir().join(format!("rbox-install.{}", std::process::id()));
    fs::create_dir(&directory).expect("a fresh directory");
    let (status, _, stderr) = run(&["--install", "-s", directory.to_str().expect("a plain path")]);
    let output = Command::new(directory.join("basename")).arg("/a/b").output();
    fs::remove_dir_all(&directory).expect("the directory can be removed");
    assert_eq!((status, stderr.as_str()), (Some(0), ""));
    assert_eq!(output.expect("the link starts").stdout, b"b\n");
}

#[test]
fn an_unknown_name_is_an_error() {
    let (status, stdout, stderr) = run(&["nosuchapplet"]);
    assert_eq!((status, stdout.as_str(), stderr.as_str()), (Some(127), "", "rbox: nosuchapplet: applet not found\n"));
}

#[test]
fn a_lost_write_is_an_error() {
    for words in [&["echo", "x"][..], &["ls", "/"], &["cat", "/etc/passwd"], &["--list"], &["head", "/etc/passwd"]] {
        if words[0] != "--list" && !names().contains(&words[0].to_string()) {
            continue;
        }
        let full = fs::OpenOptions::new().write(true).open("/dev/full").expect("the kernel has /dev/full");
        let output = Command::new(RBOX).args(words).stdout(full).output().expect("rbox starts");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_ne!(output.status.code(), Some(0), "{words:?}");
        assert!(text.contains("No space left on device"), "{words:?}: {text}");
    }
}

#[test]
fn each_fuzz_target_is_declared_once() {
    let directory = root().join("fuzz");
    let manifest = fs::read_to_string(directory.join("Cargo.toml")).expect("a readable manifest");
    let mut declared: Vec<&str> = manifest.lines().filter_map(|line| line.strip_prefix("path = \"targets/")).collect();
    declared.sort_unstable();
    let entries = fs::read_dir(directory.join("targets")).expect("the targets");
    let mut files: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned() + "\"").collect();
    files.sort_unstable();
    assert_eq!(declared, files);
    let mut crates: Vec<&str> = manifest.lines().filter(|line| line.starts_with("rbox-")).collect();
    let count = crates.len();
    crates.sort_unstable();
    crates.dedup();
    assert_eq!(crates.len(), count, "a dependency is declared twice");
}

#[test]
fn each_fuzz_target_calls_what_its_group_exports() {
    for entry in fs::read_dir(root().join("fuzz/targets")).expect("the targets") {
        let text = fs::read_to_string(entry.expect("an entry").path()).expect("a readable target");
        let call = text.split("rbox_").skip(1).find_map(|rest| rest.split_once("::fuzz_"));
        let Some((group, rest)) = call.filter(|(group, _)| !group.contains(':') && *group != "core") else { continue };
        let name = rest.split(|next: char| !next.is_ascii_alphanumeric() && next != '_').next().unwrap_or_default();
        let library = root().join("applets").join(group).join("src/lib.rs");
        let exports = fs::read_to_string(library).expect("a readable group");
        let is_exported = exports
            .split(|next: char| !next.is_ascii_alphanumeric() && next != '_')
            .any(|word| word == format!("fuzz_{name}"));
        assert!(is_exported, "rbox_{group} does not export fuzz_{name}");
    }
}

#[test]
fn the_table_of_sandboxes_is_documented_and_in_use() {
    let text = |path: &str| fs::read_to_string(root().join(path)).expect("a readable file");
    // The five columns of a line, at these positions among its words.
    let columns = |line: &str, marks: &[char], positions: [usize; 5]| {
        let words: Vec<&str> = line.split(marks).collect();
        positions.map(|at| words[at].trim_end_matches("= ").split_whitespace().collect::<Vec<_>>().join(" "))
    };
    let source = text("core/src/sys/sandbox.rs");
    let table = source.split("\ntable! {\n").nth(1).and_then(|rest| rest.split("\n}").next()).expect("a table");
    // NAME = [capabilities] [flags] "reads" "writes";
    let code = table.lines().skip(1).map(|line| columns(line, &['[', ']', '"'], [0, 1, 3, 5, 7]));
    let code: BTreeSet<[String; 5]> = code.collect();
    let documents = text("docs/security.md");
    let documented = documents.lines().skip_while(|line| !line.starts_with("| row | capabilities")).skip(2);
    let documented = documented.take_while(|line| line.starts_with('|'));
    assert_eq!(code, documented.map(|line| columns(line, &['|'], [1, 2, 3, 4, 5])).collect());
    let applets = groups().into_iter().flat_map(|group| sources(&group)).map(|path| text(&path.to_string_lossy()));
    let applets: String = applets.collect();
    for [row, ..] in &code {
        assert!(applets.contains(&format!("sandbox::{row}")), "{row} is not in use");
    }
}
