-- question: The triage queue: the latest 100 alerts of high or critical severity, with what an
--   analyst reads first.
-- choke point: top N by time over many files
-- parameters: none
-- answer: reference
-- source: the events
SELECT ts_us, event_sequence, category, severity, rule_name, host_name, user_name, source_ip, destination_ip,
    event_outcome
FROM events
WHERE event_kind = 'alert' AND severity >= 3
ORDER BY ts_us DESC, event_sequence DESC
LIMIT 100
