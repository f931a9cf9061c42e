//! Relations between packages (deb-control(5)): what needs what, and what excludes what.

use core::cmp::Ordering;

use rbox_core::bytes::{find_byte, split_once};
use rbox_core::prelude::*;
use rbox_core::text;

use crate::control::{Paragraph, compare_versions};

/// One alternative of a relation: a name, and which versions.
struct Relation<'a> {
    name: &'a [u8],
    version: Option<(&'a [u8], &'a [u8])>,
}

impl<'a> Relation<'a> {
    fn parse(text: &'a [u8]) -> Self {
        let text = text.trim_ascii();
        let (name, rest) = find_byte(b'(', text).map_or((text, &b""[..]), |at| (&text[..at], &text[at + 1..]));
        // Architectures in brackets are gone from packages that are built.
        let name = rbox_core::bytes::words(name).next().unwrap_or_default();
        let name = split_once(name, b':').map_or(name, |(name, _)| name);
        let rest = split_once(rest, b')').map_or(rest, |(inside, _)| inside).trim_ascii();
        let operator = rest.iter().take_while(|byte| b"<>=".contains(byte)).count();
        let version = (operator > 0).then(|| (&rest[..operator], rest[operator..].trim_ascii()));
        Self { name, version }
    }

    /// Whether something of its name with that version is meant; empty is no version.
    fn has(&self, version: &[u8]) -> bool {
        let Some((operator, wanted)) = self.version else { return true };
        !version.is_empty() && holds(compare_versions(version, wanted), operator)
    }
}

/// Whether an order is the one that an operator asks for; `<` and `>` are old names of `<=` and `>=`.
pub fn holds(order: Ordering, operator: &[u8]) -> bool {
    match operator {
        b"<<" | b"lt" | b"lt-nl" => order.is_lt(),
        b"<=" | b"<" | b"le" | b"le-nl" => order.is_le(),
        b"=" | b"eq" => order.is_eq(),
        b">=" | b">" | b"ge" | b"ge-nl" => order.is_ge(),
        b"ne" => order.is_ne(),
        _ => order.is_gt(),
    }
}

/// The parts of a list of relations.
fn parts(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    list.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|part| !part.is_empty())
}

/// What a set of packages offers, sorted: a name, its version if there is one, and the package, each with a NUL after it.
pub struct Offers(Vec<Vec<u8>>);

impl Offers {
    pub fn of(packages: &[&Paragraph]) -> Self {
        let mut offers = Vec::new();
        for package in packages {
            let name = package.get("Package");
            offers.push(text!(name, "\0", package.get("Version"), "\0", name));
            for provided in parts(package.get("Provides")) {
                let relation = Relation::parse(provided);
                let version = relation.version.map_or(&b""[..], |(_, version)| version);
                offers.push(text!(relation.name, "\0", version, "\0", name));
            }
        }
        offers.sort_unstable();
        Self(offers)
    }

    /// A package, not that one, which an alternative means.
    fn find(&self, relation: &[u8], not: &[u8]) -> Option<&[u8]> {
        let relation = Relation::parse(relation);
        let start = text!(relation.name, "\0");
        let first = self.0.partition_point(|offer| *offer < start);
        for offer in &self.0[first..] {
            let (version, package) = split_once(offer.strip_prefix(&start[..])?, 0).unwrap_or_default();
            if relation.has(version) && package != not {
                return Some(package);
            }
        }
        None
    }

    /// The first relation of the package that nothing fulfils.
    pub fn missing<'b>(&self, package: &'b Paragraph) -> Option<&'b [u8]> {
        for field in ["Pre-Depends", "Depends"] {
            for part in parts(package.get(field)) {
                if !part.split(|&byte| byte == b'|').any(|one| self.find(one, b"").is_some()) {
                    return Some(part);
                }
            }
        }
        None
    }

    /// Another package that the package excludes.
    fn excluded(&self, package: &Paragraph) -> Option<&[u8]> {
        for field in ["Conflicts", "Breaks"] {
            for part in parts(package.get(field)) {
                if let Some(other) = self.find(part, package.get("Package")) {
                    return Some(other);
                }
            }
        }
        None
    }
}

/// Why the packages that are there cannot become those `after`, of which `new` come: something that was fulfilled would no
/// longer be, or is not for one of the new.
pub fn check(before: &[&Paragraph], after: &[&Paragraph], new: &[&[u8]]) -> Result<()> {
    let (old, offers) = (Offers::of(before), Offers::of(after));
    for package in after {
        let name = package.get("Package");
        let is_new = new.contains(&name);
        if let Some(part) = offers.missing(package)
            && (is_new || old.missing(package).is_none())
        {
            return Err(Error::parts(&[b"package ", name, b" depends on ", part, b", which would not be installed"]));
        }
        if let Some(other) = offers.excluded(package)
            && (is_new || new.contains(&other))
        {
            return Err(Error::parts(&[b"package ", name, b" conflicts with ", other]));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::parse;

    #[test]
    fn relations_are_met_or_not() {
        let all = parse(b"Package: a\nVersion: 1.2\nProvides: v (= 3), w\n\nPackage: b\nVersion: 1\n").expect("two");
        let offers = Offers::of(&all.iter().collect::<Vec<_>>());
        let missing = |depends: &str| {
            let mut package = Paragraph::default();
            package.set("Depends", Some(depends.as_bytes()));
            offers.missing(&package).map(<[u8]>::to_vec)
        };
        for met in ["", "a", "a (>= 1.2), b:any", "x | b", "v (>= 2)", "w", "a (<< 2) | x"] {
            assert_eq!(missing(met), None, "{met}");
        }
        assert_eq!(missing("a, x (>= 1) | y, z"), Some(b"x (>= 1) | y".to_vec()));
        assert_eq!(missing("w (>= 1)"), Some(b"w (>= 1)".to_vec()));
        assert_eq!(missing("a (>> 1.2)"), Some(b"a (>> 1.2)".to_vec()));
    }
}
