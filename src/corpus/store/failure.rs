//! Failures of object stores, in words, with a remedy.

use std::error::Error as _;
use std::io;

use object_store::Error;

use crate::corpus::address::Bucket;
use crate::error::{StoreFailure, shown_up_to};

/// Most characters of a server's answer in a message.
const MOST: usize = 400;

/// An error and its causes, in one line.
pub(super) fn words(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let words = inner.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = inner.source();
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    shown_up_to(MOST, &words.join(" "))
}

/// Whether the credentials do not suffice. A list that is denied has no kind of its own.
fn is_denied(error: &Error, text: &str) -> bool {
    let codes = [
        "AccessDenied",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
    ];
    matches!(
        error,
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. }
    ) || codes.iter().any(|code| text.contains(code))
}

/// The error of a request as an I/O error.
pub(super) fn failure(bucket: &Bucket, error: Error) -> io::Error {
    let text = words(&error);
    let (name, variables) = (&bucket.name, bucket.scheme.variables());
    let lacks_bucket = [
        "NoSuchBucket",
        "ContainerNotFound",
        "specified bucket does not exist",
    ]
    .iter()
    .any(|code| text.contains(code));
    let (problem, remedy) = match &error {
        _ if lacks_bucket => (
            format!("the bucket '{name}' does not exist"),
            "create it, or correct the URL".to_string(),
        ),
        Error::NotFound { .. } => return io::Error::new(io::ErrorKind::NotFound, text),
        _ if is_denied(&error, &text) => (
            format!("the store denies access: {text}"),
            format!("check the bucket's policy and the credentials in {variables}"),
        ),
        Error::Precondition { .. } => (
            "the object was replaced while it was read".into(),
            "wait until no other run writes this corpus, and try again".into(),
        ),
        // Without credentials, clients ask the metadata service of a virtual machine.
        _ if text.contains("169.254.") || text.contains("metadata.google") => (
            format!("no credentials were found: {text}"),
            format!("set {variables}"),
        ),
        _ if text.contains("URL scheme is not allowed") => (
            "the endpoint has no TLS".into(),
            "use an https endpoint, or allow http with AWS_ALLOW_HTTP=true (GOOGLE_…, AZURE_…)"
                .into(),
        ),
        _ => (
            text,
            "run the same command again when the store can be reached; finished files are kept"
                .into(),
        ),
    };
    StoreFailure::Refused { problem, remedy }.into()
}
