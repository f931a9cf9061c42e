//! `modinfo`: print what is known of a kernel module (section .modinfo of its file).

use rbox_core::bytes::split_once;
use rbox_core::prelude::*;
use rbox_core::text;
use rbox_core::text::Left;

use crate::database::{Database, name_of, running_version, underscored};
use crate::image::{Elf, read};

options! {
    "[-adlpn0] [-F FIELD] [-k VERSION] [-b DIRECTORY] MODULE...

Print information about kernel modules, which are names or files.

  -a, --author         Print authors only
  -d, --description    Print descriptions only
  -l, --license        Print licences only
  -p, --parameters     Print parameters only
  -n, --filename       Print file names only
  -F, --field=FIELD    Print values of FIELD only
  -0, --null           End each value with NUL, not newline
  -k, --set-version=VERSION  Use the modules of kernel VERSION
  -b, --basedir=DIRECTORY  Use DIRECTORY/lib/modules";
    AUTHOR = "-a",
    DESCRIPTION = "-d",
    LICENSE = "-l",
    PARAMETERS = "-p",
    FILE_NAME = "-n",
    FIELD = "-F",
    NUL = "-0",
    VERSION = "-k",
    BASE = "-b",
}

/// The applet.
pub const APPLET: Applet = Applet::new(USAGE, run);

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let field = match args.last_of(&[AUTHOR, DESCRIPTION, LICENSE, PARAMETERS, FILE_NAME, FIELD]) {
        Some(AUTHOR) => Some(&b"author"[..]),
        Some(DESCRIPTION) => Some(&b"description"[..]),
        Some(LICENSE) => Some(&b"license"[..]),
        Some(PARAMETERS) => Some(&b"parm"[..]),
        Some(FILE_NAME) => Some(&b"filename"[..]),
        Some(_) => args.value(FIELD),
        None => None,
    };
    let end = if args.has(NUL) { b"\0" } else { b"\n" };
    let version = args.value(VERSION).map_or_else(running_version, <[u8]>::to_vec);
    let database = Database::of(args.value(BASE).unwrap_or_default(), &version);
    env.for_each_operand(args.operands_between(1, usize::MAX)?, &mut |env, operand| {
        for (path, rows) in modules(&database, operand)? {
            for (key, value) in core::iter::once((b"filename".to_vec(), path)).chain(rows) {
                let line = match field {
                    Some(field) if field != key => continue,
                    Some(_) => [&value[..], end].concat(),
                    None => text!(Left(&[&key[..], b":"].concat()[..], 16), value, &end[..]),
                };
                env.stdout.write(&line)?;
            }
        }
        Ok(())
    })
}

/// The files that an operand means, with what they say.
fn modules(database: &Database, operand: &[u8]) -> Result<Vec<(Vec<u8>, Rows)>> {
    if operand.contains(&b'/') || operand.ends_with(b".ko") {
        return Ok(vec![(operand.to_vec(), rows_of_file(operand)?)]);
    }
    let name = underscored(operand);
    let mut names = vec![name.clone()];
    if database.find(&name).is_none() {
        names = database.matching("modules.alias", &name);
    }
    let mut found = Vec::new();
    for name in &names {
        if let Some(module) = database.find(name) {
            found.push((module.path.clone(), rows_of_file(&module.path)?));
        }
    }
    if found.is_empty() && database.is_built_in(&name) {
        let rows = database.built_in_information(&name);
        let pairs = rows.iter().filter_map(|row| split_once(row, b'='));
        found.push((b"(builtin)".to_vec(), with_types([(&b"name"[..], &name[..])].into_iter().chain(pairs).collect())));
    }
    if found.is_empty() { Err(Error::parts(&[b"module '", operand, b"' not found"])) } else { Ok(found) }
}

/// Keys and values, in order.
type Rows = Vec<(Vec<u8>, Vec<u8>)>;

fn rows_of_file(path: &[u8]) -> Result<Rows> {
    let image = read(path)?;
    let elf = Elf::of(&image).ok_or_else(|| Error::parts(&[path, b": not a kernel module"]))?;
    let mut rows = elf.information();
    let name = name_of(path);
    if !rows.iter().any(|(key, _)| *key == b"name") {
        rows.push((b"name", &name));
    }
    Ok(with_types(rows))
}

/// A parameter has its description, `NAME:TEXT`, and its type, `NAME:TYPE`, in rows of their own: here in one.
fn with_types(rows: Vec<(&[u8], &[u8])>) -> Rows {
    // Name, description, type.
    let mut parameters: Vec<[&[u8]; 3]> = Vec::new();
    let mut plain = Vec::new();
    for (key, value) in rows {
        if !matches!(key, b"parm" | b"parmtype") {
            plain.push((key.to_vec(), value.to_vec()));
            continue;
        }
        let (name, text) = split_once(value, b':').unwrap_or((value, b""));
        let at = parameters.iter().position(|[other, ..]| *other == name).unwrap_or_else(|| {
            parameters.push([name, b"", b""]);
            parameters.len() - 1
        });
        match key {
            b"parm" => parameters[at][1] = text,
            _ => parameters[at][2] = text,
        }
    }
    for [name, text, kind] in parameters {
        let value = match (text, kind) {
            (b"", kind) => text!(name, ":", kind),
            (text, b"") => text!(name, ":", text),
            (text, kind) => text!(name, ":", text, " (", kind, ")"),
        };
        plain.push((b"parm".to_vec(), value));
    }
    plain
}
