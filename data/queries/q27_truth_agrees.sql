-- question: Does every step of the truth have its event, with the same host, user and outcome, and the process that it starts?
-- choke point: a join by place on three columns, one of them unique
-- parameters: none
-- answer: constructed
-- source: truth: the steps by category, and those that start a process
SELECT s.event_category, count(*) AS placed,
    count(*) FILTER (WHERE coalesce(e.host_name, '-') = coalesce(s.host, '-') AND e.user_name = s.account
        AND e.event_outcome = s.outcome) AS agreeing,
    count(s.process) AS starts,
    count(*) FILTER (WHERE e.process_entity_id = s.process
        AND coalesce(e.process_parent_entity_id, '-') = coalesce(s.parent, '-')) AS starts_agreeing
FROM steps s JOIN events e ON e.date = s.event_date AND e.category = s.event_category
    AND e.event_sequence = s.event_sequence
GROUP BY s.event_category
ORDER BY s.event_category
