-- question: Which hosts did attacks act on, by how many events of how many attacks?
-- choke point: join of the truth with events, then group by the host of the event
-- parameters: none
-- answer: constructed
-- source: truth: the steps by host
SELECT host_name, count(*) AS attack_events, count(DISTINCT s.attack_id) AS attacks,
    count(DISTINCT s.technique) AS techniques, count(*) OVER () AS groups
FROM steps s JOIN events e ON e.date = s.event_date AND e.category = s.event_category
    AND e.event_sequence = s.event_sequence
WHERE host_name IS NOT NULL
GROUP BY host_name
ORDER BY attack_events DESC, host_name
LIMIT 50
