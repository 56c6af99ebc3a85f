-- question: Which rules fired most in these days?
-- choke point: top N with pruning by date
-- parameters: from_day, to_day
-- answer: reference
-- source: the events
SELECT rule_name, category, count(*) AS alerts, count(DISTINCT host_name) AS machines, count(*) OVER () AS groups
FROM events
WHERE date BETWEEN {from_day} AND {to_day} AND event_kind = 'alert'
GROUP BY rule_name, category
ORDER BY alerts DESC, rule_name NULLS LAST, category
LIMIT 20
