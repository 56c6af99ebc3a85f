-- question: Which hosts log POST requests?
-- choke point: a search inside long texts
-- parameters: none
-- answer: reference
-- source: the events
SELECT host_name, count(*) AS lines, min(ts_us) AS first_us, max(ts_us) AS last_us, count(*) OVER () AS groups
FROM events
WHERE message LIKE '%POST %'
GROUP BY host_name
ORDER BY lines DESC, host_name NULLS LAST
LIMIT 50
