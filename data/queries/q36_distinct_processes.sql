-- question: How many different processes, files and addresses does the corpus have?
-- choke point: exact distinct counts of columns with many values
-- parameters: none
-- answer: reference
-- source: the events
SELECT count(DISTINCT process_entity_id) AS processes_seen, count(DISTINCT file_path) AS files,
    count(DISTINCT source_ip) AS sources, count(DISTINCT destination_ip) AS destinations
FROM events
