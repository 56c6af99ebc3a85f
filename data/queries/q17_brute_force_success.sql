-- question: Which accounts logged on right after many failures on the same host?
-- choke point: a RANGE window over time
-- parameters: none
-- answer: reference
-- source: the events
WITH logons AS (
    SELECT host_name, user_name, ts_us, event_outcome,
        count(*) FILTER (WHERE event_outcome = 'failure') OVER (
            PARTITION BY host_name, user_name ORDER BY ts_us
            RANGE BETWEEN 3600000000 PRECEDING AND CURRENT ROW) AS failures_before
    FROM events
    WHERE event_code IN ('4624', '4625', 'user_login', 'user_auth') AND user_name IS NOT NULL
)
SELECT host_name, user_name, max(failures_before) AS failures, min(ts_us) AS success_us, count(*) AS successes,
    count(*) OVER () AS groups
FROM logons
WHERE event_outcome = 'success' AND failures_before >= 3
GROUP BY host_name, user_name
ORDER BY failures DESC, host_name, user_name
LIMIT 50
