-- question: Which programs ran on one host only?
-- choke point: a large group by, then HAVING on a distinct count
-- parameters: none
-- answer: reference
-- source: the events
SELECT process_executable, min(host_name) AS only_host, count(*) AS starts, min(ts_us) AS first_us,
    count(*) OVER () AS groups
FROM events
WHERE event_code IN ('1', '4688') AND process_executable IS NOT NULL
GROUP BY process_executable
HAVING count(DISTINCT host_name) = 1
ORDER BY starts DESC, process_executable
LIMIT 100
