//! svlogd's patterns, which are no regular expressions: `*` and `+` look at the character after them.

/// Whether the pattern matches the whole text.
pub fn matches(pattern: &[u8], mut text: &[u8]) -> bool {
    let mut pattern = pattern.iter();
    while let Some(&byte) = pattern.next() {
        match byte {
            // What follows is compared in the next round.
            b'*' => match pattern.as_slice().first() {
                None => return true,
                Some(stop) => match text.iter().position(|other| other == stop) {
                    Some(at) => text = &text[at..],
                    None => return false,
                },
            },
            b'+' => {
                let Some(wanted) = pattern.next() else { return false };
                let count = text.iter().take_while(|other| *other == wanted).count();
                if count == 0 {
                    return false;
                }
                text = &text[count..];
            }
            _ => match text.split_first() {
                Some((first, rest)) if *first == byte => text = rest,
                _ => return false,
            },
        }
    }
    text.is_empty()
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_star_ends_at_the_next_character_of_the_pattern() {
        let message = b"tcpsvd: info: pid 1977 from 10.4.1.14";
        assert!(!matches(b"*pid*", message));
        assert!(matches(b"*: *: pid *", message));
        assert!(matches(b"*", b"") && matches(b"", b"") && !matches(b"", b"x"));
        assert!(matches(b"a+b+c", b"abbbc") && !matches(b"a+b", b"a") && !matches(b"+", b"x"));
        assert!(matches(b"*a*", b"xxa") && !matches(b"*a", b"xxab"));
    }
}
