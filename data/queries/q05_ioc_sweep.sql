-- question: Which files of the intelligence feed ran here, how often, and from when to when?
-- choke point: join of all process starts with a list of indicators, by a part of a text
-- parameters: none
-- answer: constructed
-- source: truth: the indicators that are hashes, with their events and their first and last times
WITH feed AS (
    SELECT DISTINCT ioc_value FROM iocs WHERE ioc_type = 'sha256'
), runs AS (
    SELECT ts_us, substring(winlog_event_data_Hashes, position('SHA256=' IN winlog_event_data_Hashes) + 7, 64) AS sha256
    FROM events
    WHERE event_code = '1' AND event_provider = 'Microsoft-Windows-Sysmon'
)
SELECT ioc_value, count(*) AS starts, min(ts_us) AS first_us, max(ts_us) AS last_us
FROM feed JOIN runs ON sha256 = ioc_value
GROUP BY ioc_value
ORDER BY ioc_value
