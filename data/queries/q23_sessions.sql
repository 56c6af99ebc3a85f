-- question: How long are people active without a break of half an hour?
-- choke point: gaps and islands: two windows over the same order
-- parameters: none
-- answer: reference
-- source: the events
WITH acts AS (
    SELECT user_name, ts_us, event_sequence,
        CASE WHEN ts_us - lag(ts_us) OVER (PARTITION BY user_name ORDER BY ts_us, event_sequence) <= 1800000000
            THEN 0 ELSE 1 END AS opens
    FROM events
    WHERE event_kind = 'event' AND user_email IS NOT NULL
), numbered AS (
    SELECT user_name, ts_us,
        sum(opens) OVER (PARTITION BY user_name ORDER BY ts_us, event_sequence
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS stretch
    FROM acts
)
SELECT user_name, min(ts_us) AS first_us, max(ts_us) - min(ts_us) AS length_us, count(*) AS actions,
    count(*) OVER () AS groups
FROM numbered
GROUP BY user_name, stretch
ORDER BY length_us DESC, user_name, first_us
LIMIT 50
