-- question: The first page of everything on this host on this day, with all columns except lists.
-- choke point: every column of few rows: late materialisation
-- parameters: attack_day, host
-- answer: reference
-- source: the events
SELECT *
FROM flat
WHERE day = {attack_day} AND host_name = {host}
ORDER BY ts_us, event_sequence
LIMIT 50
