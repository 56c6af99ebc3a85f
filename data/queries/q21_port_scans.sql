-- question: Which addresses touched many ports or hosts within five minutes?
-- choke point: group by address and a window of time, two distinct counts
-- parameters: none
-- answer: reference
-- source: the events
WITH touches AS (
    SELECT source_ip, ts_us - ts_us % 300000000 AS window_us, destination_ip, destination_port
    FROM events
    WHERE source_ip IS NOT NULL AND destination_port IS NOT NULL
), windows AS (
    SELECT source_ip, window_us, count(*) AS flows, count(DISTINCT destination_port) AS ports,
        count(DISTINCT destination_ip) AS peers
    FROM touches
    GROUP BY source_ip, window_us
)
SELECT source_ip, window_us, flows, ports, peers, count(*) OVER () AS groups
FROM windows
WHERE ports >= 3 OR peers >= 3
ORDER BY ports DESC, peers DESC, flows DESC, source_ip, window_us
LIMIT 50
