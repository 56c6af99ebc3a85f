-- question: Whose logons fail most, from how many addresses and on how many hosts?
-- choke point: filter on several record kinds, distinct counts, top N
-- parameters: none
-- answer: reference
-- source: the events
SELECT user_name, count(*) AS failures, count(DISTINCT source_ip) AS addresses, count(DISTINCT host_name) AS machines,
    count(*) OVER () AS groups
FROM events
WHERE event_code IN ('4625', '4771', '4776', 'user_login', 'user_auth') AND event_outcome = 'failure'
GROUP BY user_name
ORDER BY failures DESC, user_name NULLS LAST
LIMIT 25
