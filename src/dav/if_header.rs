//! The `If` header (RFC 4918 §10.4): lists of state tokens and entity tags, one of which must hold.
//!
//! Pure: parsing and evaluation over states that the caller has looked up. Two uses in one header:
//! a condition (no list holds: 412), and the submission of lock tokens (every token named anywhere
//! counts as submitted, §10.4.1).

use std::collections::HashMap;

/// More distinct resources than any client tags; each costs a look-up.
const RESOURCES_MAX: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfHeader {
    pub lists: Vec<List>,
}

/// Conditions that must all hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The tagged URL as it came; `None` is the request's own.
    pub resource: Option<String>,
    pub conditions: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub not: bool,
    pub state: State,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Token(String),
    /// Without quotes and without `W/`.
    ETag(String),
}

/// What is known of one resource. A resource that does not exist has no tag; a URL that is not ours
/// has nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResourceState {
    pub etag: Option<String>,
    /// Locks in whose scope it is.
    pub tokens: Vec<String>,
}

/// The header cannot be read; the text says why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed(pub &'static str);

impl IfHeader {
    pub fn parse(header: &str) -> Result<Self, Malformed> {
        let mut rest = header.trim_start();
        let mut lists = Vec::new();
        let mut resource: Option<String> = None;
        let mut tag_has_list = true;
        while !rest.is_empty() {
            if let Some(tag) = rest.strip_prefix('<') {
                if !tag_has_list || (resource.is_none() && !lists.is_empty()) {
                    return Err(Malformed("If: a tagged list must begin with its resource"));
                }
                let (url, after) = tag.split_once('>').ok_or(Malformed("If: `<` without `>`"))?;
                if url.is_empty() {
                    return Err(Malformed("If: empty resource"));
                }
                resource = Some(url.to_owned());
                tag_has_list = false;
                rest = after.trim_start();
            } else if let Some(inside) = rest.strip_prefix('(') {
                let (conditions, after) = conditions(inside)?;
                lists.push(List { resource: resource.clone(), conditions });
                tag_has_list = true;
                rest = after.trim_start();
            } else {
                return Err(Malformed("If: expected `(` or `<`"));
            }
        }
        if lists.is_empty() || !tag_has_list {
            return Err(Malformed("If: no list"));
        }
        let header = Self { lists };
        if header.resources().len() > RESOURCES_MAX {
            return Err(Malformed("If: too many resources"));
        }
        Ok(header)
    }

    /// The resources whose state decides, each once, with whether its entity tag matters.
    pub fn resources(&self) -> HashMap<Option<&str>, bool> {
        let mut resources = HashMap::new();
        for list in &self.lists {
            let etag = list.conditions.iter().any(|condition| matches!(condition.state, State::ETag(_)));
            *resources.entry(list.resource.as_deref()).or_insert(false) |= etag;
        }
        resources
    }

    /// Every token that is submitted by being named.
    pub fn tokens(&self) -> Vec<String> {
        let mut tokens: Vec<String> = Vec::new();
        for condition in self.lists.iter().flat_map(|list| &list.conditions) {
            if let State::Token(token) = &condition.state
                && !tokens.contains(token)
            {
                tokens.push(token.clone());
            }
        }
        tokens
    }

    /// The first list that holds.
    pub fn satisfied(&self, states: &HashMap<Option<&str>, ResourceState>) -> Option<&List> {
        let nothing = ResourceState::default();
        self.lists.iter().find(|list| {
            let state = states.get(&list.resource.as_deref()).unwrap_or(&nothing);
            list.conditions.iter().all(|condition| condition.holds(state))
        })
    }
}

impl List {
    /// The entity tag this list demands, for checking it again inside the commit.
    pub fn etag(&self) -> Option<&str> {
        self.conditions.iter().find_map(|condition| match &condition.state {
            State::ETag(etag) if !condition.not => Some(etag.as_str()),
            _ => None,
        })
    }
}

impl Condition {
    fn holds(&self, state: &ResourceState) -> bool {
        let met = match &self.state {
            // No lock ever bears a `DAV:` token, so `<DAV:no-lock>` never matches (§10.4.8).
            State::Token(token) => state.tokens.contains(token),
            State::ETag(etag) => state.etag.as_ref() == Some(etag),
        };
        met != self.not
    }
}

/// Reads up to and including the closing parenthesis.
fn conditions(inside: &str) -> Result<(Vec<Condition>, &str), Malformed> {
    let mut rest = inside.trim_start();
    let mut conditions = Vec::new();
    loop {
        if let Some(after) = rest.strip_prefix(')') {
            if conditions.is_empty() {
                return Err(Malformed("If: empty list"));
            }
            return Ok((conditions, after));
        }
        let not = rest.get(..3).is_some_and(|word| word.eq_ignore_ascii_case("not"));
        if not {
            rest = rest.get(3..).unwrap_or_default().trim_start();
        }
        let (state, after) = if let Some(token) = rest.strip_prefix('<') {
            let (token, after) = token.split_once('>').ok_or(Malformed("If: `<` without `>`"))?;
            if token.is_empty() {
                return Err(Malformed("If: empty state token"));
            }
            (State::Token(token.to_owned()), after)
        } else if let Some(etag) = rest.strip_prefix('[') {
            let (etag, after) = entity_tag(etag)?;
            (State::ETag(etag), after)
        } else {
            return Err(Malformed("If: expected `<token>` or `[etag]`"));
        };
        conditions.push(Condition { not, state });
        rest = after.trim_start();
    }
}

/// Reads an entity tag and the closing bracket. A tag may hold brackets between its quotes.
fn entity_tag(inside: &str) -> Result<(String, &str), Malformed> {
    let rest = inside.trim_start();
    let rest = rest.strip_prefix("W/").unwrap_or(rest);
    if let Some(quoted) = rest.strip_prefix('"') {
        let (etag, after) = quoted.split_once('"').ok_or(Malformed("If: unclosed entity tag"))?;
        let after = after.trim_start().strip_prefix(']').ok_or(Malformed("If: `[` without `]`"))?;
        return Ok((etag.to_owned(), after));
    }
    // Clients of servers with unquoted `getetag` send them back unquoted.
    let (etag, after) = rest.split_once(']').ok_or(Malformed("If: `[` without `]`"))?;
    let etag = etag.trim();
    if etag.is_empty() {
        return Err(Malformed("If: empty entity tag"));
    }
    Ok((etag.to_owned(), after))
}

#[cfg(test)]
mod tests {
    use super::*;

    const T1: &str = "urn:uuid:181d4fae-7d8c-11d0-a765-00a0c91e6bf2";
    const T2: &str = "urn:uuid:58f202ac-22cf-11d1-b12d-002035b29092";

    fn state(etag: Option<&str>, tokens: &[&str]) -> ResourceState {
        ResourceState {
            etag: etag.map(str::to_owned),
            tokens: tokens.iter().map(|&token| token.to_owned()).collect(),
        }
    }

    /// Evaluates with the given state for the request's resource and for `/other`.
    fn holds(header: &str, own: ResourceState, other: ResourceState) -> bool {
        let header = IfHeader::parse(header).unwrap();
        header.satisfied(&HashMap::from([(None, own), (Some("/other"), other)])).is_some()
    }

    /// The examples of RFC 4918 §10.4.6 to §10.4.10.
    #[test]
    fn lists_as_the_rfc_explains_them() {
        let none = || state(None, &[]);
        let no_tag = format!("(<{T1}> [\"I am an ETag\"]) ([\"I am another ETag\"])");
        for (own, expected) in [
            (state(Some("I am an ETag"), &[T1]), true),
            (state(Some("I am another ETag"), &[]), true),
            (state(Some("I am an ETag"), &[]), false),
            (state(None, &[T1]), false),
        ] {
            assert_eq!(holds(&no_tag, own.clone(), none()), expected, "{own:?}");
        }

        let not = format!("(Not <{T1}> <{T2}>)");
        assert!(holds(&not, state(None, &[T2]), none()));
        assert!(!holds(&not, state(None, &[T1, T2]), none()));
        assert!(!holds(&not, none(), none()));

        let always = format!("(<{T1}>)\t(Not <DAV:no-lock>)");
        assert!(holds(&always, none(), none()));

        let tagged = format!("</other> (<{T1}> [W/\"A weak ETag\"]) ([\"strong ETag\"])");
        assert!(holds(&tagged, none(), state(Some("strong ETag"), &[])));
        assert!(holds(&tagged, none(), state(Some("A weak ETag"), &[T1])));
        assert!(!holds(&tagged, state(Some("strong ETag"), &[]), none()));

        // A resource nobody knows of meets nothing but a negation.
        assert!(!holds(&format!("</unknown> (<{T1}>)"), state(None, &[T1]), none()));
        assert!(holds(&format!("</unknown> (Not <{T1}>)"), none(), none()));
        assert!(!holds("([\"4217\"])", none(), none()));
    }

    #[test]
    fn tokens_are_submitted_wherever_they_stand() {
        let header = format!("</a> (Not <{T1}>) </b> ([\"x\"] <{T2}>) (<{T1}>)");
        assert_eq!(IfHeader::parse(&header).unwrap().tokens(), [T1, T2]);
    }

    #[test]
    fn the_parts_are_told_apart() {
        let header = IfHeader::parse("<http://h/a> (not <t:1>[W/\"a]b\"]) ([bare])").unwrap();
        let resource = Some("http://h/a".to_owned());
        let expected = [
            List {
                resource: resource.clone(),
                conditions: vec![
                    Condition { not: true, state: State::Token("t:1".into()) },
                    Condition { not: false, state: State::ETag("a]b".into()) },
                ],
            },
            List { resource, conditions: vec![Condition { not: false, state: State::ETag("bare".into()) }] },
        ];
        assert_eq!(header.lists, expected);
        assert_eq!(header.resources(), HashMap::from([(Some("http://h/a"), true)]));
        assert_eq!(header.lists[0].etag(), Some("a]b"));
    }

    #[test]
    fn what_is_no_if_header_is_refused() {
        for header in [
            "",
            " ",
            "()",
            "(",
            "(<a>",
            "(<a)",
            "<a>",
            "<a> <b> (<c>)",
            "<> (<c>)",
            "(<a>) <b> (<c>)",
            "(Not)",
            "(Not Not <a>)",
            "(\"a\")",
            "([\"a)",
            "([\"a\")",
            "([])",
            "(<>)",
            "(<a>) x",
            "<a> (<b>) <c>",
            "opaquelocktoken:a",
            "(é)",
        ] {
            assert!(IfHeader::parse(header).is_err(), "{header:?}");
        }
        let many: String = (0..=RESOURCES_MAX).map(|n| format!("</{n}> (<a:b>) ")).collect();
        assert!(IfHeader::parse(&many).is_err());
    }
}
