-- question: Which program calls which address again and again at an even pace?
-- choke point: a window over a sorted partition, then an aggregate of gaps
-- parameters: none
-- answer: reference
-- source: the events
WITH calls AS (
    SELECT host_name, process_executable, destination_ip,
        ts_us - lag(ts_us) OVER (
            PARTITION BY host_name, process_executable, destination_ip ORDER BY ts_us, event_sequence) AS gap_us
    FROM events
    WHERE network_direction = 'outbound' AND process_executable IS NOT NULL
), paces AS (
    SELECT host_name, process_executable, destination_ip, count(*) AS gaps, min(gap_us) AS least_us,
        max(gap_us) AS most_us
    FROM calls
    WHERE gap_us >= 1000000
    GROUP BY host_name, process_executable, destination_ip
)
SELECT host_name, process_executable, destination_ip, gaps, least_us, most_us, count(*) OVER () AS groups
FROM paces
WHERE gaps >= 3 AND most_us <= 4 * least_us
ORDER BY gaps DESC, host_name NULLS LAST, process_executable, destination_ip
LIMIT 50
