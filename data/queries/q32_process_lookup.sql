-- question: What did this process do?
-- choke point: a point lookup without a partition; a Bloom filter on process.entity_id helps
-- parameters: process
-- answer: reference
-- source: the events
SELECT ts_us, event_sequence, category, event_action, process_name, file_path, destination_ip, dns_question_name
FROM events
WHERE process_entity_id = {process}
ORDER BY ts_us, event_sequence
LIMIT 100
