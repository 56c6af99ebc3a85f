-- question: How many hosts, accounts and techniques does each playbook reach?
-- choke point: a join of three tables, one of them large
-- parameters: none
-- answer: constructed
-- source: truth: chains and steps
SELECT playbook, count(DISTINCT s.attack_id) AS attacks, count(*) AS attack_events,
    count(DISTINCT host_name) AS machines, count(DISTINCT user_name) AS accounts,
    count(DISTINCT s.technique) AS techniques
FROM chains c JOIN steps s ON s.attack_id = c.attack_id
    JOIN events e ON e.date = s.event_date AND e.category = s.event_category AND e.event_sequence = s.event_sequence
GROUP BY playbook
ORDER BY playbook
