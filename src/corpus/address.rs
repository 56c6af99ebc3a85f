//! Where a corpus is: the text of `--out` as a directory, or as a place in an object store.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// A kind of object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    S3,
    Google,
    Azure,
}

/// Schemes of URLs, with the stores they name.
const SCHEMES: [(&str, Scheme); 3] = [
    ("s3", Scheme::S3),
    ("gs", Scheme::Google),
    ("az", Scheme::Azure),
];

impl Scheme {
    pub fn name(self) -> &'static str {
        let mut all = SCHEMES.iter();
        all.find(|(_, scheme)| *scheme == self)
            .map_or("", |(name, _)| name)
    }

    /// The environment variables that usually give credentials.
    #[cfg(feature = "object-stores")]
    pub fn variables(self) -> &'static str {
        match self {
            Scheme::S3 => {
                "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION (and AWS_ENDPOINT_URL)"
            }
            Scheme::Google => "GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_SERVICE_ACCOUNT",
            Scheme::Azure => "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
        }
    }
}

/// A prefix in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    pub scheme: Scheme,
    /// The bucket; Azure calls it a container.
    pub name: String,
    /// The start of all keys, without `/` at either end; empty for the whole bucket.
    pub prefix: String,
}

impl Bucket {
    /// `s3://bucket/prefix`
    pub fn url(&self) -> PathBuf {
        let (scheme, name) = (self.scheme.name(), &self.name);
        match self.prefix.as_str() {
            "" => format!("{scheme}://{name}").into(),
            prefix => format!("{scheme}://{name}/{prefix}").into(),
        }
    }
}

/// Where a corpus is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Directory(PathBuf),
    Store(Bucket),
}

const KNOWN: &str = "use s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX, file:///PATH or a directory";

/// Reads the text of an `--out`. Keys are taken literally, as `aws s3` takes them: `%20` in
/// `s3://b/a%20b` stays three characters. A `file:` URL is decoded, as its standard says.
///
/// # Errors
/// An unknown scheme, or a URL without a bucket.
pub fn parse(place: &Path) -> Result<Address> {
    let refuse = |problem: String, remedy: &str| Err(Error::input(place, None, problem, remedy));
    let Some(text) = place.to_str() else {
        return Ok(Address::Directory(place.to_path_buf()));
    };
    let Some((scheme, rest)) = text.split_once(":/").filter(|(name, _)| is_scheme(name)) else {
        return Ok(Address::Directory(place.to_path_buf()));
    };
    let known = SCHEMES.iter().find(|(name, _)| *name == scheme);
    let Some(rest) = rest.strip_prefix('/') else {
        // `pathlib.Path("s3://bucket")` becomes `s3:/bucket`.
        return match known.is_some() || scheme == "file" {
            true => refuse(
                format!("a URL has two slashes after '{scheme}:'"),
                "write s3://BUCKET/PREFIX; in Python give a str, since a pathlib.Path drops a slash",
            ),
            false => Ok(Address::Directory(place.to_path_buf())),
        };
    };
    if scheme == "file" {
        let path = rest.strip_prefix("localhost").unwrap_or(rest);
        return match (path.starts_with('/'), decoded(path)) {
            (true, Some(path)) => Ok(Address::Directory(path.into())),
            (false, _) => refuse(
                "a file URL needs an absolute path".into(),
                "write file:///PATH",
            ),
            (true, None) => refuse(
                "'%' in a file URL must be followed by two hexadecimal digits, and UTF-8 must result".into(),
                "write %25 for a percent sign, or give the path without file://",
            ),
        };
    }
    let Some(&(_, scheme)) = known else {
        return refuse(
            format!("'{scheme}' is no object store that fusiongen knows"),
            KNOWN,
        );
    };
    let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '$');
    if name.is_empty() || !name.chars().all(is_plain) {
        return refuse(
            "the URL has no valid name of a bucket".into(),
            "write s3://BUCKET/PREFIX; credentials and endpoints come from environment variables",
        );
    }
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    let is_segment =
        |part: &str| !matches!(part, "" | "." | "..") && !part.contains(char::is_control);
    if !prefix.is_empty() && !prefix.split('/').all(is_segment) {
        return refuse(
            "a part of the prefix is empty, '.' or '..', or has control characters".into(),
            "use one slash between the parts of the prefix",
        );
    }
    Ok(Address::Store(Bucket {
        scheme,
        name: name.into(),
        prefix: prefix.into(),
    }))
}

/// Whether a text before `:/` is a scheme; one letter is a drive of Windows.
fn is_scheme(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && (text.chars()).all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

/// The path of a `file:` URL; `None` if an escape is broken.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first != b'%' {
            bytes.push(first);
            continue;
        }
        let digits = after
            .get(..2)
            .filter(|d| d.iter().all(u8::is_ascii_hexdigit))?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn place(text: &str) -> String {
        match parse(Path::new(text)) {
            Ok(Address::Directory(path)) => path.display().to_string(),
            Ok(Address::Store(bucket)) => {
                format!("{:?} {} {}", bucket.scheme, bucket.name, bucket.prefix)
            }
            Err(error) => format!("{} {error}", error.exit_code()),
        }
    }

    #[test]
    fn an_address_is_a_directory_or_a_bucket() {
        for directory in [
            "out/corpus",
            "/a/b",
            "C:/a",
            "C://a",
            "a:b",
            "s3",
            "odd:/name",
            "-",
        ] {
            assert_eq!(place(directory), directory);
        }
        assert_eq!(place("s3://b"), "S3 b ");
        assert_eq!(place("gs://b/"), "Google b ");
        assert_eq!(place("az://c/a%20b/c d/"), "Azure c a%20b/c d");
        assert_eq!(place("file:///tmp/a%20b"), "/tmp/a b");
        assert_eq!(place("file://localhost/tmp/x"), "/tmp/x");
    }

    #[test]
    fn other_urls_are_refused() {
        for (url, problem) in [
            ("s4://b/x", "'s4' is no object store"),
            ("https://b.s3.amazonaws.com/x", "'https' is no object store"),
            ("S3://b/x", "'S3' is no object store"),
            ("s3:/b/x", "two slashes"),
            ("s3://", "no valid name"),
            ("s3:///x", "no valid name"),
            ("s3://key:secret@b/x", "no valid name"),
            ("s3://b//x", "empty"),
            ("s3://b/../x", "'..'"),
            ("file://there/x", "absolute"),
            ("file:///a%2", "hexadecimal"),
        ] {
            let found = place(url);
            assert!(
                found.starts_with("2 ") && found.contains(problem),
                "{url}: {found}"
            );
        }
    }

    #[test]
    fn a_bucket_is_shown_as_its_url() {
        for url in ["s3://b/p/q", "gs://b", "az://c/p"] {
            let Ok(Address::Store(bucket)) = parse(Path::new(url)) else {
                panic!("{url}")
            };
            assert_eq!(bucket.url(), Path::new(url));
        }
    }
}
