-- question: What did this attack do, step by step?
-- choke point: a small list joined with a large table: a semi join by place
-- parameters: attack
-- answer: constructed
-- source: truth: the steps of the chain
SELECT s.step, s.technique, s.tactic, e.category, host_name, user_name, event_outcome, count(*) AS events,
    min(s.sequence) AS first_sequence
FROM steps s JOIN events e ON e.date = s.event_date AND e.category = s.event_category
    AND e.event_sequence = s.event_sequence
WHERE s.attack_id = {attack}
GROUP BY s.step, s.technique, s.tactic, e.category, host_name, user_name, event_outcome
ORDER BY s.step, first_sequence, e.category, host_name NULLS LAST, user_name, event_outcome
