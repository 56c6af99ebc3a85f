-- question: Who runs encoded or hidden PowerShell, or downloads with it?
-- choke point: several patterns over long texts
-- parameters: none
-- answer: reference
-- source: the events
SELECT host_name, user_name, count(*) AS commands,
    count(*) FILTER (WHERE lower(process_command_line) LIKE '% -enc%') AS encoded,
    count(*) FILTER (WHERE lower(process_command_line) LIKE '% hidden%') AS hidden_window,
    count(*) FILTER (WHERE lower(process_command_line) LIKE '%http%') AS downloads,
    min(ts_us) AS first_us, count(*) OVER () AS groups
FROM events
WHERE event_code IN ('1', '4688') AND lower(process_command_line) LIKE '%powershell%'
    AND (lower(process_command_line) LIKE '% -enc%' OR lower(process_command_line) LIKE '% hidden%'
        OR lower(process_command_line) LIKE '%http%')
GROUP BY host_name, user_name
ORDER BY commands DESC, host_name, user_name NULLS LAST
LIMIT 50
