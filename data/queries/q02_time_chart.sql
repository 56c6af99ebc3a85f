-- question: How many events and alerts came in each hour of the day?
-- choke point: group by an expression of time; few groups
-- parameters: none
-- answer: reference
-- source: the events
WITH hours AS (
    SELECT CAST((ts_us % 86400000000 - ts_us % 3600000000) / 3600000000 AS BIGINT) AS hour_of_day, event_kind
    FROM events
)
SELECT hour_of_day, count(*) AS events, count(*) FILTER (WHERE event_kind = 'alert') AS alerts
FROM hours
GROUP BY hour_of_day
ORDER BY hour_of_day
