//! AD users from CSV.
//!
//! An export of a directory, as people have it: only the account's name is mandatory.
//! It knows no hosts.

use std::collections::BTreeMap;
use std::path::Path;

use super::csv_table::{Column, Source};
use crate::Result;

/// One account of the directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct User {
    /// sAMAccountName, as written.
    pub username: String,
    pub department: Option<String>,
    pub display_name: Option<String>,
    pub email: Option<String>,
    /// The directory says that the account may not log on.
    pub disabled: bool,
}

/// Longest username in characters. AD allows 20 for people; other directories more.
const USERNAME_LIMIT: usize = 64;

/// Characters that AD refuses in a sAMAccountName.
const FORBIDDEN: &str = "\"/\\[]:;|=,+*?<>@";

const COLUMNS: [Column; 4] = [
    Column {
        name: "Username",
        aliases: &[
            "username",
            "samaccountname",
            "useraccount",
            "accountname",
            "loginname",
            "logonname",
            "login",
            "logon",
            "user",
            "account",
            "userid",
            "uid",
        ],
        mandatory: true,
    },
    Column {
        name: "Department",
        aliases: &[
            "department",
            "dept",
            "departmentname",
            "businessunit",
            "division",
            "team",
        ],
        mandatory: false,
    },
    Column {
        name: "Display_Name",
        aliases: &["displayname", "fullname", "name", "cn", "commonname"],
        mandatory: false,
    },
    Column {
        name: "Email",
        aliases: &[
            "email",
            "mail",
            "emailaddress",
            "mailaddress",
            "primarysmtpaddress",
        ],
        mandatory: false,
    },
];

/// Reads the accounts of a CSV file, in the file's order.
///
/// Columns are found by name without case and punctuation: `Username`, `Department`,
/// `Display_Name`, `Email`, or usual aliases (`sAMAccountName`, `login`, `mail`,
/// `full name` …). A byte order mark, CRLF, quotes and blank lines are fine.
///
/// # Errors
/// [`Error::Input`](crate::Error::Input) with the line: no username column (names those
/// that are there), a ragged line, an empty, impossible or doubled username (without
/// case, both lines are named), invalid UTF-8, control characters; also a missing or
/// empty file. [`Error::Io`](crate::Error::Io) if the file cannot be read.
pub fn read(path: &Path) -> Result<Vec<User>> {
    let source = Source {
        path,
        flag: "--ad-users",
    };
    let mut seen = BTreeMap::new();
    let mut users = Vec::new();
    for mut row in source.read(&COLUMNS)? {
        let username = source.required(&mut row, 0, COLUMNS[0].name)?;
        if let Some(bad) = username.chars().find(|it| FORBIDDEN.contains(*it)) {
            return Err(source.fault(
                row.line,
                format!(
                    "the username {} has `{bad}` in it, which no account name may have",
                    super::shown(&username)
                ),
                "write the bare account name, without domain or mail address",
            ));
        }
        if username.chars().count() > USERNAME_LIMIT {
            return Err(source.fault(
                row.line,
                format!("the username is longer than {USERNAME_LIMIT} characters"),
                "write the account name, not a distinguished name",
            ));
        }
        source.unique(&mut seen, "username", &username, row.line)?;
        users.push(User {
            username,
            department: row.take(1),
            display_name: row.take(2),
            email: row.take(3),
            disabled: false,
        });
    }
    Ok(users)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn parse(content: &[u8]) -> Result<Vec<User>> {
        let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
        file.write_all(content).expect("written");
        read(file.path())
    }

    fn refusal(content: &[u8]) -> String {
        parse(content).expect_err("refused").to_string()
    }

    #[test]
    fn our_own_sample_is_read() {
        let users = read(&crate::grounding::test_data::sample("ad_users.csv")).expect("users");
        assert_eq!(users.len(), 60);
        assert!(users.iter().all(|user| user.email.is_some()));
    }

    #[test]
    fn names_of_columns_vary() {
        let content = "\u{feff}Mail,SAMAccountName,Ignored,Full Name\r\n\
                       a@x.org,alice,1,\"Example, Alice\"\r\n\r\n,BOB,2,\r\n";
        let users = parse(content.as_bytes()).expect("users");
        assert_eq!(
            users,
            [
                User {
                    username: "alice".to_string(),
                    department: None,
                    display_name: Some("Example, Alice".to_string()),
                    email: Some("a@x.org".to_string()),
                    ..User::default()
                },
                User {
                    username: "BOB".to_string(),
                    ..User::default()
                },
            ]
        );
    }

    #[test]
    fn refusals_name_line_and_remedy() {
        let cases: [(&[u8], &[&str]); 11] = [
            (b"", &["the file is empty", "--ad-users"]),
            (b"Username\n\n", &["a header and nothing else"]),
            (
                b"Department,Mail\nIT,x\n",
                &["line 1", "no column Username", "Department, Mail"],
            ),
            (
                b"username,mail\r\n\r\nalice,a\r\nbob\r\n",
                &["line 4", "1 fields", "header has 2"],
            ),
            (
                b"username\nalice\n\n\nALICE\n",
                &["line 5", "already in line 2"],
            ),
            (b"username,mail\n ,a\n", &["line 2", "Username is empty"]),
            (b"username\nalice\nb\xffb\n", &["line 3", "UTF-8"]),
            (b"username\nCORP\\alice\n", &["line 2", "without domain"]),
            (
                b"username,mail\n\"alice,a\nbob,b\ncarol,c\n",
                &["line 2", "header has 2"],
            ),
            (
                b"mail,note,username\nx,y,alice\nx,y,\"bob\nx,y,carol\n",
                &["line 3", "quotes"],
            ),
            (b"username,user name\nalice,b\n", &["two columns"]),
        ];
        for (content, expected) in cases {
            let message = refusal(content);
            for part in expected {
                assert!(message.contains(part), "{part:?} is not in {message:?}");
            }
        }
        assert!(refusal(b"\xff\xfeU\0").contains("UTF-16"));
    }

    #[test]
    fn a_quote_left_open_in_an_ignored_column_is_found() {
        let message = refusal(b"username,note\nalice,ok\nbob,\"open\ncarol,x\ndave,y\n");
        assert!(message.contains("line 3") && message.contains("never closed"));
    }

    #[test]
    fn a_missing_file_is_bad_input() {
        let error = read(Path::new("/nowhere/users.csv")).expect_err("refused");
        assert_eq!(error.exit_code(), 2);
        let error = read(Path::new(env!("CARGO_MANIFEST_DIR"))).expect_err("refused");
        assert!(error.to_string().contains("directory"));
    }

    /// Every one is read or refused in one line, without a panic.
    #[test]
    fn odd_files_are_read_or_refused() {
        let corpus: [&[u8]; 14] = [
            b"\xef\xbb\xbf",
            b"\xef\xbb\xbfusername\r\n",
            b"username\r\ralice\r\rbob",
            b"username\0\nalice\n",
            b"username\nali\0ce\n",
            b"\"username\"\n\"alice\"\"\n",
            b"\"username\n\nalice\n",
            b",,,\nusername,,,\nalice,,,\n",
            b"username,username\na,b\n",
            b"username\n\"\"\n",
            b"username\n\"\n\n\"\n",
            b"username\n\xed\xa0\x80\n",
            b"username;mail\nalice;x\n",
            b"username\tmail\nalice\tx\n",
        ];
        for content in corpus {
            if let Err(error) = parse(content) {
                let message = error.to_string();
                assert_eq!(error.exit_code(), 2);
                assert_eq!(message.lines().count(), 2, "{message}");
            }
        }
    }

    #[test]
    fn many_users_are_read() {
        let mut content = String::from("username,mail\n");
        for i in 0..1_000_000 {
            content.push_str(&format!("user{i},user{i}@example.org\n"));
        }
        assert_eq!(parse(content.as_bytes()).expect("users").len(), 1_000_000);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(content in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut with_header = b"username,mail\n".to_vec();
            with_header.extend(&content);
            let _ = parse(&content);
            let _ = parse(&with_header);
        }

        #[test]
        fn what_is_written_is_read(
            names in prop::collection::btree_set("[a-z][a-z0-9._-]{0,19}", 1..20),
            title in "[ -~]{0,20}",
            ending in prop::sample::select(vec!["\n", "\r\n"]),
        ) {
            let quoted = title.replace('"', "\"\"");
            let mut content = format!("Display_Name,Username{ending}");
            for name in &names {
                content.push_str(&format!("\"{quoted}\",{name}{ending}{ending}"));
            }
            let users = parse(content.as_bytes()).expect("users");
            prop_assert_eq!(users.len(), names.len());
            for (user, name) in users.iter().zip(&names) {
                prop_assert_eq!(&user.username, name);
                prop_assert_eq!(user.display_name.as_deref().unwrap_or(""), title.trim());
            }
        }
    }
}
