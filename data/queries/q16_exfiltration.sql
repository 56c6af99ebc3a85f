-- question: Which hosts sent more than twice as much on one day as on all other days together?
-- choke point: aggregate by host and day, then compare each day with the rest of the host
-- parameters: none
-- answer: reference
-- source: the events
WITH daily AS (
    SELECT host_name, day, CAST(sum(source_bytes) AS BIGINT) AS bytes_out
    FROM events
    WHERE network_direction = 'outbound' AND source_bytes > 0 AND host_name IS NOT NULL
    GROUP BY host_name, day
), compared AS (
    SELECT host_name, day, bytes_out,
        CAST(sum(bytes_out) OVER (PARTITION BY host_name) AS BIGINT) - bytes_out AS other_bytes
    FROM daily
)
SELECT host_name, day, bytes_out, other_bytes, count(*) OVER () AS groups
FROM compared
WHERE bytes_out > 2 * other_bytes
ORDER BY bytes_out DESC, host_name, day
LIMIT 50
