//! Records of clouds and services: the operation, the credential and the caller's origin.
//!
//! The provider writes such a record, not a host. It has an account, an address and a client, but
//! no process and no destination.

use super::place::Purpose;
use super::words::TomlWord;
use crate::kinds::Telemetry;

/// An audit log, named after the data set of its Elastic integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AuditLog {
    /// `aws.cloudtrail`
    CloudTrail,
    /// `azure.signinlogs`: Microsoft Entra ID.
    SignIns,
    /// `o365.audit`: the unified audit log.
    Office365,
    /// `github.audit`
    GitHub,
}

/// The credential of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// An IAM user's long-term access key, `AKIA…`. `key`
    Key,
    /// A session of an assumed role, `ASIA…`. `role`
    Role,
    /// A signed-in person. `session`
    Session,
    /// A personal access token. `token`
    Token,
    /// None: a sign-in attempt. `none`
    None,
}

/// The origin of a call, which determines its source address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The egress of the host's site. `office`
    Office,
    /// The user's home connection. `home`
    Home,
    /// Machines in the cloud. `cloud`
    Cloud,
    /// Any client on the Internet. `outside`
    Outside,
    /// The chain's adversary. `adversary:scan`
    Adversary(Purpose),
}

/// An API call or sign-in, as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub log: AuditLog,
    /// `sts`, `Exchange`, `repo`…
    pub service: String,
    /// CloudTrail's eventName, Office's Operation, GitHub's action.
    pub operation: String,
    pub credential: Credential,
    /// The client pool: a range of [`AGENTS`].
    pub agents: std::ops::Range<usize>,
    pub origin: Origin,
    /// The provider's error code of a failed call.
    pub error: Option<String>,
}

impl AuditLog {
    /// Every log.
    pub const ALL: [AuditLog; 4] = [
        AuditLog::CloudTrail,
        AuditLog::SignIns,
        AuditLog::Office365,
        AuditLog::GitHub,
    ];

    /// `aws.cloudtrail`: `event.dataset` of Elastic's integration.
    pub fn dataset(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(_, log)| *log == self);
        found.map_or("", |(word, _)| word)
    }

    /// `event.module` of Elastic's integration.
    pub fn module(self) -> &'static str {
        self.dataset().split('.').next().unwrap_or("")
    }

    /// The telemetry of its records.
    pub fn telemetry(self) -> Telemetry {
        match self {
            AuditLog::CloudTrail => Telemetry::CloudAudit,
            _ => Telemetry::SaasAudit,
        }
    }

    /// The ATT&CK platforms of its records.
    pub fn attack_names(self) -> &'static [&'static str] {
        match self {
            AuditLog::CloudTrail => &["IaaS"],
            AuditLog::SignIns => &["Identity Provider"],
            AuditLog::Office365 => &["Office Suite", "SaaS"],
            AuditLog::GitHub => &["SaaS"],
        }
    }

    /// `cloud.provider`; `None` for GitHub.
    pub fn provider(self) -> Option<&'static str> {
        match self {
            AuditLog::CloudTrail => Some("aws"),
            AuditLog::SignIns | AuditLog::Office365 => Some("azure"),
            AuditLog::GitHub => None,
        }
    }

    /// Whether its records can have the credential.
    pub fn takes(self, credential: Credential) -> bool {
        use Credential::{Key, None, Role, Session, Token};
        match self {
            AuditLog::CloudTrail => matches!(credential, Key | Role | Session),
            AuditLog::SignIns => matches!(credential, Session | None),
            AuditLog::Office365 => credential == Session,
            AuditLog::GitHub => matches!(credential, Session | Token),
        }
    }
}

impl TomlWord for AuditLog {
    const WHAT: &'static str = "audit log";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("aws.cloudtrail", AuditLog::CloudTrail),
        ("azure.signinlogs", AuditLog::SignIns),
        ("o365.audit", AuditLog::Office365),
        ("github.audit", AuditLog::GitHub),
    ];
}

impl TomlWord for Credential {
    const WHAT: &'static str = "credential";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("key", Credential::Key),
        ("role", Credential::Role),
        ("session", Credential::Session),
        ("token", Credential::Token),
        ("none", Credential::None),
    ];
}

impl TomlWord for Origin {
    const WHAT: &'static str = "origin";
    const WORDS: &'static [(&'static str, Self)] = &[
        ("office", Origin::Office),
        ("home", Origin::Home),
        ("cloud", Origin::Cloud),
        ("outside", Origin::Outside),
        ("adversary:scan", Origin::Adversary(Purpose::Scan)),
    ];
}

/// A client: `user_agent.original` and `user_agent.name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agent {
    /// Its pool. Each caller always uses the same client of a pool.
    pub pool: &'static str,
    pub original: &'static str,
    pub name: &'static str,
}

const fn agent(pool: &'static str, name: &'static str, original: &'static str) -> Agent {
    Agent {
        pool,
        original,
        name,
    }
}

/// All clients, grouped by pool.
#[rustfmt::skip]
pub const AGENTS: &[Agent] = &[
    agent("browser", "Edge", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Safari/537.36 Edg/127.0.0.0"),
    agent("browser", "Edge", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0"),
    agent("browser", "Chrome", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Safari/537.36"),
    agent("browser", "Chrome", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Safari/537.36"),
    agent("browser", "Firefox", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    agent("browser", "Firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"),
    agent("mobile", "Mobile Safari", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"),
    agent("mobile", "Mobile Safari", "Mozilla/5.0 (iPhone; CPU iPhone OS 16_7_8 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1"),
    agent("mobile", "Chrome Mobile", "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/127.0.0.0 Mobile Safari/537.36"),
    agent("mail", "Outlook", "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17726; Pro)"),
    agent("mail", "Outlook", "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.17328; Pro)"),
    agent("sync", "OneDrive", "Microsoft SkyDriveSync 24.141.0714.0001 ship; Windows NT 10.0 (22631)"),
    agent("sync", "OneDrive", "Microsoft SkyDriveSync 24.126.0623.0001 ship; Windows NT 10.0 (19045)"),
    agent("cli", "aws-cli", "aws-cli/1.22.34 Python/3.10.12 Linux/5.15.0-116-generic botocore/1.23.34"),
    agent("cli", "aws-cli", "aws-cli/1.22.34 Python/3.10.12 Linux/5.15.0-113-generic botocore/1.23.34"),
    agent("cli", "aws-cli", "aws-cli/1.33.34 Python/3.11.9 Linux/5.14.0-427.26.1.el9_4.x86_64 botocore/1.34.152"),
    agent("sdk", "Boto3", "Boto3/1.34.149 md/Botocore#1.34.149 ua/2.0 os/linux#5.15.0-1066-aws md/arch#x86_64 lang/python#3.11.9 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.34.149"),
    agent("sdk", "Boto3", "Boto3/1.28.85 md/Botocore#1.31.85 ua/2.0 os/linux#5.10.219-208.866.amzn2.x86_64 md/arch#x86_64 lang/python#3.9.16 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.31.85"),
    agent("sdk", "aws-sdk-java", "aws-sdk-java/2.26.27 Linux/5.10.219-208.866.amzn2.x86_64 OpenJDK_64-Bit_Server_VM/17.0.12+7-LTS Java/17.0.12 vendor/Amazon.com_Inc."),
    agent("sdk", "aws-sdk-go-v2", "aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5 md/GOOS#linux md/GOARCH#amd64"),
    agent("terraform", "Terraform", "APN/1.0 HashiCorp/1.0 Terraform/1.9.3 (+https://www.terraform.io) terraform-provider-aws/5.60.0 (+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5 md/GOOS#linux md/GOARCH#amd64"),
    agent("git", "git", "git/2.34.1"),
    agent("git", "git", "git/2.43.5"),
    agent("git", "git", "git/2.45.2"),
    agent("script", "python-requests", "python-requests/2.32.3"),
    agent("script", "axios", "axios/1.7.2"),
];

/// The pool with this name, as a range of [`AGENTS`].
pub fn pool(name: &str) -> Option<std::ops::Range<usize>> {
    let first = AGENTS.iter().position(|agent| agent.pool == name)?;
    let count = AGENTS[first..]
        .iter()
        .take_while(|a| a.pool == name)
        .count();
    Some(first..first + count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_stand_together() {
        let mut seen = Vec::new();
        for pair in AGENTS.chunk_by(|a, b| a.pool == b.pool) {
            assert!(!seen.contains(&pair[0].pool), "{}", pair[0].pool);
            seen.push(pair[0].pool);
            assert_eq!(pool(pair[0].pool).unwrap().len(), pair.len());
        }
        assert_eq!(pool("carrier pigeon"), None);
    }

    #[test]
    fn data_sets_name_their_module() {
        for log in AuditLog::ALL {
            assert!(log.dataset().starts_with(&format!("{}.", log.module())));
        }
    }
}
