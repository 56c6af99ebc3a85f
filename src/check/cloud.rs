//! Audits of single rows of cloud and service logs. `cross` audits identities across rows.

use super::audits::{Audit as A, Tallies, shown};
use super::fields::{EventRow, Field as F};

/// ATT&CK's platform names for a log.
pub fn attack_names(dataset: Option<&str>) -> &'static [&'static str] {
    match dataset {
        Some("aws.cloudtrail") => &["IaaS"],
        Some("azure.signinlogs") => &["Identity Provider"],
        Some("o365.audit") => &["Office Suite", "SaaS"],
        Some("github.audit") => &["SaaS"],
        _ => &[],
    }
}

/// Whether a text is an AWS identifier.
fn is_identifier(text: &str, prefix: &str, length: usize) -> bool {
    let letter = |b: u8| b.is_ascii_uppercase() || (b'2'..=b'7').contains(&b);
    text.len() == length && text.starts_with(prefix) && text.bytes().skip(4).all(letter)
}

/// Audits one row of a cloud or service log.
pub fn audit(row: &EventRow<'_>, tallies: &mut Tallies) {
    let Some(platform) = row.text(F::CloudPlatform) else {
        return;
    };
    row_itself(row, platform, tallies);
    let error = row.text(F::CloudError);
    let outcome = row.text(F::Outcome);
    let right = match outcome {
        Some("failure") => error.is_some(),
        _ => error.is_none(),
    };
    tallies.row(A::CloudOutcome, row, right, || {
        (
            format!(
                "an error code if and only if the call failed, for {}",
                shown(outcome)
            ),
            shown(error),
        )
    });
    if row.text(F::CloudDataset) == Some("aws.cloudtrail") {
        aws(row, tallies);
    }
}

fn row_itself(row: &EventRow<'_>, platform: &str, tallies: &mut Tallies) {
    let needed = [
        F::UserName,
        F::SourceIp,
        F::UserAgent,
        F::CloudDataset,
        F::CloudOperation,
        F::CloudIdentity,
        F::CloudPrincipal,
    ];
    let missing = needed.into_iter().find(|f| !row.has(*f));
    let forbidden = [
        F::HostName,
        F::HostIp,
        F::Platform,
        F::AssetOwner,
        F::Pid,
        F::Executable,
        F::DestinationIp,
        F::SourcePort,
        F::Bytes,
        F::Direction,
    ];
    let stray = forbidden.into_iter().find(|f| row.has(*f));
    let dataset = row.text(F::CloudDataset);
    let provider = row.text(F::CloudProvider);
    let fits = match dataset {
        Some("aws.cloudtrail") => platform == "cloud" && provider == Some("aws"),
        Some("azure.signinlogs" | "o365.audit") => platform == "saas" && provider == Some("azure"),
        Some("github.audit") => platform == "saas" && provider.is_none(),
        _ => false,
    };
    let right = missing.is_none() && stray.is_none() && fits;
    tallies.row(A::CloudRow, row, right, || {
        (
            format!("an account, a client and an address in a log of {platform}"),
            format!(
                "dataset {}, provider {}, missing {}, unexpected {}",
                shown(dataset),
                shown(provider),
                shown(missing.map(|f| f.path(row.ecs()))),
                shown(stray.map(|f| f.path(row.ecs())))
            ),
        )
    });
}

fn aws(row: &EventRow<'_>, tallies: &mut Tallies) {
    let account = row.text(F::CloudAccount).unwrap_or("");
    let arn = row.text(F::CloudArn).unwrap_or("");
    let digits = account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit());
    let named = arn.split(':').nth(4) == Some(account);
    tallies.row(A::CloudAccount, row, digits && named, || {
        (
            "twelve digits, the fifth part of the resource's name".into(),
            format!("{} in {}", shown(Some(account)), shown(Some(arn))),
        )
    });
    let key = row.text(F::AccessKey);
    let identity = row.text(F::CloudIdentity);
    let principal = row.text(F::CloudPrincipal).unwrap_or("");
    let is_key = |prefix| key.is_some_and(|key| is_identifier(key, prefix, 20));
    let right = match identity {
        Some("AssumedRole") => {
            let role = principal.split(':').next().unwrap_or("");
            is_key("ASIA") && is_identifier(role, "AROA", 21) && arn.contains(":assumed-role/")
        }
        Some("IAMUser") => {
            (key.is_none() || is_key("AKIA") || is_key("ASIA"))
                && is_identifier(principal, "AIDA", 21)
                && arn.contains(":user/")
        }
        _ => false,
    };
    tallies.row(A::CloudKey, row, right, || {
        (
            format!("the keys and ids of {}", shown(identity)),
            format!(
                "{}, {}, {}",
                shown(key),
                shown(Some(principal)),
                shown(Some(arn))
            ),
        )
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_known_by_their_shape() {
        assert!(is_identifier("AKIAIOSFODNN7EXAMPLE", "AKIA", 20));
        assert!(!is_identifier("AKIAIOSFODNN7EXAMPL", "AKIA", 20));
        assert!(!is_identifier("AKIAiosfodnn7EXAMPLE", "AKIA", 20));
        assert!(!is_identifier("ASIAIOSFODNN7EXAMPLE", "AKIA", 20));
        assert!(!is_identifier("AKIAIOSFODNN8EXAMPLE", "AKIA", 20));
    }

    #[test]
    fn logs_are_the_catalog_s() {
        for log in crate::catalog::AuditLog::ALL {
            assert_eq!(attack_names(Some(log.dataset())), log.attack_names());
        }
    }
}
