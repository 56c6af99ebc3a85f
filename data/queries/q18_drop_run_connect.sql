-- question: Which files were written, run within ten minutes, and then connected out?
-- choke point: a join of three steps by host and path, within a time
-- parameters: none
-- answer: reference
-- source: the events
WITH drops AS (
    SELECT host_name, file_path, ts_us AS drop_us
    FROM events
    WHERE event_code = '11' AND event_provider = 'Microsoft-Windows-Sysmon' AND lower(file_path) LIKE '%.exe'
), runs AS (
    SELECT host_name, process_executable, process_entity_id, ts_us AS run_us
    FROM events
    WHERE event_code = '1' AND event_provider = 'Microsoft-Windows-Sysmon'
), calls AS (
    SELECT process_entity_id, destination_ip, ts_us AS call_us
    FROM events
    WHERE event_code = '3' AND network_direction = 'outbound'
)
SELECT d.host_name, d.file_path, min(drop_us) AS first_drop_us, min(run_us) AS first_run_us,
    min(call_us) AS first_call_us, count(DISTINCT destination_ip) AS peers, count(*) OVER () AS groups
FROM drops d
    JOIN runs r ON r.host_name = d.host_name AND r.process_executable = d.file_path
        AND run_us BETWEEN drop_us AND drop_us + 600000000
    JOIN calls c ON c.process_entity_id = r.process_entity_id AND call_us >= run_us
GROUP BY d.host_name, d.file_path
ORDER BY first_drop_us, d.host_name, d.file_path
LIMIT 100
