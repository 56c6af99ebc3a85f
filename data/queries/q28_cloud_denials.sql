-- question: Which cloud identities are refused most, and for how many operations?
-- choke point: few files match: records of clouds and services
-- parameters: none
-- answer: reference
-- source: the events
SELECT fusionai_cloud_dataset, user_name, count(*) AS calls, count(*) FILTER (WHERE event_outcome = 'failure') AS refused,
    count(DISTINCT CASE WHEN event_outcome = 'failure' THEN fusionai_cloud_event_name END) AS refused_operations,
    count(DISTINCT source_ip) AS addresses,
    count(*) OVER () AS groups
FROM events
WHERE fusionai_cloud_event_name IS NOT NULL
GROUP BY fusionai_cloud_dataset, user_name
ORDER BY refused DESC, calls DESC, fusionai_cloud_dataset NULLS LAST, user_name NULLS LAST
LIMIT 50
