//! `[[s3.cors]]` in the configuration file.

use cellgate_s3::{CORS_METHODS, CorsRule};
use http::{HeaderName, HeaderValue};
use toml::{Table, Value};

/// The rules, or what is wrong with them and where.
pub fn rules(value: &Value) -> Result<Vec<CorsRule>, Vec<String>> {
    let Some(tables) = value.as_array().filter(|values| values.iter().all(Value::is_table)) else {
        return Err(vec!["config: `s3.cors`: expected tables `[[s3.cors]]`".to_owned()]);
    };
    let (mut rules, mut problems) = (Vec::new(), Vec::new());
    for (at, table) in tables.iter().filter_map(Value::as_table).enumerate() {
        let mut fault = |key: &str, why: &str| {
            problems.push(format!("config: `s3.cors[{at}].{key}`: {why}"));
        };
        rules.push(rule(table, &mut fault));
    }
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}

fn rule(table: &Table, fault: &mut impl FnMut(&str, &str)) -> CorsRule {
    let mut rule = CorsRule::default();
    for (key, value) in table {
        let checked = match key.as_str() {
            "origins" => texts(value, is_origin).map(|texts| rule.origins = texts),
            "methods" => texts(value, |text| CORS_METHODS.contains(&text)).map(|texts| rule.methods = texts),
            "headers" => texts(value, is_header_pattern).map(|texts| rule.headers = texts),
            "expose" => texts(value, is_header).map(|texts| rule.expose = texts),
            "max_age_s" => max_age(value).map(|seconds| rule.max_age_s = Some(seconds)),
            _ => Err("there is no such key".to_owned()),
        };
        if let Err(why) = checked {
            fault(key, &why);
        }
    }
    for key in ["origins", "methods"] {
        let named = table.get(key).is_some_and(|value| value.as_array().is_none_or(|list| !list.is_empty()));
        if !named {
            fault(key, "at least one is needed");
        }
    }
    rule
}

fn texts(value: &Value, allowed: impl Fn(&str) -> bool) -> Result<Vec<String>, String> {
    let wrong = |value: &Value| format!("this cannot stand here: {value}");
    value
        .as_array()
        .ok_or_else(|| format!("expected a list of texts, found {value}"))?
        .iter()
        .map(|value| match value.as_str() {
            Some(text) if allowed(text) => Ok(text.to_owned()),
            _ => Err(wrong(value)),
        })
        .collect()
}

fn max_age(value: &Value) -> Result<u32, String> {
    // What Amazon's document holds.
    let seconds = value.as_integer().filter(|seconds| (0..=i64::from(i32::MAX)).contains(seconds));
    seconds
        .and_then(|seconds| u32::try_from(seconds).ok())
        .ok_or_else(|| format!("expected a whole number of seconds from 0, found {value}"))
}

fn has_one_star(text: &str) -> bool {
    text.matches('*').count() <= 1
}

fn is_origin(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic();
    !text.is_empty() && text.bytes().all(plain) && HeaderValue::from_str(text).is_ok() && has_one_star(text)
}

fn is_header(text: &str) -> bool {
    HeaderName::try_from(text).is_ok() && !text.contains('*')
}

fn is_header_pattern(text: &str) -> bool {
    // `*` may stand in the name of a header.
    HeaderName::try_from(text).is_ok() && has_one_star(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(file: &str) -> Result<Vec<CorsRule>, Vec<String>> {
        rules(&file.parse::<Table>().unwrap()["cors"])
    }

    #[test]
    fn a_rule_is_read() {
        let file = "[[cors]]\norigins = [\"https://*.example.org\"]\nmethods = [\"GET\", \"PUT\"]\n\
                    headers = [\"*\", \"x-amz-*\"]\nexpose = [\"ETag\"]\nmax_age_s = 3000\n\
                    [[cors]]\norigins = [\"*\"]\nmethods = [\"HEAD\"]";
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        let first = CorsRule {
            origins: texts(&["https://*.example.org"]),
            methods: texts(&["GET", "PUT"]),
            headers: texts(&["*", "x-amz-*"]),
            expose: texts(&["ETag"]),
            max_age_s: Some(3000),
        };
        let second = CorsRule { origins: texts(&["*"]), methods: texts(&["HEAD"]), ..CorsRule::default() };
        assert_eq!(read(file), Ok(vec![first, second]));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place() {
        for (file, place) in [
            ("cors = 1", "`s3.cors`"),
            ("cors = [\"*\"]", "`s3.cors`"),
            ("[[cors]]\nmethods = [\"GET\"]", "`s3.cors[0].origins`"),
            ("[[cors]]\norigins = []\nmethods = [\"GET\"]", "`s3.cors[0].origins`"),
            ("[[cors]]\norigins = [\"*\"]", "`s3.cors[0].methods`"),
            ("[[cors]]\norigins = [\"*\"]\nmethods = [\"PATCH\"]", "`s3.cors[0].methods`"),
            ("[[cors]]\norigins = [\"*\"]\nmethods = \"GET\"", "`s3.cors[0].methods`"),
            ("[[cors]]\norigins = [\"http://*.*\"]\nmethods = [\"GET\"]", "`s3.cors[0].origins`"),
            ("[[cors]]\norigins = [\"a b\"]\nmethods = [\"GET\"]", "`s3.cors[0].origins`"),
            ("[[cors]]\norigins = [\"*\"]\nmethods = [\"GET\"]\nheaders = [\"a b\"]", "`s3.cors[0].headers`"),
            ("[[cors]]\norigins = [\"*\"]\nmethods = [\"GET\"]\nexpose = [\"*\"]", "`s3.cors[0].expose`"),
            ("[[cors]]\norigins = [\"*\"]\nmethods = [\"GET\"]\nmax_age_s = -1", "`s3.cors[0].max_age_s`"),
            ("[[cors]]\norigins = [\"*\"]\nmethods = [\"GET\"]\nmax_age = 1", "`s3.cors[0].max_age`"),
        ] {
            let problems = read(file).unwrap_err();
            assert!(problems.iter().any(|problem| problem.contains(place)), "{file}: {problems:?}");
        }
    }
}
