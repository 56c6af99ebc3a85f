-- question: How good is each rule: alerts, those on attacks, those on known lookalikes, attacks
--   found?
-- choke point: two outer joins of alerts with the truth
-- parameters: none
-- answer: reference
-- source: the events and truth
SELECT rule_name, count(*) AS alerts, count(s.event_sequence) AS on_attacks, count(l.event_sequence) AS on_lookalikes,
    count(DISTINCT s.attack_id) AS attacks, count(*) OVER () AS groups
FROM events e
    LEFT JOIN steps s ON s.event_date = e.date AND s.event_category = e.category AND s.event_sequence = e.event_sequence
    LEFT JOIN lookalikes l ON l.event_date = e.date AND l.event_category = e.category
        AND l.event_sequence = e.event_sequence
WHERE event_kind = 'alert'
GROUP BY rule_name
ORDER BY on_attacks DESC, rule_name NULLS LAST
LIMIT 50
