-- question: When did the file with this hash run first, and when last?
-- choke point: a needle inside a long text; no statistics help
-- parameters: hash_pattern
-- answer: constructed
-- source: truth: the first and last time of the indicator
SELECT min(ts_us) AS first_us, max(ts_us) AS last_us
FROM events
WHERE event_code = '1' AND event_provider = 'Microsoft-Windows-Sysmon'
    AND winlog_event_data_Hashes LIKE {hash_pattern}
