//! Resolves records of clouds and services: the call, the caller and its origin.

use super::{RecordResolver, Setting};
use crate::catalog::category::Category;
use crate::catalog::cloud::{self, AGENTS, AuditLog, Call, Credential, Origin};
use crate::catalog::raw;
use crate::catalog::record::{AccountRef, ProcessRef, Record};
use crate::error::Result;
use crate::kinds::Telemetry;

impl RecordResolver<'_> {
    /// Resolves a record that a cloud or a service writes.
    pub(super) fn call_record(
        &self,
        raw: &raw::Record,
        telemetry: Telemetry,
        on: usize,
        category: Option<&Category>,
    ) -> Result<Record> {
        let source = self.source;
        let call = self.call(raw, telemetry)?;
        let account = match &raw.account {
            Some(word) => {
                let account = source.account(word)?;
                let known = matches!(
                    account,
                    AccountRef::User
                        | AccountRef::OtherUser
                        | AccountRef::Admin
                        | AccountRef::Service(_)
                );
                if !known {
                    return Err(source.error_at(
                        word,
                        "clouds and services do not know this account",
                        "use user, other_user, admin or service:NAME",
                    ));
                }
                account
            }
            None => AccountRef::User,
        };
        let text = |text: &Option<crate::catalog::source::Text>| {
            text.as_ref().map(|text| self.text(text, None)).transpose()
        };
        Ok(Record {
            telemetry,
            on,
            alert: raw.alert,
            signature: self.signature(raw, category)?,
            account,
            starts: None,
            process: ProcessRef::Resident(0),
            image: None,
            command: None,
            directory: None,
            integrity: "-".to_owned(),
            target: None,
            file: None,
            registry: None,
            details: None,
            query: None,
            answer: None,
            query_status: 0,
            resolves: 0,
            url: text(&raw.url)?,
            message: None,
            facility: 0,
            syslog_severity: 0,
            syscall: None,
            key: None,
            logon_type: 0,
            data: Vec::new(),
            success: call.error.is_none(),
            connection: None,
            call: Some(call),
            request: text(&raw.request)?,
        })
    }

    fn call(&self, raw: &raw::Record, telemetry: Telemetry) -> Result<Call> {
        let source = self.source;
        let Some(call) = &raw.call else {
            return Err(source.error_at(
                &raw.telemetry,
                format!("{} records need `call`", telemetry.word()),
                "add call = { log = …, service = …, operation = …, credential = …, agent = …, from = … }",
            ));
        };
        let log: AuditLog = source.word(&call.log)?;
        if log.telemetry() != telemetry {
            return Err(source.error_at(
                &call.log,
                format!("{} has no {} records", log.dataset(), telemetry.word()),
                format!("use telemetry = {:?}", log.telemetry().word()),
            ));
        }
        let credential: Credential = source.word(&call.credential)?;
        if !log.takes(credential) {
            return Err(source.error_at(
                &call.credential,
                format!("{} does not have this credential", log.dataset()),
                "aws.cloudtrail has key, role and session; azure.signinlogs session and none; o365.audit session; github.audit session and token",
            ));
        }
        let origin: Origin = source.word(&call.from)?;
        if matches!(origin, Origin::Adversary(_)) && !matches!(self.setting, Setting::Chain(_)) {
            return Err(source.error_at(
                &call.from,
                "only a chain has an adversary",
                "use office, home, cloud or outside",
            ));
        }
        let Some(agents) = cloud::pool(call.agent.get_ref()) else {
            let mut known: Vec<&str> = AGENTS.iter().map(|agent| agent.pool).collect();
            known.dedup();
            return Err(source.error_at(
                &call.agent,
                format!("unknown client pool {:?}", call.agent.get_ref()),
                format!("use one of {}", known.join(", ")),
            ));
        };
        Ok(Call {
            log,
            service: call.service.get_ref().clone(),
            operation: call.operation.get_ref().clone(),
            credential,
            agents,
            origin,
            error: call.error.as_ref().map(|error| error.get_ref().clone()),
        })
    }
}
