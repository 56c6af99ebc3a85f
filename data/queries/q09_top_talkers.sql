-- question: Which machines send most out of the network, and whose are they?
-- choke point: aggregate, then join with a small dimension, then top N
-- parameters: none
-- answer: reference
-- source: the events and entities
WITH talkers AS (
    SELECT host_name, count(*) AS flows, CAST(sum(source_bytes) AS BIGINT) AS bytes_out,
        count(DISTINCT destination_ip) AS peers
    FROM events
    WHERE network_direction = 'outbound' AND source_bytes > 0 AND host_name IS NOT NULL
    GROUP BY host_name
)
SELECT host_name, asset_type, criticality, owner, flows, bytes_out, peers, count(*) OVER () AS groups
FROM talkers LEFT JOIN assets ON hostname = host_name
ORDER BY bytes_out DESC, host_name
LIMIT 25
