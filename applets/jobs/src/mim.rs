//! `mim`: run a part of a script in a file with the form of a makefile. Nothing depends on anything.

use rbox_core::call;
use rbox_core::io::Input;
use rbox_core::prelude::*;
use rbox_core::text;

options! {
    "[-f FILE] [SHELL_OPTIONS] [TARGET [ARG]...]

Run the commands of TARGET, or of the first target, with sh. FILE has commands for all targets, then for each target a
line TARGET: and its commands; ARGs are their positional parameters.

  -f FILE  Read FILE (Mimfile); -: standard input";
    FILE = "-f",
}

/// The applet. All other options are the shell's.
pub const APPLET: Applet = Applet::new(USAGE, run).raw();

fn run(env: &mut Env, args: &Args<'_>) -> Outcome {
    let (mut file, mut words): (&[u8], Vec<&[u8]>) = (b"Mimfile", vec![b"sh"]);
    let mut rest = args.operands();
    while let [word, after @ ..] = rest {
        match *word {
            b"--" => {
                rest = after;
                break;
            }
            [b'-', b'f', value @ ..] => {
                let named = if value.is_empty() { after.first().copied() } else { Some(value) };
                file = named.ok_or_else(|| Error::usage_because(&[b"option requires an argument -- 'f'"]))?;
                rest = if value.is_empty() { &after[1..] } else { after };
            }
            [b'-' | b'+', _, ..] => {
                words.push(word);
                rest = after;
                // `-o NAME` is two words.
                if let ([_, .., b'o'], [name, after @ ..]) = (*word, rest) {
                    words.push(name);
                    rest = after;
                }
            }
            _ => break,
        }
    }
    let content = match file {
        b"-" => env.take_stdin().read_to_end()?,
        _ => Input::open(file)?.read_to_end()?,
    };
    let wanted = rest.first().copied();
    let Some(script) = select(&content, wanted) else {
        env.stdout.write(&text!("Unknown command ", wanted.unwrap_or_default(), "\n"))?;
        return Ok(ExitStatus::FAILURE);
    };
    words.extend([b"-c", &script[..], b"sh"]);
    words.extend(rest.iter().skip(1));
    env.stdout.flush()?;
    call::pass_on(call::run(env, &words)?)
}

/// The script of a target, or of the first one: the other targets' lines are empty, so that the shell's messages have the
/// numbers of the file's lines. `None` if there is no such target.
fn select(content: &[u8], wanted: Option<&[u8]>) -> Option<Vec<u8>> {
    // The shell counts the lines of `-c` from 0.
    let (mut script, mut current, mut wanted) = (vec![b'\n'], None, wanted);
    let mut is_found = false;
    for line in content.split_inclusive(|&byte| byte == b'\n') {
        let name = target(line);
        if name.is_some() {
            current = name;
            wanted = wanted.or(current);
            is_found |= current == wanted;
        } else if current.is_none() || current == wanted {
            script.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
        }
        script.push(b'\n');
    }
    (is_found || wanted.is_none()).then_some(script)
}

/// The name in a line that begins a target: it is at the line's start, and a colon ends the line.
fn target(line: &[u8]) -> Option<&[u8]> {
    let name = line.trim_ascii_end().strip_suffix(b":")?;
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.+/".contains(byte);
    (!name.is_empty() && name.iter().all(is_name)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_the_lines_up_to_the_next_one() {
        let file = b"x=1\na:\n\techo a\nb: \n echo b\n: c\n";
        assert_eq!(select(file, None).as_deref(), Some(&b"\nx=1\n\n\techo a\n\n\n\n"[..]));
        assert_eq!(select(file, Some(b"b")).as_deref(), Some(&b"\nx=1\n\n\n\n echo b\n: c\n"[..]));
        assert_eq!(select(file, Some(b"c")), None);
        assert_eq!(select(b"echo 1", None).as_deref(), Some(&b"\necho 1\n"[..]));
    }
}
