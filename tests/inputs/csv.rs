//! Users and assets in CSV: files without usable rows, odd rows, and exports of common programs.

use super::Place;
use crate::common::stderr;

#[test]
fn an_inventory_without_a_host_that_reports() {
    let place = Place::new();
    let csv = "Hostname,IP_Address,OS,Asset_Type\nSW-1,10.0.0.2,Cisco IOS 15.2,Switch\n\
               PRN-1,10.0.0.3,Printer firmware,Printer\n";
    place.refused(
        "--cmdb-assets",
        &place.file("assets.csv", csv),
        &["none of the assets runs Windows or Linux", "assets.csv"],
    );
}

#[test]
fn csv_files_that_leave_nothing() {
    let place = Place::new();
    let users: [(&[u8], &[&str]); 7] = [
        (b"", &["the file is empty"]),
        (
            b"SQLite format 3\0\x10\0",
            &["an SQLite database, not text"],
        ),
        (b"PK\x03\x04rest", &["an Excel workbook, not text"]),
        (b"\0\x01,b\nc", &["binary, not text"]),
        (
            b"Department,Mail\nIT,x\n",
            &["Username", "Department, Mail"],
        ),
        (b"na\x1b[31mme\nx\n", &["Username", "na\\u{1b}[31mme"]),
        (b"username\nkrbtgt\nWS-1$\n", &["users.csv"]),
    ];
    for (content, parts) in users {
        place.refused("--ad-users", &place.file("users.csv", content), parts);
    }
    let assets: [(&str, &[&str]); 2] = [
        ("host,os\nA,Windows 10\n", &["IP_Address"]),
        ("host,ip,os\nA,10.0.0.1,\"W\nB,10.0.0.2,W\n", &["quote"]),
    ];
    for (content, parts) in assets {
        place.refused("--cmdb-assets", &place.file("assets.csv", content), parts);
    }
}

#[test]
fn odd_rows_are_repaired_or_left_out_and_refused_if_strict() {
    let place = Place::new();
    let users: [(&[u8], &str, &[&str]); 3] = [
        (b"username\nalice\nb\xffb\n", "Windows-1252", &["line 3"]),
        (
            b"username\nalice\nALICE\n",
            "left out",
            &["line 3", "line 2"],
        ),
        (b"username,mail\nalice,a\nb;b\n", "left out", &["line 3"]),
    ];
    let assets: [(&[u8], &str, &[&str]); 4] = [
        (
            b"host,ip,os\nA,10.0.0.1,Windows 10\nA,10.0.0.2,Windows 10\n",
            "left out",
            &["line 3", "hostname A", "line 2"],
        ),
        (
            b"host,ip,os\nA,10.0.0.1,Windows 10\nB,10.0.0.1,Windows 10\n",
            "left out",
            &["line 3", "address 10.0.0.1", "line 2"],
        ),
        (
            b"host,ip,os\nA,10.0.0.1,Windows 10\nB,unknown,Windows 10\n",
            "left out",
            &["line 3", "not an IPv4 address"],
        ),
        (
            b"host,ip,os\nA.corp.example,10.0.0.1/24,Windows 10\n",
            "",
            &["line 2"],
        ),
    ];
    for (flag, cases) in [("--ad-users", &users[..]), ("--cmdb-assets", &assets[..])] {
        for (content, note, refusal) in cases {
            let file = place.file("table.csv", content);
            place.done(flag, &file, &[note]);
            let output = place.run(flag, &file, &["--strict"]);
            let message = stderr(&output);
            assert_eq!(output.status.code(), Some(2), "{message}");
            assert!(
                refusal.iter().all(|part| message.contains(part)),
                "{message}"
            );
            assert!(!place.out().exists(), "the corpus was begun");
        }
    }
}

#[test]
fn csv_files_as_programs_export_them() {
    let place = Place::new();
    let mut users = String::from("\u{feff}\"sAMAccountName\",\"Full Name\"\r\n");
    for i in 0..300 {
        users.push_str(&format!("\"user{i}\",\"Last{i}, \"\"First\"\"\"\r\n\r\n"));
    }
    users.push_str("formula,=cmd|'/C calc'!A0\r\n");
    place.done("--ad-users", &place.file("users.csv", users), &[]);
}
