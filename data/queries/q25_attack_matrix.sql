-- question: Which ATT&CK techniques do alerts name, and on how many hosts?
-- choke point: a list turned into rows, then a group by
-- parameters: none
-- answer: reference
-- source: the events
SELECT item, count(*) AS alerts, count(DISTINCT host_name) AS machines
FROM each_threat_technique_id
WHERE event_kind = 'alert'
GROUP BY item
ORDER BY item
