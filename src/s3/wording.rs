//! The sentences that S3 itself answers with, where s3s has those of its documentation.
//!
//! Some clients match them, and suites for S3 servers do. A message that says more than its code does
//! is left as it is.

use s3s::S3ErrorCode;

const SENTENCES: [(&str, &str); 20] = [
    ("AccessDenied", "Access Denied."),
    ("BucketNotEmpty", "The bucket you tried to delete is not empty."),
    (
        "BucketAlreadyExists",
        "The requested bucket name is not available. The bucket name can not be an existing collection, and \
         the bucket namespace is shared by all users of the system. Please select a different name and try \
         again.",
    ),
    (
        "BucketAlreadyOwnedByYou",
        "Your previous request to create the named bucket succeeded and you already own it.",
    ),
    ("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"),
    ("EntityTooLarge", "Your proposed upload exceeds the maximum allowed object size."),
    ("InternalError", "We encountered an internal error, please try again."),
    ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
    ("InvalidBucketName", "The specified bucket is not valid."),
    ("InvalidDigest", "The Content-Md5 you specified is not valid."),
    ("InvalidLocationConstraint", "The specified location-constraint is not valid"),
    (
        "InvalidPart",
        "One or more of the specified parts could not be found.  The part may not have been uploaded, or the \
         specified entity tag may not match the part's entity tag.",
    ),
    (
        "InvalidPartOrder",
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
    ),
    ("InvalidRange", "The requested range is not satisfiable"),
    (
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema.",
    ),
    ("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size"),
    (
        "NoSuchUpload",
        "The specified multipart upload does not exist. The upload ID may be invalid, or the upload may have \
         been aborted or completed.",
    ),
    ("NoSuchVersion", "The specified version does not exist."),
    ("PreconditionFailed", "At least one of the pre-conditions you specified did not hold."),
    (
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and \
         signing method.",
    ),
];

/// Parameters that are integers: what s3s cannot read as one it calls an invalid query.
const INTEGERS: [&str; 5] = ["max-keys", "max-parts", "max-uploads", "part-number-marker", "partNumber"];

/// An error document with S3's own sentence in place of the default one of its code.
pub(crate) fn corrected(document: &str) -> Option<String> {
    let code = between(document, "<Code>", "</Code>")?;
    let message = between(document, "<Message>", "</Message>")?;
    if let Some(argument) = no_integer(message) {
        return Some(document.replacen(&format!("<Message>{message}</Message>"), &argument, 1));
    }
    let sentence = SENTENCES.iter().find(|(known, _)| *known == code)?.1;
    let default = S3ErrorCode::from_bytes(code.as_bytes())?.default_message()?;
    let plain = message.replace("&apos;", "'").replace("&#39;", "'").replace("&quot;", "\"");
    (plain == default).then(|| {
        document.replacen(
            &format!("<Message>{message}</Message>"),
            &format!("<Message>{sentence}</Message>"),
            1,
        )
    })
}

/// The elements of an error about such a parameter; `message` and its value are escaped already.
fn no_integer(message: &str) -> Option<String> {
    let (name, value) = message.strip_prefix("invalid query: ")?.split_once(": ")?;
    if !INTEGERS.contains(&name) {
        return None;
    }
    let sentence = match name {
        "partNumber" => "Part number must be an integer between 1 and 10000, inclusive.".to_owned(),
        _ => format!("Provided {value} not an integer or within integer range"),
    };
    Some(format!(
        "<Message>{sentence}</Message><ArgumentName>{name}</ArgumentName><ArgumentValue>{value}</ArgumentValue>"
    ))
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Option<&'a str> {
    text.split_once(open)?.1.split_once(close).map(|(inner, _)| inner)
}

#[cfg(test)]
mod tests {
    use s3s::S3Error;

    use super::*;

    #[test]
    fn every_sentence_is_of_a_code_with_a_default() {
        for (code, sentence) in SENTENCES {
            assert!(
                S3ErrorCode::from_bytes(code.as_bytes()).and_then(|code| code.default_message()).is_some(),
                "{code}"
            );
            assert!(!sentence.contains(['<', '&', '>']), "{code}");
        }
    }

    #[test]
    fn defaults_are_replaced_and_other_messages_kept() {
        let document = |error: S3Error| {
            let response = error.to_http_response().unwrap();
            String::from_utf8(response.into_body().bytes().unwrap().to_vec()).unwrap()
        };
        for (code, sentence) in SENTENCES {
            let error = S3Error::new(S3ErrorCode::from_bytes(code.as_bytes()).unwrap());
            let corrected = corrected(&document(error)).unwrap_or_else(|| panic!("{code}"));
            assert!(corrected.contains(&format!("<Message>{sentence}</Message>")), "{corrected}");
        }
        let own = S3Error::with_message(S3ErrorCode::InvalidPart, "part 3: missing");
        assert_eq!(corrected(&document(own)), None);
        let query =
            |name| S3Error::with_message(S3ErrorCode::InvalidArgument, format!("invalid query: {name}: a&b"));
        let corrected_marker = corrected(&document(query("part-number-marker"))).unwrap();
        assert!(
            corrected_marker
                .contains("<Message>Provided a&amp;b not an integer or within integer range</Message>"),
            "{corrected_marker}"
        );
        assert!(corrected_marker.contains("<ArgumentName>part-number-marker</ArgumentName>"));
        assert_eq!(corrected(&document(query("response-expires"))), None);
        assert_eq!(corrected(&document(S3Error::new(S3ErrorCode::NoSuchKey))), None);
    }
}
