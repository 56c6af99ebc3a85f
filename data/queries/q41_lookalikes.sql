-- question: Which benign events resemble an attack, by technique and verdict?
-- choke point: join of a large truth table with events by place
-- parameters: none
-- answer: constructed
-- source: truth: the lookalikes
SELECT l.technique, l.verdict, l.scenario, e.category, count(*) AS events
FROM lookalikes l JOIN events e ON e.date = l.event_date AND e.category = l.event_category
    AND e.event_sequence = l.event_sequence
GROUP BY l.technique, l.verdict, l.scenario, e.category
ORDER BY l.technique, l.verdict, l.scenario, e.category
