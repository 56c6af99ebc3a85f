//! Records of the audit logs of clouds and services. Their classification depends on the call.

use super::row::{Key, Kind, Meaning, SERVICE};
use super::telemetry::Telemetry as T;

pub(super) const ROWS: &[Kind] = &[
    Kind {
        telemetry: T::CloudAudit,
        word: "cloud_audit",
        needs: &[Key::Account, Key::Call],
        fusionai: Meaning::new(&["web"], &["info"], ""),
        ..SERVICE
    },
    Kind {
        telemetry: T::SaasAudit,
        word: "saas_audit",
        needs: &[Key::Account, Key::Call],
        fusionai: Meaning::new(&["email"], &["info"], ""),
        ..SERVICE
    },
];
