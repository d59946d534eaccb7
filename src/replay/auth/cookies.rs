//! Cookies, by the names that a recorded client kept them under.

use std::collections::HashMap;

use cellgate_record::{Answered, Sent, is_name};

use crate::Values;

/// What the target has set so far.
#[derive(Debug, Default)]
pub struct Jar {
    latest: HashMap<String, String>,
}

/// Sessions: without them a request means something else.
pub fn is_session(cookie: &str) -> bool {
    cookie == "AjaXplorer" || cookie == "pydio" || cookie.starts_with("pydio-")
}

/// Names and values of a `Cookie` header.
pub fn pairs(header: &str) -> impl Iterator<Item = (&str, &str)> {
    header.split(';').filter_map(|pair| pair.trim().split_once('='))
}

/// Name and value of a `Set-Cookie` header.
pub fn set_cookie(header: &str) -> Option<(&str, &str)> {
    let (name, value) = header.split(';').next()?.split_once('=')?;
    Some((name.trim(), value.trim()))
}

fn set_cookies(answered: &Answered) -> impl Iterator<Item = (&str, &str)> {
    let headers = answered.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    headers.filter_map(|(_, value)| set_cookie(value)).filter(|(_, value)| !value.is_empty())
}

impl Jar {
    /// The header that goes out for a recorded one. A cookie that the target never set is left out, as
    /// a client there would have none.
    pub fn header(&self, recorded: &str, values: &Values) -> Option<String> {
        let fresh: Vec<String> = pairs(recorded)
            .filter_map(|(name, value)| Some(format!("{name}={}", self.value(name, value, values)?)))
            .collect();
        (!fresh.is_empty()).then(|| fresh.join("; "))
    }

    /// The session cookie of a recorded header that has no value yet.
    pub fn missing<'a>(&self, recorded: &'a str, values: &Values) -> Option<(&'a str, &'a str)> {
        pairs(recorded).find(|(name, value)| is_session(name) && self.value(name, value, values).is_none())
    }

    fn value(&self, name: &str, recorded: &str, values: &Values) -> Option<String> {
        if !is_name(recorded) {
            return Some(recorded.to_owned());
        }
        values.get(recorded).or_else(|| self.latest.get(name).map(String::as_str)).map(str::to_owned)
    }

    /// Learns from an answer.
    pub fn learn(&mut self, sent: &Sent, recorded: &Answered, fresh: &Answered, values: &mut Values) {
        for (name, value) in set_cookies(fresh) {
            self.latest.insert(name.to_owned(), value.to_owned());
            let then = set_cookies(recorded).filter(|(known, _)| *known == name).last();
            // Renewed here and not there: what the client goes on sending stands for the new one.
            let kept = || pairs(sent.header("cookie")?).find(|(known, _)| *known == name);
            if let Some((_, recorded)) = then.or_else(kept)
                && is_name(recorded)
            {
                values.set(recorded, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{answered, sent};

    fn setting(cookie: &str) -> Answered {
        let mut answered = answered(200, "");
        answered.headers.push(("Set-Cookie".into(), cookie.into()));
        answered
    }

    #[test]
    fn a_cookie_follows_what_the_target_sets() {
        let (mut jar, mut values) = (Jar::default(), Values::default());
        let first = sent("GET", "/index.php?get_action=get_boot_conf", &[]);
        jar.learn(
            &first,
            &setting("AjaXplorer=__cookie_1__; path=/"),
            &setting("AjaXplorer=f1; path=/"),
            &mut values,
        );
        assert_eq!(
            jar.header("AjaXplorer=__cookie_1__; lang=de", &values).unwrap(),
            "AjaXplorer=f1; lang=de"
        );

        // A new one at sign-in, there and here.
        let login = sent("POST", "/index.php", &[("Cookie", "AjaXplorer=__cookie_1__")]);
        jar.learn(&login, &setting("AjaXplorer=__cookie_2__"), &setting("AjaXplorer=f2"), &mut values);
        assert_eq!(jar.header("AjaXplorer=__cookie_2__", &values).unwrap(), "AjaXplorer=f2");
        assert_eq!(jar.header("AjaXplorer=__cookie_1__", &values).unwrap(), "AjaXplorer=f1");

        // Only here.
        let later = sent("POST", "/index.php", &[("Cookie", "AjaXplorer=__cookie_2__")]);
        jar.learn(&later, &answered(200, ""), &setting("AjaXplorer=f3"), &mut values);
        assert_eq!(jar.header("AjaXplorer=__cookie_2__", &values).unwrap(), "AjaXplorer=f3");

        // Only there: the old one is still good here.
        assert_eq!(jar.header("AjaXplorer=__cookie_9__", &values).unwrap(), "AjaXplorer=f3");
    }

    #[test]
    fn a_session_without_cookie_is_missing_and_other_cookies_are_left_out() {
        let (jar, values) = (Jar::default(), Values::default());
        let header = "_ga=__cookie_1__; AjaXplorer=__cookie_2__";
        assert_eq!(jar.missing(header, &values), Some(("AjaXplorer", "__cookie_2__")));
        assert_eq!(jar.header(header, &values), None);
        assert_eq!(jar.missing("_ga=__cookie_1__", &values), None);
    }
}
