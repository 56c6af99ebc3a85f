-- question: How many events of each category came on this day?
-- choke point: group by a partition column with pruning by date
-- parameters: day
-- answer: constructed
-- source: the plan: rows by date and category
SELECT category, count(*) AS events
FROM events
WHERE date = {day}
GROUP BY category
ORDER BY events DESC, category
