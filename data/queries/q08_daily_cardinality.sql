-- question: How many different users, hosts, addresses and processes acted on each day?
-- choke point: several exact distinct counts, two of them large
-- parameters: none
-- answer: reference
-- source: the events
SELECT day, count(DISTINCT user_name) AS users_seen, count(DISTINCT host_name) AS hosts_seen,
    count(DISTINCT source_ip) AS addresses_seen, count(DISTINCT process_entity_id) AS processes_seen
FROM events
GROUP BY day
ORDER BY day
