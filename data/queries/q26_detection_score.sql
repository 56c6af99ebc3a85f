-- question: Of the attacks of each playbook: how many raised an alert, and how soon?
-- choke point: join of the truth with events by place, then two levels of aggregates
-- parameters: none
-- answer: reference
-- source: the events and truth
WITH attacks AS (
    SELECT s.attack_id, count(*) AS found, count(*) FILTER (WHERE event_kind = 'alert') AS alerted,
        min(CASE WHEN event_kind = 'alert' THEN ts_us END) AS first_alert_us
    FROM steps s JOIN events e ON e.date = s.event_date AND e.category = s.event_category
        AND e.event_sequence = s.event_sequence
    GROUP BY s.attack_id
)
SELECT playbook, count(*) AS chains_run, count(*) FILTER (WHERE alerted > 0) AS detected,
    CAST(sum(found) AS BIGINT) AS chain_events, CAST(sum(found - alerted) AS BIGINT) AS silent_events,
    min(first_alert_us - start_us) AS least_delay_us, max(first_alert_us - start_us) AS most_delay_us
FROM attacks JOIN chains ON chains.attack_id = attacks.attack_id
GROUP BY playbook
ORDER BY playbook
