-- question: Which accounts reached several hosts over the network within one clock hour?
-- choke point: distinct counts per account and hour
-- parameters: none
-- answer: reference
-- source: the events
WITH logons AS (
    SELECT user_name, host_name, CAST((ts_us - ts_us % 3600000000) AS BIGINT) AS hour_us
    FROM events
    WHERE event_code = '4624' AND winlog_event_data_LogonType IN ('3', '10')
)
SELECT user_name, hour_us, count(DISTINCT host_name) AS machines, count(*) AS logons_seen, count(*) OVER () AS groups
FROM logons
GROUP BY user_name, hour_us
HAVING count(DISTINCT host_name) >= 2
ORDER BY machines DESC, logons_seen DESC, user_name, hour_us
LIMIT 50
