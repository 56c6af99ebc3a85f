use std::io::Write;

use proptest::prelude::*;

use super::*;

fn table(content: &[u8], strict: bool) -> Result<Table<User>> {
    let mut file = tempfile::Builder::new()
        .prefix("users")
        .suffix(".csv")
        .tempfile()
        .expect("a temporary file");
    file.write_all(content).expect("written");
    read(file.path(), strict)
}

fn parse(content: &[u8]) -> Vec<User> {
    table(content, false).expect("users").rows
}

fn refusal(content: &[u8], strict: bool) -> String {
    table(content, strict).expect_err("refused").to_string()
}

/// Account, display name and mail, with `-` for nothing.
fn brief(users: &[User]) -> Vec<String> {
    let or = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_string());
    users
        .iter()
        .map(|it| format!("{} {} {}", it.username, or(&it.display_name), or(&it.email)))
        .collect()
}

#[test]
fn the_data_file_names_the_columns_in_order() {
    let vocabulary = Vocabulary::embedded("users.toml", COLUMNS).expect("read");
    let name = |column| vocabulary.name(column).to_string();
    assert_eq!(name(column::USERNAME), "Username");
    assert_eq!(name(column::DEPARTMENT), "Department");
    assert_eq!(name(column::DISPLAY_NAME), "Display_Name");
    assert_eq!(name(column::EMAIL), "Email");
    assert_eq!(name(column::UPN), "User_Principal_Name");
    assert_eq!(name(column::FIRST_NAME), "First_Name");
    assert_eq!(name(column::LAST_NAME), "Last_Name");
    assert_eq!(name(column::ENABLED), "Enabled");
    assert_eq!(name(column::DISABLED), "Disabled");
    assert_eq!(name(column::ACCOUNT_CONTROL), "User_Account_Control");
    assert_eq!(name(column::STATUS), "Status");
    assert_eq!(name(column::OBJECT_CLASS), "Object_Class");
    assert_eq!(name(column::OBJECT_CATEGORY), "Object_Category");
    assert_eq!(name(column::ACCOUNT_TYPE), "SAM_Account_Type");
    assert_eq!(name(column::USER_TYPE), "User_Type");
    assert_eq!(name(column::SID), "SID");
    assert_eq!(vocabulary.columns.len(), 16);
}

#[test]
fn our_own_sample_is_read_without_a_note() {
    let sample = crate::grounding::test_data::sample("ad_users.csv");
    for strict in [false, true] {
        let users = read(&sample, strict).expect("users");
        assert_eq!(users.rows.len(), 60);
        assert!(users.rows.iter().all(|user| user.email.is_some()));
        assert!(users.notes.is_empty(), "{:?}", users.notes);
    }
}

#[test]
fn names_of_columns_vary() {
    let content = "\u{feff}Mail,SAMAccountName,Ignored,Full Name\r\n\
                   a@x.org,alice,1,\"Example, Alice\"\r\n\r\n,BOB,2,\r\n";
    let users = table(content.as_bytes(), true).expect("users").rows;
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
    let cases: [(&[u8], &[&str]); 12] = [
        (b"", &["the file is empty", "--ad-users"]),
        (b"Username\n\n", &["a header but no rows"]),
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
        (b"username\nali\0ce\n", &["line 2", "control character"]),
    ];
    for (content, expected) in cases {
        let message = refusal(content, true);
        for part in expected {
            assert!(message.contains(part), "{part:?} is not in {message:?}");
        }
    }
}

#[test]
fn a_header_without_username_is_named_with_its_delimiter_and_the_nearest_heading() {
    let message = refusal(b"Usernme;Department;Mail\nalice;IT;x\n", false);
    for part in [
        "Usernme, Department, Mail",
        "semicolons",
        "rename Usernme to Username",
    ] {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
    assert!(refusal(b"Farbe|Form\nrot|rund\n", false).contains("vertical bars"));
}

#[test]
fn every_dialect_gives_the_same_users() {
    let comma = "SamAccountName,Name,EmailAddress\n\
                 amuster,\"Müster, Ada\",ada@x.org\nbpick,\"Pick, Bo\",bo@x.org\n";
    let expected = parse(comma.as_bytes());
    assert_eq!(
        brief(&expected),
        ["amuster Müster, Ada ada@x.org", "bpick Pick, Bo bo@x.org"]
    );
    let with = |delimiter: &str| {
        comma
            .replace(", ", "\u{0}")
            .replace(',', delimiter)
            .replace('\u{0}', ", ")
            .replace('\n', "\r\n")
    };
    let utf16 = |text: &str, little: bool| -> Vec<u8> {
        let bytes = |unit: u16| match little {
            true => unit.to_le_bytes(),
            false => unit.to_be_bytes(),
        };
        text.encode_utf16().flat_map(bytes).collect()
    };
    let files: [Vec<u8>; 12] = [
        format!("#TYPE Selected.ADUser\r\n{comma}").into(),
        format!("\u{feff}#TYPE Selected.ADUser\r\n{}", with(";")).into(),
        with(";").into(),
        with("\t").into(),
        with("|").into(),
        format!("sep=;\r\n{}", with(";")).into(),
        format!("\"sep=|\"\r\n\r\n{}", with("|")).into(),
        utf16(&format!("\u{feff}{comma}"), true),
        utf16(&format!("\u{feff}{}", with("\t")), false),
        utf16(comma, true),
        with(";").replace("\r\n", ";\r\n").into(),
        comma
            .replace('ü', "\u{1}")
            .bytes()
            .map(|b| if b == 1 { 0xfc } else { b })
            .collect(),
    ];
    for (number, content) in files.iter().enumerate() {
        assert_eq!(parse(content), expected, "file {number}");
    }
    let notes = table(&files[11], false).expect("users").notes;
    assert!(
        notes[0]
            .contains("1 cell is not UTF-8 and was read as Windows-1252; the first is in line 2")
    );
}

#[test]
fn odd_rows_are_left_out_and_repaired_with_one_note_each() {
    let content = "username,department,mail\n\
                   alice,IT,a@x\n\
                   ,HR,b@x\n\
                   ALICE,IT,c@x\n\
                   CORP\\dora,IT,d@x\n\
                   emil@x.org,IT,\n\
                   bad<name,IT,\n\
                   frida,HR\n\
                   greta,HR,g@x,,\n\
                   hugo,HR,h@x,surplus\n";
    let Table { rows, notes } = table(content.as_bytes(), false).expect("users");
    assert_eq!(
        brief(&rows),
        [
            "alice - a@x",
            "dora - d@x",
            "emil - emil@x.org",
            "frida - -",
            "greta - g@x"
        ]
    );
    let after_name = |note: &String| note.split_once(": ").expect("a name").1.to_string();
    assert_eq!(
        notes.iter().map(after_name).collect::<Vec<_>>(),
        [
            "4 of 9 rows left out: no username (1; line 3), duplicate username (1; line 4), \
             invalid username (1; line 7), wrong number of fields (1; line 10)",
            "4 of 9 rows repaired: domain removed from the username (2; lines 5, 6), \
             missing fields at the end treated as empty (1; line 8), \
             extra empty fields dropped (1; line 9)",
        ]
    );
}

#[test]
fn a_note_names_three_lines_of_each_reason() {
    let mut content = String::from("username\nalice\n");
    content.push_str(&"alice\n".repeat(5));
    let notes = table(content.as_bytes(), false).expect("users").notes;
    assert!(notes[0].ends_with("5 of 6 rows left out: duplicate username (5; lines 3, 4, 5, …)"));
}

#[test]
fn what_is_no_person_is_left_out_and_counted_in_both_modes() {
    let content = "SamAccountName,ObjectClass,ObjectCategory,sAMAccountType,userType,GivenName,Mail,SID\n\
                   ada,top;person;organizationalPerson;user,\"CN=Person,CN=Schema\",805306368,Member,Ada,,S-1-5-21-1-2-3-1104\n\
                   Staff,group,,,,,,\n\
                   Printers,,\"CN=Group,CN=Schema\",,,,,\n\
                   Teams,,,268435456,,,,\n\
                   WKS1$,top;user;computer,,,,,,\n\
                   gmsa$,user,,,,,,\n\
                   krbtgt,user,,,,,,\n\
                   Gast,user,,,,,,\n\
                   chief,user,,,,,,S-1-5-21-1-2-3-500\n\
                   HealthMailbox0a1b,user,,,,,,\n\
                   MSOL_0a1b2c3d4e5f,user,,,,,,\n\
                   sm_jones,user,,,,Sam,sm@x,\n\
                   svc_backup,user,,,,,,\n\
                   sa-turner,user,,,,Tess,,\n\
                   eve_x.org#EXT#@corp.example,user,,,Guest,Eve,,\n\
                   ,contact,,,,Kim,,\n";
    for strict in [false, true] {
        let Table { rows, notes } = table(content.as_bytes(), strict).expect("users");
        let names: Vec<&str> = rows.iter().map(|it| it.username.as_str()).collect();
        assert_eq!(names, ["ada", "sm_jones", "sa-turner"]);
        assert_eq!(notes.len(), 1);
        for part in [
            "13 of 16 rows left out",
            "group (3; lines 3, 4, 5)",
            "computer (1; line 6)",
            "by the `$` of its name (1; line 7)",
            "built-in account (3; lines 8, 9, 10)",
            "system mailbox (1; line 11)",
            "product account (1; line 12)",
            "service account (1; line 14)",
            "guest of another organisation (1; line 16)",
            "contact (1; line 17)",
        ] {
            assert!(notes[0].contains(part), "{part:?} is not in {notes:?}");
        }
    }
}

#[test]
fn disabled_accounts_are_kept_and_marked() {
    for (heading, on, off) in [
        ("Enabled", "True", "False"),
        ("accountEnabled", "true", "false"),
        ("userAccountControl", "512", "514"),
        ("userAccountControl", "0x200", "0x10202"),
        (
            "userAccountControl",
            "NORMAL_ACCOUNT",
            "ACCOUNTDISABLE, NORMAL_ACCOUNT",
        ),
        ("status", "ACTIVE", "DEACTIVATED"),
        ("Status [READ ONLY]", "Active", "Suspended"),
        ("suspended", "no", "yes"),
    ] {
        let content = format!("login;{heading}\nada;{on}\nbob;{off}\ncid;\n");
        let Table { rows, notes } = table(content.as_bytes(), false).expect("users");
        let marks: Vec<bool> = rows.iter().map(|it| it.disabled).collect();
        assert_eq!(marks, [false, true, false], "{heading}");
        assert!(notes[0].ends_with(
            "1 of 3 users are disabled; they are kept, but only failed logons name them"
        ));
    }
}

#[test]
fn a_file_that_leaves_nobody_is_an_error() {
    let message = refusal(b"username\nkrbtgt\nGuest\n", false);
    for part in [
        "no row of 2 is a user",
        "built-in account (2; lines 2, 3)",
        "export the accounts of people",
    ] {
        assert!(message.contains(part), "{part:?} is not in {message:?}");
    }
    let message = refusal(b"username,enabled\nada,no\n", false);
    assert!(message.contains("all 1 users are disabled"));
}

#[test]
fn exports_of_usual_directories_are_read() {
    let exports: [(&str, &str); 8] = [
        // Entra ID: a principal name's left part is the account.
        (
            "userPrincipalName,displayName,surname,mail,givenName,userType,department,accountEnabled\n\
             ada.m@x.org,Ada M,M,,Ada,Member,IT,True\n",
            "ada.m Ada M ada.m@x.org",
        ),
        // Okta.
        (
            "login,firstName,lastName,email,status,department\nada@x.org,Ada,Muster,am@x.org,ACTIVE,IT\n",
            "ada Ada Muster am@x.org",
        ),
        // Splunk's identities.
        (
            "identity,prefix,nick,first,last,suffix,email,bunit\n\
             amuster|am@x.org|amuster@x.org,,,Ada,Muster,,am@x.org,it\n",
            "amuster Ada Muster am@x.org",
        ),
        // A mail address first in the list is no account's name.
        (
            "identity,first,last\nam@x.org|amuster,Ada,Muster\n",
            "amuster Ada Muster -",
        ),
        // csvde.
        (
            "DN,objectClass,displayName,sAMAccountName,userAccountControl,mail\n\
             \"CN=A,DC=x\",user,X'41646120c39c',amuster,512,\n",
            "amuster Ada Ü -",
        ),
        // ldifde's values, brought into a table.
        (
            "sAMAccountName,cn,mail\namuster,QWRhIMOcYnVuZw==,am@x.org\n",
            "amuster Ada Übung am@x.org",
        ),
        // Get-ADUser without a display name.
        (
            "GivenName,Surname,DisplayName,Name,SamAccountName,UserPrincipalName\nAda,Muster,,Ada M.,amuster,am@x.org\n",
            "amuster Ada M. -",
        ),
        // German headings.
        (
            "Benutzername;Anzeigename;E-Mail-Adresse;Abteilung\namuster;Ada M;am@x.org;IT\n",
            "amuster Ada M am@x.org",
        ),
    ];
    for (content, expected) in exports {
        assert_eq!(brief(&parse(content.as_bytes())), [expected], "{content}");
    }
}

#[test]
fn the_first_of_two_like_headings_that_is_not_empty_counts() {
    let content = b"username,mail,Mail\nada,,a@x\nbob,b@x,c@x\n";
    let Table { rows, notes } = table(content, false).expect("users");
    assert_eq!(brief(&rows), ["ada - a@x", "bob - b@x"]);
    assert!(notes[0].contains("two columns are called mail"));
}

#[test]
fn line_breaks_in_quotes_do_no_harm() {
    let content =
        b"username,Description,department\nada,\"left,\nsee ticket\",\"IT\nNord\"\nbob,,HR\n";
    let users = parse(content);
    assert_eq!(users.len(), 2);
    assert_eq!(users[0].department.as_deref(), Some("IT Nord"));
}

#[test]
fn a_quote_left_open_in_an_ignored_column_is_found() {
    let content = b"username,note\nalice,ok\nbob,\"open\ncarol,x\ndave,y\n";
    for strict in [false, true] {
        let message = refusal(content, strict);
        assert!(message.contains("line 3") && message.contains("never closed"));
    }
}

#[test]
fn a_missing_file_is_bad_input() {
    let error = read(Path::new("/nowhere/users.csv"), false).expect_err("refused");
    assert_eq!(error.exit_code(), 2);
    let error = read(Path::new(env!("CARGO_MANIFEST_DIR")), false).expect_err("refused");
    assert!(error.to_string().contains("directory"));
}

/// Every one is read or refused in one line, without a panic.
#[test]
fn odd_files_are_read_or_refused() {
    let corpus: [&[u8]; 18] = [
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
        b"#TYPE x",
        b"sep=\nusername\na\n",
        b"sep=;",
        b"\xff\xfeU\0",
    ];
    for content in corpus {
        for strict in [false, true] {
            if let Err(error) = table(content, strict) {
                let message = error.to_string();
                assert_eq!(error.exit_code(), 2);
                assert_eq!(message.lines().count(), 2, "{message}");
            }
        }
    }
}

#[test]
fn many_users_are_read() {
    let mut content = String::from("username,mail\n");
    for i in 0..1_000_000 {
        content.push_str(&format!("user{i},user{i}@example.org\n"));
    }
    assert_eq!(parse(content.as_bytes()).len(), 1_000_000);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        content in prop::collection::vec(any::<u8>(), 0..200),
        strict: bool,
    ) {
        let mut with_header = b"username,mail\n".to_vec();
        with_header.extend(&content);
        let _ = table(&content, strict);
        let _ = table(&with_header, strict);
    }

    #[test]
    fn what_is_written_is_read(
        names in prop::collection::btree_set("u[a-z][a-z0-9._]{0,19}", 1..20),
        title in "[ -~]{0,20}",
        ending in prop::sample::select(vec!["\n", "\r\n"]),
        delimiter in prop::sample::select(vec![",", ";", "\t", "|"]),
    ) {
        // A title that could be an encoded one is tested by itself.
        prop_assume!(!title.trim_start().starts_with([':', 'X', 'x']));
        let quoted = title.replace('"', "\"\"");
        let mut content = format!("Display_Name{delimiter}Username{ending}");
        for name in &names {
            content.push_str(&format!("\"{quoted}\"{delimiter}{name}{ending}{ending}"));
        }
        let users = table(content.as_bytes(), true).expect("users").rows;
        prop_assert_eq!(users.len(), names.len());
        for (user, name) in users.iter().zip(&names) {
            prop_assert_eq!(&user.username, name);
            prop_assert_eq!(user.display_name.as_deref().unwrap_or(""), title.trim());
        }
    }
}
