-- question: Which hosts are at risk, by severity of their alerts and criticality of the asset?
-- choke point: a weighted sum by host, joined with the inventory
-- parameters: none
-- answer: reference
-- source: the events and entities
WITH scores AS (
    SELECT host_name, count(*) AS alerts, count(DISTINCT rule_name) AS rules,
        CAST(sum(CASE severity WHEN 4 THEN 100 WHEN 3 THEN 40 WHEN 2 THEN 10 ELSE 1 END) AS BIGINT) AS points
    FROM events
    WHERE event_kind = 'alert' AND host_name IS NOT NULL
    GROUP BY host_name
)
SELECT host_name, asset_type, criticality, alerts, rules,
    points * CASE criticality WHEN 'critical' THEN 4 WHEN 'high' THEN 3 WHEN 'medium' THEN 2 ELSE 1 END AS risk,
    count(*) OVER () AS groups
FROM scores JOIN assets ON hostname = host_name
ORDER BY risk DESC, host_name
LIMIT 25
