-- question: How many alerts of each category and severity were there, and how many of them failed or
--   were blocked?
-- choke point: group by two columns with conditional counts
-- parameters: none
-- answer: reference
-- source: the events
SELECT category, severity, count(*) AS alerts, count(*) FILTER (WHERE event_outcome = 'failure') AS failed
FROM events
WHERE event_kind = 'alert'
GROUP BY category, severity
ORDER BY category, severity NULLS LAST
