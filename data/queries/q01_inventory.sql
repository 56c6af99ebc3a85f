-- question: Which feeds do we have, and from which day to which?
-- choke point: group by a partition column over the whole corpus
-- parameters: none
-- answer: constructed
-- source: the plan: rows by date and category
SELECT category, count(*) AS events, count(DISTINCT day) AS days, min(day) AS first_day, max(day) AS last_day
FROM events
GROUP BY category
ORDER BY category
