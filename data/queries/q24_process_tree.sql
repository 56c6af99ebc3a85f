-- question: What did this process start, generation by generation?
-- choke point: recursion: one scan for each generation; not part of the geometric mean
-- parameters: process
-- answer: reference
-- source: the events
WITH RECURSIVE starts AS (
    SELECT process_entity_id, process_parent_entity_id, process_name, ts_us
    FROM events
    WHERE event_code = '1' AND event_provider = 'Microsoft-Windows-Sysmon'
), tree AS (
    SELECT process_entity_id, process_name, ts_us, CAST(0 AS BIGINT) AS generation
    FROM starts
    WHERE process_entity_id = {process}
    UNION ALL
    SELECT s.process_entity_id, s.process_name, s.ts_us, t.generation + 1 AS generation
    FROM starts s JOIN tree t ON s.process_parent_entity_id = t.process_entity_id
    WHERE t.generation < 8
)
SELECT generation, process_name, process_entity_id, ts_us
FROM tree
ORDER BY generation, ts_us, process_entity_id
