//! The tables this build carries. A table that lies in `fixtures/` and isn't listed here would be
//! read by no one, so a test compares both.

/// The text of one table, with the place it comes from.
#[derive(Clone, Copy, Debug)]
pub struct Source {
    /// Folder below `fixtures/`.
    pub protocol: &'static str,
    /// File name without `.toml`.
    pub name: &'static str,
    pub text: &'static str,
}

macro_rules! sources {
    ($($protocol:literal $name:literal)*) => {
        &[$(Source {
            protocol: $protocol,
            name: $name,
            text: include_str!(concat!("../../fixtures/", $protocol, "/contract/", $name, ".toml")),
        }),*]
    };
}

/// Every table, in the order in which they are printed.
#[rustfmt::skip]
pub const SOURCES: &[Source] = sources! {
    "cells" "rest"
    "cells" "web"
    "s3" "operations"
    "s3" "authentication"
    "webdav" "methods"
    "webdav" "properties"
    "pydio8" "api-v1"
    "pydio8" "session"
    "pydio8" "api-v2"
    "pydio8" "cmd"
    "seafile" "web-api"
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_table_below_fixtures_is_embedded() {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
        let mut found = BTreeSet::new();
        for protocol in std::fs::read_dir(&fixtures).unwrap() {
            let protocol = protocol.unwrap();
            let Ok(tables) = std::fs::read_dir(protocol.path().join("contract")) else { continue };
            for table in tables {
                let name = table.unwrap().file_name().into_string().unwrap();
                let name = name.strip_suffix(".toml").expect("only tables lie in a contract folder");
                found.insert((protocol.file_name().into_string().unwrap(), name.to_owned()));
            }
        }
        let listed: BTreeSet<_> =
            SOURCES.iter().map(|source| (source.protocol.to_owned(), source.name.to_owned())).collect();
        assert_eq!(listed, found);
    }
}
