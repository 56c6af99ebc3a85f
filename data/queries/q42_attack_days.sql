-- question: How many events of attacks came on each day, by tactic and outcome?
-- choke point: join by place, group by columns of both sides
-- parameters: none
-- answer: constructed
-- source: truth: the steps by day and tactic
SELECT e.day, s.tactic, event_outcome, count(*) AS events, count(DISTINCT s.attack_id) AS attacks
FROM steps s JOIN events e ON e.date = s.event_date AND e.category = s.event_category
    AND e.event_sequence = s.event_sequence
GROUP BY e.day, s.tactic, event_outcome
ORDER BY e.day, s.tactic, event_outcome
